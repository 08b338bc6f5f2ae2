//! A backup that was restored: until it is opened, the index only reads and tightens (R18).

use crate::clock::Time;
use crate::ids::EventId;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "epochs")]
pub struct Model {
    /// 1 for the first restore.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The moment that the backup shows.
    pub backup_made_at: Time,
    /// When it was restored; 0 while the restore is not finished.
    pub from_at: Time,
    pub opened_at: Option<Time>,
    pub opened_by: Option<EventId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
