//! A credential that an alarm stopped on one project, for a day (R14).

use crate::clock::Time;
use crate::ids::{AccountId, CaseId, EventId, PauseId, ProjectId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pauses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PauseId,
    pub project_id: ProjectId,
    /// The token or session.
    pub credential_id: Uuid,
    /// Whose it is.
    pub account_id: AccountId,
    /// Who raised the alarm.
    pub raised_by: AccountId,
    pub case_id: CaseId,
    pub from_at: Time,
    pub expires_at: Time,
    pub began_by: EventId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
