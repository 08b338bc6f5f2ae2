//! How far the audit trail was shipped to another machine, and who ships it at the moment.

use crate::clock::Time;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_shipping")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The newest seal that was taken.
    pub seal: i64,
    /// How often it failed in a row.
    pub failures: i64,
    /// Not before.
    pub run_at: Time,
    pub leased_until: Option<Time>,
    pub last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
