//! Projects: names, roles, releases, files, what the index shows of them.

pub mod files;
mod line;
pub mod listing;
pub mod locks;
pub mod names;
pub mod roles;
pub mod search;
pub mod show;
pub mod upload;
pub mod watching;
