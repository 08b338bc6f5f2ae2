//! What an account gave in 30 days: roles and invitations. While it is stopped they give nothing (R15); in its take-back each is kept
//! one by one, or ends (R16).

use std::collections::HashSet;

use sea_orm::{EntityTrait, Value};

use super::{answer, held_role, is_last_owner, project_of, remove, username_of};
use crate::clock::Time;
use crate::db::entities::invitations;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, InvitationRevoked};
use crate::ids::{AccountId, InvitationId, ProjectId, RoleId};
use crate::policy::{Action, Denied, Permit};
use crate::refused::Refused;

/// A role or invitation that an account gave.
#[derive(Clone, Debug)]
pub struct Given<Id> {
    /// Which one.
    pub id: Id,
    /// What it is, in words.
    pub what: String,
    /// Since when it stands.
    pub from_at: Time,
}

const ROLES: &str = "SELECT r.id AS id, r.account_id AS account_id, r.project_id AS project_id, a.username AS username, r.role AS role, \
    p.name AS name, r.from_at AS from_at, r.until_at AS until_at \
    FROM role_grants g JOIN roles r ON r.id = g.role_id JOIN projects p ON p.id = r.project_id JOIN accounts a ON a.id = r.account_id \
    WHERE g.account_id = $1 AND g.from_at >= $2 ORDER BY r.id";
const INVITATIONS: &str = "SELECT i.id AS id, a.username AS username, i.role AS role, p.name AS name, i.from_at AS from_at \
    FROM invitations i JOIN projects p ON p.id = i.project_id JOIN accounts a ON a.id = i.account_id \
    WHERE i.inviter_id = $1 AND i.from_at > $2 AND i.until_at IS NULL ORDER BY i.id";

/// The roles that an account gave since a time, and those that were given by the power of these; only what stands.
///
/// # Errors
/// The database.
pub async fn roles<R: Reading>(read: &R, account: AccountId, since: Time) -> Result<Vec<Given<RoleId>>, Refused> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    // Who gives, on which project where it is one alone, and since when.
    let mut givers: Vec<(AccountId, Option<ProjectId>, Time)> = vec![(account, None, since)];
    while let Some((giver, only, since)) = givers.pop() {
        for row in read.rows(ROLES, vec![Value::from(giver), Value::from(since)]).await? {
            let (id, project): (RoleId, ProjectId) = (row.try_get("", "id")?, row.try_get("", "project_id")?);
            if only.is_some_and(|only| only != project) || !seen.insert(id) {
                continue;
            }
            let from_at: Time = row.try_get("", "from_at")?;
            givers.push((row.try_get("", "account_id")?, Some(project), from_at));
            if row.try_get::<Option<Time>>("", "until_at")?.is_none() {
                let (username, role, name): (String, String, String) =
                    (row.try_get("", "username")?, row.try_get("", "role")?, row.try_get("", "name")?);
                found.push(Given { id, what: format!("The role of {username}, who was made {role} of {name}"), from_at });
            }
        }
    }
    Ok(found)
}

/// The invitations that an account made since a time, and that nobody answered yet.
///
/// # Errors
/// The database.
pub async fn invitations<R: Reading>(read: &R, account: AccountId, since: Time) -> Result<Vec<Given<InvitationId>>, Refused> {
    let mut found = Vec::new();
    for row in read.rows(INVITATIONS, vec![Value::from(account), Value::from(since)]).await? {
        let (username, role, name): (String, String, String) =
            (row.try_get("", "username")?, row.try_get("", "role")?, row.try_get("", "name")?);
        let what = format!("The invitation of {username} to {name} as {role}");
        found.push(Given { id: row.try_get("", "id")?, what, from_at: row.try_get("", "from_at")? });
    }
    Ok(found)
}

/// Ends a role that was given, in the act of who gave it. The last Owner that can be reached stays, whoever gave the role: false.
///
/// # Errors
/// The database.
pub(crate) async fn end_role<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, role: RoleId) -> Result<bool, Refused> {
    let project = super::open_role(tx, role).await?.ok_or(Denied::Hidden)?.project_id;
    let sql = format!("SELECT 1 AS one FROM projects WHERE id = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(project)]).await?;
    let held = held_role(tx, role).await?;
    if is_last_owner(env, tx, &held.row).await? {
        return Ok(false);
    }
    remove::end(env, tx, permit, &held).await?;
    Ok(true)
}

/// Takes an invitation back, in the act of who made it.
///
/// # Errors
/// The database.
pub(crate) async fn end_invitation<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, id: InvitationId) -> Result<(), Refused> {
    let row = invitations::Entity::find_by_id(id).one(tx.connection()).await?.ok_or(Denied::Hidden)?;
    answer::close(tx, id, "revoked", permit.event()).await?;
    let project = project_of(tx, row.project_id).await?;
    let event = InvitationRevoked { username: username_of(tx, row.account_id).await?, role: row.role, project: project.name };
    events::record(env, tx, permit, Entry::of(event).about(row.account_id).on_project(row.project_id)).await?;
    Ok(())
}
