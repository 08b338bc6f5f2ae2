//! The faces of Strongroom: HTTP and command line.

pub mod assets;
pub mod cli;
pub mod client;
pub mod gate;
pub mod health;
pub mod input;
pub mod listen;
pub mod pages;
pub mod readme;
pub mod reference;
pub mod refusal;
pub mod reply;
pub mod routes;
pub mod statics;
pub mod upload;
pub mod web;
