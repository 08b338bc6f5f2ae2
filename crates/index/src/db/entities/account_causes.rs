//! Why an account may not act (R13): it acts only while no row is open.

use crate::clock::Time;
use crate::ids::{AccountId, CaseId, CauseId, EventId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_causes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CauseId,
    pub account_id: AccountId,
    /// Frozen, contained, deleted.
    pub kind: String,
    pub reason: String,
    pub case_id: Option<CaseId>,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
