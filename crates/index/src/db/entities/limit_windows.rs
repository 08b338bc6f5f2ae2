//! Counts per limit, key and window (R25).

use crate::clock::Time;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "limit_windows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub window_s: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub window_at: Time,
    pub count: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
