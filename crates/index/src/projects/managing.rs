//! A project as those see it who hold a role on it: who may manage it, and what its pages show above everything else.

pub use super::holders::{Collaborator, Suspended, collaborators};
use super::names;
use super::roles::by_name;
use crate::clock::Time;
use crate::db::{Reading, Tx};
use crate::holds;
use crate::ids::{AccountId, EventId, ProjectId};
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
