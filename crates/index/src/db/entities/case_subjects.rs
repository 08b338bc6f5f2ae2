//! An account or a project that a case concerns.

use crate::clock::Time;
use crate::ids::{CaseId, EventId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_subjects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub case_id: CaseId,
    /// account, project.
    #[sea_orm(primary_key, auto_increment = false)]
    pub what: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub what_id: Uuid,
    pub at: Time,
    pub began_by: EventId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
