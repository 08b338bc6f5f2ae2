//! Why a project, a release or a file is not shown or takes nothing new; several may stand beside each other.

use crate::clock::Time;
use crate::ids::{CaseId, EventId, FileId, LockId, ProjectId, ReleaseId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_locks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LockId,
    pub project_id: ProjectId,
    /// One release only.
    pub release_id: Option<ReleaseId>,
    /// One file only.
    pub file_id: Option<FileId>,
    /// deleted, withdrawn, quarantined, archived.
    pub kind: String,
    pub reason: String,
    pub case_id: Option<CaseId>,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
    /// When what it is on was erased: it cannot be lifted any more.
    pub erased_at: Option<Time>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
