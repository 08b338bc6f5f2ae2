//! Pages for people: what they see and send. No rules here.

pub mod projects;
pub mod tokens;
