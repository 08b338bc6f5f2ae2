//! API tokens: mint, list, verify, revoke.

use sea_orm::EntityTrait;

use crate::db::Reading;
use crate::db::entities::api_tokens;
use crate::ids::TokenId;
use crate::policy::{Actor, Resource, Role, Situation};
use crate::refused::Refused;

impl Resource for TokenId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let row = api_tokens::Entity::find_by_id(*self).one(read.connection()).await?;
        Ok(match row {
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }
}
