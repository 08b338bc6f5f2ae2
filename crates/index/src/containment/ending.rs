//! What ends whenever an account is contained or taken back: everything in which somebody could still sit.

use sea_orm::Value;

use crate::db::{Reading, Tx};
use crate::ids::{AccountId, EventId, SessionId};
use crate::refused::Refused;
use crate::signin::session;

const DEVICES: &str = "UPDATE devices SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL";
const CODES: &str = "UPDATE mailbox_codes SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL";
const ACTS: &str = "UPDATE acts SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL";
const CEREMONIES: &str = "UPDATE ceremonies SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL";
const ALL_LINKS: &str = "UPDATE links SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL";
/// Links that only stop something stay: each notice keeps its own (R14, R10).
const LINKS_THAT_GIVE: &str =
    "UPDATE links SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL AND purpose NOT IN ('not-me', 'alarm', 'veto')";

/// Which links end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// Those that give something: new passwords, proofs, sign-ins.
    ThatGive,
    /// All of them.
    All,
}

/// Ends sessions, half-open sign-ins, remembered browsers, proofs for acts, codes and links; says how many sessions.
pub(crate) async fn end_everything(tx: &Tx, account: AccountId, links: Links, by: EventId) -> Result<u64, Refused> {
    let sessions = session::end_all(tx, account, by).await?;
    tx.execute(DEVICES, vec![Value::from(account), Value::from(tx.now()), Value::from(by)]).await?;
    let links = if links == Links::All { ALL_LINKS } else { LINKS_THAT_GIVE };
    for sql in [CODES, ACTS, CEREMONIES, links] {
        tx.execute(sql, vec![Value::from(account), Value::from(tx.now())]).await?;
    }
    Ok(sessions)
}

/// The same for all but the session at hand; links that only stop something stay. Says how many sessions.
pub(super) async fn end_others(tx: &Tx, account: AccountId, keep: SessionId, by: EventId) -> Result<u64, Refused> {
    let sessions = session::end_others(tx, account, Some(keep), by).await?;
    tx.execute(DEVICES, vec![Value::from(account), Value::from(tx.now()), Value::from(by)]).await?;
    for sql in [CODES, ACTS, CEREMONIES, LINKS_THAT_GIVE] {
        tx.execute(sql, vec![Value::from(account), Value::from(tx.now())]).await?;
    }
    Ok(sessions)
}
