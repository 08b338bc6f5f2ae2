//! The one integration binary: everything through the real router, on both engines.

mod authenticator;
mod checklist;
mod dist;
mod flows;
mod people;
mod ranges;
mod given;
mod holding;
mod seed;
mod sink;
mod tables;
mod team;
mod tidy;
mod world;
