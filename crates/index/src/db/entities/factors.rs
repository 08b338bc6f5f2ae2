//! Second factors: history rows. A row that ended keeps its age.

use crate::clock::Time;
use crate::ids::{AccountId, EventId, FactorId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "factors")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FactorId,
    pub account_id: AccountId,
    /// Totp, webauthn.
    pub kind: String,
    pub label: String,
    /// The TOTP secret, or the WebAuthn credential as JSON: AEAD bound to table, row and account.
    pub secret_sealed: Vec<u8>,
    /// TOTP: the newest time step ever accepted; a step at or below it is a replay.
    pub last_step: Option<i64>,
    pub last_used_at: Option<Time>,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
    /// WebAuthn: the credential's identifier, unique among open rows.
    pub credential_id: Option<Vec<u8>>,
    /// WebAuthn: the newest signature counter; one that does not grow is a risk.
    pub sign_count: Option<i64>,
    /// WebAuthn: whether the authenticator verified its user when it was added.
    pub user_verified: Option<bool>,
    /// WebAuthn: whether it can sign in without a user name.
    pub discoverable: Option<bool>,
    pub backup_eligible: Option<bool>,
    pub backed_up: Option<bool>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
