//! Every text that is mailed, as a person reads it: one file a kind in `tests/mail/`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use credentials::entropy::SystemEntropy;
use credentials::password::Parameters;
use credentials::secret::Secret;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::clock::{HandClock, Time};
use crate::config::Config;
use crate::events::Audience;
use crate::ids::{AccountId, ProjectId};

/// 22 November 2023, 08:47:35 UTC.
const AT: Time = Time::from_seconds(1_700_642_855);

async fn env(folder: &Path) -> Env {
    let values = BTreeMap::from([
        ("data.dir".to_owned(), folder.display().to_string()),
        ("server.public_url".to_owned(), "https://index.example.org".to_owned()),
    ]);
    let config = Config::from_values(&values, &[]).unwrap();
    let cheap = Parameters { memory_kib: 64, passes: 1, lanes: 1 };
    crate::open::open(config, Arc::new(HandClock::new(AT)), Arc::new(SystemEntropy), cheap).await.unwrap()
}

fn account(n: u128, name: &str) -> accounts::Model {
    accounts::Model {
        id: AccountId(Uuid::from_u128(n)),
        username: name.to_owned(),
        username_folded: name.to_owned(),
        display_name: name.to_owned(),
        password_hash: None,
        password_changed_at: None,
        created_at: AT,
        began_by: EventId(Uuid::nil()),
        last_login_at: None,
        erased_at: None,
        password_disabled_at: None,
        password_disabled_by: None,
    }
}

fn address() -> addresses::Model {
    addresses::Model {
        id: AddressId(Uuid::nil()),
        account_id: AccountId(Uuid::from_u128(1)),
        address: "ada@example.org".to_owned(),
        folded: "ada@example.org".to_owned(),
        is_primary: true,
        verified_at: Some(AT),
        from_at: AT,
        until_at: None,
        began_by: EventId(Uuid::nil()),
        ended_by: None,
        is_public: false,
        unverified_because: None,
    }
}

fn project() -> projects::Model {
    projects::Model {
        id: ProjectId(Uuid::nil()),
        name: "Spam.Eggs".to_owned(),
        normalized: "spam-eggs".to_owned(),
        look_alike: "spam-eggs".to_owned(),
        serial: 1,
        created_at: AT,
        began_by: EventId(Uuid::nil()),
    }
}

/// A likely value for each field of the table.
fn detail(kind: Kind) -> serde_json::Value {
    let value = |name: &str, ty: &str| match (name, ty) {
        ("username", _) => json!("ada"),
        ("method", _) => json!("telephone"),
        ("factor", _) => json!("totp"),
        ("description", _) => json!("CI of Spam.Eggs"),
        ("scope", _) => json!("project Spam.Eggs"),
        ("reason", _) => json!("the incident of 22 November"),
        ("decision", _) => json!("a false alarm: the owner was travelling"),
        ("checks", _) => json!(160),
        ("filename", _) => json!("spam_eggs-1.0-py3-none-any.whl"),
        ("version", _) => json!("1.0"),
        ("what", _) if [Kind::ProjectErased, Kind::PutBack].contains(&kind) => json!("the release 1.0"),
        ("was", _) => json!("deleted"),
        ("until", _) => json!("22 December 2023, 08:47:35 UTC"),
        ("what", _) => json!("the second factor \"blue key\" of bob is removed"),
        ("due", _) => json!("25 November 2023, 08:47:35 UTC"),
        ("paused", "bool") => json!(true),
        ("roles", _) => json!("bob is Owner again; carol is no longer Maintainer"),
        ("because", _) => json!("the session that proposed it was ended"),
        ("label", _) => json!("blue key"),
        ("project", _) => json!("Spam.Eggs"),
        ("role", _) => json!("Owner"),
        ("before", _) => json!("Maintainer"),
        ("by", _) => json!("bob"),
        ("whose", _) => json!("carol"),
        ("about", _) => json!("spam_eggs-1.0-py3-none-any.whl was uploaded."),
        ("proof", _) => json!("the mailbox"),
        ("ends", _) => json!("29 November 2023, 08:47:35 UTC"),
        ("from", _) => json!("25 November 2023, 08:47:35 UTC"),
        ("as_of" | "since" | "made_at", _) => json!("21 November 2023, 08:00:00 UTC"),
        (_, "bool") => json!(false),
        (_, "String") => json!("0190"),
        _ => json!(8),
    };
    kind.fields().iter().map(|(name, ty)| ((*name).to_owned(), value(name, ty))).collect::<serde_json::Map<_, _>>().into()
}

/// What strangers, links and the shell cause; everything else the account does itself.
fn actor(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::AccountCreated | Kind::KnownAddressRegistered | Kind::KnownAddressAdded | Kind::PasswordResetRequested => {
            ("nobody", "nobody")
        }
        Kind::PasswordDisabled | Kind::BreachDoubted => ("nobody", "nobody"),
        Kind::ProjectQuarantined | Kind::ProjectReleased => ("operator:grace", "operator"),
        Kind::TokenEndsSoon => ("worker:warn-token-ends", "worker"),
        Kind::AccountFrozen | Kind::AccountThawed | Kind::AddressUnverified | Kind::ResetLinkMade => ("operator:grace", "operator"),
        Kind::RoleEndedByRestore | Kind::RoleReturnedByRestore => ("operator:grace", "operator"),
        Kind::AccountRestored | Kind::ProjectRestored | Kind::AccountRestoreUndone | Kind::ProjectRestoreUndone => {
            ("operator:grace", "operator")
        }
        Kind::EpochBegun | Kind::EpochOpened => ("operator:grace", "operator"),
        Kind::PasswordReset | Kind::AccountContained | Kind::ContainedAgain | Kind::AlarmRaised | Kind::CredentialPaused => {
            ("nobody", "mail_link")
        }
        Kind::TakeBackCodeSent | Kind::TakeBackWaits | Kind::AccountTakenBack => ("account", "take_back"),
        _ if kind.audience() == Audience::Owners => ("account", "api_token"),
        _ => ("account", "session"),
    }
}

fn event(kind: Kind) -> events::Model {
    let (actor, credential) = actor(kind);
    let ada = AccountId(Uuid::from_u128(1));
    let on_project = [Audience::Owners, Audience::OwnersAndSubject].contains(&kind.audience())
        || [Kind::CredentialPaused, Kind::RoleEndedByRestore, Kind::RoleReturnedByRestore].contains(&kind);
    events::Model {
        seq: 7,
        id: EventId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001)),
        kind: kind.wire().to_owned(),
        at: AT,
        account_id: (![Audience::Owners, Audience::Administrators].contains(&kind.audience())).then_some(ada),
        actor_account_id: (actor == "account").then_some(ada),
        actor: actor.to_owned(),
        project_id: on_project.then_some(ProjectId(Uuid::nil())),
        credential: credential.to_owned(),
        credential_id: (credential == "api_token").then_some(Uuid::nil()),
        direction: "neither".to_owned(),
        case_id: None,
        request_id: String::new(),
        detail: String::new(),
        commitment: Vec::new(),
    }
}

/// What the mail carries: its own link or code, and what its reader is offered.
fn enclosure(kind: Kind) -> Enclosure {
    let code = [Kind::MailboxCodeSent, Kind::TakeBackCodeSent].contains(&kind);
    let own = (WITH_SECRET.contains(&kind) || kind == Kind::HoldProposed).then(|| Secret::new(if code { "042117" } else { "TOKEN" }));
    let proved = ![Kind::AccountCreated, Kind::VerificationSent].contains(&kind);
    let offered = offer::judge(kind.audience(), &event(kind), AccountId(Uuid::from_u128(1))).filter(|_| proved);
    Enclosure { own, offer: offered.map(|offer| (offer, Secret::new("OFFER"))) }
}

/// A story in which the account itself acts, except where strangers, links and operators do.
fn story<'a>(env: &'a Env, kind: Kind, enclosure: &'a Enclosure) -> Story<'a> {
    let event = event(kind);
    let private = Private { network: Some("192.0.2.7".to_owned()), agent: Some("Mozilla/5.0 (X11; Linux)".to_owned()), address: None };
    Story {
        env,
        kind,
        detail: detail(kind),
        private: Some(private),
        reader: account(1, "ada"),
        other: None,
        as_staff: false,
        subject: None,
        project: event.project_id.map(|_| project()),
        event,
        enclosure,
    }
}

fn told() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| !matches!(kind.audience(), Audience::Nobody(_)))
}

/// Kinds whose mail carries a link or a code.
const WITH_SECRET: [Kind; 6] = [
    Kind::AccountCreated,
    Kind::VerificationSent,
    Kind::PasswordResetRequested,
    Kind::MailboxCodeSent,
    Kind::ConfirmationSent,
    Kind::TakeBackCodeSent,
];

/// Compares a mail with its golden file; what was seen instead is written where it can be looked at.
fn differs(name: &str, letter: &Letter) -> Option<String> {
    let said = format!("Subject: {}\n\n{}", letter.subject, letter.text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail").join(format!("{name}.txt"));
    if std::fs::read_to_string(&path).unwrap_or_default() == said {
        return None;
    }
    let seen = std::env::temp_dir().join("strongroom-mail");
    std::fs::create_dir_all(&seen).unwrap();
    std::fs::write(seen.join(format!("{name}.txt")), said).unwrap();
    std::fs::write(seen.join(format!("{name}.html")), &letter.html).unwrap();
    Some(name.to_owned())
}

fn check(letters: &[(String, Letter)]) {
    let differ: Vec<String> = letters.iter().filter_map(|(name, letter)| differs(name, letter)).collect();
    assert!(
        differ.is_empty(),
        "tests/mail/ does not hold what is mailed of {differ:?}: read it in {}, then copy it by hand",
        std::env::temp_dir().join("strongroom-mail").display()
    );
}

#[tokio::test]
async fn every_mail_says_what_its_golden_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    let letter = |kind: Kind| {
        let enclosure = enclosure(kind);
        let letter = write(&story(&env, kind, &enclosure), &address()).unwrap_or_else(|e| panic!("{}: {e}", kind.name()));
        (kind.name().to_owned(), letter)
    };
    check(&told().map(letter).collect::<Vec<_>>());
}

fn by_bob(env: &Env, kind: Kind) -> Letter {
    let mut event = event(kind);
    event.actor_account_id = Some(AccountId(Uuid::from_u128(2)));
    if event.actor != "account" {
        (event.actor, event.credential) = ("account".to_owned(), "step_up".to_owned());
    }
    let offered = offer::judge(kind.audience(), &event, AccountId(Uuid::from_u128(1)));
    let enclosure = Enclosure { own: None, offer: offered.map(|offer| (offer, Secret::new("OFFER"))) };
    let mut story = story(env, kind, &enclosure);
    story.event = event;
    story.other = Some(account(2, "bob"));
    write(&story, &address()).unwrap()
}

#[tokio::test]
async fn an_account_made_by_an_operator_and_a_file_of_somebody_else_are_told_in_their_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    let nothing = Enclosure::default();
    let mut made = story(&env, Kind::AccountCreated, &nothing);
    made.event.actor = "operator:grace".to_owned();
    let made = write(&made, &address()).unwrap();
    let mut staff = story(&env, Kind::AddressUnverified, &nothing);
    staff.event.account_id = Some(AccountId(Uuid::from_u128(2)));
    (staff.as_staff, staff.subject) = (true, Some(account(2, "bob")));
    let staff = write(&staff, &address()).unwrap();
    let staff = ("AddressUnverified.staff".to_owned(), staff);
    check(&[staff, ("AccountCreated.operator".to_owned(), made), ("FileUploaded.other".to_owned(), by_bob(&env, Kind::FileUploaded))]);
}

/// ASVS-6.3.7, NIST-B3, NIST-B6, NIST-R6.
/// P6, R14: what an account did, or had done to it, can be stopped by exactly one link; what somebody else did by an alarm.
#[tokio::test]
async fn every_notice_carries_exactly_one_link_that_stops_what_it_tells() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    for kind in told() {
        let enclosure = enclosure(kind);
        let letter = write(&story(&env, kind, &enclosure), &address()).unwrap();
        let count = |path: &str| letter.text.matches(path).count();
        let wanted = match kind.audience() {
            Audience::Account => 1,
            Audience::Administrators => 0,
            Audience::Addressee => usize::from([Kind::MailboxCodeSent, Kind::ConfirmationSent].contains(&kind)),
            _ => usize::from(event(kind).actor_account_id.is_some()),
        };
        assert_eq!(count("/account/not-me/?token=OFFER"), wanted, "{}:\n{}", kind.name(), letter.text);
        assert_eq!(count("/account/alarm/"), 0, "{}", kind.name());
    }
    let letter = by_bob(&env, Kind::FileUploaded);
    assert_eq!(letter.text.matches("/account/alarm/?token=OFFER").count(), 1, "{}", letter.text);
    assert!(!letter.text.contains("/account/not-me/"), "R14: nobody stops somebody else's account: {}", letter.text);
}

/// Every fact has a line of its own: what, when, from where.
#[tokio::test]
async fn every_mail_begins_with_what_when_and_from_where() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    for kind in told() {
        let enclosure = enclosure(kind);
        let letter = write(&story(&env, kind, &enclosure), &address()).unwrap();
        let lines: Vec<&str> = letter.text.lines().skip(2).take(3).collect();
        for (line, name) in lines.iter().zip(["What: ", "When: 22 November 2023, 08:47:35 UTC", "From where: "]) {
            assert!(line.starts_with(name), "{}: {line}", kind.name());
        }
        assert!(!letter.text.contains("  \n") && !letter.text.contains("\n\n\n"), "{}:\n{}", kind.name(), letter.text);
        assert!(letter.subject.chars().count() < 120, "{}", letter.subject);
    }
}

#[tokio::test]
async fn the_html_part_says_the_same_and_loads_nothing_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    for kind in told() {
        let enclosure = enclosure(kind);
        let letter = write(&story(&env, kind, &enclosure), &address()).unwrap();
        let html = letter.html.replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\"");
        for line in letter.text.lines().filter(|line| !line.starts_with("-- ")) {
            let said = line.trim().trim_end_matches(':');
            let facts = ["What: ", "When: ", "From where: ", "With: ", "Address: ", "Project: ", "Account: "];
            let said = facts.iter().find_map(|f| said.strip_prefix(f)).unwrap_or(said);
            assert!(said == "Your code" || html.contains(said), "{}: {said:?} is not in {html}", kind.name());
        }
        for foreign in ["<img", "src=", "url(", "<script", "<link", "<iframe", "@import"] {
            assert!(!html.contains(foreign), "{} has {foreign}", kind.name());
        }
        let links: Vec<&str> = html.match_indices("href=\"").map(|(at, _)| html[at + 6..].split('"').next().unwrap()).collect();
        assert!(links.iter().all(|link| link.starts_with("https://index.example.org/")), "{links:?}");
    }
}

/// P10: a link that is lost costs the link, never the notice.
#[tokio::test]
async fn a_notice_without_its_link_is_still_a_notice() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    let letter = write(&story(&env, Kind::TokenAdded, &Enclosure::default()), &address()).unwrap();
    assert!(letter.text.contains("was created") && !letter.text.contains("token="), "{}", letter.text);
}

#[tokio::test]
async fn a_name_with_markup_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    let nothing = Enclosure::default();
    let mut story = story(&env, Kind::TokenAdded, &nothing);
    story.detail["description"] = json!("<a href=\"https://evil.example\">click</a>");
    let letter = write(&story, &address()).unwrap();
    assert!(!letter.html.contains("<a href=\"https://evil.example\""), "{}", letter.html);
}

#[tokio::test]
async fn a_mail_that_needs_a_secret_is_not_written_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    for kind in WITH_SECRET {
        assert!(matches!(write(&story(&env, kind, &Enclosure::default()), &address()), Err(NoLetter::Gone(_))), "{}", kind.name());
    }
}

#[tokio::test]
async fn two_recipients_of_one_event_have_two_ids_and_one_recipient_always_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    let nothing = Enclosure::default();
    let story = story(&env, Kind::TokenAdded, &nothing);
    let mut other = address();
    other.folded = "other@example.org".to_owned();
    let id = |address: &addresses::Model| write(&story, address).unwrap().id;
    assert_eq!(id(&address()), id(&address()));
    assert_ne!(id(&address()), id(&other));
}

/// P9, R27: what an administrator does is told with its reason, and without name, network or browser; no alarm is offered against it.
#[tokio::test]
async fn what_an_administrator_does_is_told_without_who_and_from_where() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    for kind in [Kind::AccountFrozen, Kind::AccountThawed, Kind::ProjectQuarantined, Kind::ProjectReleased] {
        let text = by_bob(&env, kind).text;
        assert!(text.contains("an administrator of Strongroom") && text.contains("the incident of 22 November"), "{text}");
        for hidden in ["bob", "192.0.2.7", "Mozilla", "/account/alarm/"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    check(&[("AccountFrozen.administrator".to_owned(), by_bob(&env, Kind::AccountFrozen))]);
}
