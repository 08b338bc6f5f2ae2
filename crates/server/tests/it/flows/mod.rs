//! Flows: what people and programs do, through the front door.

mod mail;
mod people;
mod spine;
mod token_pages;
mod tokens;
mod upload;
