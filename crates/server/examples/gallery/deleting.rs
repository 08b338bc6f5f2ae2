//! What is deleted, withdrawn and put back: releases and settings of a project, and one's account.

use super::super::pages::deleting::{
    DeleteAccount, FileLine, LockLine, Proved, Release, ReleaseLine, Releases, Settings, Undelete, UndeleteBegin, Undeleted,
};
use super::super::pages::projects::Shell;
use super::super::pages::{Bytes, FormErrors, When, html};
use super::{NOW_US, Sample, ada, ago, stranger};

fn shell() -> Shell {
    Shell { name: "Flying-Circus".into(), normalized: "flying-circus".into(), role: "Owner".into(), suspended: None, waiting: vec![] }
}

fn soon(seconds: i64) -> When {
    When { unix_us: NOW_US + seconds * 1_000_000, now_us: NOW_US }
}

fn lock(name: &'static str, until: Option<When>) -> LockLine {
    let ends = if name == "Quarantined" { None } else { Some("Serve it again") };
    LockLine { id: "1".into(), name, reason: "a password is in it".into(), from: ago(7_200), until, erased: false, ends }
}

fn release(version: &str, locks: Vec<LockLine>) -> ReleaseLine {
    ReleaseLine { version: version.into(), created: ago(90_000), files: 2, yanked: (version == "1.1").then(|| "broken".to_owned()), locks }
}

fn one(locks: Vec<LockLine>, errors: FormErrors, proved: Option<Proved>) -> String {
    let file = |id: &str, locks| FileLine {
        id: id.into(),
        filename: format!("flying_circus-1.2-py3-none-any-{id}.whl"),
        size: Bytes(48_210),
        uploaded: ago(90_000),
        locks,
    };
    html(&Release {
        frame: ada(),
        shell: shell(),
        errors,
        release: release("1.2", locks),
        id: "r".into(),
        files: vec![file("a", vec![lock("Withdrawn", None)]), file("b", vec![])],
        proved,
        days: 30,
        wait: "72 hours".into(),
    })
}

fn settings(locks: Vec<LockLine>) -> String {
    html(&Settings { frame: ada(), shell: shell(), errors: FormErrors::none(), locks, proved: None, days: 30, wait: "72 hours".into() })
}

fn leaving(in_the_way: Option<String>, waits: bool) -> String {
    html(&DeleteAccount {
        frame: ada(),
        errors: FormErrors::none(),
        username: "ada".into(),
        typed: String::new(),
        in_the_way,
        waits,
        act: None,
        days: 30,
        wait: "72 hours".into(),
    })
}

fn way_back(mailbox: bool, factor: bool) -> String {
    html(&Undelete {
        frame: stranger(),
        errors: FormErrors::none(),
        username: mailbox.then(|| "ada".to_owned()),
        code_expires: (!mailbox).then(|| soon(500)),
        tries_left: 5,
        mailbox,
        factor,
        factor_first: false,
        totp: true,
        key: true,
        until: mailbox.then(|| soon(1_900_000)),
    })
}

pub(super) fn deleting_pages() -> Vec<Sample> {
    let releases = vec![
        release("1.2", vec![lock("Deleted", Some(soon(2_000_000)))]),
        release("1.1", vec![]),
        release("1.0", vec![lock("Quarantined", None)]),
    ];
    let proved = Some(Proved { act: "1".into(), what: "delete".into(), on: "r".into() });
    let refused = FormErrors::one("confirm_delete_version", "Type 1.2 to say that you mean it.");
    vec![
        ("releases", html(&Releases { frame: ada(), shell: shell(), releases })),
        ("release", one(vec![], FormErrors::none(), None)),
        ("release-withdrawn", one(vec![lock("Withdrawn", None)], FormErrors::none(), None)),
        ("release-refused", one(vec![], refused, None)),
        ("release-proved", one(vec![], FormErrors::none(), proved)),
        ("settings", settings(vec![])),
        ("settings-deleted", settings(vec![lock("Deleted", Some(soon(2_000_000)))])),
        ("account-delete", leaving(None, false)),
        (
            "account-delete-not-now",
            leaving(Some("You are the only Owner of spam: give it another Owner, or delete it first.".into()), false),
        ),
        ("account-delete-waits", leaving(None, true)),
        ("undelete-begin", html(&UndeleteBegin { frame: stranger(), errors: FormErrors::none(), username: String::new() })),
        ("undelete", way_back(false, false)),
        ("undelete-factor", way_back(true, false)),
        ("undelete-ready", way_back(true, true)),
        ("undeleted", html(&Undeleted { frame: stranger(), username: "ada".into() })),
    ]
}
