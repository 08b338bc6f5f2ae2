//! The audit trail as a whole: rows are sealed into Merkle batches, the chain of seals is verified, rows are searched, exported and
//! shipped. One event is written in the room of events; here nothing about the index is decided.
//!
//! Whoever can write into the database can change a row. Without the key file they cannot make a seal that fits, and a checkpoint that
//! is kept elsewhere shows when seals are missing at the end.

mod checkpoint;
mod leaf;
mod query;
mod run;
mod seals;
pub mod ship;
mod verify;

pub use checkpoint::{Checkpoint, NotACheckpoint, newest_checkpoint};
pub use query::{Filter, Line, PAGE, Page, ReadsTrail, Understood, export, page, read_filter};
pub use run::run;
pub use seals::{seal, unsealed};
pub use verify::{Finding, Verified, verify};
