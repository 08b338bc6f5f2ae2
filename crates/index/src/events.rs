//! TABLE 3: kinds of event, and the one way to record one. Append-only: the database refuses anything else.
//!
//! A row says what happened to whom, by whom, with what. Network, agent and address are sealed beside it under a key per
//! subject (R27); the row commits to them. What follows (notices) is the table's business, never a verb's.

mod private;
pub(crate) mod reading;
mod table;

use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, Value};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::Duration;

pub(crate) use private::SubjectKeys;
pub use private::{Private, open_all, open_private};
pub use table::*;

use crate::clock::Time;
use crate::db::entities::{event_counts, event_private, events};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, AddressId, CaseId, EventId, ProjectId};
use crate::policy::{Action, ActionName, Actor, Permit};
use crate::queue::{self, Enclosed, NewJob};
use crate::refused::Refused;

/// A kind of event, as a type with its fields.
pub trait Event: Serialize + Send + Sync {
    /// Its row in the table.
    const KIND: Kind;
}

/// An event on its way into the trail.
#[derive(Debug)]
pub struct Entry<E: Event> {
    event: E,
    account: Option<AccountId>,
    project: Option<ProjectId>,
    address: Option<String>,
    to: Option<AddressId>,
    enclosed: Option<Enclosed>,
    case: Option<CaseId>,
}

impl<E: Event> Entry<E> {
    /// An event about nobody in particular.
    pub const fn of(event: E) -> Self {
        Self { event, account: None, project: None, address: None, to: None, enclosed: None, case: None }
    }
    /// The account it is about.
    #[must_use]
    pub const fn about(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }
    /// The project it is about; what the index shows of it changes with this transaction.
    #[must_use]
    pub const fn on_project(mut self, project: ProjectId) -> Self {
        self.project = Some(project);
        self
    }
    /// The case that it belongs to.
    #[must_use]
    pub const fn in_case(mut self, case: CaseId) -> Self {
        self.case = Some(case);
        self
    }
    /// An e-mail address that belongs to the story: sealed, never in the row.
    #[must_use]
    pub fn with_address(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }
    /// The one address that the mail about it goes to.
    #[must_use]
    pub const fn addressed_to(mut self, address: AddressId) -> Self {
        self.to = Some(address);
        self
    }
    /// A secret that the mail about it carries (a link token, a code): sealed in the job, blanked when sent (R29).
    #[must_use]
    pub fn enclosing(mut self, secret: Enclosed) -> Self {
        self.enclosed = Some(secret);
        self
    }
}

/// Records an event of an act. The first one of an act has the permit's event id.
///
/// # Errors
/// The database.
pub async fn record<A: Action, E: Event>(env: &Env, tx: &mut Tx, permit: &Permit<A>, entry: Entry<E>) -> Result<EventId, Refused> {
    let id = if tx.recorded().is_empty() { permit.event() } else { EventId::new(tx.now(), &*env.entropy) };
    write(env, tx, Written { id, actor: permit.actor(), action: A::NAME }, entry).await?;
    Ok(id)
}

/// Whether a failure became a row of its own or was only counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A row, with this id.
    Row(EventId),
    /// Counted in `event_counts`, which a job closes into one event.
    Counted,
}

/// How many failures of one kind and key become rows in one window; the rest is counted (R26).
pub const FAILURE_ROWS: i64 = 20;
/// The window of that count.
pub const FAILURE_WINDOW: Duration = Duration::from_secs(600);

/// Records what a stranger can cause without end, a failure above all: beyond the first rows per key and window it is counted only.
///
/// # Errors
/// The database.
pub async fn record_failure<A: Action, E: Event>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    entry: Entry<E>,
    key: &[u8],
) -> Result<Recorded, Refused> {
    if count_failure(env, tx, E::KIND, key).await? {
        return record(env, tx, permit, entry).await.map(Recorded::Row);
    }
    tx.note_event(E::KIND.wire());
    Ok(Recorded::Counted)
}

/// Counts a failure; true while it still deserves a row of its own.
async fn count_failure(env: &Env, tx: &Tx, kind: Kind, key: &[u8]) -> Result<bool, Refused> {
    let window = tx.now().window(FAILURE_WINDOW);
    let key = env.keys.keyed_hash("event-count", key).to_bytes();
    let sql = "INSERT INTO event_counts (kind, key, window_at, rows, counted) VALUES ($1, $2, $3, 1, 0) \
               ON CONFLICT (kind, key, window_at) DO UPDATE SET \
               rows = CASE WHEN event_counts.rows < $4 THEN event_counts.rows + 1 ELSE event_counts.rows END, \
               counted = CASE WHEN event_counts.rows < $4 THEN event_counts.counted ELSE event_counts.counted + 1 END \
               RETURNING counted";
    let values = vec![Value::from(kind.wire()), Value::from(key), Value::from(window), Value::from(FAILURE_ROWS)];
    let row = tx.row(sql, values).await?;
    let counted: i64 = row.map(|r| r.try_get("", "counted")).transpose()?.unwrap_or(0);
    Ok(counted == 0)
}

/// Records that policy refused somebody. Bounded like every failure.
///
/// # Errors
/// The database.
pub(crate) async fn record_refusal(env: &Env, tx: &mut Tx, actor: &Actor, action: ActionName, reason: &str) -> Result<(), Refused> {
    let key = format!("{}|{}|{:?}", action.wire(), actor.wire(), actor.credential_id);
    if count_failure(env, tx, Kind::AuthorizationRefused, key.as_bytes()).await? {
        let event = AuthorizationRefused { action: action.wire().to_owned(), reason: reason.to_owned() };
        let mut entry = Entry::of(event);
        entry.account = actor.account();
        let id = EventId::new(tx.now(), &*env.entropy);
        write(env, tx, Written { id, actor, action }, entry).await?;
    }
    tx.note_event(Kind::AuthorizationRefused.wire());
    Ok(())
}

/// Records a failure of somebody who holds no permit, because what was presented did not open anything.
///
/// # Errors
/// The database.
pub(crate) async fn record_stranger<E: Event>(
    env: &Env,
    tx: &mut Tx,
    (actor, action): (&Actor, ActionName),
    entry: Entry<E>,
    key: &[u8],
) -> Result<(), Refused> {
    if count_failure(env, tx, E::KIND, key).await? {
        let id = EventId::new(tx.now(), &*env.entropy);
        write(env, tx, Written { id, actor, action }, entry).await?;
    }
    Ok(())
}

/// By whom, under which id, in which action.
struct Written<'a> {
    id: EventId,
    actor: &'a Actor,
    action: ActionName,
}

async fn write<E: Event>(env: &Env, tx: &mut Tx, by: Written<'_>, entry: Entry<E>) -> Result<(), Refused> {
    let subject = entry.account.or_else(|| by.actor.account());
    let private = Private::of(&by.actor.origin, entry.address.clone());
    let sealed = private::seal(env, tx, subject, by.id, &private).await?;
    let row = events::ActiveModel {
        id: Set(by.id),
        kind: Set(E::KIND.wire().to_owned()),
        at: Set(tx.now()),
        account_id: Set(entry.account),
        actor_account_id: Set(by.actor.account()),
        actor: Set(by.actor.wire()),
        project_id: Set(entry.project),
        credential: Set(by.actor.credential.wire().to_owned()),
        credential_id: Set(by.actor.credential_id),
        direction: Set(by.action.direction().wire().to_owned()),
        case_id: Set(entry.case),
        request_id: Set(by.actor.origin.request_id.clone()),
        detail: Set(serde_json::to_string(&entry.event)?),
        commitment: Set(Sha256::digest(&sealed.sealed).to_vec()),
        ..Default::default()
    };
    let seq = events::Entity::insert(row).exec(tx.connection()).await?.last_insert_id;
    event_private::ActiveModel {
        event_id: Set(by.id),
        subject: Set(sealed.subject),
        network_hash: Set(private.network_hash(env)),
        sealed: Set(sealed.sealed),
    }
    .insert(tx.connection())
    .await?;
    tx.note_event(E::KIND.wire());
    if let Some(project) = entry.project {
        move_serial(tx, project, seq).await?;
    }
    let told = !matches!(E::KIND.audience(), Audience::Nobody(_)) || E::KIND.tells_administrators(&by.actor.wire());
    if told { follow(env, tx, by.id, entry.to, entry.enclosed).await } else { Ok(()) }
}

/// A change of a project moves its serial to the event's place in the trail.
async fn move_serial(tx: &mut Tx, project: ProjectId, seq: i64) -> Result<(), Refused> {
    let sql = "UPDATE projects SET serial = $1 WHERE id = $2 RETURNING normalized";
    if let Some(row) = tx.row(sql, vec![Value::from(seq), Value::from(project)]).await? {
        tx.touch(row.try_get("", "normalized")?);
    }
    Ok(())
}

/// What the table says follows: a job that tells everyone concerned.
async fn follow(env: &Env, tx: &Tx, id: EventId, to: Option<AddressId>, enclosed: Option<Enclosed>) -> Result<(), Refused> {
    let payload = serde_json::json!({ "event": id, "to": to });
    let job = NewJob { kind: queue::JobKind::Notify, key: format!("notify:{id}"), payload, enclosed, run_at: tx.now() };
    queue::enqueue(env, tx, job).await
}

/// Windows of counted failures that are over and not yet closed, oldest first.
///
/// # Errors
/// The database.
pub async fn open_counts<R: Reading>(read: &R, before: Time) -> Result<Vec<event_counts::Model>, Refused> {
    use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
    Ok(event_counts::Entity::find()
        .filter(event_counts::Column::WindowAt.lt(before))
        .filter(event_counts::Column::ClosedBy.is_null())
        .order_by_asc(event_counts::Column::WindowAt)
        .limit(500)
        .all(read.connection())
        .await?)
}
