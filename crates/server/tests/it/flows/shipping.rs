//! Shipping the audit trail to another machine: signed, in order, at least once, whatever that machine does meanwhile.

use std::time::Duration;

use credentials::secret::Secret;
use credentials::signed_call::CallSignature;
use index::audit::{Checkpoint, ship};
use index::config::Config;
use index::ids::AccountId;
use index::limits;
use serde_json::Value;

use super::people::{self, Mailbox};
use super::seals::sealed;
use crate::taker::{Mode, Taker};
use crate::world::World;

const SECRET: &str = "both machines know it";

async fn on(postgres: bool, taker: &Taker) -> World {
    let settings = [("audit.webhook_url", taker.url.as_str()), ("audit.webhook_secret", SECRET)];
    if postgres { World::postgres(&settings).await } else { World::sqlite(&settings).await }
}

/// One seal with two rows.
async fn batch(world: &World, ada: AccountId) {
    people::freeze(world, ada, "a drill").await;
    people::freeze(world, ada, "a drill").await;
    sealed(world).await;
}

async fn shipped(world: &World) -> u64 {
    ship::ship(&world.env).await.expect("the database answers")
}

/// The places of all rows that the machine kept, in the order in which they came; each post was signed by us.
fn places(world: &World, taker: &Taker) -> Vec<i64> {
    let mut places = Vec::new();
    for post in taker.kept() {
        let signature = CallSignature::parse(&post.signature).expect("it has the form");
        assert!(signature.is_of(&Secret::new(SECRET), &post.body), "the signature is wrong");
        assert!(world.env.now().as_seconds() - signature.at_s < 3600);
        let body: Value = serde_json::from_slice(&post.body).expect("JSON");
        let checkpoint = body["seal"]["checkpoint"].as_str().expect("a text");
        let checkpoint = Checkpoint::read(&world.env.keys, checkpoint).expect("it carries its seal");
        assert_eq!(Some(checkpoint.number), body["seal"]["number"].as_i64());
        for line in body["events"].as_array().expect("a list") {
            for field in ["seq", "at", "kind", "account", "actor", "subject", "credential", "ip", "agent", "detail"] {
                assert!(line.get(field).is_some(), "{line} has no {field}");
            }
            places.push(line["seq"].as_i64().expect("a number"));
        }
    }
    places
}

/// Refused, sent elsewhere, unanswered, cut off: nothing is lost, nothing overtakes, and what was taken without our knowing comes twice.
async fn nothing_is_lost_and_the_order_is_kept(postgres: bool) {
    let taker = Taker::open().await;
    let world = on(postgres, &taker).await;
    let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    assert_eq!(shipped(&world).await, 0);
    assert_eq!(taker.came(), 0, "there is nothing to ship");
    batch(&world, ada).await;
    assert_eq!(shipped(&world).await, 1);
    assert_eq!(places(&world, &taker), [1, 2]);

    batch(&world, ada).await;
    for mode in [Mode::Answer(500), Mode::Answer(404), Mode::Redirect, Mode::Hang] {
        let came = taker.came();
        taker.does(mode);
        assert_eq!(shipped(&world).await, 0, "{mode:?}");
        assert_eq!(taker.came(), came + 1, "{mode:?}");
        assert_eq!(shipped(&world).await, 0);
        assert_eq!(taker.came(), came + 1, "{mode:?}: it waits before the next try");
        let progress = ship::progress(&world.env).await.expect("the database answers").expect("it began");
        assert!(progress.seal == 1 && progress.last_error.is_some(), "{progress:?}");
        world.advance(Duration::from_secs(600));
    }
    batch(&world, ada).await;
    taker.does(Mode::HangUp);
    shipped(&world).await;
    taker.does(Mode::Take);
    world.advance(Duration::from_secs(600));
    batch(&world, ada).await;
    assert_eq!(shipped(&world).await, 3);
    let came = places(&world, &taker);
    let mut once = came.clone();
    once.dedup();
    // The post that was kept and not answered is there again, perhaps more than once: the client may try a broken connection again.
    let first: Vec<i64> = once.iter().copied().fold(Vec::new(), |mut seen, place| {
        if !seen.contains(&place) {
            seen.push(place);
        }
        seen
    });
    assert_eq!(first, (1..=8).collect::<Vec<_>>(), "{came:?}");
    assert!(came.len() >= 10 && came.ends_with(&[3, 4, 5, 6, 7, 8]), "{came:?}");
    assert_eq!(shipped(&world).await, 0);
    let progress = ship::progress(&world.env).await.expect("the database answers").expect("it began");
    assert_eq!((progress.seal, progress.failures, progress.last_error, progress.leased_until), (4, 0, None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_the_order_is_kept_on_sqlite() {
    nothing_is_lost_and_the_order_is_kept(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_the_order_is_kept_on_postgres() {
    nothing_is_lost_and_the_order_is_kept(true).await;
}

/// While one process ships, another one does not; when the first died, it does.
async fn one_process_ships_at_a_time(postgres: bool) {
    let taker = Taker::open().await;
    let world = on(postgres, &taker).await;
    let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    batch(&world, ada).await;
    assert_eq!(shipped(&world).await, 1);
    batch(&world, ada).await;
    world.run(&format!("UPDATE event_shipping SET leased_until = {}", world.env.now().plus(Duration::from_secs(60)).as_micros())).await;
    assert_eq!((shipped(&world).await, taker.came()), (0, 1));
    world.advance(Duration::from_secs(60));
    assert_eq!((shipped(&world).await, taker.came()), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_ships_at_a_time_on_sqlite() {
    one_process_ships_at_a_time(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_ships_at_a_time_on_postgres() {
    one_process_ships_at_a_time(true).await;
}

/// R31: a name that leads to a private address is not connected to unless the settings name its network; plain http goes to this machine
/// alone; and without a secret nothing is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r31_settings_with_which_nothing_may_be_shipped_are_refused() {
    let config = |url: &str, secret: &str| {
        let values = [("audit.webhook_url", url), ("audit.webhook_secret", secret)].map(|(k, v)| (k.to_owned(), v.to_owned()));
        Config::from_values(&values.into(), &limits::setting_keys()).expect("they can be read")
    };
    assert!(ship::check(&config("", "")).is_ok() && ship::check(&config("https://trail.example.org/", SECRET)).is_ok());
    for (url, secret, why) in [
        ("https://trail.example.org/", "", "audit.webhook_secret"),
        ("http://trail.example.org/", SECRET, "audit.webhook_url"),
        ("http://10.0.0.1/", SECRET, "audit.webhook_url"),
        ("ftp://127.0.0.1/", SECRET, "audit.webhook_url"),
    ] {
        let refused = ship::check(&config(url, secret)).expect_err("it cannot be used").to_string();
        assert!(refused.contains(why), "{refused}");
    }
}
