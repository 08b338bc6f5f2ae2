//! Pages of the staff: what wants attention, accounts, projects, changes that wait, cases.

use askama::Template;

use super::admin::Part;
use super::holds::HoldLine;
use super::parts::{Side, SidePage};
use super::{FormErrors, Frame, When};

/// The list of the staff's pages, with `here` marked as open.
pub fn nav(here: &str) -> Side<'_> {
    const PAGES: &[SidePage] = &[
        ("overview", "/admin/", "Overview"),
        ("cases", "/admin/cases/", "Cases"),
        ("holds", "/admin/holds/", "Changes that wait"),
        ("accounts", "/admin/accounts/", "Accounts"),
        ("projects", "/admin/projects/", "Projects"),
        ("events", "/admin/events/", "Events"),
        ("health", "/admin/health/", "Health"),
    ];
    Side::new("Staff", PAGES, here)
}

/// `/admin/`.
#[derive(Template)]
#[template(path = "admin/overview.html")]
pub struct Overview {
    /// What surrounds the page.
    pub frame: Frame,
    /// What is counted, each with where it is listed.
    pub counts: Vec<Counted>,
    /// Which parts of the index answer.
    pub parts: Vec<Part>,
    /// Whether another administrator can act when this one is stopped.
    pub alone: bool,
    /// The newest open cases.
    pub cases: Vec<CaseLine>,
}

/// A number, and where what it counts is listed.
pub struct Counted {
    /// What is counted.
    pub what: &'static str,
    /// How many.
    pub count: String,
    /// Where they are listed.
    pub href: &'static str,
}

/// A choice of a filter.
pub struct Choice {
    /// The value in the address.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Whether it is the chosen one.
    pub chosen: bool,
}

/// `/admin/accounts/`.
#[derive(Template)]
#[template(path = "admin/accounts.html")]
pub struct Accounts {
    /// What surrounds the page.
    pub frame: Frame,
    /// How the names begin.
    pub q: String,
    /// By state.
    pub states: Vec<Choice>,
    /// The state that is chosen; empty for all.
    pub state: String,
    /// How many there are.
    pub total: String,
    /// The accounts, by name.
    pub lines: Vec<AccountLine>,
    /// The key of the next page.
    pub next_page: Option<String>,
}

/// An account of the list.
pub struct AccountLine {
    /// The user name.
    pub username: String,
    /// What it is.
    pub state: Tag,
    /// Whether it administers the index.
    pub staff: bool,
    /// Its second factor, in a word or two.
    pub factor: &'static str,
    /// Whether its primary address is verified.
    pub verified: bool,
    /// When it was made.
    pub created: When,
    /// When it last signed in.
    pub last_login: Option<When>,
}

/// A word with the colour of its state.
#[derive(Clone)]
pub struct Tag {
    /// The word.
    pub word: String,
    /// Its class; may be empty.
    pub class: &'static str,
}

/// `/admin/accounts/{name}/`.
#[derive(Template)]
#[template(path = "admin/account.html")]
pub struct Account {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The user name.
    pub username: String,
    /// What it is.
    pub state: Tag,
    /// Whether it administers the index.
    pub staff: bool,
    /// Whether it is the account that looks.
    pub own: bool,
    /// When it was made.
    pub created: When,
    /// When it last signed in.
    pub last_login: Option<When>,
    /// Its addresses: the address, and what is said of it.
    pub addresses: Vec<(String, &'static str)>,
    /// Its second factors.
    pub factors: Vec<Factor>,
    /// How many API tokens are open.
    pub tokens: u64,
    /// Its roles: the project and the role.
    pub roles: Vec<(String, String)>,
    /// Why it may not act.
    pub stops: Vec<Stop>,
    /// The newest cases that concern it.
    pub cases: Vec<CaseLine>,
    /// The form that stops it.
    pub order: Order,
    /// What was proved and waits for one more press.
    pub pressing: Option<Pressing>,
    /// What happened.
    pub events: Vec<EventLine>,
    /// The key of the next page of events.
    pub next_page: Option<String>,
}

/// A second factor.
pub struct Factor {
    /// Its kind, in words.
    pub kind: &'static str,
    /// What its owner calls it.
    pub label: String,
    /// When it was added.
    pub added: When,
}

/// Something that stops an account, a project, or a part of one.
pub struct Stop {
    /// The word: frozen, contained, deleted, quarantined.
    pub kind: String,
    /// Of a project: on what.
    pub on: &'static str,
    /// In the words of whoever did it.
    pub reason: String,
    /// Since when.
    pub since: When,
    /// Who did it.
    pub by: String,
    /// Its case.
    pub case: Option<String>,
    /// The event that began it.
    pub event: String,
    /// Whether an administrator can end it.
    pub can_end: bool,
}

/// The fields of a form that acts.
pub struct Order {
    /// The reason, as it was typed.
    pub reason: String,
    /// The open cases that the act can join.
    pub cases: Vec<Choice>,
}

/// An act whose proof was made: one more press does it.
pub struct Pressing {
    /// What it does.
    pub sentence: String,
    /// Where the form goes.
    pub action: String,
    /// Its fields.
    pub fields: Vec<(&'static str, String)>,
    /// The button.
    pub button: &'static str,
}

/// An event.
pub struct EventLine {
    /// When.
    pub when: When,
    /// The kind.
    pub kind: String,
    /// What happened.
    pub sentence: String,
    /// Who did it.
    pub by: String,
    /// Whether `by` is an account.
    pub by_account: bool,
    /// With what.
    pub credential: Option<&'static str>,
    /// From where.
    pub network: Option<String>,
    /// With which browser or tool.
    pub agent: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The case.
    pub case: Option<String>,
}

/// `/admin/projects/`.
#[derive(Template)]
#[template(path = "admin/projects.html")]
pub struct Projects {
    /// What surrounds the page.
    pub frame: Frame,
    /// How the names begin.
    pub q: String,
    /// By state.
    pub states: Vec<Choice>,
    /// The state that is chosen; empty for all.
    pub state: String,
    /// How many there are.
    pub total: String,
    /// The projects, by name.
    pub lines: Vec<ProjectLine>,
    /// The key of the next page.
    pub next_page: Option<String>,
}

/// A project of the list.
pub struct ProjectLine {
    /// The name.
    pub name: String,
    /// The name in addresses.
    pub normalized: String,
    /// What is on it.
    pub locks: Vec<Tag>,
    /// When it was made.
    pub created: When,
}

/// `/admin/projects/{name}/`.
#[derive(Template)]
#[template(path = "admin/project.html")]
pub struct Project {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The name.
    pub name: String,
    /// The name in addresses.
    pub normalized: String,
    /// When it was made.
    pub created: When,
    /// How many releases it has.
    pub releases: u64,
    /// How many files.
    pub files: u64,
    /// Whether the viewer holds a role on it.
    pub own: bool,
    /// Who holds which role, since when.
    pub people: Vec<(String, String, When)>,
    /// What is on it and its parts.
    pub stops: Vec<Stop>,
    /// How much there is, when more is on it than stands here.
    pub stops_in_all: Option<String>,
    /// The newest cases that concern it.
    pub cases: Vec<CaseLine>,
    /// The form that hides it.
    pub order: Order,
    /// What was proved and waits for one more press.
    pub pressing: Option<Pressing>,
    /// What happened.
    pub events: Vec<EventLine>,
    /// The key of the next page of events.
    pub next_page: Option<String>,
}

/// `/admin/holds/`.
#[derive(Template)]
#[template(path = "admin/holds.html")]
pub struct Holds {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// By state.
    pub states: Vec<Choice>,
    /// The state that is chosen; empty for all.
    pub state: String,
    /// How many there are.
    pub total: String,
    /// The changes, newest first.
    pub lines: Vec<StaffHold>,
    /// The key of the next page.
    pub next_page: Option<String>,
}

/// A change that waits, as staff see it.
pub struct StaffHold {
    /// The change.
    pub hold: HoldLine,
    /// The project that it is about.
    pub project: Option<String>,
    /// The case in which it was stopped.
    pub case: Option<String>,
    /// Whether it concerns the viewer.
    pub own: bool,
}

/// `/admin/cases/`.
#[derive(Template)]
#[template(path = "admin/cases.html")]
pub struct Cases {
    /// What surrounds the page.
    pub frame: Frame,
    /// By state.
    pub states: Vec<Choice>,
    /// The state that is chosen.
    pub state: String,
    /// How many there are.
    pub total: String,
    /// The cases, newest first.
    pub cases: Vec<CaseLine>,
    /// The key of the next page.
    pub next_page: Option<String>,
}

/// A case of a list.
pub struct CaseLine {
    /// Its id.
    pub id: String,
    /// What opened it, in a word or two.
    pub kind: &'static str,
    /// One sentence.
    pub why: String,
    /// When it was opened.
    pub opened: When,
    /// When it was closed.
    pub closed: Option<When>,
    /// The accounts that it concerns.
    pub accounts: Vec<String>,
    /// The projects.
    pub projects: Vec<String>,
}

/// `/admin/cases/{id}/`.
#[derive(Template)]
#[template(path = "admin/case.html")]
pub struct Case {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// Its id.
    pub id: String,
    /// What opened it, in a word or two.
    pub kind: &'static str,
    /// One sentence.
    pub why: String,
    /// When it was opened.
    pub opened: When,
    /// By whom.
    pub opened_by: String,
    /// What happened then.
    pub opened_with: String,
    /// When it was closed, by whom, what happened then.
    pub closed: Option<(When, String, String)>,
    /// The accounts that it concerns.
    pub accounts: Vec<String>,
    /// The projects.
    pub projects: Vec<String>,
    /// What was done in it, oldest first.
    pub acts: Vec<ActLine>,
    /// The key of the next page of acts.
    pub next_page: Option<String>,
    /// How much of it is in force.
    pub in_force: u64,
    /// The note, as it was typed.
    pub note: String,
    /// The decision, as it was typed.
    pub decision: String,
    /// What was proved and waits for one more press.
    pub pressing: Option<Pressing>,
}

/// What was done in a case.
pub struct ActLine {
    /// When.
    pub when: When,
    /// What, in a few words.
    pub did: &'static str,
    /// Who did it.
    pub by: String,
    /// The account that it was done to.
    pub account: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The reason, the note, or the decision.
    pub text: String,
    /// Whether it is in force, ended, or neither.
    pub state: Option<Tag>,
    /// How it is undone.
    pub undo: Option<Undo>,
}

/// The form that undoes one act of a case.
pub struct Undo {
    /// Where it goes.
    pub action: String,
    /// The event of the act.
    pub event: String,
    /// The button.
    pub button: String,
}
