//! Taking effect: a job does what was proposed once it was served (R9), judged with the proposer's rights of that moment, in one
//! transaction with the hold's end. What cannot be done any more dies.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use super::rules::{Consent, Said, Served, is_approved, is_ripe};
use super::suspensions::{lift, suspends};
use super::{answer, by_id, lock, serving, state};
use crate::act;
use crate::db::entities::{hold_people, holds};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, HoldDone};
use crate::ids::HoldId;
use crate::policy::{Action, ActionName, Actor, Denied, Loosened, Permit, SettleHold};
use crate::refused::Refused;

/// How long after a containment those who were contained have before anything takes effect.
const RESPITE: Duration = Duration::from_secs(86_400);
/// A hold that could not be served for so long after its time dies.
const GIVEN_UP: Duration = Duration::from_secs(30 * 86_400);

/// What became of a hold that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It took effect.
    Done,
    /// It is not its time yet, or it is over already.
    Left,
    /// It can never take effect: it died.
    Died,
}

/// How many are looked at together.
const SOME: usize = 500;
const DUE: &str = "SELECT id FROM holds h WHERE state = 'waiting' AND (due_at <= $1 OR EXISTS (SELECT 1 FROM hold_people p \
    WHERE p.hold_id = h.id AND p.account_id <> h.proposer_id AND p.approved_at IS NOT NULL)) AND id > $2 ORDER BY id LIMIT 500";

/// Holds whose time has come, or that somebody approved, the one that has waited longest first. All of them are looked at: some hundreds
/// that cannot be served keep nobody else waiting.
///
/// # Errors
/// The database.
pub(crate) async fn due<R: Reading>(env: &Env, read: &R) -> Result<Vec<holds::Model>, Refused> {
    let (mut found, mut after) = (Vec::new(), HoldId(uuid::Uuid::nil()));
    loop {
        let rows = read.rows(DUE, vec![Value::from(read.now()), Value::from(after)]).await?;
        for row in &rows {
            after = row.try_get("", "id")?;
            let Some(hold) = by_id(read, after).await? else { continue };
            if is_ready(env, read, &hold).await? {
                found.push(hold);
            }
        }
        if rows.len() < SOME {
            found.sort_by_key(|hold| (hold.due_at, hold.id));
            return Ok(found);
        }
    }
}

const CONTAINED: &str = "SELECT 1 AS one FROM hold_people p JOIN account_causes c ON c.account_id = p.account_id \
    WHERE p.hold_id = $1 AND c.kind IN ('contained', 'frozen') AND (c.until_at IS NULL OR c.until_at > $2) LIMIT 1";

/// R9: whether it may take effect at this moment.
async fn is_ready<R: Reading>(env: &Env, read: &R, hold: &holds::Model) -> Result<bool, Refused> {
    let people = hold_people::Entity::find().filter(hold_people::Column::HoldId.eq(hold.id)).all(read.connection()).await?;
    let said: Vec<Said> = people
        .iter()
        .map(|p| Said { proposer: p.account_id == hold.proposer_id, settled: p.settled, approved: p.approved_at.is_some() })
        .collect();
    let contained = read.row(CONTAINED, vec![Value::from(hold.id), Value::from(read.now().minus(RESPITE))]).await?.is_some();
    Ok(is_ripe(Served {
        due: hold.due_at <= read.now(),
        serving: serving::serves(env, read).await?,
        told: people.iter().all(|p| p.told_at.is_some()),
        contained,
        approved: is_approved(consent(&hold.action), &said),
    }))
}

/// Whose approval counts (R5, R7).
pub(super) fn consent(action: &str) -> Consent {
    match ActionName::from_wire(action) {
        Some(ActionName::WakeRoles) => Consent::OneSettled,
        // It concerns the co-owners, who may stop it, and the account alone goes: that is never skipped.
        Some(ActionName::DeleteAccount) => Consent::Nobodys,
        _ => Consent::Everybody,
    }
}

const DONE: &str = "UPDATE holds SET state = 'done', closed_at = $2, ended_by = $3 WHERE id = $1 AND state = 'waiting'";

/// Does what a hold says: the effect and the hold's end are one transaction, so that a crash or a second job changes nothing.
///
/// # Errors
/// `Fault`: another try may work.
pub(crate) async fn apply<A, F>(env: &Env, worker: &Actor, hold: &holds::Model, on: A::On, effect: F) -> Result<Applied, Refused>
where
    A: Action,
    F: for<'t> Fn(&'t mut Tx, Loosened<'t, A>) -> BoxFuture<'t, Result<(), Refused>> + Send + Sync + 'static,
{
    let (inner, id, effect) = (env.clone(), hold.id, Arc::new(effect));
    let done = act::held::<A, _, _>(env, (worker, hold.proposer_id), on, move |tx, permit| {
        let (env, effect) = (inner.clone(), effect.clone());
        Box::pin(async move {
            let Some(row) = take(&env, tx, permit, id).await? else { return Ok(Applied::Left) };
            effect(tx, Loosened::of(permit)).await?;
            record_done(&env, tx, permit, row).await
        })
    });
    match done.await {
        // What is missing may come back; until then nothing happens.
        Err(Refused::Denied(Denied::Stopped(_) | Denied::Gate(_))) => Ok(Applied::Left),
        // Whom it suspends does not come back because the roles of who proposed it sleep for some days (R5, R11).
        Err(Refused::Denied(Denied::Asleep)) if suspends(&env.db.read(env.now()).await?, id).await? => Ok(Applied::Left),
        Err(Refused::Denied(denied)) => die(env, worker, id, &format!("it may not be done any more: {denied}")).await,
        Err(Refused::Invalid(invalid)) => die(env, worker, id, &invalid.message).await,
        other => other,
    }
}

/// Locks the hold, judges again, and closes it; `None` when it is not its time or it is over.
async fn take<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, id: HoldId) -> Result<Option<holds::Model>, Refused> {
    lock(tx, id).await?;
    let row = by_id(tx, id).await?.filter(|row| row.state == state::WAITING);
    let Some(row) = row else {
        tx.leave_as_it_was();
        return Ok(None);
    };
    let orphaned =
        tx.row(&format!("{ORPHANS} AND h.id = $2"), vec![Value::from(tx.now().minus(GIVEN_UP)), Value::from(id)]).await?.is_some();
    if orphaned || !is_ready(env, tx, &row).await? {
        tx.leave_as_it_was();
        return Ok(None);
    }
    tx.execute(DONE, vec![Value::from(id), Value::from(tx.now()), Value::from(permit.event())]).await?;
    lift(tx, id, permit.event()).await?;
    Ok(Some(row))
}

async fn record_done<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, row: holds::Model) -> Result<Applied, Refused> {
    let event = HoldDone { hold: row.id.to_string(), what: row.description };
    events::record(env, tx, permit, Entry::of(event).about(row.account_id)).await?;
    Ok(Applied::Done)
}

/// A grant has waited: its door is open, once (R3).
///
/// # Errors
/// The database.
pub(crate) async fn open_door(env: &Env, worker: &Actor, hold: HoldId) -> Result<Applied, Refused> {
    let inner = env.clone();
    act::act::<SettleHold, _, _>(env, worker, hold, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let Some(row) = take(&env, tx, permit, *permit.on()).await? else { return Ok(Applied::Left) };
            record_done(&env, tx, permit, row).await
        })
    })
    .await
}

/// Lets a hold die.
///
/// # Errors
/// The database.
pub(crate) async fn die(env: &Env, worker: &Actor, hold: HoldId, because: &str) -> Result<Applied, Refused> {
    let (inner, because) = (env.clone(), because.to_owned());
    act::act::<SettleHold, _, _>(env, worker, hold, move |tx, permit| {
        let (env, because) = (inner.clone(), because.clone());
        Box::pin(async move {
            if answer::end(&env, tx, permit, *permit.on(), (&because, None)).await? {
                return Ok(Applied::Died);
            }
            tx.leave_as_it_was();
            Ok(Applied::Left)
        })
    })
    .await
}

/// R10: the factor that proved it was removed; its session was ended from elsewhere, by its owner; it could not be served for a month.
/// Roles that sleep go on sleeping, whatever becomes of the session. What suspends somebody waits as long as it must: whoever is removed
/// would else stop his own account for a month, and be settled and at work again afterwards; or the defender's own remedies, a new
/// password or the end of his sessions, would let him in again (R11).
const ORPHANS: &str = "SELECT h.id AS id, \
    EXISTS (SELECT 1 FROM factors f WHERE f.id = h.factor_id AND f.until_at IS NOT NULL) AS factor_gone, \
    (h.due_at < $1) AS given_up FROM holds h WHERE h.state = 'waiting' AND h.action <> 'account:wake-roles' AND ((h.due_at < $1 \
    AND NOT EXISTS (SELECT 1 FROM suspensions x WHERE x.hold_id = h.id AND x.until_at IS NULL)) \
    OR ((h.proposer_id = h.account_id OR NOT EXISTS (SELECT 1 FROM suspensions x WHERE x.hold_id = h.id AND x.until_at IS NULL)) \
    AND (EXISTS (SELECT 1 FROM factors f WHERE f.id = h.factor_id AND f.until_at IS NOT NULL) \
    OR EXISTS (SELECT 1 FROM sessions s LEFT JOIN events e ON e.id = s.ended_by WHERE s.id = h.session_id AND s.until_at IS NOT NULL \
    AND (e.credential_id IS NULL OR e.credential_id <> s.id)))))";

/// Holds that die, and why.
///
/// # Errors
/// The database.
pub(crate) async fn orphans<R: Reading>(read: &R) -> Result<Vec<(HoldId, &'static str)>, Refused> {
    let mut found = Vec::new();
    for row in read.rows(ORPHANS, vec![Value::from(read.now().minus(GIVEN_UP))]).await? {
        let because = if row.try_get("", "factor_gone")? {
            "the factor that proved it was removed"
        } else if row.try_get("", "given_up")? {
            "not everybody concerned could be told"
        } else {
            "the session that proposed it was ended"
        };
        found.push((row.try_get("", "id")?, because));
    }
    Ok(found)
}
