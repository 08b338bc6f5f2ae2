//! Pages that delete, take from serving and put back: releases and settings of a project, and one's account.

use askama::Template;

use super::projects::Shell;
use super::{Bytes, FormErrors, Frame, When};

/// The form whose proof was made (R2): it is pressed once more.
#[derive(Clone)]
pub struct Proved {
    /// The proof.
    pub act: String,
    /// `delete` or `put-back`.
    pub what: String,
    /// What it is done to.
    pub on: String,
}

/// The proof for a form, where it is this form's.
fn act_of<'a>(proved: Option<&'a Proved>, what: &str, on: &str) -> Option<&'a str> {
    proved.filter(|proved| proved.what == what && proved.on == on).map(|proved| proved.act.as_str())
}

/// A lock, as it is shown to collaborators.
pub struct LockLine {
    /// Its id, sent as `lock_id`.
    pub id: String,
    /// `Deleted`, `Withdrawn`, `Quarantined`, `Archived`.
    pub name: &'static str,
    /// Why; may be empty.
    pub reason: String,
    /// Since when.
    pub from: When,
    /// Until when a deletion can be undone.
    pub until: Option<When>,
    /// Whether it was erased.
    pub erased: bool,
    /// What the button says that ends it; nothing where an Owner cannot.
    pub ends: Option<&'static str>,
}

/// `/manage/project/{name}/releases/`.
#[derive(Template)]
#[template(path = "manage/project/releases.html")]
pub struct Releases {
    /// What surrounds the page.
    pub frame: Frame,
    /// What all pages of the project show.
    pub shell: Shell,
    /// The releases, highest version first.
    pub releases: Vec<ReleaseLine>,
}

/// A release in the list.
pub struct ReleaseLine {
    /// Its version.
    pub version: String,
    /// When its first file came.
    pub created: When,
    /// How many files it has.
    pub files: u64,
    /// Why it is yanked, if it is.
    pub yanked: Option<String>,
    /// What is on it.
    pub locks: Vec<LockLine>,
}

/// `/manage/project/{name}/release/{version}/`.
#[derive(Template)]
#[template(path = "manage/project/release.html")]
pub struct Release {
    /// What surrounds the page.
    pub frame: Frame,
    /// What all pages of the project show.
    pub shell: Shell,
    /// What was refused.
    pub errors: FormErrors,
    /// The release.
    pub release: ReleaseLine,
    /// Its id, as proofs name it.
    pub id: String,
    /// Its files.
    pub files: Vec<FileLine>,
    /// The form whose proof was made.
    pub proved: Option<Proved>,
    /// For how many days what is deleted is kept.
    pub days: u32,
    /// For how long a deletion waits.
    pub wait: String,
}

impl Release {
    fn act(&self, what: &str, on: &str) -> Option<&str> {
        act_of(self.proved.as_ref(), what, on)
    }
    /// Where its forms go.
    fn path(&self) -> String {
        format!("/manage/project/{}/release/{}/", self.shell.normalized, self.release.version)
    }
    fn typed(&self, on: &str, right: &str) -> String {
        self.act("delete", on).map(|_| right.to_owned()).unwrap_or_default()
    }
}

/// A file of a release.
pub struct FileLine {
    /// Its id, sent as `file_id`.
    pub id: String,
    /// Its name.
    pub filename: String,
    /// Its size.
    pub size: Bytes,
    /// When it came.
    pub uploaded: When,
    /// What is on it.
    pub locks: Vec<LockLine>,
}

/// `/manage/project/{name}/settings/`.
#[derive(Template)]
#[template(path = "manage/project/settings.html")]
pub struct Settings {
    /// What surrounds the page.
    pub frame: Frame,
    /// What all pages of the project show.
    pub shell: Shell,
    /// What was refused.
    pub errors: FormErrors,
    /// What is on the project.
    pub locks: Vec<LockLine>,
    /// The form whose proof was made.
    pub proved: Option<Proved>,
    /// For how many days what is deleted is kept.
    pub days: u32,
    /// For how long a deletion waits.
    pub wait: String,
}

impl Settings {
    fn act(&self, what: &str, on: &str) -> Option<&str> {
        act_of(self.proved.as_ref(), what, on)
    }
    /// Where its forms go.
    fn path(&self) -> String {
        format!("/manage/project/{}/settings/", self.shell.normalized)
    }
    fn typed(&self) -> String {
        self.act("delete", &self.shell.normalized).map(|_| self.shell.name.clone()).unwrap_or_default()
    }
    fn has(&self, name: &str) -> bool {
        self.locks.iter().any(|lock| lock.name == name)
    }
}

/// `/manage/account/delete/`.
#[derive(Template)]
#[template(path = "manage/delete-account.html")]
pub struct DeleteAccount {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The user name.
    pub username: String,
    /// What was typed.
    pub typed: String,
    /// What stands in the way.
    pub in_the_way: Option<String>,
    /// Whether the deletion waits already.
    pub waits: bool,
    /// The proof that was made for it.
    pub act: Option<String>,
    /// For how many days the account is kept.
    pub days: u32,
    /// For how long the deletion waits.
    pub wait: String,
}

/// `/account/undelete/`, before it is begun.
#[derive(Template)]
#[template(path = "account/undelete-begin.html")]
pub struct UndeleteBegin {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// What was typed.
    pub username: String,
}

/// `/account/undelete/` on the way.
#[derive(Template)]
#[template(path = "account/undelete.html")]
pub struct Undelete {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The account, once a proof was given.
    pub username: Option<String>,
    /// When the code that is open now ends; nothing while none was asked for.
    pub code_expires: Option<When>,
    /// How often a code may still be entered.
    pub tries_left: u32,
    /// A settled mailbox was proved.
    pub mailbox: bool,
    /// A factor or a recovery code was proved.
    pub factor: bool,
    /// Whether the factor may be proved before the mailbox.
    pub factor_first: bool,
    /// An authenticator app could prove it.
    pub totp: bool,
    /// A security key or passkey could prove it.
    pub key: bool,
    /// Until when the account can be brought back.
    pub until: Option<When>,
}

/// The account is back.
#[derive(Template)]
#[template(path = "account/undeleted.html")]
pub struct Undeleted {
    /// What surrounds the page.
    pub frame: Frame,
    /// The user name.
    pub username: String,
}
