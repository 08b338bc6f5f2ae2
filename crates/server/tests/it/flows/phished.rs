//! "I was phished" (R15, R16, R19): one press in a fresh session, then what the account gained is kept one by one, or ends.

use index::db::entities::{addresses, api_tokens, cases, devices, factors, holds, sessions, suspensions};
use index::ids::TokenId;

use crate::dist::wheel;
use crate::given::{self, all, events_of, upload};
use crate::holding::{self, DAY, HOUR, Seat, key, old_account, seat, seat_on};
use crate::team::members;
use crate::world::{World, both_engines};

const PAGE: &str = "/manage/account/phished/";
const DECIDE: &str = "/manage/account/phished/decide/";

/// What is typed for a moment so long ago.
fn ago(world: &World, time: std::time::Duration) -> String {
    world.env.now().minus(time).rfc3339()
}

async fn say(world: &World, seat: &Seat<'_>) {
    let since = ago(world, DAY);
    assert_eq!(seat.browser.submit(PAGE, PAGE, &[("since", &since)]).await.location(), PAGE);
}

/// Presses the button of the decision; proves what it asks for.
async fn decide(seat: &Seat<'_>, keep: &[String]) -> u16 {
    let fields: Vec<(&str, &str)> = keep.iter().map(|id| ("keep", id.as_str())).collect();
    seat.proved(PAGE, DECIDE, &fields).await.status()
}

async fn open_tokens(world: &World) -> Vec<TokenId> {
    all::<api_tokens::Entity>(world).await.into_iter().filter(|row| row.until_at.is_none()).map(|row| row.id).collect()
}

both_engines! {
    /// R19: everything that could be a thief's stops in one request, and nothing of it is rewritten.
    async fn r19_one_press_ends_pauses_and_stops(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let old = given::minted(&world, ada, "scope:user", "").await.text.expose().to_owned();
        world.advance(2 * DAY);
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        thief.remove(app).await;
        let new = given::minted(&world, ada, "scope:user", "").await.text.expose().to_owned();
        let owner = seat_on(&world, ada, app, Some(DAY)).await;
        assert_eq!(upload(&world, &new, &wheel("spam", "1.0").build()).await.status(), 200);

        say(&world, &owner).await;
        assert_eq!(thief.browser.get("/manage/account/").await.status(), 303, "the other session is over");
        assert_eq!(owner.browser.get("/manage/account/").await.status(), 200, "one's own goes on");
        assert!(all::<devices::Entity>(&world).await.iter().all(|row| row.until_at.is_some()));
        let answer = upload(&world, &new, &wheel("spam", "1.1").build()).await;
        assert!(answer.status() == 403 && answer.text().contains("paused"), "{}", answer.text());
        assert_eq!(upload(&world, &old, &wheel("spam", "1.1").build()).await.status(), 200, "older than the doubt");
        assert_eq!(all::<holds::Entity>(&world).await[0].state, "died");
        let open: Vec<_> = all::<cases::Entity>(&world).await.into_iter().filter(|row| row.kind == "phished" && row.closed_at.is_none()).collect();
        assert_eq!(open.len(), 1);
        assert_eq!(open_tokens(&world).await.len(), 2, "nothing was rewritten");
        let told = world.mail().await.into_iter().filter(|mail| mail.text.contains("You said that you were phished"));
        assert_eq!(told.count(), 1);
    }

    /// R16: what is not kept ends; what is kept works again, by a proof for exactly this decision (R2).
    async fn r16_what_the_account_gained_is_kept_one_by_one(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        given::address(&world, ada, "thief@example.net").await;
        let kept = given::minted(&world, ada, "scope:user", "").await;
        let owner = seat(&world, ada, app).await;
        assert!([400, 422].contains(&owner.browser.submit(PAGE, DECIDE, &[]).await.status()), "nothing was said yet");
        say(&world, &owner).await;
        let page = owner.browser.get(PAGE).await.text();
        assert!(page.contains("new key") && page.contains("thief@example.net") && page.contains(&kept.id.to_string()), "{page}");

        let answer = owner.browser.submit(PAGE, DECIDE, &[("keep", &kept.id.to_string())]).await;
        let act = holding::asked(&answer).expect("a proof is asked for");
        let fields = [("keep", kept.id.to_string()), ("act", act.clone())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert!(holding::asked(&owner.browser.submit(PAGE, DECIDE, &fields).await).is_some(), "not proved yet");
        // The account holds a key, though a young one: an app alone decides nothing beside it (R2).
        owner.prove(&act).await;
        assert!(holding::asked(&owner.browser.submit(PAGE, DECIDE, &fields).await).is_some());
        assert!(holding::stands(&world, young).await, "nothing ended without the proof");
    }

    async fn a_decision_by_the_strongest_factor_ends_what_is_not_kept(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let settled = key(&world, ada, "old key", 39 * DAY).await;
        let young = key(&world, ada, "new key", HOUR).await;
        given::address(&world, ada, "thief@example.net").await;
        world.run("UPDATE addresses SET is_primary = (folded = 'thief@example.net')").await;
        let kept = given::minted(&world, ada, "scope:user", "").await;
        let ended = given::minted(&world, ada, "scope:user", "").await;
        let owner = seat(&world, ada, settled).await;
        say(&world, &owner).await;
        assert_eq!(decide(&owner, &[kept.id.to_string()]).await, 303);
        assert_eq!(open_tokens(&world).await, [kept.id]);
        assert!(!holding::stands(&world, young).await && holding::stands(&world, settled).await && holding::stands(&world, app).await);
        let open: Vec<_> = all::<addresses::Entity>(&world).await.into_iter().filter(|row| row.until_at.is_none()).collect();
        assert!(open.len() == 1 && open[0].folded == "ada@example.org" && open[0].is_primary, "{open:?}");
        assert!(all::<suspensions::Entity>(&world).await.iter().filter(|row| row.what_id == kept.id.0).all(|row| row.until_at.is_some()));
        assert_eq!(upload(&world, kept.text.expose(), &wheel("spam", "1.0").build()).await.status(), 200);
        assert_eq!(upload(&world, ended.text.expose(), &wheel("spam", "1.1").build()).await.status(), 403);
        assert!(all::<cases::Entity>(&world).await.iter().all(|row| row.kind != "phished" || row.closed_at.is_some()));
        assert_eq!(events_of(&world, "account:phished:decided").await.len(), 1);
        assert!(owner.browser.get(PAGE).await.text().contains("I was phished"), "the form stands there again");
    }

    /// R15, R16: roles that were given since give nothing until their giver decides; what is kept works again, what is not ends. A case that
    /// staff closed meanwhile leaves nothing behind that cannot be decided about.
    async fn r15_roles_that_were_given_since_give_nothing_until_it_is_decided(world: World) {
        let [ada, bob, eve, mallory] = members(&world, ["ada", "bob", "eve", "mallory"]).await;
        crate::flows::people::project(&world, "spam", &[ada.account]).await;
        ada.invite(&world, "spam", "bob", "Maintainer").await;
        bob.accept(&world, "spam").await;
        world.advance(2 * DAY);
        for one in [("eve", eve), ("mallory", mallory)] {
            ada.invite(&world, "spam", one.0, "Owner").await;
            one.1.accept(&world, "spam").await;
        }
        let token = given::minted(&world, mallory.account, "scope:user", "").await.text.expose().to_owned();
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        world.advance(HOUR);
        say(&world, &ada.seat(&world).await).await;
        assert_eq!((bob.is(&world).await.as_str(), eve.is(&world).await.as_str(), mallory.is(&world).await.as_str()), ("Maintainer", "Owner!", "Owner!"));
        assert_eq!(upload(&world, &token, &wheel("spam", "1.1").build()).await.status(), 403);
        let page = mallory.seat(&world).await.browser.get("/manage/project/spam/collaboration/").await.text();
        assert!(page.contains("phished"), "{page}");

        world.run("UPDATE cases SET closed_at = 1").await;
        assert_eq!(eve.is(&world).await, "Owner!");
        say(&world, &ada.seat(&world).await).await;
        let kept = [eve.role_id(&world).await.to_string(), bob.role_id(&world).await.to_string()];
        assert_eq!(decide(&ada.seat(&world).await, &kept).await, 303);
        assert_eq!((bob.is(&world).await.as_str(), eve.is(&world).await.as_str(), mallory.is(&world).await.as_str()), ("Maintainer", "Owner", ""));
    }

    async fn a_session_that_is_not_fresh_and_a_time_to_come_are_refused(world: World) {
        let (ada, app) = old_account(&world, "ada").await;
        let owner = seat(&world, ada, app).await;
        let soon = world.env.now().plus(HOUR).rfc3339();
        for since in ["", "yesterday", soon.as_str()] {
            assert_eq!(owner.browser.submit(PAGE, PAGE, &[("since", since)]).await.status(), 422, "{since}");
        }
        let page = owner.browser.get(PAGE).await.csrf_token();
        world.advance(std::time::Duration::from_secs(20 * 60));
        let answer = owner.browser.post(PAGE, &[("csrf_token", &page), ("since", "2026-11-23 08:00")]).await;
        assert!(answer.location().starts_with("/account/reauthenticate/"), "{}", answer.location());
        assert!(all::<cases::Entity>(&world).await.is_empty());
        assert!(all::<sessions::Entity>(&world).await.iter().all(|row| row.until_at.is_none()));
        assert!(all::<factors::Entity>(&world).await.iter().all(|row| row.until_at.is_none()));
    }
}
