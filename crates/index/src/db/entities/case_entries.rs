//! What somebody did or wrote down in a case.

use crate::clock::Time;
use crate::ids::{AccountId, CaseId, EntryId, EventId, HoldId, ProjectId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub case_id: CaseId,
    /// freeze, pause, thaw, quarantine, release, stop-hold, note, close.
    pub kind: String,
    pub account_id: Option<AccountId>,
    pub project_id: Option<ProjectId>,
    pub hold_id: Option<HoldId>,
    /// The reason, the note, or the decision.
    pub text: String,
    pub at: Time,
    pub event_id: EventId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
