//! Flows: what people and programs do, through the front door.

mod addresses;
mod bounces;
mod check;
mod freeze;
mod gates;
mod holds;
mod jobs;
mod mail;
mod operator;
mod people;
mod registration;
mod names;
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
mod token_pages;
mod tokens;
mod upload;
