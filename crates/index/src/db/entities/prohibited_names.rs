//! Names nobody may register.

use crate::clock::Time;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "prohibited_names")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub normalized: String,
    pub reason: String,
    pub created_at: Time,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
