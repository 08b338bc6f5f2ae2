//! The house stands: it opens, answers and says who it is.

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
