//! The rows of the trail as they stand, read in the order of their places, until a seal claims each.

use std::collections::{BTreeMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use credentials::merkle::Hash;

use super::Finding;
use super::parts::Parts;
use crate::audit::leaf::leaf;
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::events;
use crate::env::Env;
use crate::refused::Refused;

/// How many rows are read at once.
const PAGE: u64 = 500;

/// Rows that were read and that no seal has claimed yet.
pub(super) struct Rows {
    read_to: i64,
    unclaimed: BTreeMap<i64, (Hash, Time)>,
    /// Rows whose personal part is gone, though no erasure took it.
    bare: HashSet<i64>,
    parts: Parts,
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
        Self { read_to: i64::MIN, unclaimed: BTreeMap::new(), bare: HashSet::new(), parts: Parts::default() }
    }
}

impl Rows {
    /// Reads all rows up to a place; says which personal parts are not what their rows commit to, or open no more.
    pub(super) async fn read_to(&mut self, env: &Env, place: i64) -> Result<Vec<Finding>, Refused> {
        let mut findings = Vec::new();
        while self.read_to < place {
            let read = env.db.read(env.now()).await?;
            let between = events::Entity::find().filter(events::Column::Seq.gt(self.read_to)).filter(events::Column::Seq.lte(place));
            let page = between.order_by_asc(events::Column::Seq).limit(PAGE).all(read.connection()).await?;
            for finding in self.parts.judge(env, &read, &page).await? {
                match finding {
                    // Of a row that was inserted there is more to say: its seal decides.
                    Finding::PersonalRemoved(place) => drop(self.bare.insert(place)),
                    other => findings.push(other),
                }
            }
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

    /// Whether the personal part of a row that a seal holds is gone, though no erasure took it.
    pub(super) fn is_bare(&mut self, place: i64) -> bool {
        self.bare.remove(&place)
    }

    /// The rows that seals held which are gone.
    pub(super) fn forget_unclaimed(&mut self) {
        self.unclaimed.clear();
    }

    /// The places of rows that no seal claimed and that are on no way into one: older than a moment, or from a time to come, which
    /// whoever writes a row by hand can say of it.
    pub(super) fn unclaimed(&self, before: Time, until: Time) -> Vec<i64> {
        self.unclaimed.iter().filter(|(_, (_, at))| *at < before || *at > until).map(|(place, _)| *place).collect()
    }
}
