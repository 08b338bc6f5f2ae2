//! What people see: one struct and one template per page.
//!
//! A page holds plain values only, so that it can be rendered and looked at without a database. It decides
//! nothing: who may see it, and what its forms do, is the business of the handlers that fill it in.

pub mod account;
pub mod admin;
pub mod containing;
pub mod errors;
pub mod form;
pub mod frame;
pub mod holds;
pub mod manage;
pub mod parts;
pub mod public;
pub mod restoring;
pub mod qr;
pub mod when;

pub use form::{FieldError, FormErrors};
pub use frame::{Action, Banner, Flash, Frame, Kind, Viewer};
pub use parts::{Bytes, WebLink};
pub use when::When;

/// The HTML of a page.
pub fn html(page: &impl askama::Template) -> String {
    page.render().expect("templates hold only values whose formatting cannot fail")
}

#[cfg(test)]
mod tests;
