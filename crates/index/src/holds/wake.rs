//! R5: the first factor of an account that already holds roles (imported, or whose factors were stripped). Its roles sleep, and wake
//! when a hold has been served that all co-owners were told of; sooner when a settled co-owner approves.

use sea_orm::Value;

use super::propose::{Person, Proposal, What, propose};
use crate::accounts::settled::is_role_settled;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, RolesWoken};
use crate::ids::{AccountId, ProjectId};
use crate::policy::{Action, ActionName, Loosened, Permit, WakeRoles};
use crate::refused::Refused;

const ROLES: &str = "SELECT r.project_id AS project_id, r.account_id AS account_id, r.from_at AS from_at, r.founding AS founding FROM roles r \
    WHERE r.until_at IS NULL AND (r.account_id = $1 OR r.role = 'Owner') \
    AND r.project_id IN (SELECT m.project_id FROM roles m WHERE m.account_id = $1 AND m.until_at IS NULL) ORDER BY r.id";
const AGAIN: &str = "UPDATE holds SET due_at = $2 WHERE action = 'account:wake-roles' AND account_id = $1 AND state = 'waiting'";

const VETOED: &str = "SELECT 1 AS one FROM holds h JOIN cases c ON c.id = h.case_id WHERE h.action = 'account:wake-roles' \
    AND h.account_id = $1 AND h.state = 'vetoed' AND c.closed_at IS NULL LIMIT 1";

struct Holding {
    project: ProjectId,
    account: AccountId,
    settled: bool,
}

/// Puts the roles of an account to sleep, when it holds any: called in the act that adds its first factor, of whatever kind.
///
/// # Errors
/// The database.
pub(crate) async fn after_first_factor<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, account: AccountId) -> Result<(), Refused> {
    let mut found = Vec::new();
    for row in tx.rows(ROLES, vec![Value::from(account)]).await? {
        let settled = is_role_settled(env, tx.now(), row.try_get("", "from_at")?, row.try_get("", "founding")?);
        found.push(Holding { project: row.try_get("", "project_id")?, account: row.try_get("", "account_id")?, settled });
    }
    if found.is_empty() {
        return Ok(());
    }
    let wait = env.config.hold_loosening.0;
    // Another first factor while they sleep: the time begins anew.
    if tx.execute(AGAIN, vec![Value::from(account), Value::from(tx.now().plus(wait))]).await? > 0 {
        return Ok(());
    }
    // Vetoed, and the case is open: they go on sleeping.
    if tx.row(VETOED, vec![Value::from(account)]).await?.is_some() {
        return Ok(());
    }
    let own = |project: ProjectId| found.iter().any(|role| role.account == account && role.project == project && role.settled);
    let mut people = vec![Person { settled: false, ..Person::oneself(account) }];
    people.extend(found.iter().filter(|role| role.account != account).map(|role| Person {
        account: role.account,
        settled: role.settled,
        may_veto: role.settled || !own(role.project),
    }));
    let proposal = Proposal {
        account,
        project: None,
        payload: serde_json::Value::Null,
        description: format!("Wake the roles of the account {}, which has a new first factor", super::username(tx, account).await?),
        people: most_settled_first(people),
        proof: None,
        waits: None,
    };
    propose(env, tx, permit, What { action: ActionName::WakeRoles, subject: account.to_string(), wait }, proposal).await?;
    Ok(())
}

/// Somebody who owns several of the projects counts by the role that weighs most.
fn most_settled_first(mut people: Vec<Person>) -> Vec<Person> {
    people[1..].sort_by_key(|person| (!person.settled, !person.may_veto));
    people
}

/// The roles wake.
///
/// # Errors
/// The database.
pub(crate) async fn wake(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, WakeRoles>) -> Result<(), Refused> {
    let permit = loosened.permit();
    events::record(env, tx, permit, Entry::of(RolesWoken {}).about(*permit.on())).await?;
    Ok(())
}
