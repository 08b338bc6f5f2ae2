//! The faces of Strongroom: HTTP and command line.

pub mod api;
pub mod assets;
pub mod cli;
pub mod client;
pub mod conditional;
pub mod files;
pub mod gate;
pub mod health;
pub mod input;
pub mod listen;
pub mod metrics;
pub mod pages;
pub mod readme;
pub mod ready;
pub mod reference;
pub mod refusal;
pub mod reply;
pub mod routes;
pub mod simple;
pub mod statics;
pub mod upload;
pub mod web;
