//! Reports of the mail server: signed or nothing; what a hard bounce costs, and what it does not.

use axum::body::Body;
use axum::http::Request;
use credentials::secret::Secret;
use credentials::signed_call::CallSignature;
use index::act::{Housekeeping, housekeeping};
use index::db::Reading;
use index::db::entities::{addresses, deliveries};
use index::ids::{AddressId, DeliveryId, EventId};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use crate::given::{self, CLIENT, Has, all};
use crate::holding::{DAY, HOUR, count};
use crate::world::{Answer, World};

const SECRET: &str = "the mail server and the index know it";
const SETTINGS: &[(&str, &str)] = &[("mail.bounce_secret", SECRET)];

async fn send(world: &World, header: Option<String>, body: &str) -> Answer {
    let mut request = Request::post("/_/mail/bounces").header("content-type", "application/json");
    if let Some(header) = header {
        request = request.header("strongroom-signature", header);
    }
    world.send(CLIENT, request.body(Body::from(body.to_owned())).expect("a well-formed request")).await
}

fn signed_at(secret: &str, at_s: i64, body: &str) -> String {
    CallSignature::make(&Secret::new(secret), at_s, body.as_bytes()).to_header()
}

/// A report as an honest mail server sends it.
async fn report(world: &World, body: &Value) -> Answer {
    let body = body.to_string();
    let header = signed_at(SECRET, world.env.now().as_seconds(), &body);
    send(world, Some(header), &body).await
}

async fn open(world: &World, email: &str) -> addresses::Model {
    all::<addresses::Entity>(world).await.into_iter().find(|row| row.folded == email && row.until_at.is_none()).expect("it is there")
}

/// A mail that was handed over to this address now.
async fn delivered(world: &World, address: AddressId, message_id: &str) {
    let (env, message_id) = (world.env.clone(), message_id.to_owned());
    let made = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            deliveries::ActiveModel {
                id: Set(DeliveryId::new(tx.now(), &*env.entropy)),
                event_id: Set(EventId::new(tx.now(), &*env.entropy)),
                kind: Set("account:freeze".to_owned()),
                account_id: Set(None),
                address_id: Set(address),
                message_id: Set(message_id),
                state: Set("sent".to_owned()),
                tries: Set(1),
                created_at: Set(tx.now()),
                changed_at: Set(tx.now()),
                last_error: Set(None),
            }
            .insert(tx.connection())
            .await?;
            Ok(())
        })
    });
    made.await.expect("a row can be written");
}

/// P1, P4, P12: nothing but a fresh signature over exactly this body is taken; each refusal is recorded, and nothing is read before.
async fn refusals(world: World) {
    given::account(&world, "ada", Has::AddressAndFactor).await;
    let body = json!({ "address": "ada@example.org", "kind": "hard" }).to_string();
    let now = world.env.now().as_seconds();
    assert_eq!(send(&world, None, &body).await.status(), 403);
    assert_eq!(count(&world, "mail:bounce:refused").await, 0, "nothing was presented");
    let good = signed_at(SECRET, now, &body);
    let wrong = [
        signed_at("another secret", now, &body),
        signed_at("", now, &body),
        signed_at(SECRET, now, "another body"),
        signed_at(SECRET, now - 301, &body),
        signed_at(SECRET, now + 301, &body),
        signed_at(SECRET, i64::MAX, &body),
        good.replace(&format!("t={now}"), &format!("t={}", now + 1)),
        good[..good.len() - 1].to_owned(),
        "t=1".to_owned(),
        "Basic Zm9vOmJhcg==".to_owned(),
    ];
    for header in &wrong {
        let answer = send(&world, Some(header.clone()), &body).await;
        assert_eq!(answer.status(), 403, "{header}");
        assert!(answer.json()["message"].is_string(), "{}", answer.text());
    }
    assert_eq!(count(&world, "mail:bounce:refused").await, wrong.len());
    assert!(open(&world, "ada@example.org").await.verified_at.is_some());
    // Signed, and no report.
    for bad in [
        "",
        "[]",
        "{}",
        "{\"kind\":\"hard\"}",
        "{\"address\":\"ada@example.org\"}",
        "{\"address\":\"ada@example.org\",\"kind\":\"harder\"}",
    ] {
        let answer = send(&world, Some(signed_at(SECRET, now, bad)), bad).await;
        assert_eq!(answer.status(), 400, "{bad}: {}", answer.text());
    }
    assert!(open(&world, "ada@example.org").await.verified_at.is_some());
    // 30 wrong ones in five minutes, and the door is shut for that network.
    for _ in wrong.len()..30 {
        send(&world, Some(wrong[0].clone()), &body).await;
    }
    assert_eq!(send(&world, Some(wrong[0].clone()), &body).await.status(), 429);
}

/// Warehouse 4.2: a hard bounce takes the proof away, tells the other addresses, and leads the person to the page that mends it.
async fn a_hard_bounce(world: World) {
    let ada = given::account(&world, "ada", Has::AddressAndFactor).await;
    let soft = report(&world, &json!({ "address": "ADA@example.org", "kind": "soft" })).await;
    assert_eq!(soft.json(), json!({ "known": true, "unverified": false }));
    assert!(open(&world, "ada@example.org").await.verified_at.is_some(), "a soft one costs nothing");
    let unknown = report(&world, &json!({ "address": "nobody@example.org", "kind": "hard" })).await;
    assert_eq!(unknown.json(), json!({ "known": false, "unverified": false }));
    let body = json!({ "address": "ada@example.org", "kind": "hard" }).to_string();
    let header = signed_at(SECRET, world.env.now().as_seconds(), &body);
    let hard = send(&world, Some(header.clone()), &body).await;
    assert_eq!(hard.json(), json!({ "known": true, "unverified": true }));
    let row = open(&world, "ada@example.org").await;
    assert_eq!((row.verified_at, row.is_primary, row.unverified_because.as_deref()), (None, true, Some("bounce")));
    assert_eq!(count(&world, "account:email:unverified").await, 1);
    assert_eq!(count(&world, "mail:bounced").await, 3, "each report is recorded");
    assert!(world.newest_mail_to("ada@example.org").await.subject.contains("must be verified again"), "told for 30 days more");
    let browser = given::browser(&world, ada).await;
    let answer = browser.get("/manage/account/token/").await;
    assert!(answer.location().starts_with("/manage/unverified-account/"), "the gate leads there");
    // The same call once more, after the owner has verified again: nothing happens.
    world.run("UPDATE addresses SET verified_at = 1 WHERE until_at IS NULL").await;
    let again = send(&world, Some(header), &body).await;
    assert_eq!((again.status(), again.json()["unverified"].as_bool()), (200, Some(false)));
    assert!(open(&world, "ada@example.org").await.verified_at.is_some(), "a call is taken once");
}

/// A bounce of a known mail marks its delivery; one from before the address was proved again says nothing about it.
async fn by_message(world: World) {
    given::account(&world, "ada", Has::AddressAndFactor).await;
    let address = open(&world, "ada@example.org").await.id;
    world.advance(HOUR);
    delivered(&world, address, "first@index.example.org").await;
    world.advance(DAY);
    world.run(&format!("UPDATE addresses SET verified_at = {}", world.env.now().as_micros())).await;
    let old = report(&world, &json!({ "message_id": "<first@index.example.org>", "kind": "hard" })).await;
    assert_eq!(old.json(), json!({ "known": true, "unverified": false }));
    assert_eq!(all::<deliveries::Entity>(&world).await[0].state, "bounced");
    world.advance(HOUR);
    delivered(&world, address, "second@index.example.org").await;
    let new = report(&world, &json!({ "message_id": "second@index.example.org", "kind": "complaint" })).await;
    assert_eq!(new.json(), json!({ "known": true, "unverified": true }));
    assert_eq!(open(&world, "ada@example.org").await.unverified_because.as_deref(), Some("complaint"));
}

macro_rules! on_both { ($($name:ident: $run:ident, $settings:expr;)*) => { $(mod $name {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() { super::$run(super::World::sqlite($settings).await).await; }
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() { super::$run(super::World::postgres($settings).await).await; }
})* } }

on_both! {
    p4_a_report_that_is_not_signed_or_not_now_is_refused_and_recorded: refusals, super::SETTINGS;
    a_hard_bounce_costs_the_address_its_proof_once: a_hard_bounce, super::SETTINGS;
    a_bounce_of_a_known_mail_marks_it_and_old_ones_cost_nothing: by_message, super::SETTINGS;
    p12_without_a_secret_every_report_is_refused: without_a_secret, &[];
}

/// P12: an index without a secret takes no report, not even one that is signed with the empty one.
async fn without_a_secret(world: World) {
    given::account(&world, "ada", Has::AddressAndFactor).await;
    let body = json!({ "address": "ada@example.org", "kind": "hard" }).to_string();
    for secret in ["", SECRET] {
        let header = signed_at(secret, world.env.now().as_seconds(), &body);
        assert_eq!(send(&world, Some(header), &body).await.status(), 403);
    }
    assert!(open(&world, "ada@example.org").await.verified_at.is_some());
    assert_eq!(count(&world, "mail:bounce:refused").await, 2);
}
