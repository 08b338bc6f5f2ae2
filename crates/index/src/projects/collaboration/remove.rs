//! Removing and leaving: an Owner through a hold, suspended at once where a settled Owner removes an unsettled one or where who leaves
//! drops his rights (R7, R8, R11); a Maintainer at once.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, Value};

use super::{Held, check_not_last, concerned, end_role, held_role, is_senior};
use crate::accounts::settled::is_role_settled;
use crate::act;
use crate::cases;
use crate::db::entities::suspensions;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, RoleRemoved, RoleSuspended};
use crate::holds::{self, Decision, Proposal, Proven};
use crate::ids::{ActId, HoldId, RoleId, SuspensionId};
use crate::policy::{Action, Actor, Denied, Loosened, Permit, RemoveMaintainer, RemoveOwner};
use crate::refused::Refused;
use crate::signin::acts;

/// What became of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// The role is over.
    Now,
    /// It waits as this hold.
    Held(HoldId),
}

/// What the proof is bound to besides the role.
#[must_use]
pub fn parameters(role: RoleId, drop_rights: bool) -> serde_json::Value {
    serde_json::json!({ "form": "delete", "role_id": role.to_string(), "drop_rights": drop_rights })
}

/// What the page that asks for the proof says.
#[must_use]
pub fn sentence(username: &str) -> String {
    format!("Remove {username} as Owner of the project")
}

/// Ends a role: somebody else's, or one's own. `drop_rights`: who leaves wants to have no rights from now on, not only in three days.
///
/// # Errors
/// `Invalid` for the last Owner that can be reached; `NeedsProof` for an Owner (R2); `Unsettled` (R11); `Barred` after a veto (R10).
pub async fn remove(env: &Env, actor: &Actor, role: RoleId, act: Option<ActId>, drop_rights: bool) -> Result<Removed, Refused> {
    let read = env.db.read(env.now()).await?;
    let is_owner = super::open_role(&read, role).await?.is_some_and(|row| row.role == "Owner");
    drop(read);
    let inner = env.clone();
    if is_owner {
        return holds::loosen::<RemoveOwner, _, _>(env, actor, role, move |tx, permit| {
            let env = inner.clone();
            Box::pin(async move { ask(&env, tx, permit, act, drop_rights).await })
        })
        .await;
    }
    act::act::<RemoveMaintainer, _, _>(env, actor, role, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { remove_maintainer(&env, tx, permit).await })
    })
    .await
}

async fn remove_maintainer(env: &Env, tx: &mut Tx, permit: &Permit<RemoveMaintainer>) -> Result<Removed, Refused> {
    let held = held_role(tx, *permit.on()).await?;
    let by = permit.actor().account().ok_or(Denied::NotValid)?;
    if held.row.role != "Maintainer" {
        // Promoted between the look and the lock: an Owner goes another way.
        return Err(Denied::Hidden.into());
    }
    let settled = is_role_settled(env, tx.now(), held.row.from_at, held.row.founding);
    if by != held.row.account_id && settled {
        let senior = is_senior(env, tx, held.project.id, by).await?;
        if !senior || !holds::is_session_settled(env, tx, by, permit.actor().session.as_ref()).await? {
            return Err(Denied::Unsettled.into());
        }
    }
    end(env, tx, permit, &held).await?;
    Ok(Removed::Now)
}

async fn ask(env: &Env, tx: &mut Tx, permit: &Permit<RemoveOwner>, act: Option<ActId>, drop_rights: bool) -> Result<Removed, Refused> {
    let held = held_role(tx, *permit.on()).await?;
    let proposer = permit.actor().account().ok_or(Denied::NotValid)?;
    let leaves = proposer == held.row.account_id;
    cases::check_pause(tx, permit.actor(), held.project.id).await?;
    check_not_last(env, tx, &held).await?;
    let bound = parameters(held.row.id, drop_rights);
    let proof = acts::spend(env, tx, permit, act, &bound).await?;
    let senior = !leaves && suspends(env, tx, &held, proof, proposer).await?;
    if senior {
        make_room(env, tx, permit, &held).await?;
    }
    let (username, name) = (&held.username, &held.project.name);
    let description = if leaves { format!("{username} leaves {name} as Owner") } else { format!("Remove {username} as Owner of {name}") };
    let proposal = Proposal {
        account: held.row.account_id,
        project: Some(held.project.id),
        payload: bound,
        description,
        people: concerned(env, tx, held.project.id, (held.row.account_id, proposer)).await?,
        proof: Some(proof),
        waits: Some(env.config.hold_loosening.0),
    };
    let decision = if senior {
        Decision::Held(holds::suspending(env, tx, permit, (proposal, env.config.hold_loosening.0)).await?)
    } else {
        holds::decide(env, tx, permit, proposal).await?
    };
    let hold = match decision {
        Decision::Now(loosened) => {
            take_away(env, tx, &loosened).await?;
            return Ok(Removed::Now);
        }
        Decision::Held(hold) => hold,
    };
    let at_once = if leaves { drop_rights } else { senior };
    if at_once {
        suspend(env, tx, permit, &held, hold).await?;
    }
    Ok(Removed::Held(hold))
}

/// What waits already about an unsettled Owner and does not suspend him makes room: neither his own wish to leave, which he may stop
/// himself, nor the removal that an accomplice asked for keeps a settled Owner from suspending him (R11).
async fn make_room(env: &Env, tx: &mut Tx, permit: &Permit<RemoveOwner>, held: &Held) -> Result<(), Refused> {
    const WAITING: &str = "SELECT id FROM holds WHERE action = 'role:remove-owner' AND subject = $1 AND state = 'waiting'";
    let Some(row) = tx.row(WAITING, vec![Value::from(held.row.id.to_string())]).await? else { return Ok(()) };
    let hold: HoldId = row.try_get("", "id")?;
    if !holds::suspends(tx, hold).await? {
        holds::make_room(env, tx, permit, hold, "a settled Owner asks for the removal instead").await?;
    }
    Ok(())
}

/// R11: a settled Owner, with what is settled, removes an unsettled one: his rights stop at once.
async fn suspends(env: &Env, tx: &Tx, held: &Held, proof: Proven, proposer: crate::ids::AccountId) -> Result<bool, Refused> {
    let settled = is_role_settled(env, tx.now(), held.row.from_at, held.row.founding);
    let senior = is_senior(env, tx, held.project.id, proposer).await? && holds::is_factor_settled(env, tx, proof.factor).await?;
    Ok(senior && !settled)
}

async fn suspend(env: &Env, tx: &mut Tx, permit: &Permit<RemoveOwner>, held: &Held, hold: HoldId) -> Result<(), Refused> {
    let leaves = permit.actor().account() == Some(held.row.account_id);
    let because = if leaves { "who holds it leaves" } else { "a settled Owner removes who holds it" };
    let row = suspensions::ActiveModel {
        id: Set(SuspensionId::new(tx.now(), &*env.entropy)),
        what: Set("role".to_owned()),
        what_id: Set(held.row.id.0),
        account_id: Set(held.row.account_id),
        project_id: Set(Some(held.project.id)),
        hold_id: Set(Some(hold)),
        case_id: Set(None),
        reason: Set(because.to_owned()),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
    };
    row.insert(tx.connection()).await?;
    let event = RoleSuspended {
        username: held.username.clone(),
        role: held.row.role.clone(),
        project: held.project.name.clone(),
        because: because.to_owned(),
    };
    events::record(env, tx, permit, Entry::of(event).about(held.row.account_id).on_project(held.project.id)).await?;
    Ok(())
}

/// An Owner is one no longer.
///
/// # Errors
/// `Hidden` when the role is over; `Invalid` when it is the last Owner that can be reached by now.
pub(crate) async fn take_away(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, RemoveOwner>) -> Result<(), Refused> {
    let permit = loosened.permit();
    let held = held_role(tx, *permit.on()).await?;
    check_not_last(env, tx, &held).await?;
    end(env, tx, permit, &held).await
}

/// Ends a role that may end.
pub(super) async fn end<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, held: &Held) -> Result<(), Refused> {
    end_role(tx, held.row.id, permit.event()).await?;
    let event = RoleRemoved { username: held.username.clone(), role: held.row.role.clone(), project: held.project.name.clone() };
    events::record(env, tx, permit, Entry::of(event).about(held.row.account_id).on_project(held.project.id)).await?;
    Ok(())
}
