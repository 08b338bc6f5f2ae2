//! What an account is and has: for its own pages, and for the operator at the shell.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};
use serde::Serialize;

use crate::accounts::addresses::{self, AddressRow};
use crate::accounts::{self, Account};
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::factors;
use crate::ids::{AccountId, FactorId};
use crate::policy::{Action, Denied, InspectAccount, Permit, standing};
use crate::refused::{Invalid, Refused};

/// A second factor, without its secret.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// Totp, webauthn.
    pub kind: String,
    /// What its owner calls it; empty for an app.
    pub label: String,
    /// Of a key: whether copies of it are kept by a provider.
    pub synced: Option<bool>,
    /// Of a key: whether it signs in alone, as far as is known.
    pub alone: bool,
    /// When it was added.
    pub added: Time,
    /// When it was last used.
    pub last_used: Option<Time>,
}

/// What the account's own pages show.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The account.
    pub account: Account,
    /// Its addresses, primary first.
    pub addresses: Vec<AddressRow>,
    /// Its factors, oldest first.
    pub factors: Vec<Factor>,
    /// How many recovery codes are unused; nothing while there are none.
    pub codes_left: Option<u32>,
    /// How many API tokens are open.
    pub tokens: u64,
    /// On how many projects it holds a role.
    pub projects: u64,
}

/// Reads what an account is and has.
///
/// # Errors
/// The database.
pub async fn overview<A: Action<On = AccountId>, R: Reading>(read: &R, permit: &Permit<A>) -> Result<Overview, Refused> {
    let account = accounts::by_id(read, *permit.on()).await?.ok_or(Denied::Hidden)?;
    of_account(read, account).await
}

/// The same of an account that somebody else may see.
pub(crate) async fn of_account<R: Reading>(read: &R, account: Account) -> Result<Overview, Refused> {
    let id = account.id;
    Ok(Overview {
        account,
        addresses: addresses::of_account(read, id).await?,
        factors: factors_of(read, id).await?,
        codes_left: codes_left(read, id).await?,
        tokens: count(read, TOKENS, vec![Value::from(id), Value::from(read.now())]).await?,
        projects: count(read, PROJECTS, vec![Value::from(id)]).await?,
    })
}

const TOKENS: &str =
    "SELECT COUNT(*) AS n FROM api_tokens WHERE account_id = $1 AND until_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
const PROJECTS: &str = "SELECT COUNT(DISTINCT project_id) AS n FROM roles WHERE account_id = $1 AND until_at IS NULL";
const CODES: &str = "SELECT COUNT(c.id) AS n, COUNT(DISTINCT s.id) AS sets FROM recovery_sets s \
    LEFT JOIN recovery_codes c ON c.set_id = s.id AND c.used_at IS NULL WHERE s.account_id = $1 AND s.until_at IS NULL";

async fn count<R: Reading>(read: &R, sql: &str, values: Vec<Value>) -> Result<u64, Refused> {
    let row = read.row(sql, values).await?;
    let n: i64 = row.map(|r| r.try_get("", "n")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(n).unwrap_or(0))
}

/// How many recovery codes of the open set are unused; `None` when there is no set.
///
/// # Errors
/// The database.
pub async fn codes_left<R: Reading>(read: &R, account: AccountId) -> Result<Option<u32>, Refused> {
    let Some(row) = read.row(CODES, vec![Value::from(account)]).await? else { return Ok(None) };
    let (codes, sets): (i64, i64) = (row.try_get("", "n")?, row.try_get("", "sets")?);
    Ok((sets > 0).then(|| u32::try_from(codes).unwrap_or(0)))
}

async fn factors_of<R: Reading>(read: &R, account: AccountId) -> Result<Vec<Factor>, Refused> {
    let rows = factors::Entity::find()
        .filter(factors::Column::AccountId.eq(account))
        .filter(factors::Column::UntilAt.is_null())
        .order_by_asc(factors::Column::FromAt)
        .all(read.connection())
        .await?;
    let factor = |row: factors::Model| Factor {
        id: row.id,
        synced: row.backed_up,
        alone: row.discoverable == Some(true) && row.user_verified == Some(true),
        kind: row.kind,
        label: row.label,
        added: row.from_at,
        last_used: row.last_used_at,
    };
    Ok(rows.into_iter().map(factor).collect())
}

/// What `account show` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// The user name.
    pub name: String,
    /// `active`, `frozen`, `contained`, `deleted`, or `absent` until its owner has set it up.
    pub state: &'static str,
    /// Its addresses.
    pub addresses: Vec<ShownAddress>,
    /// The kinds of its factors.
    pub factors: Vec<String>,
    /// Its roles on projects, and of the staff.
    pub roles: Vec<ShownRole>,
    /// When it was made, RFC 3339.
    pub created: String,
}

/// An address, as `account show` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct ShownAddress {
    /// The address.
    pub address: String,
    /// Whether it is the primary one.
    pub primary: bool,
    /// Whether it is verified.
    pub verified: bool,
    /// Why it lost its proof, if it had one: `bounce`, `complaint`, `operator`, `lapsed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unverified_because: Option<String>,
}

/// A role, as `account show` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct ShownRole {
    /// The project's name; nothing for a role of the staff.
    pub project: Option<String>,
    /// The role.
    pub role: String,
}

const ROLES: &str = "SELECT p.name AS project, r.role AS role FROM roles r JOIN projects p ON p.id = r.project_id \
    WHERE r.account_id = $1 AND r.until_at IS NULL ORDER BY p.normalized";
const STAFF: &str = "SELECT role FROM staff_roles WHERE account_id = $1 AND until_at IS NULL ORDER BY role";

/// Reads any account for the operator.
///
/// # Errors
/// `Hidden` when there is none of this name.
pub async fn inspect<R: Reading>(read: &R, _permit: &Permit<InspectAccount>, name: &str) -> Result<Shown, Refused> {
    let account = accounts::by_username(read, name).await?.ok_or(Denied::Hidden)?;
    let addresses = addresses::of_account(read, account.id).await?;
    let mut roles = Vec::new();
    for row in read.rows(STAFF, vec![Value::from(account.id)]).await? {
        roles.push(ShownRole { project: None, role: row.try_get("", "role")? });
    }
    for row in read.rows(ROLES, vec![Value::from(account.id)]).await? {
        roles.push(ShownRole { project: Some(row.try_get("", "project")?), role: row.try_get("", "role")? });
    }
    Ok(Shown {
        name: account.username,
        state: standing(read, account.id, None).await?.state.word(),
        addresses: addresses
            .into_iter()
            .map(|row| ShownAddress {
                address: row.address,
                primary: row.is_primary,
                verified: row.verified_at.is_some(),
                unverified_because: row.unverified_because,
            })
            .collect(),
        factors: factors_of(read, account.id).await?.into_iter().map(|factor| factor.kind).collect(),
        roles,
        created: account.created_at.rfc3339(),
    })
}

/// The account that has verified the address that the operator named, and its user name.
///
/// # Errors
/// `Invalid` when that is no address, or no account has verified it.
pub async fn find_by_address<R: Reading>(read: &R, _permit: &Permit<InspectAccount>, typed: &str) -> Result<Account, Refused> {
    let address = addresses::Address::parse(typed)?;
    let row = addresses::by_folded(read, &address.folded()).await?;
    let row = row.ok_or_else(|| Invalid::new("email", "No account has verified this address."))?;
    Ok(accounts::by_id(read, row.account_id).await?.ok_or(Denied::Hidden)?)
}

/// The account that the operator named.
///
/// # Errors
/// `Hidden` when there is none of this name.
pub async fn find<R: Reading>(read: &R, _permit: &Permit<InspectAccount>, name: &str) -> Result<AccountId, Refused> {
    Ok(accounts::by_username(read, name).await?.ok_or(Denied::Hidden)?.id)
}
