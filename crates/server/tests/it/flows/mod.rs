//! Flows: what people and programs do, through the front door.

mod check;
mod freeze;
mod gates;
mod hold_safety;
mod holds;
mod waiting;
mod health;
mod jobs;
mod mail;
pub mod not_me;
mod people;
mod recovery_game;
mod registration;
mod reset;
mod shell;
mod signin;
mod smtp;
mod files;
mod json;
mod keys;
mod pages;
mod simple;
mod spine;
pub mod take_back;
mod token_pages;
mod tokens;
mod upload;
