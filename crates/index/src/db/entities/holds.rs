//! Changes that wait (R7 to R10).

use crate::clock::Time;
use crate::ids::{AccountId, CaseId, EventId, FactorId, HoldId, ProjectId, SessionId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HoldId,
    /// Wire name of the action.
    pub action: String,
    /// The account that proposed, or whose power changes.
    pub account_id: AccountId,
    pub project_id: Option<ProjectId>,
    /// What it is done to, as text: one open hold per action and subject.
    pub subject: String,
    /// JSON of the parameters, without secrets.
    pub payload: String,
    /// What it is, in one sentence that people read.
    pub description: String,
    pub proposer_id: AccountId,
    pub session_id: Option<SessionId>,
    pub proved_with: Option<String>,
    pub factor_id: Option<FactorId>,
    /// Waiting, done, vetoed, died.
    pub state: String,
    pub created_at: Time,
    /// When its time began: when the last of its people was told.
    pub served_from: Time,
    /// Moves when the index did not serve (R9).
    pub due_at: Time,
    pub closed_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
    pub case_id: Option<CaseId>,
    pub ended_because: Option<String>,
    /// A grant that has waited opens its door once.
    pub used_at: Option<Time>,
    /// Keyed hash of the mailbox whose link vetoed (R17).
    pub veto_mailbox: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
