//! The house stands: it opens, answers and says who it is.

use index::Refused;
use index::act::act;
use index::events::{self, Entry, SignedOut};
use index::ids::Site;
use index::policy::{Actor, CreateAccount};

use crate::world::{World, both_engines};

both_engines! {
    async fn the_index_is_alive_and_ready(world: World) {
        let browser = world.browser();
        assert_eq!(browser.get("/_health/").await.text(), "OK");
        let ready = browser.get("/_ready/").await;
        assert_eq!(ready.status(), 200, "{}", ready.text());
        assert!(ready.header("x-request-id").is_some());
    }

    async fn an_unknown_address_is_404_and_a_missing_slash_moves(world: World) {
        let browser = world.browser();
        assert_eq!(browser.get("/nothing/").await.status(), 404);
        let moved = browser.get("/simple").await;
        assert_eq!((moved.status(), moved.header("location")), (301, Some("/simple/")));
    }
}

both_engines! {
    /// P4: `act` refuses to commit a change that left no event.
    async fn an_act_that_records_nothing_is_undone(world: World) {
        let actor = Actor::operator("drill", "test".to_owned());
        let done = act::<CreateAccount, (), _>(&world.env, &actor, Site, |_, _| Box::pin(async { Ok(()) })).await;
        assert!(matches!(done, Err(Refused::Fault(_))), "{done:?}");
    }

    /// P4: nor one that left an event which the action's row does not name.
    async fn an_act_that_records_what_its_row_does_not_name_is_undone(world: World) {
        let actor = Actor::operator("drill", "test".to_owned());
        let env = world.env.clone();
        let done = act::<CreateAccount, (), _>(&world.env, &actor, Site, move |tx, permit| {
            let env = env.clone();
            Box::pin(async move {
                events::record(&env, tx, permit, Entry::of(SignedOut {})).await?;
                Ok(())
            })
        })
        .await;
        assert!(matches!(done, Err(Refused::Fault(_))), "{done:?}");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM events").await, 0);
    }

    /// P1: an actor that policy refuses never reaches the verb, and the refusal is recorded.
    async fn a_refused_actor_never_reaches_the_verb(world: World) {
        let actor = Actor::worker("drill", "test".to_owned());
        let done = act::<CreateAccount, (), _>(&world.env, &actor, Site, |_, _| panic!("the verb was reached")).await;
        assert!(matches!(done, Err(Refused::Denied(_))), "{done:?}");
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'authorization:refused'").await, 1);
    }
}
