//! Mailboxes that may be in other hands, and names that were registered with somebody else's address: what they may still prove and stop.

use index::accounts::addresses::{self, Because};
use index::act::act;
use index::db::entities::{addresses as address_rows, holds, links};
use index::policy::{Actor, UnverifyAddress};

use super::not_me::{NOT_ME, link, press};
use super::people::DAY;
use super::take_back::{NEW, prove_mailbox};
use crate::given::{self, all};
use crate::holding::{HOLDS, HOUR, count, newest, old_account, press as press_veto, seat, veto_link};
use crate::people::{DEVICES, PASSWORD, Person, register, token_of};
use crate::world::{World, both_engines};

const TAKE_BACK: &str = "/account/take-back/";
const EMAILS: &str = "/manage/account/emails/";
const ADD: &str = "/manage/account/emails/add/";
const PRIMARY: &str = "/manage/account/emails/primary/";
const VERIFY: &str = "/account/verify-email/";
const TWO_FACTOR: &str = "/account/two-factor/";

/// What `strongroom account unverify` does.
async fn unverify(world: &World, username: &str, email: &'static str) {
    let (account, env) = (given::account_id(world, username).await, world.env.clone());
    let operator = Actor::operator("olga", "a-request".to_owned());
    let done = act::<UnverifyAddress, _, _>(&world.env, &operator, account, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move {
            let because = Because { word: "operator", reason: "its mailbox was read by others".to_owned() };
            addresses::unverify_address(&env, tx, permit, email, &because).await
        })
    });
    done.await.expect("it is verified");
}

/// Somebody whose account is old enough that what it has is settled.
async fn settled<'w>(world: &'w World, username: &str) -> Person<'w> {
    let ada = world.secured(username).await;
    world.advance(31 * DAY);
    ada.log_in().await;
    ada
}

both_engines! {
    /// R6, R14, R16: an address that lost its proof because others read it stops nothing and proves nothing; it is still told.
    async fn r16_a_mailbox_that_others_read_stops_nothing_and_takes_nothing_back(world: World) {
        let ada = settled(&world, "ada").await;
        let before = link(&world, &ada.email).await;
        unverify(&world, "ada", "ada@people.example.org").await;
        let told = world.newest_mail_to(&ada.email).await;
        assert!(told.text.contains("must be verified again") || told.subject.contains("must be verified again"), "{}", told.text);
        assert!(!told.text.contains(NOT_ME), "it carries no link: {}", told.text);
        assert_eq!(world.browser().get(&before).await.status(), 410, "and older ones are dead");
        assert!(all::<links::Entity>(&world).await.iter().all(|row| row.spent_at.is_some() || row.purpose == "confirm-login"));
        // Stopped in another way, the account is not taken back by whoever reads that mailbox now.
        let (account, cause) = (given::account_id(&world, "ada").await, index::ids::new_uuid(world.env.now(), &*world.env.entropy));
        let (account, cause) = (crate::holding::raw(&world, account.0), crate::holding::raw(&world, cause));
        world.run(&format!("INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) \
            VALUES ({cause}, {account}, 'contained', 'x', 0, {cause})")).await;
        let thief = world.browser();
        assert_eq!(thief.submit(TAKE_BACK, "/account/take-back/begin/", &[("username", "ada")]).await.status(), 303);
        assert_eq!(thief.submit(TAKE_BACK, TAKE_BACK, &[]).await.status(), 303, "the same page as ever");
        assert!(!world.newest_mail_to(&ada.email).await.subject.contains("take"), "and no code in a mailbox of others");
    }

    /// R7, R33: without any mailbox a browser is not remembered, and the address that was settled leaves its place only after a hold.
    async fn r7_a_lost_proof_makes_nothing_easier_for_whoever_has_the_password(world: World) {
        let ada = settled(&world, "ada").await;
        unverify(&world, "ada", "ada@people.example.org").await;
        let thief = world.browser();
        ada.send_password(&thief).await;
        let fields = [("totp_value", ada.code()), ("remember_device", "y".to_owned())];
        let answer = thief.submit(TWO_FACTOR, TWO_FACTOR, &[(fields[0].0, &fields[0].1), (fields[1].0, &fields[1].1)]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        assert!(!thief.cookies().contains_key(DEVICES), "nothing confirmed this browser");
        let mut eve = ada.elsewhere();
        eve.browser = thief;
        eve.totp = ada.totp.clone();
        *eve.used.lock().expect("not poisoned") = *ada.used.lock().expect("not poisoned");
        let proved = async |path: &'static str, email: &str| {
            let asked = eve.browser.submit(EMAILS, path, &[("email", email)]).await;
            let back = eve.prove_at(&asked.location()).await;
            let act = back.split("act=").nth(1).expect("the act").split('&').next().expect("it ends").to_owned();
            eve.browser.submit(EMAILS, path, &[("email", email), ("act", &act)]).await
        };
        assert_eq!(proved(ADD, "evil@people.example.org").await.location(), EMAILS);
        let link = world.newest_mail_with("evil@people.example.org", VERIFY).await;
        assert_eq!(world.browser().submit(&link, VERIFY, &[("token", &token_of(&link))]).await.status(), 303);
        let answer = proved(PRIMARY, "evil@people.example.org").await;
        assert_eq!(answer.location(), HOLDS, "{}", answer.text());
        let primary = all::<address_rows::Entity>(&world).await.into_iter().find(|row| row.is_primary && row.until_at.is_none());
        assert_eq!(primary.expect("one leads").folded, "ada@people.example.org");
    }

    /// R11, P10: whoever registers a name with somebody else's address leaves no claim of his own behind.
    async fn r11_the_first_proved_address_ends_all_other_claims(world: World) {
        let thief = world.browser();
        register(&thief, "grace", "grace@people.example.org", PASSWORD).await;
        let fields = [("username", "grace"), ("password", PASSWORD)];
        assert_eq!(thief.submit("/account/login/", "/account/login/", &fields).await.status(), 303);
        let added = thief.submit(EMAILS, ADD, &[("email", "evil@people.example.org")]).await;
        assert_eq!(added.location(), EMAILS, "nothing was proved yet, so nothing is asked: {}", added.text());
        let late = world.newest_mail_with("evil@people.example.org", VERIFY).await;
        let link = world.newest_mail_with("grace@people.example.org", VERIFY).await;
        let owner = world.browser();
        assert_eq!(owner.submit(&link, VERIFY, &[("token", &token_of(&link))]).await.status(), 303);
        assert_eq!(world.browser().get(&late).await.status(), 410, "the other claim is gone");
        let open: Vec<_> = all::<address_rows::Entity>(&world).await.into_iter().filter(|row| row.until_at.is_none()).collect();
        assert_eq!((open.len(), open[0].folded.as_str(), open[0].is_primary), (1, "grace@people.example.org", true));
        assert_eq!(count(&world, "account:email:remove").await, 1);
        // He adds nothing more: from now on it takes the mailbox.
        let again = thief.submit(EMAILS, ADD, &[("email", "evil@people.example.org")]).await;
        assert!(again.location() != EMAILS, "{}", again.location());
    }

    /// A typing error of the registration is mended by adding the right address: the one that is proved first leads.
    async fn the_address_that_is_proved_first_becomes_the_primary_one(world: World) {
        let ada = world.registered("ada").await;
        ada.log_in().await;
        assert_eq!(ada.browser.submit(EMAILS, ADD, &[("email", "right@people.example.org")]).await.location(), EMAILS);
        let link = world.newest_mail_with("right@people.example.org", VERIFY).await;
        let answer = ada.browser.submit(&link, VERIFY, &[("token", &token_of(&link))]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let open: Vec<_> = all::<address_rows::Entity>(&world).await.into_iter().filter(|row| row.until_at.is_none()).collect();
        assert_eq!((open.len(), open[0].folded.as_str(), open[0].is_primary), (1, "right@people.example.org", true));
        assert!(open[0].verified_at.is_some());
        assert_eq!(ada.browser.get("/manage/account/").await.status(), 200, "still signed in");
    }

    /// R4: the link of a verification mail proves the mailbox in one browser; a copy of its cookie has proved nothing.
    async fn r4_a_verification_link_proves_nothing_for_a_copied_cookie(world: World) {
        let ada = world.registered("ada").await;
        ada.log_in().await;
        let thief = world.browser();
        for (name, value) in ada.browser.cookies() {
            thief.set_cookie(&name, &value);
        }
        assert_eq!(ada.browser.submit(EMAILS, "/manage/account/emails/reverify/", &[("email", &ada.email)]).await.status(), 303);
        let link = ada.verification_link().await;
        let answer = ada.browser.submit(&link, VERIFY, &[("token", &token_of(&link))]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        assert!(answer.headers.get_all("set-cookie").iter().any(|cookie| cookie.to_str().is_ok_and(|c| c.contains("session"))), "a new token");
        assert_eq!(thief.get("/manage/account/").await.location(), "/account/login/?next=%2Fmanage%2Faccount%2F");
        assert_eq!(ada.browser.get("/manage/account/recovery-codes/generate").await.status(), 200, "its owner has proved it");
    }

    /// R17: a mailbox that is told without links gets no link that stops a change, and none to choose a password.
    async fn r17_a_mailbox_told_without_links_stops_no_change(world: World) {
        let ada = settled(&world, "ada").await;
        let browser = world.browser();
        let stop = link(&world, &ada.email).await;
        assert_eq!(press(&browser, &stop).await.status(), 200);
        assert_eq!(prove_mailbox(&browser, &ada.email).await.status(), 303);
        assert_eq!(browser.submit(TAKE_BACK, TAKE_BACK, &[("totp_value", &ada.code())]).await.status(), 303);
        let quiet = browser.get(TAKE_BACK).await.between("name=\"without_links\" value=\"", "\"");
        // What was marked stays marked when the password is refused.
        let wrong = [("confirm", "y"), ("without_links", quiet.as_str()), ("new_password", NEW), ("password_confirm", "something-else-42")];
        let refused = browser.submit(TAKE_BACK, TAKE_BACK, &wrong).await;
        assert_eq!(refused.status(), 422);
        assert!(refused.text().contains(&format!("value=\"{quiet}\" checked")), "{}", refused.text());
        let fields = [("confirm", "y"), ("without_links", quiet.as_str()), ("new_password", NEW), ("password_confirm", NEW)];
        assert_eq!(browser.submit(TAKE_BACK, TAKE_BACK, &fields).await.status(), 200);
        let account = given::account_id(&world, "ada").await;
        let factor = all::<index::db::entities::factors::Entity>(&world).await[0].id;
        let young = crate::holding::key(&world, account, "new key", HOUR).await;
        seat(&world, account, young).await.remove(factor).await;
        let mail = world.newest_mail_to(&ada.email).await;
        assert!(mail.text.contains("waits") && !mail.text.contains("/account/veto/"), "{}", mail.text);
        world.browser().submit("/account/request-password-reset/", "/account/request-password-reset/", &[("username_or_email", &ada.email)]).await;
        assert!(!world.newest_mail_to(&ada.email).await.text.contains("/account/reset-password/"));
    }

    /// R11: a mailbox is as old as its proof. One that was claimed long ago and proved today stops nothing that is settled.
    async fn r11_an_old_claim_that_was_proved_today_vetoes_nothing_settled(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let old = crate::holding::key(&world, ada, "old key", 35 * DAY).await;
        seat(&world, ada, old).await.remove(app).await;
        let link = veto_link(&world, "ada@example.org").await;
        let now = world.env.now().as_micros();
        world.run(&format!("UPDATE addresses SET verified_at = {now}, from_at = {now} - 3024000000000 WHERE folded = 'ada@example.org'")).await;
        world.run("UPDATE accounts SET created_at = created_at - 8640000000000").await;
        let answer = press_veto(&world, &link).await;
        assert_eq!(answer.status(), 403, "{}", answer.text());
        assert_eq!(newest(&world).await.state, "waiting");
        assert_eq!(all::<holds::Entity>(&world).await.len(), 1);
    }
}
