//! Freezing and thawing (R13): what is stopped stops at the next request, and comes back exactly.

use index::Refused;
use index::accounts::freeze::{self, Frozen};
use index::accounts::{self, show};
use index::act::{act, view};
use index::ids::{AccountId, Site};
use index::policy::{Actor, FreezeAccount, InspectAccount, ThawAccount};

use crate::people::token_of;
use crate::world::{World, both_engines};

const HOME: &str = "/manage/account/";

fn operator() -> Actor {
    Actor::operator("olga", "a-request".to_owned())
}

async fn find(world: &World, name: &str) -> AccountId {
    let name = name.to_owned();
    view::<InspectAccount, _, _>(&world.env, &operator(), Site, move |read, permit| {
        Box::pin(async move { show::find(read, permit, &name).await })
    })
    .await
    .expect("the account is there")
}

/// What `strongroom account freeze` does.
async fn freeze(world: &World, name: &str) -> Frozen {
    let (env, account) = (world.env.clone(), find(world, name).await);
    act::<FreezeAccount, _, _>(&world.env, &operator(), account, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { freeze::freeze(&env, tx, permit, "a reason").await })
    })
    .await
    .expect("freezing always works")
}

/// What `strongroom account thaw` does.
async fn thaw(world: &World, name: &str) -> Result<u64, Refused> {
    let (env, account) = (world.env.clone(), find(world, name).await);
    act::<ThawAccount, _, _>(&world.env, &operator(), account, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { freeze::thaw(&env, tx, permit, "another reason").await })
    })
    .await
}

async fn state(world: &World, name: &str) -> String {
    let name = name.to_owned();
    let operator = operator();
    let shown = view::<InspectAccount, _, _>(&world.env, &operator, Site, move |read, permit| {
        Box::pin(async move { show::inspect(read, permit, &name).await })
    });
    serde_json::to_value(shown.await.expect("the account is there")).expect("JSON")["state"].as_str().expect("a word").to_owned()
}

both_engines! {
    /// PYPI-9, ASVS-7.4.2.
    async fn r13_a_frozen_accounts_session_stops_at_once_and_the_same_one_comes_back(world: World) {
        let ada = world.secured("ada").await;
        assert_eq!(freeze(&world, "ada").await, Frozen::Now);
        assert_eq!(state(&world, "ada").await, "frozen");
        let answer = ada.browser.get(HOME).await;
        assert_eq!(answer.status(), 403);
        assert!(answer.text().contains("frozen"), "{}", answer.text());
        assert_eq!(thaw(&world, "ada").await.expect("it was frozen"), 1);
        assert_eq!(state(&world, "ada").await, "active");
        assert_eq!(ada.browser.get(HOME).await.status(), 200, "the same cookie");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM sessions WHERE until_at IS NULL").await, 1);
    }

    async fn a_frozen_account_cannot_sign_in_at_any_step(world: World) {
        let ada = world.secured("ada").await;
        let half = world.browser();
        ada.send_password(&half).await;
        let token = half.get("/account/two-factor/").await.csrf_token();
        freeze(&world, "ada").await;
        assert_eq!(ada.send_password(&world.browser()).await.status(), 403);
        let answer = half.post("/account/two-factor/", &[("csrf_token", &token), ("totp_value", &ada.code())]).await;
        assert_eq!(answer.status(), 403);
        let answer = half.post("/account/recovery-code/", &[("csrf_token", &token), ("recovery_code_value", &ada.recovery_code())]).await;
        assert_eq!(answer.status(), 403);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM recovery_codes WHERE used_at IS NULL").await, 7, "no code was burned");
    }

    async fn a_frozen_account_says_so_only_to_whoever_knows_its_password(world: World) {
        world.verified("ada").await;
        freeze(&world, "ada").await;
        let browser = world.browser();
        let fields = [("username", "ada"), ("password", "a-wrong-password")];
        let answer = browser.submit("/account/login/", "/account/login/", &fields).await;
        assert_eq!(answer.status(), 422);
        assert!(!answer.text().contains("frozen"));
    }

    async fn links_of_a_frozen_account_do_nothing(world: World) {
        let ada = world.registered("ada").await;
        let link = ada.verification_link().await;
        freeze(&world, "ada").await;
        let answer = world.browser().submit(&link, "/account/verify-email/", &[("token", &token_of(&link))]).await;
        assert_eq!(answer.status(), 403);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM addresses WHERE verified_at IS NOT NULL").await, 0);
    }

    async fn r13_freezing_always_adds_a_cause_and_thawing_ends_the_operators_only(world: World) {
        let ada = world.secured("ada").await;
        assert_eq!(freeze(&world, "ada").await, Frozen::Now);
        assert_eq!(freeze(&world, "ada").await, Frozen::Already);
        // A cause of another kind, as a containment adds it.
        world.run("INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) SELECT id, id, 'contained', 'x', 0, id FROM accounts").await;
        assert_eq!(thaw(&world, "ada").await.expect("two causes"), 2);
        assert_eq!(state(&world, "ada").await, "contained");
        assert_eq!(ada.browser.get(HOME).await.status(), 403, "the other cause stands");
        assert!(matches!(thaw(&world, "ada").await, Err(Refused::Invalid(_))), "nothing is left to thaw");
    }

    /// AUDIT-14.
    async fn the_record_names_the_person_at_the_shell(world: World) {
        world.verified("ada").await;
        freeze(&world, "ada").await;
        thaw(&world, "ada").await.expect("it was frozen");
        for kind in ["account:freeze", "account:thaw"] {
            let by = world.number(&format!("SELECT COUNT(*) AS n FROM events WHERE kind = '{kind}' AND actor = 'operator:olga'")).await;
            assert_eq!(by, 1, "{kind}");
        }
    }

    async fn names_are_found_in_any_case_and_look_alikes_are_not_the_account(world: World) {
        world.registered("bill").await;
        let found = |name: &'static str| {
            let world = &world;
            async move {
                view::<InspectAccount, _, _>(&world.env, &operator(), Site, move |read, _| {
                    Box::pin(async move { Ok(accounts::by_username(read, name).await?.is_some()) })
                })
                .await
                .expect("the database answers")
            }
        };
        assert!(found("BILL").await);
        assert!(!found("b1ll").await, "a look-alike is another name, that nobody can have");
    }
}
