//! The pages of the staff.

use super::super::pages::admin::Part;
use super::super::pages::staff::{self, AccountLine, ActLine, CaseLine, Choice, Counted, EventLine, Order, Pressing, Stop, Tag, Undo};
use super::super::pages::{FormErrors, Frame, Viewer, html};
use super::{Sample, ago, hold, stranger};

const CASE: &str = "01900000-0000-7000-8000-000000000001";
const EVENT: &str = "01900000-0000-7000-8000-000000000002";

fn grace() -> Frame {
    Frame { viewer: Some(Viewer { username: "grace".into(), is_staff: true }), ..stranger() }
}

fn tag(word: &str, class: &'static str) -> Tag {
    Tag { word: word.into(), class }
}

fn case(id: &str, closed: bool) -> CaseLine {
    CaseLine {
        id: id.into(),
        kind: "An act of the staff",
        why: "ada was frozen: uploads <nobody> knows of, reported 02:50".into(),
        opened: ago(7_200),
        closed: closed.then(|| ago(600)),
        accounts: vec!["ada".into(), "grace".into()],
        projects: vec!["spam".into()],
    }
}

fn choices() -> Vec<Choice> {
    let one = |value: &str, label: &str, chosen| Choice { value: value.into(), label: label.into(), chosen };
    vec![one("", "A new case", true), one(CASE, "ada was frozen: uploads nobody knows of, reported 02:50", false)]
}

fn states() -> Vec<Choice> {
    let one = |value: &str, label: &str| Choice { value: value.into(), label: label.into(), chosen: value.is_empty() };
    vec![one("", "All"), one("frozen", "Frozen"), one("contained", "Contained")]
}

fn order(reason: &str) -> Order {
    Order { reason: reason.into(), cases: choices() }
}

fn stop(event: &str, kind: &str, on: &'static str, can_end: bool) -> Stop {
    Stop {
        kind: kind.into(),
        on,
        reason: "uploads <nobody> knows of, reported 02:50".into(),
        since: ago(7_200),
        by: if can_end { "grace".into() } else { "operator olga".into() },
        case: can_end.then(|| CASE.into()),
        event: event.into(),
        can_end,
    }
}

fn events() -> Vec<EventLine> {
    let line = |kind: &str, sentence: &str, by: &str, by_account: bool| EventLine {
        when: ago(7_200),
        kind: kind.into(),
        sentence: sentence.into(),
        by: by.into(),
        by_account,
        credential: by_account.then_some("a session"),
        network: by_account.then(|| "2001:db8:85a3:8d3:1319:8a2e:370:7348".into()),
        agent: by_account.then(|| "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0".into()),
        project: (kind == "project:release:file:add").then(|| "spam".into()),
        case: (kind == "account:freeze").then(|| CASE.into()),
    };
    vec![
        line("account:freeze", "The account was frozen: uploads <nobody> knows of, reported 02:50.", "grace", true),
        line("project:release:file:add", "spam-6.6.6-py3-none-any.whl was uploaded.", "ada", true),
        line("account:login:failure", "A sign-in failed: the password is wrong.", "nobody that is known", false),
    ]
}

fn account(errors: FormErrors, pressing: Option<Pressing>) -> staff::Account {
    staff::Account {
        frame: grace(),
        errors,
        username: "ada".into(),
        state: tag("frozen", "danger"),
        staff: true,
        own: false,
        created: ago(90_000_000),
        last_login: Some(ago(9_000)),
        addresses: vec![("a.very.long.address.of.ada@mail.department.example.org".into(), "primary, verified")],
        factors: vec![staff::Factor { kind: "Authenticator app", label: String::new(), added: ago(80_000_000) }],
        tokens: 3,
        roles: vec![("spam".into(), "Owner".into()), ("a-package-with-a-long-name".into(), "Maintainer".into())],
        stops: vec![
            stop(EVENT, "frozen", "the account", true),
            stop("01900000-0000-7000-8000-000000000003", "frozen", "the account", false),
        ],
        cases: vec![case(CASE, false)],
        order: order("uploads"),
        pressing,
        events: events(),
        next_page: Some("7".into()),
    }
}

fn accounts() -> Vec<Sample> {
    let line = |username: &str, state: Tag, staff| AccountLine {
        username: username.into(),
        state,
        staff,
        factor: "a key",
        verified: !staff,
        created: ago(90_000_000),
        last_login: staff.then(|| ago(9_000)),
    };
    let list = |lines, next_page| staff::Accounts {
        frame: grace(),
        q: "a\"<b".into(),
        states: states(),
        state: String::new(),
        total: "10,836".into(),
        lines,
        next_page,
    };
    let lines = vec![line("ada", tag("frozen", "danger"), false), line("grace", tag("active", "success"), true)];
    let pressing = Pressing {
        sentence: "Thaw the account ada: the owner telephoned".into(),
        action: "/admin/accounts/ada/thaw/".into(),
        fields: vec![("reason", "the owner telephoned".into()), ("case", CASE.into()), ("of", EVENT.into()), ("act", "a1".into())],
        button: "Thaw the account",
    };
    let mut refused = FormErrors::one("reason", "A reason is a text of 1 to 500 characters on one line.");
    refused.add("case", "There is no such case.");
    let own =
        staff::Account { own: true, stops: vec![], cases: vec![], events: vec![], next_page: None, ..account(FormErrors::none(), None) };
    vec![
        ("admin-accounts", html(&list(lines, Some("ada".into())))),
        ("admin-accounts-none", html(&list(vec![], None))),
        ("admin-account", html(&account(FormErrors::none(), Some(pressing)))),
        ("admin-account-refused", html(&account(refused, None))),
        ("admin-account-own", html(&own)),
    ]
}

fn projects() -> Vec<Sample> {
    let line = |name: &str, locks| staff::ProjectLine { name: name.into(), normalized: name.into(), locks, created: ago(90_000_000) };
    let list = |lines, next_page| staff::Projects {
        frame: grace(),
        q: String::new(),
        states: states(),
        state: String::new(),
        total: "2".into(),
        lines,
        next_page,
    };
    let detail = |own, stops: Vec<Stop>| staff::Project {
        frame: grace(),
        errors: FormErrors::none(),
        name: "Spam".into(),
        normalized: "spam".into(),
        created: ago(90_000_000),
        releases: 1,
        files: 12,
        own,
        people: vec![("ada".into(), "Owner".into(), ago(90_000_000))],
        cases: if stops.is_empty() { vec![] } else { vec![case(CASE, true)] },
        stops_in_all: own.then(|| "1,204".into()),
        stops,
        order: order(""),
        pressing: None,
        events: events(),
        next_page: None,
    };
    let stops = || vec![stop(EVENT, "quarantined", "the whole project", true), stop("e9", "withdrawn", "one file", false)];
    vec![
        ("admin-projects", html(&list(vec![line("spam", vec![tag("quarantined", "danger")]), line("eggs", vec![])], Some("spam".into())))),
        ("admin-projects-none", html(&list(vec![], None))),
        ("admin-project", html(&detail(false, stops()))),
        ("admin-project-own", html(&detail(true, stops()))),
        ("admin-project-shown", html(&detail(false, vec![]))),
    ]
}

fn cases() -> Vec<Sample> {
    let list =
        |cases, next_page| staff::Cases { frame: grace(), states: states(), state: "open".into(), total: "1".into(), cases, next_page };
    let act = |did, account: Option<&str>, text: &str, state: Option<Tag>, undo| ActLine {
        when: ago(7_000),
        did,
        by: "grace".into(),
        account: account.map(str::to_owned),
        project: None,
        text: text.into(),
        state,
        undo,
    };
    let undo = || Undo { action: "/admin/accounts/ada/thaw/".into(), event: EVENT.into(), button: "Thaw ada".into() };
    let detail = |closed: bool, errors: FormErrors| staff::Case {
        frame: grace(),
        errors,
        id: CASE.into(),
        kind: "An act of the staff",
        why: "ada was frozen: uploads <nobody> knows of, reported 02:50".into(),
        opened: ago(7_200),
        opened_by: "grace".into(),
        opened_with: "The account was frozen: uploads <nobody> knows of, reported 02:50.".into(),
        closed: closed.then(|| (ago(60), "linus".into(), "A case was closed: the thief is out, the owner is back.".into())),
        accounts: vec!["ada".into()],
        projects: if closed { vec![] } else { vec!["spam".into()] },
        acts: vec![
            act("Froze", Some("ada"), "uploads <nobody> knows of, reported 02:50", Some(tag("In force", "danger")), Some(undo())),
            act("Note", None, "The owner called.\nHe is in Rome and signed in from nowhere else.", None, None),
            act("Thawed", Some("bob"), "a mistake", None, None),
        ],
        next_page: (!closed).then(|| "0190".into()),
        in_force: u64::from(!closed),
        note: String::new(),
        decision: String::new(),
        pressing: None,
    };
    vec![
        ("admin-cases", html(&list(vec![case(CASE, false), case("c2", true)], Some("c2".into())))),
        ("admin-cases-none", html(&list(vec![], None))),
        ("admin-case", html(&detail(false, FormErrors::none()))),
        ("admin-case-refused", html(&detail(false, FormErrors::one("note", "A note is a text of 1 to 4000 characters.")))),
        ("admin-case-closed", html(&detail(true, FormErrors::none()))),
    ]
}

fn holds() -> Vec<Sample> {
    let one =
        |waiting, own| staff::StaffHold { hold: hold(waiting), project: Some("spam".into()), case: (!waiting).then(|| CASE.into()), own };
    let list = |lines, errors| staff::Holds {
        frame: grace(),
        errors,
        states: states(),
        state: "waiting".into(),
        total: "2".into(),
        lines,
        next_page: Some("h0".into()),
    };
    vec![
        ("admin-holds", html(&list(vec![one(true, false), one(false, false)], FormErrors::none()))),
        ("admin-holds-own", html(&list(vec![one(true, true)], FormErrors::one("", "This change is over already: nothing of it waits.")))),
        ("admin-holds-none", html(&list(vec![], FormErrors::none()))),
    ]
}

pub(super) fn staff_pages() -> Vec<Sample> {
    let count = |what, count: &str, href| Counted { what, count: count.into(), href };
    let overview = |cases, alone| staff::Overview {
        frame: grace(),
        counts: vec![count("open cases", "3", "/admin/cases/"), count("frozen accounts", "120", "/admin/accounts/?state=frozen")],
        parts: vec![Part { name: "database".into(), answers: true }, Part { name: "jobs".into(), answers: false }],
        alone,
        cases,
    };
    let first = vec![("admin", html(&overview(vec![case(CASE, false)], true))), ("admin-quiet", html(&overview(vec![], false)))];
    [first, accounts(), projects(), cases(), holds()].into_iter().flatten().collect()
}
