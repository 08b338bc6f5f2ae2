//! A take-back with less than both proofs, which waits (R16).

use crate::clock::Time;
use crate::ids::{AccountId, EventId, HoldId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "take_back_waits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HoldId,
    pub account_id: AccountId,
    /// Which of the two was proved: mailbox, factor.
    pub proof: String,
    pub from_at: Time,
    pub due_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
