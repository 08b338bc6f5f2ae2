//! Walks over the six tables: each refuses what a row must not be.

mod actions;
mod doors;
mod events;
mod golden;
mod matrix;
mod others;
mod reference;
mod routes;
