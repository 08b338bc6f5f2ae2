//! "This was not me" and the alarm (P6, R13-R15, R17, R19): from the link of a notice, without a sign-in, in one request.

use std::time::Duration;

use axum::http::StatusCode;
use index::db::entities::{cases, containments, links, pauses};

use super::people::{self, DAY, Mailbox};
use crate::dist::wheel;
use crate::given;
use crate::people::{Person, token_of};
use crate::world::{Answer, Browser, World, both_engines};

pub const NOT_ME: &str = "/account/not-me/";
const ALARM: &str = "/account/alarm/";
const HOME: &str = "/manage/account/";

/// The link in the newest mail to somebody about what an account did, or had done to it.
pub async fn link(world: &World, email: &str) -> String {
    let mails = world.mail().await;
    let mail = mails.iter().rev().find(|mail| mail.to.contains(email) && mail.text.contains(NOT_ME)).expect("such a mail");
    mail.link("https://index.example.org/account/not-me/")
}

/// Opens the page behind the link and presses its button.
pub async fn press(browser: &Browser<'_>, link: &str) -> Answer {
    let path = link.split("?token=").next().expect("a path").to_owned();
    browser.submit(link, &path, &[("token", &token_of(link))]).await
}

async fn state(world: &World, username: &str) -> i64 {
    let sql = format!(
        "SELECT COUNT(*) AS n FROM account_causes c JOIN accounts a ON a.id = c.account_id \
         WHERE a.username = '{username}' AND c.kind = 'contained' AND c.until_at IS NULL"
    );
    world.number(&sql).await
}

/// Somebody secured, and the link of the notice about their second factor.
async fn secured_with_link<'w>(world: &'w World, username: &str) -> (Person<'w>, String) {
    let ada = world.secured(username).await;
    let link = link(world, &ada.email).await;
    (ada, link)
}

both_engines! {
    /// P6, R13: a stolen session ends at the next request.
    async fn a_stolen_session_ends_with_the_link_of_a_notice_at_its_next_request(world: World) {
        let (ada, link) = secured_with_link(&world, "ada").await;
        let thief = world.browser_from("198.51.100.66".parse().expect("an address"));
        thief.set_cookie("__Host-strongroom_session", &ada.browser.cookies()["__Host-strongroom_session"]);
        assert_eq!(thief.get(HOME).await.status(), 200, "the cookie is stolen");
        let page = world.browser().get(&link).await;
        assert_eq!(page.status(), 200, "{}", page.text());
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert!(page.text().contains("Stop the account ada") && page.text().contains("second factor"), "{}", page.text());
        let answer = press(&world.browser(), &link).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert!(answer.text().contains("The account is stopped"), "{}", answer.text());
        assert_eq!(thief.get(HOME).await.status(), 303, "signed in no more");
        assert_eq!(state(&world, "ada").await, 1);
        assert_eq!(given::all::<cases::Entity>(&world).await.len(), 1);
        let told = world.newest_mail_to(&ada.email).await;
        assert!(told.subject.contains("stopped") && told.text.contains("/account/take-back/"), "{}", told.text);
    }

    /// Mail scanners open links: opening changes nothing, however often.
    async fn opening_the_link_changes_nothing(world: World) {
        let (ada, link) = secured_with_link(&world, "ada").await;
        let events = world.number("SELECT COUNT(*) AS n FROM events").await;
        for _ in 0..3 {
            let page = world.browser().get(&link).await;
            assert_eq!(page.status(), 200);
            assert_eq!(page.text().matches(&format!("method=\"post\" action=\"{NOT_ME}\"")).count(), 1);
        }
        world.browser().request(axum::http::Method::HEAD, &link, axum::body::Body::empty(), &[]).await;
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM events").await, events);
        assert_eq!(state(&world, "ada").await, 0);
        assert_eq!(ada.browser.get(HOME).await.status(), 200);
    }

    async fn the_link_works_once_and_not_after_seven_days(world: World) {
        let (ada, link) = secured_with_link(&world, "ada").await;
        let (_, late) = secured_with_link(&world, "grace").await;
        assert_eq!(press(&world.browser(), &link).await.status(), 200);
        let browser = world.browser();
        let again = browser.submit("/account/login/", NOT_ME, &[("token", &token_of(&link))]).await;
        assert_eq!(again.status(), 410, "{}", again.text());
        assert_eq!(browser.get(&link).await.status(), StatusCode::GONE);
        world.advance(7 * DAY + Duration::from_secs(1));
        assert_eq!(browser.get(&late).await.status(), 410);
        let answer = browser.submit("/account/login/", NOT_ME, &[("token", &token_of(&late))]).await;
        assert_eq!(answer.status(), 410);
        assert_eq!(state(&world, "grace").await, 0);
        assert_eq!(state(&world, &ada.username).await, 1);
    }

    /// R30: the button of a page of ours, not of another site.
    async fn a_form_of_another_site_stops_nobody(world: World) {
        let (_, link) = secured_with_link(&world, "ada").await;
        let browser = world.browser();
        let form = browser.get(&link).await.csrf_token();
        let token = token_of(&link);
        assert_eq!(browser.post(NOT_ME, &[("token", &token)]).await.status(), 403, "no form token");
        assert_eq!(world.browser().post(NOT_ME, &[("token", &token), ("csrf_token", &form)]).await.status(), 403, "another browser's");
        assert_eq!(state(&world, "ada").await, 0);
    }

    /// R15.
    /// R13: what the account has does nothing; nothing of it is rewritten.
    async fn a_contained_account_cannot_upload_sign_in_or_reset_its_password(world: World) {
        let (ada, link) = secured_with_link(&world, "ada").await;
        let owner = given::account_id(&world, "ada").await;
        let token = given::minted(&world, owner, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(given::upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let reset = "/account/request-password-reset/";
        world.browser().submit(reset, reset, &[("username_or_email", "ada")]).await;
        let before = world.newest_mail_to(&ada.email).await.link("/account/reset-password/");
        let half = world.browser();
        ada.send_password(&half).await;
        let form = half.get("/account/two-factor/").await.csrf_token();
        assert_eq!(press(&world.browser(), &link).await.status(), 200);

        assert_eq!(given::upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403);
        assert_eq!(ada.browser.get(HOME).await.status(), 303);
        let answer = half.post("/account/two-factor/", &[("csrf_token", &form), ("totp_value", &ada.code())]).await;
        assert_eq!(answer.status(), 303, "the half-open sign-in is over");
        assert!(!half.cookies().contains_key("__Host-strongroom_session"));
        assert_eq!(world.browser().get(&before).await.status(), 410, "links that give something are dead");
        let mails = world.mail().await.len();
        world.browser().submit(reset, reset, &[("username_or_email", "ada")]).await;
        assert_eq!(world.mail().await.len(), mails, "no new one is sent");
        let answer = ada.send_password(&world.browser()).await;
        assert_eq!((answer.status(), answer.location().as_str()), (303, "/account/take-back/"), "sign-in leads to the way back");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM api_tokens WHERE until_at IS NULL").await, 1, "the token is not rewritten");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM factors WHERE until_at IS NULL").await, 1);
    }

    /// R19: whatever the state and whatever the limits.
    async fn the_link_works_while_the_account_is_frozen_and_limits_are_spent(world: World) {
        let (_, link) = secured_with_link(&world, "ada").await;
        let owner = given::account_id(&world, "ada").await;
        given::freeze(&world.env, owner).await;
        let dead = "A".repeat(43);
        let browser = world.browser();
        for _ in 0..40 {
            browser.submit("/account/login/", NOT_ME, &[("token", &dead)]).await;
        }
        assert_eq!(press(&browser, &link).await.status(), 200);
        assert_eq!(state(&world, "ada").await, 1, "a cause beside the freeze");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM account_causes WHERE kind = 'frozen' AND until_at IS NULL").await, 1);
    }

    /// R17: a second one from one mailbox within 30 days ends sessions and opens a case, and pauses nothing.
    async fn a_second_containment_from_one_mailbox_ends_sessions_and_pauses_nothing(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![
            Mailbox::proved(&world, "one@example.org"),
            Mailbox::proved(&world, "two@example.org"),
        ]).await;
        people::freeze(&world, ada, "a drill").await;
        let first = link(&world, "one@example.org").await;
        world.advance(Duration::from_secs(60));
        people::freeze(&world, ada, "another drill").await;
        let (second, other) = (link(&world, "one@example.org").await, link(&world, "two@example.org").await);
        world.run("UPDATE account_causes SET until_at = 1 WHERE kind = 'frozen'").await;
        press(&world.browser(), &first).await;
        assert_eq!(state(&world, "ada").await, 1);
        world.run("UPDATE account_causes SET until_at = 1 WHERE kind = 'contained'").await;
        let browser = given::browser(&world, ada).await;
        let page = world.browser().get(&second).await;
        assert!(page.text().contains("not stopped again"), "{}", page.text());
        press(&world.browser(), &second).await;
        assert_eq!(state(&world, "ada").await, 0, "it pauses nothing");
        assert_eq!(browser.get(HOME).await.status(), 303, "and ends sessions");
        assert_eq!(given::all::<cases::Entity>(&world).await.len(), 2, "and opens a case");
        press(&world.browser(), &other).await;
        assert_eq!(state(&world, "ada").await, 1, "another mailbox is another voice");
        let kept = given::all::<containments::Entity>(&world).await;
        assert_eq!(kept.iter().filter(|row| row.paused).count(), 2);
    }

    /// R14: contains the recipient only; a notice about somebody else's act carries the alarm.
    async fn a_notice_about_somebody_elses_act_carries_the_alarm_and_not_the_other_link(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let (bob, _) = people::account(&world, "bob", vec![Mailbox::proved(&world, "bob@example.org")]).await;
        let spam = people::project(&world, "spam", &[ada, bob]).await;
        people::enrol(&world, ada).await;
        people::upload(&world, ada, spam, "spam").await.expect("an owner may upload");
        let (to_ada, to_bob) = (world.newest_mail_to("ada@example.org").await, world.newest_mail_to("bob@example.org").await);
        assert_eq!((to_ada.text.matches(NOT_ME).count(), to_ada.text.matches(ALARM).count()), (1, 0), "{}", to_ada.text);
        assert_eq!(to_bob.text.matches(NOT_ME).count(), 0, "{}", to_bob.text);
        assert!(token_of(&link(&world, "ada@example.org").await).len() == 43);
    }

    /// R14: the credential on that project, for 24 hours, once per person, project and week; a case is opened.
    async fn an_alarm_pauses_that_token_on_that_project_for_a_day(world: World) {
        let (ada, token) = given::publisher(&world, "ada").await;
        let (bob, _) = given::publisher(&world, "bob").await;
        let other = given::minted(&world, ada, "scope:user", "").await.text.expose().to_owned();
        for name in ["spam", "eggs"] {
            assert_eq!(given::upload(&world, &token, &wheel(name, "1.0").build()).await.status(), 200);
        }
        given::owner(&world, "spam", bob).await;
        assert_eq!(given::upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 200);
        let alarm = world.newest_mail_to("bob@example.org").await.link("https://index.example.org/account/alarm/");
        let page = world.browser().get(&alarm).await;
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert!(page.text().contains("24 hours") && page.text().contains("spam"), "{}", page.text());
        assert_eq!(given::all::<pauses::Entity>(&world).await.len(), 0, "opening changes nothing");
        let answer = press(&world.browser(), &alarm).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());

        let refused = given::upload(&world, &token, &wheel("spam", "1.2").build()).await;
        assert_eq!(refused.status(), 403);
        assert!(refused.text().contains("alarm"), "{}", refused.text());
        assert_eq!(given::upload(&world, &token, &wheel("eggs", "1.1").build()).await.status(), 200, "another project");
        assert_eq!(given::upload(&world, &other, &wheel("spam", "1.3").build()).await.status(), 200, "another credential");
        assert_eq!(state(&world, "ada").await, 0, "the account itself is not contained");
        assert_eq!(given::all::<cases::Entity>(&world).await.len(), 1);
        let told: Vec<_> = world.mail().await.into_iter().filter(|mail| mail.subject.contains("alarm")).collect();
        assert_eq!(told.len(), 3, "the owners about the alarm, and whose token it is");
        for mail in told {
            assert!(!mail.text.contains("192.0.2.7"), "R27: who raised it is told, not from where: {}", mail.text);
        }

        let second = world.newest_mail_to("bob@example.org").await.link("https://index.example.org/account/alarm/");
        let answer = press(&world.browser(), &second).await;
        assert!(answer.text().contains("raised before"), "{}", answer.text());
        assert_eq!(given::all::<pauses::Entity>(&world).await.len(), 1, "once a week");
        world.advance(DAY + Duration::from_secs(1));
        assert_eq!(given::upload(&world, &token, &wheel("spam", "1.4").build()).await.status(), 200, "a day later it works again");
    }

    /// R14, R7: the alarm about an upload takes the release that it began from serving, until an Owner puts it back; a file that came into a
    /// release of before is taken alone, also within the week.
    async fn r14_an_alarm_about_an_upload_takes_it_from_serving(world: World) {
        let (ada, token) = given::publisher(&world, "ada").await;
        let (bob, _) = given::publisher(&world, "bob").await;
        let stolen = given::minted(&world, ada, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(given::upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        given::owner(&world, "spam", bob).await;
        world.advance(2 * DAY);
        assert_eq!(given::upload(&world, &stolen, &wheel("spam", "2.0").build()).await.status(), 200);
        let alarm = async || world.newest_mail_to("bob@example.org").await.link("https://index.example.org/account/alarm/");
        let link = alarm().await;
        let page = world.browser().get(&link).await.text();
        assert!(page.contains("the release 2.0 is taken from serving"), "{page}");
        let listed = async || world.browser().get("/simple/spam/").await.text();
        assert!(listed().await.contains("spam-2.0"), "opening changes nothing");
        let raised = press(&world.browser(), &link).await;
        assert!(raised.status() == 200 && raised.text().contains("the release 2.0"), "{}", raised.text());
        let now = listed().await;
        assert!(!now.contains("spam-2.0") && now.contains("spam-1.0"), "{now}");
        let told = world.newest_mail_to("ada@example.org").await;
        assert!(told.text.contains("taken from serving") || told.text.contains("raised the alarm"), "{}", told.text);
        let events = given::events_of(&world, "project:release:withdraw").await;
        assert_eq!((events.len(), events[0].case_id.is_some(), events[0].credential.as_str()), (1, true, "mail_link"));

        assert_eq!(given::upload(&world, &token, &crate::dist::sdist("spam", "1.0").build()).await.status(), 200);
        let link = alarm().await;
        assert!(world.browser().get(&link).await.text().contains("the file spam-1.0.tar.gz is taken from serving"));
        let again = press(&world.browser(), &link).await;
        assert!(again.text().contains("raised before") && again.text().contains("the file spam-1.0.tar.gz"), "{}", again.text());
        let now = listed().await;
        assert!(!now.contains("spam-1.0.tar.gz") && now.contains("spam-1.0-py3"), "what stood before is served on: {now}");
        assert_eq!((given::all::<cases::Entity>(&world).await.len(), given::all::<pauses::Entity>(&world).await.len()), (1, 1));
        let spent = world.browser().submit("/account/login/", ALARM, &[("token", &token_of(&link))]).await;
        assert_eq!(spent.status(), 410, "R14: once");
    }

    /// R11, R14: whose role on the project gives nothing any more opens a case with the alarm, and pauses nobody.
    async fn r14_an_alarm_of_somebody_without_a_working_role_pauses_nothing(world: World) {
        let (_, token) = given::publisher(&world, "ada").await;
        let (bob, _) = given::publisher(&world, "bob").await;
        assert_eq!(given::upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        world.work().await;
        given::owner(&world, "spam", bob).await;
        for version in ["1.1", "1.2"] {
            assert_eq!(given::upload(&world, &token, &wheel("spam", version).build()).await.status(), 200);
            world.work().await;
        }
        let mails = world.mail().await;
        let links: Vec<String> = mails.iter().filter(|mail| mail.to.contains("bob@example.org") && mail.text.contains(ALARM))
            .map(|mail| mail.link("https://index.example.org/account/alarm/")).collect();
        assert_eq!(links.len(), 2);
        let sql = format!("UPDATE roles SET until_at = {}, ended_by = began_by WHERE account_id = {}", world.env.now().as_micros(), crate::holding::raw(&world, bob.0));
        world.run(&sql).await;
        let page = world.browser().get(&links[0]).await.text();
        assert!(page.contains("nothing is stopped") && !page.contains("for 24 hours"), "{page}");
        let answer = press(&world.browser(), &links[0]).await;
        assert!(answer.status() == 200 && answer.text().contains("A case is open") && answer.text().contains("Nothing was stopped"), "{}", answer.text());
        assert_eq!(given::upload(&world, &token, &wheel("spam", "1.3").build()).await.status(), 200, "the others publish on");
        assert_eq!(given::all::<cases::Entity>(&world).await.len(), 1);
        let told = world.newest_mail_to("ada@example.org").await;
        assert!(told.text.contains("was uploaded") || told.text.contains("Nothing was stopped"), "{}", told.text);
        assert!(world.mail().await.iter().all(|mail| !mail.subject.contains("An alarm was raised about what you did")));
        press(&world.browser(), &links[1]).await;
        assert_eq!(given::all::<cases::Entity>(&world).await.len(), 1, "once a week");
    }

    /// R14: one link for each recipient and notice, side by side; a mail that is sent again carries the same one.
    async fn each_recipient_has_a_link_of_their_own_and_a_retried_mail_the_same(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![
            Mailbox::proved(&world, "one@example.org"),
            Mailbox::proved(&world, "two@example.org"),
        ]).await;
        people::freeze(&world, ada, "a drill").await;
        let (one, two) = (link(&world, "one@example.org").await, link(&world, "two@example.org").await);
        assert_ne!(one, two);
        let kept = given::all::<links::Entity>(&world).await;
        assert_eq!(kept.len(), 2);
        assert!(kept.iter().all(|row| row.spent_at.is_none() && row.event_id.is_some() && row.address_id.is_some()));
        assert_eq!(world.jobs("enclosed IS NOT NULL").await, 0, "R29: blanked when sent");
        world.run("UPDATE jobs SET state = 'ready' WHERE kind = 'notify'").await;
        assert_eq!(world.mail().await.len(), 2, "a second run of the job mails nobody again");
        assert_eq!(given::all::<links::Entity>(&world).await.len(), 2, "and makes no link");
        for link in [one, two] {
            assert_eq!(world.browser().get(&link).await.status(), 200);
        }
    }

    /// P10: a code that is mailed because of what the account did can be stopped; a link that a stranger asked for cannot.
    async fn a_strangers_request_offers_nothing_to_stop(world: World) {
        let ada = world.verified("ada").await;
        let reset = "/account/request-password-reset/";
        world.browser().submit(reset, reset, &[("username_or_email", "ada")]).await;
        let mail = world.newest_mail_to(&ada.email).await;
        assert!(mail.text.contains("/account/reset-password/") && !mail.text.contains(NOT_ME), "{}", mail.text);
        ada.mailbox_code().await;
        let mail = world.newest_mail_to(&ada.email).await;
        assert_eq!(mail.text.matches(NOT_ME).count(), 1, "{}", mail.text);
    }
}
