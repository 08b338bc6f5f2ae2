//! Personal fields of an event, sealed under the key of their subject (R27).

use crate::ids::EventId;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_private")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    /// Account, or nil for events about nobody.
    pub subject: Uuid,
    /// Keyed hash, for look-ups.
    pub network_hash: Option<Vec<u8>>,
    /// Network address, agent, e-mail address.
    pub sealed: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
