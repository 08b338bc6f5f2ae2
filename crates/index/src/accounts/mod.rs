//! Accounts: who can sign in, their addresses, and why they may not act.

use sea_orm::{EntityTrait, Value};

use crate::db::entities::accounts;
use crate::db::{Reading, Tx};
use crate::ids::AccountId;
use crate::policy::{Actor, Resource, Role, Situation, Who};
use crate::refused::Refused;

impl Resource for AccountId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let role = match &actor.who {
            Who::Account(id) if id == self => Role::Oneself,
            Who::Operator(_) => Role::Operator,
            Who::Worker(_) => Role::Worker,
            Who::Account(_) | Who::Nobody => return Ok(Situation::hidden()),
        };
        let known = accounts::Entity::find_by_id(*self).one(read.connection()).await?.is_some();
        Ok(if known { Situation::holding(vec![role]) } else { Situation::hidden() })
    }

    /// Somebody else's act on an account waits for what the account is doing, and stops what it would do next.
    async fn lock(&self, tx: &Tx, actor: &Actor) -> Result<(), Refused> {
        if actor.account() != Some(*self) {
            let sql = format!("SELECT 1 AS one FROM accounts WHERE id = $1{}", tx.lock(true));
            tx.row(&sql, vec![Value::from(*self)]).await?;
        }
        Ok(())
    }
}
