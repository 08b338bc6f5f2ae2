//! API tokens: history rows; the macaroon's key is sealed.

use crate::clock::Time;
use crate::ids::{AccountId, EventId, ProjectId, TokenId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    /// The macaroon's identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TokenId,
    pub account_id: AccountId,
    pub description: String,
    pub key_sealed: Vec<u8>,
    /// JSON list of the caveats it was minted with.
    pub caveats: String,
    /// `user` or `project`.
    pub scope: String,
    pub project_id: Option<ProjectId>,
    /// Comma-separated, default `upload`.
    pub actions: String,
    pub expires_at: Option<Time>,
    pub last_used_at: Option<Time>,
    pub last_used_event: Option<EventId>,
    pub from_at: Time,
    pub until_at: Option<Time>,
    pub began_by: EventId,
    pub ended_by: Option<EventId>,
    /// The first row of a token that was put back: what its holder presents names that one.
    pub stands_for: Option<TokenId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
