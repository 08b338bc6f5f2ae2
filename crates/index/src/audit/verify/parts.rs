//! The personal parts of rows: that they are what the rows commit to, lie with the subject they were sealed for, and still open (R27).
//!
//! A digest alone does not say the last: whoever destroys a key, or files a part under another subject, changes no byte of the part.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Finding;
use crate::db::entities::{event_private, events};
use crate::db::{Read, Reading};
use crate::env::Env;
use crate::events::{Kind, SubjectKeys};
use crate::ids::{AccountId, EventId};
use crate::refused::Refused;

/// What is kept while the trail is read: the keys that were opened, and the subjects whose key was told of.
#[derive(Default)]
pub(super) struct Parts {
    keys: SubjectKeys,
    told: HashSet<Uuid>,
}

impl Parts {
    /// Holds the personal parts of some rows against them. One that is gone was erased if the trail says so: that its key is gone too says
    /// nothing, since whoever removes parts can remove keys.
    pub(super) async fn judge(&mut self, env: &Env, read: &Read, rows: &[events::Model]) -> Result<Vec<Finding>, Refused> {
        let ids = rows.iter().map(|row| row.id);
        let kept = event_private::Entity::find().filter(event_private::Column::EventId.is_in(ids)).all(read.connection()).await?;
        let kept: HashMap<EventId, event_private::Model> = kept.into_iter().map(|part| (part.event_id, part)).collect();
        self.keys.load(env, read, kept.values().map(|part| part.subject).collect()).await?;
        let doubted =
            rows.iter().filter(|row| kept.get(&row.id).is_none_or(|part| part.subject != filed(row) || !self.keys.is_whole(part.subject)));
        let erased = erased(read, doubted.filter_map(subject).collect()).await?;
        Ok(rows.iter().filter_map(|row| self.of(row, kept.get(&row.id), &erased)).collect())
    }

    /// What is wrong with the part of one row.
    fn of(&mut self, row: &events::Model, part: Option<&event_private::Model>, erased: &HashSet<AccountId>) -> Option<Finding> {
        let is_erased = subject(row).is_some_and(|account| erased.contains(&account));
        let Some(part) = part else { return (!is_erased).then_some(Finding::PersonalRemoved(row.seq)) };
        if Sha256::digest(&part.sealed)[..] != row.commitment[..] {
            return Some(Finding::PersonalChanged(row.seq));
        }
        // What is recorded about an account after its erasure lies with what is about nobody.
        if part.subject != filed(row) && !(is_erased && part.subject.is_nil()) {
            return Some(Finding::PersonalMoved(row.seq));
        }
        if self.keys.opens(part) || (is_erased && !part.subject.is_nil()) {
            return None;
        }
        if self.keys.is_whole(part.subject) {
            return Some(Finding::PersonalUnreadable(row.seq));
        }
        let is_gone = self.keys.is_gone(part.subject);
        let finding = if is_gone { Finding::KeyRemoved(row.seq, part.subject) } else { Finding::KeyChanged(row.seq, part.subject) };
        self.told.insert(part.subject).then_some(finding)
    }
}

/// Those of these accounts whose personal parts were erased.
async fn erased(read: &Read, accounts: HashSet<AccountId>) -> Result<HashSet<AccountId>, Refused> {
    if accounts.is_empty() {
        return Ok(HashSet::new());
    }
    let said = events::Entity::find()
        .filter(events::Column::Kind.eq(Kind::AccountErased.wire()))
        .filter(events::Column::AccountId.is_in(accounts))
        .all(read.connection())
        .await?;
    Ok(said.into_iter().filter_map(|row| row.account_id).collect())
}

/// Under whose key the personal part of a row was sealed, as `events::record` chose it; nobody's where no account is in it.
fn subject(row: &events::Model) -> Option<AccountId> {
    row.account_id.or(row.actor_account_id)
}

/// The same, as the part names it.
fn filed(row: &events::Model) -> Uuid {
    subject(row).map_or(Uuid::nil(), |account| account.0)
}
