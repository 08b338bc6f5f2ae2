//! A project as those see it who hold a role on it: who may manage it, and what its pages show above everything else.

use sea_orm::Value;

use super::names;
use super::roles::by_name;
use crate::clock::Time;
use crate::db::{Reading, Tx};
use crate::holds;
use crate::ids::{AccountId, EventId, ProjectId, RoleId};
use crate::policy::{Action, Actor, Denied, Permit, Resource, Role, Situation, Who};
use crate::refused::Refused;
use crate::resources::ManagedProject;

impl Resource for ManagedProject {
    /// Whoever holds no role on it is told that nothing is there. Whose role is suspended sees it, and is concerned.
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let Some(project) = by_name(read, self.0.normalized().as_str()).await? else { return Ok(Situation::hidden()) };
        let roles = match &actor.who {
            Who::Account(account) => roles_of(read, project.id, *account).await?,
            Who::Operator(_) => vec![Role::Operator],
            Who::Worker(_) => vec![Role::Worker],
            Who::Nobody => Vec::new(),
        };
        Ok(if roles.is_empty() { Situation::hidden() } else { Situation::holding(roles) })
    }

    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        names::lock(tx, &self.0).await
    }
}

/// What an account is to a project: its role, or `Concerned` where that is suspended.
pub(super) async fn roles_of<R: Reading>(read: &R, project: ProjectId, account: AccountId) -> Result<Vec<Role>, Refused> {
    let held = collaborators(read, project).await?.into_iter().filter(|one| one.account == account);
    Ok(held.map(|one| if one.suspended.is_some() { Role::Concerned } else { one.role }).collect())
}

/// Why a role gives nothing at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspended {
    /// A change that waits suspended it (R8, R11), or staff.
    ByAct,
    /// Who gave it within 30 days before was stopped since (R15).
    GiverStopped,
}

/// Somebody who holds a role on a project.
#[derive(Clone, Debug)]
pub struct Collaborator {
    /// The role.
    pub id: RoleId,
    /// Whose it is.
    pub account: AccountId,
    /// The user name.
    pub username: String,
    /// Owner or Maintainer.
    pub role: Role,
    /// Whether the project was created with it.
    pub founding: bool,
    /// Since when.
    pub from_at: Time,
    /// Whether it gives nothing at the moment, and why.
    pub suspended: Option<Suspended>,
}

const COLLABORATORS: &str = "SELECT r.id AS id, r.account_id AS account_id, a.username AS username, r.role AS role, \
    r.founding AS founding, r.from_at AS from_at, \
    EXISTS (SELECT 1 FROM suspensions s WHERE s.what_id = r.id AND s.what = 'role' AND s.until_at IS NULL) AS by_act, \
    EXISTS (SELECT 1 FROM role_grants g JOIN account_causes c ON c.account_id = g.account_id WHERE g.role_id = r.id \
    AND c.until_at IS NULL AND c.kind IN ('contained', 'frozen') AND r.from_at > c.from_at - 2592000000000) AS by_giver \
    FROM roles r JOIN accounts a ON a.id = r.account_id WHERE r.project_id = $1 AND r.until_at IS NULL ORDER BY r.from_at, r.id";

/// Everybody who holds a role on a project, the oldest first.
///
/// # Errors
/// The database.
pub async fn collaborators<R: Reading>(read: &R, project: ProjectId) -> Result<Vec<Collaborator>, Refused> {
    let mut found = Vec::new();
    for row in read.rows(COLLABORATORS, vec![Value::from(project)]).await? {
        let role: String = row.try_get("", "role")?;
        let suspended = match (row.try_get("", "by_act")?, row.try_get("", "by_giver")?) {
            (true, _) => Some(Suspended::ByAct),
            (false, true) => Some(Suspended::GiverStopped),
            (false, false) => None,
        };
        found.push(Collaborator {
            id: row.try_get("", "id")?,
            account: row.try_get("", "account_id")?,
            username: row.try_get("", "username")?,
            role: if role == "Owner" { Role::Owner } else { Role::Maintainer },
            founding: row.try_get("", "founding")?,
            from_at: row.try_get("", "from_at")?,
            suspended,
        });
    }
    Ok(found)
}

/// What stands above every page of a project.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The project.
    pub id: ProjectId,
    /// Its display name.
    pub name: String,
    /// Its normalized name.
    pub normalized: String,
    /// When it came into being, and by which event.
    pub created_at: Time,
    /// The event of its first file.
    pub began_by: EventId,
    /// Everybody who holds a role on it.
    pub collaborators: Vec<Collaborator>,
    /// The role of who looks.
    pub own: Option<Collaborator>,
    /// The changes of it that wait.
    pub waiting: Vec<holds::Line>,
}

/// The project of a permit, for its pages.
///
/// # Errors
/// The database.
pub async fn overview<R: Reading, A: Action<On = ManagedProject>>(read: &R, permit: &Permit<A>) -> Result<Overview, Refused> {
    let project = by_name(read, permit.on().0.normalized().as_str()).await?.ok_or(Denied::Hidden)?;
    let viewer = permit.actor().account().ok_or(Denied::NotValid)?;
    let collaborators = collaborators(read, project.id).await?;
    let own = collaborators.iter().find(|one| one.account == viewer).cloned();
    let waiting = holds::on_project(read, project.id, viewer).await?;
    Ok(Overview {
        id: project.id,
        name: project.name,
        normalized: project.normalized,
        created_at: project.created_at,
        began_by: project.began_by,
        collaborators,
        own,
        waiting,
    })
}
