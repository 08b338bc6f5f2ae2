//! One version of a project.

use crate::clock::Time;
use crate::ids::{EventId, ProjectId, ReleaseId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "releases")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReleaseId,
    pub project_id: ProjectId,
    /// PEP 440 normalized.
    pub version: String,
    /// Without trailing zeros, unique in its project.
    pub canonical: String,
    /// JSON of the core metadata of its first file.
    pub metadata: String,
    pub summary: String,
    pub requires_python: Option<String>,
    pub is_prerelease: bool,
    pub created_at: Time,
    pub yanked_at: Option<Time>,
    pub yanked_reason: Option<String>,
    pub began_by: EventId,
    pub until_at: Option<Time>,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
