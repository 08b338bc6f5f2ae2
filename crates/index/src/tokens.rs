//! API tokens: mint, list, verify, revoke.

use sea_orm::EntityTrait;

use crate::db::Reading;
use crate::db::entities::api_tokens;
use crate::ids::TokenId;
use credentials::secret::Secret;

use crate::env::Env;
use crate::policy::{Actor, Denied, Origin, Resource, Role, Situation};
use crate::refused::Refused;

/// Verifies a token: signature, location, expiry, account, action and network caveats; what depends on the file travels in the actor.
///
/// # Errors
/// `NotValid`, `Token` with the caveat's reason, or `Stopped`.
pub async fn verify(_env: &Env, token: Result<Secret, Denied>, _origin: Origin) -> Result<Actor, Refused> {
    token?;
    Err(Denied::NotValid.into())
}

impl Resource for TokenId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let row = api_tokens::Entity::find_by_id(*self).one(read.connection()).await?;
        Ok(match row {
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }
}
