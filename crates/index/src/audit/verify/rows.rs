//! The rows of the trail as they stand, read in the order of their places, until a seal claims each.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use credentials::merkle::Hash;

use super::Finding;
use crate::audit::leaf::leaf;
use crate::clock::Time;
use crate::db::entities::{event_private, events, subject_keys};
use crate::db::{Read, Reading};
use crate::env::Env;
use crate::refused::Refused;

/// How many rows are read at once.
const PAGE: u64 = 500;

/// Rows that were read and that no seal has claimed yet.
pub(super) struct Rows {
    read_to: i64,
    unclaimed: BTreeMap<i64, (Hash, Time)>,
}

/// What stands at a place.
pub(super) enum Seen {
    /// A row with this hash.
    As(Hash),
    /// None.
    NotThere,
}

impl Default for Rows {
    /// Before every row, also before those whose place no event ever had.
    fn default() -> Self {
        Self { read_to: i64::MIN, unclaimed: BTreeMap::new() }
    }
}

impl Rows {
    /// Reads all rows up to a place; says which personal parts are not what their rows commit to.
    pub(super) async fn read_to(&mut self, env: &Env, place: i64) -> Result<Vec<Finding>, Refused> {
        let mut findings = Vec::new();
        while self.read_to < place {
            let read = env.db.read(env.now()).await?;
            let between = events::Entity::find().filter(events::Column::Seq.gt(self.read_to)).filter(events::Column::Seq.lte(place));
            let page = between.order_by_asc(events::Column::Seq).limit(PAGE).all(read.connection()).await?;
            findings.extend(personal(&read, &page).await?);
            drop(read);
            self.read_to = if (page.len() as u64) < PAGE { place } else { page.last().map_or(place, |row| row.seq) };
            self.unclaimed.extend(page.iter().map(|row| (row.seq, (leaf(row), row.at))));
        }
        Ok(findings)
    }

    /// What stands at the place; a seal claims it once.
    pub(super) fn claim(&mut self, place: i64) -> Seen {
        self.unclaimed.remove(&place).map_or(Seen::NotThere, |(hash, _)| Seen::As(hash))
    }

    /// The rows that seals held which are gone.
    pub(super) fn forget_unclaimed(&mut self) {
        self.unclaimed.clear();
    }

    /// The places of rows from before a moment that no seal claimed.
    pub(super) fn unclaimed(&self, before: Time) -> Vec<i64> {
        self.unclaimed.iter().filter(|(_, (_, at))| *at < before).map(|(place, _)| *place).collect()
    }
}

/// Holds the personal parts of some rows against what the rows commit to. One that is gone with its subject's key was erased (R27).
async fn personal(read: &Read, rows: &[events::Model]) -> Result<Vec<Finding>, Refused> {
    let ids = rows.iter().map(|row| row.id);
    let kept = event_private::Entity::find().filter(event_private::Column::EventId.is_in(ids)).all(read.connection()).await?;
    let kept: HashMap<_, _> = kept.into_iter().map(|part| (part.event_id, Sha256::digest(&part.sealed).to_vec())).collect();
    let subjects: HashSet<Uuid> = rows.iter().filter(|row| !kept.contains_key(&row.id)).map(subject).collect();
    let mut alive = HashSet::new();
    if !subjects.is_empty() {
        let keys = subject_keys::Entity::find().filter(subject_keys::Column::Subject.is_in(subjects)).all(read.connection()).await?;
        alive.extend(keys.into_iter().map(|key| key.subject));
    }
    let judged = rows.iter().filter_map(|row| match kept.get(&row.id) {
        Some(digest) if *digest == row.commitment => None,
        Some(_) => Some(Finding::PersonalChanged(row.seq)),
        None => alive.contains(&subject(row)).then_some(Finding::PersonalRemoved(row.seq)),
    });
    Ok(judged.collect())
}

/// Under whose key the personal part of a row was sealed, as `events::record` chose it.
fn subject(row: &events::Model) -> Uuid {
    row.account_id.or(row.actor_account_id).map_or(Uuid::nil(), |account| account.0)
}
