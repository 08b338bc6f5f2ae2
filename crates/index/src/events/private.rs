//! The personal fields of an event: sealed under the key of their subject, so that dropping that key erases them (R27).

use std::collections::{HashMap, HashSet};

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use credentials::keys::{InstanceKeys, Place};
use credentials::secret::Secret;

use crate::db::entities::{event_private, subject_keys};
use crate::db::{Read, Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, EventId};
use crate::policy::Origin;
use crate::refused::Refused;

/// What only the actor and staff may see.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// The network address it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The client's `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// An e-mail address that belongs to the story.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Private")
    }
}

impl Private {
    pub(super) fn of(origin: &Origin, address: Option<String>) -> Self {
        Self { network: origin.network.map(|n| n.to_string()), agent: origin.agent.clone(), address }
    }
    /// The keyed hash by which events from one network are found without opening them.
    pub(super) fn network_hash(&self, env: &Env) -> Option<Vec<u8>> {
        self.network.as_ref().map(|n| env.keys.keyed_hash("event-network", n.as_bytes()).to_bytes())
    }
}

pub(super) struct SealedPrivate {
    pub subject: Uuid,
    pub sealed: Vec<u8>,
}

pub(super) async fn seal(
    env: &Env,
    tx: &Tx,
    subject: Option<AccountId>,
    event: EventId,
    private: &Private,
) -> Result<SealedPrivate, Refused> {
    let subject = subject.map_or(Uuid::nil(), |account| account.0);
    let (subject, key) = match found_key(env, tx, subject).await? {
        Some(key) => (subject, key),
        // An erased account has no key any more, and gets none: what strangers try with its name is like that with any name.
        None if is_erased(tx, subject).await? => (Uuid::nil(), subject_key(env, tx, Uuid::nil()).await?),
        None => (subject, new_key(env, tx, subject).await?),
    };
    let plain = serde_json::to_vec(private)?;
    let place = Place { table: TABLE, row: event.0.as_bytes(), account: subject.as_bytes() };
    let sealed = key.seal(&*env.entropy, &place, &plain);
    Ok(SealedPrivate { subject, sealed })
}

const TABLE: &str = "event_private";

/// Opens the personal fields of an event; `None` when they were erased, or changed so that they do not open: `audit verify` names these,
/// and no page and no mail may stay away for them.
///
/// # Errors
/// The database.
pub async fn open_private<R: Reading>(env: &Env, read: &R, event: EventId) -> Result<Option<Private>, Refused> {
    Ok(open_all(env, read, vec![event]).await?.remove(&event))
}

/// Opens the personal fields of many events; what was erased, and what was changed so that it does not open, is left out.
///
/// # Errors
/// The database.
pub async fn open_all<R: Reading>(env: &Env, read: &R, events: Vec<EventId>) -> Result<HashMap<EventId, Private>, Refused> {
    let rows = event_private::Entity::find().filter(event_private::Column::EventId.is_in(events)).all(read.connection()).await?;
    let subjects: HashSet<Uuid> = rows.iter().map(|row| row.subject).collect();
    let keys = subject_keys::Entity::find().filter(subject_keys::Column::Subject.is_in(subjects)).all(read.connection()).await?;
    let keys: HashMap<Uuid, InstanceKeys> = keys.iter().filter_map(|key| Some((key.subject, open_key(env, key).ok()?))).collect();
    let opened = rows.into_iter().filter_map(|row| {
        let key = keys.get(&row.subject)?;
        let place = Place { table: TABLE, row: row.event_id.0.as_bytes(), account: row.subject.as_bytes() };
        let plain = key.open(&place, &row.sealed).ok()?;
        Some((row.event_id, serde_json::from_slice(plain.expose()).ok()?))
    });
    Ok(opened.collect())
}

/// How many opened keys are kept at once while the trail is read.
const KEYS: usize = 4000;

/// Keys of subjects, opened once each, for whoever reads the whole trail. A subject without a key has none here.
#[derive(Default)]
pub(crate) struct SubjectKeys {
    opened: HashMap<Uuid, InstanceKeys>,
    /// Those that stand in their table and do not open.
    spoilt: HashSet<Uuid>,
}

impl SubjectKeys {
    /// Opens the keys of these subjects, as far as they are there and open.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn load(&mut self, env: &Env, read: &Read, subjects: HashSet<Uuid>) -> Result<(), Refused> {
        if self.opened.len() > KEYS {
            self.opened.clear();
        }
        let unknown: HashSet<Uuid> = subjects.into_iter().filter(|subject| !self.opened.contains_key(subject)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        for row in subject_keys::Entity::find().filter(subject_keys::Column::Subject.is_in(unknown)).all(read.connection()).await? {
            match open_key(env, &row) {
                Ok(key) => drop(self.opened.insert(row.subject, key)),
                Err(_) => drop(self.spoilt.insert(row.subject)),
            }
        }
        Ok(())
    }

    /// Whether the subject's key is there and opens.
    pub(crate) fn is_whole(&self, subject: Uuid) -> bool {
        self.opened.contains_key(&subject)
    }

    /// Whether the subject has no key at all.
    pub(crate) fn is_gone(&self, subject: Uuid) -> bool {
        !self.opened.contains_key(&subject) && !self.spoilt.contains(&subject)
    }

    /// Whether a part opens with the key of its subject.
    pub(crate) fn opens(&self, part: &event_private::Model) -> bool {
        let place = Place { table: TABLE, row: part.event_id.0.as_bytes(), account: part.subject.as_bytes() };
        self.opened.get(&part.subject).is_some_and(|key| key.open(&place, &part.sealed).is_ok())
    }
}

fn open_key(env: &Env, row: &subject_keys::Model) -> Result<InstanceKeys, Refused> {
    let place = Place { table: "subject_keys", row: row.subject.as_bytes(), account: row.subject.as_bytes() };
    let text = env.keys.open(&place, &row.key_sealed).map_err(|e| anyhow::anyhow!("the key of subject {}: {e}", row.subject))?;
    let text = String::from_utf8(text.expose().to_vec()).map_err(|_| anyhow::anyhow!("the key of subject {} is not text", row.subject))?;
    InstanceKeys::parse(&Secret::new(text)).map_err(|e| anyhow::anyhow!("the key of subject {}: {e}", row.subject).into())
}

/// The key of a subject, made on its first event.
async fn subject_key(env: &Env, tx: &Tx, subject: Uuid) -> Result<InstanceKeys, Refused> {
    match found_key(env, tx, subject).await? {
        Some(key) => Ok(key),
        None => new_key(env, tx, subject).await,
    }
}

async fn found_key(env: &Env, tx: &Tx, subject: Uuid) -> Result<Option<InstanceKeys>, Refused> {
    let row = subject_keys::Entity::find_by_id(subject).one(tx.connection()).await?;
    row.map(|row| open_key(env, &row)).transpose()
}

/// Whether an account's personal data was erased (R27).
async fn is_erased(tx: &Tx, subject: Uuid) -> Result<bool, Refused> {
    const ERASED: &str = "SELECT 1 AS one FROM accounts WHERE id = $1 AND erased_at IS NOT NULL";
    Ok(tx.row(ERASED, vec![Value::from(AccountId(subject))]).await?.is_some())
}

async fn new_key(env: &Env, tx: &Tx, subject: Uuid) -> Result<InstanceKeys, Refused> {
    let key = InstanceKeys::generate(&*env.entropy);
    let place = Place { table: "subject_keys", row: subject.as_bytes(), account: subject.as_bytes() };
    let key_sealed = env.keys.seal(&*env.entropy, &place, key.to_text().expose().as_bytes());
    subject_keys::ActiveModel { subject: Set(subject), key_sealed: Set(key_sealed), created_at: Set(tx.now()) }
        .insert(tx.connection())
        .await?;
    Ok(key)
}
