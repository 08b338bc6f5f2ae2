//! Seals of the audit trail: append-only; the database refuses UPDATE, DELETE and TRUNCATE. Each is chained to the one before.

use crate::clock::Time;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_seals")]
pub struct Model {
    /// 1, 2, 3, without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub at: Time,
    /// How many rows.
    pub events: i64,
    pub first_seq: i64,
    pub last_seq: i64,
    /// The greatest place of this seal and all before it.
    pub max_seq: i64,
    /// The transaction of the last leaf.
    pub last_tx: i64,
    /// The first transaction that had not begun when it was made.
    pub next_tx: i64,
    /// The root key that the signature's is derived from.
    pub key_id: i64,
    /// 40 bytes a row: its place, big-endian, and its hash.
    pub leaves: Vec<u8>,
    pub root: Vec<u8>,
    /// SHA-256 of the statement of the seal before.
    pub previous: Vec<u8>,
    pub signature: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
