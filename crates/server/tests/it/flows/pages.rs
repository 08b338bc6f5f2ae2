//! The pages for everybody: they find, show and lead on, and nothing that others wrote acts on them.

use index::act::{Housekeeping, housekeeping};
use index::db::Reading;
use index::db::entities::accounts;
use sea_orm::EntityTrait;
use sea_orm::sea_query::Expr;

use crate::dist::{sdist, tagged, wheel};
use crate::given::{Has, account, publisher, upload};
use crate::world::{World, both_engines};

/// What would act, if a page let it.
const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'";

async fn names_found(world: &World, query: &str) -> Vec<String> {
    let query = serde_urlencoded::to_string([("q", query)]).unwrap();
    let answer = world.browser().get(&format!("/search/?{query}")).await;
    assert_eq!(answer.status(), 200, "{query}: {}", answer.text());
    listed(&answer.text())
}

/// The names in a list of projects, in order.
fn listed(html: &str) -> Vec<String> {
    let links = html.split("<a class=\"name\" href=\"/project/").skip(1);
    links.map(|rest| rest.split("/\"").next().expect("a link ends").to_owned()).collect()
}

async fn publish(world: &World, token: &str, name: &str, summary: &str, keywords: &str) {
    let dist = wheel(name, "1.0").header("Summary", summary).header("Keywords", keywords).build();
    let answer = upload(world, token, &dist).await;
    assert_eq!(answer.status(), 200, "{}", answer.text());
}

both_engines! {
    async fn the_home_page_counts_and_shows_the_newest(world: World) {
        let empty = world.browser().get("/").await;
        assert_eq!(empty.status(), 200);
        assert!(empty.text().contains("No release yet."));
        let (_, token) = publisher(&world, "ada").await;
        publish(&world, &token, "spam", "Spam and eggs", "x").await;
        let html = world.browser().get("/").await.text();
        assert!(html.contains("<a href=\"/search/\">1</a>") && html.contains("Spam and eggs"), "{html}");
        assert_eq!(listed(&html), ["spam"]);
    }

    async fn the_exact_name_comes_first_and_words_may_be_cut_short(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        for (name, summary, keywords) in [
            ("web-toolkit", "Tools for request handling", "http,request"),
            ("request", "One", "alpha"),
            ("request-request-extras", "request request request", "request"),
            ("Zope.Interface", "Interfaces", "zope"),
        ] {
            publish(&world, &token, name, summary, keywords).await;
        }
        assert_eq!(names_found(&world, "request").await.first().map(String::as_str), Some("request"));
        assert_eq!(names_found(&world, "request").await.len(), 3);
        assert_eq!(names_found(&world, "reque").await.len(), 3);
        assert_eq!(names_found(&world, "request extras").await, ["request-request-extras"]);
        assert_eq!(names_found(&world, "zope.interface").await, ["zope-interface"]);
        assert_eq!(names_found(&world, "ZOPE").await, ["zope-interface"]);
        assert_eq!(names_found(&world, "alpha").await, ["request"]);
        assert!(names_found(&world, "request nowhere").await.is_empty());
        assert_eq!(names_found(&world, "").await, ["request", "request-request-extras", "web-toolkit", "zope-interface"]);
    }

    async fn a_search_is_never_more_than_words(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        publish(&world, &token, "spam", "Spam", "x").await;
        for query in [
            "\"", "'", "*", "spam*", "name:spam", "spam OR", "NOT spam", "(spam", "spam)", "\0", "spam\0", "^spam", "{name}: spam",
            "spam NEAR/2 eggs", "-spam", "' OR 1=1 --", "spam & | ! <->", "\\", "%", "_", "é", "日本", "\u{301}", "\u{345}a", "🐍", "1e999", "spam:*", "a:b:c:D",
        ] {
            names_found(&world, query).await;
        }
        assert_eq!(names_found(&world, "spam\" *").await, ["spam"]);
        assert_eq!(names_found(&world, &"spam ".repeat(200)).await, ["spam"]);
        assert_eq!(world.browser().get(&format!("/search/?q={}", "x".repeat(10_000))).await.status(), 413);
        for after in ["~", "NaN~x", "1~2~3", "%00", "'", "-1e308~z"] {
            assert_eq!(world.browser().get(&format!("/search/?q=spam&after={after}")).await.status(), 200, "{after}");
            assert_eq!(world.browser().get(&format!("/search/?after={after}")).await.status(), 200, "{after}");
            assert_eq!(world.browser().get(&format!("/user/ada/?after={after}")).await.status(), 200, "{after}");
        }
        let page = world.browser().get(&format!("/search/?{}", serde_urlencoded::to_string([("q", HOSTILE)]).unwrap())).await.text();
        assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    }

    async fn lists_go_on_page_by_page_without_gaps(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        for n in 0..20 {
            publish(&world, &token, &format!("spam-{n:02}"), "Spam", "x").await;
        }
        world.advance(std::time::Duration::from_secs(7200));
        for n in 20..23 {
            publish(&world, &token, &format!("spam-{n:02}"), "Spam", "x").await;
        }
        for start in ["/search/?q=spam", "/search/"] {
            let first = world.browser().get(start).await;
            assert!(first.text().contains("23 projects"));
            let next = first.between("rel=\"next\" href=\"", "\"").replace("&amp;", "&").replace("&#38;", "&");
            let second = world.browser().get(&next).await.text();
            let mut all = listed(&first.text());
            assert_eq!(all.len(), 20);
            all.extend(listed(&second));
            let expected: Vec<String> = (0..23).map(|n| format!("spam-{n:02}")).collect();
            all.sort();
            assert_eq!(all, expected, "{start}");
            assert!(!second.contains("rel=\"next\""));
        }
    }

    async fn a_project_page_shows_the_newest_release_and_its_files(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let dist = tagged("My.Spam", "1.0", "cp312-cp312-manylinux_2_17_x86_64").header("Summary", "Spam it").header("Requires-Python", ">=3.9").description("Some *words*").header("Description-Content-Type", "text/markdown").build();
        assert_eq!(upload(&world, &token, &dist).await.status(), 200);
        assert_eq!(upload(&world, &token, &sdist("My.Spam", "1.0").header("Summary", "Spam it").header("Requires-Python", ">=3.9").build()).await.status(), 200);
        assert_eq!(upload(&world, &token, &wheel("My.Spam", "2.0a1").build()).await.status(), 200);
        let html = world.browser().get("/project/my-spam/").await.text();
        for part in ["Spam it", "<em>words</em>", "CPython 3.12, manylinux 2.17 x86-64", dist.sha256().as_str(), "pip install --index-url https://index.example.org/simple/ My.Spam==1.0", "/user/ada/", "Pre-release"] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert!(html.contains(&format!("/{}.metadata\"", dist.filename)));
        let older = world.browser().get("/project/my-spam/2.0a1/").await.text();
        assert!(older.contains("My.Spam 1.0 is the newest release."), "{older}");
    }

    async fn other_spellings_lead_to_the_one_address(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        assert_eq!(upload(&world, &token, &wheel("My.Spam", "1.0").build()).await.status(), 200);
        for (from, to) in [
            ("/project/MY_SPAM/", "/project/My.Spam/"),
            ("/project/my-spam/1/", "/project/My.Spam/1.0/"),
            ("/project/my.spam/1.0/", "/project/My.Spam/1.0/"),
            ("/project/My.Spam", "/project/My.Spam/"),
            ("/project/My.Spam/1.0", "/project/My.Spam/1.0/"),
            ("/user/ADA/", "/user/ada/"),
        ] {
            let moved = world.browser().get(from).await;
            assert_eq!((moved.status(), moved.header("location")), (301, Some(to)), "{from}");
        }
        for there in ["/project/My.Spam/", "/project/my-spam/", "/project/My.Spam/1.0/", "/user/ada/", "/help/"] {
            assert_eq!(world.browser().get(there).await.status(), 200, "{there}");
        }
        for nothing in ["/project/nope/", "/project/My.Spam/3.0/", "/project/My.Spam/x/", "/project/%00/", "/user/nobody/", "/user/%00/", "/user/%C3%A0da/"] {
            assert_eq!(world.browser().get(nothing).await.status(), 404, "{nothing}");
        }
    }

    async fn nothing_that_a_publisher_wrote_acts_on_a_page(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        let hostile = HOSTILE.replace('"', "");
        let dist = wheel("spam", "1.0")
            .header("Summary", HOSTILE)
            .header("Keywords", HOSTILE)
            .header("License", HOSTILE)
            .header("Author", HOSTILE)
            .header("Project-URL", &format!("{}, https://example.org/?q=%22", &hostile[..20]))
            .header("Description-Content-Type", "text/markdown")
            .description(&format!("{HOSTILE}\n\n[x](javascript:alert(4)) <svg onload=alert(5)>\n\n<iframe src=//example.org></iframe>"))
            .build();
        let answer = upload(&world, &token, &dist).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        for path in ["/", "/search/", "/search/?q=spam", "/project/spam/", "/project/spam/1.0/", "/user/ada/", "/help/"] {
            let page = world.browser().get(path).await;
            assert_eq!(page.status(), 200, "{path}");
            let html = page.text().to_lowercase();
            for bad in ["<script>", "<img", "onmouseover=\"", "href=\"javascript:", "<svg onload", "<iframe"] {
                assert!(!html.contains(bad), "{bad} on {path}: {html}");
            }
            let policy = page.header("content-security-policy").expect("a policy");
            assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
        }
    }

    async fn an_account_page_shows_its_projects_and_only_completed_accounts_have_one(world: World) {
        let (_, token) = publisher(&world, "ada").await;
        publish(&world, &token, "spam", "Spam", "x").await;
        account(&world, "grace", Has::Nothing).await;
        let html = world.browser().get("/user/ada/").await.text();
        assert_eq!(listed(&html), ["spam"]);
        assert!(!html.contains("ada@example.org"), "an address is nobody's business");
        assert!(world.browser().get("/user/grace/").await.text().contains("grace has no project"));
        let done = housekeeping(&world.env, Housekeeping::Queue, |tx| {
            Box::pin(async move {
                let change = accounts::Entity::update_many().col_expr(accounts::Column::PasswordHash, Expr::value(None::<String>));
                change.exec(tx.connection()).await?;
                Ok(())
            })
        });
        done.await.expect("rows can be changed");
        assert_eq!(world.browser().get("/user/grace/").await.status(), 404);
    }
}
