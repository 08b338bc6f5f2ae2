//! Failures beyond the first rows of a key and window are counted here (R26).

use crate::clock::Time;
use crate::ids::EventId;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_counts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub window_at: Time,
    /// How many became rows of their own.
    pub rows: i64,
    /// How many were only counted.
    pub counted: i64,
    /// The event that says how many, once the window is over.
    pub closed_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
