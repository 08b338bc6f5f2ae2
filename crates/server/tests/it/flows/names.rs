//! R24: an address or a name that nobody proved to want keeps nobody out; everything else is never handed on.

use index::accounts::addresses::Address;
use index::accounts::names::UserName;
use index::accounts::setup;
use index::act::act;
use index::db::entities::{account_causes, accounts, sessions};
use index::ids::Site;
use index::policy::{Actor, CreateAccount};
use index::refused::Refused;

use crate::given::all;
use crate::holding::{DAY, count};
use crate::people::{PASSWORD, register, token_of};
use crate::world::{World, both_engines};

const VERIFY: &str = "/account/verify-email/";
const EMAIL: &str = "bob@people.example.org";

/// What `strongroom account create` does.
async fn create(world: &World, name: &str, email: &str) -> Result<(), Refused> {
    let (env, name, email) = (world.env.clone(), name.to_owned(), email.to_owned());
    let operator = Actor::operator("olga", "a-request".to_owned());
    act::<CreateAccount, _, _>(&world.env, &operator, Site, move |tx, permit| {
        let (env, name, email) = (env.clone(), name.clone(), email.clone());
        Box::pin(async move {
            setup::create(&env, tx, permit, (&UserName::parse(&name)?, &Address::parse(&email)?), false).await?;
            Ok(())
        })
    })
    .await
}

/// The links of all verification mails to an address, oldest first.
async fn links(world: &World, email: &str) -> Vec<String> {
    let mails = world.mail().await;
    mails.iter().filter(|mail| mail.to.contains(email) && mail.text.contains(VERIFY)).map(|mail| mail.link(VERIFY)).collect()
}

async fn verified(world: &World, email: &str) -> i64 {
    world
        .number(&format!("SELECT COUNT(*) AS n FROM addresses WHERE folded = '{email}' AND verified_at IS NOT NULL AND until_at IS NULL"))
        .await
}

both_engines! {
    /// R24: an address that was never verified does not keep its owner out; the second to verify it is told, and stays unverified.
    async fn r24_an_address_that_is_only_claimed_does_not_keep_its_owner_out(world: World) {
        register(&world.browser(), "eve", EMAIL, PASSWORD).await;
        register(&world.browser(), "bob", EMAIL, PASSWORD).await;
        let links = links(&world, EMAIL).await;
        assert_eq!(links.len(), 2, "each gets a link of its own");
        let press = async |link: &str| world.browser().submit(link, VERIFY, &[("token", &token_of(link))]).await;
        assert_eq!(press(&links[1]).await.status(), 303);
        let late = press(&links[0]).await;
        assert_eq!(late.status(), 409);
        assert!(late.text().contains("verified by another account"), "{}", late.text());
        assert_eq!(verified(&world, EMAIL).await, 1);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM addresses a JOIN accounts b ON b.id = a.account_id WHERE b.username = 'bob' AND a.verified_at IS NOT NULL").await, 1);
        assert_eq!((count(&world, "account:email:verified").await, count(&world, "account:email:verify:refused").await), (1, 1));
        assert_eq!(world.browser().get(&links[0]).await.status(), 410, "the link is spent");
    }

    /// R24: of two verifications at the same moment one is second.
    async fn r24_two_verifications_of_one_address_at_once_verify_it_once(world: World) {
        register(&world.browser(), "eve", EMAIL, PASSWORD).await;
        register(&world.browser(), "bob", EMAIL, PASSWORD).await;
        let links = links(&world, EMAIL).await;
        let (one, two) = (world.browser(), world.browser());
        let (first, second) = (token_of(&links[0]), token_of(&links[1]));
        let (fields_one, fields_two) = ([("token", first.as_str())], [("token", second.as_str())]);
        let both = tokio::join!(one.submit(&links[0], VERIFY, &fields_one), two.submit(&links[1], VERIFY, &fields_two));
        let mut statuses = [both.0.status(), both.1.status()];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409]);
        assert_eq!(verified(&world, EMAIL).await, 1);
    }

    /// R24: a name whose address was never verified is free after seven days; the old account ends, with its sessions and its history.
    async fn r24_a_name_that_nobody_verified_is_free_after_seven_days(world: World) {
        let eve = world.registered("ada").await;
        world.advance(6 * DAY);
        assert_eq!(register(&world.browser(), "a-da", "ada@mail.example.org", PASSWORD).await.status(), 422, "not before");
        eve.log_in().await;
        world.advance(DAY);
        eve.log_in().await;
        assert_eq!(eve.browser.get("/manage/account/").await.status(), 200);
        let answer = register(&world.browser(), "Ada", "ada@mail.example.org", PASSWORD).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(eve.browser.get("/manage/account/").await.status(), 303, "the old one's session ended");
        assert_eq!(count(&world, "account:name:freed").await, 1);
        let rows = all::<accounts::Entity>(&world).await;
        assert_eq!(rows.len(), 2, "the old row stays");
        let old = rows.iter().find(|row| row.username != "Ada").expect("it is kept");
        assert!(old.username.starts_with('~') && UserName::parse(&old.username).is_err(), "under a name nobody can have");
        assert!(all::<account_causes::Entity>(&world).await.iter().any(|cause| cause.account_id == old.id && cause.kind == "deleted"));
        assert!(all::<sessions::Entity>(&world).await.iter().filter(|s| s.account_id == old.id).all(|s| s.until_at.is_some()));
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:create'").await, 2);
        // The newcomer verifies and keeps the name for ever.
        let link = world.newest_mail_to("ada@mail.example.org").await.link(VERIFY);
        assert_eq!(world.browser().submit(&link, VERIFY, &[("token", &token_of(&link))]).await.status(), 303);
        world.advance(400 * DAY);
        assert_eq!(register(&world.browser(), "ada", "third@mail.example.org", PASSWORD).await.status(), 422);
        assert_eq!(links(&world, &eve.email).await.len(), 1);
    }

    /// WEAK-20.
    /// R24: names are otherwise never handed over: not of who ever verified, of who is stopped, or of whom the operator made.
    async fn r24_no_other_name_is_ever_handed_over(world: World) {
        let ada = world.verified("ada").await;
        world.run("UPDATE addresses SET until_at = 1, ended_by = began_by").await;
        create(&world, "olaf", "olaf@people.example.org").await.expect("the operator may");
        let frozen = world.registered("frozen").await;
        let id = all::<accounts::Entity>(&world).await.into_iter().find(|row| row.username == "frozen").expect("it is there").id;
        crate::given::freeze(&world.env, id).await;
        world.advance(400 * DAY);
        for name in ["ada", "olaf", "frozen"] {
            let answer = register(&world.browser(), name, "thief@people.example.org", PASSWORD).await;
            assert_eq!(answer.status(), 422, "{name}");
        }
        assert_eq!(count(&world, "account:name:freed").await, 0);
        assert_ne!(ada.email, frozen.email);
    }

    /// R24: the operator is told that an address is verified elsewhere, and is not kept out by a claim either.
    async fn r24_the_operator_is_refused_a_verified_address_and_given_a_claimed_one(world: World) {
        let ada = world.verified("ada").await;
        world.registered("bob").await;
        assert!(matches!(create(&world, "one", &ada.email).await, Err(Refused::Invalid(invalid)) if invalid.field == "email"));
        create(&world, "two", EMAIL).await.expect("nobody has verified it");
    }

    /// P4, P2: a password at the upload door is refused, and leaves an event without anything that was sent.
    async fn p4_a_password_sent_to_the_upload_door_leaves_an_event_without_a_name(world: World) {
        use axum::body::Body;
        use base64::Engine as _;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("ada:{PASSWORD}"));
        for _ in 0..25 {
            let request = axum::http::Request::post("/legacy/").header("authorization", format!("Basic {basic}")).body(Body::empty());
            let answer = world.send(crate::given::CLIENT, request.expect("a well-formed request")).await;
            assert_eq!(answer.status(), 403);
            assert!(answer.reason.as_deref().is_some_and(|reason| reason.contains("Username/Password authentication is not supported")));
        }
        let events = crate::given::events_of(&world, "account:login:failure").await;
        assert_eq!(events.len(), 20, "bounded");
        assert!(events.iter().all(|event| !event.detail.contains("ada") && event.detail.contains("only API tokens")), "{}", events[0].detail);
    }
}
