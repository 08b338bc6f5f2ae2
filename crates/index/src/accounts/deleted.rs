//! A deleted account: hidden and stopped, and kept whole until it is erased (P7). What leads there and back stands in rooms above.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use super::freeze::check_reason;
use crate::clock::Time;
use crate::db::entities::account_causes;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountDeleted, AccountUndeleted, CollaboratorDeleted, CollaboratorUndeleted, Entry};
use crate::ids::{AccountId, CauseId, ProjectId};
use crate::policy::{Action, Permit, UndeleteAccountAtShell};
use crate::refused::{Invalid, Refused};

/// For how long what was deleted is kept.
#[must_use]
pub fn retention(env: &Env) -> Duration {
    Duration::from_secs(u64::from(env.config.retention_days) * 86_400)
}

const SINCE: &str = "SELECT c.from_at AS from_at FROM account_causes c JOIN accounts a ON a.id = c.account_id \
    WHERE c.account_id = $1 AND c.kind = 'deleted' AND c.until_at IS NULL AND a.erased_at IS NULL ORDER BY c.from_at LIMIT 1";

/// Since when an account is deleted, while that can still be undone.
///
/// # Errors
/// The database.
pub async fn since<R: Reading>(read: &R, account: AccountId) -> Result<Option<Time>, Refused> {
    let row = read.row(SINCE, vec![Value::from(account)]).await?;
    Ok(row.map(|row| row.try_get("", "from_at")).transpose()?)
}

const PROJECTS: &str = "SELECT DISTINCT project_id FROM roles WHERE account_id = $1 AND until_at IS NULL ORDER BY project_id";

async fn projects<R: Reading>(read: &R, account: AccountId) -> Result<Vec<ProjectId>, Refused> {
    let rows = read.rows(PROJECTS, vec![Value::from(account)]).await?;
    rows.iter().map(|row| Ok(row.try_get("", "project_id")?)).collect()
}

async fn username<R: Reading>(read: &R, account: AccountId) -> Result<String, Refused> {
    Ok(super::by_id(read, account).await?.map(|row| row.username).unwrap_or_default())
}

/// Stops and hides an account; the co-owners of its projects are told.
///
/// # Errors
/// The database.
pub(crate) async fn mark<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, account: AccountId) -> Result<(), Refused> {
    let row = account_causes::ActiveModel {
        id: Set(CauseId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        kind: Set("deleted".to_owned()),
        reason: Set("its owner deleted it".to_owned()),
        case_id: Set(None),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
    };
    account_causes::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    let until = tx.now().plus(retention(env)).in_words();
    events::record(env, tx, permit, Entry::of(AccountDeleted { until }).about(account)).await?;
    let username = username(tx, account).await?;
    for project in projects(tx, account).await? {
        let event = CollaboratorDeleted { username: username.clone() };
        events::record(env, tx, permit, Entry::of(event).about(account).on_project(project)).await?;
    }
    Ok(())
}

const LIFT: &str = "UPDATE account_causes SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND kind = 'deleted' AND until_at IS NULL \
    AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = $1 AND a.erased_at IS NULL)";

/// Brings a deleted account back, as it was: other causes stay.
///
/// # Errors
/// `Invalid` when it is not deleted, or was erased.
pub(crate) async fn lift<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    (account, reason): (AccountId, &str),
) -> Result<(), Refused> {
    let values = vec![Value::from(account), Value::from(tx.now()), Value::from(permit.event())];
    if tx.execute(LIFT, values).await? == 0 {
        return Err(Invalid::new("", "The account is not deleted, or it was erased and cannot come back.").into());
    }
    events::record(env, tx, permit, Entry::of(AccountUndeleted { reason: reason.to_owned() }).about(account)).await?;
    let username = username(tx, account).await?;
    for project in projects(tx, account).await? {
        let event = CollaboratorUndeleted { username: username.clone() };
        events::record(env, tx, permit, Entry::of(event).about(account).on_project(project)).await?;
    }
    Ok(())
}

/// Brings a deleted account back from the shell.
///
/// # Errors
/// `Invalid` for a reason that is none, and as `lift`.
pub async fn undelete(env: &Env, tx: &mut Tx, permit: &Permit<UndeleteAccountAtShell>, reason: &str) -> Result<(), Refused> {
    let reason = check_reason(reason)?.to_owned();
    lift(env, tx, permit, (*permit.on(), &reason)).await
}
