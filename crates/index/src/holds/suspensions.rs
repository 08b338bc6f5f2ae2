//! Roles that a change suspends while it waits (R8, R11): which change is one that its proposer cannot undo as he likes, and what happens
//! when a suspension is over. Called by the ends of holds; who suspends is the verb's business.

use sea_orm::Value;

use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, RoleResumed};
use crate::ids::{EventId, HoldId};
use crate::policy::{Action, Permit};
use crate::refused::Refused;

/// What a settled Owner suspends by removing somebody else, not what somebody drops himself by leaving.
const SUSPENDS: &str = "SELECT 1 AS one FROM holds h WHERE h.id = $1 AND h.state = 'waiting' AND h.proposer_id <> h.account_id \
    AND EXISTS (SELECT 1 FROM suspensions x WHERE x.hold_id = h.id AND x.until_at IS NULL)";

/// Whether a hold suspends somebody against his will (R11). Its life is not tied to the session, the factor or the mailbox of who proposed
/// it: a thief of one of these would else let in again whom the owner has suspended. Another settled Owner stops it, or staff, or who
/// proposed it, by a proof for that one act.
pub(crate) async fn suspends<R: Reading>(read: &R, hold: HoldId) -> Result<bool, Refused> {
    Ok(read.row(SUSPENDS, vec![Value::from(hold)]).await?.is_some())
}

/// The open suspensions of a hold. A restore may have put one back of a hold that is over: it ends with the next one about the same role.
const RESUME: &str = "UPDATE suspensions SET until_at = $2, ended_by = $3 WHERE until_at IS NULL AND (hold_id = $1 \
    OR (hold_id IN (SELECT h.id FROM holds h WHERE h.state <> 'waiting') \
    AND what_id IN (SELECT s.what_id FROM suspensions s WHERE s.hold_id = $1))) RETURNING what_id";

/// The suspensions of a hold end, and nothing is said of it: the role ends with them, or is suspended again in the same act.
pub(super) async fn lift(tx: &Tx, hold: HoldId, by: EventId) -> Result<Vec<uuid::Uuid>, Refused> {
    let mut lifted = Vec::new();
    for row in tx.rows(RESUME, vec![Value::from(hold), Value::from(tx.now()), Value::from(by)]).await? {
        lifted.push(row.try_get("", "what_id")?);
    }
    lifted.sort_unstable();
    lifted.dedup();
    Ok(lifted)
}

/// A role that stands and that nothing else suspends.
const WORKS: &str = "SELECT r.account_id AS account_id, r.project_id AS project_id, r.role AS role, a.username AS username, p.name AS name \
    FROM roles r JOIN accounts a ON a.id = r.account_id JOIN projects p ON p.id = r.project_id WHERE r.id = $1 AND r.until_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE s.what = 'role' AND s.what_id = r.id AND s.until_at IS NULL)";

/// Why something works again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Why {
    pub because: &'static str,
    /// The mail names no administrator.
    pub by_staff: bool,
}

/// What a hold suspended works again when it is over without effect, and everybody whom it concerns is told (R8, R11). After the event of
/// the hold's end, which is the first of the act.
pub(super) async fn resume<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, hold: HoldId, why: Why) -> Result<(), Refused> {
    for role in lift(tx, hold, permit.event()).await? {
        let Some(row) = tx.row(WORKS, vec![Value::from(role)]).await? else { continue };
        let event = RoleResumed {
            username: row.try_get("", "username")?,
            role: row.try_get("", "role")?,
            project: row.try_get("", "name")?,
            because: why.because.to_owned(),
            by_staff: why.by_staff,
        };
        let entry = Entry::of(event).about(row.try_get("", "account_id")?).on_project(row.try_get("", "project_id")?);
        events::record(env, tx, permit, entry).await?;
    }
    Ok(())
}
