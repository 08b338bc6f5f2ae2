//! The pages to manage one's account with.

use super::super::pages::manage::{self, AddressLine, EventLine, FactorLine, Gate, GateState, GateStep, LastUsed};
use super::super::pages::manage::{MyProject, ScopeChoice, TokenLine, TokenScope};
use super::super::pages::{Action, Banner, Flash, FormErrors, Frame, Kind, When, html, qr};
use super::{Sample, URL, ada, ago};

fn gate(title: &str, state: GateState, step: GateStep) -> Gate {
    Gate {
        title: title.into(),
        explanation: "We tell you about every change of your account by mail, so the address has to be yours.".into(),
        state,
        step,
    }
}

fn gates(first: bool) -> Vec<Gate> {
    let (one, two) = if first { (GateState::Now, GateState::Later) } else { (GateState::Done, GateState::Now) };
    vec![
        gate("Verify your address", one, GateStep::Mail("ada@example.org".into())),
        gate("Prove that you read your mail", two, GateStep::Go(Action::new("Send me a code", "/account/verify-mailbox/"))),
        gate("Save recovery codes", GateState::Later, GateStep::None),
        gate("Add a second factor", GateState::Later, GateStep::None),
    ]
}

fn factors() -> Vec<FactorLine> {
    let line = |kind: &str, label: Option<&str>, synced| FactorLine {
        id: "f1".into(),
        is_totp: label.is_none(),
        kind: kind.into(),
        label: label.map(str::to_owned),
        synced,
        added: ago(8_000_000),
        last_used: Some(ago(184)),
    };
    vec![
        line("Authenticator app (TOTP)", None, None),
        line("Security key", Some("blue key on <my> ring"), Some(false)),
        line("Passkey", Some("phone"), Some(true)),
    ]
}

fn address(email: &str, verified: Option<When>) -> AddressLine {
    AddressLine { email: email.into(), primary: false, public: false, added: ago(9_000_000), verified, lost_because: None, waits: false }
}

fn addresses(verified: Option<When>) -> Vec<AddressLine> {
    vec![
        AddressLine { primary: true, public: true, ..address("ada@example.org", Some(ago(8_000_000))) },
        address("a.very.long.address.of.ada@mail.department.example.org", verified),
        AddressLine { lost_because: Some("its domain lapsed"), ..address("ada@lapsed.example", None) },
    ]
}

pub(super) fn manage_pages() -> Vec<Sample> {
    let gated = Banner::gate(
        "Projects can be managed once a second factor guards your account.",
        Action::new("Add a factor", "/manage/unverified-account/?next=/manage/projects/"),
    );
    let mut samples = vec![
        ("account", overview(false)),
        ("account-new", overview(true)),
        (
            "unverified-account",
            html(&manage::UnverifiedAccount { frame: ada(), gates: gates(true), next: Some("/manage/projects/".into()) }),
        ),
        ("unverified-account-2", html(&manage::UnverifiedAccount { frame: ada(), gates: gates(false), next: None })),
        (
            "emails",
            html(&manage::Emails {
                frame: ada(),
                errors: FormErrors::none(),
                addresses: addresses(None),
                typed: String::new(),
                proved: Some(manage::Proved { act: "0190".into(), what: "remove".into(), email: "ada@lapsed.example".into() }),
            }),
        ),
        ("projects", projects(ada(), true)),
        ("projects-gated", projects(Frame { banners: vec![gated], ..ada() }, false)),
        ("history", history()),
    ];
    samples.extend([
        ("sessions", sessions()),
        ("change-password", change_password(FormErrors::none())),
        ("change-password-refused", change_password(FormErrors::one("password", "This is not your present password."))),
    ]);
    samples.extend(factor_pages());
    samples
}

fn overview(new: bool) -> String {
    let secured = |title| gate(title, GateState::Done, GateStep::None);
    let flash = Flash { kind: Kind::Success, text: "The authenticator app was added.".into() };
    html(&manage::Account {
        frame: Frame { flash: (!new).then_some(flash), ..ada() },
        username: "ada".into(),
        name: "Ada L.".into(),
        created: ago(8_000_000),
        gates: if new { gates(false) } else { vec![secured("Verify your address"), secured("Add a second factor")] },
        profile: manage::Profile {
            csrf_token: ada().csrf_token,
            errors: FormErrors::none(),
            name: "Ada L.".into(),
            public_email: "ada@example.org".into(),
            choices: vec!["ada@example.org".into()],
        },
        addresses: addresses(None),
        factors: if new { vec![] } else { factors() },
        phishable: !new,
        codes_left: (!new).then_some(7),
        tokens: 3,
        projects: 2,
        password: FormErrors::none(),
    })
}

fn projects(frame: Frame, some: bool) -> String {
    let project = |name: &str, role: &str, version: Option<&str>| MyProject {
        name: name.into(),
        normalized_name: name.to_lowercase(),
        role: role.into(),
        version: version.map(str::to_owned),
        released: version.map(|_| ago(184)),
        states: Vec::new(),
    };
    let list = vec![project("spam", "Owner", Some("4.2.0")), project("Flying-Circus", "Maintainer", None)];
    let invitation = manage::MyInvitation {
        token: "i1".into(),
        project: "Parrot".into(),
        role: "Maintainer".into(),
        inviter: "grace".into(),
        since: ago(90_000),
        until: ago(-500_000),
    };
    let invitations = if some { vec![invitation] } else { vec![] };
    html(&manage::Projects { frame, invitations, projects: if some { list } else { vec![] }, next_page: Some("spam".into()) })
}

fn history() -> String {
    let event = |seconds, sentence: &str, credential: Option<&str>, refused| EventLine {
        when: ago(seconds),
        sentence: sentence.into(),
        network: credential.map(|_| "192.0.2.7 (Lisbon, Portugal)".into()),
        agent: credential.map(|_| "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".into()),
        credential: credential.map(str::to_owned),
        refused,
    };
    html(&manage::SecurityHistory {
        frame: Frame { banners: vec![Banner::new(Kind::Info, "Times are in UTC.", None)], ..ada() },
        events: vec![
            event(20, "Created the API token “release job” for spam.", Some("session, authenticator app"), false),
            event(184, "Signed in.", Some("password, authenticator app"), false),
            event(190, "Tried to sign in with a wrong password.", Some("password"), true),
            event(8_000_000, "The account was made.", None, false),
        ],
        next_page: Some("0018".into()),
    })
}

fn sessions() -> String {
    let session = |id: &str, here, idle| manage::SessionLine {
        id: id.into(),
        browser: "Firefox 128 on Linux".into(),
        agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".into()),
        network: Some("192.0.2.7".into()),
        place: Some("Lisbon, Portugal".into()),
        first_seen: ago(8_000),
        last_seen: ago(if idle { 4_000 } else { 20 }),
        ends: ago(-35_000),
        proved: "an authenticator app".into(),
        remembered: here,
        idle,
        here,
    };
    let device = manage::DeviceLine {
        id: "d1".into(),
        browser: "Firefox 128 on Linux".into(),
        from: "Firefox 128 on Linux, 192.0.2.7 (Lisbon, Portugal)".into(),
        since: ago(8_000),
        last_seen: ago(8_000),
        ends: ago(-15_000_000),
        here: true,
    };
    let sessions = vec![session("s2", true, false), session("s1", false, true)];
    html(&manage::Sessions { frame: ada(), sessions, devices: vec![device], next_page: Some("s0".into()) })
}

fn change_password(errors: FormErrors) -> String {
    html(&manage::ChangePassword { frame: ada(), errors, username: "ada".into(), end_sessions: true, revoke_tokens: false })
}

fn factor_pages() -> Vec<Sample> {
    let otpauth = "otpauth://totp/Strongroom:ada?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Strongroom";
    let provision = |errors| {
        html(&manage::TotpProvision {
            next: None,
            frame: ada(),
            errors,
            qr_svg: qr::svg(otpauth).unwrap_or_default(),
            secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".into(),
            otpauth: otpauth.into(),
            key: false,
            act: Some("a2".into()),
        })
    };
    let codes = |codes: Vec<String>, replaces| {
        html(&manage::RecoveryCodesGenerate { frame: ada(), username: "ada".into(), codes, replaces, act: None, next: None })
    };
    let of = |factors: Vec<FactorLine>, phishable, codes_left| {
        let accepted = manage::AcceptedKeys { party: "index.example.org".into(), user: "AZq".into(), ids: "a1 b2".into() };
        let totp = !factors.is_empty();
        html(&manage::TwoFactor { frame: ada(), factors, totp, phishable, accepted, codes_left, act: None })
    };
    let key = |errors, ready| {
        html(&manage::WebauthnProvision { frame: ada(), errors, label: "blue \"key\"".into(), ready, act: None, next: None })
    };
    let eight = (0..8).map(|i| format!("k7q{i}-mx2w-93fh-tz{i}c")).collect();
    let burn = FormErrors::one("recovery_code_value", "This is none of the codes that were just made.");
    vec![
        ("factors", of(factors(), false, Some(2))),
        ("factors-phishable", of(factors().into_iter().take(1).collect(), true, Some(8))),
        ("factors-none", of(vec![], false, None)),
        ("factors-without-codes", of(factors(), false, None)),
        ("webauthn-provision", key(FormErrors::none(), true)),
        ("webauthn-provision-prove", key(FormErrors::none(), false)),
        ("webauthn-provision-refused", key(FormErrors::one("label", "Another key of yours has this name: give this one another."), true)),
        ("totp-provision", provision(FormErrors::none())),
        ("totp-provision-refused", provision(FormErrors::one("totp_value", "This code is not right."))),
        ("codes-ask", codes(vec![], 0)),
        ("codes-replace", codes(vec![], 7)),
        ("codes-shown", codes(eight, 0)),
        ("codes-burn", html(&manage::RecoveryCodesBurn { frame: ada(), errors: burn, next: None })),
    ]
}

pub(super) fn token_pages() -> Vec<Sample> {
    let token = |id: &str, scope, used: bool| TokenLine {
        id: id.into(),
        description: format!("release job {id} <of> a \"project\""),
        scope,
        created: ago(8_000_000),
        last_used: used.then(|| LastUsed { when: ago(184), network: Some("192.0.2.7".into()) }),
        expires: used.then(|| ago(-8_000_000)),
        paused: !used,
    };
    let page = |errors, tokens, description: &str| {
        html(&manage::Tokens {
            frame: ada(),
            errors,
            tokens,
            scopes: vec![
                ScopeChoice { value: "scope:project:spam".into(), label: "The project spam".into() },
                ScopeChoice { value: "scope:user".into(), label: "All your projects".into() },
            ],
            description: description.into(),
            token_scope: "scope:user".into(),
            expires_in_days: "90".into(),
            act: None,
            confirming: None,
        })
    };
    let list = vec![token("1", TokenScope::Project("spam".into()), true), token("2", TokenScope::Account, false)];
    let mut refused = FormErrors::one("description", "A token of this name exists already.");
    refused.add("token_scope", "You have no role on this project.");
    vec![
        ("tokens", page(FormErrors::none(), list, "")),
        ("tokens-none", page(FormErrors::none(), vec![], "")),
        ("tokens-refused", page(refused, vec![], "release job")),
        (
            "token-shown",
            html(&manage::TokenShown {
                frame: ada(),
                public_url: URL.into(),
                token: format!("strongroom-AgEIcHlwaS5vcmc{}", "CJGQ4ZTk0NzEwLWY0ZTMtNGIyOC1iM2Iz".repeat(5)),
                description: "release job".into(),
                scope: TokenScope::Project("spam".into()),
                expires: Some(ago(-8_000_000)),
            }),
        ),
    ]
}
