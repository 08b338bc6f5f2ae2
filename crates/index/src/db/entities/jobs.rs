//! What follows from events, and schedules.

use crate::clock::Time;
use crate::ids::JobId;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    pub kind: String,
    /// Idempotence.
    pub key: String,
    /// JSON; secrets in it are sealed and blanked when done (R29).
    pub payload: String,
    /// Sealed secret (link token, code).
    pub enclosed: Option<Vec<u8>>,
    /// Ready, running, done, failed.
    pub state: String,
    pub tries: i64,
    pub created_at: Time,
    pub run_at: Time,
    pub locked_until: Option<Time>,
    pub finished_at: Option<Time>,
    pub last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
