//! The handlers behind the pages.

pub mod public;
mod tags;
