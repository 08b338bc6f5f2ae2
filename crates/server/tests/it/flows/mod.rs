//! Flows: what people and programs do, through the front door.

mod gates;
mod mail;
mod people;
mod spine;
mod upload;
