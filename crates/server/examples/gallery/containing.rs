//! The pages behind the links of notices, and those of the staff.

use super::super::pages::admin::{Count, Health, JobLine, List, MailLine, Part};
use super::super::pages::containing::{self, Decide, Thing, Told};
use super::super::pages::restoring::{self, Line};
use super::super::pages::{FormErrors, Frame, Viewer, When, html};
use super::{NOW_US, Sample, ago, stranger};

pub(super) fn containing_pages() -> Vec<Sample> {
    let token = || "c29tZSB0b2tlbiBvZiBhIGxpbms".to_owned();
    let what = || "The API token “ci of spam” (entire account) was created.".to_owned();
    let not_me =
        |again| html(&containing::NotMe { frame: stranger(), token: token(), username: "ada".into(), what: what(), at: ago(1_800), again });
    let contained = |stopped| html(&containing::Contained { frame: stranger(), username: "ada".into(), sessions_ended: 2, stopped });
    let alarm = |again| {
        html(&containing::Alarm {
            frame: stranger(),
            token: token(),
            project: "spam".into(),
            whose: "grace".into(),
            what: "spam-6.6.6-py3-none-any.whl was uploaded.".into(),
            at: ago(1_800),
            again,
            pauses: true,
            withdraws: Some("the release 6.6.6".into()),
        })
    };
    vec![
        ("not-me", not_me(false)),
        ("not-me-again", not_me(true)),
        ("contained", contained(true)),
        ("contained-again", contained(false)),
        ("alarm", alarm(false)),
        ("alarm-again", alarm(true)),
        (
            "alarm-raised",
            html(&containing::AlarmRaised {
                frame: stranger(),
                until: Some(soon(86_400)),
                again: false,
                withdrawn: Some("the release 6.6.6".into()),
            }),
        ),
        ("alarm-raised-before", html(&containing::AlarmRaised { frame: stranger(), until: None, again: true, withdrawn: None })),
    ]
}

/// "I was phished", and putting back as it stood at a time.
pub(super) fn restoring_pages() -> Vec<Sample> {
    let thing = |what: &str, kept| restoring::Thing { id: "0190".into(), what: what.into(), from: ago(7_200), kept };
    let phished = |things, act| {
        html(&restoring::Phished { frame: stranger(), errors: FormErrors::none(), since: "2026-11-22 08:00".into(), things, act })
    };
    let gained = || vec![thing("The API token “ci of spam”", true), thing("The address thief@example.net", false)];
    let line = |what: &str, does, why: Option<&str>| Line { what: what.into(), does, why: why.map(str::to_owned) };
    let lines = || {
        vec![
            line("mallory is Owner of spam", "Ends", None),
            line("ada is Owner of spam", "Comes back", None),
            line("The API token “ci of spam”", "Comes back paused", None),
            line("An authenticator app", "Stays as it is", Some("it was removed; it comes back only by the owner's take-back")),
        ]
    };
    let restore = |list, act| {
        html(&restoring::Restore {
            frame: stranger(),
            errors: FormErrors::none(),
            path: "/admin/accounts/ada/restore/".into(),
            name: "ada".into(),
            is_account: true,
            at: "2026-11-22 08:00".into(),
            reason: "takeover of 22 November".into(),
            list,
            act,
        })
    };
    let list = |lines: Vec<Line>| restoring::List { changes: lines.len().saturating_sub(1), already: 4, digest: "9f86".into(), lines };
    let done = Some(("0190f0".into(), "0190f1".into()));
    vec![
        ("phished", phished(None, None)),
        ("phished-decide", phished(Some(gained()), Some("0190".into()))),
        ("phished-nothing", phished(Some(Vec::new()), None)),
        ("admin-restore", restore(None, None)),
        ("admin-restore-list", restore(Some(list(lines())), Some("0190".into()))),
        ("admin-restore-nothing", restore(Some(list(Vec::new())), None)),
        ("admin-restored", html(&restoring::Restored { frame: stranger(), name: "ada".into(), lines: lines(), done })),
    ]
}

fn soon(seconds: i64) -> When {
    When { unix_us: NOW_US + seconds * 1_000_000, now_us: NOW_US }
}

fn way_back() -> containing::TakeBack {
    containing::TakeBack {
        frame: stranger(),
        errors: FormErrors::none(),
        username: None,
        code_expires: None,
        tries_left: 5,
        mailbox: false,
        factor: false,
        factor_first: false,
        totp: true,
        key: true,
        due: None,
        decide: None,
        frozen: false,
    }
}

pub(super) fn take_back_pages() -> Vec<Sample> {
    let ada = Some("ada".to_owned());
    let thing = |id: &str, what: &str, seconds| Thing { id: id.into(), what: what.into(), from: ago(seconds), marked: id == "1" };
    let decide = Decide {
        things: vec![
            thing("1", "The API token “ci”", 3_600),
            thing("2", "The second factor: an authenticator app", 7_200),
            thing("3", "The address a.very.long.address.of.somebody@mail.department.example.net", 7_300),
            thing("4", "A set of recovery codes", 7_400),
        ],
        told: vec![
            Told { id: "5".into(), email: "ada@example.org".into(), marked: false },
            Told { id: "3".into(), email: "a.very.long.address.of.somebody@mail.department.example.net".into(), marked: true },
        ],
    };
    let refused = FormErrors::one("mailbox_code", "This code is wrong. Type the six digits of the newest mail.");
    let begin = containing::TakeBackBegin { frame: stranger(), errors: FormErrors::none(), username: String::new() };
    let mailbox = containing::TakeBack { username: ada.clone(), mailbox: true, ..way_back() };
    let waits = containing::TakeBack { due: Some(soon(250_000)), username: ada.clone(), mailbox: true, ..way_back() };
    let choose = containing::TakeBack { decide: Some(decide), username: ada, mailbox: true, factor: true, frozen: true, ..way_back() };
    vec![
        ("take-back-begin", html(&begin)),
        ("take-back", html(&way_back())),
        (
            "take-back-code",
            html(&containing::TakeBack { errors: refused, code_expires: Some(soon(500)), factor_first: true, ..way_back() }),
        ),
        ("take-back-factor", html(&mailbox)),
        ("take-back-waits", html(&waits)),
        ("take-back-decide", html(&choose)),
        ("taken-back", html(&containing::TakenBack { frame: stranger(), username: "ada".into(), frozen: true })),
    ]
}

pub(super) fn staff_pages() -> Vec<Sample> {
    let frame = || Frame { viewer: Some(Viewer { username: "grace".into(), is_staff: true }), ..stranger() };
    let mail = |what: &str, state: &'static str, tries, error: Option<&str>| MailLine {
        what: what.into(),
        username: Some("ada".into()),
        state,
        bad: state == "failed" || state == "bounced",
        tries,
        queued: ago(4_000),
        changed: ago(184),
        error: error.map(str::to_owned),
        message_id: "0190-1.ab12cd34ef56ab78@index.example.org".into(),
    };
    let count = |state, count: &str| Count { state, count: count.into() };
    let full = Health {
        frame: frame(),
        parts: vec![Part { name: "database".into(), answers: true }, Part { name: "jobs".into(), answers: false }],
        lists: vec![
            List { name: "the set in a file", wrong: None },
            List { name: "the range endpoint", wrong: Some("it did not answer within 2 s".into()) },
        ],
        counts: vec![count("queued", "2"), count("sent", "10,836"), count("failed", "1"), count("bounced", "0")],
        state: "",
        mails: vec![
            mail("An API token was minted", "queued", 7, Some("the connection: Connection refused")),
            mail("A factor was added", "failed", 1, Some("the mail server refused the recipient: 550")),
            mail("An account was frozen", "sent", 1, None),
        ],
        next_page: Some("0190".into()),
        jobs: vec![JobLine { kind: "send-mail".into(), state: "ready".into(), count: 2, tries: 7, oldest: ago(4_000) }],
    };
    let empty = Health {
        frame: frame(),
        parts: vec![],
        lists: vec![],
        counts: vec![],
        state: "failed",
        mails: vec![],
        next_page: None,
        jobs: vec![],
    };
    vec![("health", html(&full)), ("health-empty", html(&empty))]
}
