//! Lists of stolen passwords: none of them can be chosen, a right one that is listed is disabled, and an outage stops nobody.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use index::breach::{self, Imported};
use index::clock::Stopwatch;
use index::ids::{AccountId, EventId};
use index::policy::{Actor, MakeResetLink, MakeSetupLink, SignIn};

use super::signin::said;
use crate::given::events_of;
use crate::people::{PASSWORD, Person, register, token_of};
use crate::ranges::{Mode, Ranges, sha1};
use crate::world::{Answer, Browser, World, both_engines};

const LOGIN: &str = "/account/login/";
const HOME: &str = "/manage/account/";
const REQUEST: &str = "/account/request-password-reset/";
const RESET: &str = "/account/reset-password/";
const NEW: &str = "lantern-gravel-otter-77";
const LISTED: &str = "public list of stolen passwords";
const MINUTE: Duration = Duration::from_secs(60);

/// Writes a list of these passwords, sorted as the public one is.
fn list_of(folder: &Path, passwords: &[&str]) -> PathBuf {
    let mut hashes: Vec<String> = passwords.iter().map(|password| sha1(password)).collect();
    hashes.sort();
    let path = folder.join("list.txt");
    let lines: String = hashes.iter().enumerate().map(|(n, hash)| format!("{hash}:{}\r\n", n + 1)).collect();
    std::fs::write(&path, lines).expect("a folder that can be written");
    path
}

fn import(world: &World, passwords: &[&str]) -> Imported {
    let list = list_of(&world.env.config.data_dir, passwords);
    breach::import(&list, &breach::file_of(&world.env.config)).expect("the list is sound")
}

/// Imports a list while the index serves: within a minute it is in use.
pub fn steal(world: &World, passwords: &[&str]) {
    import(world, passwords);
    world.advance(MINUTE);
}

async fn try_password(browser: &Browser<'_>, username: &str, password: &str) -> Answer {
    browser.submit(LOGIN, LOGIN, &[("username", username), ("password", password)]).await
}

async fn set(browser: &Browser<'_>, link: &str, password: &str) -> Answer {
    let token = token_of(link);
    browser.submit(REQUEST, RESET, &[("token", &token), ("new_password", password), ("password_confirm", password)]).await
}

async fn reset_link_for(person: &Person<'_>) -> String {
    let browser = person.browser.world.browser();
    assert_eq!(browser.submit(REQUEST, REQUEST, &[("username_or_email", &person.username)]).await.status(), 200);
    person.browser.world.newest_mail_to(&person.email).await.link(RESET)
}

async fn disabled(world: &World) -> i64 {
    world.number("SELECT COUNT(*) AS n FROM accounts WHERE password_hash IS NULL AND password_disabled_at IS NOT NULL").await
}

async fn make_administrator(world: &World, username: &str) {
    let account = format!("SELECT id FROM accounts WHERE username = '{username}'");
    world
        .run(&format!(
            "INSERT INTO staff_roles (id, account_id, role, from_at, began_by) SELECT id, id, 'administrator', 0, id FROM ({account}) a"
        ))
        .await;
}

/// The link that the operator makes.
async fn operators_link(world: &World, username: &str, reason: &str) -> Result<String, index::Refused> {
    let row = world.row_of("accounts", username).await;
    let (env, reason) = (world.env.clone(), reason.to_owned());
    let operator = Actor::operator("olga", EventId::new(world.env.now(), &*world.env.entropy).to_string());
    let made = index::act::act::<MakeResetLink, _, _>(&world.env, &operator, row, move |tx, permit| {
        let (env, reason) = (env.clone(), reason.clone());
        Box::pin(async move { index::signin::reset::make_link(&env, tx, permit, &reason).await })
    });
    Ok(format!("{RESET}?token={}", made.await?.expose()))
}

impl World {
    /// The id of an account, by its user name.
    async fn row_of(&self, _table: &str, username: &str) -> AccountId {
        let username = username.to_owned();
        let actor = Actor::nobody(index::policy::Origin::default());
        let found = index::act::view::<SignIn, _, _>(&self.env, &actor, index::ids::Site, move |read, _| {
            Box::pin(async move { index::accounts::by_username(read, &username).await })
        });
        found.await.expect("the database answers").expect("the account is there").id
    }

    /// Counts checks and hits as other processes would have counted them a minute ago.
    async fn counted(&self, checks: i64, hits: i64) {
        let (key, at) = (if self.is_postgres() { "'\\x'::bytea" } else { "x''" }, self.env.now().window(MINUTE).minus(MINUTE).as_micros());
        for (name, n) in [("breach-checks", checks), ("breach-hits", hits)] {
            self.run(&format!("INSERT INTO limit_windows (name, key, window_s, window_at, count) VALUES ('{name}', {key}, 60, {at}, {n})"))
                .await;
        }
    }
}

both_engines! {
    /// R33: a password that wakes an idle session is looked up like one at a login, and a listed one is disabled there too.
    async fn r33_a_listed_password_wakes_no_session(world: World) {
        let ada = world.secured("ada").await;
        let prove = "/account/reauthenticate/";
        world.advance(Duration::from_secs(3600));
        steal(&world, &[PASSWORD]);
        let wrong = ada.browser.submit(prove, prove, &[("password", NEW), ("next", HOME)]).await;
        assert_eq!((wrong.status(), disabled(&world).await), (422, 0), "a wrong one is asked about nowhere");
        let answer = ada.browser.submit(prove, prove, &[("password", PASSWORD), ("next", HOME)]).await;
        assert_eq!(answer.status(), 422, "{}", answer.text());
        assert!(answer.text().contains(LISTED), "{}", answer.text());
        assert_eq!(disabled(&world).await, 1);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions WHERE until_at IS NULL").await, 0);
        assert!(ada.browser.get(HOME).await.location().starts_with(LOGIN));
        assert!(world.newest_mail_to(&ada.email).await.subject.contains("Your password was disabled"));
    }

    /// R33: a list that is doubted disables nothing there either, and administrators hear of it.
    async fn r33_a_doubted_list_lets_a_session_wake(world: World) {
        let ada = world.verified("ada").await;
        make_administrator(&world, "ada").await;
        world.advance(Duration::from_secs(3600));
        steal(&world, &[PASSWORD]);
        world.counted(100, 50).await;
        let prove = "/account/reauthenticate/";
        let answer = ada.browser.submit(prove, prove, &[("password", PASSWORD), ("next", HOME)]).await;
        assert_eq!((answer.status(), disabled(&world).await), (303, 0), "{}", answer.text());
        assert_eq!(events_of(&world, "index:breach:doubted").await.len(), 1);
        assert_eq!(ada.browser.get(HOME).await.status(), 200);
    }

    /// OSSF-AN-2.4, ASVS-6.2.12, NIST-P8.
    /// ASVS V6.2.12, NIST 800-63B-4 P8: a password in a list of stolen ones cannot be chosen.
    async fn a_stolen_password_cannot_be_chosen_at_registration_or_reset(world: World) {
        let ada = world.verified("ada").await;
        steal(&world, &["tractor-violet-mango-9", "another-one-of-them-3"]);
        let answer = register(&world.browser(), "bob", "bob@people.example.org", "tractor-violet-mango-9").await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().contains(LISTED) && answer.text().contains("id=\"error-new_password\""), "{}", answer.text());
        assert!(!answer.text().contains("tractor-violet"), "a password is never shown again");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM accounts WHERE username = 'bob'").await, 0);
        assert_eq!(register(&world.browser(), "bob", "bob@people.example.org", NEW).await.status(), 200);

        let link = reset_link_for(&ada).await;
        let refused = set(&world.browser(), &link, "another-one-of-them-3").await;
        assert_eq!(refused.status(), 422);
        assert!(refused.text().contains(LISTED), "{}", refused.text());
        assert_eq!(set(&world.browser(), &link, NEW).await.status(), 303, "the link is still good");
    }

    /// The same for accounts that the operator made.
    async fn a_stolen_password_cannot_be_chosen_at_set_up(world: World) {
        steal(&world, &[PASSWORD]);
        let env = world.env.clone();
        let operator = Actor::worker("serve", "x".to_owned());
        let made = index::act::act::<MakeSetupLink, _, _>(&world.env, &operator, index::ids::Site, move |tx, permit| {
            let env = env.clone();
            Box::pin(async move { index::accounts::setup::link(&env, tx, permit, None).await })
        });
        let token = made.await.expect("there is no administrator").expose().to_owned();
        let page = format!("/setup/?token={token}");
        let fields = |password: &'static str| {
            [("token", token.as_str()), ("username", "root"), ("email", "root@people.example.org"), ("new_password", password), ("password_confirm", password)]
        };
        let answer = world.browser().submit(&page, "/setup/", &fields(PASSWORD)).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().contains(LISTED));
        assert_eq!(world.browser().submit(&page, "/setup/", &fields(NEW)).await.status(), 303);
    }

    /// OSSF-AN-2.4, NIST-P5.
    /// R33, ASVS V6.2.12, AC 2.1.7 (breach check at login): only after the typed password was right.
    async fn r33_a_stolen_password_is_disabled_by_the_login_that_typed_it_rightly_and_by_no_other(world: World) {
        let mut ada = world.secured("ada").await;
        let half = world.browser();
        ada.send_password(&half).await;
        let step = half.get("/account/two-factor/").await.csrf_token();
        steal(&world, &[PASSWORD, "a-wrong-and-stolen-one"]);
        let wrong = try_password(&world.browser(), "ada", "a-wrong-and-stolen-one").await;
        assert_eq!((wrong.status(), disabled(&world).await), (422, 0));
        assert_eq!(ada.browser.get(HOME).await.status(), 200, "nothing has happened yet");

        let thief = world.browser();
        let right = ada.send_password(&thief).await;
        assert_eq!((right.status(), disabled(&world).await), (422, 1));
        assert!(right.text().contains(LISTED) && right.text().contains(REQUEST), "{}", right.text());
        assert!(thief.cookies().keys().all(|name| !name.contains("session") && !name.contains("attempt")));
        assert_eq!(ada.browser.get(HOME).await.status(), 303, "sessions ended");
        half.post("/account/two-factor/", &[("csrf_token", &step), ("totp_value", &ada.code())]).await;
        assert_eq!(half.get(HOME).await.status(), 303, "half-open sign-ins ended");

        let again = ada.send_password(&world.browser()).await;
        assert_eq!(again.status(), 422);
        assert_eq!(said(&again, &["ada"]), said(&wrong, &["ada"]), "from now on it is a wrong password like any other");

        let mail = world.newest_mail_to(&ada.email).await;
        assert!(mail.subject.contains("disabled") && mail.text.contains("stolen"), "{}", mail.text);
        let events = events_of(&world, "account:password:disabled").await;
        assert_eq!(events.len(), 1);
        assert!(!events[0].detail.contains(PASSWORD));

        let link = reset_link_for(&ada).await;
        assert_eq!(set(&world.browser(), &link, NEW).await.location(), LOGIN);
        assert_eq!(disabled(&world).await, 0);
        ada.password = NEW.to_owned();
        ada.log_in_with(&world.browser()).await;
    }

    async fn the_account_stays_what_it_was_while_its_password_is_disabled(world: World) {
        let ada = world.secured("ada").await;
        make_administrator(&world, "ada").await;
        steal(&world, &[PASSWORD]);
        let answer = ada.send_password(&world.browser()).await;
        assert!(answer.text().contains("strongroom account reset-link") && !answer.text().contains(REQUEST), "{}", answer.text());
        assert_eq!(world.browser().get("/user/ada/").await.status(), 200);
        let env = world.env.clone();
        let worker = Actor::worker("serve", "x".to_owned());
        let first = index::act::act::<MakeSetupLink, _, _>(&world.env, &worker, index::ids::Site, move |tx, permit| {
            let env = env.clone();
            Box::pin(async move { index::accounts::setup::link(&env, tx, permit, None).await })
        });
        assert!(matches!(first.await, Err(index::Refused::Invalid(_))), "the index still has its administrator");
    }

    /// R33: a range service that was taken over cannot lock everybody out.
    async fn r33_a_list_that_has_more_than_one_in_twenty_is_doubted_and_administrators_are_told_once(world: World) {
        let boss = world.verified("boss").await;
        make_administrator(&world, "boss").await;
        let mut people = Vec::new();
        for name in ["ada", "berta", "carla"] {
            people.push(world.verified(name).await);
        }
        steal(&world, &[PASSWORD]);
        world.counted(99, 5).await;
        for person in &people[..2] {
            assert_eq!(person.send_password(&world.browser()).await.status(), 303, "the sign-in goes on");
        }
        assert_eq!(disabled(&world).await, 0);
        let told = events_of(&world, "index:breach:doubted").await;
        assert_eq!(told.len(), 1);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&told[0].detail).expect("JSON"), serde_json::json!({ "checks": 100, "hits": 6 }));
        let mail = world.newest_mail_to(&boss.email).await;
        assert!(mail.subject.contains("doubted"), "{}", mail.subject);

        let refused = register(&world.browser(), "dora", "dora@people.example.org", PASSWORD).await;
        assert_eq!(refused.status(), 422, "chosen passwords are still compared");

        world.advance(12 * MINUTE);
        assert_eq!(people[2].send_password(&world.browser()).await.status(), 422, "ten minutes later it is believed again");
        assert_eq!(disabled(&world).await, 1);
    }

    async fn r33_few_checks_say_nothing_about_the_list_and_one_in_twenty_is_believed(world: World) {
        let (ada, berta) = (world.verified("ada").await, world.verified("berta").await);
        steal(&world, &[PASSWORD]);
        world.counted(98, 60).await;
        assert_eq!(ada.send_password(&world.browser()).await.status(), 422, "99 checks");
        world.run("DELETE FROM limit_windows").await;
        world.counted(199, 9).await;
        assert_eq!(berta.send_password(&world.browser()).await.status(), 422, "10 of 200");
        assert_eq!(disabled(&world).await, 2);
    }

    /// Issue 3: privileged accounts need somebody with a reason; the link of the operator never skips the factor either.
    async fn administrators_choose_a_new_password_with_a_link_of_the_operator_alone(world: World) {
        let mut ada = world.secured("ada").await;
        let boss = world.verified("boss").await;
        for name in ["ada", "boss"] { make_administrator(&world, name).await; }
        for reason in ["", "  ", "two\nlines"] {
            assert!(matches!(operators_link(&world, "ada", reason).await, Err(index::Refused::Invalid(_))), "{reason:?}");
        }
        let older = operators_link(&world, "ada", "she lost it").await.expect("the operator may");
        let link = operators_link(&world, "ada", "she lost it, again").await.expect("the operator may");
        assert_eq!(world.browser().get(&older).await.status(), 410, "a newer one ends the older");
        assert_eq!(set(&world.browser(), &link, NEW).await.location(), LOGIN);
        assert_eq!(ada.browser.get(HOME).await.status(), 303, "sessions ended");
        assert_eq!(set(&world.browser(), &link, PASSWORD).await.status(), 410, "used");
        ada.password = NEW.to_owned();
        assert_eq!(ada.send_password(&world.browser()).await.location(), "/account/two-factor/");
        let made = events_of(&world, "account:password:reset:link").await;
        assert_eq!((made.len(), made[1].actor.as_str()), (2, "operator:olga"));
        let all = world.mail().await;
        for person in [&ada, &boss] {
            let told = all.iter().filter(|mail| mail.to.contains(&person.email) && mail.text.contains("she lost it, again"));
            assert_eq!(told.count(), 1, "{} is told", person.username);
        }
    }

    async fn a_link_of_the_operator_is_over_after_half_an_hour_and_after_a_login(world: World) {
        let ada = world.verified("ada").await;
        let link = operators_link(&world, "ada", "a drill").await.expect("the operator may");
        world.advance(30 * MINUTE);
        assert_eq!(world.browser().get(&link).await.status(), 410);
        let link = operators_link(&world, "ada", "a drill").await.expect("the operator may");
        ada.log_in_with(&world.browser()).await;
        assert_eq!(set(&world.browser(), &link, NEW).await.status(), 410);
    }

    async fn no_link_is_made_for_an_account_that_is_frozen_or_was_never_set_up(world: World) {
        world.verified("ada").await;
        let id = world.row_of("accounts", "ada").await;
        crate::given::freeze(&world.env, id).await;
        let refused = operators_link(&world, "ada", "a drill").await.expect_err("it is frozen").to_string();
        assert!(refused.contains("frozen"), "{refused}");
        world.run("DELETE FROM account_causes").await;
        world.run("UPDATE accounts SET password_hash = NULL").await;
        let refused = operators_link(&world, "ada", "a drill").await.expect_err("it was never set up").to_string();
        assert!(refused.contains("setup-link"), "{refused}");
    }

    async fn a_frozen_account_keeps_its_password_and_says_only_that_it_is_frozen(world: World) {
        let ada = world.verified("ada").await;
        crate::given::freeze(&world.env, world.row_of("accounts", "ada").await).await;
        steal(&world, &[PASSWORD]);
        assert_eq!(ada.send_password(&world.browser()).await.status(), 403);
        assert_eq!(disabled(&world).await, 0);
    }
}

/// Another file in the place of the old one is in use a minute later; one that is not sound never is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_list_takes_the_place_of_the_old_one_without_a_restart_and_a_broken_one_does_not() {
    let world = World::sqlite(&[]).await;
    let ready = async || world.browser().get("/_ready/").await.json()["breach"].clone();
    assert_eq!(ready().await, serde_json::Value::Null);
    let chosen = async |n: u32, password: &str| {
        register(&world.browser(), &format!("name{n}"), &format!("name{n}@people.example.org"), password).await.status()
    };
    steal(&world, &[PASSWORD]);
    assert_eq!((chosen(1, PASSWORD).await, ready().await), (422, "ok".into()));
    steal(&world, &[NEW]);
    assert_eq!((chosen(2, NEW).await, chosen(3, PASSWORD).await), (422, 200));
    let set = breach::file_of(&world.env.config);
    let half = std::fs::read(&set).expect("it is there");
    let beside = set.with_extension("half");
    std::fs::write(&beside, &half[..half.len() - 1]).expect("it can be written");
    std::fs::rename(&beside, &set).expect("it can be renamed");
    world.advance(MINUTE);
    let answer = world.browser().get("/_ready/").await;
    assert_eq!((answer.status(), answer.json()["breach"].clone()), (200, "failing".into()), "nothing is unready for it");
    assert_eq!(chosen(4, NEW).await, 422, "the old one stays in use");
}

fn strongroom(data: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.env_clear().current_dir(data).args(["--data", "data"]).args(words);
    let output = command.output().expect("the binary runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_command_imports_a_list_refuses_a_wrong_one_with_its_line_and_the_old_set_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = list_of(folder.path(), &[PASSWORD, NEW]);
    let list = list.to_str().expect("a plain path");
    let (code, said, complained) = strongroom(folder.path(), &["passwords", "import", list, "--json"]);
    assert_eq!((code, complained.as_str()), (Some(0), ""));
    let imported: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let set = folder.path().join("data/breached-passwords.set");
    let before = std::fs::read(&set).expect("it is there");
    assert_eq!(imported, serde_json::json!({ "file": "data/breached-passwords.set", "rows": 2, "left_out": 0, "bytes": before.len() }));

    let (sound, wrong) = (sha1(PASSWORD), folder.path().join("wrong.txt"));
    std::fs::write(&wrong, format!("{sound}:1\nhello\n")).expect("it can be written");
    for (words, says) in [
        (vec!["passwords", "import", wrong.to_str().expect("a plain path")], "line 2 is not"),
        (vec!["passwords", "import", "absent.txt"], "cannot be read"),
    ] {
        let (code, said, complained) = strongroom(folder.path(), &words);
        assert_eq!((code, said.as_str(), complained.lines().count()), (Some(1), "", 1), "{complained}");
        assert!(complained.contains(says), "{complained}");
        assert_eq!(std::fs::read(&set).expect("it is there"), before);
    }
    assert_eq!(strongroom(folder.path(), &["passwords", "import"]).0, Some(2));
}

/// A set that was cut is refused at the start and found by `check`; it keeps no operator from freezing an account (R19).
#[test]
fn a_set_that_was_cut_is_refused_at_the_start_and_by_check_and_stops_no_operator() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = list_of(folder.path(), &[PASSWORD, NEW]);
    strongroom(folder.path(), &["passwords", "import", list.to_str().expect("a plain path")]);
    let (code, said, _) = strongroom(folder.path(), &["check", "--deep"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("sound: 2 passwords"), "{said}");
    let set = folder.path().join("data/breached-passwords.set");
    let whole = std::fs::read(&set).expect("it is there");
    std::fs::write(&set, &whole[..whole.len() - 3]).expect("it can be written");
    for words in [&["check"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let (code, _, complained) = strongroom(folder.path(), words);
        assert_eq!(code, Some(1), "{words:?}: {complained}");
        assert!(complained.contains("breached-passwords.set") && complained.contains("import the list again"), "{complained}");
    }
    assert_eq!(strongroom(folder.path(), &["account", "create", "ada", "--email", "ada@people.example.org"]).0, Some(0));
    assert_eq!(strongroom(folder.path(), &["account", "freeze", "ada", "--reason", "a drill"]).0, Some(0));
    let mut changed = whole;
    *changed.last_mut().expect("it has bytes") ^= 1;
    std::fs::write(&set, changed).expect("it can be written");
    assert_eq!(strongroom(folder.path(), &["check"]).0, Some(0), "only its digest tells");
    assert_eq!(strongroom(folder.path(), &["check", "--deep"]).0, Some(1));
}

#[test]
fn an_address_that_egress_forbids_is_refused_as_a_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    for url in ["http://ranges.example.org/range/", "ftp://127.0.0.1/", "https://ada:geheim@ranges.example.org/"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.env_clear().env("STRONGROOM_PASSWORDS__BREACH_RANGE_URL", url).current_dir(folder.path());
        let output = command.args(["--data", "data", "check"]).output().expect("the binary runs");
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{url}");
        assert!(complained.contains("passwords.breach_range_url") && !complained.contains("geheim"), "{complained}");
    }
}

async fn with_ranges() -> (World, Ranges) {
    let ranges = Ranges::open().await;
    let settings = [("passwords.breach_range_url", ranges.url.as_str()), ("sessions.confirm_unknown_device", "false")];
    let world = World::sqlite(&settings).await;
    (world, ranges)
}

/// k-anonymity: five hex digits leave this machine, padded answers are asked for, and a wrong password is asked about never.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_range_endpoint_learns_five_digits_and_nothing_about_wrong_passwords() {
    let (world, ranges) = with_ranges().await;
    let ada = world.verified("ada").await;
    let before = ranges.asked().len();
    try_password(&world.browser(), "ada", "a-wrong-password").await;
    try_password(&world.browser(), "nobody", PASSWORD).await;
    assert_eq!(ranges.asked().len(), before);
    ada.log_in_with(&world.browser()).await;
    let asked = ranges.asked();
    assert_eq!(asked.len(), before + 1);
    let hash = sha1(PASSWORD);
    for question in &asked {
        assert_eq!(question[0], format!("GET /range/{} HTTP/1.1", &hash[..5]));
        let headers: Vec<String> = question.iter().map(|line| line.to_lowercase()).collect();
        assert!(headers.contains(&"add-padding: true".to_owned()) && headers.contains(&"user-agent: strongroom".to_owned()), "{headers:?}");
        assert!(!question.concat().contains(&hash[5..]) && !question.concat().contains("ada"), "{question:?}");
    }
    ranges.does(Mode::PadOnly);
    ranges.list(PASSWORD);
    ada.log_in_with(&world.browser()).await;
    ranges.does(Mode::Answer);
    assert_eq!(ada.send_password(&world.browser()).await.status(), 422);
    assert_eq!(disabled(&world).await, 1);
}

/// P12: the one documented exception. The login goes on, the outage shows, and it costs two seconds at most.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_an_outage_of_the_range_endpoint_stops_nobody_and_shows() {
    for outage in Mode::OUTAGES {
        let (world, ranges) = with_ranges().await;
        let ada = world.verified("ada").await;
        ranges.list(PASSWORD);
        assert_eq!(world.browser().get("/_ready/").await.json()["breach"], "ok");
        ranges.does(outage);
        let began = Stopwatch::start();
        ada.log_in_with(&world.browser()).await;
        assert!(began.elapsed() < Duration::from_secs(15), "{outage:?} took {:?}", began.elapsed());
        assert_eq!(disabled(&world).await, 0, "{outage:?}");
        let ready = world.browser().get("/_ready/").await;
        assert_eq!((ready.status(), ready.json()["breach"].clone()), (200, "failing".into()), "{outage:?}");
        assert!(ranges.asked().iter().all(|question| question[0].contains("/range/")), "no redirect is followed: {outage:?}");
        ranges.does(Mode::Answer);
        assert_eq!(ada.send_password(&world.browser()).await.status(), 422, "{outage:?} is over");
        assert_eq!(world.browser().get("/_ready/").await.json()["breach"], "ok");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_three_failures_the_range_endpoint_is_left_alone_for_half_a_minute() {
    let (world, ranges) = with_ranges().await;
    let ada = world.verified("ada").await;
    ranges.does(Mode::Busy);
    let before = ranges.asked().len();
    for _ in 0..5 {
        ada.log_in_with(&world.browser()).await;
    }
    assert_eq!(ranges.asked().len(), before + 3);
    world.advance(Duration::from_secs(29));
    ada.log_in_with(&world.browser()).await;
    assert_eq!(ranges.asked().len(), before + 3);
    world.advance(Duration::from_secs(1));
    for _ in 0..3 {
        ada.log_in_with(&world.browser()).await;
    }
    assert_eq!(ranges.asked().len(), before + 4, "one question tries it again, and it is left alone once more");
    ranges.does(Mode::Answer);
    world.advance(Duration::from_secs(30));
    for _ in 0..3 {
        ada.log_in_with(&world.browser()).await;
    }
    assert_eq!(ranges.asked().len(), before + 7);
}

/// The file is asked first, and what it has is asked of nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_file_has_never_leaves_the_machine() {
    let (world, ranges) = with_ranges().await;
    steal(&world, &[PASSWORD]);
    assert_eq!(register(&world.browser(), "ada", "ada@people.example.org", PASSWORD).await.status(), 422);
    assert!(ranges.asked().is_empty());
    ranges.list(NEW);
    assert_eq!(register(&world.browser(), "ada", "ada@people.example.org", NEW).await.status(), 422);
    assert_eq!(ranges.asked().len(), 1);
}
