//! P4: every credential that is presented in vain leaves an event, on every face: unknown, ended, used, expired, or good for something
//! else. A flood of them is counted (R26).

use std::time::Duration;

use credentials::link::LinkToken;
use index::act::{Housekeeping, housekeeping};
use index::db::entities::events;
use index::events::open_private;
use index::ids::AccountId;

use crate::given::{self, Has};
use crate::people::token_of;
use crate::world::{World, both_engines};

const SESSION: &str = "__Host-strongroom_session";
const HOUR: Duration = Duration::from_secs(3600);

/// The newest event of a kind.
async fn newest(world: &World, kind: &'static str) -> events::Model {
    given::events_of(world, kind).await.pop().unwrap_or_else(|| panic!("no {kind}"))
}

/// The newest refusal is about this account, by nobody, and says this.
async fn assert_refused(world: &World, account: Option<AccountId>, (credential, reason): (&str, &str)) {
    let row = newest(world, "authentication:refused").await;
    assert_eq!((row.account_id, row.actor_account_id, row.credential.as_str()), (account, None, credential), "{row:?}");
    assert!(row.detail.contains(reason), "{row:?}");
}

both_engines! {
    /// P4: cookies that nobody has, that ran out and that were ended.
    async fn a_session_cookie_that_opens_nothing_leaves_an_event(world: World) {
        let stranger = world.browser();
        stranger.set_cookie(SESSION, LinkToken::generate(&*world.env.entropy).expose());
        assert_eq!(stranger.get("/manage/account/").await.status(), 303);
        assert_refused(&world, None, ("session", "there is no such one")).await;
        assert_eq!(stranger.get("/").await.status(), 200, "a page for everybody is shown all the same");
        assert_eq!(given::events_of(&world, "authentication:refused").await.len(), 2);
        assert_eq!(stranger.get("/simple/").await.status(), 200);
        assert_eq!(given::events_of(&world, "authentication:refused").await.len(), 2, "there the cookie is not looked at");

        let ada = world.secured("ada").await;
        let account = given::account_id(&world, "ada").await;
        let stolen = world.browser();
        stolen.set_cookie(SESSION, &ada.browser.cookies()[SESSION]);
        assert_eq!(ada.browser.submit("/account/logout/", "/account/logout/", &[]).await.status(), 303);
        assert_eq!(stolen.get("/manage/account/").await.status(), 303);
        assert_refused(&world, Some(account), ("session", "the session was ended")).await;
        ada.log_in().await;
        world.advance(13 * HOUR);
        assert_eq!(ada.browser.get("/manage/account/").await.status(), 303);
        assert_refused(&world, Some(account), ("session", "the session has expired")).await;
        let row = newest(&world, "authentication:refused").await;
        let (env, id) = (world.env.clone(), row.id);
        let read = housekeeping(&world.env, Housekeeping::Queue, move |tx| Box::pin(async move { open_private(&env, tx, id).await }));
        let private = read.await.expect("it opens").expect("it is there");
        assert_eq!(private.network.as_deref(), Some("192.0.2.7"), "where it came from is kept");
    }

    /// P4: the cookie of a half-open sign-in that ran out.
    async fn a_half_open_sign_in_that_is_over_leaves_an_event(world: World) {
        let ada = world.secured("ada").await;
        let half = world.browser();
        assert_eq!(ada.send_password(&half).await.location(), "/account/two-factor/");
        world.advance(HOUR);
        assert_eq!(half.get("/account/two-factor/").await.status(), 303);
        let account = given::account_id(&world, "ada").await;
        assert_refused(&world, Some(account), ("half_session", "it has expired")).await;
    }

    /// P4: links of mails that were used, and that nobody made.
    async fn a_link_that_is_dead_leaves_an_event(world: World) {
        let ada = world.registered("ada").await;
        let link = ada.verification_link().await;
        ada.verify().await;
        let account = given::account_id(&world, "ada").await;
        assert_eq!(ada.browser.submit("/account/login/", "/account/verify-email/", &[("token", &token_of(&link))]).await.status(), 410);
        assert_refused(&world, Some(account), ("mail_link", "it was used before")).await;
        let invented = LinkToken::generate(&*world.env.entropy);
        for (token, reason) in [(invented.expose(), "there is no such one"), ("x", "does not have the form")] {
            let answer = ada.browser.submit("/account/login/", "/account/verify-email/", &[("token", token)]).await;
            assert_eq!(answer.status(), 410);
            assert_refused(&world, None, ("mail_link", reason)).await;
        }
    }

    /// P4, P8: the session of an account that was stopped, and one that is not fresh enough, are refused authorization on record.
    async fn a_good_session_that_does_not_open_the_door_leaves_an_event(world: World) {
        let account = given::account(&world, "ada", Has::AddressAndFactor).await;
        let browser = given::browser(&world, account).await;
        assert_eq!(browser.get("/manage/account/change-password/").await.status(), 303);
        let row = newest(&world, "authorization:refused").await;
        assert_eq!((row.actor_account_id, row.credential.as_str()), (Some(account), "session"));
        assert!(row.detail.contains("account:change-password"), "{row:?}");
        given::freeze(&world.env, account).await;
        assert_eq!(browser.get("/manage/account/").await.status(), 403);
        let row = newest(&world, "authorization:refused").await;
        assert_eq!((row.actor_account_id, row.credential.as_str()), (Some(account), "stopped_session"));
        assert!(row.detail.contains("the account is frozen"), "{row:?}");
    }

    /// P4: a token that is good and uploads nothing leaves an event too.
    async fn a_token_that_uploads_nothing_leaves_an_event(world: World) {
        let (account, token) = given::publisher(&world, "ada").await;
        let wrong = crate::dist::wheel("spam", "1.0").build().with("version", "2.0");
        let answer = given::upload(&world, &token, &wrong).await;
        assert_eq!(answer.status(), 400, "{}", answer.text());
        let row = newest(&world, "account:api_token:used").await;
        assert_eq!((row.account_id, row.actor_account_id, row.credential.as_str()), (Some(account), Some(account), "api_token"));
        let right = crate::dist::wheel("spam", "1.0").build();
        for again in [false, true] {
            assert_eq!(given::upload(&world, &token, &right).await.status(), 200);
            let rows = 1 + usize::from(again);
            assert_eq!(given::events_of(&world, "account:api_token:used").await.len(), rows, "an upload is its own event");
        }
    }

    /// R26: a flood of cookies is counted.
    async fn r26_a_flood_of_cookies_does_not_fill_the_trail(world: World) {
        let stranger = world.browser();
        for _ in 0..30 {
            stranger.set_cookie(SESSION, LinkToken::generate(&*world.env.entropy).expose());
            stranger.get("/manage/account/").await;
        }
        assert_eq!(i64::try_from(given::events_of(&world, "authentication:refused").await.len()).expect("few"), index::events::FAILURE_ROWS);
        world.advance(Duration::from_secs(1200));
        world.work().await;
        assert!(newest(&world, "events:failures:counted").await.detail.contains("\"counted\":10"));
    }
}
