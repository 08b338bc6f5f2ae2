//! User names whose address was never verified: free after seven days, when somebody else asks for them (R24).
//!
//! The old account keeps its row and its history under a name that nobody can type, and ends. An account that ever proved an address,
//! was made by the operator, holds or held a role, token or factor, or is stopped by a cause, keeps its name for ever.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use crate::accounts::names::UserName;
use crate::db::entities::account_causes;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, NameFreed};
use crate::ids::{AccountId, CauseId, EventId};
use crate::policy::{Action, Permit};
use crate::refused::Refused;

/// How long a name is kept for somebody who does not verify an address.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 86_400);

/// A name that was freed, to be told in the trail.
#[derive(Clone, Debug)]
pub(crate) struct Freed {
    account: AccountId,
    username: String,
}

const FIND: &str = "SELECT id, username FROM accounts WHERE username_folded = $1 AND created_at <= $2";

/// Asked after the row is locked, so that a verification at the same moment comes before or after, never between.
const KEEPS: &str = "SELECT 1 AS one FROM accounts a WHERE a.id = $1 AND (\
    EXISTS (SELECT 1 FROM addresses x WHERE x.account_id = a.id AND x.verified_at IS NOT NULL) \
    OR EXISTS (SELECT 1 FROM roles x WHERE x.account_id = a.id) \
    OR EXISTS (SELECT 1 FROM staff_roles x WHERE x.account_id = a.id) \
    OR EXISTS (SELECT 1 FROM api_tokens x WHERE x.account_id = a.id) \
    OR EXISTS (SELECT 1 FROM factors x WHERE x.account_id = a.id) \
    OR EXISTS (SELECT 1 FROM account_causes x WHERE x.account_id = a.id AND x.until_at IS NULL) \
    OR EXISTS (SELECT 1 FROM events x WHERE x.id = a.began_by AND x.credential <> 'nobody'))";

/// Frees a name that nobody has proved to want; `by` is the event of whoever asks for it.
pub(crate) async fn free(env: &Env, tx: &Tx, by: EventId, username: &UserName) -> Result<Option<Freed>, Refused> {
    let sql = format!("{FIND}{}", tx.lock(true));
    let values = vec![Value::from(username.folded()), Value::from(tx.now().minus(KEPT_FOR))];
    let Some(row) = tx.row(&sql, values).await? else { return Ok(None) };
    let freed = Freed { account: row.try_get("", "id")?, username: row.try_get("", "username")? };
    if tx.row(KEEPS, vec![Value::from(freed.account)]).await?.is_some() {
        return Ok(None);
    }
    put_away(env, tx, freed.account, by).await?;
    Ok(Some(freed))
}

const RENAME: &str = "UPDATE accounts SET username = $2, username_folded = $2, display_name = '', password_hash = NULL WHERE id = $1";
const ENDS: [&str; 5] = [
    "UPDATE addresses SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL",
    "UPDATE sessions SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL",
    "UPDATE devices SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL",
    "UPDATE recovery_sets SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL",
    "UPDATE factors SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL",
];
const SPENDS: [&str; 4] = [
    "UPDATE sign_in_attempts SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL",
    "UPDATE links SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL",
    "UPDATE mailbox_codes SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL",
    "UPDATE acts SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL",
];

async fn put_away(env: &Env, tx: &Tx, account: AccountId, by: EventId) -> Result<(), Refused> {
    // A tilde stands in no user name.
    tx.execute(RENAME, vec![Value::from(account), Value::from(format!("~{account}"))]).await?;
    for sql in ENDS {
        tx.execute(sql, vec![Value::from(account), Value::from(tx.now()), Value::from(by)]).await?;
    }
    for sql in SPENDS {
        tx.execute(sql, vec![Value::from(account), Value::from(tx.now())]).await?;
    }
    let row = account_causes::ActiveModel {
        id: Set(CauseId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        kind: Set("deleted".to_owned()),
        reason: Set("its address was never verified, and somebody else asked for its name".to_owned()),
        case_id: Set(None),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(by),
        ended_by: Set(None),
    };
    account_causes::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Records that a name was freed, after the event of the act that wanted it.
pub(crate) async fn record<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, freed: Option<Freed>) -> Result<(), Refused> {
    let Some(freed) = freed else { return Ok(()) };
    events::record(env, tx, permit, Entry::of(NameFreed { username: freed.username }).about(freed.account)).await?;
    Ok(())
}
