//! Second factors: history rows. A row that ended keeps its age.

use crate::clock::Time;
use crate::ids::{AccountId, EventId, FactorId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "factors")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FactorId,
    pub account_id: AccountId,
    /// Totp.
    pub kind: String,
    pub label: String,
    /// AEAD bound to table, row and account.
    pub secret_sealed: Vec<u8>,
    /// TOTP: the newest time step ever accepted; a step at or below it is a replay.
    pub last_step: Option<i64>,
    pub last_used_at: Option<Time>,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
