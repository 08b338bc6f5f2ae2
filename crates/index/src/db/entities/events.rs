//! The audit trail: append-only; the database refuses UPDATE, DELETE and TRUNCATE. No foreign keys leave it: rows outlive what they describe.

use crate::clock::Time;
use crate::ids::{AccountId, CaseId, EventId, ProjectId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub id: EventId,
    pub kind: String,
    pub at: Time,
    /// The account it is about.
    pub account_id: Option<AccountId>,
    pub actor_account_id: Option<AccountId>,
    /// Account, operator:NAME, worker:JOB, nobody.
    pub actor: String,
    pub project_id: Option<ProjectId>,
    /// Kind of credential.
    pub credential: String,
    /// Session, token or attempt.
    pub credential_id: Option<Uuid>,
    /// Tightens, grants, loosens, neither.
    pub direction: String,
    pub case_id: Option<CaseId>,
    pub request_id: String,
    /// JSON of the event's fields.
    pub detail: String,
    /// SHA-256 over the sealed private part, so that erasing it keeps the row verifiable (R27).
    pub commitment: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
