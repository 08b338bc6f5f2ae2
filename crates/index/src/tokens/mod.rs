//! API tokens: mint, list, verify, revoke. A token opens uploads in its account's name and nothing else.
//!
//! The macaroon is Warehouse's: version 2, identified by the row's id, signed with a random key that the row keeps sealed.
//! What depends on the project travels in the actor and is decided with the upload (`projects::roles`).

mod list;
mod mint;
pub mod paused; // tokens that open nothing until their owner confirms them (R18)
mod verify;

use credentials::keys::Place;
use credentials::secret::SecretBytes;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Value};

pub use list::{Line, description, list, revoke, scopes};
pub use mint::{Asked, Asking, DAYS_MOST, DESCRIPTION_MOST, Minted, NewToken, Scope, ask, mint};
pub use verify::verify;

use crate::db::entities::{accounts, api_tokens};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, EventId, TokenId};
use crate::policy::{Actor, Credential, Denied, Resource, Role, Situation};
use crate::refused::Refused;

/// The only action that a token can carry so far.
const UPLOAD: &str = "upload";

impl Resource for TokenId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let row = api_tokens::Entity::find_by_id(*self).one(read.connection()).await?;
        Ok(match row {
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }

    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        lock_row(tx, *self).await
    }
}

/// The user name of whoever acts, for messages to that one.
///
/// # Errors
/// The database.
pub async fn username(env: &Env, actor: &Actor) -> Result<String, Refused> {
    let Some(id) = actor.account() else { return Ok(String::new()) };
    let read = env.db.read(env.now()).await?;
    let row = accounts::Entity::find_by_id(id).one(read.connection()).await?;
    Ok(row.map(|row| row.username).unwrap_or_default())
}

/// The row of the token that somebody acts with, locked until the transaction ends: a revocation waits, or is seen.
pub(crate) async fn lock(tx: &Tx, actor: &Actor) -> Result<(), Refused> {
    match used_by(actor) {
        Some(token) => lock_row(tx, token).await,
        None => Ok(()),
    }
}

async fn lock_row(tx: &Tx, token: TokenId) -> Result<(), Refused> {
    let sql = format!("SELECT 1 AS one FROM api_tokens WHERE id = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(token)]).await?;
    Ok(())
}

/// The row behind an identifier that somebody presents: the one that is open, where the token was put back (R18).
async fn presented<R: Reading>(read: &R, id: TokenId) -> Result<Option<api_tokens::Model>, Refused> {
    let own = Condition::any().add(api_tokens::Column::Id.eq(id)).add(api_tokens::Column::StandsFor.eq(id));
    let mut rows = api_tokens::Entity::find().filter(own).all(read.connection()).await?;
    rows.sort_by_key(|row| (row.until_at.is_some(), row.id != id));
    Ok(rows.into_iter().next())
}

/// Whether the token that somebody acts with still stands; it was verified before the body was read.
///
/// # Errors
/// `NotValid` when it was revoked since.
pub(crate) async fn check_open<R: Reading>(read: &R, actor: &Actor) -> Result<(), Refused> {
    let Some(token) = used_by(actor) else { return Ok(()) };
    let open = api_tokens::Entity::find_by_id(token).filter(api_tokens::Column::UntilAt.is_null()).one(read.connection()).await?;
    if open.is_none() {
        return Err(Denied::NotValid.into());
    }
    if paused::is_paused(read, token).await? { Err(Denied::Token(paused::SAYS.to_owned()).into()) } else { Ok(()) }
}

/// Notes that a token was used, and in which event.
pub(crate) async fn note_use(tx: &Tx, actor: &Actor, event: EventId) -> Result<(), Refused> {
    if let Some(token) = used_by(actor) {
        let sql = "UPDATE api_tokens SET last_used_at = $2, last_used_event = $3 WHERE id = $1";
        tx.execute(sql, vec![Value::from(token), Value::from(tx.now()), Value::from(event)]).await?;
    }
    Ok(())
}

fn used_by(actor: &Actor) -> Option<TokenId> {
    if actor.credential == Credential::ApiToken { actor.credential_id.map(TokenId) } else { None }
}

/// The key of a macaroon opens only in the row and for the account that it was made for.
fn seal_key(env: &Env, token: TokenId, account: AccountId, key: &SecretBytes) -> Vec<u8> {
    env.keys.seal(&*env.entropy, &place(&token, &account), key.expose())
}

fn open_key(env: &Env, row: &api_tokens::Model) -> Result<SecretBytes, Refused> {
    let opened = env.keys.open(&place(&row.id, &row.account_id), &row.key_sealed);
    opened.map_err(|e| anyhow::anyhow!("the key of token {}: {e}", row.id).into())
}

fn place<'a>(token: &'a TokenId, account: &'a AccountId) -> Place<'a> {
    Place { table: "api_tokens", row: token.0.as_bytes(), account: account.0.as_bytes() }
}
