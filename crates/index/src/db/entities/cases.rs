//! One incident: what opened it, whom it concerns, when it was closed.

use crate::clock::Time;
use crate::ids::{AccountId, CaseId, EventId, ProjectId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cases")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CaseId,
    /// Not-me, alarm, veto.
    pub kind: String,
    pub account_id: Option<AccountId>,
    pub project_id: Option<ProjectId>,
    /// One sentence.
    pub why: String,
    pub opened_at: Time,
    pub opened_by: EventId,
    pub closed_at: Option<Time>,
    pub closed_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
