//! Erasing what was deleted longer ago than `retention.days`: personal data of accounts (R27), rows and bytes of projects, releases and
//! files. Names stay taken for ever (R24), and the trail keeps its rows without what was personal in them.
//!
//! Each thing is erased in one transaction, so that a run that is cut off is gone on with by the next one, and a second run changes nothing.

use sea_orm::Value;

use super::things::{Thing, lock_row};
use crate::accounts;
use crate::accounts::deleted::retention;
use crate::act;
use crate::clock::Time;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountErased, Entry, ProjectErased};
use crate::ids::{AccountId, LockId};
use crate::policy::{Actor, Denied, EraseAccount, EraseDeleted, Permit};
use crate::projects::locks::Locked;
use crate::projects::search;
use crate::refused::Refused;

/// How many are looked up at once.
pub const BATCH: usize = 200;

const ACCOUNTS: &str = "SELECT c.account_id AS id FROM account_causes c JOIN accounts a ON a.id = c.account_id \
    WHERE c.kind = 'deleted' AND c.until_at IS NULL AND c.from_at < $1 AND a.erased_at IS NULL ORDER BY c.from_at LIMIT 200";
/// What is in quarantine is evidence: nothing of the project is erased before those who run the index have ended it.
const LOCKS: &str = "SELECT k.id AS id FROM project_locks k WHERE k.kind = 'deleted' AND k.until_at IS NULL AND k.erased_at IS NULL \
    AND k.from_at < $1 AND NOT EXISTS (SELECT 1 FROM project_locks q WHERE q.project_id = k.project_id AND q.kind = 'quarantined' \
    AND q.until_at IS NULL) ORDER BY k.from_at LIMIT 200";

/// Before when something must have been deleted to be erased now.
fn before(env: &Env) -> Time {
    env.now().minus(retention(env))
}

/// Accounts whose time is over, the oldest first.
///
/// # Errors
/// The database.
pub async fn due_accounts(env: &Env) -> Result<Vec<AccountId>, Refused> {
    let read = env.db.read(env.now()).await?;
    let rows = read.rows(ACCOUNTS, vec![Value::from(before(env))]).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Deletions of projects, releases and files whose time is over, the oldest first.
///
/// # Errors
/// The database.
pub async fn due_locks(env: &Env) -> Result<Vec<LockId>, Refused> {
    let read = env.db.read(env.now()).await?;
    let rows = read.rows(LOCKS, vec![Value::from(before(env))]).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

const ERASE: &str = "UPDATE accounts SET display_name = '', password_hash = NULL, password_changed_at = NULL, password_disabled_at = NULL, \
    password_disabled_by = NULL, last_login_at = NULL, erased_at = $2 WHERE id = $1 AND erased_at IS NULL AND EXISTS (\
    SELECT 1 FROM account_causes c WHERE c.account_id = $1 AND c.kind = 'deleted' AND c.until_at IS NULL AND c.from_at < $3)";
const CLOSES: [&str; 3] = [
    "UPDATE roles SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL",
    "UPDATE staff_roles SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL",
    "UPDATE invitations SET until_at = $2, ended_by = $3, outcome = 'erased' WHERE (account_id = $1 OR inviter_id = $1) AND until_at IS NULL",
];
/// Everything personal, table by table; `check` asks for the same.
pub const PERSONAL: [(&str, &str); 17] = [
    ("addresses", "DELETE FROM addresses WHERE account_id = $1"),
    ("factors", "DELETE FROM factors WHERE account_id = $1"),
    ("recovery_codes", "DELETE FROM recovery_codes WHERE set_id IN (SELECT id FROM recovery_sets WHERE account_id = $1)"),
    ("recovery_sets", "DELETE FROM recovery_sets WHERE account_id = $1"),
    ("devices", "DELETE FROM devices WHERE account_id = $1"),
    ("sessions", "DELETE FROM sessions WHERE account_id = $1"),
    ("sign_in_attempts", "DELETE FROM sign_in_attempts WHERE account_id = $1"),
    ("mailbox_codes", "DELETE FROM mailbox_codes WHERE account_id = $1"),
    ("links", "DELETE FROM links WHERE account_id = $1"),
    ("acts", "DELETE FROM acts WHERE account_id = $1"),
    ("take_backs", "DELETE FROM take_backs WHERE account_id = $1"),
    ("api_tokens", "DELETE FROM api_tokens WHERE account_id = $1"),
    ("containments", "DELETE FROM containments WHERE account_id = $1"),
    ("quiet_addresses", "DELETE FROM quiet_addresses WHERE account_id = $1"),
    ("deliveries", "DELETE FROM deliveries WHERE account_id = $1"),
    ("event_private", "DELETE FROM event_private WHERE subject = $1"),
    ("subject_keys", "DELETE FROM subject_keys WHERE subject = $1"),
];

/// Erases an account's personal data; false when that was done, or its deletion was undone.
///
/// # Errors
/// The database.
pub async fn erase_account(env: &Env, worker: &Actor, account: AccountId) -> Result<bool, Refused> {
    let inner = env.clone();
    act::act::<EraseAccount, _, _>(env, worker, account, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { erase(&env, tx, permit).await })
    })
    .await
}

async fn erase(env: &Env, tx: &mut Tx, permit: &Permit<EraseAccount>) -> Result<bool, Refused> {
    let account = *permit.on();
    accounts::lock(tx, account).await?;
    if tx.execute(ERASE, vec![Value::from(account), Value::from(tx.now()), Value::from(before(env))]).await? != 1 {
        tx.leave_as_it_was();
        return Ok(false);
    }
    // Before its personal part is removed with all others.
    events::record(env, tx, permit, Entry::of(AccountErased {}).about(account)).await?;
    for sql in CLOSES {
        tx.execute(sql, vec![Value::from(account), Value::from(tx.now()), Value::from(permit.event())]).await?;
    }
    for (_, sql) in PERSONAL {
        tx.execute(sql, vec![Value::from(account)]).await?;
    }
    Ok(true)
}

const MARK: &str = "UPDATE project_locks SET erased_at = $2 WHERE id = $1 AND until_at IS NULL AND erased_at IS NULL AND from_at < $3 \
    AND NOT EXISTS (SELECT 1 FROM project_locks q WHERE q.project_id = $4 AND q.kind = 'quarantined' AND q.until_at IS NULL)";
const PROJECT_FILES: &str = "UPDATE files SET until_at = $2, ended_by = $3 WHERE project_id = $1 AND until_at IS NULL";
const PROJECT_RELEASES: &str = "UPDATE releases SET until_at = $2, ended_by = $3 WHERE project_id = $1 AND until_at IS NULL";
const RELEASE_FILES: &str = "UPDATE files SET until_at = $2, ended_by = $3 WHERE release_id = $1 AND until_at IS NULL";
const RELEASE: &str = "UPDATE releases SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
const FILE: &str = "UPDATE files SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";

/// Ends what a deletion has hidden: no row names its bytes any more, and the sweep removes them. False when that was done, or the
/// deletion was undone.
///
/// # Errors
/// The database.
pub async fn erase_deleted(env: &Env, worker: &Actor, lock: LockId) -> Result<bool, Refused> {
    let inner = env.clone();
    act::act::<EraseDeleted, _, _>(env, worker, lock, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { end(&env, tx, permit).await })
    })
    .await
}

async fn end(env: &Env, tx: &mut Tx, permit: &Permit<EraseDeleted>) -> Result<bool, Refused> {
    let lock = lock_row(tx, *permit.on()).await?.ok_or(Denied::Hidden)?;
    let values = vec![Value::from(lock.id), Value::from(tx.now()), Value::from(before(env)), Value::from(lock.project_id)];
    if tx.execute(MARK, values).await? != 1 {
        tx.leave_as_it_was();
        return Ok(false);
    }
    let on = Locked::of(&lock);
    // A file may have been erased alone before its release.
    let words = Thing::of(tx, on).await.map_or_else(|_| "what was erased before".to_owned(), |thing| thing.words());
    let (id, sqls): (Value, Vec<&str>) = match on {
        Locked::Project(project) => (Value::from(project), vec![PROJECT_FILES, PROJECT_RELEASES]),
        Locked::Release(_, release) => (Value::from(release), vec![RELEASE_FILES, RELEASE]),
        Locked::File(_, file) => (Value::from(file), vec![FILE]),
    };
    let mut files = 0;
    for (at, sql) in sqls.into_iter().enumerate() {
        let ended = tx.execute(sql, vec![id.clone(), Value::from(tx.now()), Value::from(permit.event())]).await?;
        files += if at == 0 { ended } else { 0 };
    }
    search::index_project(tx, lock.project_id).await?;
    events::record(env, tx, permit, Entry::of(ProjectErased { what: words, files }).on_project(lock.project_id)).await?;
    Ok(true)
}
