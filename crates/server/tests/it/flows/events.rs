//! `/admin/events/`: the trail for staff with a key, searched; networks and agents for them alone (R27).

use std::net::{IpAddr, Ipv4Addr};

use index::audit::PAGE as ROWS;

use super::people::{self, Mailbox};
use crate::given;
use crate::holding::raw;
use crate::world::{World, both_engines};

const PAGE: &str = "/admin/events/";

both_engines! {
    /// P9, R27: nobody but an administrator who just used a key sees the trail, and who tried is recorded.
    async fn the_trail_is_for_administrators_with_a_key_alone(world: World) {
        let ada = world.secured("ada").await;
        assert_eq!(world.browser().get(PAGE).await.status(), 303, "nobody");
        let answer = ada.browser.get(PAGE).await;
        assert_eq!((answer.status(), answer.location().starts_with("/account/reauthenticate/")), (303, true), "no key");
        let account = given::account_id(&world, "ada").await;
        given::stepped_up(&world, account).await;
        assert_eq!(ada.browser.get(PAGE).await.status(), 403, "a key, and no administrator");
        let refused = given::events_of(&world, "authorization:refused").await;
        let mine: Vec<_> = refused.iter().filter(|row| row.detail.contains("staff:see-events")).collect();
        assert_eq!(mine.len(), 2, "{refused:?}");
        assert!(mine.iter().all(|row| row.actor_account_id == Some(account)), "{mine:?}");
        given::administrator(&world, account).await;
        assert_eq!(ada.browser.get(PAGE).await.status(), 303, "an administrator, and no key of its own: {}", ada.browser.get(PAGE).await.text());
    }

    async fn every_filter_finds_what_it_names_and_nothing_else(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let admin = given::staff(&world, ada).await;
        let (_, token) = given::publisher(&world, "bea").await;
        assert_eq!(given::upload(&world, &token, &crate::dist::wheel("spam", "1.0").build()).await.status(), 200);
        let far = world.browser_from(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)));
        let fields = [("username", "bea"), ("password", "a-wrong-password")];
        assert_eq!(far.submit("/account/login/", "/account/login/", &fields).await.status(), 422);
        let rows = async |query: &str| {
            let page = admin.get(&format!("{PAGE}?{query}")).await;
            assert_eq!(page.status(), 200, "{query}: {}", page.text());
            page.text()
        };
        let all = rows("").await;
        for seen in ["spam-1.0", "203.0.113.9", "account:login:failure", "project:release:file:add"] {
            assert!(all.contains(seen), "{seen}: {all}");
        }
        for (query, with, without) in [
            ("project=Spam", "spam-1.0", "203.0.113.9"),
            ("network=203.0.113.0/24", "account:login:failure", "spam-1.0"),
            ("network=203.0.113.9", "account:login:failure", "spam-1.0"),
            ("kind=account:login:failure", "203.0.113.9", "spam-1.0"),
            ("kind=project:*", "spam-1.0", "203.0.113.9"),
            ("credential=api_token", "spam-1.0", "203.0.113.9"),
            ("account=bea", "spam-1.0", "account:freeze"),
            ("since=2020-01-01&until=2100-01-01T00:00:00Z", "spam-1.0", "No event matches"),
        ] {
            let page = rows(query).await;
            assert!(page.contains(with) && !page.contains(without), "{query}: {page}");
        }
        for query in ["account=ada&project=spam", "since=2100-01-01", "until=2020-01-01", "network=198.51.100.0/24"] {
            assert!(rows(query).await.contains("No event matches"), "{query}");
        }
        for (query, field) in [("account=eve", "account"), ("project=no", "project"), ("kind=no", "kind"), ("network=no", "network"), ("since=no", "since")] {
            let page = admin.get(&format!("{PAGE}?{query}")).await;
            assert_eq!(page.status(), 422, "{query}");
            assert!(page.text().contains(&format!("id=\"error-{field}\"")), "{query}: {}", page.text());
        }
    }

    /// What no filter can mean is refused with its field, and never handed to the database.
    async fn hostile_filters_are_refused_on_both_engines(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let admin = given::staff(&world, ada).await;
        for field in ["account", "project", "kind", "credential", "network", "since", "until"] {
            for typed in ["%00", "a%00b", "%0d%0a", "%27%20OR%201%3D1--", "%F0%9F%98%80", &"x".repeat(5000)] {
                let page = admin.get(&format!("{PAGE}?{field}={typed}")).await;
                assert!([200, 422].contains(&page.status()), "{field}={typed}: {} {}", page.status(), page.text());
            }
        }
        for before in ["-9223372036854775808", "9223372036854775807", "99999999999999999999", "x", "%00"] {
            assert_eq!(admin.get(&format!("{PAGE}?before={before}")).await.status(), 200, "{before}");
        }
    }

    async fn pages_of_events_go_on_by_their_key(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let admin = given::staff(&world, ada).await;
        for _ in 0..=ROWS { people::freeze(&world, ada, "a drill").await; }
        world.run("UPDATE account_causes SET until_at = 1").await;
        for network in ["", "&network=2001:db8::/32"] {
            let first = admin.get(&format!("{PAGE}?kind=account:freeze{network}")).await;
            if !network.is_empty() {
                assert!(first.text().contains("No event matches."), "{}", first.text());
                continue;
            }
            assert_eq!(first.text().matches("The account was frozen").count(), ROWS);
            let next = first.between("rel=\"next\" href=\"", "\"").replace("&#38;", "&").replace("&amp;", "&");
            let second = admin.get(&next).await.text();
            assert_eq!(second.matches("The account was frozen").count(), 1, "{next}: {second}");
            assert!(!second.contains("rel=\"next\""), "{second}");
        }
    }

    /// What an account did and what was done to it stands in one order, each row once, on every page of every list.
    async fn rows_by_an_account_and_about_it_stand_in_one_order(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let admin = given::staff(&world, ada).await;
        let (bea, _) = people::account(&world, "bea", vec![Mailbox::proved(&world, "bea@example.org")]).await;
        let (one, other, bytes) = (raw(&world, bea.0), raw(&world, ada.0), if world.is_postgres() { "'\\x00'" } else { "x'00'" });
        let mut expected = Vec::new();
        for n in 0..3 * ROWS {
            let (about, by) = [(&one, &other), (&other, &one), (&one, &one), (&other, &other)][n % 4];
            if n % 4 != 3 { expected.insert(0, format!("row-{n:03}.")); }
            let id = raw(&world, index::ids::new_uuid(world.env.now(), &*world.env.entropy));
            world.run(&format!("INSERT INTO events (id, kind, at, account_id, actor_account_id, actor, credential, direction, request_id, detail, commitment) \
                VALUES ({id}, 'account:freeze', 1, {about}, {by}, 'account', 'session', 'tightens', 'r', '{{\"reason\":\"row-{n:03}\"}}', {bytes})")).await;
        }
        for list in [format!("{PAGE}?account=bea&kind=account:freeze"), "/admin/accounts/bea/".to_owned()] {
            let (mut path, mut seen) = (list.clone(), Vec::new());
            loop {
                let page = admin.get(&path).await;
                assert_eq!(page.status(), 200, "{path}: {}", page.text());
                seen.extend(page.text().split("was frozen: ").skip(1).map(|rest| rest[..8].to_owned()));
                if !page.text().contains("rel=\"next\"") { break }
                let next = page.between("rel=\"next\" href=\"", "\"").replace("&#38;", "&").replace("&amp;", "&");
                path = if next.starts_with('?') { format!("{list}{next}") } else { next };
            }
            assert_eq!(seen, expected, "{list}");
        }
    }

    /// R27: after an erasure the row is still there, and network and agent are not.
    async fn r27_what_was_erased_is_not_shown(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let admin = given::staff(&world, ada).await;
        let (bea, token) = given::publisher(&world, "bea").await;
        assert_eq!(given::upload(&world, &token, &crate::dist::wheel("spam", "1.0").build()).await.status(), 200);
        let page = admin.get(&format!("{PAGE}?project=spam")).await.text();
        assert!(page.contains("192.0.2.80"), "{page}");
        let subject = if world.is_postgres() { format!("'{bea}'") } else { format!("x'{}'", bea.0.simple()) };
        world.run(&format!("DELETE FROM event_private WHERE subject = {subject}; DELETE FROM subject_keys WHERE subject = {subject}")).await;
        let page = admin.get(&format!("{PAGE}?project=spam")).await.text();
        assert!(page.contains("spam-1.0") && !page.contains("192.0.2.80"), "{page}");
    }
}
