//! A person (or robot) that can sign in. Its state is not a column: it follows from `account_causes` (R13).

use crate::clock::Time;
use crate::ids::{AccountId, EventId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    /// As registered; ASCII; never handed to somebody else (R24).
    pub username: String,
    /// Look-alike folding, the key of uniqueness (R24).
    pub username_folded: String,
    pub display_name: String,
    /// PHC string with its parameters and the pepper's key id; none until set-up is completed.
    pub password_hash: Option<String>,
    pub password_changed_at: Option<Time>,
    pub created_at: Time,
    /// The event of its creation.
    pub began_by: EventId,
    pub last_login_at: Option<Time>,
    /// When the personal data of a deleted account was erased (R27).
    pub erased_at: Option<Time>,
    /// When the password was found in a breach list and taken away; a new one is chosen by mail.
    pub password_disabled_at: Option<Time>,
    pub password_disabled_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
