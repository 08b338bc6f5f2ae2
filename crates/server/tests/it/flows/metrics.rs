//! What is counted for those who watch: on the second listener alone, and without a name of anybody.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use index::measure::MEASURES;
use server::gate::{App, router};
use server::{metrics, routes};
use tower::ServiceExt;

use crate::world::World;

/// What the second listener answers.
async fn scrape(world: &World, path: &str) -> (u16, String) {
    let admin = router(App::new(world.env.clone(), None), routes::admin());
    let request = Request::get(path).body(Body::empty()).expect("a well-formed request");
    let answer = admin.oneshot(request).await.expect("the router never fails");
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("the body ends");
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measures_answer_on_the_second_listener_and_nowhere_else() {
    metrics::install().expect("nobody else records");
    let world = World::sqlite(&[]).await;
    let ada = world.verified("ada").await;
    let wrong = world.browser();
    wrong.submit("/account/login/", "/account/login/", &[("username", "ada"), ("password", "a-wrong-password")]).await;
    world.work().await;
    for path in ["/metrics", "/metrics/"] {
        for browser in [&world.browser(), &ada.browser] {
            assert_eq!(browser.get(path).await.status(), 404, "{path}");
        }
    }
    let (status, text) = scrape(&world, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "strongroom_sign_ins_total{outcome=\"refused\"} ",
        "strongroom_sign_ins_total{outcome=\"signed_in\"} ",
        "strongroom_hashing_wait_seconds_bucket{le=\"",
        "strongroom_mails_total{outcome=\"sent\"} ",
        "strongroom_jobs{state=\"failed\"} 0",
        "strongroom_jobs_late_seconds 0",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name: String = line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let known = MEASURES.iter().any(|row| name.starts_with(row.name));
        assert!(known, "{name} is in no row of the table");
        assert!(!line.contains("ada"), "{line}");
    }
    for path in ["/", "/account/login/", "/simple/", "/_ready/"] {
        assert_eq!(scrape(&world, path).await.0, 404, "{path} is not for the second listener");
    }
}

/// The manual names every measure.
#[test]
fn every_measure_stands_in_the_manual() {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operate.md")).expect("the manual");
    for row in MEASURES {
        assert!(manual.contains(&format!("`{}`", row.name)), "{} is not in docs/operate.md", row.name);
    }
}
