//! Flows: what people and programs do, through the front door.

mod mail;
mod people;
mod spine;
mod tokens;
mod upload;
