//! Sign-in from a browser that the account does not know: the mailbox confirms that one sign-in, there, once; trust is a cookie of one
//! account and one browser, never a network.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::Body;
use axum::http::Method;

use crate::given::{all, events_of};
use crate::people::{DEVICES, PASSWORD, Person, token_of};
use crate::world::{Answer, Browser, World, both_engines};

const LOGIN: &str = "/account/login/";
const TWO_FACTOR: &str = "/account/two-factor/";
const RECOVERY: &str = "/account/recovery-code/";
const CONFIRM: &str = "/account/confirm-login/";
const HOME: &str = "/manage/account/";
const SESSIONS: &str = "/manage/account/sessions/";
const SESSION: &str = "__Host-strongroom_session";
const ATTEMPT: &str = "__Host-strongroom_attempt";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// A browser in which password and code were right, and that waits for the mailbox.
async fn waiting<'w>(world: &'w World, person: &Person<'w>) -> Browser<'w> {
    let browser = world.browser();
    assert_eq!(person.send_password(&browser).await.location(), TWO_FACTOR);
    let answer = browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &person.code())]).await;
    assert_eq!(answer.location(), CONFIRM, "{}", answer.text());
    browser
}

async fn press(browser: &Browser<'_>, link: &str) -> Answer {
    let token = browser.get(LOGIN).await.csrf_token();
    browser.post(CONFIRM, &[("csrf_token", &token), ("token", &token_of(link))]).await
}

async fn sessions(world: &World) -> i64 {
    world.number("SELECT COUNT(*) AS n FROM sessions WHERE until_at IS NULL").await
}

both_engines! {
    /// PYPI-1.
    /// Warehouse 13.1, R33: password and code from an unknown browser open nothing before the mailbox confirms it.
    async fn a_code_from_an_unknown_browser_waits_for_the_mailbox(world: World) {
        let ada = world.secured("ada").await;
        let before = sessions(&world).await;
        let browser = waiting(&world, &ada).await;
        assert!(!browser.cookies().contains_key(SESSION));
        assert_eq!(sessions(&world).await, before);
        assert!(browser.get(CONFIRM).await.text().contains("Look in your mailbox"));
        let link = ada.confirmation_link().await;
        assert!(browser.get(&link).await.text().contains("Log in here"));
        assert_eq!(sessions(&world).await, before, "opening the link changes nothing");
        assert_eq!(press(&browser, &link).await.location(), HOME);
        assert_eq!(browser.get(HOME).await.status(), 200);
        assert!(!browser.cookies().contains_key(ATTEMPT));
    }

    /// PYPI-2.
    /// Warehouse 13.2 and 14.3: the link is never a login link.
    async fn a_confirmation_link_signs_nobody_in_elsewhere(world: World) {
        let ada = world.secured("ada").await;
        let browser = waiting(&world, &ada).await;
        let link = ada.confirmation_link().await;
        let before = sessions(&world).await;
        let phone = world.browser();
        let page = phone.get(&link).await;
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("began in another browser") && page.text().contains("192.0.2.7"), "{}", page.text());
        assert!(!page.text().contains("name=\"token\""), "there is nothing to press");
        assert!(press(&phone, &link).await.location().starts_with(LOGIN));
        // Not even in a browser with a half-open sign-in of the same account.
        let thief = waiting(&world, &ada).await;
        let answer = press(&thief, &link).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.text().contains("began in another browser"));
        for other in [&phone, &thief] {
            assert!(!other.cookies().contains_key(SESSION));
        }
        assert_eq!(sessions(&world).await, before);
        assert_eq!(press(&browser, &link).await.location(), HOME, "where it began it still works");
    }

    /// ASVS V7.2.4, warehouse 13.7: links and half-open sign-ins are spent once and live 15 minutes.
    async fn a_confirmation_works_once_and_for_fifteen_minutes(world: World) {
        let ada = world.secured("ada").await;
        let browser = waiting(&world, &ada).await;
        let attempt = browser.cookies()[ATTEMPT].clone();
        let link = ada.confirmation_link().await;
        assert_eq!(press(&browser, &link).await.location(), HOME);
        let replay = world.browser();
        replay.set_cookie(ATTEMPT, &attempt);
        assert!(press(&replay, &link).await.location().starts_with(LOGIN));
        assert_eq!(replay.get(&link).await.status(), 410);
        let late = waiting(&world, &ada).await;
        let link = ada.confirmation_link().await;
        world.advance(Duration::from_secs(900));
        assert!(press(&late, &link).await.location().starts_with(LOGIN));
        assert!(!late.cookies().contains_key(SESSION) && !replay.cookies().contains_key(SESSION));
    }

    async fn two_presses_of_one_link_at_once_open_one_session(world: World) {
        let ada = world.secured("ada").await;
        let browser = waiting(&world, &ada).await;
        let before = sessions(&world).await;
        let link = ada.confirmation_link().await;
        let csrf = browser.get(&link).await.csrf_token();
        let token = token_of(&link);
        let fields = [("csrf_token", csrf.as_str()), ("token", token.as_str())];
        tokio::join!(browser.post(CONFIRM, &fields), browser.post(CONFIRM, &fields));
        assert_eq!(sessions(&world).await, before + 1);
    }

    /// The token of a half-open sign-in is a new one at each stage, and each stage reaches only its own pages.
    async fn the_attempt_is_renewed_when_it_goes_on_and_cannot_go_back(world: World) {
        let ada = world.secured("ada").await;
        let browser = world.browser();
        ada.send_password(&browser).await;
        let first = browser.cookies()[ATTEMPT].clone();
        browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &ada.code())]).await;
        assert_ne!(browser.cookies()[ATTEMPT], first);
        let old = world.browser();
        old.set_cookie(ATTEMPT, &first);
        assert!(old.get(TWO_FACTOR).await.location().starts_with(LOGIN), "the old token opens nothing");
        let code = ada.code();
        let csrf = browser.get(CONFIRM).await.csrf_token();
        for (page, field, value) in [(TWO_FACTOR, "totp_value", code), (RECOVERY, "recovery_code_value", ada.recovery_code())] {
            assert_eq!(browser.get(page).await.location(), CONFIRM);
            assert_eq!(browser.post(page, &[("csrf_token", &csrf), (field, &value)]).await.location(), CONFIRM);
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM recovery_codes WHERE used_at IS NOT NULL").await, 1, "nothing more was burned");
        assert!(browser.get(HOME).await.location().starts_with(TWO_FACTOR));
        let half = world.browser();
        ada.send_password(&half).await;
        assert!(half.get(CONFIRM).await.location().starts_with(LOGIN), "nothing waits for the mailbox yet");
    }

    /// R33: a remembered browser spares the mailbox, never the factor; from whatever network.
    async fn r33_a_remembered_browser_spares_the_mailbox_and_not_the_factor(world: World) {
        let ada = world.secured("ada").await;
        let travelling = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77)));
        travelling.set_cookie(DEVICES, &ada.browser.cookies()[DEVICES]);
        assert_eq!(ada.send_password(&travelling).await.location(), TWO_FACTOR);
        let answer = travelling.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &ada.code())]).await;
        assert_eq!(answer.location(), HOME);
        // Warehouse 14.2: the same network is no device.
        let neighbour = waiting(&world, &ada).await;
        assert!(!neighbour.cookies().contains_key(SESSION));
    }

    /// R30: the mail that continues a sign-in does not know where that was to lead; the sign-in does, and it is looked at again.
    async fn r30_the_page_that_was_asked_for_survives_the_mail(world: World) {
        let (ada, wanted) = (world.secured("ada").await, "/manage/account/emails/");
        let begin = async |next: &str| {
            let browser = world.browser();
            let fields = [("username", "ada"), ("password", PASSWORD), ("next", next)];
            browser.submit(LOGIN, LOGIN, &fields).await;
            // Whoever finishes the second step need not say it once more.
            browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &ada.code())]).await;
            let link = ada.confirmation_link().await;
            assert!(!link.contains("next"), "{link}");
            let page = browser.get(&link).await;
            let text = page.text();
            let field = text.contains("name=\"next\"").then(|| page.between("name=\"next\" value=\"", "\""));
            let token = token_of(&link);
            let mut fields = vec![("token", token.as_str())];
            fields.extend(field.as_deref().map(|next| ("next", next)));
            browser.submit(&link, CONFIRM, &fields).await.location()
        };
        assert_eq!(begin(wanted).await, wanted);
        for evil in ["//evil.example", "https://evil.example/", "/account/logout/"] {
            assert_eq!(begin(evil).await, HOME, "{evil}");
        }
        // Not even where a row was written behind the index's back.
        let browser = waiting(&world, &ada).await;
        world.run("UPDATE sign_in_attempts SET next = '//evil.example/'").await;
        let page = browser.get(&ada.confirmation_link().await).await.text();
        assert!(page.contains("Log in here") && !page.contains("evil"), "{page}");
    }

    /// R3: a browser that is remembered once more is no younger for it; one that was forgotten is.
    async fn r3_a_browser_that_is_remembered_again_keeps_its_age(world: World) {
        let ada = world.secured("ada").await;
        let first = world.env.now().as_micros();
        world.advance(Duration::from_secs(40 * 86_400));
        let again = ada.known_browser();
        let sign_in = async |browser: &Browser<'_>| {
            ada.send_password(browser).await;
            browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &ada.code()), ("remember_device", "y")]).await
        };
        for _ in 0..2 {
            assert_eq!(sign_in(&again).await.location(), HOME);
            again.set_cookie(SESSION, "");
            world.advance(Duration::from_secs(86_400));
        }
        let open = all::<index::db::entities::devices::Entity>(&world).await.into_iter().filter(|row| row.until_at.is_none());
        let open: Vec<_> = open.collect();
        assert_eq!(open.len(), 1, "{open:?}");
        let since = open[0].known_since.expect("it was known before").as_micros();
        assert!((first - since).abs() < 3_600_000_000 && open[0].from_at.as_micros() > first, "{open:?}");
        // The lifetime begins anew with each: the trust lasts half a year from the last one.
        world.advance(Duration::from_secs(150 * 86_400));
        assert_eq!(sign_in(&again).await.location(), HOME);
        world.run(&format!("UPDATE devices SET until_at = {}, ended_by = began_by WHERE until_at IS NULL", world.env.now().as_micros())).await;
        again.set_cookie(SESSION, "");
        assert_eq!(sign_in(&again).await.location(), CONFIRM);
        assert_eq!(ada.confirm_in(&again, true).await.location(), HOME);
        let new = all::<index::db::entities::devices::Entity>(&world).await.into_iter().find(|row| row.until_at.is_none());
        assert_eq!(new.expect("one is open").known_since, None, "what was forgotten begins anew");
    }

    async fn trust_is_of_one_account_and_a_browser_may_hold_several(world: World) {
        let ada = world.secured("ada").await;
        let bob = world.secured("bob").await;
        let shared = world.browser();
        shared.set_cookie(DEVICES, &ada.browser.cookies()[DEVICES]);
        bob.send_password(&shared).await;
        let answer = shared.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &bob.code())]).await;
        assert_eq!(answer.location(), CONFIRM, "what ada trusts says nothing about bob");
        assert_eq!(bob.confirm_in(&shared, true).await.location(), HOME);
        assert_eq!(shared.cookies()[DEVICES].split('.').count(), 2);
        for person in [&ada, &bob] {
            let again = world.browser();
            again.set_cookie(DEVICES, &shared.cookies()[DEVICES]);
            person.send_password(&again).await;
            assert_eq!(again.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &person.code())]).await.location(), HOME);
        }
    }

    /// Warehouse 14.4: trust is a random token, fresh each time, that ends when it is ended.
    async fn trust_ends_when_forgotten_replaced_or_half_a_year_old(world: World) {
        let ada = world.secured("ada").await;
        let old = ada.browser.cookies()[DEVICES].clone();
        let still_asks = async |cookie: &str| {
            let browser = world.browser();
            browser.set_cookie(DEVICES, cookie);
            ada.send_password(&browser).await;
            browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &ada.code())]).await.location() == CONFIRM
        };
        assert!(!still_asks(&old).await);
        let again = ada.known_browser();
        ada.send_password(&again).await;
        again.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &ada.code()), ("remember_device", "y")]).await;
        let new = again.cookies()[DEVICES].clone();
        assert_ne!(new, old);
        assert!(still_asks(&old).await, "the token that was replaced is worth nothing");
        assert!(!still_asks(&new).await);
        let id = again.get(SESSIONS).await.between("name=\"device_id\" value=\"", "\"");
        assert_eq!(again.submit(SESSIONS, &format!("{SESSIONS}forget-device/"), &[("device_id", &id)]).await.location(), SESSIONS);
        assert!(still_asks(&new).await);
        let last = waiting(&world, &ada).await;
        assert_eq!(ada.confirm_in(&last, true).await.location(), HOME);
        let cookie = last.cookies()[DEVICES].clone();
        assert!(!still_asks(&cookie).await);
        world.advance(Duration::from_secs(180 * 86_400));
        assert!(still_asks(&cookie).await);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM devices WHERE until_at IS NULL AND ended_by IS NOT NULL").await, 0);
    }

    async fn nobody_forgets_a_browser_of_somebody_else(world: World) {
        let ada = world.secured("ada").await;
        let eve = world.secured("eve").await;
        let id = ada.browser.get(SESSIONS).await.between("name=\"device_id\" value=\"", "\"");
        let path = format!("{SESSIONS}forget-device/");
        assert_eq!(eve.browser.submit(SESSIONS, &path, &[("device_id", &id)]).await.status(), 404);
        assert_eq!(eve.browser.submit(SESSIONS, &path, &[("device_id", "x")]).await.status(), 404);
        assert_eq!(ada.known_browser().cookies().len(), 1);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM devices WHERE until_at IS NULL").await, 2);
    }

    /// SHA-256 of the token, never the token; the cookie lasts and is ours alone.
    async fn the_cookie_of_a_device_is_kept_as_a_digest(world: World) {
        let ada = world.verified("ada").await;
        let browser = world.browser();
        ada.send_password(&browser).await;
        let answer = ada.confirm_in(&browser, true).await;
        let set = answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().expect("text").to_owned());
        let cookie = set.into_iter().find(|c| c.starts_with(DEVICES)).expect("a cookie");
        for part in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/", "; Max-Age=15552000"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let token = browser.cookies()[DEVICES].clone();
        for row in all::<index::db::entities::devices::Entity>(&world).await {
            assert_ne!(row.token_digest, token.as_bytes());
            assert_eq!(row.token_digest.len(), 32);
        }
    }

    /// ASVS-6.3.6.
    /// A password alone on an account without a factor is confirmed, too; warehouse 2.3 never asked.
    async fn a_password_alone_is_confirmed_once_there_is_a_mailbox(world: World) {
        let ada = world.registered("ada").await;
        assert_eq!(ada.send_password(&world.browser()).await.location(), HOME, "an address that is not verified confirms nothing");
        ada.verify().await;
        let browser = world.browser();
        assert_eq!(ada.send_password(&browser).await.location(), CONFIRM);
        assert!(!browser.cookies().contains_key(SESSION));
        assert_eq!(ada.confirm_in(&browser, false).await.location(), HOME);
        assert!(!browser.cookies().contains_key(DEVICES), "nobody asked to remember it");
        browser.set_cookie(SESSION, "");
        assert_eq!(ada.send_password(&browser).await.location(), CONFIRM);
    }

    async fn a_recovery_code_from_an_unknown_browser_is_confirmed_and_makes_nothing_fresh(world: World) {
        let ada = world.secured("ada").await;
        let browser = world.browser();
        ada.send_password(&browser).await;
        let fields = [("recovery_code_value", ada.recovery_code()), ("remember_device", "y".to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        assert_eq!(browser.submit(RECOVERY, RECOVERY, &fields).await.location(), CONFIRM);
        let link = ada.confirmation_link().await;
        assert!(browser.get(&link).await.text().contains("value=\"y\" checked"), "what was asked for is kept");
        assert_eq!(press(&browser, &link).await.location(), HOME);
        assert!(browser.cookies().contains_key(DEVICES));
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions WHERE proved_with = 'recovery_code' AND proved_at IS NULL").await, 1);
    }

    /// Wrong guesses cause no mail, and the mails of whoever has the password are bounded; a known browser needs none (R25, R26).
    async fn r26_confirmation_mails_are_bounded_and_follow_the_right_password_only(world: World) {
        let ada = world.verified("ada").await;
        let stranger = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
        for _ in 0..3 {
            stranger.submit(LOGIN, LOGIN, &[("username", "ada"), ("password", "a-wrong-password")]).await;
        }
        let sent = async || events_of(&world, "account:login:confirm-sent").await.len();
        let before = sent().await;
        for _ in before..10 {
            assert_eq!(ada.send_password(&world.browser()).await.location(), CONFIRM);
        }
        let browser = world.browser();
        assert_eq!(ada.send_password(&browser).await.status(), 429);
        assert!(!browser.cookies().contains_key(ATTEMPT));
        assert_eq!(sent().await, 10);
        assert_eq!(ada.send_password(&ada.known_browser()).await.location(), HOME);
    }

    async fn the_mail_can_be_sent_again_and_the_older_link_ends(world: World) {
        let ada = world.secured("ada").await;
        let browser = waiting(&world, &ada).await;
        let first = ada.confirmation_link().await;
        assert_eq!(browser.submit(CONFIRM, CONFIRM, &[]).await.location(), CONFIRM);
        let second = ada.confirmation_link().await;
        assert_ne!(first, second);
        assert_eq!(browser.get(&first).await.status(), 410);
        assert_eq!(press(&browser, &second).await.location(), HOME);
    }

    /// What somebody else with the password begins does not end the link that the owner is about to open.
    async fn a_sign_in_begun_by_somebody_else_leaves_the_owners_link_alone(world: World) {
        let ada = world.secured("ada").await;
        let mine = waiting(&world, &ada).await;
        let link = ada.confirmation_link().await;
        waiting(&world, &ada).await;
        assert_eq!(press(&mine, &link).await.location(), HOME);
    }

    /// R31: the mail names place, browser and time in words of ours, never what the stranger's browser calls itself.
    async fn the_mail_says_from_where_in_our_words(world: World) {
        let ada = world.verified("ada").await;
        let browser = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 50)));
        let csrf = browser.get(LOGIN).await.csrf_token();
        let body = serde_urlencoded::to_string([("csrf_token", csrf.as_str()), ("username", "ada"), ("password", PASSWORD)]).expect("text");
        let agent = format!("{FIREFOX} call-0900-now");
        let headers = [
            ("origin", "https://index.example.org"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("user-agent", agent.as_str()),
        ];
        assert_eq!(browser.request(Method::POST, LOGIN, Body::from(body), &headers).await.location(), CONFIRM);
        let mail = world.newest_mail_to(&ada.email).await;
        for words in ["203.0.113.50", "Firefox 128 on Linux", "When: 23 November 2026", "Change the password now"] {
            assert!(mail.text.contains(words), "{words} is not in {}", mail.text);
        }
        assert!(!mail.text.contains("call-0900-now"), "{}", mail.text);
    }

    async fn what_ends_a_sign_in_ends_its_link(world: World) {
        let ada = world.secured("ada").await;
        let browser = waiting(&world, &ada).await;
        let link = ada.confirmation_link().await;
        ada.browser.submit(SESSIONS, &format!("{SESSIONS}end-others/"), &[]).await;
        assert!(press(&browser, &link).await.location().starts_with(LOGIN));
        let frozen = waiting(&world, &ada).await;
        let link = ada.confirmation_link().await;
        world.run("INSERT INTO account_causes SELECT id, id, 'frozen', 'drill', NULL, 0, NULL, id, NULL FROM accounts").await;
        assert_eq!(press(&frozen, &link).await.status(), 403);
        assert!(!frozen.cookies().contains_key(SESSION));
    }

    /// A password that waits for the mailbox is not enough any more once the account has a factor.
    async fn a_factor_added_meanwhile_ends_a_password_that_waits(world: World) {
        let mut ada = world.verified("ada").await;
        ada.prove_mailbox().await;
        ada.save_codes().await;
        let thief = world.browser();
        assert_eq!(ada.send_password(&thief).await.location(), CONFIRM);
        let link = ada.confirmation_link().await;
        ada.enrol().await;
        assert!(press(&thief, &link).await.location().starts_with(LOGIN));
        assert!(!thief.cookies().contains_key(SESSION));
    }

    /// At most a few wrong factors in one half-open sign-in.
    async fn five_wrong_factors_end_the_sign_in(world: World) {
        let ada = world.secured("ada").await;
        world.run("DELETE FROM limit_windows").await;
        let browser = ada.known_browser();
        ada.send_password(&browser).await;
        for _ in 0..5 {
            assert_eq!(browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "no code")]).await.status(), 422);
            world.run("DELETE FROM limit_windows").await;
        }
        let answer = browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &ada.code())]).await;
        assert!(answer.location().starts_with(LOGIN), "the right code comes too late");
        assert!(!browser.cookies().contains_key(SESSION) && !browser.cookies().contains_key(ATTEMPT));
    }

    /// ASVS-6.3.5.
    /// Issue list of notices: login from a new place, right password with wrong factor, success after many failures.
    async fn the_account_is_told_of_strange_sign_ins_and_not_flooded(world: World) {
        let ada = world.secured("ada").await;
        let told = async |kind: &'static str| events_of(&world, kind).await.len();
        let before = told("account:login:new-device").await;
        ada.log_in_with(&ada.known_browser()).await;
        assert_eq!(told("account:login:new-device").await, before, "a known browser is no news");
        ada.confirm_in(&waiting(&world, &ada).await, false).await;
        assert_eq!(told("account:login:new-device").await, before + 1);
        world.advance(Duration::from_secs(60));
        for _ in 0..5 {
            let thief = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
            ada.send_password(&thief).await;
            thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "no code")]).await;
        }
        assert_eq!(told("account:login:wrong-factor").await, 1);
        assert_eq!(told("account:login:after-failures").await, 0);
        ada.log_in_with(&ada.known_browser()).await;
        assert_eq!(told("account:login:after-failures").await, 1);
        ada.log_in_with(&ada.known_browser()).await;
        assert_eq!(told("account:login:after-failures").await, 1, "told once");
        let mails = world.mail().await;
        for subject in ["A sign-in from a new browser", "Somebody has your password", "A sign-in after many failures"] {
            assert!(mails.iter().any(|mail| mail.subject.contains(subject) && mail.to.contains("ada@")), "{subject}");
        }
        let detail: Vec<String> = events_of(&world, "account:login:success").await.into_iter().map(|event| event.detail).collect();
        assert!(detail.iter().any(|d| d.contains("\"known\"")) && detail.iter().any(|d| d.contains("\"new\"")), "{detail:?}");
    }

    /// NIST-T3.
    /// R25 and property 10: what strangers do to a name, a network and the index changes nothing for a known browser; and an unknown
    /// name meets the same limits as a known one.
    async fn r25_strangers_cannot_lock_a_known_browser_out(world: World) {
        let ada = world.secured("ada").await;
        let mut statuses: Vec<Vec<u16>> = Vec::new();
        for name in ["ada", "nobody"] {
            let mut seen = Vec::new();
            for at in 0..12 {
                let stranger = world.browser_from(IpAddr::V4(Ipv4Addr::new(198, 51, if name == "ada" { 100 } else { 101 }, at)));
                let fields = [("username", name), ("password", "a-wrong-password")];
                seen.push(stranger.submit(LOGIN, LOGIN, &fields).await.status());
            }
            statuses.push(seen);
        }
        assert_eq!(statuses[0], statuses[1], "an unknown name is limited like a known one");
        assert_eq!(statuses[0].last(), Some(&429));
        // The index's budget is gone, too.
        world.run("UPDATE limit_windows SET count = 100000 WHERE count > 0").await;
        assert_eq!(ada.send_password(&world.browser()).await.status(), 429, "a stranger with the right password waits");
        ada.log_in_with(&ada.known_browser()).await;
    }

    /// R25: wrong codes of a thief who has the password do not shut the owner's known browser out either.
    async fn r25_a_thief_who_has_the_password_cannot_spend_the_codes_of_a_known_browser(world: World) {
        let ada = world.secured("ada").await;
        let thief = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
        ada.send_password(&thief).await;
        for _ in 0..5 {
            assert_eq!(thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "no code")]).await.status(), 422);
        }
        assert_eq!(thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "no code")]).await.status(), 429);
        ada.log_in_with(&ada.known_browser()).await;
    }

    /// A known browser has a budget, too: whoever stole the cookie cannot guess without end.
    async fn r25_a_known_browser_has_a_budget_of_its_own(world: World) {
        let ada = world.secured("ada").await;
        let stolen = ada.known_browser();
        for _ in 0..10 {
            let fields = [("username", "ada"), ("password", "a-wrong-password")];
            assert_eq!(stolen.submit(LOGIN, LOGIN, &fields).await.status(), 422);
        }
        assert_eq!(ada.send_password(&stolen).await.status(), 429);
        assert_eq!(ada.send_password(&world.browser()).await.location(), TWO_FACTOR, "the account's own budget is untouched");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_confirmation_can_be_switched_off() {
    let world = World::sqlite(&[("sessions.confirm_unknown_device", "false")]).await;
    let ada = world.registered("ada").await;
    ada.verify().await;
    assert_eq!(ada.send_password(&world.browser()).await.location(), HOME);
    assert_eq!(events_of(&world, "account:login:confirm-sent").await.len(), 0);
}
