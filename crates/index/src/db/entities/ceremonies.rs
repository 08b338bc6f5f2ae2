//! WebAuthn challenges that were handed to a browser: bound to what they are for, spent by one answer.

use crate::clock::Time;
use crate::ids::{AccountId, ActId, AttemptId, CeremonyId, SessionId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ceremonies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CeremonyId,
    /// Add, sign-in, factor, prove.
    pub purpose: String,
    pub account_id: Option<AccountId>,
    pub session_id: Option<SessionId>,
    pub attempt_id: Option<AttemptId>,
    pub act_id: Option<ActId>,
    /// SHA-256 of the cookie that the browser had when it asked.
    pub browser_digest: Vec<u8>,
    /// What the library must see again: AEAD bound to table and row.
    pub state_sealed: Vec<u8>,
    pub created_at: Time,
    pub expires_at: Time,
    pub spent_at: Option<Time>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
