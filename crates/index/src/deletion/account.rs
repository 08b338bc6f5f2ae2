//! An account, deleted by its owner: it always waits, whatever anybody says to it, and concerns the settled Owners of its projects too,
//! who may stop it (R7). It is refused while a project would be left without an Owner, and looks at the history of roles too: removing the
//! Owner first opens nothing.

use std::time::Duration;

use sea_orm::Value;
use serde_json::json;

use super::Asked;
use super::things::settled_owners;
use crate::accounts::{self, deleted};
use crate::act;
use crate::clock::Time;
use crate::containment::ending::{Links, end_everything};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::holds::{self, Decision, Person, Proposal};
use crate::ids::{AccountId, ActId};
use crate::policy::{Actor, DeleteAccount, Denied, Loosened, Permit};
use crate::projects::holders;
use crate::refused::{Invalid, Refused};
use crate::signin::acts;

/// For how long the loss of an Owner role bars the deletion of the account that held it.
const AFTER_LOSS: Duration = Duration::from_secs(30 * 86_400);

/// What the proof is bound to besides the account.
#[must_use]
pub fn parameters() -> serde_json::Value {
    json!({ "what": "delete-account" })
}

/// Asks that an account be deleted.
///
/// # Errors
/// `Invalid` for another name than its own, or with what stands in its way; `NeedsProof` (R2); `Barred` after a veto (R10).
pub async fn delete(env: &Env, actor: &Actor, account: AccountId, (confirmed, act): (&str, Option<ActId>)) -> Result<Asked, Refused> {
    let (inner, confirmed) = (env.clone(), confirmed.to_owned());
    holds::loosen::<DeleteAccount, _, _>(env, actor, account, move |tx, permit| {
        let (env, confirmed) = (inner.clone(), confirmed.clone());
        Box::pin(async move { ask(&env, tx, permit, (&confirmed, act)).await })
    })
    .await
}

async fn ask(env: &Env, tx: &mut Tx, permit: &Permit<DeleteAccount>, (confirmed, act): (&str, Option<ActId>)) -> Result<Asked, Refused> {
    let account = accounts::by_id(tx, *permit.on()).await?.ok_or(Denied::Hidden)?;
    if !confirmed.trim().eq_ignore_ascii_case(&account.username) {
        let message = format!("Type {} to say that you mean it.", account.username);
        return Err(Invalid::new("confirm_username", message).into());
    }
    if let Some(why) = in_the_way(tx, account.id).await? {
        return Err(Invalid::new("confirm_username", why).into());
    }
    let proof = acts::spend(env, tx, permit, act, &parameters()).await?;
    let proposal = Proposal {
        account: account.id,
        project: None,
        payload: serde_json::Value::Null,
        description: format!("Delete the account {}", account.username),
        people: concerned(env, tx, account.id).await?,
        proof: Some(proof),
        waits: Some(env.config.hold_loosening.0),
    };
    match holds::decide(env, tx, permit, proposal).await? {
        Decision::Held(hold) => Ok(Asked::Held(hold)),
        Decision::Now(loosened) => {
            take(env, tx, &loosened).await?;
            Ok(Asked::Now)
        }
    }
}

const OWNED: &str = "SELECT project_id FROM roles WHERE account_id = $1 AND role = 'Owner' AND until_at IS NULL ORDER BY id";

/// The account, and the settled Owners of what it owns: each of these projects loses an Owner with it (R7).
async fn concerned(env: &Env, tx: &Tx, account: AccountId) -> Result<Vec<Person>, Refused> {
    let mut people = vec![Person::oneself(account)];
    for row in tx.rows(OWNED, vec![Value::from(account)]).await? {
        people.extend(settled_owners(env, tx, row.try_get("", "project_id")?).await?);
    }
    Ok(people)
}

/// Deletes the account: signed out everywhere, hidden, and kept whole. Asked once more what stands in the way.
pub(crate) async fn take(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, DeleteAccount>) -> Result<(), Refused> {
    let permit = loosened.permit();
    let account = *permit.on();
    accounts::lock(tx, account).await?;
    // Two Owners of one project at the same moment: one of them sees that the other is gone.
    holders::lock_all_of(tx, account).await?;
    if let Some(why) = in_the_way(tx, account).await? {
        return Err(Invalid::new("", why).into());
    }
    end_everything(tx, account, Links::ThatGive, permit.event()).await?;
    deleted::mark(env, tx, permit, account).await
}

/// Projects that would have no Owner left whom anybody could reach; those that are deleted themselves do not count.
const ALONE: &str = "SELECT p.name AS name FROM roles r JOIN projects p ON p.id = r.project_id \
    WHERE r.account_id = $1 AND r.role = 'Owner' AND r.until_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM project_locks k WHERE k.project_id = p.id AND k.kind = 'deleted' AND k.until_at IS NULL \
    AND k.release_id IS NULL AND k.file_id IS NULL) \
    AND NOT EXISTS (SELECT 1 FROM roles o WHERE o.project_id = r.project_id AND o.role = 'Owner' AND o.until_at IS NULL \
    AND o.account_id <> $1 \
    AND NOT EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = o.account_id AND c.kind = 'deleted' AND c.until_at IS NULL) \
    AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE s.what_id = o.id AND s.what = 'role' AND s.until_at IS NULL)) \
    ORDER BY p.normalized LIMIT 20";
const LOST: &str = "SELECT DISTINCT p.name AS name FROM roles r JOIN projects p ON p.id = r.project_id \
    WHERE r.account_id = $1 AND r.role = 'Owner' AND (r.until_at > $2 OR (r.until_at IS NULL \
    AND EXISTS (SELECT 1 FROM suspensions s WHERE s.what_id = r.id AND s.what = 'role' AND s.until_at IS NULL))) \
    AND NOT EXISTS (SELECT 1 FROM roles n WHERE n.project_id = r.project_id AND n.account_id = $1 AND n.role = 'Owner' AND n.until_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE s.what_id = n.id AND s.what = 'role' AND s.until_at IS NULL)) LIMIT 20";
const AGAINST: &str = "SELECT description AS name FROM holds WHERE account_id = $1 AND state = 'waiting' AND action <> 'account:delete' \
    AND (proposer_id <> $1 OR project_id IS NOT NULL) ORDER BY id LIMIT 20";
const ONLY_ADMINISTRATOR: &str = "SELECT role AS name FROM staff_roles s WHERE s.account_id = $1 AND s.role = 'administrator' \
    AND s.until_at IS NULL AND NOT EXISTS (SELECT 1 FROM staff_roles o WHERE o.role = 'administrator' AND o.until_at IS NULL \
    AND o.account_id <> $1)";

/// What stands in the way of a deletion at this moment, in a sentence for its owner.
async fn in_the_way<R: Reading>(read: &R, account: AccountId) -> Result<Option<String>, Refused> {
    let own = || vec![Value::from(account)];
    if let Some(names) = names(read, ALONE, own()).await? {
        return Ok(Some(format!("You are the only Owner of {names}: give each of them another Owner, or delete it first.")));
    }
    let since: Time = read.now().minus(AFTER_LOSS);
    if let Some(names) = names(read, LOST, vec![Value::from(account), Value::from(since)]).await? {
        return Ok(Some(format!(
            "You lost the role of an Owner of {names} within the last 30 days: the account stays for as long, so that it can be put back."
        )));
    }
    if let Some(names) = names(read, AGAINST, own()).await? {
        return Ok(Some(format!("A change of what you hold waits ({names}): it must take effect or be stopped first.")));
    }
    if names(read, ONLY_ADMINISTRATOR, own()).await?.is_some() {
        return Ok(Some("You are the only administrator of this index.".to_owned()));
    }
    Ok(None)
}

async fn names<R: Reading>(read: &R, sql: &str, values: Vec<Value>) -> Result<Option<String>, Refused> {
    let rows = read.rows(sql, values).await?;
    let names: Vec<String> = rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>()?;
    Ok((!names.is_empty()).then(|| names.join(", ")))
}

/// What the page of the deletion shows.
#[derive(Clone, Debug)]
pub struct Deleting {
    /// The user name.
    pub username: String,
    /// What stands in the way, in a sentence.
    pub in_the_way: Option<String>,
    /// Whether the deletion waits already.
    pub waits: bool,
}

/// Reads what the page of the deletion shows.
///
/// # Errors
/// `Denied` by policy; the database.
pub async fn page(env: &Env, actor: &Actor, account: AccountId) -> Result<Deleting, Refused> {
    const WAITS: &str = "SELECT 1 AS one FROM holds WHERE account_id = $1 AND state = 'waiting' AND action = 'account:delete'";
    act::view::<crate::policy::SeeAccount, _, _>(env, actor, account, move |read, permit| {
        Box::pin(async move {
            let id = *permit.on();
            let row = accounts::by_id(read, id).await?.ok_or(Denied::Hidden)?;
            let waits = read.row(WAITS, vec![Value::from(id)]).await?.is_some();
            Ok(Deleting { username: row.username, in_the_way: in_the_way(read, id).await?, waits })
        })
    })
    .await
}
