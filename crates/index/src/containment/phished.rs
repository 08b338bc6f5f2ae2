//! "I was phished", said by whoever sits in a fresh session of the account: the others end, what was made since is paused, a case opens
//! (R15, R19); then what the account gained is kept one by one, or ends, as after a take-back (R16).

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};
use uuid::Uuid;

use super::RECENT;
use super::ending::end_others;
use super::take_back::finish::{choose_primary, end};
use super::take_back::gained::{self, Gained, Sort, Thing};
use crate::accounts::{self, Account, addresses};
use crate::cases::{self, NewCase, Opening};
use crate::clock::Time;
use crate::db::entities::{cases as case_rows, invitations, roles, suspensions};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountPhished, Entry, PhishedDecided};
use crate::holds;
use crate::ids::{AccountId, ActId, CaseId, EventId, ProjectId, SuspensionId, TokenId};
use crate::policy::{DecidePhished, Denied, Permit, SayPhished};
use crate::projects::collaboration::given;
use crate::refused::{Invalid, Refused};
use crate::signin::acts;
use crate::tokens::paused;

/// What saying it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// How many other sessions ended.
    pub sessions_ended: u64,
    /// How many tokens, roles and invitations are paused.
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
        paused::pause_since(env, tx, (account, since), by, reason).await? + pause_given(env, tx, (account, since), by, case).await?;
    let event = AccountPhished { case: case.to_string(), since: since.in_words(), sessions_ended, paused };
    events::record(env, tx, permit, Entry::of(event).about(account).in_case(case)).await?;
    holds::disown(env, tx, permit, account, ("its proposer said that they were phished", Some(case))).await?;
    Ok(Said { sessions_ended, paused })
}

/// What gives nothing while its owner decides about it.
struct Doubted {
    what: &'static str,
    id: Uuid,
    /// Whose it is.
    account: AccountId,
    project: ProjectId,
}

/// Offers of a role that it made since: they can be neither accepted nor lost until it decides.
async fn offers<R: Reading>(read: &R, account: AccountId, since: Time) -> Result<Vec<Doubted>, Refused> {
    let open = invitations::Entity::find()
        .filter(invitations::Column::InviterId.eq(account))
        .filter(invitations::Column::UntilAt.is_null())
        .filter(invitations::Column::FromAt.gte(since));
    let rows = open.all(read.connection()).await?.into_iter();
    Ok(rows.map(|row| Doubted { what: "invitation", id: row.id.0, account, project: row.project_id }).collect())
}

/// Roles that it gave since, and what was given by their power. What is older than 30 days is not doubted: it stands by itself (R11).
async fn given_roles<R: Reading>(read: &R, account: AccountId, since: Time) -> Result<Vec<Doubted>, Refused> {
    let mut found = Vec::new();
    for one in given::roles(read, account, since.max(read.now().minus(RECENT))).await? {
        if let Some(row) = roles::Entity::find_by_id(one.id).one(read.connection()).await? {
            found.push(Doubted { what: "role", id: row.id.0, account: row.account_id, project: row.project_id });
        }
    }
    Ok(found)
}

/// Pauses what it gave to others since (R15); says how many things.
async fn pause_given(env: &Env, tx: &Tx, (account, since): (AccountId, Time), by: EventId, case: CaseId) -> Result<u64, Refused> {
    let mut doubted = offers(tx, account, since).await?;
    doubted.extend(given_roles(tx, account, since).await?);
    let paused = u64::try_from(doubted.len()).unwrap_or(u64::MAX);
    for one in doubted {
        let row = suspensions::ActiveModel {
            id: Set(SuspensionId::new(tx.now(), &*env.entropy)),
            what: Set(one.what.to_owned()),
            what_id: Set(one.id),
            account_id: Set(one.account),
            project_id: Set(Some(one.project)),
            hold_id: Set(None),
            case_id: Set(Some(case)),
            reason: Set("who gave it said that they were phished".to_owned()),
            from_at: Set(tx.now()),
            until_at: Set(None),
            began_by: Set(by),
            ended_by: Set(None),
        };
        suspensions::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    }
    Ok(paused)
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
        end(env, tx, permit, thing).await?;
    }
    if ended.iter().any(|thing| thing.sort == Sort::Address) {
        must_have_one(tx, id).await?;
        choose_primary(env, tx, permit, &account, None).await?;
    }
    for thing in kept.iter().filter(|thing| thing.sort == Sort::Token) {
        paused::lift(tx, TokenId(thing.id), by).await?;
    }
    lift(tx, id, by).await?;
    for case in &cases {
        cases::close(tx, case.id, by).await?;
    }
    let count = |things: &[&Thing]| u64::try_from(things.len()).unwrap_or(u64::MAX);
    let mut entry = Entry::of(PhishedDecided { kept: count(&kept), ended: count(&ended) }).about(id);
    if let Some(case) = cases.first() {
        entry = entry.in_case(case.id);
    }
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

async fn must_have_one(tx: &Tx, account: AccountId) -> Result<(), Refused> {
    if addresses::of_account(tx, account).await?.iter().any(|row| row.verified_at.is_some()) {
        return Ok(());
    }
    Err(Invalid::new("", "Keep at least one address that is verified: without one nothing can be mailed to you.").into())
}

/// What was given and is still open is good again: whoever made the decision has seen it in the list, or on the project's page where it is
/// older. That holds for what an earlier time paused too, whose case the staff closed. Tokens that were older than the list stay paused
/// until each is confirmed.
async fn lift(tx: &Tx, account: AccountId, by: EventId) -> Result<(), Refused> {
    const LIFT: &str = "UPDATE suspensions SET until_at = $2, ended_by = $3 WHERE what IN ('invitation', 'role') AND until_at IS NULL \
        AND case_id IN (SELECT c.id FROM cases c WHERE c.account_id = $1 AND c.kind = 'phished')";
    tx.execute(LIFT, vec![Value::from(account), Value::from(tx.now()), Value::from(by)]).await?;
    Ok(())
}
