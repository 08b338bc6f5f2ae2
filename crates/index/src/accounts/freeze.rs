//! Stopping an account and letting it go again (R13): a cause is added, always; thawing ends only what the operator added.
//!
//! Sessions, tokens and running uploads are not rewritten: each act looks at the causes, so the way back is exact.

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use crate::db::entities::account_causes;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountFrozen, AccountThawed, Entry};
use crate::ids::{AccountId, CaseId, CauseId, EventId};
use crate::policy::{FreezeAccount, Permit, ThawAccount};
use crate::refused::{Invalid, Refused};

/// What a freeze found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// The account could act until now.
    Now,
    /// It was frozen already; one more cause stands beside the others.
    Already,
}

const OPEN: &str = "SELECT 1 AS one FROM account_causes WHERE account_id = $1 AND kind = 'frozen' AND until_at IS NULL LIMIT 1";

/// A reason that somebody gave: 1 to 500 characters on one line.
pub(crate) fn check_reason(reason: &str) -> Result<&str, Refused> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if length == 0 || length > 500 || reason.chars().any(char::is_control) {
        return Err(Invalid::new("reason", "A reason is a text of 1 to 500 characters on one line.").into());
    }
    Ok(reason)
}

/// Adds a cause.
///
/// # Errors
/// `Invalid` when the reason is empty or too long.
pub async fn freeze(env: &Env, tx: &mut Tx, permit: &Permit<FreezeAccount>, reason: &str) -> Result<Frozen, Refused> {
    let (account, reason) = (*permit.on(), check_reason(reason)?);
    let frozen = is_frozen(tx, account).await?;
    let already = frozen == Frozen::Already;
    events::record(env, tx, permit, Entry::of(AccountFrozen { reason: reason.to_owned(), already }).about(account)).await?;
    add_cause(env, tx, account, Cause { reason, case: None, began_by: permit.event() }).await?;
    Ok(frozen)
}

/// Whether a freeze would be the first one.
pub(crate) async fn is_frozen(tx: &Tx, account: AccountId) -> Result<Frozen, Refused> {
    let found = tx.row(OPEN, vec![Value::from(account)]).await?;
    Ok(if found.is_some() { Frozen::Already } else { Frozen::Now })
}

/// Why an account is frozen: in words, in which case, and by which event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cause<'a> {
    pub reason: &'a str,
    pub case: Option<CaseId>,
    pub began_by: EventId,
}

/// Writes down one more cause.
pub(crate) async fn add_cause(env: &Env, tx: &Tx, account: AccountId, cause: Cause<'_>) -> Result<(), Refused> {
    let row = account_causes::ActiveModel {
        id: Set(CauseId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        kind: Set("frozen".to_owned()),
        reason: Set(cause.reason.to_owned()),
        case_id: Set(cause.case),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(cause.began_by),
        ended_by: Set(None),
    };
    account_causes::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}

const THAW: &str = "UPDATE account_causes SET until_at = $2, ended_by = $3 \
    WHERE account_id = $1 AND kind = 'frozen' AND until_at IS NULL AND case_id IS NULL \
    AND EXISTS (SELECT 1 FROM events e WHERE e.id = account_causes.began_by AND e.credential = 'operator')";

/// Ends the causes that the operator's freezes added; says how many. Other causes stay.
///
/// # Errors
/// `Invalid` when there is none, or the reason is empty or too long.
pub async fn thaw(env: &Env, tx: &mut Tx, permit: &Permit<ThawAccount>, reason: &str) -> Result<u64, Refused> {
    let (account, reason) = (*permit.on(), check_reason(reason)?);
    let causes = tx.execute(THAW, vec![Value::from(account), Value::from(tx.now()), Value::from(permit.event())]).await?;
    if causes == 0 {
        return Err(Invalid::new("", "The operator did not freeze this account.").into());
    }
    events::record(env, tx, permit, Entry::of(AccountThawed { reason: reason.to_owned(), causes }).about(account)).await?;
    Ok(causes)
}
