//! Every mail that was to be sent, as administrators see it: no address, no words.

use crate::clock::Time;
use crate::ids::{AccountId, AddressId, DeliveryId, EventId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeliveryId,
    pub event_id: EventId,
    /// Wire name of the event's kind.
    pub kind: String,
    pub account_id: Option<AccountId>,
    pub address_id: AddressId,
    pub message_id: String,
    /// Queued, sent, failed, bounced.
    pub state: String,
    pub tries: i64,
    pub created_at: Time,
    pub changed_at: Time,
    pub last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
