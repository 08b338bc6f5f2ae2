//! The one integration binary: everything through the real router, on both engines.

mod flows;
mod tables;
mod tidy;
mod world;
