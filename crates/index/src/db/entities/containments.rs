//! Containments from links of notices, by mailbox (R17).

use crate::clock::Time;
use crate::ids::{AccountId, CaseId, CauseId, EventId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "containments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CauseId,
    pub account_id: AccountId,
    /// The folded address that the link was mailed to.
    pub folded: String,
    pub case_id: CaseId,
    pub at: Time,
    /// Whether it stopped the account: a second one from the same mailbox within 30 days does not.
    pub paused: bool,
    pub began_by: EventId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
