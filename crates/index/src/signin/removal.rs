//! Removing a factor (R12): a settled one removes a younger one at once; a younger one removes a settled one only through a hold. The
//! last factor is never removed: another one is added first.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use crate::accounts;
use crate::accounts::settled::is_settled;
use crate::db::entities::factors;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, FactorRemoved};
use crate::holds::rules::{Aged, removes_at_once};
use crate::holds::{self, Decision, Person, Proposal};
use crate::ids::{AccountId, ActId, EventId, FactorId, HoldId, SessionId};
use crate::policy::{Actor, Denied, Loosened, Permit, Proof, RemoveFactor, Resource, Role, Situation};
use crate::refused::{Invalid, Refused};
use crate::signin::{acts, session};

impl Resource for FactorId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let row = factors::Entity::find_by_id(*self).filter(factors::Column::UntilAt.is_null()).one(read.connection()).await?;
        Ok(match row {
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }

    /// All factors of the account together: two removals at the same moment must not leave none.
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        let sql = format!(
            "SELECT 1 AS one FROM factors WHERE account_id = (SELECT f.account_id FROM factors f WHERE f.id = $1) AND until_at IS NULL \
             ORDER BY id{}",
            tx.lock(true)
        );
        tx.rows(&sql, vec![Value::from(*self)]).await?;
        Ok(())
    }
}

/// What became of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// The factor is gone.
    Now,
    /// It waits as this hold.
    Held(HoldId),
}

/// What the proof is bound to besides the factor.
#[must_use]
pub fn parameters(end_sessions: bool) -> serde_json::Value {
    serde_json::json!({ "end_sessions": end_sessions })
}

/// Whether the payload of a hold says that other sessions end too.
pub(crate) fn ends_sessions(payload: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(payload).is_ok_and(|json| json["end_sessions"] == true)
}

/// Asks that a factor be removed.
///
/// # Errors
/// `Invalid` for the last one; `NeedsProof` without a proof for this act (R2); `Barred` after a veto (R10).
pub async fn remove(env: &Env, actor: &Actor, factor: FactorId, act: Option<ActId>, end_sessions: bool) -> Result<Removed, Refused> {
    let inner = env.clone();
    holds::loosen::<RemoveFactor, _, _>(env, actor, factor, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { ask(&env, tx, permit, act, end_sessions).await })
    })
    .await
}

async fn open_factors<R: Reading>(read: &R, account: AccountId) -> Result<Vec<factors::Model>, Refused> {
    let rows = factors::Entity::find().filter(factors::Column::AccountId.eq(account)).filter(factors::Column::UntilAt.is_null());
    Ok(rows.all(read.connection()).await?)
}

/// The factor and its account's others.
async fn found(tx: &Tx, factor: FactorId) -> Result<(factors::Model, Vec<factors::Model>), Refused> {
    let row = factors::Entity::find_by_id(factor).filter(factors::Column::UntilAt.is_null()).one(tx.connection()).await?;
    let row = row.ok_or(Denied::Hidden)?;
    let all = open_factors(tx, row.account_id).await?;
    if all.len() < 2 {
        return Err(Invalid::new("", "The last factor cannot be removed, only replaced: add another one first.").into());
    }
    Ok((row, all))
}

async fn ask(env: &Env, tx: &mut Tx, permit: &Permit<RemoveFactor>, act: Option<ActId>, end_sessions: bool) -> Result<Removed, Refused> {
    let (row, all) = found(tx, *permit.on()).await?;
    let proof = acts::spend(env, tx, permit, act, &parameters(end_sessions)).await?;
    let by = all.iter().find(|other| Some(other.id) == proof.factor).ok_or(Denied::NeedsProof)?;
    let account = accounts::by_id(tx, row.account_id).await?.ok_or(Denied::Hidden)?;
    let aged = |row: &factors::Model| Aged {
        kind: Proof::from_wire(&row.kind).unwrap_or(Proof::Totp),
        from_at: row.from_at,
        settled: is_settled(env, tx.now(), row.from_at, account.created_at),
    };
    let at_once = removes_at_once(aged(by), aged(&row));
    let proposal = Proposal {
        account: row.account_id,
        project: None,
        payload: parameters(end_sessions),
        description: format!("Remove the factor “{}” of the account {}", name(&row), account.username),
        people: vec![Person::oneself(row.account_id)],
        proof: Some(proof),
        waits: (!at_once).then_some(env.config.hold_loosening.0),
    };
    match holds::decide(env, tx, permit, proposal).await? {
        Decision::Now(loosened) => {
            take_away(env, tx, &loosened, end_sessions).await?;
            Ok(Removed::Now)
        }
        Decision::Held(hold) => Ok(Removed::Held(hold)),
    }
}

/// What a person calls a factor.
fn name(row: &factors::Model) -> String {
    match (row.label.as_str(), row.kind.as_str()) {
        ("", "totp") => "authenticator app".to_owned(),
        ("", kind) => kind.to_owned(),
        (label, _) => label.to_owned(),
    }
}

const END: &str = "UPDATE factors SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
const SESSIONS_OF_FACTOR: &str = "UPDATE sessions SET until_at = $3, ended_by = $4 WHERE account_id = $1 AND until_at IS NULL \
    AND factor_id = $5 AND id <> $2";
const OTHER_SESSIONS: &str = "UPDATE sessions SET until_at = $3, ended_by = $4 WHERE account_id = $1 AND until_at IS NULL AND id <> $2";

/// Ends a factor, the other sessions that it opened, and all others where that was asked for. Half-open sign-ins end too: one of them
/// may have been proved with it and wait for the mailbox.
///
/// # Errors
/// `Invalid` when it has become the last one.
pub(crate) async fn take_away(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, RemoveFactor>, end_sessions: bool) -> Result<(), Refused> {
    let permit = loosened.permit();
    let (row, _) = found(tx, *permit.on()).await?;
    let by: EventId = permit.event();
    if tx.execute(END, vec![Value::from(row.id), Value::from(tx.now()), Value::from(by)]).await? != 1 {
        return Err(Denied::Hidden.into());
    }
    // A job acts in no session: nothing has this id.
    let own = permit.actor().session.map_or(SessionId(uuid::Uuid::nil()), |session| session.id);
    let mut values = vec![Value::from(row.account_id), Value::from(own), Value::from(tx.now()), Value::from(by)];
    let sql = if end_sessions { OTHER_SESSIONS } else { SESSIONS_OF_FACTOR };
    if !end_sessions {
        values.push(Value::from(row.id));
    }
    let sessions_ended = tx.execute(sql, values).await?;
    session::end_attempts(tx, row.account_id).await?;
    let event = FactorRemoved { method: name(&row), sessions_ended };
    events::record(env, tx, permit, Entry::of(event).about(row.account_id)).await?;
    Ok(())
}
