//! Six-digit codes sent to a mailbox, bound to the session that asked (R4).

use crate::clock::Time;
use crate::ids::{AccountId, AddressId, CodeId, EventId, SessionId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mailbox_codes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CodeId,
    pub account_id: AccountId,
    pub session_id: SessionId,
    pub address_id: AddressId,
    /// Keyed hash: six digits have no entropy of their own (R29).
    pub code_hash: Vec<u8>,
    pub tries: i64,
    pub created_at: Time,
    pub expires_at: Time,
    pub spent_at: Option<Time>,
    pub began_by: EventId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
