//! One restore, or the undo of one. Its id is that of the event that made it; history rows name it in `began_by` and `ended_by`.

use crate::clock::Time;
use crate::ids::{AccountId, BatchId, CaseId, EventId, ProjectId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "batches")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BatchId,
    pub case_id: CaseId,
    /// The account that was put back, or
    pub account_id: Option<AccountId>,
    /// the project.
    pub project_id: Option<ProjectId>,
    /// As it stood then; nothing for an undo.
    pub as_of: Option<Time>,
    /// The batch that this one undid.
    pub undoes: Option<BatchId>,
    pub reason: String,
    /// How many things it changed.
    pub changed: i64,
    pub from_at: Time,
    /// When it was undone.
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
