//! Changes that wait: what takes protection away, and grants that were proved by something that can be phished, become a hold that
//! everybody concerned is told of and may veto (R3, R5, R7 to R12, R22).
//!
//! A verb that loosens takes `&Loosened<A>`, which only this room makes: `loosen` lets it ask, `decide` says now or later, and `apply`
//! (called by a job) does it when the hold was served. How to use it: `docs/how-to/add-an-action.md`.

mod answer;
mod apply;
mod grants;
mod propose;
pub mod rules; //   the rules themselves, on plain values
pub mod serving; // when the index served, and who was told (R9)
mod show;
mod suspensions; // what a change suspends while it waits (R11)
pub mod wake; //    roles that sleep after a first factor (R5)

use sea_orm::{EntityTrait, QueryResult, Value};

use credentials::keys::InstanceKeys;

pub use answer::{Answered, to_veto, veto_by_link};
pub(crate) use answer::{approve, disown, end, make_room, stop_in_case, take_back, veto, withdraws};
pub(crate) use apply::{Applied, apply, die, due, open_door, orphans};
pub use grants::must_wait;
pub(crate) use grants::{Grant, Passed, pass, pass_on};
pub(crate) use propose::{Decision, Person, Proposal, decide, loosen, suspending};
pub(crate) use show::line;
pub use show::{Line, PAGE, Page, Told, concerning, description, on_project, page};
pub(crate) use suspensions::suspends;

use crate::accounts::settled::is_settled;
use crate::clock::Time;
use crate::db::entities::{accounts, holds};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, FactorId, HoldId};
use crate::policy::{Actor, Proof, Resource, Role, SessionProof, Situation, Who};
use crate::refused::Refused;

/// What was proved for one act, and with which factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The kind of proof.
    pub with: Proof,
    /// The factor, where it was one.
    pub factor: Option<FactorId>,
}

/// The states of a hold, as stored.
pub(crate) mod state {
    pub(crate) const WAITING: &str = "waiting";
    pub(crate) const DONE: &str = "done";
    pub(crate) const VETOED: &str = "vetoed";
    pub(crate) const DIED: &str = "died";
}

const CONCERNED: &str = "SELECT 1 AS one FROM hold_people WHERE hold_id = $1 AND account_id = $2";

impl Resource for HoldId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let role = match &actor.who {
            Who::Account(account) => {
                let row = read.row(CONCERNED, vec![Value::from(*self), Value::from(*account)]).await?;
                row.map(|_| Role::Concerned)
            }
            Who::Worker(_) => Some(Role::Worker),
            Who::Operator(_) => Some(Role::Operator),
            Who::Nobody => None,
        };
        Ok(role.map_or_else(Situation::hidden, |role| Situation::holding(vec![role])))
    }

    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        lock(tx, *self).await
    }
}

async fn lock(tx: &Tx, hold: HoldId) -> Result<(), Refused> {
    let sql = format!("SELECT 1 AS one FROM holds WHERE id = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(hold)]).await?;
    Ok(())
}

/// The row of a hold.
pub(crate) async fn by_id<R: Reading>(read: &R, hold: HoldId) -> Result<Option<holds::Model>, Refused> {
    Ok(holds::Entity::find_by_id(hold).one(read.connection()).await?)
}

/// What stands for a mailbox in rows: a keyed hash, never the address (R27).
fn mailbox_mark(keys: &InstanceKeys, folded: &str) -> Vec<u8> {
    keys.keyed_hash("veto-mailbox", folded.as_bytes()).to_bytes()
}

const FACTOR_AGE: &str =
    "SELECT f.from_at AS from_at, a.created_at AS created_at FROM factors f JOIN accounts a ON a.id = f.account_id WHERE f.id = $1";
const CODES_AGE: &str = "SELECT s.from_at AS from_at, a.created_at AS created_at FROM recovery_sets s JOIN accounts a ON a.id = s.account_id \
    WHERE s.account_id = $1 AND s.until_at IS NULL";
const DEVICE_AGE: &str = "SELECT COALESCE(d.known_since, d.from_at) AS from_at, a.created_at AS created_at \
    FROM devices d JOIN accounts a ON a.id = d.account_id WHERE d.id = $1 AND d.until_at IS NULL";

/// Whether a row that carries its own age and that of its account is settled.
fn aged(env: &Env, now: Time, row: Option<QueryResult>) -> Result<bool, Refused> {
    let Some(row) = row else { return Ok(false) };
    Ok(is_settled(env, now, row.try_get("", "from_at")?, row.try_get("", "created_at")?))
}

/// Whether a factor is settled; none is not.
pub(crate) async fn is_factor_settled<R: Reading>(env: &Env, read: &R, factor: Option<FactorId>) -> Result<bool, Refused> {
    let Some(factor) = factor else { return Ok(false) };
    aged(env, read.now(), read.row(FACTOR_AGE, vec![Value::from(factor)]).await?)
}

/// Whether what opened or last proved a session is settled: its factor, or the recovery codes that it came in by (R11).
pub(crate) async fn is_session_settled<R: Reading>(
    env: &Env,
    read: &R,
    account: AccountId,
    session: Option<&SessionProof>,
) -> Result<bool, Refused> {
    match session {
        Some(session) if session.factor.is_some() => is_factor_settled(env, read, session.factor).await,
        Some(session) if session.proved_with == Some(Proof::RecoveryCode) => {
            aged(env, read.now(), read.row(CODES_AGE, vec![Value::from(account)]).await?)
        }
        Some(_) | None => Ok(false),
    }
}

/// The user name of an account.
async fn username<R: Reading>(read: &R, account: AccountId) -> Result<String, Refused> {
    let row = accounts::Entity::find_by_id(account).one(read.connection()).await?;
    Ok(row.map(|row| row.username).unwrap_or_default())
}
