//! "This was not me": the link of a notice stops the account that it was mailed to, in one request, whatever its state (R13, R14, R19).

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use credentials::link::LinkToken;

use super::RECENT;
use super::ending::{Links, end_everything};
use crate::accounts::link::{self, Purpose};
use crate::accounts::taking_back::{self, Begun};
use crate::accounts::{self, history};
use crate::cases::{self, NewCase, Opening};
use crate::clock::Time;
use crate::db::entities::{account_causes, addresses, containments, events as event_rows, links};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountContained, ContainedAgain, Entry, Kind};
use crate::ids::{AccountId, AddressId, CaseId, CauseId};
use crate::policy::{Denied, NotMe, Permit};
use crate::refused::Refused;

/// What a link would do, for the page with its button.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The account that it stops.
    pub username: String,
    /// What the notice told.
    pub what: String,
    /// When that was.
    pub at: Time,
    /// Whether it would only end sessions: the same mailbox stopped the account within 30 days (R17).
    pub again: bool,
}

/// Reads what a link would do; changes nothing. `None` when the link is dead.
///
/// # Errors
/// The database.
pub async fn explained<R: Reading>(read: &R, token: &LinkToken) -> Result<Option<Explained>, Refused> {
    let Some(link) = link::peek(read, token, Purpose::NotMe).await? else { return Ok(None) };
    let (Some(account), Some(address)) = (link.account_id, link.address_id) else { return Ok(None) };
    let Some(account) = accounts::by_id(read, account).await? else { return Ok(None) };
    let Some((what, at)) = told(read, &link).await? else { return Ok(None) };
    let again = stopped_recently(read, account.id, &mailbox(read, address).await?).await?;
    Ok(Some(Explained { username: account.username, what, at, again }))
}

/// What the notice of a link told, and when that was.
pub(super) async fn told<R: Reading>(read: &R, link: &links::Model) -> Result<Option<(String, Time)>, Refused> {
    let Some(event) = event_of(read, link).await? else { return Ok(None) };
    let what = Kind::from_wire(&event.kind).map_or_else(|| event.kind.clone(), |kind| history::sentence(kind, &event.detail));
    Ok(Some((what, event.at)))
}

/// The event whose notice carried a link.
pub(super) async fn event_of<R: Reading>(read: &R, link: &links::Model) -> Result<Option<event_rows::Model>, Refused> {
    use sea_orm::{ColumnTrait, QueryFilter};
    let Some(event) = link.event_id else { return Ok(None) };
    Ok(event_rows::Entity::find().filter(event_rows::Column::Id.eq(event)).one(read.connection()).await?)
}

async fn mailbox<R: Reading>(read: &R, address: AddressId) -> Result<String, Refused> {
    let row = addresses::Entity::find_by_id(address).one(read.connection()).await?;
    Ok(row.ok_or(Denied::NotValid)?.folded)
}

/// What pressing the button did.
#[derive(Clone, Debug)]
pub struct Done {
    /// The account.
    pub username: String,
    /// How many sessions ended.
    pub sessions_ended: u64,
    /// Whether the account is stopped by it; not when the same mailbox stopped it within 30 days (R17).
    pub stopped: bool,
    /// Opens the way back in the browser that pressed it.
    pub take_back: LinkToken,
}

/// Contains the account of the link that was posted. It always works: no state, gate or limit stands before it.
///
/// # Errors
/// `NotValid` when the link is dead.
pub async fn contain(env: &Env, tx: &mut Tx, permit: &Permit<NotMe>) -> Result<Done, Refused> {
    let link = link::spend(tx, permit, Purpose::NotMe).await?;
    let (account, address) = link.account_id.zip(link.address_id).ok_or(Denied::NotValid)?;
    // What the account is doing at this moment is done before, or sees the cause.
    accounts::lock(tx, account).await?;
    let folded = mailbox(tx, address).await?;
    let stopped = !stopped_recently(tx, account, &folded).await?;
    let sessions_ended = end_everything(tx, account, Links::ThatGive, permit.event()).await?;
    end_waits(tx, permit, account).await?;
    let what = told(tx, &link).await?.map_or_else(String::new, |(what, _)| what);
    let why = format!("\"This was not me\" was pressed in a notice: {what}");
    let new = NewCase { opening: Opening::NotMe, account: Some(account), project: None, why, opened_by: permit.event() };
    let case = cases::open(env, tx, new).await?;
    note(env, tx, permit, (account, folded, case, stopped)).await?;
    let text = case.to_string();
    if stopped {
        add_cause(env, tx, permit, account, case).await?;
        events::record(env, tx, permit, Entry::of(AccountContained { case: text, sessions_ended }).about(account).in_case(case)).await?;
    } else {
        events::record(env, tx, permit, Entry::of(ContainedAgain { case: text, sessions_ended }).about(account).in_case(case)).await?;
    }
    let take_back = taking_back::begin(env, tx, Some(account), Begun::Link, permit.event()).await?;
    let username = accounts::by_id(tx, account).await?.ok_or(Denied::NotValid)?.username;
    Ok(Done { username, sessions_ended, stopped, take_back })
}

const RECENTLY: &str = "SELECT 1 AS one FROM containments WHERE account_id = $1 AND folded = $2 AND paused = TRUE AND at > $3 LIMIT 1";

/// R17: one mailbox stops an account once in 30 days.
async fn stopped_recently<R: Reading>(read: &R, account: AccountId, folded: &str) -> Result<bool, Refused> {
    let since = read.now().minus(RECENT);
    Ok(read.row(RECENTLY, vec![Value::from(account), Value::from(folded), Value::from(since)]).await?.is_some())
}

/// A take-back that waits with one proof of two ends: this is its veto.
async fn end_waits(tx: &Tx, permit: &Permit<NotMe>, account: AccountId) -> Result<(), Refused> {
    const END: &str = "UPDATE take_back_waits SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL";
    tx.execute(END, vec![Value::from(account), Value::from(tx.now()), Value::from(permit.event())]).await?;
    Ok(())
}

async fn note(
    env: &Env,
    tx: &Tx,
    permit: &Permit<NotMe>,
    (account, folded, case, paused): (AccountId, String, CaseId, bool),
) -> Result<(), Refused> {
    let row = containments::ActiveModel {
        id: Set(CauseId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        folded: Set(folded),
        case_id: Set(case),
        at: Set(tx.now()),
        paused: Set(paused),
        began_by: Set(permit.event()),
    };
    containments::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}

async fn add_cause(env: &Env, tx: &Tx, permit: &Permit<NotMe>, account: AccountId, case: CaseId) -> Result<(), Refused> {
    let row = account_causes::ActiveModel {
        id: Set(CauseId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        kind: Set("contained".to_owned()),
        reason: Set("this was not me".to_owned()),
        case_id: Set(Some(case)),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
    };
    account_causes::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}
