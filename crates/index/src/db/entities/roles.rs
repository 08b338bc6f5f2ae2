//! Roles on projects: history rows.

use crate::clock::Time;
use crate::ids::{AccountId, EventId, ProjectId, RoleId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "roles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoleId,
    pub project_id: ProjectId,
    pub account_id: AccountId,
    /// Owner, Maintainer.
    pub role: String,
    /// The role its project was created with, settled from the start.
    pub founding: bool,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
