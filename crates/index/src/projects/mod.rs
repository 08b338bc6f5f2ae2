//! Projects: names, roles, releases, files, what the index shows of them.

pub mod roles;
