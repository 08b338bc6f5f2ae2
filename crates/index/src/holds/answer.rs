//! Answering: a veto stops a hold in every state of account and index (R10, R19); approvals let it happen sooner (R7).

use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use credentials::link::LinkToken;

use super::rules::may_stop;
use super::suspensions::{Why, lift, resume, suspends};
use super::{Line, by_id, is_factor_settled, is_session_settled, lock, mailbox_mark, show, state};
use crate::accounts::addresses;
use crate::accounts::link::{self, Purpose};
use crate::act;
use crate::cases::{self, NewCase, Opening};
use crate::db::entities::{addresses as address_rows, hold_people, holds};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, Event, HoldApproved, HoldDied, HoldStopped, HoldVetoed};
use crate::holds::Proven;
use crate::ids::{AccountId, AddressId, CaseId, HoldId, Site};
use crate::policy::{Action, ActionName, Actor, ApproveHold, Denied, Permit, VetoByLink, VetoHold};
use crate::queue::{self, JobKind, NewJob};
use crate::refused::Refused;

/// For how long one mailbox has one veto by link for a subject (R17).
const LINK_WINDOW: Duration = Duration::from_secs(30 * 86_400);

/// What an answer met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It counts.
    Now,
    /// The hold was over already.
    Over,
}

/// Stops a hold, from the product.
///
/// # Errors
/// `Unsettled` (R11).
pub(crate) async fn veto(env: &Env, tx: &mut Tx, permit: &Permit<VetoHold>) -> Result<Answered, Refused> {
    let account = permit.actor().account().ok_or(Denied::NotValid)?;
    let Some(row) = waiting(tx, *permit.on()).await? else {
        tx.leave_as_it_was();
        return Ok(Answered::Over);
    };
    let settled = is_session_settled(env, tx, account, permit.actor().session.as_ref()).await?;
    check_seniority(env, tx, &row, account, settled).await?;
    stop(env, tx, permit, &row, (account, None)).await?;
    Ok(Answered::Now)
}

/// Whether who would stop this hold suspended somebody by it himself: that he takes back, by a proof for it (R2, R11).
pub(crate) async fn withdraws(tx: &Tx, permit: &Permit<VetoHold>) -> Result<bool, Refused> {
    let Some(row) = waiting(tx, *permit.on()).await? else { return Ok(false) };
    Ok(permit.actor().account() == Some(row.proposer_id) && suspends(tx, row.id).await?)
}

/// Takes back what one suspended; the proof for this one act was spent by the caller, in this transaction. Nobody doubts it: no case is
/// opened, and nothing is barred.
///
/// # Errors
/// `Unsettled` for a proof by what is younger than what suspended (R11).
pub(crate) async fn take_back(env: &Env, tx: &mut Tx, permit: &Permit<VetoHold>, proof: Proven) -> Result<Answered, Refused> {
    if !is_factor_settled(env, tx, proof.factor).await? {
        return Err(Denied::Unsettled.into());
    }
    end(env, tx, permit, *permit.on(), ("who asked for it has taken it back", None)).await?;
    Ok(Answered::Now)
}

/// Stops the hold of a mail's link: no sign-in, in every state of the account.
///
/// # Errors
/// `NotValid` when the link is dead; `LinkSpent` (R17); `Unsettled` (R11).
pub async fn veto_by_link(env: &Env, actor: &Actor) -> Result<Answered, Refused> {
    let inner = env.clone();
    act::act::<VetoByLink, _, _>(env, actor, Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { by_link(&env, tx, permit).await })
    })
    .await
}

const USED: &str = "SELECT 1 AS one FROM holds WHERE subject = $1 AND veto_mailbox = $2 AND closed_at > $3 LIMIT 1";

async fn by_link(env: &Env, tx: &mut Tx, permit: &Permit<VetoByLink>) -> Result<Answered, Refused> {
    let link = link::spend(tx, permit, Purpose::Veto).await?;
    let (Some(hold), Some(account), Some(address)) = (link.hold_id, link.account_id, link.address_id) else {
        return Err(Denied::NotValid.into());
    };
    lock(tx, hold).await?;
    let Some(row) = waiting(tx, hold).await? else {
        tx.leave_as_it_was();
        return Ok(Answered::Over);
    };
    // By such a mail alone nobody takes back what he suspended; none is sent any more (R11).
    if account == row.proposer_id && suspends(tx, row.id).await? {
        return Err(Denied::NotValid.into());
    }
    let mark = mark_of(env, tx, address).await?;
    let since = tx.now().minus(LINK_WINDOW);
    let used = tx.row(USED, vec![Value::from(row.subject.as_str()), Value::from(mark.clone()), Value::from(since)]).await?;
    if used.is_some() {
        return Err(Denied::LinkSpent.into());
    }
    // A mailbox is as old as its proof, not as its claim (R11).
    let settled = addresses::is_settled_row(env, tx, address).await?;
    check_seniority(env, tx, &row, account, settled).await?;
    stop(env, tx, permit, &row, (account, Some(mark))).await?;
    Ok(Answered::Now)
}

async fn mark_of<R: Reading>(env: &Env, read: &R, address: AddressId) -> Result<Vec<u8>, Refused> {
    let row = address_rows::Entity::find_by_id(address).one(read.connection()).await?.ok_or(Denied::NotValid)?;
    Ok(mailbox_mark(&env.keys, &row.folded))
}

/// The hold behind a link, for the page that explains; changes nothing.
///
/// # Errors
/// The database.
pub async fn to_veto<R: Reading>(read: &R, token: &LinkToken) -> Result<Option<Line>, Refused> {
    let Some(link) = link::peek(read, token, Purpose::Veto).await? else { return Ok(None) };
    let (Some(hold), Some(account)) = (link.hold_id, link.account_id) else { return Ok(None) };
    let Some(row) = by_id(read, hold).await? else { return Ok(None) };
    Ok(Some(show::line(read, row, account).await?))
}

async fn waiting(tx: &Tx, hold: HoldId) -> Result<Option<holds::Model>, Refused> {
    Ok(by_id(tx, hold).await?.filter(|row| row.state == state::WAITING))
}

async fn person(tx: &Tx, hold: HoldId, account: AccountId) -> Result<hold_people::Model, Refused> {
    let rows = hold_people::Entity::find().filter(hold_people::Column::HoldId.eq(hold)).filter(hold_people::Column::AccountId.eq(account));
    Ok(rows.one(tx.connection()).await?.ok_or(Denied::Hidden)?)
}

/// R11: by role, and by the age of what the veto came with.
async fn check_seniority(env: &Env, tx: &Tx, row: &holds::Model, by: AccountId, settled: bool) -> Result<(), Refused> {
    let settled_role = person(tx, row.id, row.proposer_id).await?.settled;
    let proposed_by_settled = settled_role && is_factor_settled(env, tx, row.factor_id).await?;
    if person(tx, row.id, by).await?.may_veto && may_stop(settled, proposed_by_settled) {
        return Ok(());
    }
    Err(Denied::Unsettled.into())
}

const CLOSE: &str = "UPDATE holds SET state = $2, closed_at = $3, ended_by = $4, ended_because = $5, case_id = $6, veto_mailbox = $7 \
    WHERE id = $1 AND state = 'waiting'";
const OTHERS: &str = "SELECT id FROM holds WHERE proposer_id = $1 AND state = 'waiting' AND id <> $2 AND action <> 'account:wake-roles' \
    AND (project_id = $3 OR ($3 IS NULL AND project_id IS NULL AND account_id = $4)) ORDER BY id";

/// What has waited already and was not made yet is not made any more.
const SHUT_DOORS: &str = "UPDATE holds SET used_at = $5 WHERE proposer_id = $1 AND state = 'done' AND used_at IS NULL AND id <> $2 \
    AND (project_id = $3 OR ($3 IS NULL AND project_id IS NULL AND account_id = $4))";

/// Why a hold ended that somebody stopped.
const BY_CONCERNED: &str = "somebody concerned stopped it";
/// The same of the deletion of somebody else's account: whoever owns a project with it has a say in that, and in nothing else of it.
pub(super) const BY_CO_OWNER: &str = "an Owner of one of its projects stopped it";

/// Ends the hold, in a case of its own.
async fn stop<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    row: &holds::Model,
    (by, mark): (AccountId, Option<Vec<u8>>),
) -> Result<(), Refused> {
    let case = cases::open(
        env,
        tx,
        NewCase {
            opening: Opening::Veto,
            account: Some(row.account_id),
            project: row.project_id,
            why: format!("A change was vetoed: {}", row.description),
            opened_by: permit.event(),
        },
    )
    .await?;
    let event = HoldVetoed { hold: row.id.to_string(), what: row.description.clone(), by_mail: mark.is_some() };
    let of_another = row.action == ActionName::DeleteAccount.wire() && by != row.account_id;
    let because = if of_another { BY_CO_OWNER } else { BY_CONCERNED };
    shut(env, tx, permit, row, Shut { case, because, mark, by_staff: false, event }).await
}

/// Stops a hold that waits, for those who run the index, in a case of theirs (R11).
pub(crate) async fn stop_in_case<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    row: &holds::Model,
    (case, reason): (CaseId, &str),
) -> Result<(), Refused> {
    let event = HoldStopped { hold: row.id.to_string(), what: row.description.clone(), reason: reason.to_owned() };
    shut(env, tx, permit, row, Shut { case, because: "those who run the index stopped it", mark: None, by_staff: true, event }).await
}

/// In which case, why, by which mailbox and with which event a hold is stopped.
struct Shut<E: Event> {
    case: CaseId,
    because: &'static str,
    mark: Option<Vec<u8>>,
    by_staff: bool,
    event: E,
}

/// Ends the hold, and all others of that proposer on that subject; what suspends somebody is stopped by itself alone (R11).
async fn shut<A: Action, E: Event>(env: &Env, tx: &mut Tx, permit: &Permit<A>, row: &holds::Model, shut: Shut<E>) -> Result<(), Refused> {
    let because = shut.because;
    let values = vec![
        Value::from(row.id),
        Value::from(state::VETOED),
        Value::from(tx.now()),
        Value::from(permit.event()),
        Value::from(because),
        Value::from(shut.case),
        Value::from(shut.mark),
    ];
    if tx.execute(CLOSE, values).await? != 1 {
        return Err(anyhow::anyhow!("hold {} was closed while its row was locked", row.id).into());
    }
    events::record(env, tx, permit, Entry::of(shut.event).about(row.account_id).in_case(shut.case)).await?;
    let why = Why { because: "the change that suspended it was stopped", by_staff: shut.by_staff };
    resume(env, tx, permit, row.id, why).await?;
    if because == BY_CO_OWNER {
        return Ok(());
    }
    let scope = || vec![Value::from(row.proposer_id), Value::from(row.id), Value::from(row.project_id), Value::from(row.account_id)];
    let doors = scope().into_iter().chain([Value::from(tx.now())]).collect();
    tx.execute(SHUT_DOORS, doors).await?;
    for other in tx.rows(OTHERS, scope()).await? {
        let why = ("another change of the same account was stopped", Some(shut.case));
        end_unless_suspending(env, tx, permit, other.try_get("", "id")?, why).await?;
    }
    Ok(())
}

const PROPOSED: &str = "SELECT id FROM holds WHERE proposer_id = $1 AND state = 'waiting' AND action <> 'account:wake-roles' ORDER BY id";
const SHUT_ALL_DOORS: &str = "UPDATE holds SET used_at = $2 WHERE proposer_id = $1 AND state = 'done' AND used_at IS NULL";

/// What an account proposed does not happen, and what it let wait and has not made is not made: its owner knows of none of it. Roles that
/// sleep go on sleeping, and whom it suspended stays suspended (R11): whoever has stolen its session must not let him in again.
pub(crate) async fn disown<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    account: AccountId,
    why: (&str, Option<CaseId>),
) -> Result<(), Refused> {
    tx.execute(SHUT_ALL_DOORS, vec![Value::from(account), Value::from(tx.now())]).await?;
    for row in tx.rows(PROPOSED, vec![Value::from(account)]).await? {
        end_unless_suspending(env, tx, permit, row.try_get("", "id")?, why).await?;
    }
    Ok(())
}

async fn end_unless_suspending<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    hold: HoldId,
    why: (&str, Option<CaseId>),
) -> Result<(), Refused> {
    if !suspends(tx, hold).await? {
        end(env, tx, permit, hold, why).await?;
    }
    Ok(())
}

/// Lets a hold die, in a case where there is one; false when it was over already.
pub(crate) async fn end<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    hold: HoldId,
    why: (&str, Option<CaseId>),
) -> Result<bool, Refused> {
    if !close(env, tx, permit, hold, why).await? {
        return Ok(false);
    }
    resume(env, tx, permit, hold, Why { because: "the change that suspended it will not happen", by_staff: false }).await?;
    Ok(true)
}

/// Lets a hold die that makes room for one that suspends the same role: that nothing works again in between is nothing to tell.
pub(crate) async fn make_room<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, hold: HoldId, because: &str) -> Result<(), Refused> {
    close(env, tx, permit, hold, (because, None)).await?;
    lift(tx, hold, permit.event()).await?;
    Ok(())
}

async fn close<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    hold: HoldId,
    (because, case): (&str, Option<CaseId>),
) -> Result<bool, Refused> {
    lock(tx, hold).await?;
    let Some(row) = waiting(tx, hold).await? else { return Ok(false) };
    let values = vec![
        Value::from(hold),
        Value::from(state::DIED),
        Value::from(tx.now()),
        Value::from(permit.event()),
        Value::from(because),
        Value::from(row.case_id),
        Value::from(row.veto_mailbox),
    ];
    tx.execute(CLOSE, values).await?;
    let event = HoldDied { hold: hold.to_string(), what: row.description, because: because.to_owned() };
    let mut entry = Entry::of(event).about(row.account_id);
    if let Some(case) = case {
        entry = entry.in_case(case);
    }
    events::record(env, tx, permit, entry).await?;
    Ok(true)
}

const APPROVE: &str = "UPDATE hold_people SET approved_at = $3, told_at = COALESCE(told_at, $3), settled = (settled AND $4) \
    WHERE hold_id = $1 AND account_id = $2 AND approved_at IS NULL";

/// Approves a hold; the proof for this one act was spent by the caller, in this transaction.
///
/// # Errors
/// The database.
pub(crate) async fn approve(env: &Env, tx: &mut Tx, permit: &Permit<ApproveHold>, proof: Proven) -> Result<Answered, Refused> {
    let (hold, account) = (*permit.on(), permit.actor().account().ok_or(Denied::NotValid)?);
    let Some(row) = waiting(tx, hold).await? else {
        tx.leave_as_it_was();
        return Ok(Answered::Over);
    };
    // What somebody says for a project says the role, and that sleeps (R5); a veto takes nothing away and always works (R19).
    if permit.standing().asleep {
        return Err(Denied::Asleep.into());
    }
    if let Some(project) = row.project_id {
        cases::check_pause(tx, permit.actor(), project).await?;
    }
    let settled = is_factor_settled(env, tx, proof.factor).await?;
    let values = vec![Value::from(hold), Value::from(account), Value::from(tx.now()), Value::from(settled)];
    if tx.execute(APPROVE, values).await? != 1 {
        tx.leave_as_it_was();
        return Ok(Answered::Over);
    }
    events::record(env, tx, permit, Entry::of(HoldApproved { hold: hold.to_string(), what: row.description }).about(row.account_id))
        .await?;
    // When everybody has agreed it happens at once: the job looks.
    let key = format!("apply-holds:{hold}:{}", permit.event());
    let job = NewJob { kind: JobKind::ApplyHolds, key, payload: serde_json::Value::Null, enclosed: None, run_at: tx.now() };
    queue::enqueue(env, tx, job).await?;
    Ok(Answered::Now)
}
