//! Who holds which role on a project, and what a token's caveats leave of it.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use crate::db::entities::{projects, roles};
use crate::db::{Reading, Tx};
use crate::ids::{AccountId, ProjectId};
use crate::policy::{Actor, Denied, Resource, Role, Situation};
use crate::refused::Refused;
use crate::resources::ProjectOrNew;

/// The project with this normalized name.
///
/// # Errors
/// The database.
pub async fn by_name<R: Reading>(read: &R, normalized: &str) -> Result<Option<projects::Model>, Refused> {
    Ok(projects::Entity::find().filter(projects::Column::Normalized.eq(normalized)).one(read.connection()).await?)
}

/// The roles that an account holds on a project.
///
/// # Errors
/// The database.
pub async fn held<R: Reading>(read: &R, project: ProjectId, account: AccountId) -> Result<Vec<Role>, Refused> {
    let rows = roles::Entity::find()
        .filter(roles::Column::ProjectId.eq(project))
        .filter(roles::Column::AccountId.eq(account))
        .filter(roles::Column::UntilAt.is_null())
        .all(read.connection())
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| if row.role == "Owner" { Some(Role::Owner) } else { (row.role == "Maintainer").then_some(Role::Maintainer) })
        .collect())
}

impl Resource for ProjectOrNew {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let Some(account) = actor.account() else { return Ok(Situation::holding(Vec::new())) };
        let normalized = self.0.normalized();
        let found = by_name(read, normalized.as_str()).await?;
        check_token(actor, normalized.as_str(), found.as_ref().map(|p| p.id))?;
        Ok(match found {
            Some(project) => Situation::holding(held(read, project.id, account).await?),
            None => Situation::holding(vec![Role::Founder]),
        })
    }

    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        let sql = format!("SELECT 1 AS one FROM projects WHERE normalized = $1{}", tx.lock(true));
        tx.row(&sql, vec![Value::from(self.0.normalized().as_str())]).await?;
        Ok(())
    }
}

/// The caveats that depend on the project: every one of them must allow it.
fn check_token(actor: &Actor, normalized: &str, id: Option<ProjectId>) -> Result<(), Denied> {
    let Some(token) = &actor.token else { return Ok(()) };
    let named = token.project_names.iter().all(|names| names.iter().any(|name| name == normalized));
    let held = token.project_ids.iter().all(|ids| id.is_some_and(|id| ids.contains(&id)));
    if named && held {
        return Ok(());
    }
    Err(Denied::Token(format!("project-scoped token is not valid for project: '{normalized}'")))
}
