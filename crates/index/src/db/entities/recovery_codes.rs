//! The digests of a set.

use crate::clock::Time;
use crate::ids::{EventId, RecoveryCodeId, RecoverySetId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_codes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RecoveryCodeId,
    pub set_id: RecoverySetId,
    pub digest: Vec<u8>,
    pub used_at: Option<Time>,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
