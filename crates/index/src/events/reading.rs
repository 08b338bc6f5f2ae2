//! Reading rows of the trail: so many, in the order of their places.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::Reading;
use crate::db::entities::events;
use crate::ids::AccountId;
use crate::refused::Refused;

/// Which rows, by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Those before a place, newest first.
    Before(i64),
    /// Those after a place, oldest first.
    After(i64),
}

/// At most so many rows that meet a condition; with an account, those that it did and those that are about it.
///
/// Each of the two has its index, which is walked in order and left after `most` rows. One query with `OR` reads and sorts every row of
/// the account for each page, and an account may have millions.
///
/// # Errors
/// The database.
pub(crate) async fn some<R: Reading>(
    read: &R,
    condition: &Condition,
    account: Option<AccountId>,
    (part, most): (Part, u64),
) -> Result<Vec<events::Model>, Refused> {
    let rows = events::Entity::find().filter(condition.clone()).limit(most);
    let rows = match part {
        Part::Before(place) => rows.filter(events::Column::Seq.lt(place)).order_by_desc(events::Column::Seq),
        Part::After(place) => rows.filter(events::Column::Seq.gt(place)).order_by_asc(events::Column::Seq),
    };
    let Some(account) = account else { return Ok(rows.all(read.connection()).await?) };
    let mut found = rows.clone().filter(events::Column::AccountId.eq(account)).all(read.connection()).await?;
    found.extend(rows.filter(events::Column::ActorAccountId.eq(account)).all(read.connection()).await?);
    match part {
        Part::Before(_) => found.sort_unstable_by_key(|row| std::cmp::Reverse(row.seq)),
        Part::After(_) => found.sort_unstable_by_key(|row| row.seq),
    }
    found.dedup_by_key(|row| row.seq);
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found)
}
