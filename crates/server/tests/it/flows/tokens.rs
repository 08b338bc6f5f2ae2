//! API tokens: what they open, what their holder can take away from them, and what no change of them gives.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credentials::caveat::Caveat;
use credentials::macaroon::Macaroon;
use credentials::secret::{Secret, SecretBytes};
use index::db::entities::{api_tokens, files};
use uuid::Uuid;

use crate::dist::{BOUNDARY, wheel};
use crate::given::{self, CLIENT, Has, account, all, events_of, narrowed, narrowed_raw, publisher, upload, upload_request};
use crate::world::{Answer, World, both_engines};

const NOT_VALID: &str = "Invalid or non-existent authentication information. See /help/#invalid-auth for more information.";

fn refused(answer: &Answer, gist: &str) {
    assert_eq!((answer.status(), answer.reason.as_deref()), (403, Some(gist)), "{}", answer.text());
    assert!(answer.text().contains(gist), "{}", answer.text());
    assert!(answer.header("www-authenticate").is_none(), "uploads answer 403, never with a challenge");
}

fn accepted(answer: &Answer) {
    assert_eq!(answer.status(), 200, "{}", answer.text());
}

fn names(names: &[&str]) -> Caveat {
    Caveat::ProjectNames(names.iter().map(|name| (*name).to_owned()).collect())
}

fn validity(world: &World, from: i64, to: i64) -> Caveat {
    let now = world.env.now().as_seconds();
    Caveat::Validity { not_before_s: now + from, expires_at_s: now + to }
}

both_engines! {
    async fn a_token_narrowed_by_its_holder_opens_what_is_left(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        let narrow = |caveat: Caveat| narrowed(&world, &token, &caveat);
        let good = [
            narrow(names(&["other", "My_Spam"])),
            narrow(validity(&world, -60, 60)),
            narrow(Caveat::Account(ada.0)),
            narrow(Caveat::Actions(vec!["read".to_owned(), "upload".to_owned()])),
            narrow(Caveat::Networks(vec!["192.0.2.0/24".parse().unwrap()])),
            narrowed(&world, &narrow(names(&["my-spam"])), &names(&["my.spam", "x"])),
        ];
        for (number, token) in good.iter().enumerate() {
            accepted(&upload(&world, token, &wheel("my-spam", &format!("1.{number}")).build()).await);
        }
    }

    async fn a_token_narrowed_by_its_holder_opens_nothing_else(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let narrow = |caveat: Caveat| narrowed(&world, &token, &caveat);
        let not_for_spam = "Invalid API Token: project-scoped token is not valid for project: 'spam'";
        let cases = [
            (narrow(names(&["other"])), not_for_spam),
            (narrow(names(&[])), not_for_spam),
            (narrowed(&world, &narrow(names(&["spam"])), &names(&["other"])), not_for_spam),
            (narrow(Caveat::ProjectIds(vec![Uuid::from_u128(7)])), not_for_spam),
            (narrow(validity(&world, -60, 0)), "Invalid API Token: token is expired"),
            (narrow(validity(&world, 60, 120)), "Invalid API Token: token is not yet valid"),
            (narrow(Caveat::Account(Uuid::from_u128(7))), "Invalid API Token: token is not valid for its account"),
            (narrow(Caveat::Actions(vec!["read".to_owned()])), "Invalid API Token: token does not allow uploads"),
            (narrow(Caveat::Networks(vec!["198.51.100.0/24".parse().unwrap()])), "Invalid API Token: token is not valid from this network"),
            (narrowed_raw(&world, &token, b"[102, [\"1.0\"]]"), "Invalid API Token: this index does not know caveat 102"),
            (narrowed_raw(&world, &token, b"[4, \"publisher\"]"), "Invalid API Token: this index does not know caveat 4"),
            (narrowed_raw(&world, &token, b"{\"version\": 1}"), "Invalid API Token: a caveat is not a JSON array that begins with its number"),
        ];
        for (token, gist) in &cases {
            refused(&upload(&world, token, &wheel("spam", "1.0").build()).await, gist);
        }
        assert!(all::<files::Entity>(&world).await.is_empty());
    }

    /// PYPI-15.
    async fn a_token_of_one_project_opens_no_other_and_makes_none(world: World) {
        let (ada, whole) = publisher(&world, "ada").await;
        accepted(&upload(&world, &whole, &wheel("My.Spam", "1.0").build()).await);
        accepted(&upload(&world, &whole, &wheel("eggs", "1.0").build()).await);
        let minted = given::minted(&world, ada, "scope:project:my-spam", "").await;
        assert_eq!(minted.project.as_deref(), Some("My.Spam"));
        let token = minted.text.expose();
        accepted(&upload(&world, token, &wheel("my-spam", "1.1").build()).await);
        let other = |name: &str| format!("Invalid API Token: project-scoped token is not valid for project: '{name}'");
        refused(&upload(&world, token, &wheel("eggs", "1.1").build()).await, &other("eggs"));
        refused(&upload(&world, token, &wheel("ham", "1.0").build()).await, &other("ham"));
        assert_eq!(all::<files::Entity>(&world).await.len(), 3);
    }

    async fn what_is_no_token_gets_one_answer_and_no_challenge(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let send = async |authorization: Option<&str>| {
            let mut request = upload_request("", Body::from(wheel("spam", "1.0").build().body()));
            request.headers_mut().remove("authorization");
            if let Some(value) = authorization {
                request.headers_mut().insert("authorization", value.parse().unwrap());
            }
            world.send(CLIENT, request).await
        };
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        refused(&send(None).await, NOT_VALID);
        let cases = [
            basic("__token__:pypi-garbage"), basic(&format!("__token__:{}x", token)), basic("__token__:"), basic("__token__"),
            "Bearer strongroom-AgEA".to_owned(), "Basic %%%".to_owned(), "Digest x".to_owned(), "token".to_owned(),
        ];
        for authorization in cases {
            refused(&send(Some(&authorization)).await, NOT_VALID);
        }
        for pair in ["ada:a password that is long", &format!("ada:{token}"), ":x"] {
            let answer = send(Some(&basic(pair))).await;
            assert_eq!(answer.status(), 403);
            assert!(answer.reason.unwrap().starts_with("Username/Password authentication is"), "{pair}");
        }
        for form in [format!("Bearer {token}"), format!("token {token}"), basic(&format!(" __token__ : {token} "))] {
            accepted(&send(Some(&form)).await);
        }
    }

    async fn unknown_forged_moved_and_deleted_tokens_get_the_same_answer(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        let prefix = &world.env.config.token_prefix;
        let own = Macaroon::parse(&Secret::new(token.as_str()), prefix).unwrap();
        let key = SecretBytes::new(vec![7; 32]);
        let text = |macaroon: Macaroon| macaroon.to_text(prefix).expose().to_owned();
        let mut moved = own.clone();
        moved.location = "elsewhere.example.org".to_owned();
        let deleted = given::minted(&world, ada, "scope:user", "").await;
        given::revoke(&world.env, ada, deleted.id).await;
        let shouted = String::from_utf8(own.identifier.clone()).unwrap().to_uppercase();
        let mut stripped = Macaroon::mint(&key, &own.location, &own.identifier);
        stripped = stripped.with_caveat(&own.caveats()[0]);
        let cases = [
            text(Macaroon::mint(&key, &own.location, Uuid::from_u128(7).to_string().as_bytes())),
            text(Macaroon::mint(&key, &own.location, &own.identifier)),
            text(Macaroon::mint(&key, &own.location, shouted.as_bytes())),
            text(Macaroon::mint(&key, &own.location, b"\xff")),
            text(stripped),
            text(moved),
            deleted.text.expose().to_owned(),
        ];
        for forged in &cases {
            refused(&upload(&world, forged, &wheel("spam", "1.0").build()).await, NOT_VALID);
        }
        assert!(all::<files::Entity>(&world).await.is_empty());
        accepted(&upload(&world, &token, &wheel("spam", "1.0").build()).await);
    }

    async fn a_token_ends_when_it_was_said_to_end(world: World) {
        let ada = account(&world, "ada", Has::AddressAndFactor).await;
        let minted = given::minted(&world, ada, "scope:user", "2").await;
        world.advance(Duration::from_secs(2 * 86_400 - 1));
        accepted(&upload(&world, minted.text.expose(), &wheel("spam", "1.0").build()).await);
        world.advance(Duration::from_secs(1));
        refused(&upload(&world, minted.text.expose(), &wheel("spam", "1.1").build()).await, "Invalid API Token: token is expired");
    }

    async fn a_token_carries_its_account_and_ends_with_it(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        let macaroon = Macaroon::parse(&Secret::new(token.as_str()), "strongroom").unwrap();
        assert_eq!(macaroon.location, "index.example.org");
        assert_eq!(macaroon.caveats(), [format!("[3, \"{ada}\"]").into_bytes()]);
        let row = all::<api_tokens::Entity>(&world).await.remove(0);
        assert_eq!((String::from_utf8(macaroon.identifier.clone()).unwrap(), row.account_id), (row.id.to_string(), ada));
        given::freeze(&world.env, ada).await;
        refused(&upload(&world, &token, &wheel("spam", "1.0").build()).await, NOT_VALID);
        let events = events_of(&world, "account:api_token:refused").await;
        assert_eq!((events.len(), events[0].account_id, events[0].actor_account_id), (1, Some(ada), Some(ada)));
        assert!(events[0].detail.contains("the account is frozen"));
    }

    async fn a_key_moved_to_another_row_opens_nothing(world: World) {
        let (ada, first) = publisher(&world, "ada").await;
        let (_, other) = publisher(&world, "eve").await;
        index::act::housekeeping(&world.env, index::act::Housekeeping::Queue, move |tx| Box::pin(async move {
            use index::db::Reading as _;
            use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, EntityTrait as _, IntoActiveModel as _};
            let rows = api_tokens::Entity::find().all(tx.connection()).await?;
            let (mine, theirs) = if rows[0].account_id == ada { (&rows[0], &rows[1]) } else { (&rows[1], &rows[0]) };
            let mut row = mine.clone().into_active_model();
            row.key_sealed = Set(theirs.key_sealed.clone());
            row.update(tx.connection()).await?;
            Ok(())
        })).await.unwrap();
        assert_eq!(upload(&world, &first, &wheel("spam", "1.0").build()).await.status(), 500, "a changed database is a fault, not a way in");
        accepted(&upload(&world, &other, &wheel("eggs", "1.0").build()).await);
    }

    async fn a_use_is_noted_with_its_event_and_a_refusal_is_not_a_use(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("json", "1.0").build()).await.status(), 400);
        assert_eq!(all::<api_tokens::Entity>(&world).await.remove(0).last_used_at, None);
        accepted(&upload(&world, &token, &wheel("spam", "1.0").build()).await);
        let row = all::<api_tokens::Entity>(&world).await.remove(0);
        let event = events_of(&world, "project:release:file:add").await.remove(0);
        assert_eq!((row.last_used_at, row.last_used_event), (Some(world.env.now()), Some(event.id)));
        assert_eq!(event.credential_id, Some(row.id.0));
    }

    async fn refused_tokens_are_recorded_some_and_then_counted(world: World) {
        let (ada, token) = publisher(&world, "ada").await;
        let wrong = narrowed(&world, &token, &names(&["other"]));
        let expired = narrowed(&world, &wrong, &validity(&world, -60, -1));
        for _ in 0..25 {
            refused(&upload(&world, &expired, &wheel("spam", "1.0").build()).await, "Invalid API Token: token is expired");
        }
        let events = events_of(&world, "account:api_token:refused").await;
        assert_eq!(events.len(), 20, "what a stranger can cause is bounded");
        assert!(events.iter().all(|event| event.account_id == Some(ada) && event.detail.contains("token is expired")));
        assert!(events.iter().all(|event| !event.detail.contains(&token[..20])));
    }

    async fn guessing_tokens_is_limited_per_network_and_locks_nobody_out(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let guess = async |from: u8, token: &str| {
            let request = Request::post("/legacy/")
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
                .body(Body::from(wheel("spam", "1.0").build().body()));
            world.send(IpAddr::V4(Ipv4Addr::new(203, 0, 113, from)), request.unwrap()).await
        };
        for _ in 0..100 {
            assert_eq!(guess(1, "strongroom-AgEA").await.status(), 403);
        }
        let answer = guess(1, "strongroom-AgEA").await;
        assert_eq!(answer.status(), 429);
        assert!(answer.header("retry-after").is_some());
        assert_eq!(guess(2, "strongroom-AgEA").await.status(), 403);
        accepted(&guess(1, &token).await);
    }
}
