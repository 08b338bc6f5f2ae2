//! Who holds a role on a project, and which of the roles give nothing at the moment.
//!
//! A role is suspended by an act (R8, R11), or because who gave it within 30 days before was stopped since (R15). The latter goes on: what
//! was given by the power of such a role is suspended with it. Nothing of it is written down, so that the way back is exact (R13).

use sea_orm::Value;

use crate::clock::Time;
use crate::db::{Reading, Tx};
use crate::ids::{AccountId, ProjectId, RoleId};
use crate::policy::Role;
use crate::refused::Refused;

/// Why a role gives nothing at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspended {
    /// A change that waits suspended it (R8, R11).
    ByAct,
    /// Who gave it said that they were phished, and has not decided about it (R15).
    GiverDoubts,
    /// Who gave it within 30 days before was stopped since (R15).
    GiverStopped,
}

/// Somebody who holds a role on a project.
#[derive(Clone, Debug)]
pub struct Collaborator {
    /// The role.
    pub id: RoleId,
    /// Whose it is.
    pub account: AccountId,
    /// The user name.
    pub username: String,
    /// Owner or Maintainer.
    pub role: Role,
    /// Whether the project was created with it.
    pub founding: bool,
    /// Since when.
    pub from_at: Time,
    /// Whether it gives nothing at the moment, and why.
    pub suspended: Option<Suspended>,
}

/// The roles of a project with what was closed, in the order in which they began.
const ROLES: &str = "SELECT r.id AS id, r.account_id AS account_id, a.username AS username, r.role AS role, r.founding AS founding, \
    r.from_at AS from_at, r.until_at AS until_at, g.account_id AS giver, COALESCE(g.from_at, r.from_at) AS given_at, \
    EXISTS (SELECT 1 FROM suspensions s WHERE s.what_id = r.id AND s.what = 'role' AND s.until_at IS NULL AND s.hold_id IS NOT NULL) AS by_act, \
    EXISTS (SELECT 1 FROM suspensions s WHERE s.what_id = r.id AND s.what = 'role' AND s.until_at IS NULL AND s.hold_id IS NULL) AS by_doubt, \
    EXISTS (SELECT 1 FROM account_causes c WHERE c.account_id = g.account_id AND c.until_at IS NULL AND c.kind IN ('contained', 'frozen') \
    AND g.from_at > c.from_at - 2592000000000) AS by_giver \
    FROM roles r JOIN accounts a ON a.id = r.account_id LEFT JOIN role_grants g ON g.role_id = r.id \
    WHERE r.project_id = $1 ORDER BY r.from_at, r.id";

/// A role, open or closed, as far as its giver matters.
struct Begun {
    account: AccountId,
    giver: Option<AccountId>,
    /// When it was given: a role that became less is younger than that.
    given_at: Time,
    from_at: Time,
    until_at: Option<Time>,
    tainted: bool,
}

/// Goes on from giver to given until nothing is added. Several may begin at one moment, in whatever order.
fn spread(roles: &mut [Begun]) {
    loop {
        let by_tainted = |one: &Begun| {
            let gave = |other: &Begun| {
                let stood = other.from_at <= one.given_at && other.until_at.is_none_or(|until| until >= one.given_at);
                Some(other.account) == one.giver && other.tainted && stood
            };
            !one.tainted && roles.iter().any(gave)
        };
        let Some(next) = roles.iter().position(by_tainted) else { return };
        roles[next].tainted = true;
    }
}

/// Everybody who holds a role on a project, the oldest first.
///
/// # Errors
/// The database.
pub async fn collaborators<R: Reading>(read: &R, project: ProjectId) -> Result<Vec<Collaborator>, Refused> {
    let rows = read.rows(ROLES, vec![Value::from(project)]).await?;
    let mut begun = Vec::with_capacity(rows.len());
    for row in &rows {
        begun.push(Begun {
            account: row.try_get("", "account_id")?,
            giver: row.try_get("", "giver")?,
            given_at: row.try_get("", "given_at")?,
            from_at: row.try_get("", "from_at")?,
            until_at: row.try_get("", "until_at")?,
            tainted: row.try_get("", "by_giver")?,
        });
    }
    spread(&mut begun);
    let mut found = Vec::new();
    for (row, begun) in rows.iter().zip(&begun).filter(|(_, begun)| begun.until_at.is_none()) {
        let role: String = row.try_get("", "role")?;
        let suspended = match (row.try_get("", "by_act")?, row.try_get("", "by_doubt")?, begun.tainted) {
            (true, _, _) => Some(Suspended::ByAct),
            (false, true, _) => Some(Suspended::GiverDoubts),
            (false, false, true) => Some(Suspended::GiverStopped),
            (false, false, false) => None,
        };
        found.push(Collaborator {
            id: row.try_get("", "id")?,
            account: begun.account,
            username: row.try_get("", "username")?,
            role: if role == "Owner" { Role::Owner } else { Role::Maintainer },
            founding: row.try_get("", "founding")?,
            from_at: begun.from_at,
            suspended,
        });
    }
    Ok(found)
}

/// Makes all changes of the roles on an account's projects, those that it once held a role on included, wait until the transaction ends.
///
/// # Errors
/// The database.
pub(crate) async fn lock_all_of(tx: &Tx, account: AccountId) -> Result<(), Refused> {
    let sql = format!(
        "SELECT 1 AS one FROM projects WHERE id IN (SELECT r.project_id FROM roles r WHERE r.account_id = $1) ORDER BY id{}",
        tx.lock(true)
    );
    tx.rows(&sql, vec![Value::from(account)]).await?;
    Ok(())
}
