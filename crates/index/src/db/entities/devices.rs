//! Browsers that an account trusts: history rows. They spare the mailbox confirmation, never the factor (R33).

use crate::clock::Time;
use crate::ids::{AccountId, DeviceId, EventId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeviceId,
    pub account_id: AccountId,
    /// SHA-256 of the cookie's token.
    pub token_digest: Vec<u8>,
    pub last_seen_at: Time,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
    /// Since when this browser is trusted without a gap; `None`: since `from_at`.
    pub known_since: Option<Time>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
