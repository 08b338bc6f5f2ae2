//! A project: its name is taken for good (R24).

use crate::clock::Time;
use crate::ids::{EventId, ProjectId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProjectId,
    /// Display name.
    pub name: String,
    /// PEP 503.
    pub normalized: String,
    /// Look-alike folding.
    pub look_alike: String,
    /// `seq` of the newest event that changed what the index shows of it.
    pub serial: i64,
    pub created_at: Time,
    pub began_by: EventId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
