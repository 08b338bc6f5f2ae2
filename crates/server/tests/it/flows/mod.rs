//! Flows: what people and programs do, through the front door.

mod breach;
mod check;
mod closed;
mod metrics;
mod devices;
mod ends;
mod freeze;
mod gates;
mod jobs;
mod mail;
mod people;
mod registration;
mod reset;
mod shell;
mod sessions;
mod signin;
mod signin_model;
mod smtp;
mod files;
mod json;
mod pages;
mod simple;
mod spine;
mod token_pages;
mod tokens;
mod upload;
