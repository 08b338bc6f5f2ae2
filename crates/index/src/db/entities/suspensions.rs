//! A role, token or invitation that gives nothing while its row here is open (R11, R15, R18).

use crate::clock::Time;
use crate::ids::{AccountId, CaseId, EventId, HoldId, ProjectId, SuspensionId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suspensions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SuspensionId,
    /// role, token, invitation.
    pub what: String,
    /// The id of the role, token or invitation.
    pub what_id: Uuid,
    /// Whose it is.
    pub account_id: AccountId,
    pub project_id: Option<ProjectId>,
    /// The hold that it accompanies (R11).
    pub hold_id: Option<HoldId>,
    pub case_id: Option<CaseId>,
    pub reason: String,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
