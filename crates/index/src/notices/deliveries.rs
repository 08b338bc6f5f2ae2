//! What became of every mail that was to be sent, as administrators see it: no address and no words.

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};

use super::people::Recipient;
use super::{facts, message_id};
use crate::clock::Time;
use crate::db::entities::{accounts, addresses, deliveries, events};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::Kind;
use crate::ids::{AccountId, AddressId, DeliveryId, EventId};
use crate::policy::{Permit, SeeHealth};
use crate::refused::Refused;

/// How far a mail came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It waits for its first try, or for another one.
    Queued,
    /// The mail server accepted it.
    Sent,
    /// It is given up.
    Failed,
    /// The mail server accepted it and it came back.
    Bounced,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Sent, Self::Failed, Self::Bounced];
    /// The word in rows and addresses.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Bounced => "bounced",
        }
    }
    /// The state with this word.
    #[must_use]
    pub fn from_wire(wire: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.wire() == wire)
    }
}

/// Notes a mail that is to be sent; a second note of the same mail changes nothing.
pub(crate) async fn queued(env: &Env, tx: &Tx, event: &events::Model, to: &Recipient) -> Result<(), Refused> {
    let address = addresses::Entity::find_by_id(to.address).one(tx.connection()).await?;
    let row = deliveries::ActiveModel {
        id: Set(DeliveryId::new(tx.now(), &*env.entropy)),
        event_id: Set(event.id),
        kind: Set(event.kind.clone()),
        account_id: Set(address.map(|address| address.account_id)),
        address_id: Set(to.address),
        message_id: Set(message_id(event.id, &to.mark)),
        state: Set(State::Queued.wire().to_owned()),
        tries: Set(0),
        created_at: Set(tx.now()),
        changed_at: Set(tx.now()),
        last_error: Set(None),
    };
    let conflict = sea_orm::sea_query::OnConflict::column(deliveries::Column::MessageId).do_nothing().to_owned();
    deliveries::Entity::insert(row).on_conflict(conflict).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// How a try ended.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub event: EventId,
    pub address: AddressId,
    pub state: State,
    pub tries: i64,
    /// In our own words: a server's would repeat the address.
    pub error: Option<String>,
}

/// Writes down how a try ended. What came back stays so, whatever a second run of the job says.
pub(crate) async fn tried(tx: &Tx, tried: &Tried) -> Result<(), Refused> {
    const TRIED: &str = "UPDATE deliveries SET state = $3, tries = $4, last_error = $5, changed_at = $6 \
        WHERE event_id = $1 AND address_id = $2 AND state <> 'bounced'";
    let values = vec![
        Value::from(tried.event),
        Value::from(tried.address),
        Value::from(tried.state.wire()),
        Value::from(tried.tries),
        Value::from(tried.error.clone()),
        Value::from(tx.now()),
    ];
    tx.execute(TRIED, values).await?;
    Ok(())
}

/// Notes that mails to an address came back; says how many had been sent there.
///
/// # Errors
/// The database.
pub async fn bounced(tx: &Tx, address: AddressId) -> Result<u64, Refused> {
    const BOUNCED: &str = "UPDATE deliveries SET state = 'bounced', changed_at = $2 WHERE address_id = $1 AND state = 'sent'";
    Ok(tx.execute(BOUNCED, vec![Value::from(address), Value::from(tx.now())]).await?)
}

/// Whether at least one mail about an event was accepted by the mail server.
///
/// # Errors
/// The database.
pub async fn is_told<R: Reading>(read: &R, event: EventId) -> Result<bool, Refused> {
    const TOLD: &str = "SELECT 1 AS one FROM deliveries WHERE event_id = $1 AND state = 'sent'";
    Ok(read.row(TOLD, vec![Value::from(event)]).await?.is_some())
}

/// How many mails are in each state.
///
/// # Errors
/// The database.
pub async fn counts<R: Reading>(read: &R, _permit: &Permit<SeeHealth>) -> Result<BTreeMap<State, u64>, Refused> {
    const COUNTS: &str = "SELECT state, COUNT(*) AS n FROM deliveries GROUP BY state";
    let mut counts: BTreeMap<State, u64> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    for row in read.rows(COUNTS, Vec::new()).await? {
        let (state, n): (String, i64) = (row.try_get("", "state")?, row.try_get("", "n")?);
        if let Some(state) = State::from_wire(&state) {
            counts.insert(state, u64::try_from(n).unwrap_or(0));
        }
    }
    Ok(counts)
}

/// A mail, as an administrator sees it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its row.
    pub id: DeliveryId,
    /// What it tells, in general words.
    pub what: String,
    /// Whose address it went to.
    pub username: Option<String>,
    /// How far it came.
    pub state: State,
    /// How often it was tried.
    pub tries: i64,
    /// When it was queued.
    pub created_at: Time,
    /// When its state last changed.
    pub changed_at: Time,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// Its Message-ID, for the mail server's log.
    pub message_id: String,
}

/// One page of mails, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The mails.
    pub lines: Vec<Line>,
    /// Where the next page begins.
    pub before: Option<DeliveryId>,
}

/// How many mails stand on a page.
pub const PAGE: u64 = 50;

/// Reads one page, of one state or of all.
///
/// # Errors
/// The database.
pub async fn page<R: Reading>(
    env: &Env,
    read: &R,
    _permit: &Permit<SeeHealth>,
    (state, before): (Option<State>, Option<DeliveryId>),
) -> Result<Page, Refused> {
    let mut query = deliveries::Entity::find().order_by_desc(deliveries::Column::Id).limit(PAGE + 1);
    if let Some(state) = state {
        query = query.filter(deliveries::Column::State.eq(state.wire()));
    }
    if let Some(before) = before {
        query = query.filter(deliveries::Column::Id.lt(before));
    }
    let mut rows = query.all(read.connection()).await?;
    let more = rows.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let before = rows.last().filter(|_| more).map(|row| row.id);
    let names = names(read, rows.iter().filter_map(|row| row.account_id).collect()).await?;
    let host = env.config.token_location();
    let line = |row: deliveries::Model| Line {
        id: row.id,
        what: Kind::from_wire(&row.kind).map_or(row.kind, |kind| facts::one_line(kind.sentence())),
        username: row.account_id.and_then(|id| names.get(&id).cloned()),
        state: State::from_wire(&row.state).unwrap_or(State::Failed),
        tries: row.tries,
        created_at: row.created_at,
        changed_at: row.changed_at,
        last_error: row.last_error,
        message_id: format!("{}@{host}", row.message_id),
    };
    Ok(Page { lines: rows.into_iter().map(line).collect(), before })
}

async fn names<R: Reading>(read: &R, ids: Vec<AccountId>) -> Result<BTreeMap<AccountId, String>, Refused> {
    let rows = accounts::Entity::find().filter(accounts::Column::Id.is_in(ids)).all(read.connection()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.username)).collect())
}
