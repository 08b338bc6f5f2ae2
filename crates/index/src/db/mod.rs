//! The database room: one `Tx` over two engines, one file a table, one set of migrations.

pub mod entities;
pub mod migrations;
#[cfg(test)]
mod tests;
mod tx;

pub(crate) use migrations::Migrator;
pub use tx::{Database, Engine, Read, Reading, Tx, is_conflict, is_taken};
