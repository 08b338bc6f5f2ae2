//! The table of what each act ends, walked: each act is done through the front door, and everything that it could end is looked at.

use std::time::Duration;

use index::signin::ends::{Act, Fate, Row, TABLE};

use crate::given::{self, all};
use crate::holding::{DAY, key};
use crate::people::{DEVICES, PASSWORD, Person, token_of};
use crate::world::{Answer, Browser, World};

const HOME: &str = "/manage/account/";
const SESSIONS: &str = "/manage/account/sessions/";
const CHANGE: &str = "/manage/account/change-password/";
const RESET: &str = "/account/reset-password/";
const TWO_FACTOR: &str = "/account/two-factor/";
const SESSION: &str = "__Host-strongroom_session";
const NEW: &str = "harbour-quilt-saffron-77";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_act_ends_what_its_row_says_on_sqlite() {
    for row in TABLE {
        walk(&World::sqlite(&[]).await, row).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_act_ends_what_its_row_says_on_postgres() {
    for row in TABLE {
        walk(&World::postgres(&[]).await, row).await;
    }
}

/// Everything that an act could end.
struct Stage<'w> {
    ada: Person<'w>,
    /// A copy of the cookie of the session at hand, from before the act.
    copy: Browser<'w>,
    other: Browser<'w>,
    half: Browser<'w>,
    reset: String,
}

async fn walk(world: &World, row: &Row) {
    let stage = build(world, row.act).await;
    let devices = open_devices(world).await;
    done(world, &stage, row.act).await;
    look(world, row, &stage, devices).await;
}

async fn build<'w>(world: &'w World, act: Act) -> Stage<'w> {
    let first = act == Act::AddFirstFactor;
    let ada = if first { world.verified("ada").await } else { world.secured("ada").await };
    let account = all::<index::db::entities::accounts::Entity>(world).await[0].id;
    if !first {
        given::minted(world, account, "scope:user", "").await;
    }
    // Another session, in a browser that is remembered under a token of its own.
    let other = world.browser();
    ada.log_in_with(&other).await;
    assert_ne!(other.cookies()[DEVICES], ada.browser.cookies()[DEVICES]);
    let half = world.browser();
    ada.send_password(&half).await;
    let page = "/account/request-password-reset/";
    world.browser().submit(page, page, &[("username_or_email", "ada")]).await;
    let reset = world.newest_mail_with(&ada.email, RESET).await;
    if first {
        ada.prove_mailbox().await;
        ada.save_codes().await;
    }
    if act == Act::RenewCodes {
        ada.prove_mailbox().await;
    }
    let copy = world.browser();
    copy.set_cookie(SESSION, &ada.browser.cookies()[SESSION]);
    Stage { ada, copy, other, half, reset }
}

async fn open_devices(world: &World) -> i64 {
    world.number("SELECT COUNT(*) AS n FROM devices WHERE until_at IS NULL").await
}

/// The id in the page that belongs to what is not at hand.
async fn other_id(browser: &Browser<'_>, field: &str) -> String {
    let page = browser.get(SESSIONS).await.text();
    let row = page.split("name=\"csrf_token\"").filter(|part| part.contains(&format!("name=\"{field}\" value=\"")));
    let row = row.filter(|part| !part.contains("Log out here")).collect::<Vec<_>>();
    let ids: Vec<&str> = row.iter().map(|part| &part.split(&format!("name=\"{field}\" value=\"")).nth(1).expect("an id")[..36]).collect();
    // Newest first: what was opened last is the other one.
    (*ids.first().expect("one is there")).to_owned()
}

async fn done(world: &World, stage: &Stage<'_>, act: Act) {
    let ada = &stage.ada;
    let answer = match act {
        Act::LogOut => ada.browser.submit("/account/logout/", "/account/logout/", &[]).await,
        Act::EndOne => {
            let id = other_id(&ada.browser, "session_id").await;
            ada.browser.submit(SESSIONS, &format!("{SESSIONS}end/"), &[("session_id", &id)]).await
        }
        Act::EndOthers => ada.browser.submit(SESSIONS, &format!("{SESSIONS}end-others/"), &[]).await,
        Act::ForgetDevice => {
            let id = other_id(&ada.browser, "device_id").await;
            ada.browser.submit(SESSIONS, &format!("{SESSIONS}forget-device/"), &[("device_id", &id)]).await
        }
        Act::ChangePassword => {
            let fields =
                [("password", PASSWORD), ("new_password", NEW), ("password_confirm", NEW), ("end_sessions", "y"), ("revoke_tokens", "y")];
            ada.browser.submit(CHANGE, CHANGE, &fields).await
        }
        Act::ResetPassword => {
            let token = token_of(&stage.reset);
            let fields = [("token", token.as_str()), ("new_password", NEW), ("password_confirm", NEW), ("revoke_tokens", "y")];
            world.browser().submit(&stage.reset, RESET, &fields).await
        }
        Act::AddFirstFactor => {
            let page = "/manage/account/totp-provision";
            let secret = ada.offered().await;
            let code = credentials::totp::code_at(&secret, ada.step());
            ada.browser.submit(page, page, &[("totp_value", &code)]).await
        }
        Act::ProveAgain => {
            let page = "/account/reauthenticate/";
            let code = ada.code();
            ada.browser.submit(page, page, &[("totp_value", &code), ("next", HOME)]).await
        }
        Act::ProveMailbox => return ada.prove_mailbox().await,
        Act::RenewCodes => renew_codes(ada).await,
        Act::RemoveFactor => remove_factor(world, ada).await,
        Act::DisablePassword => {
            super::breach::steal(world, &[PASSWORD]);
            assert_eq!(ada.send_password(&world.browser()).await.status(), 422);
            return;
        }
        Act::Freeze => {
            let account = all::<index::db::entities::accounts::Entity>(world).await[0].id;
            given::freeze(&world.env, account).await;
            return;
        }
    };
    assert!(matches!(answer.status(), 200 | 303), "{act:?}: {} {}", answer.status(), answer.text());
}

async fn renew_codes(ada: &Person<'_>) -> Answer {
    let page = "/manage/account/recovery-codes/generate";
    let asked = ada.browser.submit(page, page, &[]).await.location();
    let back = ada.prove_at(&asked).await;
    let act = back.split("act=").nth(1).expect("the act").to_owned();
    ada.browser.submit(&back, page, &[("act", &act)]).await
}

/// A young key goes at once, by the account's old app.
async fn remove_factor(world: &World, ada: &Person<'_>) -> Answer {
    let old = world.env.now().minus(40 * DAY).as_micros();
    world.run(&format!("UPDATE accounts SET created_at = {old}")).await;
    world.run(&format!("UPDATE factors SET from_at = {old}")).await;
    let account = all::<index::db::entities::accounts::Entity>(world).await[0].id;
    let key = key(world, account, "young key", Duration::ZERO).await.to_string();
    let (page, path) = ("/manage/account/two-factor/", "/manage/account/webauthn-provision/delete");
    let fields = [("device_id", key.as_str()), ("end_sessions", "y")];
    let asked = ada.browser.submit(page, path, &fields).await.location();
    let back = ada.prove_at(&asked).await;
    let act = back.split("act=").nth(1).expect("the act").to_owned();
    let answer = ada.browser.submit(&back, path, &[fields.as_slice(), &[("act", &act)]].concat()).await;
    assert_eq!(world.number("SELECT COUNT(*) AS n FROM factors WHERE until_at IS NOT NULL").await, 1, "{}", answer.text());
    answer
}

async fn look(world: &World, row: &Row, stage: &Stage<'_>, devices: i64) {
    let act = row.act;
    let session = async |browser: &Browser<'_>| match browser.get(HOME).await.status() {
        200 => Fate::Stays,
        303 => Fate::Ends,
        403 => Fate::Stopped,
        other => panic!("{act:?}: {other}"),
    };
    let asked = |fate: Fate| if fate == Fate::IfAsked { Fate::Ends } else { fate };
    let here = match (session(&stage.ada.browser).await, session(&stage.copy).await) {
        (Fate::Stays, Fate::Ends) => Fate::Renewed,
        (now, _) => now,
    };
    if row.here != Fate::None {
        assert_eq!(here, row.here, "{act:?}: this session");
    }
    assert_eq!(session(&stage.other).await, asked(row.sessions), "{act:?}: the other session");
    let left = open_devices(world).await;
    let gone = if left < devices { Fate::Ends } else { Fate::Stays };
    assert_eq!(gone, asked(row.devices), "{act:?}: remembered browsers, {devices} before and {left} now");
    if row.here != Fate::None && row.devices != Fate::Stays {
        assert!(left >= 1, "{act:?}: the browser at hand stays remembered");
    }
    let half = match half_open(&stage.half).await {
        true if act == Act::Freeze => Fate::Stopped,
        true => Fate::Stays,
        false => Fate::Ends,
    };
    assert_eq!(half, row.attempts, "{act:?}: the half-open login");
    let reset = if world.browser().get(&stage.reset).await.status() == 200 { Fate::Stays } else { Fate::Ends };
    assert_eq!(reset, row.resets, "{act:?}: the link to choose a new password");
    let tokens = world.number("SELECT COUNT(*) AS n FROM api_tokens WHERE until_at IS NULL").await;
    let expected = if act == Act::AddFirstFactor || asked(row.tokens) == Fate::Ends { 0 } else { 1 };
    assert_eq!(tokens, expected, "{act:?}: API tokens");
    if act == Act::Freeze {
        frozen(world, stage).await;
    }
}

async fn half_open(browser: &Browser<'_>) -> bool {
    let page = browser.get(TWO_FACTOR).await;
    page.status() == 200 || page.location() == "/account/confirm-login/"
}

/// What is stopped opens nothing, and is back exactly as it was.
async fn frozen(world: &World, stage: &Stage<'_>) {
    let answer = stage.half.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &stage.ada.code())]).await;
    assert_eq!(answer.status(), 403);
    let now = world.env.now().as_micros();
    world.run(&format!("UPDATE account_causes SET until_at = {now}, ended_by = began_by")).await;
    world.advance(Duration::from_secs(1));
    assert_eq!(stage.other.get(HOME).await.status(), 200);
    assert_eq!(stage.copy.get(HOME).await.status(), 200);
}
