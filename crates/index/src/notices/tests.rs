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
        ("description", _) => json!("CI of Spam.Eggs"),
        ("scope", _) => json!("project Spam.Eggs"),
        ("reason", _) => json!("the incident of 22 November"),
        ("filename", _) => json!("spam_eggs-1.0-py3-none-any.whl"),
        ("version", _) => json!("1.0"),
        (_, "bool") => json!(false),
        (_, "String") => json!("0190"),
        _ => json!(8),
    };
    kind.fields().iter().map(|(name, ty)| ((*name).to_owned(), value(name, ty))).collect::<serde_json::Map<_, _>>().into()
}

/// A story in which the account itself acts, except where strangers and operators do.
fn story(env: &Env, kind: Kind) -> Story<'_> {
    let reader = account(1, "ada");
    let (actor, own) = match kind {
        Kind::AccountCreated | Kind::KnownAddressRegistered | Kind::KnownAddressAdded | Kind::PasswordResetRequested => ("nobody", false),
        Kind::AccountFrozen | Kind::AccountThawed | Kind::AddressUnverified => ("operator:grace", false),
        _ => ("account", true),
    };
    let owners = kind.audience() == Audience::Owners;
    let event = events::Model {
        seq: 7,
        id: EventId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001)),
        kind: kind.wire().to_owned(),
        at: AT,
        account_id: Some(reader.id),
        actor_account_id: own.then_some(reader.id),
        actor: actor.to_owned(),
        project_id: None,
        credential: if owners { "api_token" } else { "session" }.to_owned(),
        credential_id: None,
        direction: "neither".to_owned(),
        case_id: None,
        request_id: String::new(),
        detail: String::new(),
        commitment: Vec::new(),
    };
    let (network, agent) = (Some("192.0.2.7".to_owned()), Some("Mozilla/5.0 (X11; Linux)".to_owned()));
    let private = Private { network, agent, address: Some("second@example.org".to_owned()) };
    Story {
        env,
        kind,
        event,
        detail: detail(kind),
        private: Some(private),
        reader,
        other: None,
        subject: None,
        project: owners.then(project),
        secret: None,
    }
}

fn told() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| !matches!(kind.audience(), Audience::Nobody(_)))
}

/// Kinds whose mail carries a link or a code.
const WITH_SECRET: [Kind; 4] = [Kind::AccountCreated, Kind::VerificationSent, Kind::PasswordResetRequested, Kind::MailboxCodeSent];

fn secret(kind: Kind) -> Secret {
    Secret::new(if kind == Kind::MailboxCodeSent { "042117" } else { "TOKEN" })
}

fn check(name: &str, letter: &Letter) {
    let said = format!("Subject: {}\n\n{}", letter.subject, letter.text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail").join(format!("{name}.txt"));
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == said, "tests/mail/{name}.txt does not hold what is mailed, which is:\n{said}");
}

#[tokio::test]
async fn every_mail_says_what_its_golden_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    for kind in told() {
        let secret = secret(kind);
        let mut story = story(&env, kind);
        story.secret = WITH_SECRET.contains(&kind).then_some(&secret);
        let letter = write(&story, &address()).unwrap_or_else(|e| panic!("{}: {e}", kind.name()));
        check(kind.name(), &letter);
    }
}

#[tokio::test]
async fn an_account_made_by_an_operator_and_a_file_of_somebody_else_are_told_in_their_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    let mut made = story(&env, Kind::AccountCreated);
    made.event.actor = "operator:grace".to_owned();
    check("AccountCreated.operator", &write(&made, &address()).unwrap());
    let mut staff = story(&env, Kind::AddressUnverified);
    staff.event.account_id = Some(AccountId(Uuid::from_u128(2)));
    staff.subject = Some(account(2, "bob"));
    check("AddressUnverified.staff", &write(&staff, &address()).unwrap());
    let mut file = story(&env, Kind::FileUploaded);
    file.event.actor_account_id = Some(AccountId(Uuid::from_u128(2)));
    file.other = Some(account(2, "bob"));
    check("FileUploaded.other", &write(&file, &address()).unwrap());
}

#[tokio::test]
async fn the_html_part_says_the_same_and_loads_nothing_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    for kind in told() {
        let secret = secret(kind);
        let mut story = story(&env, kind);
        story.secret = Some(&secret);
        let letter = write(&story, &address()).unwrap();
        let html = letter.html.replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\"");
        for line in letter.text.lines().filter(|line| !line.starts_with("-- ")) {
            let said = line.trim().trim_end_matches(':');
            let said = ["What: ", "When: ", "From where: ", "Address: ", "Project: ", "Account: "]
                .iter()
                .find_map(|f| said.strip_prefix(f))
                .unwrap_or(said);
            assert!(said == "Your code" || html.contains(said), "{}: {said:?} is not in {html}", kind.name());
        }
        for foreign in ["<img", "src=", "url(", "<script", "<link", "<iframe", "@import"] {
            assert!(!html.contains(foreign), "{} has {foreign}", kind.name());
        }
        let links: Vec<&str> = html.match_indices("href=\"").map(|(at, _)| html[at + 6..].split('"').next().unwrap()).collect();
        assert!(links.iter().all(|link| link.starts_with("https://index.example.org/")), "{links:?}");
    }
}

#[tokio::test]
async fn a_name_with_markup_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    let mut story = story(&env, Kind::TokenAdded);
    story.detail["description"] = json!("<a href=\"https://evil.example\">click</a>");
    let letter = write(&story, &address()).unwrap();
    assert!(!letter.html.contains("<a href=\"https://evil.example\""), "{}", letter.html);
}

#[tokio::test]
async fn a_mail_that_needs_a_secret_is_not_written_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    for kind in WITH_SECRET {
        assert!(matches!(write(&story(&env, kind), &address()), Err(NoLetter::Gone(_))), "{}", kind.name());
    }
}

#[tokio::test]
async fn two_recipients_of_one_event_have_two_ids_and_one_recipient_always_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path()).await;
    let story = story(&env, Kind::TokenAdded);
    let mut other = address();
    other.folded = "other@example.org".to_owned();
    let id = |address: &addresses::Model| write(&story, address).unwrap().id;
    assert_eq!(id(&address()), id(&address()));
    assert_ne!(id(&address()), id(&other));
}
