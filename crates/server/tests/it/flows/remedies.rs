//! What an owner does against whoever has the password, a session or a sheet of codes works, and nobody can spend it beforehand.

use std::net::IpAddr;

use index::db::entities::api_tokens;

use super::not_me::{link, press};
use super::people::{DAY, project};
use super::take_back::{confirm, prove_mailbox};
use crate::given::{self, all};
use crate::holding::{HOLDS, HOUR, Seat, count, old_account, seat, serve};
use crate::people::{DEVICES, PASSWORD, Person, token_of};
use crate::world::{Answer, Browser, World, both_engines};

const TWO_FACTOR: &str = "/account/two-factor/";
const RECOVERY: &str = "/account/recovery-code/";
const PROVE: &str = "/account/reauthenticate/";
const CHANGE: &str = "/manage/account/change-password/";
const SESSIONS: &str = "/manage/account/sessions/";
const TAKE_BACK: &str = "/account/take-back/";
const TOKENS: &str = "/manage/account/token/";
const NEW: &str = "lantern-gravel-otter-77";

fn network(at: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, at])
}

/// Somebody with the password spends what may be guessed at the second step.
async fn spend_the_codes(world: &World, ada: &Person<'_>) {
    for round in 0..20 {
        let thief = world.browser_from(network(round));
        ada.send_password(&thief).await;
        for _ in 0..5 {
            thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "000000")]).await;
        }
        world.advance(std::time::Duration::from_secs(1000));
    }
    let thief = world.browser_from(network(99));
    ada.send_password(&thief).await;
    assert_eq!(thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &ada.code())]).await.status(), 429, "the budget is spent");
}

/// Chooses a new password by the link of a mail.
async fn reset(world: &World, ada: &Person<'_>, browser: &Browser<'_>) -> Answer {
    let page = "/account/request-password-reset/";
    assert_eq!(browser.submit(page, page, &[("username_or_email", &ada.email)]).await.status(), 200);
    let link = world.newest_mail_with(&ada.email, "/account/reset-password/").await;
    let fields = [("token", token_of(&link)), ("new_password", NEW.to_owned()), ("password_confirm", NEW.to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.submit(page, "/account/reset-password/", &fields).await
}

async fn mint(person: &Seat<'_>, what: &str) -> Answer {
    person.proved(TOKENS, TOKENS, &[("description", what), ("token_scope", "scope:user"), ("expires_in_days", "30")]).await
}

both_engines! {
    /// R25: wrong codes after a stolen password lock no live session out, and a new password begins a new budget.
    async fn r25_whoever_has_the_password_locks_no_owner_out(world: World) {
        let ada = world.secured("ada").await;
        spend_the_codes(&world, &ada).await;
        let owner = world.browser_from(network(120));
        let mut again = ada.elsewhere();
        again.totp = ada.totp.clone();
        *again.used.lock().expect("not poisoned") = *ada.used.lock().expect("not poisoned");
        let answer = reset(&world, &ada, &owner).await;
        assert!(answer.status() < 400, "{}", answer.text());
        again.password = NEW.to_owned();
        again.log_in_with(&owner).await;
    }

    /// R25: the session of somebody signed in has a budget of its own, for codes and for the present password.
    async fn r25_strangers_spend_nothing_of_a_live_session(world: World) {
        let ada = world.secured("ada").await;
        for _ in 0..11 {
            let stranger = world.browser_from(network(7));
            let fields = [("username", "ada"), ("password", "a-wrong-password")];
            stranger.submit("/account/login/", "/account/login/", &fields).await;
        }
        // Signed in without being remembered: nothing but the session speaks for it.
        let mut cookies = ada.browser.cookies();
        cookies.remove(DEVICES);
        let browser = world.browser();
        for (name, value) in cookies {
            browser.set_cookie(&name, &value);
        }
        let fields = [("password", PASSWORD), ("new_password", NEW), ("password_confirm", NEW)];
        let answer = browser.submit(CHANGE, CHANGE, &fields).await;
        assert!(answer.status() < 400, "{} {}", answer.status(), answer.text());
    }

    /// R25: and so is its second factor: wrong codes at the login page keep nobody from proving the own one.
    async fn r25_wrong_codes_at_the_login_keep_no_session_from_proving_its_factor(world: World) {
        let ada = world.secured("ada").await;
        for _ in 0..5 {
            let thief = world.browser_from(network(8));
            ada.send_password(&thief).await;
            thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "000000")]).await;
        }
        let browser = world.browser();
        browser.set_cookie("__Host-strongroom_session", &ada.browser.cookies()["__Host-strongroom_session"]);
        let page = format!("{PROVE}?next=%2Fmanage%2Faccount%2F");
        let answer = browser.submit(&page, PROVE, &[("totp_value", &ada.code()), ("next", "/manage/account/")]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        // A session guesses no further than five either.
        for _ in 0..5 { browser.submit(&page, PROVE, &[("totp_value", "000000"), ("next", "/manage/account/")]).await; }
        assert_eq!(browser.submit(&page, PROVE, &[("totp_value", "000000"), ("next", "/manage/account/")]).await.status(), 429);
    }

    /// R3, R10: a door that a wait has opened shuts when the session that asked for it is ended from elsewhere.
    async fn r10_an_open_door_shuts_with_the_session_that_asked_for_it(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        project(&world, "spam", &[ada]).await;
        world.advance(8 * DAY);
        mint(&seat(&world, ada, app).await, "backdoor").await;
        serve(&world, 25 * HOUR).await;
        let owner = seat(&world, ada, app).await;
        assert!(owner.browser.get(HOLDS).await.text().contains("You can do it once until"));
        let ended = owner.browser.submit(SESSIONS, "/manage/account/sessions/end-others/", &[]).await;
        assert!(ended.status() < 400, "{}", ended.text());
        assert!(!owner.browser.get(HOLDS).await.text().contains("You can do it once until"));
        let thief = seat(&world, ada, app).await;
        assert_eq!(mint(&thief, "backdoor").await.location(), HOLDS, "it waits anew");
        assert!(all::<api_tokens::Entity>(&world).await.is_empty());
    }

    /// P10: every sign-in with a recovery code is told, also in a browser that is known; and it makes that browser no older.
    async fn p10_every_use_of_a_recovery_code_is_told(world: World) {
        let ada = world.secured("ada").await;
        world.advance(40 * DAY);
        let thief = ada.known_browser();
        ada.send_password(&thief).await;
        let code = ada.recovery_code();
        let used = thief.submit(RECOVERY, RECOVERY, &[("recovery_code_value", &code), ("remember_device", "y")]).await;
        assert_eq!(used.status(), 303, "{}", used.text());
        assert_eq!(count(&world, "account:recovery_codes:used").await, 1);
        let mail = world.newest_mail_to(&ada.email).await;
        assert!(mail.text.contains("A recovery code was used to get in; 6 are left"), "{}", mail.text);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM devices WHERE until_at IS NULL AND known_since IS NOT NULL").await, 0);
    }

    /// R19: whoever is frozen can still log out.
    async fn r19_who_is_frozen_can_log_out(world: World) {
        let ada = world.secured("ada").await;
        let csrf = ada.browser.get("/manage/account/").await.csrf_token();
        given::freeze(&world.env, given::account_id(&world, "ada").await).await;
        let answer = ada.browser.post("/account/logout/", &[("csrf_token", &csrf)]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions WHERE until_at IS NULL").await, 0);
    }

    /// To a stranger who typed a name alone the page of a take-back looks the same before and after the owner took the account back.
    async fn a_take_back_by_a_name_alone_tells_nothing_afterwards(world: World) {
        let ada = world.secured("ada").await;
        world.advance(31 * DAY);
        ada.log_in().await;
        let owner = world.browser();
        let stop = link(&world, &ada.email).await;
        assert_eq!(press(&owner, &stop).await.status(), 200);
        let strangers: Vec<_> = (0..2).map(|at| world.browser_from(network(at))).collect();
        for (stranger, name) in strangers.iter().zip(["ada", "nobody-has-this"]) {
            assert_eq!(stranger.submit(TAKE_BACK, "/account/take-back/begin/", &[("username", name)]).await.status(), 303);
        }
        assert_eq!(prove_mailbox(&owner, &ada.email).await.status(), 303);
        assert_eq!(owner.submit(TAKE_BACK, TAKE_BACK, &[("totp_value", &ada.code())]).await.status(), 303);
        assert_eq!(confirm(&owner, &[]).await.status(), 200);
        let mut pages = Vec::new();
        for stranger in &strangers {
            let page = stranger.get(TAKE_BACK).await;
            pages.push(page.text().replace(&page.csrf_token(), ""));
        }
        let without_ids = |page: &String| page.split("class=\"request\"").next().map(str::to_owned);
        assert_eq!(without_ids(&pages[0]), without_ids(&pages[1]));
        assert!(pages[0].contains("Send me a code"), "{}", pages[0]);
    }
}
