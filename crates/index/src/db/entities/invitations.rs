//! A role on a project that was offered to an account, and what became of it.

use crate::clock::Time;
use crate::ids::{AccountId, EventId, InvitationId, ProjectId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    pub project_id: ProjectId,
    /// Who is invited.
    pub account_id: AccountId,
    pub inviter_id: AccountId,
    /// Owner, Maintainer.
    pub role: String,
    pub from_at: Time,
    pub expires_at: Time,
    pub until_at: Option<Time>,
    /// accepted, declined, revoked, expired; nothing while it is open.
    pub outcome: Option<String>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
