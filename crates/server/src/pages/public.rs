//! Pages for everybody: home, search, project, user, help.

use askama::Template;

use super::{Bytes, Frame, WebLink, When};
use crate::readme;

/// `/`.
#[derive(Template)]
#[template(path = "public/home.html")]
pub struct Home {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where this index is reached, without a slash at the end.
    pub public_url: String,
    /// How many projects there are.
    pub projects: u64,
    /// How many releases there are.
    pub releases: u64,
    /// How many files there are.
    pub files: u64,
    /// How many bytes the files hold.
    pub size: Bytes,
    /// The newest releases, newest first.
    pub latest: Vec<ProjectLine>,
}

/// A project in a list.
#[derive(Clone)]
pub struct ProjectLine {
    /// Its name as its owners write it.
    pub name: String,
    /// Its normalized name, for the link.
    pub normalized_name: String,
    /// Its newest version, if it has a release.
    pub version: Option<String>,
    /// What it says it is.
    pub summary: String,
    /// When that version was released.
    pub released: Option<When>,
}

/// `/search/?q=`.
#[derive(Template)]
#[template(path = "public/search.html")]
pub struct Search {
    /// What surrounds the page; `frame.search` is the query, empty for the list of all projects.
    pub frame: Frame,
    /// How many projects match.
    pub total: u64,
    /// This page of the matches, best first.
    pub results: Vec<ProjectLine>,
    /// The key (`after`) of the next page.
    pub next_page: Option<String>,
}

/// `/project/{name}/` and `/project/{name}/{version}/`.
#[derive(Template)]
#[template(path = "public/project.html")]
pub struct Project {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where this index is reached, without a slash at the end.
    pub public_url: String,
    /// The project's name as its owners write it.
    pub name: String,
    /// Its normalized name, for links.
    pub normalized_name: String,
    /// The release this page shows; nothing while the project has none.
    pub release: Option<Release>,
    /// Every release, newest first.
    pub versions: Vec<VersionLine>,
    /// Who holds a role, owners first.
    pub collaborators: Vec<Collaborator>,
}

/// One release, whole.
pub struct Release {
    /// Its version.
    pub version: String,
    /// The newest version, where that is another one.
    pub newer_version: Option<String>,
    /// What it says it is, one line.
    pub summary: String,
    /// Its description, already safe.
    pub description: readme::Html,
    /// When its first file arrived.
    pub released: When,
    /// Why it is yanked, if it is; the reason may be empty.
    pub yanked: Option<String>,
    /// The Pythons it is for, as `>=3.9`.
    pub requires_python: Option<String>,
    /// Its licence, an SPDX expression or the publisher's words.
    pub license: Option<String>,
    /// What it needs, one requirement each.
    pub dependencies: Vec<String>,
    /// Trove classifiers.
    pub classifiers: Vec<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Where the publisher points to.
    pub urls: Vec<WebLink>,
    /// Its files, source first.
    pub files: Vec<FileLine>,
}

/// A release in the list of versions.
pub struct VersionLine {
    /// Its version.
    pub version: String,
    /// When its first file arrived.
    pub released: When,
    /// Whether it is yanked.
    pub yanked: bool,
    /// Whether it is a pre-release.
    pub prerelease: bool,
    /// How many files it has.
    pub files: u64,
}

/// A file of a release.
pub struct FileLine {
    /// Its name.
    pub filename: String,
    /// What it is, in words: `Source`, `Wheel`.
    pub kind: String,
    /// What it runs on, as its tags say: `CPython 3.12, manylinux 2.17 x86-64`; empty where it runs anywhere.
    pub runs_on: String,
    /// Its size.
    pub size: Bytes,
    /// When it arrived.
    pub uploaded: When,
    /// Its SHA-256, lower-case hex.
    pub sha256: String,
    /// Where to download it.
    pub download_url: String,
    /// Where to read its metadata alone.
    pub metadata_url: Option<String>,
    /// The Pythons it is for.
    pub requires_python: Option<String>,
    /// Why it is yanked, if it is; the reason may be empty.
    pub yanked: Option<String>,
}

/// An account with a role on a project.
pub struct Collaborator {
    /// Its user name.
    pub username: String,
    /// `Owner` or `Maintainer`.
    pub role: String,
}

/// `/user/{name}/`.
#[derive(Template)]
#[template(path = "public/user.html")]
pub struct User {
    /// What surrounds the page.
    pub frame: Frame,
    /// The account's user name.
    pub username: String,
    /// The name its holder gave, possibly empty.
    pub name: String,
    /// The address that it lets others see, if one.
    pub email: Option<String>,
    /// When it was made.
    pub joined: When,
    /// The projects it has a role on, by name.
    pub projects: Vec<ProjectLine>,
    /// The key (`after`) of the next page.
    pub next_page: Option<String>,
}

/// `/help/`.
#[derive(Template)]
#[template(path = "public/help.html")]
pub struct Help {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where this index is reached, without a slash at the end.
    pub public_url: String,
    /// The host in `public_url`, without port, for `.netrc`.
    pub host: String,
    /// A project to name in the examples; one that exists makes them run as printed.
    pub example_project: String,
    /// The largest file that an upload may hold.
    pub max_file_size: Bytes,
}

/// The word that stands for a token in the blocks of the help page that are files.
pub const TOKEN_PLACEHOLDER: &str = "YOUR-TOKEN";

impl Project {
    /// The line that installs the release this page shows.
    pub fn install_line(&self, release: &Release) -> String {
        format!("pip install --index-url {}/simple/ {}=={}", self.public_url, self.name, release.version)
    }
}
