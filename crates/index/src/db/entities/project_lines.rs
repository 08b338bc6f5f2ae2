//! What lists show of a project, from its newest release.

use crate::clock::Time;
use crate::ids::ProjectId;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_lines")]
pub struct Model {
    /// Its row in the full-text table of SQLite.
    #[sea_orm(primary_key)]
    pub line: i64,
    pub project_id: ProjectId,
    /// The newest version.
    pub version: String,
    pub summary: String,
    pub released_at: Time,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
