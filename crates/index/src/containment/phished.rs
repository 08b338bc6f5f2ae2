//! "I was phished", said by whoever sits in a fresh session of the account: the others end, what was made since is paused, a case opens
//! (R15, R19); then what the account gained is kept one by one, or ends, as after a take-back (R16).

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};
use uuid::Uuid;

use super::ending::end_others;
use super::take_back::finish::choose_primary;
use super::take_back::gained::{self, Gained, Sort, Thing};
use crate::accounts::{self, Account, addresses};
use crate::cases::{self, NewCase, Opening};
use crate::clock::Time;
use crate::db::entities::{cases as case_rows, invitations, suspensions};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountPhished, Entry, PhishedDecided};
use crate::holds;
use crate::ids::{AccountId, ActId, CaseId, EventId, HoldId, SuspensionId, TokenId};
use crate::policy::{DecidePhished, Denied, Permit, SayPhished};
use crate::refused::{Invalid, Refused};
use crate::signin::acts;
use crate::tokens::paused;

/// What saying it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// How many other sessions ended.
    pub sessions_ended: u64,
    /// How many tokens and invitations are paused.
    pub paused: u64,
}

/// Says it: works in one request, whatever else is the matter (R19).
///
/// # Errors
/// `Invalid` for a time that is still to come.
pub async fn say(env: &Env, tx: &mut Tx, permit: &Permit<SayPhished>, since: Time) -> Result<Said, Refused> {
    let (account, by) = (*permit.on(), permit.event());
    if since > tx.now() {
        return Err(Invalid::new("since", "This time is still to come: name the earliest moment that you doubt.").into());
    }
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let sessions_ended = end_others(tx, account, session.id, by).await?;
    let username = accounts::by_id(tx, account).await?.ok_or(Denied::Hidden)?.username;
    let why = format!("{username} said that they were phished, and doubts everything since {}", since.in_words());
    let case =
        cases::open(env, tx, NewCase { opening: Opening::Phished, account: Some(account), project: None, why, opened_by: by }).await?;
    let reason = (case, "its owner said that they were phished");
    let paused =
        paused::pause_since(env, tx, (account, since), by, reason).await? + pause_invitations(env, tx, (account, since), by, case).await?;
    let event = AccountPhished { case: case.to_string(), since: since.in_words(), sessions_ended, paused };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    stop_holds(env, tx, permit, account).await?;
    Ok(Said { sessions_ended, paused })
}

/// Offers of a role that it made since: they can be neither accepted nor lost until it decides.
async fn pause_invitations(env: &Env, tx: &Tx, (account, since): (AccountId, Time), by: EventId, case: CaseId) -> Result<u64, Refused> {
    let open = invitations::Entity::find()
        .filter(invitations::Column::InviterId.eq(account))
        .filter(invitations::Column::UntilAt.is_null())
        .filter(invitations::Column::FromAt.gte(since));
    let mut paused = 0;
    for row in open.all(tx.connection()).await? {
        let row = suspensions::ActiveModel {
            id: Set(SuspensionId::new(tx.now(), &*env.entropy)),
            what: Set("invitation".to_owned()),
            what_id: Set(row.id.0),
            account_id: Set(account),
            project_id: Set(Some(row.project_id)),
            hold_id: Set(None),
            case_id: Set(Some(case)),
            reason: Set("its inviter said that they were phished".to_owned()),
            from_at: Set(tx.now()),
            until_at: Set(None),
            began_by: Set(by),
            ended_by: Set(None),
        };
        suspensions::Entity::insert(row).exec_without_returning(tx.connection()).await?;
        paused += 1;
    }
    Ok(paused)
}

/// What it proposed does not happen, and what it let wait and has not made is not made.
async fn stop_holds(env: &Env, tx: &mut Tx, permit: &Permit<SayPhished>, account: AccountId) -> Result<(), Refused> {
    const PROPOSED: &str =
        "SELECT id FROM holds WHERE proposer_id = $1 AND state = 'waiting' AND action <> 'account:wake-roles' ORDER BY id";
    const SHUT: &str = "UPDATE holds SET used_at = $2 WHERE proposer_id = $1 AND state = 'done' AND used_at IS NULL";
    tx.execute(SHUT, vec![Value::from(account), Value::from(tx.now())]).await?;
    for row in tx.rows(PROPOSED, vec![Value::from(account)]).await? {
        let hold: HoldId = row.try_get("", "id")?;
        holds::end(env, tx, permit, hold, "its proposer said that they were phished").await?;
    }
    Ok(())
}

/// What is to be decided, while a case that the account opened by saying it is open; nothing otherwise.
///
/// # Errors
/// The database.
pub async fn to_decide<R: Reading>(env: &Env, read: &R, permit: &Permit<crate::policy::SeePhished>) -> Result<Option<Gained>, Refused> {
    let account = accounts::by_id(read, *permit.on()).await?.ok_or(Denied::Hidden)?;
    if open_cases(read, account.id).await?.is_empty() {
        return Ok(None);
    }
    let own = permit.actor().session.and_then(|session| session.factor).map(|factor| factor.0);
    Ok(Some(of(env, read, &account, own).await?))
}

/// What was gained, without the factor that opened this session.
async fn of<R: Reading>(env: &Env, read: &R, account: &Account, own: Option<Uuid>) -> Result<Gained, Refused> {
    let mut gained = gained::of(env, read, account, true).await?;
    gained.things.retain(|thing| Some(thing.id) != own);
    Ok(gained)
}

async fn open_cases<R: Reading>(read: &R, account: AccountId) -> Result<Vec<case_rows::Model>, Refused> {
    let open = cases::open_of(read, account).await?;
    Ok(open.into_iter().filter(|case| case.kind == Opening::Phished.wire()).collect())
}

/// What the proof of the decision is bound to.
#[must_use]
pub fn parameters(keep: &[Uuid]) -> serde_json::Value {
    let mut keep: Vec<String> = keep.iter().map(Uuid::to_string).collect();
    keep.sort();
    serde_json::json!({ "keep": keep })
}

/// Keeps what is named and ends the rest, with a proof for exactly that (R2, R16); the case is closed.
///
/// # Errors
/// `NeedsProof` without the proof; `Invalid` when nothing is to decide, or no verified address would be left.
pub async fn decide(env: &Env, tx: &mut Tx, permit: &Permit<DecidePhished>, keep: &[Uuid], act: Option<ActId>) -> Result<(), Refused> {
    let (id, by) = (*permit.on(), permit.event());
    let account = accounts::by_id(tx, id).await?.ok_or(Denied::Hidden)?;
    let cases = open_cases(tx, id).await?;
    if cases.is_empty() {
        return Err(Invalid::new("", "Nothing is left to decide.").into());
    }
    let own = permit.actor().session.and_then(|session| session.factor).map(|factor| factor.0);
    let gained = of(env, tx, &account, own).await?;
    acts::spend(env, tx, permit, act, &parameters(keep)).await?;
    let (kept, ended): (Vec<&Thing>, Vec<&Thing>) = gained.things.iter().partition(|thing| keep.contains(&thing.id));
    addresses::lock_rows(tx, id).await?;
    for thing in &ended {
        tx.execute(thing.sort.end(), vec![Value::from(thing.id), Value::from(tx.now()), Value::from(by)]).await?;
    }
    if ended.iter().any(|thing| thing.sort == Sort::Address) {
        must_have_one(tx, id).await?;
        choose_primary(env, tx, permit, &account, None).await?;
    }
    for thing in kept.iter().filter(|thing| thing.sort == Sort::Token) {
        paused::lift(tx, TokenId(thing.id), by).await?;
    }
    for case in cases {
        lift(tx, case.id, by).await?;
        cases::close(tx, case.id, by).await?;
    }
    let count = |things: &[&Thing]| u64::try_from(things.len()).unwrap_or(u64::MAX);
    let event = PhishedDecided { kept: count(&kept), ended: count(&ended) };
    events::record(env, tx, permit, Entry::of(event).about(id)).await?;
    Ok(())
}

async fn must_have_one(tx: &Tx, account: AccountId) -> Result<(), Refused> {
    if addresses::of_account(tx, account).await?.iter().any(|row| row.verified_at.is_some()) {
        return Ok(());
    }
    Err(Invalid::new("", "Keep at least one address that is verified: without one nothing can be mailed to you.").into())
}

/// Offers that are still open are good again: whoever made the decision has seen them on the project's page. Tokens that were older
/// than the list stay paused until each is confirmed.
async fn lift(tx: &Tx, case: CaseId, by: EventId) -> Result<(), Refused> {
    const LIFT: &str =
        "UPDATE suspensions SET until_at = $2, ended_by = $3 WHERE case_id = $1 AND what = 'invitation' AND until_at IS NULL";
    tx.execute(LIFT, vec![Value::from(case), Value::from(tx.now()), Value::from(by)]).await?;
    Ok(())
}
