//! Flows: what people and programs do, through the front door.

mod check;
mod freeze;
mod gates;
mod jobs;
mod mail;
mod people;
mod registration;
mod reset;
mod signin;
mod smtp;
mod spine;
mod tokens;
mod upload;
