//! Pages to manage a project with: what surrounds them all, and each of them.

use askama::Template;
use askama::filters::HtmlSafe;

use super::holds::HoldLine;
use super::{Frame, When};

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
    const PAGES: [(&'static str, &'static str, &'static str); 4] = [
        ("overview", "", "Overview"),
        ("releases", "releases/", "Releases"),
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
