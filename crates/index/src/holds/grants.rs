//! Grants that wait (R3): proved by something that can be phished, on a browser that is new, with an old project in reach.
//!
//! What such a grant gives is shown once or made with the person there, so that a job cannot do it alone: a hold that was served opens
//! the door for exactly what was asked, once, for seven days.

use std::fmt::Display;
use std::time::Duration;

use sea_orm::Value;

use super::propose::{Person, Proposal, What, propose};
use super::rules::{Asking, grant_waits};
use super::{DEVICE_AGE, Proven, aged};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, HoldId, ProjectId};
use crate::policy::{Action, Actor, Denied, Permit, Proof};
use crate::refused::Refused;

/// A project that is younger is not worth a wait.
const OLD: Duration = Duration::from_secs(7 * 86_400);
/// For how long a door stays open that a hold has opened.
pub(super) const OPEN_FOR: Duration = Duration::from_secs(7 * 86_400);

const OLD_PROJECT: &str = "SELECT 1 AS one FROM roles r JOIN projects p ON p.id = r.project_id \
    WHERE r.account_id = $1 AND r.until_at IS NULL AND p.created_at <= $2 LIMIT 1";

/// Whether a grant to this account, proved so in this session, waits (R3).
///
/// # Errors
/// The database.
pub async fn must_wait<R: Reading>(env: &Env, read: &R, actor: &Actor, account: AccountId, proof: Proof) -> Result<bool, Refused> {
    if !proof.is_phishable() {
        return Ok(false);
    }
    let device_settled = match actor.session.and_then(|session| session.device) {
        Some(device) => aged(env, read.now(), read.row(DEVICE_AGE, vec![Value::from(device)]).await?)?,
        None => false,
    };
    let old = vec![Value::from(account), Value::from(read.now().minus(OLD))];
    let old_project = !device_settled && read.row(OLD_PROJECT, old).await?.is_some();
    Ok(grant_waits(Asking { proof, device_settled, old_project }))
}

/// A grant of power to the account that acts.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// What was proved for it.
    pub proof: Proven,
    /// Exactly what is asked for, without secrets.
    pub parameters: serde_json::Value,
    /// What it is, in one sentence that people read.
    pub description: String,
}

/// Whether a grant may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// Now.
    Now,
    /// It waits as this hold; when that was served, the same may be asked once more.
    Held(HoldId),
}

/// A door shuts with what opened it, as a hold dies that waits (R10): the session was ended from elsewhere, or the factor is gone.
const STANDS: &str = "AND NOT EXISTS (SELECT 1 FROM factors f WHERE f.id = holds.factor_id AND f.until_at IS NOT NULL) \
    AND NOT EXISTS (SELECT 1 FROM sessions s LEFT JOIN events e ON e.id = s.ended_by WHERE s.id = holds.session_id \
    AND s.until_at IS NOT NULL AND (e.credential_id IS NULL OR e.credential_id <> s.id))";
const USE: &str = "UPDATE holds SET used_at = $6 WHERE action = $1 AND subject = $2 AND proposer_id = $3 AND payload = $4 \
    AND state = 'done' AND used_at IS NULL AND closed_at > $5";

/// Whether the door that a hold has opened is still open.
pub(super) async fn is_open<R: Reading>(read: &R, hold: HoldId) -> Result<bool, Refused> {
    let sql = format!("SELECT 1 AS one FROM holds WHERE id = $1 AND state = 'done' AND used_at IS NULL {STANDS}");
    Ok(read.row(&sql, vec![Value::from(hold)]).await?.is_some())
}

/// Lets a grant pass, or writes it down as a hold.
///
/// # Errors
/// As `decide`.
pub(crate) async fn pass<A>(env: &Env, tx: &mut Tx, permit: &Permit<A>, grant: Grant) -> Result<Passed, Refused>
where
    A: Action,
    A::On: Display,
{
    let account = permit.actor().account().ok_or(Denied::NotValid)?;
    pass_on(env, tx, permit, grant, (None, vec![Person::oneself(account)])).await
}

/// The same for a grant on a project, which concerns these people: while it waits they are told, and may stop it.
///
/// # Errors
/// As `decide`.
pub(crate) async fn pass_on<A>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    grant: Grant,
    (project, people): (Option<ProjectId>, Vec<Person>),
) -> Result<Passed, Refused>
where
    A: Action,
    A::On: Display,
{
    let account = permit.actor().account().ok_or(Denied::NotValid)?;
    if !must_wait(env, tx, permit.actor(), account, grant.proof.with).await? {
        return Ok(Passed::Now);
    }
    let subject = permit.on().to_string();
    let values = vec![
        Value::from(A::NAME.wire()),
        Value::from(subject.as_str()),
        Value::from(account),
        Value::from(grant.parameters.to_string()),
        Value::from(tx.now().minus(OPEN_FOR)),
        Value::from(tx.now()),
    ];
    if tx.execute(&format!("{USE} {STANDS}"), values).await? > 0 {
        return Ok(Passed::Now);
    }
    let what = What { action: A::NAME, subject, wait: env.config.hold_grant.0, proposer: None };
    let proposal = Proposal {
        account,
        project,
        payload: grant.parameters,
        description: grant.description,
        people,
        proof: Some(grant.proof),
        waits: None,
    };
    Ok(Passed::Held(propose(env, tx, permit, what, proposal).await?))
}
