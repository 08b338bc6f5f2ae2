//! Flows: what people and programs do, through the front door.

mod check;
mod forms;
mod freeze;
mod gates;
mod jobs;
mod mail;
mod people;
mod registration;
mod reset;
mod shell;
mod signin;
mod smtp;
mod files;
mod json;
mod pages;
mod simple;
mod spine;
mod token_pages;
mod tokens;
mod upload;
