//! Flows: what people and programs do, through the front door.

mod files;
mod json;
mod pages;
mod simple;
mod spine;
mod tokens;
mod upload;
