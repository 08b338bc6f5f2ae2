//! Registration, the verification of addresses, set-up.

use std::time::Duration;

use index::accounts::addresses::Address;
use index::accounts::names::UserName;
use index::accounts::setup;
use index::act::act;
use index::ids::{AccountId, Site};
use index::policy::{Actor, CreateAccount, MakeSetupLink};

use super::signin::said;
use crate::people::{PASSWORD, register, token_of};
use crate::world::{Answer, Browser, World, both_engines};

const REGISTER: &str = "/account/register/";
const VERIFY: &str = "/account/verify-email/";

fn operator() -> Actor {
    Actor::operator("olga", "a-request".to_owned())
}

/// What `strongroom account create` does.
async fn create(world: &World, name: &str, administrator: bool) -> AccountId {
    let (env, name) = (world.env.clone(), name.to_owned());
    let operator = operator();
    let made = act::<CreateAccount, _, _>(&world.env, &operator, Site, move |tx, permit| {
        let (env, name) = (env.clone(), name.clone());
        Box::pin(async move {
            let (username, address) = (UserName::parse(&name)?, Address::parse(&format!("{name}@people.example.org"))?);
            setup::create(&env, tx, permit, (&username, &address), administrator).await
        })
    });
    made.await.expect("it is created")
}

/// What `strongroom account setup-link` and the first start do.
async fn setup_link(world: &World, account: Option<AccountId>) -> Option<String> {
    let env = world.env.clone();
    let operator = operator();
    let made = act::<MakeSetupLink, _, _>(&world.env, &operator, Site, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { setup::link(&env, tx, permit, account).await })
    });
    made.await.ok().map(|token| format!("/setup/?token={}", token.expose()))
}

async fn set_up(browser: &Browser<'_>, link: &str, name: &str) -> Answer {
    let email = format!("{name}@people.example.org");
    let page = browser.get(link).await;
    if page.status() != 200 {
        return page;
    }
    let token = token_of(link);
    let fields = [
        ("token", token.as_str()),
        ("name", ""),
        ("email", &email),
        ("username", name),
        ("new_password", PASSWORD),
        ("password_confirm", PASSWORD),
    ];
    browser.submit(link, "/setup/", &fields).await
}

both_engines! {
    /// ASVS-6.3.8.
    async fn a_known_address_and_an_unknown_one_are_answered_alike(world: World) {
        let ada = world.verified("ada").await;
        let before = world.number("SELECT COUNT(*) AS n FROM accounts").await;
        let known = register(&world.browser(), "adele", &ada.email.to_uppercase(), PASSWORD).await;
        let unknown = register(&world.browser(), "berta", "berta@people.example.org", PASSWORD).await;
        assert_eq!((known.status(), unknown.status()), (200, 200));
        let plain = |answer: &Answer, email: &str| {
            let request = answer.header("x-request-id").expect("a request id").to_owned();
            answer.text().replace(&request, "").replace(email, "")
        };
        assert_eq!(plain(&known, &ada.email.to_uppercase()), plain(&unknown, "berta@people.example.org"));
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM accounts").await, before + 2);
        let mail = world.newest_mail_to(&ada.email).await;
        assert!(!mail.text.contains("token="), "the owner is told, and the mail opens nothing: {}", mail.text);
    }

    async fn nothing_that_a_registrant_can_do_tells_whether_the_address_was_known(world: World) {
        let ada = world.verified("ada").await;
        register(&world.browser(), "adele", &ada.email, PASSWORD).await;
        register(&world.browser(), "berta", "berta@people.example.org", PASSWORD).await;
        let mut seen = Vec::new();
        for (name, email) in [("adele", ada.email.as_str()), ("berta", "berta@people.example.org")] {
            let browser = world.browser();
            let mut told = Vec::new();
            let again = register(&world.browser(), name, "else@people.example.org", PASSWORD).await;
            told.push((again.status(), String::new()));
            let fields = [("username", name), ("password", PASSWORD)];
            let answer = browser.submit("/account/login/", "/account/login/", &fields).await;
            told.push((answer.status(), answer.location()));
            let emails = "/manage/account/emails/";
            let answer = browser.submit(emails, "/manage/account/emails/reverify/", &[("email", email)]).await;
            told.push((answer.status(), answer.location()));
            let pages = [
                "/manage/account/", emails, "/manage/unverified-account/", "/manage/account/two-factor/", "/manage/account/security-history/",
                "/account/verify-mailbox/",
            ];
            for page in pages {
                let answer = browser.get(page).await;
                let request = answer.header("x-request-id").expect("a request id").to_owned();
                let mut text = answer.text().replace(&request, "").replace(email, "").replace(name, "");
                if text.contains("csrf_token") {
                    text = text.replace(&answer.csrf_token(), "");
                }
                told.push((answer.status(), text));
            }
            let asked = world.browser().submit("/account/request-password-reset/", "/account/request-password-reset/", &[("username_or_email", name)]).await;
            told.push((asked.status(), String::new()));
            seen.push(told);
        }
        let (known, unknown) = (&seen[0], &seen[1]);
        for (one, other) in known.iter().zip(unknown) {
            assert_eq!(one, other);
        }
        world.work().await;
        let link = "SELECT COUNT(*) AS n FROM links l JOIN accounts a ON a.id = l.account_id WHERE a.username = 'adele'";
        assert_eq!(world.number(link).await, 0, "no link was made for an address that another account has verified");
    }

    async fn the_owner_of_a_known_address_is_told_three_times_at_most(world: World) {
        let ada = world.verified("ada").await;
        for at in 0..5 {
            let answer = register(&world.browser(), &format!("eve{at}"), &ada.email, PASSWORD).await;
            assert_eq!(answer.status(), 200, "the stranger sees no difference");
        }
        let told = world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:register:known-address'").await;
        assert!((1..=3).contains(&told), "{told}");
    }

    async fn a_user_name_that_is_taken_or_looks_like_one_is_told(world: World) {
        world.registered("bill").await;
        for name in ["bill", "BILL", "b1ll", "bi-ll"] {
            let answer = register(&world.browser(), name, "other@people.example.org", PASSWORD).await;
            assert_eq!(answer.status(), 422, "{name}");
            assert!(answer.text().contains("This user name is taken"), "{}", answer.text());
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM accounts").await, 1);
    }

    async fn two_registrations_of_one_name_at_once_make_one_account_and_of_one_address_two(world: World) {
        let (one, two) = (world.browser(), world.browser());
        let both = tokio::join!(
            register(&one, "ada", "ada@people.example.org", PASSWORD),
            register(&two, "ada", "eve@people.example.org", PASSWORD)
        );
        let mut statuses = [both.0.status(), both.1.status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
        let both = tokio::join!(
            register(&one, "carl", "carl@people.example.org", PASSWORD),
            register(&two, "cora", "carl@people.example.org", PASSWORD)
        );
        assert_eq!((both.0.status(), both.1.status()), (200, 200));
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM accounts").await, 3);
        let open = "SELECT COUNT(*) AS n FROM addresses WHERE folded = 'carl@people.example.org' AND verified_at IS NULL AND until_at IS NULL";
        assert_eq!(world.number(open).await, 2, "R24: a claim keeps nobody out; whoever reads the mailbox verifies one");
    }

    /// ASVS-7.6.2.
    async fn registration_never_signs_in(world: World) {
        let ada = world.registered("ada").await;
        assert!(!ada.browser.cookies().keys().any(|name| name.contains("session")), "{:?}", ada.browser.cookies());
        assert_eq!(ada.browser.get("/manage/account/").await.status(), 303);
    }

    async fn a_form_that_is_refused_keeps_what_was_typed_but_never_a_password(world: World) {
        let browser = world.browser();
        let wrong = [
            ("ada", "no address", PASSWORD, PASSWORD, "not a mail address"),
            ("a b", "ada@people.example.org", PASSWORD, PASSWORD, "letters from A to Z"),
            ("ada", "ada@people.example.org", "short", "short", "12"),
            ("ada", "ada@people.example.org", "password1234", "password1234", "too easy to guess"),
            ("ada", "ada@people.example.org", PASSWORD, "wicker-orbit-plinth-43", "differ"),
        ];
        for (username, email, password, confirm, says) in wrong {
            let fields = [("name", "Ada L"), ("email", email), ("username", username), ("new_password", password), ("password_confirm", confirm)];
            let answer = browser.submit(REGISTER, REGISTER, &fields).await;
            assert_eq!(answer.status(), 422, "{says}");
            let text = answer.text();
            assert!(text.contains(says) && text.contains("Ada L") && text.contains(email), "{says}: {text}");
            assert!(!text.contains(&format!("value=\"{password}\"")) && !text.contains(confirm), "{text}");
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM accounts").await, 0);
    }

    async fn registrations_from_one_network_are_limited(world: World) {
        let browser = world.browser();
        for at in 0..10 {
            let name = format!("name{at}");
            assert_eq!(register(&browser, &name, &format!("{name}@people.example.org"), PASSWORD).await.status(), 200);
        }
        let answer = register(&browser, "more", "more@people.example.org", PASSWORD).await;
        assert_eq!(answer.status(), 429);
        assert!(answer.header("retry-after").is_some());
    }

    async fn opening_a_verification_link_changes_nothing_and_pressing_works_once(world: World) {
        let ada = world.registered("ada").await;
        let link = ada.verification_link().await;
        let scanner = world.browser();
        let page = scanner.get(&link).await;
        assert_eq!((page.status(), page.header("referrer-policy")), (200, Some("no-referrer")));
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM addresses WHERE verified_at IS NOT NULL").await, 0);
        ada.verify().await;
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM addresses WHERE verified_at IS NOT NULL").await, 1);
        assert_eq!(scanner.get(&link).await.status(), 410);
        let answer = scanner.submit(REGISTER, VERIFY, &[("token", &token_of(&link))]).await;
        assert_eq!(answer.status(), 410);
    }

    async fn a_verification_link_is_dead_after_a_day_and_after_a_newer_one(world: World) {
        let ada = world.registered("ada").await;
        ada.log_in().await;
        let old = ada.verification_link().await;
        let fields = [("email", ada.email.as_str())];
        let answer = ada.browser.submit("/manage/account/emails/", "/manage/account/emails/reverify/", &fields).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let new = ada.verification_link().await;
        assert_ne!(old, new);
        assert_eq!(world.browser().get(&old).await.status(), 410);
        assert_eq!(world.browser().get(&new).await.status(), 200);
        world.advance(Duration::from_secs(24 * 3600));
        let late = world.browser();
        assert_eq!(late.get(&new).await.status(), 410);
        assert_eq!(late.submit(REGISTER, VERIFY, &[("token", &token_of(&new))]).await.status(), 410);
    }

    async fn an_address_of_somebody_else_or_a_verified_one_gets_no_mail(world: World) {
        let ada = world.verified("ada").await;
        let eve = world.registered("eve").await;
        eve.log_in().await;
        let page = "/manage/account/emails/";
        let path = "/manage/account/emails/reverify/";
        let answer = eve.browser.submit(page, path, &[("email", &ada.email)]).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().contains("no such address"));
        let token = ada.browser.get("/account/logout/").await.csrf_token();
        let answer = ada.browser.post(path, &[("csrf_token", &token), ("email", &ada.email)]).await;
        assert_eq!(answer.status(), 422);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:email:reverify'").await, 0);
    }

    async fn a_link_made_for_one_purpose_opens_no_other(world: World) {
        let ada = world.registered("ada").await;
        let token = token_of(&ada.verification_link().await);
        let browser = world.browser();
        assert_eq!(browser.get(&format!("/account/reset-password/?token={token}")).await.status(), 410);
        assert_eq!(browser.get(&format!("/setup/?token={token}")).await.status(), 410);
        let fields = [("token", token.as_str()), ("new_password", PASSWORD), ("password_confirm", PASSWORD)];
        assert_eq!(browser.submit(REGISTER, "/account/reset-password/", &fields).await.status(), 410);
        assert_eq!(browser.submit(REGISTER, "/setup/", &fields).await.status(), 410);
    }

    async fn links_that_are_guessed_are_limited(world: World) {
        let browser = world.browser();
        let token = "A".repeat(43);
        for _ in 0..30 {
            assert_eq!(browser.submit(REGISTER, VERIFY, &[("token", &token)]).await.status(), 410);
        }
        assert_eq!(browser.submit(REGISTER, VERIFY, &[("token", &token)]).await.status(), 429);
    }

    /// ASVS-6.3.2, ASVS-6.4.1.
    async fn r32_the_first_administrator_comes_by_a_link_that_works_once_for_an_hour(world: World) {
        let first = setup_link(&world, None).await.expect("nobody administers yet");
        let second = setup_link(&world, None).await.expect("still nobody");
        assert_eq!(set_up(&world.browser(), &first, "olga").await.status(), 410, "a newer link ends the one before");
        world.advance(Duration::from_secs(3600));
        assert_eq!(set_up(&world.browser(), &second, "olga").await.status(), 410, "an hour is over");
        let third = setup_link(&world, None).await.expect("still nobody");
        assert_eq!(set_up(&world.browser(), &third, "olga").await.location(), "/account/login/");
        assert_eq!(set_up(&world.browser(), &third, "eve").await.status(), 410, "it worked once");
        assert!(setup_link(&world, None).await.is_none(), "there is an administrator");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM staff_roles WHERE until_at IS NULL").await, 1);
        // The address is not verified by a link that nobody mailed.
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM addresses WHERE verified_at IS NOT NULL").await, 0);
        assert!(world.newest_mail_to("olga@people.example.org").await.text.contains("/account/verify-email/"));
    }

    /// ASVS-6.4.6.
    async fn an_account_that_the_operator_made_keeps_its_name_and_address_whatever_the_form_says(world: World) {
        let account = create(&world, "bob", false).await;
        let refused = world.browser().submit("/account/login/", "/account/login/", &[("username", "bob"), ("password", "")]).await;
        assert_eq!(refused.status(), 422, "without a password nobody signs in");
        let link = setup_link(&world, Some(account)).await.expect("it is not complete");
        assert_eq!(set_up(&world.browser(), &link, "eve").await.location(), "/account/login/");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM accounts WHERE username = 'bob' AND password_hash IS NOT NULL").await, 1);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM addresses WHERE folded = 'eve@people.example.org'").await, 0);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM staff_roles").await, 0);
        assert!(setup_link(&world, Some(account)).await.is_none(), "it is complete");
        let wrong = world.browser().submit("/account/login/", "/account/login/", &[("username", "bob"), ("password", PASSWORD)]).await;
        assert_eq!(wrong.status(), 303);
    }

    /// ASVS-7.3.2.
    async fn an_administrators_session_ends_after_eight_hours(world: World) {
        let link = setup_link(&world, None).await.expect("nobody administers yet");
        let browser = world.browser();
        set_up(&browser, &link, "olga").await;
        browser.submit("/account/login/", "/account/login/", &[("username", "olga"), ("password", PASSWORD)]).await;
        for _ in 0..8 {
            assert_eq!(browser.get("/manage/account/").await.status(), 200);
            world.advance(Duration::from_secs(59 * 60));
        }
        world.advance(Duration::from_secs(8 * 60));
        assert_eq!(browser.get("/manage/account/").await.status(), 303);
    }

    async fn asking_again_shows_the_same_page_as_before(world: World) {
        let browser = world.browser();
        let (one, two) = (browser.get(REGISTER).await, browser.get(REGISTER).await);
        assert_eq!(said(&one, &[]), said(&two, &[]));
    }
}
