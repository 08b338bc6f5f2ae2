//! The one integration binary: everything through the real router, on both engines.

mod checklist;
mod dist;
mod flows;
mod people;
mod given;
mod sink;
mod tables;
mod tidy;
mod world;
