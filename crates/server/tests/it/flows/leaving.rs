//! Deleting one's account: what stands in the way, what it ends, the way back, and what is left after its time (P7, R7, R13, R24, R27).

use std::collections::BTreeSet;

use index::accounts::deleted;
use index::act;
use index::check::check;
use index::db::entities::{addresses, api_tokens, devices, event_private, events, factors, holds, recovery_codes, sessions, subject_keys};
use index::ids::AccountId;
use index::policy::{Actor, UndeleteAccountAtShell};

use super::not_me::NOT_ME;
use super::people::DAY;
use crate::dist::wheel;
use crate::given::{self, all};
use crate::holding::{HOLDS, HOUR, Seat, count, newest, press, raw, serve, veto_link};
use crate::people::Person;
use crate::team::{Member, members};
use crate::world::{Answer, Browser, World, both_engines};

const PAGE: &str = "/manage/account/delete/";
const BACK: &str = "/account/undelete/";

/// Somebody whose account is settled, and signed in.
async fn settled<'w>(world: &'w World, username: &str) -> Person<'w> {
    let person = world.secured(username).await;
    world.advance(31 * DAY);
    person.log_in().await;
    person
}

/// Asks, proves it, and presses once more.
async fn delete(person: &Person<'_>) -> Answer {
    let answer = person.browser.submit(PAGE, PAGE, &[("confirm_username", &person.username)]).await;
    if answer.header("location").is_none_or(|to| !to.starts_with("/account/reauthenticate/?act=")) {
        return answer;
    }
    let back = person.prove_at(&answer.location()).await;
    let act = back.split("act=").nth(1).expect("it carries the proof").to_owned();
    person.browser.submit(&back, PAGE, &[("confirm_username", &person.username), ("act", &act)]).await
}

/// An account that was deleted.
async fn gone<'w>(world: &'w World, username: &str) -> (Person<'w>, AccountId) {
    let person = settled(world, username).await;
    let id = given::account_id(world, username).await;
    assert_eq!(delete(&person).await.location(), HOLDS);
    serve(world, 73 * HOUR).await;
    assert_eq!(count(world, "account:delete").await, 1);
    (person, id)
}

async fn begin(browser: &Browser<'_>, username: &str) {
    let answer = browser.submit(BACK, "/account/undelete/begin/", &[("username", username)]).await;
    assert_eq!(answer.location(), BACK, "{}", answer.text());
}

async fn prove_mailbox(browser: &Browser<'_>, email: &str) -> Answer {
    assert_eq!(browser.submit(BACK, BACK, &[]).await.location(), BACK);
    let code = browser.world.newest_mail_to(email).await.code();
    browser.submit(BACK, BACK, &[("mailbox_code", &code)]).await
}

/// Two settled Owners of one project.
async fn owned_by_both(world: &World) -> [Member; 2] {
    let [ada, bob] = members(world, ["ada", "bob"]).await;
    let token = given::minted(world, ada.account, "scope:user", "").await.text.expose().to_owned();
    given::upload(world, &token, &wheel("spam", "1.0").build()).await;
    given::owner(world, "spam", bob.account).await;
    world.advance(40 * DAY);
    [ada, bob]
}

/// Asks that the account of this seat be deleted, proved.
async fn ask(seat: &Seat<'_>) -> Answer {
    seat.proved(PAGE, PAGE, &[("confirm_username", "ada")]).await
}

both_engines! {
    /// PYPI-24: the only Owner of a project does not delete the account, and the projects are named; another Owner who is deleted is none.
    async fn pypi_24_the_only_owner_of_a_project_stays(world: World) {
        let ada = settled(&world, "ada").await;
        let owner = given::account_id(&world, "ada").await;
        let token = given::minted(&world, owner, "scope:user", "").await.text.expose().to_owned();
        given::upload(&world, &token, &wheel("spam", "1.0").build()).await;
        assert!(ada.browser.get(PAGE).await.text().contains("only Owner of spam"));
        let token = ada.browser.get("/manage/account/").await.csrf_token();
        let answer = ada.browser.post(PAGE, &[("csrf_token", &token), ("confirm_username", "ada")]).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().contains("only Owner of spam") && all::<holds::Entity>(&world).await.is_empty(), "{}", answer.text());
        let (bob, _) = given::publisher(&world, "bob").await;
        given::owner(&world, "spam", bob).await;
        assert!(ada.browser.get(PAGE).await.text().contains("Type your user name"));
        assert_eq!(delete(&ada).await.location(), HOLDS, "somebody else owns it too");
        world.run(&format!("UPDATE roles SET until_at = {} WHERE account_id = {}", world.env.now().as_micros(), raw(&world, bob.0))).await;
        serve(&world, 73 * HOUR).await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "account:delete").await), ("died", 0), "asked again when it takes effect");
    }

    /// TAKEOVER-4.
    /// R8: removing the Owner first opens nothing: whoever lost the role within 30 days cannot be deleted meanwhile.
    async fn removing_the_owner_first_does_not_open_the_deletion(world: World) {
        let ada = settled(&world, "ada").await;
        let owner = given::account_id(&world, "ada").await;
        let token = given::minted(&world, owner, "scope:user", "").await.text.expose().to_owned();
        given::upload(&world, &token, &wheel("spam", "1.0").build()).await;
        let (thief, _) = given::publisher(&world, "mallory").await;
        given::owner(&world, "spam", thief).await;
        assert_eq!(delete(&ada).await.location(), HOLDS);
        world.work().await;
        world.run(&format!("UPDATE roles SET until_at = {} WHERE account_id = {}", world.env.now().as_micros(), raw(&world, owner.0))).await;
        serve(&world, 73 * HOUR).await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "account:delete").await), ("died", 0));
        let again = ada.known_browser();
        ada.log_in_with(&again).await;
        let page = again.get(PAGE).await.text();
        assert!(page.contains("lost the role of an Owner of spam"), "{page}");
        world.advance(31 * DAY);
        let later = ada.known_browser();
        ada.log_in_with(&later).await;
        assert!(later.get(PAGE).await.text().contains("Type your user name"));
    }

    /// WEAK-8.
    /// R7, R10: it always waits, every address is told, and a mail link stops it; without a proof nothing waits.
    async fn r7_a_deletion_waits_and_a_mail_link_stops_it(world: World) {
        let ada = settled(&world, "ada").await;
        let wrong = ada.browser.submit(PAGE, PAGE, &[("confirm_username", "bob")]).await;
        assert_eq!(wrong.status(), 422, "{}", wrong.text());
        assert!(ada.browser.submit(PAGE, PAGE, &[("confirm_username", "ada")]).await.location().starts_with("/account/reauthenticate/?act="));
        assert!(all::<holds::Entity>(&world).await.is_empty());
        assert_eq!(delete(&ada).await.location(), HOLDS);
        assert!(ada.browser.get(PAGE).await.text().contains("It waits"));
        serve(&world, 71 * HOUR).await;
        assert_eq!(world.browser().get("/user/ada/").await.status(), 200);
        let link = veto_link(&world, &ada.email).await;
        assert_eq!(press(&world, &link).await.status(), 200);
        serve(&world, 100 * HOUR).await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "account:delete").await), ("vetoed", 0));
    }

    /// R7, R10: the deletion of an Owner's account concerns the settled Owners of its projects: they are told, see it and may stop it; one
    /// who came yesterday does not.
    async fn r7_r10_settled_co_owners_are_told_of_a_deletion_and_stop_it(world: World) {
        let [ada, bob] = owned_by_both(&world).await;
        let eve = members(&world, ["eve"]).await[0];
        given::owner(&world, "spam", eve.account).await;
        assert_eq!(ask(&ada.seat(&world).await).await.location(), HOLDS);
        world.work().await;
        let told = world.newest_mail_to("bob@example.org").await;
        assert!(told.text.contains("Delete the account ada") && !told.text.contains("Account: bob"), "{}", told.text);
        assert!(world.mail().await.iter().all(|mail| !mail.to.contains("eve@example.org") || !mail.text.contains("/account/veto/")));
        let shown = bob.seat(&world).await.browser.get(HOLDS).await.text();
        assert!(shown.contains("Delete the account ada") && shown.contains("Stop this change") && !shown.contains("/approve/"), "{shown}");
        assert_eq!(press(&world, &veto_link(&world, "bob@example.org").await).await.status(), 200);
        serve(&world, 100 * HOUR).await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "account:delete").await), ("vetoed", 0));
    }

    /// R10: what a co-owner stopped is the deletion, and it alone is barred: what the account does with its own factors is none of theirs.
    async fn r10_the_veto_of_a_co_owner_bars_the_deletion_and_nothing_else_of_the_account(world: World) {
        let [ada, bob] = owned_by_both(&world).await;
        let key = async |label: &str, days: u32| crate::holding::key(&world, ada.account, label, days * DAY).await;
        let (young, old, other) = (key("young", 40).await, key("old", 200).await, key("older", 210).await);
        let seat = crate::holding::seat_on(&world, ada.account, young, Some(60 * DAY)).await;
        seat.remove(old).await;
        assert_eq!(ask(&seat).await.location(), HOLDS);
        let deletion = all::<holds::Entity>(&world).await.into_iter().find(|row| row.action == "account:delete").expect("it waits");
        assert_eq!(bob.seat(&world).await.veto(&deletion).await.status(), 303);
        let states = async || all::<holds::Entity>(&world).await.into_iter().map(|row| (row.action, row.state)).collect::<BTreeSet<_>>();
        let is = |action: &str, state: &str| (action.to_owned(), state.to_owned());
        assert_eq!(states().await, BTreeSet::from([is("account:delete", "vetoed"), is("account:remove-factor", "waiting")]));
        assert_eq!(ask(&seat).await.status(), 403, "R10: barred until the case is closed");
        assert_eq!(seat.remove(other).await.location(), HOLDS, "their own factors stay their own affair");
    }

    /// R7: what everybody agreed to still waits: an account is deleted once, and by its owner alone.
    async fn r7_approvals_do_not_skip_the_wait_of_a_deletion(world: World) {
        let [ada, bob] = owned_by_both(&world).await;
        assert_eq!(ask(&ada.seat(&world).await).await.location(), HOLDS);
        let approve = format!("{HOLDS}{}/approve/", newest(&world).await.id);
        bob.seat(&world).await.proved(HOLDS, &approve, &[]).await;
        world.work().await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "account:delete").await), ("waiting", 0));
        serve(&world, 73 * HOUR).await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "account:delete").await), ("done", 1));
    }

    /// R9: while the account is stopped its deletion takes no effect.
    async fn r9_a_stopped_account_is_not_deleted(world: World) {
        let ada = settled(&world, "ada").await;
        delete(&ada).await;
        world.work().await;
        given::freeze(&world.env, given::account_id(&world, "ada").await).await;
        serve(&world, 200 * HOUR).await;
        assert_eq!((newest(&world).await.state.as_str(), count(&world, "account:delete").await), ("waiting", 0));
    }

    /// R13, R24: signed out everywhere, hidden, its tokens worth nothing, its name taken, its co-owners told; and nothing rewritten.
    async fn r13_r24_a_deleted_account_is_hidden_and_stopped_and_its_name_stays_taken(world: World) {
        let ada = settled(&world, "ada").await;
        let owner = given::account_id(&world, "ada").await;
        let token = given::minted(&world, owner, "scope:user", "").await.text.expose().to_owned();
        given::upload(&world, &token, &wheel("spam", "1.0").build()).await;
        let (bob, _) = given::publisher(&world, "bob").await;
        given::owner(&world, "spam", bob).await;
        assert!(world.browser().get("/project/spam/").await.text().contains("/user/ada/"));
        assert!(world.browser().get("/pypi/spam/json").await.text().contains("\"ada\""));
        delete(&ada).await;
        serve(&world, 73 * HOUR).await;
        assert_eq!(ada.browser.get("/manage/account/").await.status(), 303, "signed out");
        assert_eq!(world.browser().get("/user/ada/").await.status(), 404);
        assert!(!world.browser().get("/project/spam/").await.text().contains("/user/ada/"));
        assert!(!world.browser().get("/pypi/spam/json").await.text().contains("\"ada\""), "prepared pages are dropped");
        assert_eq!(given::upload(&world, &token, &wheel("spam", "2.0").build()).await.status(), 403);
        let taken = crate::people::register(&world.browser(), "ADA", "new@example.net", crate::people::PASSWORD).await;
        assert_eq!(taken.status(), 422, "{}", taken.text());
        let mails = world.mail().await;
        let told = |to: &str, what: &str| mails.iter().find(|mail| mail.to.contains(to) && mail.text.contains(what)).cloned();
        assert!(told("bob@example.org", "The account ada").is_some(), "co-owners are told");
        let mail = told(&ada.email, BACK).expect("its owner is told of the way back");
        assert!(mail.text.contains(NOT_ME), "{}", mail.text);
        assert_eq!(all::<api_tokens::Entity>(&world).await.iter().filter(|row| row.until_at.is_none() && row.account_id == owner).count(), 1);
        assert_eq!(all::<factors::Entity>(&world).await.iter().filter(|row| row.until_at.is_none() && row.account_id == owner).count(), 1);
        let checked = check(&world.env, false, |_| {}).await.expect("it can be checked");
        assert_eq!(checked.kept, 0);
    }

    /// P7: its owner brings it back with a mailbox and a factor; a sign-in leads there; everything is as it was.
    async fn the_owner_brings_the_account_back_with_a_mailbox_and_a_factor(world: World) {
        let (ada, _) = gone(&world, "ada").await;
        let browser = world.browser();
        assert_eq!(ada.send_password(&browser).await.location(), BACK, "a sign-in leads to the way back");
        assert!(browser.get(BACK).await.text().contains("Prove your mailbox"));
        assert_eq!(prove_mailbox(&browser, &ada.email).await.location(), BACK);
        let early = browser.submit(BACK, BACK, &[("confirm", "y")]).await;
        assert_eq!((early.status(), count(&world, "account:undelete").await), (303, 0), "one proof is not enough");
        let wrong = browser.submit(BACK, BACK, &[("totp_value", "000000")]).await;
        assert_eq!(wrong.status(), 422, "{}", wrong.text());
        assert_eq!(browser.submit(BACK, BACK, &[("totp_value", &ada.code())]).await.location(), BACK);
        let done = browser.submit(BACK, BACK, &[("confirm", "y")]).await;
        assert_eq!(done.status(), 200, "{}", done.text());
        assert_eq!(world.browser().get("/user/ada/").await.status(), 200);
        ada.log_in().await;
        assert_eq!(count(&world, "account:undelete").await, 1);
        assert_eq!(browser.get(BACK).await.status(), 200, "the way back is over");
    }

    /// P7, R5: a recovery code instead of the factor, once; and never for a take-back.
    async fn a_recovery_code_brings_it_back_once(world: World) {
        let (ada, _) = gone(&world, "ada").await;
        let browser = world.browser();
        begin(&browser, "ada").await;
        let code = ada.recovery_code();
        assert_eq!(browser.submit(BACK, BACK, &[("recovery_code_value", &code)]).await.location(), BACK, "not before a mailbox");
        prove_mailbox(&browser, &ada.email).await;
        assert_eq!(browser.submit(BACK, BACK, &[("recovery_code_value", "aaaa-bbbb-cccc-dddd")]).await.status(), 422);
        assert_eq!(browser.submit(BACK, BACK, &[("recovery_code_value", &code)]).await.location(), BACK);
        let done = browser.submit(BACK, BACK, &[("confirm", "y")]).await;
        assert_eq!(done.status(), 200, "{}", done.text());
        assert_eq!(all::<recovery_codes::Entity>(&world).await.iter().filter(|row| row.used_at.is_some()).count(), 2, "and it is used");
    }

    /// R25: by a name alone nobody learns whether there is such an account, or whether it is deleted.
    async fn r25_a_name_alone_tells_nothing(world: World) {
        gone(&world, "ada").await;
        world.secured("grace").await;
        let mut pages = BTreeSet::new();
        for (at, name) in ["ada", "grace", "nobody-has-this"].into_iter().enumerate() {
            let browser = world.browser_from(format!("198.51.100.{at}").parse().expect("an address"));
            begin(&browser, name).await;
            assert_eq!(browser.submit(BACK, BACK, &[]).await.location(), BACK);
            let page = browser.get(BACK).await;
            assert!(!page.says("ada") && !page.says("grace"), "{}", page.text());
            assert_eq!(browser.submit(BACK, BACK, &[("mailbox_code", "000000")]).await.status(), 422);
            pages.insert(page.text().replace(&page.csrf_token(), "").len());
        }
        assert_eq!(pages.len(), 1, "three pages of one kind: {pages:?}");
    }

    /// P7: the operator brings it back with a reason, and its owner is told; not what was never deleted.
    async fn the_operator_brings_it_back_with_a_reason(world: World) {
        let (ada, id) = gone(&world, "ada").await;
        let undelete = async |reason: &'static str| {
            let env = world.env.clone();
            let operator = Actor::operator("root", "test".to_owned());
            act::act::<UndeleteAccountAtShell, _, _>(&world.env, &operator, id, move |tx, permit| {
                let env = env.clone();
                Box::pin(async move { deleted::undelete(&env, tx, permit, reason).await })
            })
            .await
        };
        assert!(undelete("").await.is_err(), "a reason is needed");
        undelete("ticket 12").await.expect("it comes back");
        assert!(undelete("again").await.is_err(), "it is not deleted any more");
        assert!(world.newest_mail_to(&ada.email).await.text.contains("ticket 12"));
        ada.log_in().await;
    }

    /// WEAK-1, TAKEOVER-5.
    /// R24, R27: after its time everything personal is gone and stays gone, the trail keeps every row, the name stays taken.
    async fn r24_r27_after_retention_nothing_personal_is_left_and_the_trail_is_whole(world: World) {
        let (ada, id) = gone(&world, "ada").await;
        serve(&world, 29 * DAY).await;
        assert_eq!(count(&world, "account:erase").await, 0, "a day is missing");
        let before: Vec<_> = all::<events::Entity>(&world).await.into_iter().filter(|row| row.account_id == Some(id)).map(|row| (row.seq, row.commitment)).collect();
        serve(&world, 2 * DAY).await;
        serve(&world, HOUR).await;
        assert_eq!(count(&world, "account:erase").await, 1, "once");
        assert_eq!(all::<addresses::Entity>(&world).await.iter().filter(|row| row.account_id == id).count(), 0);
        assert_eq!(all::<factors::Entity>(&world).await.iter().filter(|row| row.account_id == id).count(), 0);
        assert_eq!(all::<sessions::Entity>(&world).await.iter().filter(|row| row.account_id == id).count(), 0);
        assert_eq!(all::<devices::Entity>(&world).await.iter().filter(|row| row.account_id == id).count(), 0);
        let private = async || {
            let rows = all::<event_private::Entity>(&world).await.iter().filter(|row| row.subject == id.0).count();
            rows + all::<subject_keys::Entity>(&world).await.iter().filter(|row| row.subject == id.0).count()
        };
        assert_eq!(private().await, 0);
        let after = all::<events::Entity>(&world).await;
        assert!(before.iter().all(|(seq, commitment)| after.iter().any(|row| row.seq == *seq && row.commitment == *commitment)), "R27: the trail is whole");
        let answer = ada.send_password(&world.browser()).await;
        assert_eq!(answer.status(), 422, "{}", answer.text());
        let browser = world.browser();
        begin(&browser, "ada").await;
        browser.submit(BACK, BACK, &[]).await;
        assert_eq!(private().await, 0, "what strangers try with its name is nobody's");
        let taken = crate::people::register(&world.browser(), "ada", "new@example.net", crate::people::PASSWORD).await;
        assert_eq!(taken.status(), 422, "R24: {}", taken.text());
        world.advance(8 * DAY);
        let taken = crate::people::register(&world.browser(), "ada", "new@example.net", crate::people::PASSWORD).await;
        assert_eq!(taken.status(), 422, "R24, for ever: {}", taken.text());
        let checked = check(&world.env, false, |_| {}).await.expect("it can be checked");
        assert_eq!(checked.kept, 0);
        // What is left behind, or late, is found.
        world.run(&format!("UPDATE accounts SET display_name = 'Ada' WHERE id = {}", raw(&world, id.0))).await;
        assert_eq!(check(&world.env, false, |_| {}).await.expect("it can be checked").kept, 1);
    }
}
