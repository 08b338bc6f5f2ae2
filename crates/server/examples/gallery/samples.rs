//! Every page, in each of its states that look different, filled with sample data.

use super::pages::account::{self, Act};
use super::pages::holds::{self, HoldLine, PersonLine};
use super::pages::public::{self, Collaborator, FileLine, ProjectLine, Release, VersionLine};
use super::pages::{Action, Bytes, FormErrors, Frame, Viewer, WebLink, When, errors, html};
use super::readme;

#[path = "collaborating.rs"]
mod collaborating;
#[path = "containing.rs"]
mod containing;
#[path = "deleting.rs"]
mod deleting;
#[path = "managing.rs"]
mod managing;
#[path = "staff.rs"]
mod staff;

const NOW_US: i64 = 1_700_653_655_000_000;
const URL: &str = "http://localhost:8080";

/// The name of a file and its HTML.
pub type Sample = (&'static str, String);

/// All of them.
pub fn all() -> Vec<Sample> {
    let own = [
        containing::containing_pages(),
        containing::restoring_pages(),
        containing::take_back_pages(),
        containing::staff_pages(),
        staff::staff_pages(),
    ];
    let others = [public_pages(), account_pages(), managing::manage_pages(), managing::token_pages(), hold_pages()];
    let own = own.into_iter().chain([collaborating::collaboration_pages(), deleting::deleting_pages()]);
    others.into_iter().chain(own).flatten().collect()
}

/// `seconds` ago.
fn ago(seconds: i64) -> When {
    When { unix_us: NOW_US - seconds * 1_000_000, now_us: NOW_US }
}

fn stranger() -> Frame {
    Frame {
        index_name: "Strongroom".into(),
        viewer: None,
        csrf_token: "c7f1d2".into(),
        banners: vec![],
        flash: None,
        clock_shifted: None,
        search: String::new(),
        request_id: "018bf6e2c3a4".into(),
    }
}

fn ada() -> Frame {
    Frame { viewer: Some(Viewer { username: "ada".into(), is_staff: false }), ..stranger() }
}

fn typed() -> FormErrors {
    let mut errors = FormErrors::one("username", "This user name is taken. Choose another one.");
    errors.add("new_password", "The password has 9 characters. It needs 12 or more.");
    errors
}

fn line(name: &str, version: &str, summary: &str, seconds: i64) -> ProjectLine {
    ProjectLine {
        name: name.into(),
        normalized_name: name.to_lowercase(),
        version: Some(version.into()),
        summary: summary.into(),
        released: Some(ago(seconds)),
    }
}

fn lines() -> Vec<ProjectLine> {
    vec![
        line("spam", "4.2.0", "Tinned meat for test suites, with a long shelf life", 184),
        line("Flying-Circus", "1.0.0rc1", "And now for something completely different", 7_300),
        line("a-very-long-project-name-that-somebody-really-chose-for-their-package", "0.0.1", "", 90_000),
        line("escaping", "1", "<script>alert(\"1\")</script> & more", 9_000_000),
    ]
}

fn file(filename: &str, kind: &str, runs_on: &str, size: u64) -> FileLine {
    FileLine {
        filename: filename.into(),
        kind: kind.into(),
        runs_on: runs_on.into(),
        size: Bytes(size),
        uploaded: ago(184),
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        download_url: format!("/files/9f/86/{filename}"),
        metadata_url: (kind == "Wheel").then(|| format!("/files/9f/86/{filename}.metadata")),
        requires_python: Some(">=3.9".into()),
        yanked: None,
    }
}

fn release() -> Release {
    let mut old = file("spam-4.2.0-py2-none-any.whl", "Wheel", "", 998);
    old.yanked = Some("built from the wrong branch".into());
    Release {
        version: "4.2.0".into(),
        newer_version: None,
        summary: "Tinned meat for test suites, with a long shelf life".into(),
        description: readme::render(README, Some("text/markdown")),
        released: ago(184),
        yanked: None,
        requires_python: Some(">=3.9".into()),
        license: Some("MIT OR Apache-2.0".into()),
        dependencies: vec!["eggs>=2,<3".into(), "colorama>=0.4; sys_platform == \"win32\"".into()],
        classifiers: vec!["Development Status :: 5 - Production/Stable".into(), "Topic :: Software Development :: Testing".into()],
        keywords: vec!["meat".into(), "tests".into()],
        urls: [("Source", "https://git.example.org/spam"), ("Bad", "javascript:alert(1)")]
            .into_iter()
            .filter_map(|(label, address)| WebLink::new(label, address))
            .collect(),
        files: vec![
            file("spam-4.2.0.tar.gz", "Source", "", 48_128),
            file("spam-4.2.0-cp312-cp312-manylinux_2_17_x86_64.whl", "Wheel", "CPython 3.12, manylinux 2.17 x86-64", 2_345_678),
            old,
        ],
    }
}

const README: &str = "\
# Spam

[![build](https://ci.example.org/spam.svg)](https://ci.example.org/spam) ![logo](https://example.org/logo.png)

Tinned meat for **test suites**. See [how to](#how-to) and `spam --help`.

## How to

```python
from spam import tin

def test_everything():
    assert tin.open(kind=\"spam\", shelf_life_in_days=10_000, temperature=\"room\").contents == [\"spam\"] * 3
```

| kind | contents | price |
|---|---|--:|
| small | spam, egg | 1.20 |
| large | spam, egg, sausage, and a long explanation of what else may be in it | 3.40 |

- [x] tins
- [ ] a tin opener

> Nobody expects it.

<script>alert(1)</script>
";

fn project(release: Option<Release>) -> String {
    let versions = if release.is_none() { vec![] } else { versions() };
    html(&public::Project {
        frame: ada(),
        public_url: URL.into(),
        name: "spam".into(),
        normalized_name: "spam".into(),
        release,
        versions,
        collaborators: vec![
            Collaborator { username: "ada".into(), role: "Owner".into() },
            Collaborator { username: "grace".into(), role: "Maintainer".into() },
        ],
    })
}

fn versions() -> Vec<VersionLine> {
    let version = |version: &str, seconds, yanked, prerelease| VersionLine {
        version: version.into(),
        released: ago(seconds),
        yanked,
        prerelease,
        files: 3,
    };
    vec![
        version("5.0.0rc1", 20, false, true),
        version("4.2.0", 184, false, false),
        version("4.1.9", 40_000_000, true, false),
        version("1!2.0+local.1", 90_000_000, false, false),
    ]
}

fn public_pages() -> Vec<Sample> {
    let home = |latest: Vec<ProjectLine>, frame| {
        let (projects, size) = if latest.is_empty() { (0, 0) } else { (1_204, 48_300_000_000) };
        html(&public::Home {
            frame,
            public_url: URL.into(),
            projects,
            releases: projects * 9,
            files: projects * 20,
            size: Bytes(size),
            latest,
        })
    };
    let search = |query: &str, results: Vec<ProjectLine>| {
        html(&public::Search {
            frame: Frame { search: query.into(), ..stranger() },
            total: results.len() as u64 * 7,
            next_page: results.last().map(|line| format!("{}&x=1", line.name)),
            results,
        })
    };
    let old = Release { yanked: Some("It deletes <files>.".into()), newer_version: Some("5.0.0".into()), ..release() };
    let bare = Release {
        description: readme::Html::default(),
        files: vec![],
        dependencies: vec![],
        classifiers: vec![],
        keywords: vec![],
        urls: vec![],
        ..release()
    };
    vec![
        ("home", home(lines(), stranger())),
        ("home-empty", home(vec![], Frame { clock_shifted: Some("+3 days 1 hour".into()), ..stranger() })),
        ("search", search("meat \"tin\"", lines())),
        ("search-none", search("\"><script>alert(1)</script>", vec![])),
        ("search-all", search("", lines())),
        ("project", project(Some(release()))),
        ("project-yanked", project(Some(old))),
        ("project-bare", project(Some(bare))),
        ("project-empty", project(None)),
        ("user", user(lines())),
        ("user-empty", user(vec![])),
        ("help", help()),
        ("error", error()),
    ]
}

fn user(projects: Vec<ProjectLine>) -> String {
    html(&public::User {
        frame: ada(),
        username: "grace".into(),
        name: "Grace H.".into(),
        email: Some("grace@example.org".into()),
        joined: ago(40_000_000),
        projects,
        next_page: None,
    })
}

fn help() -> String {
    html(&public::Help {
        frame: stranger(),
        public_url: URL.into(),
        host: "localhost".into(),
        example_project: "spam".into(),
        max_file_size: Bytes(104_857_600),
    })
}

fn error() -> String {
    html(&errors::Error {
        frame: stranger(),
        status: 404,
        heading: "Page not found".into(),
        what_happened: "There is no project “sapm” on this index.".into(),
        what_to_do: "Check the name for typing errors, or search for it.".into(),
        action: Some(Action::new("Search for sapm", "/search/?q=sapm")),
    })
}

fn account_pages() -> Vec<Sample> {
    let mut samples = doors();
    samples.extend(proofs());
    samples.extend(mail_links());
    samples
}

fn doors() -> Vec<Sample> {
    let register = |errors: FormErrors, username: &str| {
        html(&account::Register {
            frame: stranger(),
            errors,
            name: "Ada L.".into(),
            email: "ada@example.org".into(),
            username: username.into(),
        })
    };
    let login =
        |errors| html(&account::Login { frame: stranger(), errors, username: "ada".into(), next: Some("/manage/projects/?a=\"b".into()) });
    let refused = FormErrors::one("", "User name and password do not belong together.");
    vec![
        ("register", register(FormErrors::none(), "")),
        ("register-refused", register(typed(), "grace")),
        ("check-mailbox", html(&account::CheckMailbox { frame: stranger(), email: "ada@example.org".into() })),
        ("login", login(FormErrors::none())),
        ("password-disabled", html(&account::PasswordDisabled { frame: stranger(), administrator: false })),
        ("password-disabled-administrator", html(&account::PasswordDisabled { frame: stranger(), administrator: true })),
        ("login-refused", login(refused)),
        ("logout", html(&account::Logout { frame: ada() })),
        ("setup", setup(true)),
        ("setup-known", setup(false)),
    ]
}

fn setup(administrator: bool) -> String {
    html(&account::Setup {
        frame: stranger(),
        errors: FormErrors::none(),
        token: "t0k3n".into(),
        administrator,
        name: String::new(),
        email: if administrator { String::new() } else { "ada@example.org".into() },
        email_known: !administrator,
        username: if administrator { String::new() } else { "ada".into() },
        username_known: !administrator,
    })
}

fn proofs() -> Vec<Sample> {
    let next = Some("/manage/projects/".to_owned());
    let wrong = || FormErrors::one("totp_value", "This code is not right, or was used already. Wait for the next one.");
    let mailbox = |code_expires, errors| {
        html(&account::VerifyMailbox {
            frame: ada(),
            errors,
            email: "ada@example.org".into(),
            code_expires,
            tries_left: 4,
            next: Some("/manage/projects/".into()),
        })
    };
    let again = |act: Option<Act>, idle, errors| {
        html(&account::Reauthenticate {
            frame: ada(),
            errors,
            next: "/manage/account/token/".into(),
            kept: act.is_none().then(|| "k1".into()),
            password: idle,
            totp: act.is_none(),
            key: act.is_some() || idle,
            idle,
            act,
        })
    };
    let confirm = |state| html(&account::ConfirmLogin { frame: stranger(), state, next: None });
    let kept = account::KeptForm {
        frame: ada(),
        path: "/manage/account/change-password/".into(),
        fields: vec![("end_sessions".into(), "y".into())],
        secrets: vec!["password".into(), "new_password".into(), "password_confirm".into()],
        next: "/manage/account/".into(),
    };
    let act = Act { id: "a1".into(), sentence: "Create the API token “release job” for the project spam.".into() };
    let second = |errors, totp, key| {
        html(&account::TwoFactor { frame: stranger(), errors, totp, key, next: Some("/manage/projects/".into()), remember: totp })
    };
    let code = FormErrors::one("mailbox_code", "This is not the code that we sent.");
    vec![
        ("two-factor", second(FormErrors::none(), true, false)),
        ("two-factor-refused", second(wrong(), true, false)),
        ("two-factor-key", second(FormErrors::none(), false, true)),
        ("two-factor-both", second(FormErrors::none(), true, true)),
        ("recovery-code", html(&account::RecoveryCode { frame: stranger(), errors: FormErrors::none(), next, remember: false })),
        ("confirm-login", confirm(account::Confirming::Waiting { until: ago(-840) })),
        ("confirm-login-here", confirm(account::Confirming::Here { token: "t".into(), until: ago(-840), remember: false })),
        (
            "confirm-login-elsewhere",
            confirm(account::Confirming::Elsewhere { from: "Firefox 128 on Linux, 192.0.2.7 (Lisbon, Portugal)".into() }),
        ),
        ("kept-form", html(&kept)),
        ("verify-mailbox", mailbox(None, FormErrors::none())),
        ("verify-mailbox-code", mailbox(Some(ago(-540)), code)),
        ("reauthenticate-password", again(None, true, FormErrors::none())),
        ("reauthenticate", again(None, false, wrong())),
        ("reauthenticate-act", again(Some(act), false, FormErrors::none())),
    ]
}

fn hold(waiting: bool) -> HoldLine {
    let person =
        |username: &str, told: Option<i64>| PersonLine { username: username.into(), told: told.map(ago), approved: told.is_none() };
    HoldLine {
        id: "h1".into(),
        description: "Remove the factor “blue <key>” of the account ada".into(),
        proposer: "ada".into(),
        proposed: ago(7_200),
        due: ago(-252_000),
        waiting,
        outcome: if waiting { "Waits" } else { "Will not happen" },
        closed: (!waiting).then(|| ago(60)),
        because: (!waiting).then(|| "the session that proposed it was ended".into()),
        open_until: None,
        people: vec![person("ada", None), person("grace", Some(7_190))],
        may_veto: waiting,
        by_proof: false,
        may_approve: waiting,
    }
}

fn hold_pages() -> Vec<Sample> {
    let list = |lines| html(&holds::Holds { frame: ada(), lines, act: None, next_page: Some("h0".into()) });
    let granted = HoldLine { outcome: "Let through", because: None, open_until: Some(ago(-600_000)), ..hold(false) };
    vec![
        ("holds", list(vec![hold(true), hold(false), granted])),
        ("holds-none", list(vec![])),
        ("veto", html(&holds::Veto { frame: stranger(), token: "t0k3n".into(), hold: hold(true) })),
        ("veto-over", html(&holds::Veto { frame: stranger(), token: "t0k3n".into(), hold: hold(false) })),
        ("vetoed", html(&holds::Vetoed { frame: stranger(), over: false })),
        ("vetoed-over", html(&holds::Vetoed { frame: stranger(), over: true })),
    ]
}

fn mail_links() -> Vec<Sample> {
    let dead = |action| html(&account::LinkDead { frame: stranger(), purpose: "set a new password".into(), action });
    let none = FormErrors::none;
    vec![
        (
            "request-password-reset",
            html(&account::RequestPasswordReset { frame: stranger(), errors: none(), username_or_email: String::new() }),
        ),
        ("reset-requested", html(&account::ResetRequested { frame: stranger() })),
        (
            "reset-password",
            html(&account::ResetPassword {
                frame: stranger(),
                errors: none(),
                token: "t0k3n".into(),
                username: "ada".into(),
                revoke_tokens: false,
            }),
        ),
        (
            "verify-email",
            html(&account::VerifyEmail {
                frame: stranger(),
                token: "t0k3n".into(),
                email: "ada@example.org".into(),
                username: "ada".into(),
            }),
        ),
        ("link-dead", dead(Some(Action::new("Ask for a new link", "/account/request-password-reset/")))),
        ("link-dead-no-way", dead(None)),
    ]
}
