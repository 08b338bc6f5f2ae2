//! What an account is at this moment: its state, from its causes (R13), and which gates it meets. Read inside the transaction that acts.

use std::time::Duration;

use sea_orm::Value;

use crate::clock::Time;
use crate::db::{Reading, Tx};
use crate::denied::State;
use crate::ids::AccountId;
use crate::policy::SessionProof;
use crate::refused::Refused;

/// How long a proof of the mailbox counts as fresh (INTERFACES section 6).
pub const MAILBOX_PROOF: Duration = Duration::from_secs(600);

/// What an account is and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it may act at all.
    pub state: State,
    /// Its primary address is verified.
    pub verified: bool,
    /// It has recovery codes.
    pub codes: bool,
    /// One of them was entered back.
    pub codes_proved: bool,
    /// It has a second factor.
    pub factor: bool,
    /// One of its second factors is a security key or passkey.
    pub key: bool,
    /// It administers the index.
    pub administrator: bool,
    /// Its roles on projects sleep (R5).
    pub asleep: bool,
    /// The mailbox was proved in this session within ten minutes.
    pub mailbox_fresh: bool,
}

impl Standing {
    /// The standing of a stranger, the operator and the jobs: nothing that an account could have.
    pub const NONE: Self = Self {
        state: State::Absent,
        verified: false,
        codes: false,
        codes_proved: false,
        factor: false,
        key: false,
        administrator: false,
        asleep: false,
        mailbox_fresh: false,
    };
}

const STANDING: &str = "\
SELECT (a.password_hash IS NOT NULL OR a.password_disabled_at IS NOT NULL) AS completed, \
EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = a.id AND c.until_at IS NULL AND c.kind = 'contained') AS contained, \
EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = a.id AND c.until_at IS NULL AND c.kind = 'frozen') AS frozen, \
EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = a.id AND c.until_at IS NULL AND c.kind = 'deleted') AS deleted, \
EXISTS (SELECT 1 FROM addresses e WHERE e.account_id = a.id AND e.until_at IS NULL AND e.is_primary AND e.verified_at IS NOT NULL) AS verified, \
EXISTS (SELECT 1 FROM recovery_sets s WHERE s.account_id = a.id AND s.until_at IS NULL) AS codes, \
EXISTS (SELECT 1 FROM recovery_sets s WHERE s.account_id = a.id AND s.until_at IS NULL AND s.proved_at IS NOT NULL) AS codes_proved, \
EXISTS (SELECT 1 FROM factors f WHERE f.account_id = a.id AND f.until_at IS NULL) AS factor, \
EXISTS (SELECT 1 FROM factors f WHERE f.account_id = a.id AND f.until_at IS NULL AND f.kind = 'webauthn') AS key, \
EXISTS (SELECT 1 FROM staff_roles r WHERE r.account_id = a.id AND r.until_at IS NULL AND r.role = 'administrator') AS administrator, \
EXISTS (SELECT 1 FROM holds h WHERE h.account_id = a.id AND h.action = 'account:wake-roles' AND (h.state = 'waiting' OR (h.state = 'vetoed' \
AND h.used_at IS NULL))) AS asleep \
FROM accounts a WHERE a.id = $1";

/// Reads what an account is; `session` says which proofs were made in the browser at hand.
///
/// # Errors
/// The database.
pub async fn standing<R: Reading>(read: &R, account: AccountId, session: Option<&SessionProof>) -> Result<Standing, Refused> {
    let Some(row) = read.row(STANDING, vec![Value::from(account)]).await? else {
        return Ok(Standing::NONE);
    };
    let flag = |column: &str| row.try_get::<bool>("", column);
    let state = if flag("deleted")? {
        State::Deleted
    } else if flag("frozen")? {
        State::Frozen
    } else if flag("contained")? {
        State::Contained
    } else if flag("completed")? {
        State::Active
    } else {
        State::Absent
    };
    let mailbox_fresh = session.and_then(|s| s.mailbox_proved_at).is_some_and(|at| is_fresh(read.now(), at, MAILBOX_PROOF));
    Ok(Standing {
        state,
        verified: flag("verified")?,
        codes: flag("codes")?,
        codes_proved: flag("codes_proved")?,
        factor: flag("factor")?,
        key: flag("key")?,
        administrator: flag("administrator")?,
        asleep: flag("asleep")?,
        mailbox_fresh,
    })
}

fn is_fresh(now: Time, at: Time, window: Duration) -> bool {
    now.since(at) < window
}

/// Locks the acting account's row until the transaction ends, so that a freeze and an act cannot cross.
pub(super) async fn lock_shared(tx: &Tx, account: AccountId) -> Result<(), Refused> {
    let sql = format!("SELECT 1 AS one FROM accounts WHERE id = $1{}", tx.lock(false));
    tx.row(&sql, vec![Value::from(account)]).await?;
    Ok(())
}
