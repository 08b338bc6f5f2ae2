//! `/pypi/…/json` and the feeds: what older tools and readers of news rely on.

use crate::dist::{blake2_256, sdist, wheel};
use crate::given::{publisher, upload};
use crate::world::{World, both_engines};

both_engines! {
    async fn a_project_is_described_with_all_its_releases(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dist = wheel("My.Spam", "1.0")
            .header("Summary", "Spam, eggs")
            .header("Requires-Python", ">=3.9")
            .header("Requires-Dist", "eggs>=2")
            .header("Keywords", "a,b")
            .header("Project-URL", "Source, https://example.org/src")
            .header("Home-page", "https://example.org/")
            .header("Classifier", "Programming Language :: Python :: 3")
            .description("# Spam\n")
            .build();
        let answer = upload(&world, &token, &dist).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(upload(&world, &token, &sdist("My.Spam", "2.0rc1").build()).await.status(), 200);
        let answer = world.browser().get("/pypi/my-spam/json").await;
        assert_eq!((answer.status(), answer.header("content-type")), (200, Some("application/json")));
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("cache-control")), (Some("*"), Some("max-age=900, public")));
        let body = answer.json();
        let info = &body["info"];
        assert_eq!((info["name"].as_str(), info["version"].as_str()), (Some("My.Spam"), Some("1.0")), "a pre-release is not the newest");
        assert_eq!((info["summary"].as_str(), info["description"].as_str()), (Some("Spam, eggs"), Some("# Spam\n")));
        assert_eq!((info["requires_python"].as_str(), info["keywords"].as_str()), (Some(">=3.9"), Some("a,b")));
        assert_eq!(info["requires_dist"], serde_json::json!(["eggs>=2"]));
        assert_eq!(info["project_urls"], serde_json::json!({ "Homepage": "https://example.org/", "Source": "https://example.org/src" }));
        assert_eq!(info["release_url"], "https://index.example.org/project/My.Spam/1.0/");
        assert_eq!((info["yanked"].clone(), info["yanked_reason"].clone()), (false.into(), serde_json::Value::Null));
        assert_eq!(body["ownership"], serde_json::json!({ "roles": [{ "role": "Owner", "user": "ada" }], "organization": null }));
        assert_eq!(answer.header("x-pypi-last-serial"), Some(body["last_serial"].to_string().as_str()));
        assert_eq!(body["vulnerabilities"], serde_json::json!([]));
        let versions: Vec<&String> = body["releases"].as_object().unwrap().keys().collect();
        assert_eq!(versions, ["1.0", "2.0rc1"]);
        let file = &body["urls"][0];
        assert_eq!(*file, body["releases"]["1.0"][0]);
        assert_eq!((file["filename"].as_str(), file["packagetype"].as_str()), (Some(dist.filename.as_str()), Some("bdist_wheel")));
        assert_eq!((file["digests"]["sha256"].as_str(), file["digests"]["blake2b_256"].as_str()), (Some(dist.sha256().as_str()), Some(blake2_256(&dist.bytes).as_str())));
        assert_eq!((file["upload_time"].as_str(), file["upload_time_iso_8601"].as_str()), (Some("2026-11-23T08:00:00"), Some("2026-11-23T08:00:00.000000Z")));
        assert_eq!((file["python_version"].as_str(), file["has_sig"].as_bool(), file["comment_text"].as_str()), (Some("py3"), Some(false), Some("")));
    }

    async fn a_release_is_described_in_any_spelling_of_its_version(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        for version in ["1.0", "2.0"] {
            assert_eq!(upload(&world, &token, &wheel("spam", version).build()).await.status(), 200);
        }
        for spelling in ["1.0", "1", "v1.0.0", "01.0"] {
            let body = world.browser().get(&format!("/pypi/spam/{spelling}/json")).await.json();
            assert_eq!(body["info"]["version"], "1.0", "{spelling}");
            assert_eq!(body["urls"].as_array().map(Vec::len), Some(1));
            assert!(body.get("releases").is_none(), "only a project lists its releases");
        }
        let slash = world.browser().get("/pypi/spam/json/").await;
        assert_eq!(slash.json()["info"]["version"], "2.0");
    }

    async fn what_is_not_there_is_not_found_in_json(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        for path in ["/pypi/nope/json", "/pypi/-/json", "/pypi/spam/2.0/json", "/pypi/spam/not-a-version/json", "/pypi/nope/1.0/json"] {
            let answer = world.browser().get(path).await;
            assert_eq!((answer.status(), answer.json()), (404, serde_json::json!({ "message": "Not Found" })), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
        let moved = world.browser().get("/pypi/Spam/json").await;
        assert_eq!((moved.status(), moved.header("location")), (301, Some("/pypi/spam/json")));
        assert_eq!(world.browser().get("/pypi/SPAM/1.0/json").await.header("location"), Some("/pypi/spam/1.0/json"));
    }

    async fn a_document_follows_the_next_upload_and_its_validator_with_it(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
        let first = world.browser().get("/pypi/spam/json").await;
        let etag = first.header("etag").unwrap().to_owned();
        assert_eq!(world.browser().get_with("/pypi/spam/json", &[("if-none-match", &etag)]).await.status(), 304);
        assert_eq!(upload(&world, &token, &wheel("spam", "2.0").build()).await.status(), 200);
        let second = world.browser().get_with("/pypi/spam/json", &[("if-none-match", &etag)]).await;
        assert_eq!((second.status(), second.json()["info"]["version"].as_str()), (200, Some("2.0")));
    }

    async fn feeds_tell_what_is_new_and_nothing_of_it_is_markup(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        for (name, version) in [("spam", "1.0"), ("spam", "2.0"), ("eggs", "1.0")] {
            let dist = wheel(name, version).header("Summary", "a </description><script>&").build();
            assert_eq!(upload(&world, &token, &dist).await.status(), 200);
        }
        let updates = world.browser().get("/rss/updates.xml").await;
        assert_eq!((updates.status(), updates.header("content-type")), (200, Some("text/xml; charset=UTF-8")));
        let text = updates.text();
        assert!(text.contains("<title>spam 2.0</title>\n<link>https://index.example.org/project/spam/2.0/</link>"), "{text}");
        assert!(text.contains("<description>a &lt;/description&gt;&lt;script&gt;&amp;</description>"));
        assert!(text.contains("<pubDate>Mon, 23 Nov 2026 08:00:00 +0000</pubDate>"));
        assert_eq!(text.matches("<item>").count(), 3);
        let packages = world.browser().get("/rss/packages.xml").await.text();
        assert!(packages.contains("<title>eggs added to Strongroom</title>") && packages.contains("<guid>"));
        let releases = world.browser().get("/rss/project/spam/releases.xml").await.text();
        assert!(releases.contains("<title>2.0</title>") && !releases.contains("eggs"));
        assert_eq!(world.browser().get("/rss/project/nope/releases.xml").await.status(), 404);
        assert_eq!(world.browser().get("/rss/project/Spam/releases.xml").await.header("location"), Some("/rss/project/spam/releases.xml"));
    }
}
