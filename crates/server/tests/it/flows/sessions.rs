//! Sessions: seen, ended, resumed, renewed; and the password changed in one.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;

use crate::given::{self, all, events_of};
use crate::people::{DEVICES, PASSWORD, Person};
use crate::world::{Answer, Browser, World, both_engines};

const LOGIN: &str = "/account/login/";
const HOME: &str = "/manage/account/";
const PROVE: &str = "/account/reauthenticate/";
const SESSIONS: &str = "/manage/account/sessions/";
const CHANGE: &str = "/manage/account/change-password/";
const SESSION: &str = "__Host-strongroom_session";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const NEW: &str = "harbour-quilt-saffron-77";
const HOUR: Duration = Duration::from_secs(3600);

/// Another browser in which the person is signed in.
async fn second<'w>(person: &Person<'w>) -> Browser<'w> {
    let browser = person.known_browser();
    person.log_in_with(&browser).await;
    browser
}

fn thief<'w>(world: &'w World, of: &Browser<'_>) -> Browser<'w> {
    let thief = world.browser();
    thief.set_cookie(SESSION, &of.cookies()[SESSION]);
    thief
}

async fn is_in(browser: &Browser<'_>) -> bool {
    browser.get(HOME).await.status() == 200
}

async fn prove(browser: &Browser<'_>, field: &str, value: &str) -> Answer {
    browser.submit(PROVE, PROVE, &[(field, value), ("next", HOME)]).await
}

/// Makes the session fresh with the next code of the person's phone.
async fn freshen(person: &Person<'_>, browser: &Browser<'_>) {
    let answer = prove(browser, "totp_value", &person.code()).await;
    assert_eq!(answer.location(), HOME, "{}", answer.text());
}

fn change<'a>(present: &'a str, new: &'a str) -> [(&'static str, &'a str); 3] {
    [("password", present), ("new_password", new), ("password_confirm", new)]
}

both_engines! {
    /// ASVS-7.5.2.
    /// ASVS V7.5.2: one sees one's sessions, and ends any of them.
    async fn sessions_are_listed_in_words_and_ended_one_by_one(world: World) {
        let ada = world.secured("ada").await;
        let other = ada.known_browser();
        let csrf = other.get(LOGIN).await.csrf_token();
        let body = serde_urlencoded::to_string([("csrf_token", csrf.as_str()), ("username", "ada"), ("password", PASSWORD)]).expect("text");
        let headers =
            [("origin", "https://index.example.org"), ("content-type", "application/x-www-form-urlencoded"), ("user-agent", FIREFOX)];
        other.request(Method::POST, LOGIN, Body::from(body), &headers).await;
        let csrf = other.get("/account/two-factor/").await.csrf_token();
        let body = serde_urlencoded::to_string([("csrf_token", csrf.as_str()), ("totp_value", &ada.code())]).expect("text");
        assert_eq!(other.request(Method::POST, "/account/two-factor/", Body::from(body), &headers).await.location(), HOME);
        let page = ada.browser.get(SESSIONS).await.text();
        for words in ["Firefox 128 on Linux", "This session", "This browser", "an authenticator app", "192.0.2.7"] {
            assert!(page.contains(words), "{words} is not in {page}");
        }
        let newest = ada.browser.get(SESSIONS).await.between("name=\"session_id\" value=\"", "\"");
        let end = format!("{SESSIONS}end/");
        assert_eq!(ada.browser.submit(SESSIONS, &end, &[("session_id", &newest)]).await.location(), SESSIONS);
        assert!(!is_in(&other).await && is_in(&ada.browser).await);
        assert_eq!(events_of(&world, "account:session:ended").await.len(), 1);
        assert!(world.newest_mail_to(&ada.email).await.subject.contains("A session was ended"));
        assert_eq!(ada.browser.submit(SESSIONS, &end, &[("session_id", &newest)]).await.status(), 303, "ended is ended");
        assert_eq!(events_of(&world, "account:session:ended").await.len(), 1, "and told once");
    }

    async fn ending_the_session_at_hand_logs_out(world: World) {
        let ada = world.secured("ada").await;
        let own = ada.browser.get(SESSIONS).await.between("name=\"session_id\" value=\"", "\"");
        assert_eq!(ada.browser.submit(SESSIONS, &format!("{SESSIONS}end/"), &[("session_id", &own)]).await.location(), "/");
        assert!(!ada.browser.cookies().contains_key(SESSION));
    }

    /// IDOR, ASVS 4.2.1: the sessions of others do not exist.
    async fn nobody_sees_or_ends_sessions_of_others(world: World) {
        let ada = world.secured("ada").await;
        let eve = world.secured("eve").await;
        let id = ada.browser.get(SESSIONS).await.between("name=\"session_id\" value=\"", "\"");
        assert!(!eve.browser.get(SESSIONS).await.text().contains(&id));
        for id in [id.as_str(), "no id", "0190f000-0000-7000-8000-000000000000"] {
            assert_eq!(eve.browser.submit(SESSIONS, &format!("{SESSIONS}end/"), &[("session_id", id)]).await.status(), 404, "{id}");
        }
        assert!(is_in(&ada.browser).await);
    }

    /// Issue, "stolen cookie after end all others": the copy is worthless at once, that of the session at hand too; who pressed stays.
    async fn ending_all_others_makes_a_stolen_cookie_worthless(world: World) {
        let ada = world.secured("ada").await;
        let (phone, laptop) = (second(&ada).await, second(&ada).await);
        let here = thief(&world, &ada.browser);
        let thief = thief(&world, &phone);
        assert!(is_in(&thief).await && is_in(&here).await);
        assert_eq!(ada.browser.submit(SESSIONS, &format!("{SESSIONS}end-others/"), &[]).await.location(), SESSIONS);
        for gone in [&thief, &phone, &laptop, &here] {
            assert!(gone.get(HOME).await.location().starts_with(LOGIN));
        }
        assert!(is_in(&ada.browser).await);
        let told = events_of(&world, "account:session:ended-others").await;
        assert!(told[0].detail.contains("2"), "{}", told[0].detail);
        assert!(world.newest_mail_to(&ada.email).await.subject.contains("Your other sessions were ended"));
    }

    async fn the_list_is_paged_and_loses_nothing(world: World) {
        let ada = world.verified("ada").await;
        for _ in 0..24 {
            second(&ada).await;
        }
        let (mut path, mut seen) = (SESSIONS.to_owned(), Vec::new());
        loop {
            let page = ada.browser.get(&path).await;
            seen.extend(page.text().split("name=\"session_id\" value=\"").skip(1).map(|rest| rest[..36].to_owned()));
            if !page.text().contains("Older sessions") {
                break;
            }
            path = format!("{SESSIONS}?before={}", page.between("?before=", "\""));
        }
        let length = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((length, seen.len()), (25, 25));
    }

    /// R1, NIST S1: after an idle hour the session rests; a password wakes it and makes nothing fresh.
    async fn r1_a_password_wakes_an_idle_session_and_makes_nothing_fresh(world: World) {
        let ada = world.secured("ada").await;
        let old = thief(&world, &ada.browser);
        world.advance(HOUR);
        let answer = ada.browser.get("/manage/account/emails/").await;
        assert_eq!(answer.location(), "/account/reauthenticate/?next=%2Fmanage%2Faccount%2Femails%2F");
        assert_eq!(ada.browser.get("/").await.status(), 200, "public pages treat it as nobody's");
        assert!(!ada.browser.get("/").await.says("ada"));
        let page = ada.browser.get(PROVE).await;
        assert!(page.text().contains("You have been away") && page.text().contains("name=\"password\""), "{}", page.text());
        assert_eq!(prove(&ada.browser, "password", "a-wrong-password").await.status(), 422);
        let before = ada.browser.cookies()[SESSION].clone();
        assert_eq!(prove(&ada.browser, "password", PASSWORD).await.location(), HOME);
        assert_ne!(ada.browser.cookies()[SESSION], before, "ASVS V7.2.4: a new token");
        assert!(is_in(&ada.browser).await && !is_in(&old).await);
        assert!(ada.browser.get(CHANGE).await.location().starts_with(PROVE), "nothing is fresh");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions").await, 1, "it is the same session");
    }

    /// Where nothing is idle a password counts for nothing once there is a factor.
    async fn r1_a_password_makes_nothing_fresh_once_there_is_a_factor(world: World) {
        let ada = world.secured("ada").await;
        world.advance(Duration::from_secs(16 * 60));
        assert!(!ada.browser.get(PROVE).await.text().contains("name=\"password\""));
        let token = ada.browser.get(PROVE).await.csrf_token();
        let answer = ada.browser.post(PROVE, &[("csrf_token", &token), ("password", PASSWORD)]).await;
        assert_eq!(answer.status(), 422);
        assert!(ada.browser.get(CHANGE).await.location().starts_with(PROVE));
    }

    async fn a_factor_wakes_an_idle_session_and_makes_it_fresh(world: World) {
        let ada = world.secured("ada").await;
        world.advance(HOUR);
        freshen(&ada, &ada.browser).await;
        assert!(is_in(&ada.browser).await);
        assert_eq!(ada.browser.get(CHANGE).await.status(), 200);
    }

    /// Warehouse 13.13: the right password of somebody else is wrong here; and the tries are those of the login page.
    async fn the_password_of_somebody_else_wakes_nothing_and_tries_are_counted(world: World) {
        let ada = world.secured("ada").await;
        let thief = world.browser();
        thief.set_cookie(SESSION, &ada.browser.cookies()[SESSION]);
        world.advance(HOUR);
        for _ in 0..10 {
            assert_eq!(prove(&thief, "password", NEW).await.status(), 422);
        }
        assert_eq!(prove(&thief, "password", PASSWORD).await.status(), 429);
        assert_eq!(ada.send_password(&world.browser()).await.status(), 429, "it is one budget");
        assert_eq!(prove(&ada.browser, "password", PASSWORD).await.location(), HOME, "the known browser has its own");
    }

    async fn an_idle_session_can_be_logged_out_and_ends_for_good_after_twelve_hours(world: World) {
        let ada = world.secured("ada").await;
        let other = second(&ada).await;
        world.advance(HOUR);
        assert_eq!(ada.browser.submit("/account/logout/", "/account/logout/", &[]).await.location(), "/");
        world.advance(HOUR * 11);
        assert!(other.get(HOME).await.location().starts_with(LOGIN), "no password wakes it now");
        assert!(other.get(PROVE).await.location().starts_with(LOGIN));
    }

    /// NIST S2: administrators 8 hours.
    async fn sessions_of_administrators_end_after_eight_hours(world: World) {
        let ada = world.secured("ada").await;
        world.run("INSERT INTO staff_roles (id, account_id, role, from_at, until_at, began_by, ended_by) \
            SELECT id, id, 'administrator', 0, NULL, id, NULL FROM accounts").await;
        let other = second(&ada).await;
        for _ in 0..8 {
            assert!(is_in(&other).await);
            world.advance(Duration::from_secs(59 * 60 + 59));
        }
        world.advance(Duration::from_secs(10));
        assert!(other.get(PROVE).await.location().starts_with(LOGIN));
    }

    /// ASVS-7.2.4.
    /// ASVS V7.2.4: the token is a new one on each rise of privilege; the old one is worth nothing.
    async fn the_token_is_renewed_on_each_rise_of_privilege(world: World) {
        let mut ada = world.verified("ada").await;
        ada.prove_mailbox().await;
        ada.save_codes().await;
        let before = thief(&world, &ada.browser);
        ada.enrol().await;
        assert!(!is_in(&before).await && is_in(&ada.browser).await, "the first factor");
        let before = thief(&world, &ada.browser);
        freshen(&ada, &ada.browser).await;
        assert!(!is_in(&before).await && is_in(&ada.browser).await, "a factor proved again");
        let before = thief(&world, &ada.browser);
        assert_eq!(ada.browser.submit(CHANGE, CHANGE, &change(PASSWORD, NEW)).await.location(), HOME);
        assert!(!is_in(&before).await && is_in(&ada.browser).await, "a new password");
    }

    /// Known gap closed: sessions of a password alone end when the first factor is added.
    async fn the_first_factor_ends_sessions_of_a_password_alone(world: World) {
        let mut ada = world.verified("ada").await;
        let other = second(&ada).await;
        ada.prove_mailbox().await;
        ada.save_codes().await;
        assert!(is_in(&other).await);
        ada.enrol().await;
        assert!(!is_in(&other).await && is_in(&ada.browser).await);
    }

    /// PYPI-8, WEAK-7.
    /// Warehouse 13.8: the session of another browser ends with the password it was opened with.
    async fn a_changed_password_ends_what_was_asked_for(world: World) {
        let ada = world.secured("ada").await;
        let account = all::<index::db::entities::accounts::Entity>(&world).await[0].id;
        given::minted(&world, account, "scope:user", "").await;
        let other = second(&ada).await;
        let fields = [change(PASSWORD, NEW).as_slice(), &[("end_sessions", "y"), ("revoke_tokens", "y")]].concat();
        assert_eq!(ada.browser.submit(CHANGE, CHANGE, &fields).await.location(), HOME);
        assert!(!is_in(&other).await && is_in(&ada.browser).await);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM api_tokens WHERE until_at IS NULL").await, 0);
        let event = &events_of(&world, "account:password:change").await[0].detail;
        assert!(event.contains("\"sessions_ended\":1") && event.contains("\"tokens_ended\":1"), "{event}");
        assert!(world.newest_mail_to(&ada.email).await.subject.contains("Your password was changed"));
        let browser = ada.known_browser();
        assert_eq!(ada.send_password(&browser).await.status(), 422, "the old one is wrong now");
        let fields = [("username", "ada"), ("password", NEW)];
        assert_eq!(browser.submit(LOGIN, LOGIN, &fields).await.location(), "/account/two-factor/");
    }

    async fn a_changed_password_leaves_what_was_not_asked_for(world: World) {
        let ada = world.secured("ada").await;
        let account = all::<index::db::entities::accounts::Entity>(&world).await[0].id;
        given::minted(&world, account, "scope:user", "").await;
        let other = second(&ada).await;
        assert_eq!(ada.browser.submit(CHANGE, CHANGE, &change(PASSWORD, NEW)).await.location(), HOME);
        assert!(is_in(&other).await);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM api_tokens WHERE until_at IS NULL").await, 1);
        assert!(!ada.known_browser().cookies()[DEVICES].is_empty());
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM devices WHERE until_at IS NOT NULL").await, 0);
    }

    /// ASVS-6.2.2, ASVS-6.2.3.
    async fn a_password_is_changed_only_with_the_present_one_and_to_a_good_one(world: World) {
        let ada = world.secured("ada").await;
        for (fields, field) in [
            (change("a-wrong-password", NEW), "password"),
            // What is wrong with the new one is not said to whoever lacks the present one.
            (change("a-wrong-password", "short"), "password"),
            (change(PASSWORD, "short"), "new_password"),
            (change(PASSWORD, "ada@people.example.org"), "new_password"),
            (change(PASSWORD, PASSWORD), "new_password"),
            ([("password", PASSWORD), ("new_password", NEW), ("password_confirm", PASSWORD)], "password_confirm"),
        ] {
            let answer = ada.browser.submit(CHANGE, CHANGE, &fields).await;
            assert_eq!(answer.status(), 422, "{fields:?}");
            assert!(answer.text().contains(&format!("id=\"error-{field}\"")), "{field}: {}", answer.text());
            assert!(!answer.text().contains(NEW), "what was typed as a password is never shown");
        }
        assert_eq!(events_of(&world, "account:password:change").await.len(), 0);
        assert_eq!(ada.send_password(&ada.known_browser()).await.location(), "/account/two-factor/");
    }

    /// Twenty stolen minutes with a cookie are not enough to guess the password: the tries are those of the login page.
    async fn the_present_password_cannot_be_guessed_from_a_stolen_session(world: World) {
        let ada = world.secured("ada").await;
        let thief = thief(&world, &ada.browser);
        let csrf = thief.get(CHANGE).await.csrf_token();
        for at in 0..11 {
            let fields = [change("a-wrong-password", NEW).as_slice(), &[("csrf_token", csrf.as_str())]].concat();
            assert_eq!(thief.post(CHANGE, &fields).await.status(), if at < 10 { 422 } else { 429 });
        }
    }

    /// INTERFACES 6: a form on the detour to a fresh session is shown again as text, without its secrets, and needs a new press.
    async fn a_form_survives_the_detour_and_needs_a_new_press(world: World) {
        let ada = world.secured("ada").await;
        world.advance(Duration::from_secs(16 * 60));
        let csrf = ada.browser.get(HOME).await.csrf_token();
        let fields = [change(PASSWORD, NEW).as_slice(), &[("csrf_token", csrf.as_str()), ("end_sessions", "y")]].concat();
        let answer = ada.browser.post(CHANGE, &fields).await;
        let to = answer.location();
        assert!(to.starts_with("/account/reauthenticate/?kept="), "{to}");
        assert!(ada.browser.get(&to).await.text().contains("Nothing was done yet"));
        let kept = ada.browser.get(&to).await.between("name=\"kept\" value=\"", "\"");
        let next = ada.browser.get(&to).await.between("name=\"next\" value=\"", "\"");
        assert_eq!(next, CHANGE);
        let code = ada.code();
        let answer = ada.browser.submit(&to, PROVE, &[("totp_value", &code), ("kept", &kept), ("next", &next)]).await;
        let page = ada.browser.get(&answer.location()).await;
        let text = page.text();
        assert!(text.contains("Send this form now?") && text.contains(&format!("action=\"{CHANGE}\"")), "{text}");
        assert!(text.contains("name=\"end_sessions\" value=\"y\"") && text.contains("name=\"new_password\" type=\"password\""), "{text}");
        assert!(!text.contains(PASSWORD) && !text.contains(NEW));
        assert_eq!(events_of(&world, "account:password:change").await.len(), 0, "nothing happens by itself");
        let fields = [change(PASSWORD, NEW).as_slice(), &[("end_sessions", "y")]].concat();
        assert_eq!(ada.browser.submit(&answer.location(), CHANGE, &fields).await.location(), HOME);
        for secret in [PASSWORD, NEW] {
            assert_eq!(world.number(&format!("SELECT COUNT(*) AS n FROM acts WHERE parameters LIKE '%{secret}%'")).await, 0);
        }
    }

    /// The same after an idle hour, for a form that wants no more than a session; and it is of its own session only.
    async fn a_form_survives_an_idle_hour_in_its_own_session_only(world: World) {
        let ada = world.secured("ada").await;
        let eve = world.secured("eve").await;
        let csrf = ada.browser.get(HOME).await.csrf_token();
        world.advance(HOUR);
        let to = ada.browser.post("/manage/account/emails/reverify/", &[("csrf_token", &csrf), ("email", "a@example.org")]).await.location();
        assert!(to.starts_with("/account/reauthenticate/?kept="), "{to}");
        let kept = ada.browser.get(&to).await.between("name=\"kept\" value=\"", "\"");
        let answer = ada.browser.submit(&to, PROVE, &[("password", PASSWORD), ("kept", &kept)]).await;
        let page = ada.browser.get(&answer.location()).await.text();
        assert!(page.contains("name=\"email\" value=\"a@example.org\""), "{page}");
        prove(&eve.browser, "password", PASSWORD).await;
        assert!(!eve.browser.get(&format!("{PROVE}?kept={kept}")).await.text().contains("a@example.org"));
    }

    async fn an_account_without_a_factor_changes_its_password_with_a_fresh_login(world: World) {
        let ada = world.verified("ada").await;
        world.advance(Duration::from_secs(16 * 60));
        assert!(ada.browser.get(CHANGE).await.location().starts_with(PROVE));
        assert_eq!(prove(&ada.browser, "password", PASSWORD).await.location(), HOME);
        assert_eq!(ada.browser.submit(CHANGE, CHANGE, &change(PASSWORD, NEW)).await.location(), HOME);
    }

    /// The form token is bound to the session's token: pages come fresh after it was renewed.
    async fn a_form_of_before_the_renewal_is_refused(world: World) {
        let ada = world.secured("ada").await;
        let csrf = ada.browser.get(HOME).await.csrf_token();
        freshen(&ada, &ada.browser).await;
        assert_eq!(ada.browser.post("/account/logout/", &[("csrf_token", &csrf)]).await.status(), 403);
    }
}
