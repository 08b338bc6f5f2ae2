//! The page that says no.

use askama::Template;

use super::{Action, Frame};

/// Any refusal or fault that is not shown on a form.
#[derive(Template)]
#[template(path = "errors/error.html")]
pub struct Error {
    /// What surrounds the page.
    pub frame: Frame,
    /// The HTTP status.
    pub status: u16,
    /// What it is, in a few words: "Page not found".
    pub heading: String,
    /// What happened, to what.
    pub what_happened: String,
    /// What the reader can do.
    pub what_to_do: String,
    /// The one button that leads on.
    pub action: Option<Action>,
}
