//! A new password by mail: strangers learn nothing, the factor stays needed, links die early.

use std::time::Duration;

use super::signin::said;
use crate::given;
use crate::people::{PASSWORD, Person, token_of};
use crate::world::{Answer, Browser, World, both_engines};

const REQUEST: &str = "/account/request-password-reset/";
const RESET: &str = "/account/reset-password/";
const NEW: &str = "lantern-gravel-otter-77";

async fn ask(browser: &Browser<'_>, typed: &str) -> Answer {
    browser.submit(REQUEST, REQUEST, &[("username_or_email", typed)]).await
}

async fn link_for(person: &Person<'_>) -> String {
    assert_eq!(ask(&person.browser.world.browser(), &person.username).await.status(), 200);
    person.browser.world.newest_mail_to(&person.email).await.link(RESET)
}

async fn set(browser: &Browser<'_>, link: &str, password: &str) -> Answer {
    let token = token_of(link);
    browser.submit(REQUEST, RESET, &[("token", &token), ("new_password", password), ("password_confirm", password)]).await
}

both_engines! {
    /// ASVS-6.3.8, PYPI-18.
    async fn known_and_unknown_names_and_addresses_are_answered_alike(world: World) {
        let ada = world.secured("ada").await;
        let bob = world.registered("bob").await;
        let unknown = ask(&world.browser(), "nobody").await;
        let plain = |answer: &Answer| {
            let request = answer.header("x-request-id").expect("a request id").to_owned();
            answer.text().replace(&request, "")
        };
        assert_eq!(unknown.status(), 200);
        for typed in ["ada", &ada.email, "bob", &bob.email, "nobody@people.example.org", "@", "\u{0}"] {
            let answer = ask(&world.browser(), typed).await;
            assert_eq!((answer.status(), plain(&answer)), (200, plain(&unknown)), "{typed}");
        }
        let sent = world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:password:reset:request'").await;
        assert_eq!(sent, 2, "to the verified address of ada, asked for by name and by address");
        let page = world.browser();
        assert_eq!(said(&page.get(REQUEST).await, &[]), said(&page.get(REQUEST).await, &[]));
    }

    /// NIST-R7.
    /// ASVS-6.4.3.
    async fn a_reset_ends_all_sessions_signs_nobody_in_and_never_skips_the_factor(world: World) {
        let mut ada = world.secured("ada").await;
        let link = link_for(&ada).await;
        let browser = world.browser();
        let answer = set(&browser, &link, NEW).await;
        assert_eq!(answer.location(), "/account/login/");
        assert_eq!(browser.get("/manage/account/").await.status(), 303, "nobody is signed in by it");
        assert_eq!(ada.browser.get("/manage/account/").await.status(), 303, "the old session ended");
        let old = ada.send_password(&browser).await;
        assert_eq!(old.status(), 422, "the old password is gone");
        ada.password = NEW.to_owned();
        assert_eq!(ada.send_password(&browser).await.location(), "/account/two-factor/");
    }

    /// Issue 3: what a thief may have minted is offered for revocation where the password is set.
    async fn a_reset_deletes_api_tokens_when_asked_to_and_not_else(world: World) {
        let ada = world.secured("ada").await;
        let account = given::account_id(&world, "ada").await;
        given::minted(&world, account, "scope:user", "").await;
        let open = async || world.number("SELECT COUNT(*) AS n FROM api_tokens WHERE until_at IS NULL").await;
        let link = link_for(&ada).await;
        let page = world.browser().get(&link).await.text();
        assert!(page.contains("name=\"revoke_tokens\"") && !page.contains("value=\"y\" checked"), "{page}");
        assert_eq!(set(&world.browser(), &link, NEW).await.status(), 303);
        assert_eq!(open().await, 1);
        let (link, browser) = (link_for(&ada).await, world.browser());
        let token = token_of(&link);
        let send = async |password: &str| {
            let fields = [("token", token.as_str()), ("new_password", password), ("password_confirm", password), ("revoke_tokens", "y")];
            browser.submit(REQUEST, RESET, &fields).await
        };
        let refused = send("short").await;
        assert!(refused.status() == 422 && refused.text().contains("value=\"y\" checked"), "the box stays as it was set: {}", refused.text());
        assert_eq!(open().await, 1, "nothing was set");
        assert_eq!(send("harbour-quilt-saffron-77").await.status(), 303);
        assert_eq!(open().await, 0);
        let told = given::events_of(&world, "account:password:reset").await;
        let ended: Vec<bool> = told.iter().map(|event| event.detail.contains("\"tokens_ended\":1")).collect();
        assert_eq!(ended, [false, true], "{told:?}");
    }

    /// PYPI-19, ASVS-6.4.1.
    async fn a_reset_link_works_once_for_half_an_hour_and_not_after_a_login(world: World) {
        let mut ada = world.secured("ada").await;
        let first = link_for(&ada).await;
        assert_eq!(set(&world.browser(), &first, NEW).await.status(), 303);
        assert_eq!(set(&world.browser(), &first, PASSWORD).await.status(), 410, "used");
        ada.password = NEW.to_owned();
        let second = link_for(&ada).await;
        ada.log_in_with(&world.browser()).await;
        assert_eq!(set(&world.browser(), &second, PASSWORD).await.status(), 410, "somebody logged in");
        let third = link_for(&ada).await;
        world.advance(Duration::from_secs(30 * 60));
        assert_eq!(world.browser().get(&third).await.status(), 410, "half an hour is over");
        assert_eq!(set(&world.browser(), &third, PASSWORD).await.status(), 410);
    }

    async fn a_reset_ends_half_open_sign_ins(world: World) {
        let ada = world.secured("ada").await;
        let half = world.browser();
        ada.send_password(&half).await;
        let token = half.get("/account/two-factor/").await.csrf_token();
        let link = link_for(&ada).await;
        set(&world.browser(), &link, NEW).await;
        let answer = half.post("/account/two-factor/", &[("csrf_token", &token), ("totp_value", &ada.code())]).await;
        assert_eq!(answer.status(), 303);
        assert_eq!(half.get("/manage/account/").await.status(), 303, "the password that was proved is gone");
    }

    async fn a_password_that_cannot_be_chosen_leaves_the_link_good(world: World) {
        let ada = world.verified("ada").await;
        let link = link_for(&ada).await;
        let browser = world.browser();
        for weak in ["short", "ada@people.example.org", "aaaaaaaaaaaa"] {
            let answer = set(&browser, &link, weak).await;
            assert_eq!(answer.status(), 422, "{weak}");
        }
        assert_eq!(set(&browser, &link, NEW).await.status(), 303);
    }

    /// PYPI-18, AUDIT-5.
    async fn administrators_and_frozen_accounts_get_no_link(world: World) {
        let ada = world.verified("ada").await;
        let account = "SELECT id FROM accounts WHERE username = 'ada'";
        world.run(&format!(
            "INSERT INTO staff_roles (id, account_id, role, from_at, began_by) SELECT id, id, 'administrator', 0, id FROM ({account}) a"
        )).await;
        assert_eq!(ask(&world.browser(), "ada").await.status(), 200);
        let sent = world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:password:reset:request'").await;
        let tried = world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:password:reset:attempt'").await;
        assert_eq!((sent, tried), (0, 1));
        let page = ada.browser.get("/manage/account/security-history/").await.text();
        assert!(page.contains("no link was sent: administrators ask the operator"), "{page}");
    }

    /// The same page for everybody: administrators, frozen accounts and addresses that nobody verified are not told apart.
    async fn an_administrator_a_frozen_account_and_a_stranger_are_answered_alike(world: World) {
        for name in ["boss", "ada"] { world.verified(name).await; }
        world.run(
            "INSERT INTO staff_roles (id, account_id, role, from_at, began_by) SELECT id, id, 'administrator', 0, id FROM accounts WHERE username = 'boss'"
        ).await;
        world.run(
            "INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) SELECT id, id, 'frozen', 'a drill', 0, id FROM accounts WHERE username = 'ada'"
        ).await;
        let plain = |answer: &Answer| {
            let request = answer.header("x-request-id").expect("a request id").to_owned();
            answer.text().replace(&request, "")
        };
        let unknown = ask(&world.browser(), "nobody").await;
        for typed in ["boss", "ada"] {
            let answer = ask(&world.browser(), typed).await;
            assert_eq!((answer.status(), plain(&answer)), (200, plain(&unknown)), "{typed}");
        }
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:password:reset:request'").await, 0);
    }

    /// The same time for everybody: no answer comes before the time that the slowest of them needs.
    async fn no_answer_comes_before_its_time(world: World) {
        world.verified("ada").await;
        for typed in ["ada", "nobody", "nobody@people.example.org", "ada@people.example.org"] {
            let browser = world.browser();
            let token = browser.get(REQUEST).await.csrf_token();
            let began = index::clock::Stopwatch::start();
            let answer = browser.post(REQUEST, &[("csrf_token", &token), ("username_or_email", typed)]).await;
            assert!(answer.status() == 200 && began.elapsed() >= index::signin::reset::ANSWER_AFTER, "{typed}: {:?}", began.elapsed());
        }
    }

    async fn a_login_ends_the_link_of_an_account_without_a_factor_too(world: World) {
        let ada = world.verified("ada").await;
        let link = link_for(&ada).await;
        assert_eq!(world.browser().get(&link).await.status(), 200);
        ada.log_in_with(&world.browser()).await;
        assert_eq!(world.browser().get(&link).await.status(), 410);
        assert_eq!(set(&world.browser(), &link, NEW).await.status(), 410);
    }

    /// P10: every address of the account is told, not only the one that the link went to.
    async fn every_address_of_the_account_is_told_of_a_new_password(world: World) {
        let ada = world.verified("ada").await;
        world.run(
            "INSERT INTO addresses (id, account_id, address, folded, is_primary, verified_at, from_at, began_by) \
             SELECT account_id, account_id, 'second@people.example.org', 'second@people.example.org', FALSE, verified_at, from_at, began_by \
             FROM addresses WHERE folded = 'ada@people.example.org' AND until_at IS NULL"
        ).await;
        let link = link_for(&ada).await;
        assert_eq!(set(&world.browser(), &link, NEW).await.status(), 303);
        let all = world.mail().await;
        for address in ["ada@people.example.org", "second@people.example.org"] {
            let told = all.iter().filter(|mail| mail.to.contains(address) && mail.subject.contains("A new password was chosen"));
            assert_eq!(told.count(), 1, "{address}");
        }
    }

    async fn what_was_typed_is_limited_alike_for_known_and_unknown(world: World) {
        world.verified("ada").await;
        for typed in ["ada", "nobody"] {
            for _ in 0..3 {
                assert_eq!(ask(&world.browser(), typed).await.status(), 200);
            }
            let answer = ask(&world.browser(), typed).await;
            assert_eq!(answer.status(), 429, "{typed}");
            assert!(answer.header("retry-after").is_some());
        }
        // The address of the same account has a bound of its own that nobody sees.
        assert_eq!(ask(&world.browser(), "ada@people.example.org").await.status(), 200);
        let sent = world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:password:reset:request'").await;
        assert_eq!(sent, 3);
    }

    async fn the_well_known_address_leads_to_the_page(world: World) {
        let answer = world.browser().get("/.well-known/change-password").await;
        assert_eq!((answer.status(), answer.location()), (302, REQUEST.to_owned()));
    }
}
