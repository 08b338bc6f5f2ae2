//! The two ways back beside each other: what staff put back as it stood (P7, R18), and what the owner takes back (R16). Neither opens the
//! other's door to a thief.

use std::time::Duration;

use index::Refused;
use index::db::entities::{cases, role_grants, take_back_waits};
use index::ids::AccountId;
use index::resources::Restorable;

use super::not_me::{link, press};
use super::people::project;
use super::restoring::{end, of, restore, undo};
use super::staff::administrator;
use super::take_back::{NEW, begin, confirm, prove_mailbox};
use crate::authenticator::Key;
use crate::dist::wheel;
use crate::given::{self, all, events_of, upload};
use crate::holding::{DAY, HOUR, newest};
use crate::people::Person;
use crate::team::{invite, members};
use crate::world::{Browser, World, both_engines};

const PAGE: &str = "/account/take-back/";
const HOME: &str = "/manage/account/";

async fn open(world: &World, table: &str) -> i64 {
    world.number(&format!("SELECT COUNT(*) AS n FROM {table} WHERE until_at IS NULL")).await
}

/// What a thief does to an account: another primary address, the owner's address and app gone.
async fn stolen(world: &World, ada: AccountId) {
    given::address(world, ada, "thief@example.net").await;
    world.run("UPDATE addresses SET is_primary = FALSE WHERE folded = 'ada@people.example.org'").await;
    world.run("UPDATE addresses SET is_primary = TRUE WHERE folded = 'thief@example.net'").await;
    end(world, "addresses", "folded = 'ada@people.example.org'").await;
    end(world, "factors", "kind = 'totp'").await;
}

/// The owner goes the whole way in a browser of her own.
async fn take_back(world: &World, ada: &Person<'_>) -> u16 {
    let browser = world.browser();
    begin(&browser, "ada").await;
    assert_eq!(prove_mailbox(&browser, &ada.email).await.status(), 303);
    let answer = browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    confirm(&browser, &[]).await.status()
}

/// She signs in with the new password and her app.
async fn signs_in<'w>(world: &'w World, ada: &Person<'w>) -> Browser<'w> {
    let browser = world.browser();
    let answer = browser.submit("/account/login/", "/account/login/", &[("username", "ada"), ("password", NEW)]).await;
    assert_eq!(answer.location(), "/account/two-factor/", "{}", answer.text());
    browser.submit("/account/two-factor/", "/account/two-factor/", &[("totp_value", &ada.code())]).await;
    assert_eq!(ada.confirm_in(&browser, true).await.location(), HOME);
    browser
}

both_engines! {
    /// R16, R18: what a restore stopped is taken back by its owner, with the mailbox that it brought back and the app that it did not; until
    /// then nobody uses it, and the tokens wait for her word beyond that.
    async fn r16_r18_the_owner_takes_a_restored_account_back(world: World) {
        let ada = world.secured("ada").await;
        world.advance(31 * DAY);
        let id = given::account_id(&world, "ada").await;
        let token = given::minted(&world, id, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let before = world.env.now();
        world.advance(31 * DAY);
        stolen(&world, id).await;
        end(&world, "api_tokens", &of("ada")).await;
        end(&world, "roles", &of("ada")).await;
        world.advance(5 * DAY);
        restore(&world, Restorable::Account(id), before).await;

        let leads = ada.send_password(&world.browser()).await;
        assert_eq!((leads.status(), leads.location().as_str()), (303, PAGE), "the password opens the way back and nothing else");
        assert_eq!(open(&world, "factors").await, 0, "R18: no factor came back with it");
        assert_eq!(take_back(&world, &ada).await, 200);
        assert_eq!((open(&world, "factors").await, open(&world, "account_causes").await), (1, 0), "her app is back, by her own proof");
        let told = world.mail().await.iter().filter(|mail| mail.to.contains("thief") && mail.subject.contains("code to take")).count();
        assert_eq!(told, 0);
        let kinds: Vec<(String, bool)> = all::<cases::Entity>(&world).await.into_iter().map(|row| (row.kind, row.closed_at.is_some())).collect();
        assert!(kinds.contains(&("take-back".to_owned(), true)) && kinds.contains(&("restore".to_owned(), false)), "{kinds:?}");
        let browser = signs_in(&world, &ada).await;
        assert!(browser.get("/manage/account/token/").await.text().contains("Confirm this token"));
        let answer = upload(&world, &token, &wheel("spam", "1.1").build()).await;
        assert!(answer.status() == 403 && answer.text().contains("paused"), "a take-back confirms no token: {}", answer.text());
    }

    /// R16: a theft that is found late. What the thief added has stood for more than 30 days when the restore ends it, and what the owner
    /// had is gone for longer: the restore must not hand the account to the thief.
    async fn r16_what_a_restore_ended_is_no_way_back_for_the_thief(world: World) {
        let (ada, _) = world.secured_with_key("ada", Key::passkey()).await;
        let id = given::account_id(&world, "ada").await;
        world.advance(40 * DAY);
        let before = world.env.now();
        world.advance(HOUR);
        stolen(&world, id).await;
        // The passkey is the thief's.
        world.run(&format!("UPDATE factors SET from_at = {} WHERE kind = 'webauthn'", world.env.now().as_micros())).await;
        world.advance(35 * DAY);
        restore(&world, Restorable::Account(id), before).await;

        let browser = world.browser();
        begin(&browser, "ada").await;
        browser.submit(PAGE, PAGE, &[]).await;
        let codes: Vec<String> = world.mail().await.into_iter().filter(|mail| mail.subject.contains("code to take")).map(|mail| mail.to).collect();
        assert!(codes.len() == 1 && codes[0].contains(&ada.email), "{codes:?}");
        let code = world.newest_mail_to(&ada.email).await.code();
        browser.submit(PAGE, PAGE, &[("mailbox_code", &code)]).await;
        let page = browser.get(PAGE).await.text();
        assert!(!page.contains("data-key-at"), "the thief's passkey proves nothing: {page}");
        // With her mailbox alone it takes three days, and then it is hers (R16).
        assert_eq!(browser.submit(PAGE, PAGE, &[("wait", "y")]).await.status(), 303);
        world.work().await;
        world.advance(72 * HOUR);
        let browser = world.browser();
        begin(&browser, "ada").await;
        prove_mailbox(&browser, &ada.email).await;
        assert_eq!(confirm(&browser, &[]).await.status(), 200);
        assert_eq!((open(&world, "factors").await, open(&world, "account_causes").await), (0, 0));
    }

    /// R16: the undo of that restore makes it count again: it was the wrong time.
    async fn an_undone_restore_takes_no_proof_away(world: World) {
        let ada = world.secured("ada").await;
        let id = given::account_id(&world, "ada").await;
        let first = world.env.now();
        world.advance(HOUR);
        world.run(&format!("UPDATE factors SET from_at = {}", world.env.now().as_micros())).await;
        world.advance(40 * DAY);
        given::minted(&world, id, "scope:user", "").await;
        let (batch, _) = restore(&world, Restorable::Account(id), first).await.done.expect("the app came since");
        assert_eq!(open(&world, "factors").await, 0);
        let undone = undo(&world, batch).await.expect("it can be undone").batch;
        let link = link(&world, &ada.email).await;
        press(&world.browser(), &link).await;
        let proved = async || {
            world.advance(HOUR);
            let browser = world.browser();
            begin(&browser, "ada").await;
            assert_eq!(prove_mailbox(&browser, &ada.email).await.status(), 303);
            browser.submit(PAGE, PAGE, &[("totp_value", &ada.code())]).await.status()
        };
        assert_eq!(proved().await, 303, "it counts");
        let redone = undo(&world, undone).await.expect("so can the undo").batch;
        assert_eq!(proved().await, 422, "the restore stands again");
        undo(&world, redone).await.expect("and so on");
        world.advance(HOUR);
        assert_eq!(take_back(&world, &ada).await, 200);
        assert_eq!(open(&world, "factors").await, 1);
    }

    /// R16, R18: a restore after a take-back stops the account again, because the password is not what it was at that time; nothing that
    /// she has since then works until she has taken it back once more. And a restore from before her take-back is not undone over her head.
    async fn r16_r18_a_restore_after_a_take_back_waits_for_the_owner_again(world: World) {
        let ada = world.secured("ada").await;
        world.advance(31 * DAY);
        let id = given::account_id(&world, "ada").await;
        let before = world.env.now();
        world.advance(HOUR);
        stolen(&world, id).await;
        world.advance(HOUR);
        let (batch, _) = restore(&world, Restorable::Account(id), before).await.done.expect("it did something");
        assert_eq!(take_back(&world, &ada).await, 200);
        let browser = signs_in(&world, &ada).await;
        assert_eq!(browser.get(HOME).await.status(), 200);

        let Err(Refused::Invalid(refused)) = undo(&world, batch).await else { panic!("the undo would bring the thief's address back") };
        assert!(refused.message.contains("taken the account back"), "{}", refused.message);
        let theirs = "SELECT COUNT(*) AS n FROM addresses WHERE until_at IS NULL AND folded = 'thief@example.net'";
        assert_eq!(world.number(theirs).await, 0);

        world.advance(HOUR);
        restore(&world, Restorable::Account(id), before).await;
        assert_eq!(browser.get(HOME).await.status(), 303, "every session ends");
        assert_eq!(open(&world, "account_causes").await, 1);
        assert_eq!(open(&world, "factors").await, 1, "her app is the one that stood then, by its age");
        assert_eq!(take_back(&world, &ada).await, 200);
        assert_eq!((open(&world, "factors").await, open(&world, "account_causes").await), (1, 0));
        assert_eq!(world.number(theirs).await, 0);
        signs_in(&world, &ada).await;
    }

    /// R18: what somebody could still hold ends with a restore, also where nobody is signed in: a link to a new password, a way back that
    /// was begun, a wait with one proof of the two.
    async fn r18_a_restore_ends_links_and_ways_back_though_nobody_is_signed_in(world: World) {
        let ada = world.secured("ada").await;
        let grace = world.secured("grace").await;
        world.advance(31 * DAY);
        let (id, other) = (given::account_id(&world, "ada").await, given::account_id(&world, "grace").await);
        let before = world.env.now();
        world.advance(HOUR);
        let ask = "/account/request-password-reset/";
        world.browser().submit(ask, ask, &[("username_or_email", "grace")]).await;
        let reset = world.newest_mail_to(&grace.email).await.link("/account/reset-password/");
        given::minted(&world, id, "scope:user", "").await;
        let link = link(&world, &ada.email).await;
        press(&world.browser(), &link).await;
        let waiting = world.browser();
        begin(&waiting, "ada").await;
        prove_mailbox(&waiting, &ada.email).await;
        assert_eq!(waiting.submit(PAGE, PAGE, &[("wait", "y")]).await.status(), 303);
        world.work().await;
        world.run("UPDATE sessions SET until_at = 1").await;
        world.run("UPDATE devices SET until_at = 1").await;
        assert_eq!(world.browser().get(&reset).await.status(), 200);
        restore(&world, Restorable::Account(other), before).await;
        assert_eq!(world.browser().get(&reset).await.status(), 410, "the link is dead");

        restore(&world, Restorable::Account(id), before).await;
        assert!(waiting.get(PAGE).await.text().contains("action=\"/account/take-back/begin/\""), "the way back that was begun is over");
        assert!(all::<take_back_waits::Entity>(&world).await.iter().all(|row| row.until_at.is_some()));
        world.advance(73 * HOUR);
        let browser = world.browser();
        begin(&browser, "ada").await;
        prove_mailbox(&browser, &ada.email).await;
        assert_eq!(confirm(&browser, &[]).await.location(), PAGE, "its time begins anew, and everybody is told again");
    }

    /// R15: who gave a role answers for it, also when it ended by a restore and is back by its undo.
    async fn r15_a_role_that_is_put_back_is_still_its_givers(world: World) {
        let [ada, eve] = members(&world, ["ada", "eve"]).await;
        let id = project(&world, "spam", &[ada.account]).await;
        let before = world.env.now();
        world.advance(HOUR);
        ada.invite(&world, "spam", "eve", "Owner").await;
        eve.accept(&world, "spam").await;
        let token = given::minted(&world, eve.account, "scope:user", "").await.text.expose().to_owned();
        world.advance(HOUR);
        let (batch, _) = restore(&world, Restorable::Project(id), before).await.done.expect("it did something");
        assert_eq!(eve.is(&world).await, "");
        undo(&world, batch).await.expect("it can be undone");
        assert_eq!(eve.is(&world).await, "Owner");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let role = eve.role_id(&world).await;
        assert!(all::<role_grants::Entity>(&world).await.iter().any(|row| row.role_id == role && row.account_id == ada.account));
        given::freeze(&world.env, ada.account).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403, "ada is stopped, and what she gave with her");
    }

    /// R11: a suspension that stood comes back with the role, and ends with the next change of it that is decided.
    async fn r11_a_suspended_role_is_suspended_when_it_is_put_back(world: World) {
        let [ada, bob, eve] = members(&world, ["ada", "bob", "eve"]).await;
        let id = project(&world, "spam", &[ada.account, bob.account]).await;
        let before = world.env.now();
        world.advance(HOUR);
        given::owner(&world, "spam", eve.account).await;
        ada.remove(&world, "spam", eve.role_id(&world).await).await;
        assert_eq!(eve.is(&world).await, "Owner!");
        let (batch, _) = restore(&world, Restorable::Project(id), before).await.done.expect("it did something");
        undo(&world, batch).await.expect("it can be undone");
        assert_eq!(eve.is(&world).await, "Owner!", "an undo gives her no power that she had lost");
        let refused = invite(&eve.seat(&world).await, "spam", "bob", "Owner").await;
        assert!([403, 404, 422].contains(&refused.status()), "{}", refused.status());
        world.advance(HOUR);
        ada.remove(&world, "spam", eve.role_id(&world).await).await;
        assert_eq!(bob.seat(&world).await.veto(&newest(&world).await).await.status(), 303);
        assert_eq!(eve.is(&world).await, "Owner", "another settled Owner has undone it");
    }

    /// P9, R13, R14, R18: what opens a case and what is done in it carry its id, so that the case's story is whole.
    async fn events_name_the_case_that_they_belong_to(world: World) {
        let ada = world.secured("ada").await;
        world.advance(31 * DAY);
        let id = given::account_id(&world, "ada").await;
        let (bob, _) = given::publisher(&world, "bob").await;
        let token = given::minted(&world, id, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        given::owner(&world, "spam", bob).await;
        let before = world.env.now();
        world.advance(HOUR);
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200);
        let alarm = world.newest_mail_to("bob@example.org").await.link("https://index.example.org/account/alarm/");
        press(&world.browser(), &alarm).await;
        let link = link(&world, &ada.email).await;
        press(&world.browser(), &link).await;
        world.advance(Duration::from_secs(60));
        assert_eq!(take_back(&world, &ada).await, 200);
        world.advance(Duration::from_secs(60));
        let (batch, case) = restore(&world, Restorable::Account(id), before).await.done.expect("the password is another one");
        undo(&world, batch).await.expect("she has not taken it back since");
        let rows = all::<cases::Entity>(&world).await;
        let opened = |kind: &str| rows.iter().find(|row| row.kind == kind).expect("it was opened").id;
        assert_eq!(opened("restore"), case);
        let (_, staff) = administrator(&world, "grace").await;
        assert!(staff.browser.get(&format!("/admin/cases/{case}/")).await.text().contains(&format!("/admin/events/?case={case}")));
        assert_eq!(staff.browser.get("/admin/events/?case=none").await.status(), 422);
        for (kind, of) in [
            ("account:contain", opened("not-me")),
            ("account:take-back", opened("not-me")),
            ("project:alarm", opened("alarm")),
            ("account:credential:pause", opened("alarm")),
            ("account:restored", case),
            ("account:restore:undone", case),
        ] {
            let listed = staff.browser.get(&format!("/admin/events/?case={of}")).await.text();
            assert!(listed.contains(kind), "{kind}: {listed}");
            let events = events_of(&world, kind).await;
            assert!(!events.is_empty() && events.iter().all(|event| event.case_id == Some(of)), "{kind}: {events:?}");
        }
    }
}
