//! Addresses whose notices carry no link, because the account's owner said that they are not theirs (R17).

use crate::clock::Time;
use crate::ids::{AccountId, AddressId, EventId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quiet_addresses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AddressId,
    pub account_id: AccountId,
    pub folded: String,
    pub from_at: Time,
    pub began_by: EventId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
