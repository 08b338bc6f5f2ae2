//! Flows: what people and programs do, through the front door.

mod spine;
mod tokens;
mod upload;
