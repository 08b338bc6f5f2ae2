//! `/simple/`: what pip, uv, poetry and mirrors read, and that it is never older than the last upload.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use index::act::{Housekeeping, housekeeping};
use index::db::Reading;
use index::db::entities::{projects, releases};
use index::ids::{EventId, ProjectId};
use index::projects::watching::Watcher;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter};

use crate::dist::{sdist, wheel};
use crate::given::{publisher, upload};
use crate::world::{Answer, World, both_engines};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const PIP: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";

async fn get(world: &World, path: &str, accept: &str) -> Answer {
    world.browser().get_with(path, &[("accept", accept)]).await
}

/// A project whose first upload is this wheel.
async fn published(world: &World, name: &str) -> String {
    let (_, token) = publisher(world, "ada").await;
    assert_eq!(upload(world, &token, &wheel(name, "1.0").header("Requires-Python", ">=3.9").build()).await.status(), 200);
    token
}

/// Yanks as another process would: the row, and the project's serial.
async fn yank_elsewhere(world: &World, reason: Option<&'static str>) {
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let at = tx.now().0;
            let yank = releases::Entity::update_many().col_expr(releases::Column::YankedAt, Expr::value(at));
            yank.col_expr(releases::Column::YankedReason, Expr::value(reason)).exec(tx.connection()).await?;
            let serial = Expr::col(projects::Column::Serial).add(1);
            projects::Entity::update_many().col_expr(projects::Column::Serial, serial).exec(tx.connection()).await?;
            Ok(())
        })
    });
    done.await.expect("rows can be changed");
}

/// Projects without a release, as many as asked, named after `prefix`.
async fn bare_projects(world: &World, prefix: &'static str, count: usize) {
    let env = world.env.clone();
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let row = |n: usize| {
                let name = format!("{prefix}{n}");
                projects::ActiveModel {
                    id: Set(ProjectId::new(tx.now(), &*env.entropy)),
                    name: Set(name.clone()),
                    normalized: Set(name.clone()),
                    look_alike: Set(name),
                    serial: Set(1 + i64::try_from(n).expect("small")),
                    created_at: Set(tx.now()),
                    began_by: Set(EventId::new(tx.now(), &*env.entropy)),
                }
            };
            let rows: Vec<_> = (0..count).map(row).collect();
            for part in rows.chunks(1000) {
                projects::Entity::insert_many(part.to_vec()).exec(tx.connection()).await?;
            }
            Ok(())
        })
    });
    done.await.expect("projects can be added");
}

fn names(answer: &Answer) -> Vec<String> {
    let answer = answer.json();
    let list = answer["projects"].as_array().expect("a list");
    list.iter().map(|project| project["name"].as_str().expect("a name").to_owned()).collect()
}

fn decoded(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::new();
    match answer.header("content-encoding") {
        None => out.clone_from(&answer.bytes),
        Some("gzip") => drop(flate2::read::GzDecoder::new(&answer.bytes[..]).read_to_end(&mut out).expect("gzip")),
        Some("zstd") => out = zstd::stream::decode_all(&answer.bytes[..]).expect("zstd"),
        Some("br") => brotli::BrotliDecompress(&mut &answer.bytes[..], &mut out).expect("brotli"),
        Some(other) => panic!("{other} was not asked for"),
    }
    out
}

both_engines! {
    async fn the_index_lists_every_project_in_both_forms(world: World) {
        let empty = world.browser().get("/simple/").await;
        assert_eq!((empty.status(), empty.header("x-pypi-last-serial")), (200, Some("0")));
        published(&world, "Zope.Spam").await;
        let html = world.browser().get("/simple/").await;
        assert_eq!(html.header("content-type"), Some("text/html; charset=UTF-8"));
        assert_eq!(html.header("access-control-allow-origin"), Some("*"));
        assert!(html.header("etag").is_some_and(|etag| etag.starts_with('"')));
        assert!(html.text().contains(r#"<meta name="pypi:repository-version" content="1.4">"#));
        assert!(html.text().contains(r#"<a href="/simple/zope-spam/">Zope.Spam</a>"#));
        let json = get(&world, "/simple/", JSON).await;
        assert_eq!(json.header("content-type"), Some(JSON));
        assert!(json.text().ends_with("}\n"));
        let body = json.json();
        assert_eq!(body["meta"]["api-version"], "1.4");
        assert_eq!(json.header("x-pypi-last-serial"), Some(body["meta"]["_last-serial"].to_string().as_str()));
        assert_eq!(body["projects"][0]["name"], "Zope.Spam");
        assert_eq!(body["projects"][0]["_last-serial"], body["meta"]["_last-serial"]);
    }

    async fn the_form_is_the_one_that_the_client_accepts(world: World) {
        published(&world, "spam").await;
        for path in ["/simple/", "/simple/spam/"] {
            for (accept, expected) in [
                ("*/*", "text/html; charset=UTF-8"),
                (PIP, JSON),
                ("application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+html"),
                ("application/vnd.pypi.simple.v1+json, */*;q=0.1", JSON),
                ("application/vnd.pypi.simple.latest+json", JSON),
            ] {
                let answer = get(&world, path, accept).await;
                assert_eq!((answer.status(), answer.header("content-type")), (200, Some(expected)), "{path} {accept}");
                assert!(answer.header("vary").is_some_and(|vary| vary.contains("Accept,") && vary.contains("Accept-Encoding")));
                assert_eq!(answer.header("cache-control"), Some("max-age=600, public"));
                assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; sandbox allow-top-navigation"));
                assert_eq!(answer.header("set-cookie"), None);
            }
            let refused = get(&world, path, "image/png").await;
            assert_eq!((refused.status(), refused.header("access-control-allow-origin")), (406, Some("*")));
        }
    }

    async fn other_spellings_move_and_unknown_names_are_404(world: World) {
        published(&world, "my-pkg").await;
        for other in ["/simple/My.Pkg/", "/simple/my_pkg/", "/simple/MY--PKG/"] {
            let moved = world.browser().get(other).await;
            assert_eq!((moved.status(), moved.header("location")), (301, Some("/simple/my-pkg/")), "{other}");
            assert_eq!(moved.header("access-control-allow-origin"), Some("*"));
        }
        for (bare, slash) in [("/simple/my-pkg", "/simple/my-pkg/"), ("/simple/My.Pkg", "/simple/My.Pkg/")] {
            assert_eq!(world.browser().get(bare).await.header("location"), Some(slash));
        }
        for unknown in ["/simple/nope/", "/simple/-/", "/simple/%00/", "/simple/a%2Fb/", "/simple/%C3%A9/"] {
            let answer = world.browser().get(unknown).await;
            assert_eq!((answer.status(), answer.text().as_str()), (404, "404 Not Found"), "{unknown}");
            assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
        let posted = world.browser().request(Method::POST, "/simple/", Body::empty(), &[]).await;
        assert_eq!(posted.status(), 405);
        assert!(posted.header("allow").is_some_and(|allow| allow.contains("GET")), "{:?}", posted.headers);
    }

    async fn a_wheel_is_listed_with_all_that_installers_need(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dist = wheel("Spam", "1.0").header("Requires-Python", ">=3.9").build();
        assert_eq!(upload(&world, &token, &dist).await.status(), 200);
        let answer = get(&world, "/simple/spam/", PIP).await;
        let body = answer.json();
        assert_eq!((body["name"].as_str(), body["project-status"]["status"].as_str()), (Some("spam"), Some("active")));
        assert_eq!(body["versions"], serde_json::json!(["1.0"]));
        assert_eq!(answer.header("x-pypi-last-serial"), Some(body["meta"]["_last-serial"].to_string().as_str()));
        let file = &body["files"][0];
        assert_eq!(file["filename"], dist.filename.as_str());
        assert_eq!(file["hashes"], serde_json::json!({ "sha256": dist.sha256() }));
        assert_eq!((file["requires-python"].as_str(), file["size"].as_u64()), (Some(">=3.9"), Some(dist.bytes.len() as u64)));
        assert_eq!((file["yanked"].clone(), file["provenance"].clone()), (false.into(), serde_json::Value::Null));
        assert_eq!(file["upload-time"], "2026-11-23T08:00:00.000000Z");
        assert_eq!(file["core-metadata"]["sha256"].as_str().map(str::len), Some(64));
        assert_eq!(file["core-metadata"], file["data-dist-info-metadata"]);
        assert!(file["url"].as_str().is_some_and(|url| url.starts_with("https://index.example.org/files/") && !url.contains('#')));
        let html = world.browser().get("/simple/spam/").await.text();
        let sha256 = file["core-metadata"]["sha256"].as_str().unwrap();
        assert!(html.contains(&format!("#sha256={}\" data-requires-python=\"&gt;=3.9\"", dist.sha256())), "{html}");
        assert!(html.contains(&format!("data-dist-info-metadata=\"sha256={sha256}\" data-core-metadata=\"sha256={sha256}\"")));
        assert!(html.ends_with(&format!("<!--SERIAL {}-->", body["meta"]["_last-serial"])));
    }

    async fn an_upload_is_seen_by_the_next_request_and_a_repeated_one_changes_nothing(world: World) {
        let token = published(&world, "spam").await;
        let first = get(&world, "/simple/spam/", JSON).await;
        let first_index = get(&world, "/simple/", JSON).await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").header("Requires-Python", ">=3.9").build()).await.status(), 200);
        let again = get(&world, "/simple/spam/", JSON).await;
        assert_eq!((again.bytes == first.bytes, again.header("etag")), (true, first.header("etag")));
        assert_eq!(upload(&world, &token, &sdist("spam", "10.0").build()).await.status(), 200);
        assert_eq!(upload(&world, &token, &sdist("spam", "9.0").build()).await.status(), 200);
        let second = get(&world, "/simple/spam/", JSON).await;
        assert_eq!(second.json()["versions"], serde_json::json!(["1.0", "9.0", "10.0"]));
        assert_ne!(second.header("etag"), first.header("etag"));
        let serial = |answer: &Answer| answer.header("x-pypi-last-serial").and_then(|s| s.parse::<i64>().ok()).expect("a serial");
        assert!(serial(&second) > serial(&first));
        assert_eq!(serial(&get(&world, "/simple/", JSON).await), serial(&second));
        assert!(serial(&second) > serial(&first_index));
    }

    async fn nothing_of_a_refused_upload_is_visible(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let broken = wheel("spam", "1.0").build().with("sha256_digest", &"0".repeat(64));
        assert_eq!(upload(&world, &token, &broken).await.status(), 400);
        for path in ["/simple/spam/", "/pypi/spam/json", "/project/spam/", "/rss/project/spam/releases.xml"] {
            assert_eq!(world.browser().get(path).await.status(), 404, "{path}");
        }
        assert!(names(&get(&world, "/simple/", JSON).await).is_empty());
        assert!(!world.browser().get("/search/?q=spam").await.text().contains("/project/spam/"));
    }

    async fn each_encoding_has_its_bytes_and_its_validator(world: World) {
        let token = published(&world, "spam").await;
        for version in 2..12 {
            assert_eq!(upload(&world, &token, &wheel("spam", &format!("{version}.0")).build()).await.status(), 200);
        }
        let plain = get(&world, "/simple/spam/", JSON).await;
        let mut etags = BTreeSet::from([plain.header("etag").unwrap().to_owned()]);
        for encoding in ["gzip", "br", "zstd"] {
            let headers = [("accept", JSON), ("accept-encoding", encoding)];
            let answer = world.browser().get_with("/simple/spam/", &headers).await;
            assert_eq!(answer.header("content-encoding"), Some(encoding));
            assert_eq!(decoded(&answer), plain.bytes);
            let etag = answer.header("etag").unwrap().to_owned();
            let unchanged = world.browser().get_with("/simple/spam/", &[headers[0], headers[1], ("if-none-match", &etag)]).await;
            assert_eq!((unchanged.status(), unchanged.bytes.len()), (304, 0));
            assert_eq!(unchanged.header("etag"), Some(etag.as_str()));
            assert_eq!((unchanged.header("cache-control"), unchanged.header("content-type")), (Some("max-age=600, public"), None));
            assert!(unchanged.header("vary").is_some() && unchanged.header("x-pypi-last-serial").is_some());
            assert!(etags.insert(etag), "two representations share a validator");
        }
        let other = world.browser().get_with("/simple/spam/", &[("if-none-match", etags.first().unwrap().as_str())]).await;
        assert_eq!(other.status(), 200, "the validator of JSON says nothing about HTML");
    }

    async fn a_yank_is_shown_with_its_reason(world: World) {
        published(&world, "spam").await;
        assert_eq!(get(&world, "/simple/spam/", JSON).await.json()["files"][0]["yanked"], false);
        yank_elsewhere(&world, Some("breaks \"eggs\" <b>")).await;
        assert_eq!(get(&world, "/simple/spam/", JSON).await.json()["files"][0]["yanked"], "breaks \"eggs\" <b>");
        let html = world.browser().get("/simple/spam/").await.text();
        assert!(html.contains("data-yanked=\"breaks &#34;eggs&#34; &lt;b&gt;\""), "{html}");
        yank_elsewhere(&world, None).await;
        assert_eq!(get(&world, "/simple/spam/", JSON).await.json()["files"][0]["yanked"], true);
    }

    async fn what_another_process_changed_is_seen_whether_or_not_this_one_watches(world: World) {
        published(&world, "spam").await;
        let yanked = async || get(&world, "/simple/spam/", JSON).await.json()["files"][0]["yanked"].clone();
        assert_eq!(yanked().await, false);
        yank_elsewhere(&world, Some("unwatched")).await;
        assert_eq!(yanked().await, "unwatched", "nobody watches: the database is asked");
        let mut watcher = watcher(&world).await;
        assert_eq!(yanked().await, "unwatched");
        yank_elsewhere(&world, Some("watched")).await;
        assert_eq!(yanked().await, "unwatched", "the watch is a moment old: memory is believed");
        watcher.step(&world.env).await.expect("the trail can be read");
        assert_eq!(yanked().await, "watched");
        let serial = get(&world, "/simple/", JSON).await.header("x-pypi-last-serial").map(str::to_owned);
        yank_elsewhere(&world, Some("late")).await;
        world.advance(Duration::from_secs(1));
        assert_eq!(yanked().await, "late", "the watch is a second old: the database is asked");
        assert_ne!(get(&world, "/simple/", JSON).await.header("x-pypi-last-serial").map(str::to_owned), serial);
    }

    async fn a_project_without_files_is_there_with_empty_lists(world: World) {
        bare_projects(&world, "bare", 1).await;
        let body = get(&world, "/simple/bare0/", JSON).await.json();
        assert_eq!((body["files"].clone(), body["versions"].clone()), (serde_json::json!([]), serde_json::json!([])));
        assert_eq!(world.browser().get("/pypi/bare0/json").await.status(), 404);
        let page = world.browser().get("/project/bare0/").await;
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("bare0 has no release yet."));
    }

    async fn the_whole_of_a_large_index_is_shown_at_most_half_a_minute_old(world: World) {
        bare_projects(&world, "p", 5_001).await;
        let first = get(&world, "/simple/", JSON).await;
        assert_eq!(names(&first).len(), 5_001);
        assert!(names(&first).is_sorted());
        bare_projects(&world, "q", 1).await;
        bump(&world, "q0", 6_000).await;
        assert_eq!(get(&world, "/simple/", JSON).await.bytes, first.bytes);
        world.advance(Duration::from_secs(30));
        let later = get(&world, "/simple/", JSON).await;
        assert_eq!((names(&later).len(), later.header("x-pypi-last-serial")), (5_002, Some("6000")));
        bump(&world, "q0", 6_001).await;
        world.advance(Duration::from_secs(29));
        assert_eq!(get(&world, "/simple/", JSON).await.header("x-pypi-last-serial"), Some("6000"));
        assert_eq!(get(&world, "/simple/q0/", JSON).await.header("x-pypi-last-serial"), Some("6001"), "a project is never old");
    }
}

/// A watcher that is believed.
async fn watcher(world: &World) -> Watcher {
    let mut watcher = Watcher::default();
    watcher.step(&world.env).await.expect("the trail can be read");
    world.advance(Duration::from_secs(60));
    watcher.step(&world.env).await.expect("the trail can be read");
    watcher
}

/// On SQLite serials appear in their order; on PostgreSQL a transaction may commit after one with a higher serial.
#[tokio::test]
async fn a_serial_that_appears_late_is_not_missed() {
    let world = World::postgres(&[]).await;
    published(&world, "spam").await;
    bare_projects(&world, "bare", 1).await;
    let mut watcher = watcher(&world).await;
    assert_eq!(get(&world, "/simple/spam/", JSON).await.json()["files"][0]["yanked"], false);
    bump(&world, "bare0", 1000).await;
    watcher.step(&world.env).await.expect("the trail can be read");
    assert_eq!(get(&world, "/simple/", JSON).await.header("x-pypi-last-serial"), Some("1000"));
    yank_elsewhere(&world, Some("late")).await;
    bump(&world, "bare0", 1000).await;
    watcher.step(&world.env).await.expect("the trail can be read");
    assert_eq!(get(&world, "/simple/spam/", JSON).await.json()["files"][0]["yanked"], "late");
}

async fn bump(world: &World, name: &'static str, serial: i64) {
    let done = housekeeping(&world.env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let change = projects::Entity::update_many().col_expr(projects::Column::Serial, Expr::value(serial));
            change.filter(projects::Column::Normalized.eq(name)).exec(tx.connection()).await?;
            Ok(())
        })
    });
    done.await.expect("a serial can move");
}
