//! E-mail addresses of accounts: history rows. One open row per address and account, one open verified row per address in the whole index.

use crate::clock::Time;
use crate::ids::{AccountId, AddressId, EventId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "addresses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AddressId,
    pub account_id: AccountId,
    /// As typed, domain in lower-case ASCII (IDNA).
    pub address: String,
    /// Lower case, the key of uniqueness.
    pub folded: String,
    pub is_primary: bool,
    pub verified_at: Option<Time>,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
    /// Shown on the user's public page.
    pub is_public: bool,
    /// Why this row of an address began without the proof that the one before had: bounce, complaint, operator, lapsed.
    pub unverified_because: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
