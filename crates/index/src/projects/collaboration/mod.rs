//! Who holds which role on a project: invited, accepted, promoted, demoted, removed, left.
//!
//! What takes an Owner's protection away waits as a hold that everybody concerned may stop (R7, R8, R11); a Maintainer goes at once.
//! The last Owner that can be reached never goes. Who owns what at which time is in the rows, which are closed and never overwritten.

mod answer; // accepting, declining, taking back
mod change; // Maintainer to Owner, Owner to Maintainer
pub mod given; // what an account gave in 30 days (R15, R16)
mod invite; // offering a role
mod remove; // removing and leaving

use std::time::Duration;

use formats::name::ProjectName;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};

pub use answer::{Accepted, Mine, accept, asked, decline, invitation, mine, parameters as accepting, revoke};
pub(crate) use answer::{expire, expired};
pub(crate) use change::demote;
pub use change::{Changed, change, parameters as changing, sentence as change_sentence};
pub use invite::{Invitation, Invited, invite, parameters as inviting, pending, sentence as invite_sentence};
pub(crate) use remove::take_away;
pub use remove::{Removed, parameters as removing, remove, sentence as remove_sentence};

use super::holders::{Collaborator, collaborators};
use super::managing::roles_of;
use crate::accounts;
use crate::accounts::settled::is_role_settled;
use crate::db::entities::{projects, role_grants, roles};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::holds::Person;
use crate::ids::{AccountId, EventId, ProjectId, RoleId};
use crate::policy::{Actor, Denied, Resource, Role, Situation, Who};
use crate::refused::{Invalid, Refused};

/// How long an invitation can be accepted.
pub const INVITATION: Duration = Duration::from_secs(7 * 86_400);

impl Resource for RoleId {
    /// What the actor is to the role's project; and `Oneself` for whose role it is, suspended or not.
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let Some(row) = open_role(read, *self).await? else { return Ok(Situation::hidden()) };
        let mut roles = match &actor.who {
            Who::Account(account) => roles_of(read, row.project_id, *account).await?,
            Who::Operator(_) => vec![Role::Operator],
            Who::Worker(_) => vec![Role::Worker],
            Who::Nobody => Vec::new(),
        };
        if actor.account() == Some(row.account_id) {
            roles.push(Role::Oneself);
        }
        Ok(if roles.is_empty() { Situation::hidden() } else { Situation::holding(roles) })
    }

    /// The project's row: all changes of its roles wait for each other.
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        let sql = format!("SELECT 1 AS one FROM projects WHERE id = (SELECT r.project_id FROM roles r WHERE r.id = $1){}", tx.lock(true));
        tx.row(&sql, vec![Value::from(*self)]).await?;
        Ok(())
    }
}

async fn open_role<R: Reading>(read: &R, role: RoleId) -> Result<Option<roles::Model>, Refused> {
    Ok(roles::Entity::find_by_id(role).filter(roles::Column::UntilAt.is_null()).one(read.connection()).await?)
}

const OF_PROJECT: &str = "SELECT a.username AS username FROM roles r JOIN projects p ON p.id = r.project_id \
    JOIN accounts a ON a.id = r.account_id WHERE r.id = $1 AND p.normalized = $2 AND r.until_at IS NULL";

/// Whose role it is, when it is an open one of this project; roles are public.
///
/// # Errors
/// The database.
pub async fn of_project(env: &Env, project: &ProjectName, role: RoleId) -> Result<Option<String>, Refused> {
    let read = env.db.read(env.now()).await?;
    let row = read.row(OF_PROJECT, vec![Value::from(role), Value::from(project.normalized().as_str())]).await?;
    Ok(row.map(|row| row.try_get("", "username")).transpose()?)
}

/// An open role with the names that sentences about it need.
struct Held {
    row: roles::Model,
    project: projects::Model,
    username: String,
}

async fn held_role<R: Reading>(read: &R, role: RoleId) -> Result<Held, Refused> {
    let row = open_role(read, role).await?.ok_or(Denied::Hidden)?;
    let project = project_of(read, row.project_id).await?;
    let username = username_of(read, row.account_id).await?;
    Ok(Held { row, project, username })
}

async fn project_of<R: Reading>(read: &R, project: ProjectId) -> Result<projects::Model, Refused> {
    Ok(projects::Entity::find_by_id(project).one(read.connection()).await?.ok_or(Denied::Hidden)?)
}

async fn username_of<R: Reading>(read: &R, account: AccountId) -> Result<String, Refused> {
    Ok(accounts::by_id(read, account).await?.map(|row| row.username).unwrap_or_default())
}

/// The word of a role in rows, forms and sentences.
#[must_use]
pub const fn word(role: Role) -> &'static str {
    if matches!(role, Role::Owner) { "Owner" } else { "Maintainer" }
}

/// Reads the field `role_name`.
///
/// # Errors
/// `Invalid` for anything but the two roles.
pub fn read_role(text: &str) -> Result<Role, Invalid> {
    match text {
        "Owner" => Ok(Role::Owner),
        "Maintainer" => Ok(Role::Maintainer),
        _ => Err(Invalid::new("role_name", "Choose Owner or Maintainer.")),
    }
}

fn is_settled(env: &Env, read: &impl Reading, one: &Collaborator) -> bool {
    is_role_settled(env, read.now(), one.from_at, one.founding)
}

/// Whether the role of an account on a project is settled and gives something.
async fn is_senior<R: Reading>(env: &Env, read: &R, project: ProjectId, account: AccountId) -> Result<bool, Refused> {
    let all = collaborators(read, project).await?;
    Ok(all.iter().any(|one| one.account == account && one.suspended.is_none() && is_settled(env, read, one)))
}

/// Everybody concerned by a change of roles: whose power changes, the settled Owners, and who proposes. Nothing unsettled vetoes what a
/// settled Owner proposes (R11).
async fn concerned<R: Reading>(
    env: &Env,
    read: &R,
    project: ProjectId,
    (subject, proposer): (AccountId, AccountId),
) -> Result<Vec<Person>, Refused> {
    let all = collaborators(read, project).await?;
    let settled = |one: &Collaborator| is_settled(env, read, one);
    let by_settled = all.iter().any(|one| one.account == proposer && one.role == Role::Owner && settled(one));
    let matters = |one: &&Collaborator| one.account == subject || one.account == proposer || (one.role == Role::Owner && settled(one));
    let person = |one: &Collaborator| Person { account: one.account, settled: settled(one), may_veto: settled(one) || !by_settled };
    Ok(all.iter().filter(matters).map(person).collect())
}

/// Owners besides this role who can be reached: stopped ones count, and deleted ones whose account can still be put back.
const OTHERS: &str = "SELECT 1 AS one FROM roles r JOIN accounts a ON a.id = r.account_id \
    WHERE r.project_id = $1 AND r.role = 'Owner' AND r.until_at IS NULL AND r.id <> $2 \
    AND (a.password_hash IS NOT NULL OR a.password_disabled_at IS NOT NULL) \
    AND NOT EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = a.id AND c.kind = 'deleted' AND c.until_at IS NULL \
    AND c.from_at <= $3) LIMIT 1";

async fn is_last_owner<R: Reading>(env: &Env, read: &R, row: &roles::Model) -> Result<bool, Refused> {
    let retention = Duration::from_secs(u64::from(env.config.retention_days) * 86_400);
    let values = vec![Value::from(row.project_id), Value::from(row.id), Value::from(read.now().minus(retention))];
    Ok(row.role == "Owner" && read.row(OTHERS, values).await?.is_none())
}

async fn check_not_last<R: Reading>(env: &Env, read: &R, held: &Held) -> Result<(), Refused> {
    if is_last_owner(env, read, &held.row).await? {
        let message =
            format!("{} is the last Owner of {} that can be reached. Make somebody else an Owner first.", held.username, held.project.name);
        return Err(Invalid::new("", message).into());
    }
    Ok(())
}

/// Who gives a role to whom, on what, by which event.
struct NewRole {
    project: ProjectId,
    account: AccountId,
    role: Role,
    /// Nobody, where power only shrinks.
    giver: Option<AccountId>,
    by: EventId,
}

async fn begin_role(env: &Env, tx: &Tx, new: NewRole) -> Result<RoleId, Refused> {
    let id = RoleId::new(tx.now(), &*env.entropy);
    let row = roles::ActiveModel {
        id: Set(id),
        project_id: Set(new.project),
        account_id: Set(new.account),
        role: Set(word(new.role).to_owned()),
        founding: Set(false),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(new.by),
        ended_by: Set(None),
    };
    row.insert(tx.connection()).await?;
    if let Some(giver) = new.giver {
        let grant = role_grants::ActiveModel { role_id: Set(id), account_id: Set(giver), from_at: Set(tx.now()) };
        grant.insert(tx.connection()).await?;
    }
    Ok(id)
}

async fn end_role(tx: &Tx, role: RoleId, by: EventId) -> Result<(), Refused> {
    const END: &str = "UPDATE roles SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
    if tx.execute(END, vec![Value::from(role), Value::from(tx.now()), Value::from(by)]).await? != 1 {
        return Err(Denied::Hidden.into());
    }
    Ok(())
}
