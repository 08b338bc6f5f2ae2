//! Who administers the index: history rows.

use crate::clock::Time;
use crate::ids::{AccountId, EventId, RoleId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_roles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoleId,
    pub account_id: AccountId,
    /// Administrator.
    pub role: String,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
