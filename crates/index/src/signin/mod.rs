//! Signing in: attempts, factors, sessions.

use sea_orm::EntityTrait;

use crate::db::Reading;
use crate::db::entities::sessions;
use crate::ids::SessionId;
use crate::policy::{Actor, Resource, Role, Situation};
use crate::refused::Refused;

impl Resource for SessionId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let row = sessions::Entity::find_by_id(*self).one(read.connection()).await?;
        Ok(match row {
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }
}
