//! The pages of API tokens and of one's projects: a new token needs a proof for it alone, an old one ends at once.

use std::time::Duration;

use index::db::entities::api_tokens;
use index::ids::ActId;

use crate::dist::wheel;
use crate::given::{self, Has, account, all, browser, events_of, prove, publisher, upload};
use crate::world::{Answer, Browser, World, both_engines};

const PAGE: &str = "/manage/account/token/";

fn form<'a>(description: &'a str, scope: &'a str, act: &'a str) -> Vec<(&'a str, &'a str)> {
    let form = [("description", description), ("token_scope", scope), ("expires_in_days", "30")];
    form.into_iter().chain((!act.is_empty()).then_some(("act", act))).collect()
}

/// The act that an answer asks to prove.
fn asked(answer: &Answer) -> String {
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let to = answer.location();
    assert!(to.starts_with("/account/reauthenticate/?act=") && to.ends_with("&next=%2Fmanage%2Faccount%2Ftoken%2F"), "{to}");
    to["/account/reauthenticate/?act=".len()..].split('&').next().unwrap().to_owned()
}

async fn proved(world: &World, browser: &Browser<'_>, fields: &[(&str, &str)]) -> String {
    let act = asked(&browser.submit(PAGE, PAGE, fields).await);
    prove(world, ActId::parse(&act).unwrap()).await;
    act
}

both_engines! {
    async fn a_new_token_needs_a_proof_for_exactly_this_token(world: World) {
        let ada = account(&world, "ada", Has::AddressAndFactor).await;
        let person = browser(&world, ada).await;
        let act = asked(&person.submit(PAGE, PAGE, &form("ci of spam", "scope:user", "")).await);
        asked(&person.submit(PAGE, PAGE, &form("ci of spam", "scope:user", &act)).await);
        prove(&world, ActId::parse(&act).unwrap()).await;
        let back = person.get(&format!("{PAGE}?act={act}")).await;
        assert!(back.text().contains(&format!("name=\"act\" value=\"{act}\"")) && back.text().contains("value=\"ci of spam\""), "{}", back.text());
        asked(&person.submit(PAGE, PAGE, &form("another", "scope:user", &act)).await);
        let days = [("description", "ci of spam"), ("token_scope", "scope:user"), ("expires_in_days", ""), ("act", &act)];
        asked(&person.submit(PAGE, PAGE, &days).await);
        let elsewhere = browser(&world, ada).await;
        asked(&elsewhere.submit(PAGE, PAGE, &form("ci of spam", "scope:user", &act)).await);
        assert!(all::<api_tokens::Entity>(&world).await.is_empty(), "no proof, no token");

        let answer = person.submit(PAGE, PAGE, &form("ci of spam", "scope:user", &act)).await;
        assert_eq!((answer.status(), answer.header("cache-control")), (200, Some("no-store")), "{}", answer.text());
        let token = answer.between("<code id=\"provisioned-key\">", "</code>");
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        asked(&person.submit(PAGE, PAGE, &form("ci of spam", "scope:user", &act)).await);
        assert_eq!(all::<api_tokens::Entity>(&world).await.len(), 1, "one proof, one token");
        let events = events_of(&world, "account:api_token:added").await;
        assert_eq!((events.len(), events[0].account_id), (1, Some(ada)));
        assert!(!person.get(PAGE).await.text().contains(&token), "a token is shown once");
    }

    async fn a_form_that_cannot_be_used_is_shown_again_with_what_was_typed(world: World) {
        let (ada, _) = publisher(&world, "ada").await;
        let (_, bob) = publisher(&world, "bob").await;
        assert_eq!(upload(&world, &bob, &wheel("spam", "1.0").build()).await.status(), 200);
        let person = browser(&world, ada).await;
        for fields in [
            vec![("description", ""), ("token_scope", "scope:user")],
            vec![("description", "typed by hand"), ("token_scope", "everything")],
            vec![("description", "typed by hand"), ("token_scope", "scope:user"), ("expires_in_days", "366")],
            vec![("description", "typed by hand"), ("token_scope", "scope:user"), ("token_actions", "read")],
        ] {
            let answer = person.submit(PAGE, PAGE, &fields).await;
            assert_eq!(answer.status(), 422);
            assert!(fields[0].1.is_empty() || answer.text().contains("value=\"typed by hand\""));
        }
        let foreign = form("ci", "scope:project:spam", "");
        let act = proved(&world, &person, &foreign).await;
        let answer = person.submit(PAGE, PAGE, &form("ci", "scope:project:spam", &act)).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().contains("You hold no role on a project called spam."));
        assert_eq!(all::<api_tokens::Entity>(&world).await.len(), 2, "the two that were there before");
    }

    /// PYPI-17, AUDIT-11.
    /// AUDIT-4.
    async fn the_list_says_when_and_from_where_and_a_deleted_token_ends_at_once(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        let (eve, _) = publisher(&world, "eve").await;
        let person = browser(&world, ada).await;
        assert!(person.get(PAGE).await.text().contains("never"));
        assert_eq!(upload(&world, &token, &wheel("My.Spam", "1.0").build()).await.status(), 200);
        let page = person.get(PAGE).await.text();
        assert!(page.contains("192.0.2.80") && page.contains("value=\"scope:project:My.Spam\""), "{page}");
        let rows = all::<api_tokens::Entity>(&world).await;
        let id = rows.iter().find(|row| row.account_id == ada).unwrap().id.to_string();
        let stranger = browser(&world, eve).await;
        assert_eq!(stranger.submit(PAGE, "/manage/account/token/delete/", &[("token_id", &id)]).await.status(), 404);
        assert_eq!(stranger.submit(PAGE, "/manage/account/token/delete/", &[("token_id", "x")]).await.status(), 404);
        for _ in 0..2 {
            let gone = person.submit(PAGE, "/manage/account/token/delete/", &[("token_id", &id)]).await;
            assert_eq!((gone.status(), gone.location().as_str()), (303, PAGE));
        }
        assert_eq!(upload(&world, &token, &wheel("My.Spam", "1.1").build()).await.status(), 403);
        assert!(!person.get(PAGE).await.text().contains(&id));
        assert_eq!(events_of(&world, "account:api_token:removed").await.len(), 1);
    }

    async fn without_a_factor_one_is_led_to_the_gates_but_may_still_delete(world: World) {
        let (ada, _) = publisher(&world, "ada").await;
        let person = browser(&world, ada).await;
        let form_token = person.get(PAGE).await.csrf_token();
        given::strip(&world, ada, Has::Address).await;
        for page in [PAGE, "/manage/projects/"] {
            let answer = person.get(page).await;
            assert_eq!(answer.status(), 303);
            assert!(answer.location().starts_with("/account/verify-mailbox/?next="), "{}", answer.location());
        }
        let id = all::<api_tokens::Entity>(&world).await[0].id.to_string();
        let fields = [("csrf_token", form_token.as_str()), ("token_id", &id)];
        assert_eq!(person.post("/manage/account/token/delete/", &fields).await.status(), 303);
        assert!(all::<api_tokens::Entity>(&world).await[0].until_at.is_some());
        let nobody = world.browser();
        assert!(nobody.get(PAGE).await.location().starts_with("/account/login/?next="));
    }

    /// ASVS-6.4.5: a week before a token ends and a day before, once each, by mail to all addresses.
    async fn the_end_of_a_token_is_told_a_week_and_a_day_before_once_each(world: World) {
        let ada = account(&world, "ada", Has::AddressAndFactor).await;
        given::minted(&world, ada, "scope:user", "30").await;
        given::minted(&world, ada, "scope:user", "").await;
        let told = async || {
            let mails = world.mail().await.into_iter().filter(|mail| mail.subject.contains("An API token ends soon"));
            mails.filter(|mail| mail.to == "ada@example.org").count()
        };
        for (hours, mails) in [(22 * 24 + 22, 0), (3, 1), (24, 1), (4 * 24, 1), (21, 1), (3, 2), (20, 2), (48, 2)] {
            world.advance(Duration::from_secs(hours * 3600));
            assert_eq!(told().await, mails, "{hours} hours later");
        }
        let mail = world.newest_mail_to("ada@example.org").await;
        assert!(mail.text.contains("“ci” ends at 23 December 2026") && mail.text.contains("/manage/account/token/"), "{}", mail.text);
        assert_eq!(events_of(&world, "account:api_token:ends-soon").await.len(), 2);
    }

    /// Whoever has just chosen the end of a token is not told of it; nor of one that is deleted, or stopped with its account.
    async fn the_end_of_a_token_is_not_told_without_need(world: World) {
        let ada = account(&world, "ada", Has::AddressAndFactor).await;
        let warned = async || world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:api_token:ends-soon'").await;
        given::minted(&world, ada, "scope:user", "1").await;
        let week = given::minted(&world, ada, "scope:user", "7").await;
        world.work().await;
        world.advance(Duration::from_secs(3600));
        world.work().await;
        assert_eq!(warned().await, 0, "made with that end an hour ago");
        given::revoke(&world.env, ada, week.id).await;
        world.advance(Duration::from_secs(6 * 86_400));
        world.work().await;
        assert_eq!(warned().await, 0, "ended, and deleted");
        given::minted(&world, ada, "scope:user", "2").await;
        given::freeze(&world.env, ada).await;
        world.advance(Duration::from_secs(30 * 3600));
        world.work().await;
        assert_eq!(warned().await, 0, "it opens nothing now");
        world.run("UPDATE account_causes SET until_at = 1").await;
        world.advance(Duration::from_secs(3600));
        world.work().await;
        assert_eq!(warned().await, 1, "it opens uploads again, and ends in a day");
    }

    /// P11: several processes that look at the same moment tell once.
    async fn the_end_of_a_token_is_told_once_by_two_workers(world: World) {
        let ada = account(&world, "ada", Has::AddressAndFactor).await;
        given::minted(&world, ada, "scope:user", "30").await;
        world.advance(Duration::from_secs(24 * 86_400));
        for _ in 0..2 {
            // The same hour's job twice, as after a lease that ran out.
            world.work().await;
            world.run("UPDATE jobs SET state = 'ready', tries = 0 WHERE kind = 'warn-token-ends'").await;
        }
        tokio::join!(world.work(), world.work());
        assert_eq!(events_of(&world, "account:api_token:ends-soon").await.len(), 1);
    }

    async fn ones_projects_are_listed_with_their_newest_version(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        let (_, bob) = publisher(&world, "bob").await;
        for (name, version) in [("spam", "1.9"), ("spam", "1.10"), ("spam", "2.0rc1"), ("eggs", "1.0a1")] {
            assert_eq!(upload(&world, &token, &wheel(name, version).build()).await.status(), 200);
        }
        assert_eq!(upload(&world, &bob, &wheel("ham", "1.0").build()).await.status(), 200);
        let page = browser(&world, ada).await.get("/manage/projects/").await.text();
        assert!(page.contains("1.10") && page.contains("1.0a1") && page.contains("Owner"), "{page}");
        assert!(!page.contains("2.0rc1") && !page.contains(">ham<"), "{page}");
    }
}
