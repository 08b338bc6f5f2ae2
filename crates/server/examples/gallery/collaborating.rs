//! The pages of a project: overview, collaborators, history, and an invitation.

use super::super::pages::holds::{HoldLine, PersonLine};
use super::super::pages::projects::{Collaboration, EventLine, History, InvitationLine, Overview, Person, Ready, Shell, VerifyProjectRole};
use super::super::pages::{FormErrors, html};
use super::{Sample, ada, ago};

fn waiting() -> HoldLine {
    let person = |username: &str, approved| PersonLine { username: username.into(), told: Some(ago(7_190)), approved };
    HoldLine {
        id: "h1".into(),
        description: "Remove grace as Owner of Flying-Circus".into(),
        proposer: "ada".into(),
        proposed: ago(7_200),
        due: ago(-252_000),
        waiting: true,
        outcome: "Waits",
        closed: None,
        because: None,
        open_until: None,
        people: vec![person("ada", true), person("grace", false)],
        may_veto: true,
        by_proof: false,
        may_approve: true,
    }
}

fn shell(busy: bool) -> Shell {
    Shell {
        name: "Flying-Circus".into(),
        normalized: "flying-circus".into(),
        role: "Owner".into(),
        suspended: None,
        waiting: if busy { vec![waiting()] } else { vec![] },
    }
}

fn people() -> Vec<Person> {
    let person = |username: &str, role, seconds, own| Person {
        id: "r1".into(),
        username: username.into(),
        role,
        since: ago(seconds),
        own,
        suspended: (username == "mallory").then_some("until the change that waits is decided"),
        may_change: true,
        may_remove: true,
    };
    vec![
        person("ada", "Owner", 40_000_000, true),
        person("grace", "Owner", 30_000_000, false),
        person("mallory", "Owner", 8_000, false),
        person("a-name-of-some-length-that-wraps", "Maintainer", 900, false),
    ]
}

fn collaboration(busy: bool, errors: FormErrors, ready: Option<Ready>) -> String {
    let invitation = |username: &str, expired| InvitationLine {
        account: "a1".into(),
        username: username.into(),
        role: "Maintainer".into(),
        inviter: "ada".into(),
        since: ago(90_000),
        until: ago(if expired { 500 } else { -500_000 }),
        expired,
    };
    html(&Collaboration {
        frame: ada(),
        errors,
        shell: shell(busy),
        is_owner: true,
        people: people(),
        invitations: if busy { vec![invitation("edsger", false), invitation("barbara", true)] } else { vec![] },
        wait: "3 days".into(),
        username: String::new(),
        role_name: "Maintainer".into(),
        act: ready.is_some().then(|| "0190".into()),
        ready,
    })
}

fn invitation(over: bool, act: bool) -> String {
    html(&VerifyProjectRole {
        frame: ada(),
        errors: FormErrors::none(),
        token: "0190".into(),
        project: "Flying-Circus".into(),
        normalized: "flying-circus".into(),
        role: "Owner".into(),
        inviter: "grace".into(),
        since: ago(90_000),
        until: ago(-500_000),
        over,
        act: act.then(|| "0191".into()),
    })
}

pub(super) fn collaboration_pages() -> Vec<Sample> {
    let event = |seconds, sentence: &str, who: Option<&str>, about: Option<&str>| EventLine {
        when: ago(seconds),
        sentence: sentence.into(),
        username: who.map(str::to_owned),
        actor: "the index itself".into(),
        about: about.map(str::to_owned),
    };
    let events = vec![
        event(60, "grace is no longer Owner of Flying-Circus.", None, Some("grace")),
        event(8_000, "mallory was invited to Flying-Circus as Owner.", Some("ada"), Some("mallory")),
        event(90_000, "flying_circus-1.0-py3-none-any.whl was uploaded.", Some("ada"), None),
    ];
    let ready = Ready {
        sentence: "Invite edsger to Flying-Circus as Owner".into(),
        path: "",
        fields: vec![("username".into(), "edsger".into()), ("role_name".into(), "Owner".into())],
    };
    let refused = FormErrors::one("username", "No account has the user name “grcae”.");
    let suspended = Shell { suspended: Some("It gives nothing while the change below waits.".into()), ..shell(true) };
    vec![
        ("project-manage", html(&Overview { frame: ada(), shell: shell(true), owners: 3, maintainers: 1, created: ago(40_000_000) })),
        ("project-suspended", html(&Overview { frame: ada(), shell: suspended, owners: 3, maintainers: 1, created: ago(40_000_000) })),
        ("collaboration", collaboration(true, FormErrors::none(), None)),
        ("collaboration-quiet", collaboration(false, FormErrors::none(), None)),
        ("collaboration-refused", collaboration(false, refused, None)),
        ("collaboration-ready", collaboration(false, FormErrors::none(), Some(ready))),
        ("project-history", html(&History { frame: ada(), shell: shell(false), events, next_page: Some("7".into()) })),
        ("project-history-none", html(&History { frame: ada(), shell: shell(false), events: vec![], next_page: None })),
        ("invitation", invitation(false, false)),
        ("invitation-proved", invitation(false, true)),
        ("invitation-over", invitation(true, false)),
    ]
}
