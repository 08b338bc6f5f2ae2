//! The rows of keys: the credential is sealed, its counter and flags stand beside it and move with each use.

use data_encoding::BASE64URL_NOPAD;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};
use webauthn_rs_core::proto::Credential;

use credentials::keys::Place;

use super::library::{Verified, is_discoverable};
use crate::db::entities::factors;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, EventId, FactorId};
use crate::refused::{Invalid, Refused};

/// The kind in the rows of factors.
pub(super) const KIND: &str = "webauthn";

/// What kinds of factor an account holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// An authenticator app.
    pub totp: bool,
    /// A security key or passkey.
    pub key: bool,
}

/// What kinds of factor an account holds.
///
/// # Errors
/// The database.
pub async fn held<R: Reading>(read: &R, account: AccountId) -> Result<Held, Refused> {
    const HELD: &str = "SELECT kind FROM factors WHERE account_id = $1 AND until_at IS NULL GROUP BY kind";
    let mut held = Held::default();
    for row in read.rows(HELD, vec![Value::from(account)]).await? {
        let kind: String = row.try_get("", "kind")?;
        held.totp |= kind == "totp";
        held.key |= kind == KIND;
    }
    Ok(held)
}

/// The identifiers of an account's keys in base64url, for `signalAllAcceptedCredentials`.
///
/// # Errors
/// The database.
pub async fn accepted<R: Reading>(read: &R, account: AccountId) -> Result<Vec<String>, Refused> {
    let rows = of_account(read, account).await?;
    Ok(rows.into_iter().filter_map(|row| row.credential_id).map(|id| BASE64URL_NOPAD.encode(&id)).collect())
}

/// The open keys of an account, oldest first.
pub(super) async fn of_account<R: Reading>(read: &R, account: AccountId) -> Result<Vec<factors::Model>, Refused> {
    Ok(factors::Entity::find()
        .filter(factors::Column::AccountId.eq(account))
        .filter(factors::Column::Kind.eq(KIND))
        .filter(factors::Column::UntilAt.is_null())
        .order_by_asc(factors::Column::FromAt)
        .all(read.connection())
        .await?)
}

/// The open key with this identifier, whoever holds it; its row is locked, so that two answers at the same moment take turns.
pub(super) async fn with_id(tx: &Tx, credential_id: &[u8]) -> Result<Option<factors::Model>, Refused> {
    let lock = format!("SELECT id FROM factors WHERE credential_id = $1 AND until_at IS NULL{}", tx.lock(true));
    let Some(row) = tx.row(&lock, vec![Value::from(credential_id.to_vec())]).await? else { return Ok(None) };
    let id: FactorId = row.try_get("", "id")?;
    Ok(factors::Entity::find_by_id(id).one(tx.connection()).await?)
}

fn place<'a>(id: &'a FactorId, account: &'a AccountId) -> Place<'a> {
    Place { table: "factors", row: id.0.as_bytes(), account: account.0.as_bytes() }
}

/// The credential of a row, with its counter and flags of now.
pub(super) fn credential(env: &Env, row: &factors::Model) -> Result<Credential, Refused> {
    let plain = env.keys.open(&place(&row.id, &row.account_id), &row.secret_sealed);
    let plain = plain.map_err(|e| anyhow::anyhow!("the credential of factor {}: {e}", row.id))?;
    let mut credential: Credential = serde_json::from_slice(plain.expose())?;
    credential.counter = row.sign_count.and_then(|n| u32::try_from(n).ok()).unwrap_or(credential.counter);
    credential.backup_state = row.backed_up.unwrap_or(credential.backup_state);
    credential.user_verified = row.user_verified.unwrap_or(credential.user_verified);
    Ok(credential)
}

/// A label that a person gave, trimmed.
///
/// # Errors
/// `Invalid` when it is empty, too long, or not one line.
pub(super) fn read_label(label: &str) -> Result<String, Invalid> {
    let label = label.trim();
    if label.is_empty() || label.chars().count() > super::LABEL_MOST {
        return Err(Invalid::new("label", "Give the key a name of 1 to 64 characters, to recognize it later."));
    }
    if label.chars().any(char::is_control) {
        return Err(Invalid::new("label", "The name of a key is one line."));
    }
    Ok(label.to_owned())
}

/// Refuses a label that another open key of the account has.
///
/// # Errors
/// `Invalid`.
pub(super) async fn check_free<R: Reading>(read: &R, account: AccountId, label: &str) -> Result<(), Refused> {
    let folded = label.to_lowercase();
    let taken = of_account(read, account).await?.iter().any(|row| row.label.to_lowercase() == folded);
    if taken { Err(Invalid::new("label", "Another key of yours has this name: give this one another.").into()) } else { Ok(()) }
}

/// Adds a row; false when an account has a key with this identifier.
pub(super) async fn insert(
    env: &Env,
    tx: &Tx,
    (account, began_by): (AccountId, EventId),
    label: &str,
    made: &Credential,
) -> Result<Option<FactorId>, Refused> {
    let id = FactorId::new(tx.now(), &*env.entropy);
    let row = factors::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        kind: Set(KIND.to_owned()),
        label: Set(label.to_owned()),
        secret_sealed: Set(env.keys.seal(&*env.entropy, &place(&id, &account), &serde_json::to_vec(made)?)),
        last_step: Set(None),
        last_used_at: Set(None),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(began_by),
        ended_by: Set(None),
        credential_id: Set(Some(made.cred_id.clone())),
        sign_count: Set(Some(i64::from(made.counter))),
        user_verified: Set(Some(made.user_verified)),
        discoverable: Set(is_discoverable(made)),
        backup_eligible: Set(Some(made.backup_eligible)),
        backed_up: Set(Some(made.backup_state)),
    };
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    let rows = factors::Entity::insert(row).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    Ok((rows == 1).then_some(id))
}

const MOVE: &str =
    "UPDATE factors SET sign_count = $2, backed_up = $3, user_verified = $4, last_used_at = $5 WHERE id = $1 AND until_at IS NULL";

/// Notes a use. `promote` says whether another factor vouched for what the authenticator now says about its user.
pub(super) async fn note_use(tx: &Tx, row: &factors::Model, verified: &Verified, promote: bool) -> Result<(), Refused> {
    let user_verified = row.user_verified == Some(true) || (promote && verified.user_verified);
    let values = vec![
        Value::from(row.id),
        Value::from(i64::from(verified.counter)),
        Value::from(verified.backed_up),
        Value::from(user_verified),
        Value::from(tx.now()),
    ];
    if tx.execute(MOVE, values).await? == 1 {
        Ok(())
    } else {
        Err(anyhow::anyhow!("factor {} ended while its row was locked", row.id).into())
    }
}
