//! Pages of the staff.

use askama::Template;

use super::{Frame, When};

/// `/admin/health/`.
#[derive(Template)]
#[template(path = "admin/health.html")]
pub struct Health {
    /// What surrounds the page.
    pub frame: Frame,
    /// Which parts answer.
    pub parts: Vec<Part>,
    /// The lists of stolen passwords that the settings name.
    pub lists: Vec<List>,
    /// How many mails are in each state.
    pub counts: Vec<Count>,
    /// The state that is shown, empty for all.
    pub state: &'static str,
    /// The mails, newest first.
    pub mails: Vec<MailLine>,
    /// The key of the next page.
    pub next_page: Option<String>,
    /// Jobs that wait, run or failed.
    pub jobs: Vec<JobLine>,
}

/// A part of the index, and whether it answers.
pub struct Part {
    /// Its name.
    pub name: String,
    /// Whether it answers.
    pub answers: bool,
}

/// A list of stolen passwords.
pub struct List {
    /// What it is.
    pub name: &'static str,
    /// Why it does not answer, while it does not.
    pub wrong: Option<String>,
}

/// How many mails are in a state.
pub struct Count {
    /// The state.
    pub state: &'static str,
    /// How many.
    pub count: String,
}

/// A mail.
pub struct MailLine {
    /// What it tells.
    pub what: String,
    /// Whose address it went to.
    pub username: Option<String>,
    /// How far it came.
    pub state: &'static str,
    /// Whether that wants attention.
    pub bad: bool,
    /// How often it was tried.
    pub tries: i64,
    /// When it was queued.
    pub queued: When,
    /// When its state last changed.
    pub changed: When,
    /// Why the last try failed.
    pub error: Option<String>,
    /// Its Message-ID.
    pub message_id: String,
}

/// Jobs of one kind in one state.
pub struct JobLine {
    /// The kind.
    pub kind: String,
    /// The state.
    pub state: String,
    /// How many.
    pub count: i64,
    /// The most tries that one of them took.
    pub tries: i64,
    /// Since when the oldest waits.
    pub oldest: When,
}
