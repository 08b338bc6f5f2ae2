//! The way back of a contained account, in one browser (R16). The cookie's token is stored as SHA-256.

use crate::clock::Time;
use crate::ids::{AccountId, AddressId, EventId, FactorId, TakeBackId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "take_backs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TakeBackId,
    /// Nobody's, when a name was typed that no contained account has: it goes the same way and leads nowhere.
    pub account_id: Option<AccountId>,
    /// Password, link, name.
    pub begun_with: String,
    pub token_digest: Vec<u8>,
    pub created_at: Time,
    pub expires_at: Time,
    /// The settled address whose mailbox was proved.
    pub address_id: Option<AddressId>,
    pub address_proved_at: Option<Time>,
    /// The settled factor that was proved.
    pub factor_id: Option<FactorId>,
    pub factor_proved_at: Option<Time>,
    /// Totp, webauthn.
    pub proved_with: Option<String>,
    pub spent_at: Option<Time>,
    pub began_by: EventId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
