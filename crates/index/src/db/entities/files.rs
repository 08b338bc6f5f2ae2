//! A distribution file. Its name is taken for good: ended rows keep it (R24).

use crate::clock::Time;
use crate::ids::{EventId, FileId, ProjectId, ReleaseId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FileId,
    pub project_id: ProjectId,
    pub release_id: ReleaseId,
    pub filename: String,
    /// Sdist, bdist_wheel.
    pub kind: String,
    pub python_version: String,
    pub size_bytes: i64,
    pub md5: String,
    pub sha256: String,
    /// Names the blob.
    pub blake2_256: String,
    /// Of the `.metadata` companion, which is stored under this digest.
    pub metadata_sha256: Option<String>,
    pub metadata_size_bytes: Option<i64>,
    pub requires_python: Option<String>,
    pub comment: Option<String>,
    pub uploaded_at: Time,
    pub began_by: EventId,
    pub until_at: Option<Time>,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
