//! Projects: names, roles, releases, files, what the index shows of them.

pub mod names;
pub mod roles;
pub mod search;
pub mod upload;
