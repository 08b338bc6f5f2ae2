//! Releases, files and locks as things that Owners act on, and what a deletion is about.

use sea_orm::{EntityTrait, Value};

use crate::accounts::settled::is_role_settled;
use crate::db::entities::{files, project_locks, projects, releases};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::holds::Person;
use crate::ids::{FileId, LockId, ProjectId, ReleaseId};
use crate::policy::{Actor, Denied, Resource, Role, Situation, Who};
use crate::projects::locks::Locked;
use crate::projects::roles::{by_name, held};
use crate::refused::Refused;
use crate::resources::ManagedProject;

/// How somebody stands to what belongs to a project; nothing of it is there for who holds no role.
async fn situation<R: Reading>(read: &R, actor: &Actor, project: Option<ProjectId>) -> Result<Situation, Refused> {
    let Some(project) = project else { return Ok(Situation::hidden()) };
    let roles = match &actor.who {
        Who::Account(account) => held(read, project, *account).await?,
        Who::Operator(_) => vec![Role::Operator],
        Who::Worker(_) => vec![Role::Worker],
        Who::Nobody => Vec::new(),
    };
    Ok(if roles.is_empty() { Situation::hidden() } else { Situation::holding(roles) })
}

/// The project's row, so that two changes of it never cross.
async fn lock(tx: &Tx, project: Option<ProjectId>) -> Result<(), Refused> {
    let Some(project) = project else { return Ok(()) };
    let sql = format!("SELECT 1 AS one FROM projects WHERE id = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(project)]).await?;
    Ok(())
}

/// A release that is there; one that was erased is not.
async fn release<R: Reading>(read: &R, id: ReleaseId) -> Result<Option<releases::Model>, Refused> {
    Ok(releases::Entity::find_by_id(id).one(read.connection()).await?.filter(|row| row.until_at.is_none()))
}

async fn file<R: Reading>(read: &R, id: FileId) -> Result<Option<files::Model>, Refused> {
    Ok(files::Entity::find_by_id(id).one(read.connection()).await?.filter(|row| row.until_at.is_none()))
}

/// A lock, open or not.
pub(super) async fn lock_row<R: Reading>(read: &R, id: LockId) -> Result<Option<project_locks::Model>, Refused> {
    Ok(project_locks::Entity::find_by_id(id).one(read.connection()).await?)
}

impl Resource for ReleaseId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        situation(read, actor, release(read, *self).await?.map(|row| row.project_id)).await
    }
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        lock(tx, release(tx, *self).await?.map(|row| row.project_id)).await
    }
}

impl Resource for FileId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        situation(read, actor, file(read, *self).await?.map(|row| row.project_id)).await
    }
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        lock(tx, file(tx, *self).await?.map(|row| row.project_id)).await
    }
}

impl Resource for LockId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        situation(read, actor, lock_row(read, *self).await?.map(|row| row.project_id)).await
    }
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        lock(tx, lock_row(tx, *self).await?.map(|row| row.project_id)).await
    }
}

/// What a deletion, a lock or its end is about.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub on: Locked,
    pub project: projects::Model,
    /// A version or a file name; empty for a whole project.
    pub part: String,
}

impl Thing {
    /// In words that stand in a sentence.
    pub(super) fn words(&self) -> String {
        match self.on {
            Locked::Project(_) => format!("the project {}", self.project.name),
            Locked::Release(..) => format!("the release {} {}", self.project.name, self.part),
            Locked::File(..) => format!("the file {} of {}", self.part, self.project.name),
        }
    }

    /// What a person types to say that they mean it.
    pub(super) fn typed(&self) -> &str {
        if let Locked::Project(_) = self.on { &self.project.name } else { &self.part }
    }

    pub(super) async fn of_project<R: Reading>(read: &R, on: &ManagedProject) -> Result<Self, Refused> {
        let project = by_name(read, on.0.normalized().as_str()).await?.ok_or(Denied::Hidden)?;
        Ok(Self { on: Locked::Project(project.id), project, part: String::new() })
    }

    pub(super) async fn of_release<R: Reading>(read: &R, id: ReleaseId) -> Result<Self, Refused> {
        let row = release(read, id).await?.ok_or(Denied::Hidden)?;
        let project = by_id(read, row.project_id).await?;
        Ok(Self { on: Locked::Release(row.project_id, id), project, part: row.version })
    }

    pub(super) async fn of_file<R: Reading>(read: &R, id: FileId) -> Result<Self, Refused> {
        let row = file(read, id).await?.ok_or(Denied::Hidden)?;
        let project = by_id(read, row.project_id).await?;
        Ok(Self { on: Locked::File(row.project_id, id), project, part: row.filename })
    }

    pub(super) async fn of<R: Reading>(read: &R, on: Locked) -> Result<Self, Refused> {
        match on {
            Locked::Project(project) => {
                let project = by_id(read, project).await?;
                Ok(Self { on, project, part: String::new() })
            }
            Locked::Release(_, release) => Self::of_release(read, release).await,
            Locked::File(_, file) => Self::of_file(read, file).await,
        }
    }
}

async fn by_id<R: Reading>(read: &R, project: ProjectId) -> Result<projects::Model, Refused> {
    Ok(projects::Entity::find_by_id(project).one(read.connection()).await?.ok_or(Denied::Hidden)?)
}

const OWNERS: &str = "SELECT r.account_id AS account_id, r.from_at AS from_at, r.founding AS founding FROM roles r \
    WHERE r.project_id = $1 AND r.role = 'Owner' AND r.until_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM suspensions s JOIN holds h ON h.id = s.hold_id WHERE s.what_id = r.id AND s.what = 'role' \
    AND s.until_at IS NULL AND h.proposer_id <> r.account_id) ORDER BY r.id";

/// The settled Owners of a project: everybody whom its deletion concerns besides who proposes it (R7). Who leaves and dropped his rights
/// still holds the role (R8): else somebody who got at his session for a minute would have him out of the way for what comes next. Whom a
/// settled Owner is removing does not count (R11).
pub(super) async fn settled_owners<R: Reading>(env: &Env, read: &R, project: ProjectId) -> Result<Vec<Person>, Refused> {
    let mut people = Vec::new();
    for row in read.rows(OWNERS, vec![Value::from(project)]).await? {
        if is_role_settled(env, read.now(), row.try_get("", "from_at")?, row.try_get("", "founding")?) {
            people.push(Person { account: row.try_get("", "account_id")?, settled: true, may_veto: true });
        }
    }
    Ok(people)
}
