//! Changing a role: a Maintainer becomes an Owner by a grant (R2, R3); an Owner becomes a Maintainer through a hold (R7, R8).

use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};

use super::super::holders::{Suspended, collaborators};
use super::{Held, NewRole, begin_role, check_not_last, concerned, end_role, held_role, word};
use crate::act;
use crate::cases;
use crate::db::entities::role_grants;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, RoleChanged};
use crate::holds::{self, Decision, Grant, Passed, Proposal};
use crate::ids::{ActId, EventId, HoldId, RoleId};
use crate::policy::{Action, Actor, DemoteOwner, Denied, Loosened, Permit, PromoteMaintainer, Role};
use crate::refused::{Invalid, Refused};
use crate::signin::acts;

/// What became of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The role is changed.
    Now,
    /// It waits as this hold.
    Held(HoldId),
}

/// What the proof is bound to besides the role.
#[must_use]
pub fn parameters(role: RoleId, to: Role) -> serde_json::Value {
    serde_json::json!({ "form": "change", "role_id": role.to_string(), "role_name": word(to) })
}

/// What the page that asks for the proof says.
#[must_use]
pub fn sentence(username: &str, to: Role) -> String {
    format!("Change the role of {username} to {}", word(to))
}

/// Changes a role.
///
/// # Errors
/// `Invalid` when it is so already, or for the last Owner that can be reached; `NeedsProof` (R2); `Barred` after a veto (R10).
pub async fn change(env: &Env, actor: &Actor, role: RoleId, to: Role, act: Option<ActId>) -> Result<Changed, Refused> {
    let inner = env.clone();
    if to == Role::Owner {
        return act::act::<PromoteMaintainer, _, _>(env, actor, role, move |tx, permit| {
            let env = inner.clone();
            Box::pin(async move { promote(&env, tx, permit, act).await })
        })
        .await;
    }
    holds::loosen::<DemoteOwner, _, _>(env, actor, role, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { ask(&env, tx, permit, act).await })
    })
    .await
}

fn check_is(held: &Held, wanted: Role) -> Result<(), Refused> {
    if held.row.role == word(wanted) {
        return Ok(());
    }
    Err(Invalid::new("role_name", format!("{} is {} of {} already.", held.username, held.row.role, held.project.name)).into())
}

/// A role that a removal suspends is not changed into one that works (R11): the removal is decided first.
async fn check_works<R: Reading>(read: &R, held: &Held) -> Result<(), Refused> {
    let all = collaborators(read, held.project.id).await?;
    if all.iter().all(|one| one.id != held.row.id || one.suspended != Some(Suspended::ByAct)) {
        return Ok(());
    }
    let message =
        format!("The role of {} on {} is suspended while its removal waits: that is decided first.", held.username, held.project.name);
    Err(Invalid::new("role_name", message).into())
}

async fn promote(env: &Env, tx: &mut Tx, permit: &Permit<PromoteMaintainer>, act: Option<ActId>) -> Result<Changed, Refused> {
    let held = held_role(tx, *permit.on()).await?;
    let giver = permit.actor().account().ok_or(Denied::NotValid)?;
    cases::check_pause(tx, permit.actor(), held.project.id).await?;
    check_is(&held, Role::Maintainer)?;
    let bound = parameters(held.row.id, Role::Owner);
    let proof = acts::spend(env, tx, permit, act, &bound).await?;
    let people = concerned(env, tx, held.project.id, (held.row.account_id, giver)).await?;
    let description = format!("Make {} an Owner of {}, who is a Maintainer", held.username, held.project.name);
    let grant = Grant { proof, parameters: bound, description };
    if let Passed::Held(hold) = holds::pass_on(env, tx, permit, grant, (Some(held.project.id), people)).await? {
        return Ok(Changed::Held(hold));
    }
    swap(env, tx, permit, &held, (Role::Owner, permit.event())).await?;
    Ok(Changed::Now)
}

async fn ask(env: &Env, tx: &mut Tx, permit: &Permit<DemoteOwner>, act: Option<ActId>) -> Result<Changed, Refused> {
    let held = held_role(tx, *permit.on()).await?;
    let proposer = permit.actor().account().ok_or(Denied::NotValid)?;
    cases::check_pause(tx, permit.actor(), held.project.id).await?;
    check_is(&held, Role::Owner)?;
    check_works(tx, &held).await?;
    check_not_last(env, tx, &held).await?;
    let bound = parameters(held.row.id, Role::Maintainer);
    let proof = acts::spend(env, tx, permit, act, &bound).await?;
    let proposal = Proposal {
        account: held.row.account_id,
        project: Some(held.project.id),
        payload: bound,
        description: format!("Make {} a Maintainer of {}, who is an Owner", held.username, held.project.name),
        people: concerned(env, tx, held.project.id, (held.row.account_id, proposer)).await?,
        proof: Some(proof),
        waits: Some(env.config.hold_loosening.0),
    };
    match holds::decide(env, tx, permit, proposal).await? {
        Decision::Now(loosened) => {
            demote(env, tx, &loosened).await?;
            Ok(Changed::Now)
        }
        Decision::Held(hold) => Ok(Changed::Held(hold)),
    }
}

/// An Owner becomes a Maintainer.
///
/// # Errors
/// `Hidden` when the role is over; `Invalid` when it is the last Owner that can be reached by now.
pub(crate) async fn demote(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, DemoteOwner>) -> Result<(), Refused> {
    let permit = loosened.permit();
    let held = held_role(tx, *permit.on()).await?;
    check_is(&held, Role::Owner)?;
    check_works(tx, &held).await?;
    check_not_last(env, tx, &held).await?;
    swap(env, tx, permit, &held, (Role::Maintainer, permit.event())).await
}

/// The row is closed and another begins. More power is as young as the change, and who gives it answers for it. Who becomes less stays
/// what somebody made of him: the grant is copied with its age, or a stolen one would be laundered by a demotion (R15, R16).
async fn swap<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, held: &Held, (to, by): (Role, EventId)) -> Result<(), Refused> {
    end_role(tx, held.row.id, by).await?;
    let giver = permit.actor().account().filter(|_| to == Role::Owner);
    let new = NewRole { project: held.project.id, account: held.row.account_id, role: to, giver, by };
    let id = begin_role(env, tx, new).await?;
    if to == Role::Maintainer
        && let Some(grant) = role_grants::Entity::find_by_id(held.row.id).one(tx.connection()).await?
    {
        let grant = role_grants::ActiveModel { role_id: Set(id), account_id: Set(grant.account_id), from_at: Set(grant.from_at) };
        grant.insert(tx.connection()).await?;
    }
    let event = RoleChanged {
        username: held.username.clone(),
        before: held.row.role.clone(),
        role: word(to).to_owned(),
        project: held.project.name.clone(),
    };
    events::record(env, tx, permit, Entry::of(event).about(held.row.account_id).on_project(held.project.id)).await?;
    Ok(())
}
