//! Offering a role: a grant by a proof for this one act (R2), which may have to wait (R3); bound to the invited account, for seven days.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};

use super::super::holders::collaborators;
use super::super::roles::by_name;
use super::{INVITATION, answer, concerned, word};
use crate::accounts;
use crate::act;
use crate::cases;
use crate::clock::Time;
use crate::db::entities::{accounts as account_rows, invitations, projects};
use crate::db::{Read, Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, RoleInvited};
use crate::holds::{self, Grant, Passed};
use crate::ids::{AccountId, ActId, EventId, HoldId, InvitationId, ProjectId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Actor, Denied, InviteCollaborator, Permit, Resource, Role, Situation, State, standing};
use crate::refused::{Invalid, Refused};
use crate::resources::{Invitee, ManagedProject};
use crate::signin::acts;

impl Resource for Invitee {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        ManagedProject(self.0.clone()).situation(read, actor).await
    }

    async fn lock(&self, tx: &Tx, actor: &Actor) -> Result<(), Refused> {
        ManagedProject(self.0.clone()).lock(tx, actor).await
    }
}

/// What became of inviting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    /// The invitation stands.
    Now,
    /// It waits as this hold (R3); when that was served, the same may be asked once more.
    Held(HoldId),
}

/// What the proof is bound to besides project and name.
#[must_use]
pub fn parameters(username: &str, role: Role) -> serde_json::Value {
    serde_json::json!({ "form": "invite", "username": username, "role_name": word(role) })
}

/// What the page that asks for the proof says.
#[must_use]
pub fn sentence(on: &Invitee, role: Role) -> String {
    format!("Invite {} to {} as {}", on.1, on.0.as_str(), word(role))
}

/// Offers somebody a role.
///
/// # Errors
/// `Invalid` for a name that nobody has, an account without a verified address, or one that is invited or holds a role already;
/// `NeedsProof` without a proof for this act (R2); `Limited`; `Barred` after a veto (R10).
pub async fn invite(env: &Env, actor: &Actor, on: Invitee, role: Role, act: Option<ActId>) -> Result<Invited, Refused> {
    if let (Some(account), Some(_)) = (actor.account(), act) {
        drop(limits::take(env, Limit::Invite, &Whom::account(account, None)).await?);
    }
    let inner = env.clone();
    act::act::<InviteCollaborator, _, _>(env, actor, on, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { ask(&env, tx, permit, role, act).await })
    })
    .await
}

async fn ask(env: &Env, tx: &mut Tx, permit: &Permit<InviteCollaborator>, role: Role, act: Option<ActId>) -> Result<Invited, Refused> {
    let on = permit.on();
    let inviter = permit.actor().account().ok_or(Denied::NotValid)?;
    let project = by_name(tx, on.0.normalized().as_str()).await?.ok_or(Denied::Hidden)?;
    cases::check_pause(tx, permit.actor(), project.id).await?;
    let invitee = find(tx, &project, &on.1).await?;
    let bound = parameters(&on.1, role);
    let proof = acts::spend(env, tx, permit, act, &bound).await?;
    let people = concerned(env, tx, project.id, (inviter, inviter)).await?;
    let grant = Grant { proof, parameters: bound, description: sentence(on, role) };
    if let Passed::Held(hold) = holds::pass_on(env, tx, permit, grant, (Some(project.id), people)).await? {
        return Ok(Invited::Held(hold));
    }
    write(env, tx, permit, (&project, &invitee), role).await?;
    Ok(Invited::Now)
}

/// The account that can be invited.
async fn find(tx: &Tx, project: &projects::Model, typed: &str) -> Result<account_rows::Model, Refused> {
    let refuse = |message: String| Refused::from(Invalid::new("username", message));
    let nobody = || refuse(format!("No account has the user name “{typed}”."));
    let account = accounts::by_username(tx, typed).await?.ok_or_else(nobody)?;
    let is = standing(tx, account.id, None).await?;
    if matches!(is.state, State::Absent | State::Deleted) {
        return Err(nobody());
    }
    if !is.verified {
        return Err(refuse(format!("{} has no verified primary address, and cannot be invited before that.", account.username)));
    }
    if collaborators(tx, project.id).await?.iter().any(|one| one.account == account.id) {
        return Err(refuse(format!("{} holds a role on {} already.", account.username, project.name)));
    }
    if open_until(tx, project.id, account.id).await?.is_some_and(|until| until > tx.now()) {
        return Err(refuse(format!(
            "{} is invited to {} already. Take that invitation back to change it.",
            account.username, project.name
        )));
    }
    Ok(account)
}

const OPEN: &str = "SELECT expires_at FROM invitations WHERE project_id = $1 AND account_id = $2 AND until_at IS NULL";

async fn open_until(tx: &Tx, project: ProjectId, account: AccountId) -> Result<Option<Time>, Refused> {
    let row = tx.row(OPEN, vec![Value::from(project), Value::from(account)]).await?;
    Ok(row.map(|row| row.try_get("", "expires_at")).transpose()?)
}

/// One that nobody answered in time makes room for the next, where the job was not there before.
async fn make_room(tx: &Tx, (project, invitee): (ProjectId, AccountId), by: EventId) -> Result<Option<invitations::Model>, Refused> {
    let open = invitations::Entity::find()
        .filter(invitations::Column::ProjectId.eq(project))
        .filter(invitations::Column::AccountId.eq(invitee))
        .filter(invitations::Column::UntilAt.is_null());
    let Some(row) = open.one(tx.connection()).await? else { return Ok(None) };
    Ok(if answer::end_expired(tx, row.id, by).await? { Some(row) } else { None })
}

async fn write(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<InviteCollaborator>,
    (project, invitee): (&projects::Model, &account_rows::Model),
    role: Role,
) -> Result<(), Refused> {
    let inviter = permit.actor().account().ok_or(Denied::NotValid)?;
    let expired = make_room(tx, (project.id, invitee.id), permit.event()).await?;
    let id = InvitationId::new(tx.now(), &*env.entropy);
    let row = invitations::ActiveModel {
        id: Set(id),
        project_id: Set(project.id),
        account_id: Set(invitee.id),
        inviter_id: Set(inviter),
        role: Set(word(role).to_owned()),
        from_at: Set(tx.now()),
        expires_at: Set(tx.now().plus(INVITATION)),
        until_at: Set(None),
        outcome: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
    };
    row.insert(tx.connection()).await?;
    let event = RoleInvited {
        invitation: id.to_string(),
        username: invitee.username.clone(),
        role: word(role).to_owned(),
        project: project.name.clone(),
    };
    events::record(env, tx, permit, Entry::of(event).about(invitee.id).on_project(project.id)).await?;
    if let Some(row) = expired {
        answer::record_expired(env, tx, permit, row).await?;
    }
    Ok(())
}

/// An open invitation, as owners see it.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Who is invited.
    pub account: AccountId,
    /// The user name.
    pub username: String,
    /// Owner or Maintainer.
    pub role: String,
    /// Who invited.
    pub inviter: String,
    /// When.
    pub from_at: Time,
    /// Until when it can be accepted; past where nobody answered.
    pub expires_at: Time,
}

const PENDING: &str = "SELECT i.account_id AS account_id, a.username AS username, i.role AS role, b.username AS inviter, \
    i.from_at AS from_at, i.expires_at AS expires_at FROM invitations i JOIN accounts a ON a.id = i.account_id \
    JOIN accounts b ON b.id = i.inviter_id WHERE i.project_id = $1 AND i.until_at IS NULL ORDER BY i.id DESC LIMIT 500";

/// The invitations to a project that nobody answered yet, newest first.
///
/// # Errors
/// The database.
pub async fn pending(read: &Read, project: ProjectId) -> Result<Vec<Invitation>, Refused> {
    let mut found = Vec::new();
    for row in read.rows(PENDING, vec![Value::from(project)]).await? {
        found.push(Invitation {
            account: row.try_get("", "account_id")?,
            username: row.try_get("", "username")?,
            role: row.try_get("", "role")?,
            inviter: row.try_get("", "inviter")?,
            from_at: row.try_get("", "from_at")?,
            expires_at: row.try_get("", "expires_at")?,
        });
    }
    Ok(found)
}
