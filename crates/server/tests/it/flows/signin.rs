//! Signing in: every code, step and half-open sign-in is spent at most once; strangers learn nothing; sessions end when they end.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::http::Method;
use credentials::password::{Parameters, Password};
use credentials::secret::Secret;
use index::events::FAILURE_ROWS;
use index::policy::Credential;
use server::refusal::Face;
use server::routes;

use crate::people::{PASSWORD, Person};
use crate::world::{Answer, Browser, World, both_engines};

const LOGIN: &str = "/account/login/";
const TWO_FACTOR: &str = "/account/two-factor/";
const RECOVERY: &str = "/account/recovery-code/";
const HOME: &str = "/manage/account/";
const SESSION: &str = "__Host-strongroom_session";
const ATTEMPT: &str = "__Host-strongroom_attempt";

/// What a page says, without what differs in every answer.
pub fn said(answer: &Answer, typed: &[&str]) -> String {
    let request = answer.header("x-request-id").expect("a request id").to_owned();
    let mut text = answer.text().replace(&answer.csrf_token(), "").replace(&request, "");
    for word in typed {
        text = text.replace(word, "");
    }
    text
}

async fn try_password(browser: &Browser<'_>, username: &str, password: &str) -> Answer {
    browser.submit(LOGIN, LOGIN, &[("username", username), ("password", password)]).await
}

/// A browser in which the password of a secured person was accepted.
async fn half<'w>(world: &'w World, person: &Person<'w>) -> Browser<'w> {
    let _ = world;
    let browser = person.known_browser();
    assert_eq!(person.send_password(&browser).await.location(), TWO_FACTOR);
    browser
}

fn sorted(answers: [&Answer; 2]) -> [u16; 2] {
    let mut statuses = answers.map(Answer::status);
    statuses.sort_unstable();
    statuses
}

both_engines! {
    /// ASVS-6.3.8.
    async fn r25_an_unknown_name_and_a_wrong_password_are_answered_alike(world: World) {
        world.secured("ada").await;
        world.registered("bob").await;
        let browser = world.browser();
        let unknown = try_password(&browser, "nobody", "a-wrong-password").await;
        assert_eq!(unknown.status(), 422);
        for name in ["ada", "bob"] {
            let known = try_password(&browser, name, "a-wrong-password").await;
            assert_eq!(known.status(), 422);
            assert_eq!(said(&known, &[name]), said(&unknown, &["nobody"]));
        }
        assert!(!unknown.text().contains("a-wrong-password"), "what was typed as a password is never shown");
        assert!(!browser.cookies().contains_key(SESSION) && !browser.cookies().contains_key(ATTEMPT));
    }

    async fn a_right_password_of_a_secured_account_opens_nothing_but_the_factor(world: World) {
        let ada = world.secured("ada").await;
        let browser = half(&world, &ada).await;
        assert!(!browser.cookies().contains_key(SESSION));
        let token = browser.get(TWO_FACTOR).await.csrf_token();
        for row in routes::table() {
            let steps = [Credential::HalfSession, Credential::Nobody, Credential::MailLink, Credential::ApiToken];
            // Machines sign their calls, and are told so in their own language.
            if steps.iter().any(|kind| row.accepts.contains(*kind)) || row.accepts.contains(Credential::Signature) {
                continue;
            }
            let path = row.path.replace("{name}", "x").replace("{version}", "1");
            let answer = if row.method == Method::GET {
                browser.get(&path).await
            } else {
                browser.post(&path, &[("csrf_token", &token)]).await
            };
            let to = if row.face == Face::Script {
                assert_eq!(answer.status(), 401, "{} {path}", row.method);
                answer.json()["fail"]["redirect_to"].as_str().expect("a place").to_owned()
            } else {
                assert_eq!(answer.status(), 303, "{} {path}", row.method);
                answer.location()
            };
            assert!(to.starts_with(TWO_FACTOR), "{} {path} leads to {to}", row.method);
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions").await, 1, "the one in which the account was secured");
    }

    /// R26: a right password alone is no failure and costs no try; sent without end it fills no disk either.
    async fn r26_a_right_password_sent_without_end_is_counted(world: World) {
        let ada = world.secured("ada").await;
        let rows = "SELECT COUNT(*) AS n FROM events WHERE kind = 'account:login:password-proved'";
        let before = world.number(rows).await;
        for _ in 0..FAILURE_ROWS + 5 {
            half(&world, &ada).await;
        }
        let kept = world.number(rows).await - before;
        assert!((1..=FAILURE_ROWS).contains(&kept), "{kept} rows");
        world.advance(Duration::from_secs(1200));
        world.work().await;
        let counted = "SELECT COUNT(*) AS n FROM events WHERE kind = 'events:failures:counted' AND detail LIKE '%password-proved%'";
        assert_eq!(world.number(counted).await, 1);
    }

    /// PYPI-7.
    async fn a_half_open_sign_in_is_over_after_five_minutes(world: World) {
        let ada = world.secured("ada").await;
        let browser = half(&world, &ada).await;
        let token = browser.get(TWO_FACTOR).await.csrf_token();
        world.advance(Duration::from_secs(300));
        let answer = browser.post(TWO_FACTOR, &[("csrf_token", &token), ("totp_value", &ada.code())]).await;
        assert!(!browser.cookies().contains_key(SESSION), "{}", answer.status());
        assert_ne!(browser.get(HOME).await.status(), 200);
    }

    /// AUDIT-9, PYPI-3, ASVS-6.5.1.
    async fn a_totp_code_is_accepted_once_whatever_spaces_are_typed(world: World) {
        let ada = world.secured("ada").await;
        let code = ada.code();
        let browser = half(&world, &ada).await;
        assert_eq!(browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &code)]).await.location(), HOME);
        for replay in [code.clone(), format!(" {code}"), format!("{} {}", &code[..3], &code[3..]), format!("{code}\u{a0}\n")] {
            let thief = half(&world, &ada).await;
            let answer = thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &replay)]).await;
            assert_eq!(answer.status(), 422, "{replay:?}");
            assert!(!thief.cookies().contains_key(SESSION));
        }
        let older = ada.code_at(ada.step() - 1);
        let thief = half(&world, &ada).await;
        let answer = thief.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &older)]).await;
        assert_eq!(answer.status(), 422, "an older step is a replay too");
    }

    async fn a_totp_code_sent_from_two_places_at_once_signs_one_in(world: World) {
        let ada = world.secured("ada").await;
        let (one, two) = (half(&world, &ada).await, half(&world, &ada).await);
        let (first, second) = (one.get(TWO_FACTOR).await.csrf_token(), two.get(TWO_FACTOR).await.csrf_token());
        let code = ada.code();
        let first = [("csrf_token", first.as_str()), ("totp_value", &code)];
        let second = [("csrf_token", second.as_str()), ("totp_value", &code)];
        let both = tokio::join!(one.post(TWO_FACTOR, &first), two.post(TWO_FACTOR, &second));
        assert_eq!(sorted([&both.0, &both.1]), [303, 422]);
    }

    /// ASVS-6.5.1, NIST-L3, PYPI-6.
    async fn a_recovery_code_works_once_also_from_two_places_at_once(world: World) {
        let ada = world.secured("ada").await;
        let (one, two) = (half(&world, &ada).await, half(&world, &ada).await);
        let (first, second) = (one.get(RECOVERY).await.csrf_token(), two.get(RECOVERY).await.csrf_token());
        let code = ada.recovery_code();
        let first = [("csrf_token", first.as_str()), ("recovery_code_value", &code)];
        let second = [("csrf_token", second.as_str()), ("recovery_code_value", &code)];
        let both = tokio::join!(one.post(RECOVERY, &first), two.post(RECOVERY, &second));
        assert_eq!(sorted([&both.0, &both.1]), [303, 422]);
        let later = half(&world, &ada).await;
        assert_eq!(later.submit(RECOVERY, RECOVERY, &[("recovery_code_value", &code.to_uppercase())]).await.status(), 422);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM recovery_codes WHERE used_at IS NULL").await, 6);
    }

    async fn two_codes_sent_at_once_in_one_half_open_sign_in_open_one_session(world: World) {
        let ada = world.secured("ada").await;
        let browser = half(&world, &ada).await;
        let token = browser.get(TWO_FACTOR).await.csrf_token();
        let (totp, code) = (ada.code(), ada.recovery_code());
        let totp = [("csrf_token", token.as_str()), ("totp_value", &totp)];
        let recovery = [("csrf_token", token.as_str()), ("recovery_code_value", &code)];
        let both = tokio::join!(browser.post(TWO_FACTOR, &totp), browser.post(RECOVERY, &recovery));
        let opened = [&both.0, &both.1].iter().filter(|answer| answer.status() == 303 && answer.location() == HOME).count();
        assert_eq!(opened, 1);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions").await, 2, "the first one, and one more");
    }

    /// Property 7: a code that is pressed twice is spent once, and its browser goes on. The answer to the press that came too late once
    /// took the cookie away that the other had brought.
    async fn a_code_pressed_twice_leads_on_to_the_mailbox(world: World) {
        let ada = world.secured("ada").await;
        for _ in 0..5 {
            let browser = world.browser();
            ada.send_password(&browser).await;
            let (token, code) = (browser.get(TWO_FACTOR).await.csrf_token(), ada.code());
            let fields = [("csrf_token", token.as_str()), ("totp_value", &code)];
            let both = tokio::join!(browser.post(TWO_FACTOR, &fields), browser.post(TWO_FACTOR, &fields));
            let brings = |answer: &&Answer| answer.headers.get_all("set-cookie").iter().any(|c| c.to_str().is_ok_and(|c| c.contains(ATTEMPT)));
            assert_eq!([&both.0, &both.1].iter().filter(|answer| brings(answer)).count(), 1, "{both:?}");
            assert_eq!(browser.get(TWO_FACTOR).await.location(), "/account/confirm-login/");
            assert_eq!(ada.confirm_in(&browser, false).await.location(), HOME);
            assert!(browser.get(TWO_FACTOR).await.location().starts_with(LOGIN), "which leads whoever is signed in onwards");
            world.run("DELETE FROM limit_windows").await;
        }
    }

    /// R30: a sign-in that is over leads back to the login, and still to the page that was asked for.
    async fn a_sign_in_that_is_over_keeps_the_way(world: World) {
        let ada = world.secured("ada").await;
        let browser = half(&world, &ada).await;
        let wanted = "/manage/account/emails/";
        world.advance(Duration::from_secs(300));
        let mut at = browser.get(wanted).await.location();
        assert_eq!(at, "/account/two-factor/?next=%2Fmanage%2Faccount%2Femails%2F", "the cookie is still there");
        at = browser.get(&at).await.location();
        assert_eq!(at, "/account/login/?next=%2Fmanage%2Faccount%2Femails%2F");
    }

    async fn r5_a_recovery_code_signs_in_and_makes_nothing_fresh(world: World) {
        let ada = world.secured("ada").await;
        let browser = half(&world, &ada).await;
        let answer = browser.submit(RECOVERY, RECOVERY, &[("recovery_code_value", &ada.recovery_code())]).await;
        assert_eq!(answer.location(), HOME);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions WHERE proved_with = 'recovery_code' AND proved_at IS NULL").await, 1);
    }

    /// NIST-S4, NIST-S5.
    async fn cookies_are_host_secure_http_only_and_same_site(world: World) {
        let ada = world.secured("ada").await;
        let browser = ada.known_browser();
        let mut all = Vec::new();
        let page = browser.get(LOGIN).await;
        let token = page.csrf_token();
        let password = browser.post(LOGIN, &[("csrf_token", &token), ("username", "ada"), ("password", PASSWORD)]).await;
        let code = ada.code();
        let done = browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &code)]).await;
        for answer in [&page, &password, &done] {
            all.extend(answer.headers.get_all("set-cookie").iter().map(|v| v.to_str().expect("text").to_owned()));
        }
        assert!(all.len() >= 4, "{all:?}");
        for cookie in all {
            assert!(cookie.starts_with("__Host-"), "{cookie}");
            for part in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/"] {
                assert!(cookie.contains(part), "{cookie}");
            }
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
    }

    async fn r30_next_leads_nowhere_but_to_pages_of_this_index(world: World) {
        let ada = world.verified("ada").await;
        for evil in ["//evil.example", "https://evil.example/", "/\\evil.example", "/account/logout/", "/%2f/evil.example"] {
            let browser = ada.known_browser();
            let fields = [("username", "ada"), ("password", PASSWORD), ("next", evil)];
            let answer = browser.submit(LOGIN, LOGIN, &fields).await;
            assert_eq!(answer.location(), HOME, "{evil}");
        }
        let wanted = "/manage/account/emails/";
        let away = ada.known_browser();
        let asked = away.get(wanted).await;
        assert_eq!(asked.location(), "/account/login/?next=%2Fmanage%2Faccount%2Femails%2F");
        let fields = [("username", ada.username.as_str()), ("password", PASSWORD), ("next", wanted)];
        assert_eq!(away.submit(&asked.location(), LOGIN, &fields).await.location(), wanted);
    }

    /// NIST-S6.
    async fn r30_a_form_of_another_site_browser_or_session_is_refused(world: World) {
        let ada = world.verified("ada").await;
        let (mine, other) = (ada.known_browser(), world.browser());
        let token = mine.get(LOGIN).await.csrf_token();
        other.get(LOGIN).await;
        let fields = [("csrf_token", token.as_str()), ("username", "ada"), ("password", PASSWORD)];
        assert_eq!(other.post(LOGIN, &fields).await.status(), 403, "the form token of another browser");
        let body = || serde_urlencoded::to_string(fields).expect("text").into();
        let form = ("content-type", "application/x-www-form-urlencoded");
        for headers in [
            vec![form],
            vec![form, ("origin", "https://evil.example")],
            vec![form, ("origin", "null")],
            vec![form, ("origin", "https://index.example.org"), ("sec-fetch-site", "cross-site")],
            vec![form, ("origin", "https://index.example.org"), ("sec-fetch-site", "same-site")],
        ] {
            let answer = mine.request(Method::POST, LOGIN, body(), &headers).await;
            assert_eq!(answer.status(), 403, "{headers:?}");
        }
        assert_eq!(mine.post(LOGIN, &fields[1..]).await.status(), 403, "no form token");
        assert_eq!(mine.post(LOGIN, &fields).await.status(), 303);
        // The token that the browser had before it was signed in ended with that.
        assert_eq!(mine.post("/account/logout/", &fields[..1]).await.status(), 403);
    }

    /// ASVS-7.2.1, ASVS-7.4.1, NIST-S7.
    async fn a_session_ends_at_once_when_it_is_ended(world: World) {
        let ada = world.secured("ada").await;
        let stolen = ada.browser.cookies()[SESSION].clone();
        let thief = world.browser();
        thief.set_cookie(SESSION, &stolen);
        assert_eq!(thief.get(HOME).await.status(), 200);
        let answer = ada.browser.submit("/account/logout/", "/account/logout/", &[]).await;
        assert_eq!(answer.status(), 303);
        assert!(!ada.browser.cookies().contains_key(SESSION), "the cookie goes");
        assert_eq!(thief.get(HOME).await.status(), 303);
    }

    /// ASVS-7.3.1, ASVS-7.3.2, NIST-S1.
    async fn a_session_ends_when_it_is_idle_for_an_hour_or_twelve_hours_old(world: World) {
        let ada = world.secured("ada").await;
        for _ in 0..12 {
            world.advance(Duration::from_secs(59 * 60));
            assert_eq!(ada.browser.get(HOME).await.status(), 200);
        }
        world.advance(Duration::from_secs(13 * 60));
        assert_eq!(ada.browser.get(HOME).await.status(), 303, "twelve hours are over");
        ada.log_in().await;
        world.advance(Duration::from_secs(3600));
        assert_eq!(ada.browser.get(HOME).await.status(), 303, "an hour without a request");
    }

    /// OSSF-AN-1.5, ASVS-6.3.1, NIST-P9.
    async fn too_many_wrong_passwords_are_429_and_then_the_right_one_is_too(world: World) {
        world.verified("ada").await;
        let browser = world.browser();
        for name in ["ada", "ADA", "nobody"] {
            let from = IpAddr::V4(Ipv4Addr::new(198, 51, 100, u8::try_from(name.len()).expect("short") + name.as_bytes()[0]));
            let wrong = world.browser_from(from);
            let tries = if name == "nobody" { 10 } else { 5 };
            for _ in 0..tries {
                assert_eq!(try_password(&wrong, name, "a-wrong-password").await.status(), 422, "{name}");
            }
        }
        for name in ["ada", "nobody"] {
            let answer = try_password(&browser, name, PASSWORD).await;
            assert_eq!(answer.status(), 429, "{name}");
            assert!(answer.header("retry-after").is_some_and(|s| s.parse::<u64>().is_ok_and(|s| s > 0)));
            assert!(!browser.cookies().contains_key(SESSION));
        }
        world.advance(Duration::from_secs(600));
        assert_eq!(try_password(&browser, "ada", PASSWORD).await.status(), 303);
    }

    async fn a_network_that_guesses_many_names_is_429(world: World) {
        let browser = world.browser();
        for at in 0..10 {
            assert_eq!(try_password(&browser, &format!("name{at}"), "a-wrong-password").await.status(), 422);
        }
        assert_eq!(try_password(&browser, "another", "a-wrong-password").await.status(), 429);
        let elsewhere = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
        assert_eq!(try_password(&elsewhere, "another", "a-wrong-password").await.status(), 422);
    }

    /// OSSF-AN-1.5, PYPI-5, NIST-L5, NIST-O4, NIST-T2.
    async fn wrong_factors_are_limited_and_right_ones_are_given_back(world: World) {
        let ada = world.secured("ada").await;
        for _ in 0..7 {
            let browser = half(&world, &ada).await;
            let code = ada.code();
            assert_eq!(browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &code)]).await.location(), HOME);
        }
        let browser = half(&world, &ada).await;
        for _ in 0..5 {
            assert_eq!(browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", "no code")]).await.status(), 422);
        }
        let code = ada.code();
        let answer = browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &code)]).await;
        assert_eq!(answer.status(), 429);
        let answer = browser.submit(RECOVERY, RECOVERY, &[("recovery_code_value", &ada.recovery_code())]).await;
        assert_eq!(answer.status(), 429, "recovery codes share the limit");
        assert!(answer.header("retry-after").is_some());
    }

    async fn p12_when_limits_cannot_be_counted_nobody_signs_in(world: World) {
        let ada = world.secured("ada").await;
        let browser = half(&world, &ada).await;
        let token = browser.get(TWO_FACTOR).await.csrf_token();
        world.run("ALTER TABLE limit_windows RENAME TO limit_windows_gone").await;
        let answer = browser.post(TWO_FACTOR, &[("csrf_token", &token), ("totp_value", &ada.code())]).await;
        assert_eq!(answer.status(), 500);
        let other = world.browser();
        assert_eq!(ada.send_password(&other).await.status(), 500);
        assert!(!browser.cookies().contains_key(SESSION) && !other.cookies().contains_key(ATTEMPT));
    }

    /// NIST-P11.
    async fn a_hash_with_other_parameters_is_upgraded_at_login(world: World) {
        let ada = world.verified("ada").await;
        let older = Parameters { memory_kib: 32, passes: 1, lanes: 1 };
        let password = Password::typed(&Secret::new(PASSWORD));
        let hash = credentials::password::hash(&password, older, &world.env.keys, &*world.env.entropy);
        world.run(&format!("UPDATE accounts SET password_hash = '{hash}'")).await;
        ada.log_in_with(&world.browser()).await;
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM accounts WHERE password_hash LIKE '%m=64,%'").await, 1);
        ada.log_in_with(&world.browser()).await;
    }

    async fn r29_no_secret_stands_in_events_or_jobs(world: World) {
        let ada = world.registered("ada").await;
        let link = ada.verification_link().await;
        ada.verify().await;
        ada.log_in().await;
        let code = ada.mailbox_code().await;
        ada.browser.submit("/account/verify-mailbox/", "/account/verify-mailbox/", &[("mailbox_code", &code)]).await;
        ada.save_codes().await;
        let mut ada = ada;
        ada.enrol().await;
        try_password(&world.browser(), "ada", "typed-by-mistake-1").await;
        try_password(&world.browser(), "typed-as-a-name-2", "x").await;
        let browser = half(&world, &ada).await;
        let totp = ada.code();
        browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &totp)]).await;
        world.work().await;
        let mut secrets = vec![PASSWORD.to_owned(), crate::people::token_of(&link), ada.browser.cookies()[SESSION].clone()];
        secrets.extend(["typed-by-mistake-1", "typed-as-a-name-2", "people.example.org", "192.0.2.7"].map(str::to_owned));
        secrets.push(ada.totp.as_ref().expect("enrolled").base32().expose().to_owned());
        secrets.extend(ada.codes.lock().expect("not poisoned").clone());
        for secret in secrets {
            for (table, columns) in [("events", "detail"), ("jobs", "payload")] {
                let found = world.number(&format!("SELECT COUNT(*) AS n FROM {table} WHERE {columns} LIKE '%{secret}%'")).await;
                let allowed = table == "jobs" && secret == "people.example.org";
                assert!(found == 0 || allowed, "{secret} stands in {table}");
            }
        }
        let quoted = |code: &str| format!("SELECT COUNT(*) AS n FROM events WHERE detail LIKE '%\"{code}\"%'");
        assert_eq!(world.number(&quoted(&code)).await + world.number(&quoted(&totp)).await, 0);
    }

    async fn the_history_tells_of_every_attempt_in_plain_words(world: World) {
        let ada = world.secured("ada").await;
        let stranger = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
        try_password(&stranger, "ada", "a-wrong-password").await;
        let page = ada.browser.get("/manage/account/security-history/").await.text();
        for words in ["A sign-in failed: the password was wrong.", "203.0.113.9", "8 recovery codes were made.", "Signed in with a password alone."] {
            assert!(page.contains(words), "{words} in {page}");
        }
        let eve = world.secured("eve").await;
        assert!(!eve.browser.get("/manage/account/security-history/").await.text().contains("203.0.113.9"));
    }

    async fn the_history_is_paged_and_loses_nothing(world: World) {
        let ada = world.secured("ada").await;
        for _ in 0..25 {
            let browser = half(&world, &ada).await;
            let code = ada.code();
            browser.submit(TWO_FACTOR, TWO_FACTOR, &[("totp_value", &code)]).await;
        }
        let mut path = "/manage/account/security-history/".to_owned();
        let (mut rows, mut pages) = (0, 0);
        loop {
            let page = ada.browser.get(&path).await;
            rows += page.text().matches("<th scope=\"row\"").count();
            pages += 1;
            if !page.text().contains("Older events") {
                break;
            }
            path = format!("/manage/account/security-history/?before={}", page.between("?before=", "\""));
        }
        let all = world.number("SELECT COUNT(*) AS n FROM events WHERE account_id IS NOT NULL OR actor_account_id IS NOT NULL").await;
        assert_eq!((i64::try_from(rows).expect("few"), pages > 1), (all, true));
    }
}
