//! What differs about a project: who holds which role, and which locks stand on it, its releases and its files. What was uploaded stays.

use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use super::deeds::Deed;
use super::history::split;
use super::{Does, Plan};
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::{accounts, files, invitations, project_locks, projects, releases, roles};
use crate::env::Env;
use crate::holds;
use crate::ids::{AccountId, HoldId, ProjectId};
use crate::refused::{Invalid, Refused};

/// Everything that differs about one project.
pub(super) async fn plan<R: Reading>(env: &Env, read: &R, project: &projects::Model, at: Time) -> Result<Plan, Refused> {
    if project.created_at > at {
        return Err(Invalid::new("at", format!("{} did not exist at that time.", project.name)).into());
    }
    let mut plan = Plan::default();
    roles_of(env, read, project, at, &mut plan).await?;
    locks_of(env, read, project, at, &mut plan).await?;
    invitations_of(read, project, at, &mut plan).await?;
    holds_of(read, project, at, &mut plan).await?;
    Ok(plan)
}

/// The roles of all its people.
pub(super) async fn roles_of<R: Reading>(env: &Env, read: &R, project: &projects::Model, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    let rows = roles::Entity::find().filter(roles::Column::ProjectId.eq(project.id)).all(read.connection()).await?;
    let (then, now) = split(read, rows, at).await?;
    let mut people: Vec<AccountId> = then.iter().chain(&now).map(|row| row.account_id).collect();
    people.sort_unstable();
    people.dedup();
    let mut returning = Vec::new();
    for row in &then {
        if !is_erased(env, read, row.account_id).await? {
            returning.push(row.account_id);
        }
    }
    let owned_after = then.iter().any(|row| row.role == OWNER && returning.contains(&row.account_id));
    for person in people {
        let of = |rows: &[roles::Model]| rows.iter().find(|row| row.account_id == person).cloned();
        role_of(read, project, (of(&then), of(&now)), (returning.contains(&person), owned_after), plan).await?;
    }
    Ok(())
}

/// The role that owns a project.
pub(super) const OWNER: &str = "Owner";

/// The role of one person: as it was, gone, or come since.
async fn role_of<R: Reading>(
    read: &R,
    project: &projects::Model,
    (then, now): (Option<roles::Model>, Option<roles::Model>),
    (returns, owned_after): (bool, bool),
    plan: &mut Plan,
) -> Result<(), Refused> {
    if let (Some(then), Some(now)) = (&then, &now)
        && is_same(then, now)
    {
        plan.already += 1;
        return Ok(());
    }
    if let Some(now) = now {
        let (key, what) = (("role", Some(now.id.0)), says(read, project, &now).await?);
        if owned_after || now.role != OWNER {
            plan.does(key, what, Does::Ends, Deed::EndRole(now));
        } else {
            plan.stays(key, what, "nobody else would own the project");
            return Ok(());
        }
    }
    if let Some(then) = then {
        let (key, what) = (("role", Some(then.id.0)), says(read, project, &then).await?);
        if returns {
            plan.does(key, what, Does::Returns, Deed::ReturnRole(then));
        } else {
            plan.stays(key, what, "the account was erased");
        }
    }
    Ok(())
}

/// A row and its copy are the same role.
pub(super) fn is_same(one: &roles::Model, other: &roles::Model) -> bool {
    (one.role.as_str(), one.founding, one.from_at) == (other.role.as_str(), other.founding, other.from_at)
}

pub(super) async fn says<R: Reading>(read: &R, project: &projects::Model, role: &roles::Model) -> Result<String, Refused> {
    Ok(format!("{} is {} of {}", username(read, role.account_id).await?, role.role, project.name))
}

pub(super) async fn username<R: Reading>(read: &R, account: AccountId) -> Result<String, Refused> {
    let row = accounts::Entity::find_by_id(account).one(read.connection()).await?;
    Ok(row.map(|row| row.username).unwrap_or_default())
}

/// For how long what was deleted is kept whole.
pub(super) fn retention(env: &Env) -> Duration {
    Duration::from_secs(u64::from(env.config.retention_days) * 86_400)
}

/// Whether nothing personal is left of an account: it was erased, or deleted so long ago that it is in this moment.
pub(super) async fn is_erased<R: Reading>(env: &Env, read: &R, account: AccountId) -> Result<bool, Refused> {
    const ERASED: &str = "SELECT 1 AS one FROM account_causes WHERE account_id = $1 AND kind = 'deleted' AND until_at IS NULL AND from_at < $2 \
        UNION ALL SELECT 1 AS one FROM accounts WHERE id = $1 AND erased_at IS NOT NULL LIMIT 1";
    let values = vec![Value::from(account), Value::from(read.now().minus(retention(env)))];
    Ok(read.row(ERASED, values).await?.is_some())
}

/// The lock by which those who run the index stop a project: no restore touches it.
const QUARANTINED: &str = "quarantined";
/// The lock of what an Owner deleted.
pub(super) const DELETED: &str = "deleted";

/// The locks of the project, its releases and its files.
pub(super) async fn locks_of<R: Reading>(env: &Env, read: &R, project: &projects::Model, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    let rows = project_locks::Entity::find().filter(project_locks::Column::ProjectId.eq(project.id)).all(read.connection()).await?;
    let (mut then, now) = split(read, rows, at).await?;
    for lock in now {
        let key = ("lock", Some(lock.id.0));
        let is_this = |other: &project_locks::Model| {
            (other.kind.as_str(), other.release_id, other.file_id) == (lock.kind.as_str(), lock.release_id, lock.file_id)
        };
        if let Some(found) = then.iter().position(is_this) {
            then.swap_remove(found);
            plan.already += 1;
            continue;
        }
        let what = lock_says(read, project, &lock).await?;
        if lock.kind == QUARANTINED {
            plan.stays(key, what, "those who run the index lift it themselves");
        } else if lock.erased_at.is_some() || (lock.kind == DELETED && lock.from_at < read.now().minus(retention(env))) {
            plan.stays(key, what, "its bytes are not kept any more");
        } else {
            plan.does(key, what, Does::Ends, Deed::EndLock(lock));
        }
    }
    for lock in then {
        let (key, what) = (("lock", Some(lock.id.0)), lock_says(read, project, &lock).await?);
        if lock.kind == QUARANTINED {
            plan.stays(key, what, "those who run the index lifted it themselves");
        } else {
            plan.does(key, what, Does::Returns, Deed::ReturnLock(lock));
        }
    }
    Ok(())
}

async fn lock_says<R: Reading>(read: &R, project: &projects::Model, lock: &project_locks::Model) -> Result<String, Refused> {
    let on = match (lock.release_id, lock.file_id) {
        (_, Some(file)) => {
            let row = files::Entity::find_by_id(file).one(read.connection()).await?;
            format!("the file {}", row.map(|row| row.filename).unwrap_or_default())
        }
        (Some(release), None) => {
            let row = releases::Entity::find_by_id(release).one(read.connection()).await?;
            format!("{} {}", project.name, row.map(|row| row.version).unwrap_or_default())
        }
        (None, None) => project.name.clone(),
    };
    Ok(format!("{on} is {}", lock.kind))
}

/// Offers of a role that were made since.
pub(super) async fn invitations_of<R: Reading>(read: &R, project: &projects::Model, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    let open = invitations::Entity::find()
        .filter(invitations::Column::ProjectId.eq(project.id))
        .filter(invitations::Column::UntilAt.is_null())
        .filter(invitations::Column::FromAt.gt(at));
    for row in open.all(read.connection()).await? {
        invitation(read, project, row, plan).await?;
    }
    Ok(())
}

pub(super) async fn invitation<R: Reading>(
    read: &R,
    project: &projects::Model,
    row: invitations::Model,
    plan: &mut Plan,
) -> Result<(), Refused> {
    let what = format!("{} is invited as {} of {}", username(read, row.account_id).await?, row.role, project.name);
    plan.does(("invitation", Some(row.id.0)), what, Does::Ends, Deed::EndInvitation(row.id));
    Ok(())
}

const HOLDS: &str =
    "SELECT id, subject, description FROM holds WHERE project_id = $1 AND state = 'waiting' AND created_at > $2 ORDER BY id";

/// Changes that were proposed since and still wait.
pub(super) async fn holds_of<R: Reading>(read: &R, project: &projects::Model, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    holds_by(read, HOLDS, (Value::from(project.id), at), plan).await
}

pub(super) async fn holds_by<R: Reading>(read: &R, sql: &str, (of, at): (Value, Time), plan: &mut Plan) -> Result<(), Refused> {
    for row in read.rows(sql, vec![of, Value::from(at)]).await? {
        let (id, description): (HoldId, String) = (row.try_get("", "id")?, row.try_get("", "description")?);
        if plan.items.iter().any(|item| item.difference.id == Some(id.0)) {
            continue;
        }
        let (key, what) = (("hold", Some(id.0)), format!("A change waits: {description}"));
        let subject: String = row.try_get("", "subject")?;
        // With the role that it suspends it ends; where the role stays, its end would let in again whom it keeps out (R11).
        if plan.ends_role(&subject) || !holds::suspends(read, id).await? {
            plan.does(key, what, Does::Ends, Deed::EndHold(id));
        } else {
            plan.stays(key, what, "it suspends a role that stays: a settled Owner or those who run the index stop it");
        }
    }
    Ok(())
}

/// The project of this id.
pub(super) async fn by_id<R: Reading>(read: &R, id: ProjectId) -> Result<Option<projects::Model>, Refused> {
    super::project_of(read, id).await
}
