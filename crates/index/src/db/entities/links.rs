//! Single-use links of mails and of the set-up, as SHA-256.

use crate::clock::Time;
use crate::ids::{AccountId, AddressId, AttemptId, EventId, HoldId, LinkId, SessionId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LinkId,
    /// Verify-email, reset-password, setup, not-me, alarm.
    pub purpose: String,
    pub account_id: Option<AccountId>,
    pub address_id: Option<AddressId>,
    /// The browser session that asked (R4).
    pub session_id: Option<SessionId>,
    pub token_digest: Vec<u8>,
    pub created_at: Time,
    pub expires_at: Time,
    pub spent_at: Option<Time>,
    pub began_by: Option<EventId>,
    /// The sign-in that it continues.
    pub attempt_id: Option<AttemptId>,
    /// The hold that it vetoes.
    pub hold_id: Option<HoldId>,
    /// The event whose notice carries it.
    pub event_id: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
