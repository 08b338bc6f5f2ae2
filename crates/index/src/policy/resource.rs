//! Things that actions are done to: each says how an actor stands to it. Implemented above this room, for ids that this room knows.

use sea_orm::Value;

use super::actor::{Actor, Who};
use super::words::Role;
use crate::db::{Reading, Tx};
use crate::ids::{AccountId, Site};
use crate::refused::Refused;

/// How an actor stands to a resource.
#[derive(Clone, Debug)]
pub struct Situation {
    /// The roles that the actor holds on it.
    pub roles: Vec<Role>,
    /// Whether the actor may know that it exists.
    pub visible: bool,
}

impl Situation {
    /// Holds these roles on something it may see.
    #[must_use]
    pub fn holding(roles: Vec<Role>) -> Self {
        Self { roles, visible: true }
    }
    /// For this actor, it does not exist.
    #[must_use]
    pub const fn hidden() -> Self {
        Self { roles: Vec::new(), visible: false }
    }
}

/// Something that actions are done to. Implemented above this room, for ids that this room knows.
pub trait Resource: Clone + Send + Sync + 'static {
    /// How the actor stands to it, read in the transaction that decides. What a token's caveats still leave open is decided here too.
    fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> impl Future<Output = Result<Situation, Refused>> + Send;

    /// Locks its row, where roles or states change with the action.
    fn lock(&self, _tx: &Tx, _actor: &Actor) -> impl Future<Output = Result<(), Refused>> + Send {
        async { Ok(()) }
    }
}

impl Resource for Site {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let roles = match actor.who {
            Who::Operator(_) => vec![Role::Operator],
            Who::Worker(_) => vec![Role::Worker],
            Who::Account(account) if is_administrator(read, account).await? => vec![Role::Administrator],
            Who::Account(_) | Who::Nobody => Vec::new(),
        };
        Ok(Situation::holding(roles))
    }
}

async fn is_administrator<R: Reading>(read: &R, account: AccountId) -> Result<bool, Refused> {
    const STAFF: &str = "SELECT 1 AS one FROM staff_roles WHERE account_id = $1 AND until_at IS NULL AND role = 'administrator'";
    Ok(read.row(STAFF, vec![Value::from(account)]).await?.is_some())
}
