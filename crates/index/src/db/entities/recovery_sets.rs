//! One set of recovery codes: one salt, so that a guess costs one hash.

use crate::clock::Time;
use crate::ids::{AccountId, EventId, RecoverySetId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_sets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RecoverySetId,
    pub account_id: AccountId,
    pub salt: Vec<u8>,
    /// When one of them was entered back.
    pub proved_at: Option<Time>,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
