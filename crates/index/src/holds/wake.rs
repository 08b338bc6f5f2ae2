//! R5: the first factor of an account that already holds roles (imported, or whose factors were stripped). Its roles sleep, and wake
//! when a hold has been served that all co-owners were told of; sooner when a settled co-owner approves.

use sea_orm::Value;

use super::propose::{Person, Proposal, What, propose};
use super::{by_id, state};
use crate::accounts::settled::is_role_settled;
use crate::act;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, RolesWoken};
use crate::ids::{AccountId, HoldId, ProjectId};
use crate::policy::{Action, ActionName, Actor, Loosened, Permit, SettleHold, WakeRoles};
use crate::refused::Refused;

const ROLES: &str = "SELECT r.project_id AS project_id, r.account_id AS account_id, r.from_at AS from_at, r.founding AS founding FROM roles r \
    WHERE r.until_at IS NULL AND (r.account_id = $1 OR r.role = 'Owner') \
    AND r.project_id IN (SELECT m.project_id FROM roles m WHERE m.account_id = $1 AND m.until_at IS NULL) ORDER BY r.id";
const AGAIN: &str = "UPDATE holds SET due_at = $2 WHERE action = 'account:wake-roles' AND account_id = $1 AND state = 'waiting'";
const UNSAID: &str = "UPDATE hold_people SET approved_at = NULL WHERE account_id <> $1 AND hold_id IN (SELECT h.id FROM holds h \
    WHERE h.action = 'account:wake-roles' AND h.account_id = $1 AND h.state = 'waiting')";

const VETOED: &str = "SELECT 1 AS one FROM holds h JOIN cases c ON c.id = h.case_id WHERE h.action = 'account:wake-roles' \
    AND h.account_id = $1 AND h.state = 'vetoed' AND c.closed_at IS NULL LIMIT 1";

/// What was vetoed and is proposed anew is over; until then the roles sleep, whatever became of the case.
const REPLACED: &str =
    "UPDATE holds SET used_at = $2 WHERE action = 'account:wake-roles' AND account_id = $1 AND state = 'vetoed' AND used_at IS NULL";

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
    let found = holding(env, tx, account).await?;
    if found.is_empty() {
        return Ok(());
    }
    // Another first factor while they sleep: the time begins anew, and who approved did so for another one.
    let due = tx.now().plus(env.config.hold_loosening.0);
    if tx.execute(AGAIN, vec![Value::from(account), Value::from(due)]).await? > 0 {
        tx.execute(UNSAID, vec![Value::from(account)]).await?;
        return Ok(());
    }
    // Vetoed, and the case is open: they go on sleeping.
    if tx.row(VETOED, vec![Value::from(account)]).await?.is_some() {
        return Ok(());
    }
    ask(env, tx, permit, account, &found).await
}

/// The roles of an account and those of the Owners beside it.
async fn holding<R: Reading>(env: &Env, read: &R, account: AccountId) -> Result<Vec<Holding>, Refused> {
    let mut found = Vec::new();
    for row in read.rows(ROLES, vec![Value::from(account)]).await? {
        let settled = is_role_settled(env, read.now(), row.try_get("", "from_at")?, row.try_get("", "founding")?);
        found.push(Holding { project: row.try_get("", "project_id")?, account: row.try_get("", "account_id")?, settled });
    }
    Ok(found)
}

/// Writes the hold down that wakes them, in the name of the account; all co-owners are told and may stop it.
async fn ask<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, account: AccountId, found: &[Holding]) -> Result<(), Refused> {
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
    tx.execute(REPLACED, vec![Value::from(account), Value::from(tx.now())]).await?;
    let wait = env.config.hold_loosening.0;
    let what = What { action: ActionName::WakeRoles, subject: account.to_string(), wait, proposer: Some(account) };
    propose(env, tx, permit, what, proposal).await?;
    Ok(())
}

/// Vetoed, decided about, and nothing else of the account barred (R10): the roles of these wake by nothing but a hold that is served.
const DECIDED: &str = "SELECT h.id AS id FROM holds h JOIN cases c ON c.id = h.case_id WHERE h.action = 'account:wake-roles' \
    AND h.state = 'vetoed' AND h.used_at IS NULL AND c.closed_at IS NOT NULL \
    AND EXISTS (SELECT 1 FROM roles r WHERE r.account_id = h.account_id AND r.until_at IS NULL) \
    AND NOT EXISTS (SELECT 1 FROM holds o JOIN cases k ON k.id = o.case_id WHERE o.proposer_id = h.account_id AND o.state = 'vetoed' \
    AND o.project_id IS NULL AND o.account_id = h.account_id AND k.closed_at IS NULL) ORDER BY h.id LIMIT 100";

/// Holds that were vetoed and may be proposed again, because their case is closed.
///
/// # Errors
/// The database.
pub(crate) async fn decided<R: Reading>(read: &R) -> Result<Vec<HoldId>, Refused> {
    let rows = read.rows(DECIDED, Vec::new()).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Proposes one of them again: closing a case says that the question may be asked once more, never that the answer is yes (R5, R10).
///
/// # Errors
/// The database.
pub(crate) async fn again(env: &Env, worker: &Actor, hold: HoldId) -> Result<(), Refused> {
    let inner = env.clone();
    act::act::<SettleHold, _, _>(env, worker, hold, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let row = by_id(tx, *permit.on()).await?.filter(|row| row.state == state::VETOED && row.used_at.is_none());
            let Some(row) = row else {
                tx.leave_as_it_was();
                return Ok(());
            };
            let found = holding(&env, tx, row.account_id).await?;
            if found.is_empty() {
                tx.leave_as_it_was();
                return Ok(());
            }
            ask(&env, tx, permit, row.account_id, &found).await
        })
    })
    .await
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
