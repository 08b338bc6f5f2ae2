//! Who holds which role on a project, and what a token's caveats leave of it.

use formats::Version;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use super::holders::collaborators;
use super::locks::{self, LockKind, Locked};
use super::names;
use crate::cases;
use crate::clock::Time;
use crate::db::entities::projects;
use crate::db::{Read, Reading, Tx};
use crate::ids::{AccountId, ProjectId};
use crate::policy::{Actor, Denied, Permit, Resource, Role, SeeProjects, Situation};
use crate::refused::Refused;
use crate::resources::ProjectOrNew;
use crate::tokens;

/// The project with this normalized name.
///
/// # Errors
/// The database.
pub async fn by_name<R: Reading>(read: &R, normalized: &str) -> Result<Option<projects::Model>, Refused> {
    Ok(projects::Entity::find().filter(projects::Column::Normalized.eq(normalized)).one(read.connection()).await?)
}

/// The roles that an account holds on a project. One that is suspended gives nothing (R8, R11, R15).
///
/// # Errors
/// The database.
pub async fn held<R: Reading>(read: &R, project: ProjectId, account: AccountId) -> Result<Vec<Role>, Refused> {
    let all = collaborators(read, project).await?;
    Ok(all.into_iter().filter(|one| one.account == account && one.suspended.is_none()).map(|one| one.role).collect())
}

impl Resource for ProjectOrNew {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let Some(account) = actor.account() else { return Ok(Situation::holding(Vec::new())) };
        let normalized = self.0.normalized();
        let found = by_name(read, normalized.as_str()).await?;
        tokens::check_open(read, actor).await?;
        check_token(actor, normalized.as_str(), found.as_ref().map(|p| p.id))?;
        if let Some(project) = &found {
            cases::check_pause(read, actor, project.id).await?;
        }
        Ok(match found {
            Some(project) => Situation::holding(held(read, project.id, account).await?),
            None => Situation::holding(vec![Role::Founder]),
        })
    }

    async fn lock(&self, tx: &Tx, actor: &Actor) -> Result<(), Refused> {
        tokens::lock(tx, actor).await?;
        names::lock(tx, &self.0).await
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

/// A project that an account owned at some time since a moment.
#[derive(Clone, Debug)]
pub struct Owned {
    /// The project.
    pub project: ProjectId,
    /// Its display name.
    pub name: String,
    /// Until when, where the role has ended.
    pub until_at: Option<Time>,
}

const OWNED: &str = "SELECT p.id AS id, p.name AS name, r.until_at AS until_at FROM roles r JOIN projects p ON p.id = r.project_id \
    WHERE r.account_id = $1 AND r.role = 'Owner' AND (r.until_at IS NULL OR r.until_at >= $2) ORDER BY p.normalized, r.from_at";

/// The projects that an account owns or has owned since this time. Whoever takes its roles first makes nobody of it: what rests on an
/// account owning nothing looks at this, not at the present alone.
///
/// # Errors
/// The database.
pub async fn ownership_since<R: Reading>(read: &R, account: AccountId, since: Time) -> Result<Vec<Owned>, Refused> {
    let mut found = Vec::new();
    for row in read.rows(OWNED, vec![Value::from(account), Value::from(since)]).await? {
        found.push(Owned { project: row.try_get("", "id")?, name: row.try_get("", "name")?, until_at: row.try_get("", "until_at")? });
    }
    Ok(found)
}

/// A project on which an account holds a role.
#[derive(Clone, Debug)]
pub struct Mine {
    /// Its display name.
    pub name: String,
    /// Its normalized name.
    pub normalized: String,
    /// The role: `Owner` or `Maintainer`.
    pub role: String,
    /// Its newest version, by PEP 440; pre-releases count only where there is nothing else.
    pub version: Option<String>,
    /// When that version came.
    pub released_at: Option<Time>,
    /// What is on the whole project: it is deleted, quarantined or archived.
    pub locks: Vec<LockKind>,
}

const MINE: &str = "SELECT p.id AS id, p.name AS name, p.normalized AS normalized, r.role AS role \
    FROM roles r JOIN projects p ON p.id = r.project_id \
    WHERE r.account_id = $1 AND r.until_at IS NULL AND p.normalized > $2 ORDER BY p.normalized LIMIT $3";
const RELEASES: &str = "SELECT r.version, r.created_at FROM releases r WHERE r.project_id = $1 AND r.until_at IS NULL AND NOT EXISTS (\
    SELECT 1 FROM project_locks k WHERE k.project_id = $1 AND k.release_id = r.id AND k.file_id IS NULL AND k.until_at IS NULL)";

/// Projects of the permit's account after this normalized name, by name, at most so many.
///
/// # Errors
/// The database.
pub async fn mine(read: &Read, permit: &Permit<SeeProjects>, after: &str, most: i64) -> Result<Vec<Mine>, Refused> {
    let rows = read.rows(MINE, vec![Value::from(*permit.on()), Value::from(after), Value::from(most)]).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let id: ProjectId = row.try_get("", "id")?;
        let newest = newest_release(read, id).await?;
        let locks = locks::on(read, Locked::Project(id)).await?;
        let locks = locks.iter().filter_map(|lock| LockKind::from_wire(&lock.kind)).collect();
        let (version, released_at) = newest.unzip();
        let (name, normalized, role) = (row.try_get("", "name")?, row.try_get("", "normalized")?, row.try_get("", "role")?);
        found.push(Mine { name, normalized, role, version, released_at, locks });
    }
    Ok(found)
}

async fn newest_release(read: &Read, project: ProjectId) -> Result<Option<(String, Time)>, Refused> {
    let rows = read.rows(RELEASES, vec![Value::from(project)]).await?;
    let mut newest: Option<((bool, Version), (String, Time))> = None;
    for row in rows {
        let (text, at): (String, Time) = (row.try_get("", "version")?, row.try_get("", "created_at")?);
        let Ok(version) = Version::parse(&text) else { continue };
        let rank = (!version.is_prerelease(), version);
        if newest.as_ref().is_none_or(|(best, _)| rank > *best) {
            newest = Some((rank, (text, at)));
        }
    }
    Ok(newest.map(|(_, found)| found))
}
