//! Delivery, visible to administrators: queued, sent, failed, with tries and without addresses.

use index::db::entities::deliveries;
use index::notices::deliveries as kept;

use super::people::{self, Mailbox};
use crate::given;
use crate::people::{PASSWORD, register};
use crate::ranges::{Mode, Ranges};
use crate::world::{World, both_engines};

const PAGE: &str = "/admin/health/";

both_engines! {
    async fn administrators_see_what_became_of_each_mail_and_no_address(world: World) {
        let (ada, to) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        people::freeze(&world, ada, "a drill").await;
        people::send_code(&world, ada, to[0], "042117").await.expect("a verified account may ask");
        let admin = given::staff(&world, ada).await;
        assert_eq!(world.mail().await.len(), 2);
        let rows = given::all::<deliveries::Entity>(&world).await;
        assert!(rows.iter().all(|row| row.state == "sent" && row.tries == 1 && row.last_error.is_none()), "{rows:?}");
        let page = admin.get(PAGE).await;
        assert_eq!(page.status(), 200, "{}", page.text());
        assert!(page.text().contains("An account was frozen"), "{}", page.text());
        assert!(!page.text().contains("ada@"), "{}", page.text());
        world.run("UPDATE jobs SET state = 'ready', enclosed = NULL, tries = 7 WHERE kind = 'send-mail' AND payload LIKE '%'").await;
        world.work().await;
        let failed = admin.get("/admin/health/?state=failed").await.text();
        assert!(failed.contains("lost its secret"), "{failed}");
        assert!(admin.get("/admin/health/?state=queued").await.text().contains("No mails"));
    }

    /// ASVS-7.5.3.
    async fn the_page_is_for_administrators_with_a_key_alone(world: World) {
        let ada = world.secured("ada").await;
        assert_eq!(ada.browser.get(PAGE).await.status(), 303, "no key");
        assert_eq!(world.browser().get(PAGE).await.status(), 303, "nobody");
        let owner = given::account_id(&world, "ada").await;
        given::stepped_up(&world, owner).await;
        assert_eq!(ada.browser.get(PAGE).await.status(), 403, "a key, and no administrator");
    }

    async fn the_page_says_that_no_list_of_stolen_passwords_is_configured(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let admin = given::staff(&world, ada).await;
        assert!(admin.get(PAGE).await.text().contains("No list is configured"));
        crate::flows::breach::steal(&world, &["correct-horse"]);
        given::stepped_up(&world, ada).await;
        let page = admin.get(PAGE).await.text();
        assert!(page.contains("the set in a file: answers") && !page.contains("No list is configured"), "{page}");
    }

    async fn pages_of_mails_go_on_by_their_key(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let admin = given::staff(&world, ada).await;
        for _ in 0..=kept::PAGE {
            people::freeze(&world, ada, "a drill").await;
        }
        world.work().await;
        world.run("UPDATE account_causes SET until_at = 1").await;
        let first = admin.get(PAGE).await;
        let next = first.between("href=\"/admin/health/?before=", "\"");
        let second = admin.get(&format!("{PAGE}?before={next}")).await.text();
        assert_eq!(second.matches("An account was frozen").count(), 1, "{second}");
    }
}

/// P12: an outage of the range endpoint stands where administrators look, and why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_an_outage_of_the_range_endpoint_stands_on_the_page() {
    let ranges = Ranges::open().await;
    let world = World::sqlite(&[("passwords.breach_range_url", ranges.url.as_str())]).await;
    let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    let admin = given::staff(&world, ada).await;
    assert!(admin.get(PAGE).await.text().contains("the range endpoint: answers"));
    ranges.does(Mode::Busy);
    register(&world.browser(), "bob", "bob@people.example.org", PASSWORD).await;
    let page = admin.get(PAGE).await.text();
    assert!(page.contains("the range endpoint: does not answer") && page.contains("Logins go on without it"), "{page}");
}
