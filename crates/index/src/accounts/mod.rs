//! Accounts: who can sign in, their addresses, and why they may not act.

pub mod addresses; // mail addresses, and their verification
pub mod bounces; //   what the mail server reports
pub mod deleted; //   deleted, kept whole, and back (P7)
pub mod domains; //   the operator's lists of mail domains
pub mod forgotten; // names whose address was never verified (R24)
pub mod freeze; //    causes added and taken away (R13)
pub mod history; //   the account's own security history
pub mod link; //      single-use links of mails and of the set-up
pub mod names; //     user names
pub mod profile; //   the name and the address that others see
pub mod register; //  registration by anybody
pub mod settled; //   what has stood long enough (POWER)
pub mod setup; //     the first administrator and accounts made at the shell
pub mod taking_back; // the way back of a stopped account, begun (R16)
pub mod show; //      what an account is and has, for its pages and the shell

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use crate::db::entities::accounts;
use crate::db::{Reading, Tx};
use crate::ids::AccountId;
use crate::policy::{Actor, Resource, Role, Situation, Who};
use crate::refused::Refused;

/// A row of the table of accounts.
pub type Account = accounts::Model;

/// The account with this user name, written in any case.
///
/// # Errors
/// The database.
pub async fn by_username<R: Reading>(read: &R, typed: &str) -> Result<Option<Account>, Refused> {
    // What can be no user name is nobody's, and is never handed to the database (PostgreSQL takes no NUL).
    let Ok(name) = names::UserName::parse(typed) else { return Ok(None) };
    let (typed, folded) = (name.as_str(), name.folded());
    let row = accounts::Entity::find().filter(accounts::Column::UsernameFolded.eq(folded)).one(read.connection()).await?;
    Ok(row.filter(|account| account.username.eq_ignore_ascii_case(typed)))
}

/// The account with this id.
///
/// # Errors
/// The database.
pub async fn by_id<R: Reading>(read: &R, id: AccountId) -> Result<Option<Account>, Refused> {
    Ok(accounts::Entity::find_by_id(id).one(read.connection()).await?)
}

/// Whether its owner ever completed it: one whose password was disabled stays complete.
#[must_use]
pub const fn is_complete(account: &Account) -> bool {
    account.password_hash.is_some() || account.password_disabled_at.is_some()
}

/// Locks an account's row until the transaction ends, so that a new password and a sign-in with the old one cannot cross.
pub(crate) async fn lock(tx: &Tx, id: AccountId) -> Result<(), Refused> {
    let sql = format!("SELECT 1 AS one FROM accounts WHERE id = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(id)]).await?;
    Ok(())
}

impl Resource for AccountId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let role = match &actor.who {
            Who::Account(id) if id == self => Role::Oneself,
            Who::Operator(_) => Role::Operator,
            Who::Worker(_) => Role::Worker,
            Who::Account(_) | Who::Nobody => return Ok(Situation::hidden()),
        };
        let known = by_id(read, *self).await?.is_some();
        Ok(if known { Situation::holding(vec![role]) } else { Situation::hidden() })
    }

    /// Somebody else's act on an account waits for what the account is doing, and stops what it would do next.
    async fn lock(&self, tx: &Tx, actor: &Actor) -> Result<(), Refused> {
        if actor.account() == Some(*self) { Ok(()) } else { lock(tx, *self).await }
    }
}
