//! Pages to manage a project with: what surrounds them all, and each of them.

use askama::Template;
use askama::filters::HtmlSafe;

use super::holds::HoldLine;
use super::{FormErrors, Frame, When};

/// What all pages of a project show: where one is, and what must not be missed.
#[derive(Clone)]
pub struct Shell {
    /// The display name.
    pub name: String,
    /// The normalized name, part of every address.
    pub normalized: String,
    /// The viewer's role: `Owner` or `Maintainer`.
    pub role: String,
    /// Why the viewer's role gives nothing at the moment, in a sentence.
    pub suspended: Option<String>,
    /// The changes of the project that wait.
    pub waiting: Vec<HoldLine>,
}

/// The pages of a project.
#[derive(Template)]
#[template(path = "manage/project/nav.html")]
pub struct Nav<'a> {
    name: &'a str,
    normalized: &'a str,
    here: &'a str,
}

impl HtmlSafe for Nav<'_> {}

impl Nav<'_> {
    /// Key, last part of the address, and name of each.
    const PAGES: [(&'static str, &'static str, &'static str); 5] = [
        ("overview", "", "Overview"),
        ("releases", "releases/", "Releases"),
        ("collaboration", "collaboration/", "Collaborators"),
        ("settings", "settings/", "Settings"),
        ("history", "history/", "History"),
    ];
}

impl Shell {
    /// The list of the project's pages, with the one that is open.
    #[must_use]
    pub fn nav<'a>(&'a self, here: &'a str) -> Nav<'a> {
        Nav { name: &self.name, normalized: &self.normalized, here }
    }
}

/// `/manage/project/{name}/`.
#[derive(Template)]
#[template(path = "manage/project/overview.html")]
pub struct Overview {
    /// What surrounds the page.
    pub frame: Frame,
    /// What all pages of the project show.
    pub shell: Shell,
    /// How many owners it has.
    pub owners: usize,
    /// How many maintainers it has.
    pub maintainers: usize,
    /// When it came into being.
    pub created: When,
}

/// `/manage/project/{name}/history/`.
#[derive(Template)]
#[template(path = "manage/project/history.html")]
pub struct History {
    /// What surrounds the page.
    pub frame: Frame,
    /// What all pages of the project show.
    pub shell: Shell,
    /// The events, newest first.
    pub events: Vec<EventLine>,
    /// The key (`before`) of the next page.
    pub next_page: Option<String>,
}

/// Something that happened to a project.
pub struct EventLine {
    /// When.
    pub when: When,
    /// What, in a sentence.
    pub sentence: String,
    /// Who did it, where it was an account.
    pub username: Option<String>,
    /// Who did it, where it was none.
    pub actor: String,
    /// Whom it is about, where that is somebody else.
    pub about: Option<String>,
}

/// `/manage/project/{name}/collaboration/`.
#[derive(Template)]
#[template(path = "manage/project/collaboration.html")]
pub struct Collaboration {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// What all pages of the project show.
    pub shell: Shell,
    /// Whether the viewer is an Owner whose role works.
    pub is_owner: bool,
    /// Everybody who holds a role, the oldest first.
    pub people: Vec<Person>,
    /// The invitations that nobody answered yet.
    pub invitations: Vec<InvitationLine>,
    /// How long a change of an Owner waits.
    pub wait: String,
    /// What was typed as `username`.
    pub username: String,
    /// What was chosen as `role_name`.
    pub role_name: String,
    /// The proof that was made.
    pub act: Option<String>,
    /// What the proof was made for.
    pub ready: Option<Ready>,
}

/// A form that waits for its second press.
pub struct Ready {
    /// What it does.
    pub sentence: String,
    /// The last part of its address.
    pub path: &'static str,
    /// Its fields.
    pub fields: Vec<(String, String)>,
}

/// Somebody who holds a role.
pub struct Person {
    /// The role, as forms name it.
    pub id: String,
    /// The user name.
    pub username: String,
    /// `Owner` or `Maintainer`.
    pub role: &'static str,
    /// Since when.
    pub since: When,
    /// Whether it is the viewer.
    pub own: bool,
    /// Why the role gives nothing at the moment.
    pub suspended: Option<&'static str>,
    /// Whether the viewer may change the role.
    pub may_change: bool,
    /// Whether the viewer may end the role.
    pub may_remove: bool,
}

/// An invitation that nobody answered yet.
pub struct InvitationLine {
    /// The invited account, as the form names it.
    pub account: String,
    /// The user name.
    pub username: String,
    /// `Owner` or `Maintainer`.
    pub role: String,
    /// Who invited.
    pub inviter: String,
    /// When.
    pub since: When,
    /// Until when it can be accepted.
    pub until: When,
    /// Whether that is over.
    pub expired: bool,
}

/// `/account/verify-project-role/?token=`: opening it changes nothing, its buttons do.
#[derive(Template)]
#[template(path = "account/verify-project-role.html")]
pub struct VerifyProjectRole {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// Which invitation, sent back in the body.
    pub token: String,
    /// The project, by its display name.
    pub project: String,
    /// The same, normalized.
    pub normalized: String,
    /// `Owner` or `Maintainer`.
    pub role: String,
    /// Who invited.
    pub inviter: String,
    /// When.
    pub since: When,
    /// Until when it can be accepted.
    pub until: When,
    /// Whether it can be answered no more.
    pub over: bool,
    /// The proof that was made for accepting.
    pub act: Option<String>,
}

impl Collaboration {
    /// The address of the page.
    fn path(&self) -> String {
        format!("/manage/project/{}/collaboration/", self.shell.normalized)
    }
}

impl Person {
    /// The role that this one can be changed to.
    fn other_role(&self) -> &'static str {
        if self.role == "Owner" { "Maintainer" } else { "Owner" }
    }
}
