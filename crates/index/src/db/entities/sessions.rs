//! Signed-in browsers. The cookie's token is stored as SHA-256.

use crate::clock::Time;
use crate::ids::{AccountId, DeviceId, EventId, FactorId, SessionId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub account_id: AccountId,
    pub token_digest: Vec<u8>,
    pub factor_id: Option<FactorId>,
    pub created_at: Time,
    pub last_seen_at: Time,
    pub expires_at: Time,
    /// When a factor was last proved in it (R1).
    pub proved_at: Option<Time>,
    /// Totp, webauthn, recovery_code.
    pub proved_with: Option<String>,
    /// Fresh mailbox proof made in this browser session (R4).
    pub mailbox_proved_at: Option<Time>,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
    /// The trusted browser that it was opened in.
    pub device_id: Option<DeviceId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
