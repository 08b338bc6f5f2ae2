//! "I was phished", and putting back as it stood at a time.

use askama::Template;

use super::{FormErrors, Frame, When};

/// `/manage/account/phished/`.
#[derive(Template)]
#[template(path = "manage/phished.html")]
pub struct Phished {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// What was typed as `since`.
    pub since: String,
    /// What to decide, once it was said.
    pub things: Option<Vec<Thing>>,
    /// The proof that was made for the decision.
    pub act: Option<String>,
}

/// Something that the account gained.
pub struct Thing {
    /// Its row.
    pub id: String,
    /// What it is.
    pub what: String,
    /// Since when.
    pub from: When,
    /// Whether it is marked to be kept.
    pub kept: bool,
}

/// `/admin/accounts/{name}/restore/` and `/admin/projects/{name}/restore/`.
#[derive(Template)]
#[template(path = "admin/restore.html")]
pub struct Restore {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The address of the page itself.
    pub path: String,
    /// The account or project.
    pub name: String,
    /// Whether it is an account.
    pub is_account: bool,
    /// What was typed as `at`.
    pub at: String,
    /// What was typed as `reason`.
    pub reason: String,
    /// The list, once a time was named.
    pub list: Option<List>,
    /// The proof that was made for exactly this list.
    pub act: Option<String>,
}

/// What would be put back.
pub struct List {
    /// Everything that differs.
    pub lines: Vec<Line>,
    /// How many of them would change.
    pub changes: usize,
    /// How many things stand as they stood.
    pub already: u64,
    /// Names exactly this list.
    pub digest: String,
}

/// One thing that differs.
pub struct Line {
    /// What it is.
    pub what: String,
    /// What becomes of it, in plain words.
    pub does: &'static str,
    /// Why it stays.
    pub why: Option<String>,
}

/// What was put back.
#[derive(Template)]
#[template(path = "admin/restored.html")]
pub struct Restored {
    /// What surrounds the page.
    pub frame: Frame,
    /// The account or project.
    pub name: String,
    /// What became of everything that differed.
    pub lines: Vec<Line>,
    /// Names the act, for its undo, and its case; nothing when nothing had to be done.
    pub done: Option<(String, String)>,
}
