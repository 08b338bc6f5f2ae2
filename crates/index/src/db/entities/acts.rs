//! A proof made for one act (R2): bound to session, action, subject and parameters.

use crate::clock::Time;
use crate::ids::{AccountId, ActId, FactorId, SessionId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "acts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ActId,
    pub account_id: AccountId,
    pub session_id: SessionId,
    /// Wire name of the action.
    pub action: String,
    /// SHA-256 over action, subject and parameters.
    pub digest: Vec<u8>,
    /// What the page that asks for the proof says.
    pub description: String,
    /// JSON of the form, shown again after the detour.
    pub parameters: String,
    pub created_at: Time,
    pub expires_at: Time,
    pub proved_at: Option<Time>,
    pub proved_with: Option<String>,
    pub spent_at: Option<Time>,
    pub factor_id: Option<FactorId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
