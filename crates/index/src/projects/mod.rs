//! Projects: names, roles, releases, files, what the index shows of them.

pub mod collaboration;
pub mod files;
pub mod history;
pub(crate) mod holders;
mod line;
pub mod listing;
pub mod locks;
pub mod managing;
pub mod names;
pub mod roles;
pub mod search;
pub mod show;
pub mod upload;
pub mod watching;
