//! Which rows stood at a time. A row that was put back has an old age and began later than that: what began it says when.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::{account_causes, addresses, api_tokens, events, factors, project_locks, recovery_sets, roles};
use crate::ids::EventId;
use crate::refused::Refused;

/// A history row: an age, an end, and the event that began it.
pub(super) trait Past: Clone {
    /// Its id.
    fn id(&self) -> Uuid;
    /// Its age.
    fn age(&self) -> Time;
    /// Its end.
    fn until_at(&self) -> Option<Time>;
    /// What began it.
    fn began_by(&self) -> EventId;
}

macro_rules! past { ($($table:ident),*) => { $(
    impl Past for $table::Model {
        fn id(&self) -> Uuid {
            self.id.0
        }
        fn age(&self) -> Time {
            self.from_at
        }
        fn until_at(&self) -> Option<Time> {
            self.until_at
        }
        fn began_by(&self) -> EventId {
            self.began_by
        }
    }
)* } }
past!(account_causes, addresses, api_tokens, factors, project_locks, recovery_sets, roles);

/// How many events are looked up at once.
const CHUNK: usize = 500;

/// The rows that stood at a time, and those that stand now. An act at exactly that time is part of it.
pub(super) async fn split<R: Reading, M: Past>(read: &R, rows: Vec<M>, at: Time) -> Result<(Vec<M>, Vec<M>), Refused> {
    let begins = begins(read, rows.iter().map(Past::began_by).collect()).await?;
    let stood = |row: &&M| {
        let began = begins.get(&row.began_by()).copied().unwrap_or_else(|| row.age()).max(row.age());
        began <= at && row.until_at().is_none_or(|until| until > at)
    };
    let then = rows.iter().filter(stood).cloned().collect();
    Ok((then, rows.into_iter().filter(|row| row.until_at().is_none()).collect()))
}

/// When the events happened, by their ids; what was there before there were events has none.
async fn begins<R: Reading>(read: &R, mut ids: Vec<EventId>) -> Result<HashMap<EventId, Time>, Refused> {
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::with_capacity(ids.len());
    for some in ids.chunks(CHUNK) {
        let rows: Vec<(EventId, Time)> = events::Entity::find()
            .select_only()
            .column(events::Column::Id)
            .column(events::Column::At)
            .filter(events::Column::Id.is_in(some.iter().copied()))
            .into_tuple()
            .all(read.connection())
            .await?;
        found.extend(rows);
    }
    Ok(found)
}
