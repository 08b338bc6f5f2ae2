//! Answering an invitation: accepted only by the invited account, with a proof for this one act, while who invited still may; declined
//! or taken back in one request.

use sea_orm::{EntityTrait, Value};

use super::super::holders::collaborators;
use super::super::roles::{by_name, held};
use super::{NewRole, begin_role, project_of, read_role, username_of, word};
use crate::act;
use crate::clock::Time;
use crate::db::entities::invitations;
use crate::db::{Read, Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, InvitationDeclined, InvitationExpired, InvitationRevoked, RoleAdded};
use crate::holds::{self, Grant, Passed};
use crate::ids::{AccountId, ActId, EventId, HoldId, InvitationId, RoleId};
use crate::policy::{
    AcceptInvitation, Action, Actor, DeclineInvitation, Denied, ExpireInvitation, Permit, Resource, RevokeInvitation, Role, SeeInvitation,
    SeeProjects, Situation, State, Who, standing,
};
use crate::refused::{Invalid, Refused};
use crate::resources::ManagedProject;
use crate::signin::acts;

impl Resource for InvitationId {
    /// It is there for the invited account alone; owners take one back on the project, and a job ends what nobody answers.
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let row = invitations::Entity::find_by_id(*self).one(read.connection()).await?;
        Ok(match row {
            Some(_) if matches!(actor.who, Who::Worker(_)) => Situation::holding(vec![Role::Worker]),
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }

    /// The project's row: all changes of its roles wait for each other.
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        let sql =
            format!("SELECT 1 AS one FROM projects WHERE id = (SELECT i.project_id FROM invitations i WHERE i.id = $1){}", tx.lock(true));
        tx.row(&sql, vec![Value::from(*self)]).await?;
        Ok(())
    }
}

/// What became of accepting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The role stands.
    Now(RoleId),
    /// It waits as this hold (R3); when that was served, it may be accepted once more.
    Held(HoldId),
}

/// What the proof is bound to besides the invitation.
#[must_use]
pub fn parameters(invitation: InvitationId) -> serde_json::Value {
    serde_json::json!({ "form": "accept", "invitation": invitation.to_string() })
}

/// The invitation that a proof of this session was asked for.
///
/// # Errors
/// The database.
pub async fn asked(env: &Env, actor: &Actor, act: ActId) -> Result<Option<InvitationId>, Refused> {
    let read = env.db.read(env.now()).await?;
    let found = acts::parameters(&read, actor, act).await?;
    Ok(found.and_then(|found| InvitationId::parse(found["invitation"].as_str()?)))
}

/// Accepts an invitation.
///
/// # Errors
/// `Hidden` for anybody but the invited account; `Invalid` when it is over or who invited may not any more; `NeedsProof` (R2).
pub async fn accept(env: &Env, actor: &Actor, invitation: InvitationId, act: Option<ActId>) -> Result<Accepted, Refused> {
    let inner = env.clone();
    act::act::<AcceptInvitation, _, _>(env, actor, invitation, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { take(&env, tx, permit, act).await })
    })
    .await
}

async fn take(env: &Env, tx: &mut Tx, permit: &Permit<AcceptInvitation>, act: Option<ActId>) -> Result<Accepted, Refused> {
    let row = open(tx, *permit.on()).await?;
    if tx.row(PAUSED, vec![Value::from(row.id)]).await?.is_some() {
        return Err(Invalid::new("", "This invitation is paused: who invited you has to decide about it first.").into());
    }
    check_alarm(tx, &row).await?;
    let project = project_of(tx, row.project_id).await?;
    check_inviter(tx, &row).await?;
    check_no_role(tx, &row, &project.name).await?;
    let role = read_role(&row.role)?;
    let bound = parameters(row.id);
    let proof = acts::spend(env, tx, permit, act, &bound).await?;
    let description = format!("Accept the invitation to {} as {}", project.name, row.role);
    if let Passed::Held(hold) = holds::pass(env, tx, permit, Grant { proof, parameters: bound, description }).await? {
        return Ok(Accepted::Held(hold));
    }
    close(tx, row.id, "accepted", permit.event()).await?;
    let new = NewRole { project: project.id, account: row.account_id, role, giver: Some(row.inviter_id), by: permit.event() };
    let id = begin_role(env, tx, new).await?;
    let event = RoleAdded { username: username_of(tx, row.account_id).await?, role: word(role).to_owned(), project: project.name.clone() };
    events::record(env, tx, permit, Entry::of(event).about(row.account_id).on_project(project.id)).await?;
    Ok(Accepted::Now(id))
}

/// The invitation, while it can be answered.
async fn open<R: Reading>(read: &R, invitation: InvitationId) -> Result<invitations::Model, Refused> {
    let row = invitations::Entity::find_by_id(invitation).one(read.connection()).await?.ok_or(Denied::Hidden)?;
    if row.until_at.is_some() || row.expires_at <= read.now() {
        return Err(Invalid::new("", "This invitation is over. Ask an owner of the project for a new one.").into());
    }
    Ok(row)
}

/// What its inviter doubted after having been phished gives nothing until it was decided about (R15).
const PAUSED: &str = "SELECT 1 AS one FROM suspensions WHERE what_id = $1 AND what = 'invitation' AND until_at IS NULL LIMIT 1";

/// What made it was paused on the project since, by an alarm (R14).
const ALARMED: &str = "SELECT 1 AS one FROM invitations i JOIN events e ON e.id = i.began_by \
    JOIN pauses x ON x.credential_id = e.credential_id AND x.project_id = i.project_id WHERE i.id = $1 AND x.expires_at > $2 LIMIT 1";

/// The alarm about an invitation would be worth nothing if it were accepted meanwhile.
async fn check_alarm<R: Reading>(read: &R, row: &invitations::Model) -> Result<(), Refused> {
    if read.row(ALARMED, vec![Value::from(row.id), Value::from(read.now())]).await?.is_none() {
        return Ok(());
    }
    let message =
        "This invitation is paused: an owner of the project raised the alarm about what it was made with. Ask an owner of the project.";
    Err(Invalid::new("", message).into())
}

/// Who invited must be able to invite now: neither stopped nor asleep, and an Owner whose role gives something (R13, R15).
async fn check_inviter<R: Reading>(read: &R, row: &invitations::Model) -> Result<(), Refused> {
    let inviter = standing(read, row.inviter_id, None).await?;
    let able = inviter.state == State::Active && inviter.verified && inviter.factor && !inviter.asleep;
    if able && held(read, row.project_id, row.inviter_id).await?.contains(&Role::Owner) {
        return Ok(());
    }
    Err(Invalid::new("", "Who invited you may not do so any more. Ask an owner of the project for a new invitation.").into())
}

/// Who came to a role another way meanwhile (a restore puts roles back) keeps that one.
async fn check_no_role<R: Reading>(read: &R, row: &invitations::Model, project: &str) -> Result<(), Refused> {
    if collaborators(read, row.project_id).await?.iter().all(|one| one.account != row.account_id) {
        return Ok(());
    }
    Err(Invalid::new("", format!("You hold a role on {project} already. Ask an owner of it to change that one.")).into())
}

const CLOSE: &str = "UPDATE invitations SET until_at = $2, outcome = $3, ended_by = $4 WHERE id = $1 AND until_at IS NULL";

/// Ends an open invitation.
pub(super) async fn close(tx: &Tx, invitation: InvitationId, outcome: &str, by: EventId) -> Result<(), Refused> {
    let values = vec![Value::from(invitation), Value::from(tx.now()), Value::from(outcome), Value::from(by)];
    if tx.execute(CLOSE, values).await? != 1 {
        return Err(Denied::Hidden.into());
    }
    Ok(())
}

/// Declines an invitation; all owners are told.
///
/// # Errors
/// `Hidden` for anybody but the invited account; `Invalid` when it is over.
pub async fn decline(env: &Env, actor: &Actor, invitation: InvitationId) -> Result<(), Refused> {
    let inner = env.clone();
    act::act::<DeclineInvitation, _, _>(env, actor, invitation, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let row = open(tx, *permit.on()).await?;
            let project = project_of(tx, row.project_id).await?;
            close(tx, row.id, "declined", permit.event()).await?;
            let username = username_of(tx, row.account_id).await?;
            let event = InvitationDeclined { username, role: row.role, project: project.name };
            events::record(&env, tx, permit, Entry::of(event).about(row.account_id).on_project(row.project_id)).await?;
            Ok(())
        })
    })
    .await
}

const OF_INVITEE: &str = "SELECT id FROM invitations WHERE project_id = $1 AND account_id = $2 AND until_at IS NULL";

/// Takes an invitation back: always possible for an Owner (R19).
///
/// # Errors
/// `Hidden` where the account is not invited; `NoRole`.
pub async fn revoke(env: &Env, actor: &Actor, on: ManagedProject, invitee: AccountId) -> Result<(), Refused> {
    let inner = env.clone();
    act::act::<RevokeInvitation, _, _>(env, actor, on, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let project = by_name(tx, permit.on().0.normalized().as_str()).await?.ok_or(Denied::Hidden)?;
            let row = tx.row(OF_INVITEE, vec![Value::from(project.id), Value::from(invitee)]).await?.ok_or(Denied::Hidden)?;
            let id: InvitationId = row.try_get("", "id")?;
            let role = invitations::Entity::find_by_id(id).one(tx.connection()).await?.ok_or(Denied::Hidden)?.role;
            close(tx, id, "revoked", permit.event()).await?;
            let event = InvitationRevoked { username: username_of(tx, invitee).await?, role, project: project.name };
            events::record(&env, tx, permit, Entry::of(event).about(invitee).on_project(project.id)).await?;
            Ok(())
        })
    })
    .await
}

const EXPIRED: &str = "SELECT id FROM invitations WHERE until_at IS NULL AND expires_at <= $1 ORDER BY expires_at, id LIMIT 200";

/// Invitations that nobody answered in time and that are still open, the oldest first, at most two hundred.
///
/// # Errors
/// The database.
pub(crate) async fn expired<R: Reading>(read: &R) -> Result<Vec<InvitationId>, Refused> {
    let rows = read.rows(EXPIRED, vec![Value::from(read.now())]).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Ends one that nobody answered in time; false when it is over, or was ended meanwhile.
///
/// # Errors
/// The database.
pub(crate) async fn expire(env: &Env, worker: &Actor, invitation: InvitationId) -> Result<bool, Refused> {
    let inner = env.clone();
    act::act::<ExpireInvitation, _, _>(env, worker, invitation, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let row = invitations::Entity::find_by_id(*permit.on()).one(tx.connection()).await?.ok_or(Denied::Hidden)?;
            let ended = end_expired(tx, row.id, permit.event()).await?;
            if ended {
                record_expired(&env, tx, permit, row).await?
            } else {
                tx.leave_as_it_was()
            }
            Ok(ended)
        })
    })
    .await
}

/// Ends the row, if nobody answered it in time and nobody has ended it before: whoever does it records it, once.
pub(super) async fn end_expired(tx: &Tx, invitation: InvitationId, by: EventId) -> Result<bool, Refused> {
    const END: &str = "UPDATE invitations SET until_at = $2, outcome = 'expired', ended_by = $3 \
        WHERE id = $1 AND until_at IS NULL AND expires_at <= $2";
    Ok(tx.execute(END, vec![Value::from(invitation), Value::from(tx.now()), Value::from(by)]).await? == 1)
}

/// Records that an invitation ended unanswered.
pub(super) async fn record_expired<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, row: invitations::Model) -> Result<(), Refused> {
    let (username, project) = (username_of(tx, row.account_id).await?, project_of(tx, row.project_id).await?.name);
    let event = InvitationExpired { username, role: row.role, project };
    events::record(env, tx, permit, Entry::of(event).about(row.account_id).on_project(row.project_id)).await?;
    Ok(())
}

/// An invitation, as the invited account sees it.
#[derive(Clone, Debug)]
pub struct Mine {
    /// Which one.
    pub id: InvitationId,
    /// The project, by its display name.
    pub project: String,
    /// The same, normalized.
    pub normalized: String,
    /// Owner or Maintainer.
    pub role: String,
    /// Who invited.
    pub inviter: String,
    /// When.
    pub from_at: Time,
    /// Until when it can be accepted.
    pub expires_at: Time,
    /// Whether it was answered, taken back, or nobody answered in time.
    pub over: bool,
}

const MINE: &str = "SELECT i.id AS id, p.name AS name, p.normalized AS normalized, i.role AS role, b.username AS inviter, \
    i.from_at AS from_at, i.expires_at AS expires_at, i.until_at AS until_at FROM invitations i JOIN projects p ON p.id = i.project_id \
    JOIN accounts b ON b.id = i.inviter_id WHERE i.account_id = $1 AND i.until_at IS NULL AND i.expires_at > $2 ORDER BY i.id DESC LIMIT 100";
const ONE: &str = "SELECT i.id AS id, p.name AS name, p.normalized AS normalized, i.role AS role, b.username AS inviter, \
    i.from_at AS from_at, i.expires_at AS expires_at, i.until_at AS until_at FROM invitations i JOIN projects p ON p.id = i.project_id \
    JOIN accounts b ON b.id = i.inviter_id WHERE i.id = $1";

/// The invitations to the permit's account that can be answered, newest first.
///
/// # Errors
/// The database.
pub async fn mine(read: &Read, permit: &Permit<SeeProjects>) -> Result<Vec<Mine>, Refused> {
    let rows = read.rows(MINE, vec![Value::from(*permit.on()), Value::from(read.now())]).await?;
    rows.iter().map(|row| line(read, row)).collect()
}

/// The invitation of the permit.
///
/// # Errors
/// The database.
pub async fn invitation(read: &Read, permit: &Permit<SeeInvitation>) -> Result<Mine, Refused> {
    let row = read.row(ONE, vec![Value::from(*permit.on())]).await?.ok_or(Denied::Hidden)?;
    line(read, &row)
}

fn line(read: &Read, row: &sea_orm::QueryResult) -> Result<Mine, Refused> {
    let (expires_at, until_at): (Time, Option<Time>) = (row.try_get("", "expires_at")?, row.try_get("", "until_at")?);
    Ok(Mine {
        id: row.try_get("", "id")?,
        project: row.try_get("", "name")?,
        normalized: row.try_get("", "normalized")?,
        role: row.try_get("", "role")?,
        inviter: row.try_get("", "inviter")?,
        from_at: row.try_get("", "from_at")?,
        expires_at,
        over: until_at.is_some() || expires_at <= read.now(),
    })
}
