//! A password was right and a factor is outstanding: the half session.

use crate::clock::Time;
use crate::ids::{AccountId, AttemptId, EventId, FactorId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttemptId,
    pub account_id: AccountId,
    pub token_digest: Vec<u8>,
    pub created_at: Time,
    pub expires_at: Time,
    pub began_by: EventId,
    pub spent_at: Option<Time>,
    /// What it waits for: factor, mailbox.
    pub stage: String,
    /// What was proved besides the password, once it waits for the mailbox: password, totp, recovery_code.
    pub proved_with: Option<String>,
    pub factor_id: Option<FactorId>,
    /// Whether the person asked to trust this browser.
    pub remember_device: bool,
    /// Wrong factors in this attempt.
    pub failures: i64,
    /// Where it was to lead, as it was asked for; looked at again before it is followed.
    pub next: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
