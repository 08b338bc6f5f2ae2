//! Telling apart what happened to rows that do not fit: a row that stands elsewhere was moved, not edited here and removed there.

use std::collections::{BTreeMap, BTreeSet};

use credentials::merkle::Hash;

use super::Finding;
use crate::audit::leaf::leaf;
use crate::audit::seals::by_places;
use crate::db::Reading;
use crate::db::entities::events;
use crate::refused::Refused;

/// Beyond so many of a kind each is told at once, as what it looks like at its own place.
const MOST: usize = 300;

/// What does not fit, until all of it is known.
#[derive(Default)]
pub(super) struct Sorting {
    edited: BTreeMap<i64, Hash>,
    removed: BTreeMap<i64, Hash>,
    inserted: BTreeSet<i64>,
}

impl Sorting {
    pub(super) fn edited(&mut self, place: i64, sealed: Hash) -> Option<Finding> {
        if self.edited.len() >= MOST {
            return Some(Finding::Edited(place));
        }
        self.edited.insert(place, sealed);
        None
    }

    pub(super) fn removed(&mut self, place: i64, sealed: Hash) -> Option<Finding> {
        if self.removed.len() >= MOST {
            return Some(Finding::Removed(place));
        }
        self.removed.insert(place, sealed);
        None
    }

    pub(super) fn inserted(&mut self, place: i64) -> Option<Finding> {
        if self.inserted.len() >= MOST {
            return Some(Finding::Inserted(place));
        }
        self.inserted.insert(place);
        None
    }

    /// What happened, by the places of the rows.
    pub(super) async fn sorted<R: Reading>(self, read: &R) -> Result<Vec<Finding>, Refused> {
        let places: Vec<i64> = self.edited.keys().chain(&self.inserted).copied().collect();
        let rows = by_places(read, &places).await?;
        let sealed: Vec<(i64, Hash)> = self.edited.iter().chain(&self.removed).map(|(place, hash)| (*place, *hash)).collect();
        // Where the row that now stands at the second place was sealed.
        let moved: BTreeMap<i64, i64> = rows.iter().filter_map(|row| Some((row.seq, sealed_as(row, &sealed)?))).collect();
        let found_again: BTreeSet<i64> = moved.values().copied().collect();
        let mut findings: Vec<Finding> = moved.iter().map(|(now, then)| Finding::Moved(*then, *now)).collect();
        for place in self.edited.into_keys() {
            match (moved.contains_key(&place), found_again.contains(&place)) {
                (false, false) => findings.push(Finding::Edited(place)),
                (false, true) => findings.push(Finding::Inserted(place)),
                (true, false) => findings.push(Finding::Removed(place)),
                (true, true) => {}
            }
        }
        findings.extend(self.removed.into_keys().filter(|place| !found_again.contains(place)).map(Finding::Removed));
        findings.extend(self.inserted.into_iter().filter(|place| !moved.contains_key(place)).map(Finding::Inserted));
        findings.sort_by_key(|finding| finding.place());
        Ok(findings)
    }
}

/// The place at which a row would be what was sealed there.
fn sealed_as(row: &events::Model, sealed: &[(i64, Hash)]) -> Option<i64> {
    let mut elsewhere = row.clone();
    sealed.iter().find_map(|(place, hash)| {
        elsewhere.seq = *place;
        (*place != row.seq && leaf(&elsewhere) == *hash).then_some(*place)
    })
}
