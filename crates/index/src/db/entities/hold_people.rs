//! Who is concerned by a hold, and what they said.

use crate::clock::Time;
use crate::ids::{AccountId, HoldId, HoldPersonId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hold_people")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HoldPersonId,
    pub hold_id: HoldId,
    pub account_id: AccountId,
    /// Whether his role is settled, and what he approved with.
    pub settled: bool,
    pub may_veto: bool,
    /// When the mail server accepted a notice, or it was shown to the person signed in (R9).
    pub told_at: Option<Time>,
    pub approved_at: Option<Time>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
