//! Pages of changes that wait.

use askama::Template;

use super::{Frame, When};

/// `/manage/holds/`.
#[derive(Template)]
#[template(path = "manage/holds.html")]
pub struct Holds {
    /// What surrounds the page.
    pub frame: Frame,
    /// The changes, newest first.
    pub lines: Vec<HoldLine>,
    /// The proof that was made for an answer.
    pub act: Option<String>,
    /// The key (`before`) of the next page.
    pub next_page: Option<String>,
}

/// A change that waits, or has waited.
#[derive(Clone)]
pub struct HoldLine {
    /// Its id, part of the address of its forms.
    pub id: String,
    /// What it is.
    pub description: String,
    /// Who proposed it.
    pub proposer: String,
    /// When.
    pub proposed: When,
    /// When it takes effect.
    pub due: When,
    /// Whether it still waits.
    pub waiting: bool,
    /// What became of it, in a word or two.
    pub outcome: &'static str,
    /// When it ended.
    pub closed: Option<When>,
    /// Why it ended without effect.
    pub because: Option<String>,
    /// Until when what was asked may be made, once.
    pub open_until: Option<When>,
    /// Everybody concerned.
    pub people: Vec<PersonLine>,
    /// Whether the viewer may stop it.
    pub may_veto: bool,
    /// Whether that takes a proof.
    pub by_proof: bool,
    /// Whether the viewer's approval would count.
    pub may_approve: bool,
}

/// Somebody concerned.
#[derive(Clone)]
pub struct PersonLine {
    /// The user name.
    pub username: String,
    /// When he was told.
    pub told: Option<When>,
    /// Whether he approved.
    pub approved: bool,
}

/// `/account/veto/?token=`: opening it changes nothing, its button does.
#[derive(Template)]
#[template(path = "account/veto.html")]
pub struct Veto {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token of the link, sent back in the body.
    pub token: String,
    /// The change.
    pub hold: HoldLine,
}

/// After the button was pressed.
#[derive(Template)]
#[template(path = "account/vetoed.html")]
pub struct Vetoed {
    /// What surrounds the page.
    pub frame: Frame,
    /// Whether the change was over already.
    pub over: bool,
}

impl HoldLine {
    /// The class of the word that says what became of it.
    pub fn class(&self) -> &'static str {
        match (self.waiting, self.outcome) {
            (true, _) => "warning",
            (false, "Let through") => "success",
            (false, _) => "info",
        }
    }
}
