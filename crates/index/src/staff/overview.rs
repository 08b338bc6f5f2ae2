//! What wants attention: how many cases are open, changes wait, accounts and projects are stopped.

use crate::db::Reading;
use crate::policy::{Permit, SeeAsStaff};
use crate::refused::Refused;

/// The numbers on the first page of the staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Cases without a decision.
    pub open_cases: u64,
    /// Changes that wait.
    pub waiting_holds: u64,
    /// Accounts frozen by staff or the operator.
    pub frozen: u64,
    /// Accounts stopped with the link of a notice.
    pub contained: u64,
    /// Projects in quarantine.
    pub quarantined: u64,
    /// Administrators who can act.
    pub administrators: u64,
}

const CASES: &str = "SELECT COUNT(*) AS n FROM cases WHERE closed_at IS NULL";
const HOLDS: &str = "SELECT COUNT(*) AS n FROM holds WHERE state = 'waiting'";
const FROZEN: &str = "SELECT COUNT(DISTINCT account_id) AS n FROM account_causes WHERE kind = 'frozen' AND until_at IS NULL";
const CONTAINED: &str = "SELECT COUNT(DISTINCT account_id) AS n FROM account_causes WHERE kind = 'contained' AND until_at IS NULL";
const QUARANTINED: &str = "SELECT COUNT(DISTINCT project_id) AS n FROM project_locks WHERE kind = 'quarantined' AND until_at IS NULL \
    AND release_id IS NULL AND file_id IS NULL";
const ADMINISTRATORS: &str = "SELECT COUNT(*) AS n FROM staff_roles r WHERE r.role = 'administrator' AND r.until_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = r.account_id AND c.until_at IS NULL)";

/// Counts.
///
/// # Errors
/// The database.
pub async fn overview<R: Reading>(read: &R, _permit: &Permit<SeeAsStaff>) -> Result<Overview, Refused> {
    Ok(Overview {
        open_cases: count(read, CASES).await?,
        waiting_holds: count(read, HOLDS).await?,
        frozen: count(read, FROZEN).await?,
        contained: count(read, CONTAINED).await?,
        quarantined: count(read, QUARANTINED).await?,
        administrators: count(read, ADMINISTRATORS).await?,
    })
}

async fn count<R: Reading>(read: &R, sql: &str) -> Result<u64, Refused> {
    let row = read.row(sql, Vec::new()).await?;
    let n: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(n).unwrap_or(0))
}
