//! Mail: who is told, once, and what waits in the queue until it is sent.

use std::time::Duration;

use super::people::{self, DAY, Mailbox};
use crate::world::{World, both_engines};

both_engines! {
    async fn a_registration_mails_its_link_and_forgets_it(world: World) {
        let unproved = Mailbox { address: "ada@example.org", verified: None, until: None };
        let (ada, to) = people::account(&world, "ada", vec![unproved]).await;
        people::register(&world, ada, to[0], "tokentokentoken").await;
        assert_eq!(world.jobs("enclosed IS NOT NULL").await, 1, "the link waits sealed");
        let mail = world.newest_mail_to("ada@example.org").await;
        assert_eq!(mail.link("https://"), "https://index.example.org/account/verify-email/?token=tokentokentoken");
        assert!(mail.text.contains("192.0.2.7") && !mail.text.contains("Mozilla"), "{}", mail.text);
        assert_eq!(world.jobs("enclosed IS NOT NULL").await, 0, "and is blanked when sent");
        assert_eq!(world.jobs("payload LIKE '%example%' OR payload LIKE '%token%'").await, 0, "no address and no link lie in the queue");
    }

    async fn a_code_is_mailed_to_the_one_address_that_it_is_for(world: World) {
        let both = vec![Mailbox::proved(&world, "ada@example.org"), Mailbox::proved(&world, "other@example.org")];
        let (ada, to) = people::account(&world, "ada", both).await;
        people::send_code(&world, ada, to[0], "042117").await.expect("a verified account may ask");
        let all = world.mail().await;
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].to.as_str(), all[0].code().as_str()), ("ada@example.org", "042117"));
        assert!(all[0].text.contains("Type it only where you began"), "{}", all[0].text);
        assert!(!all[0].subject.contains("042117"), "a subject is shown on locked screens");
    }

    async fn a_notice_reaches_every_address_proved_in_the_last_thirty_days_and_no_other(world: World) {
        let now = world.env.now();
        let (ada, _) = people::account(&world, "ada", vec![
            Mailbox::proved(&world, "present@example.org"),
            Mailbox { address: "removed@example.org", verified: Some(now.minus(90 * DAY)), until: Some(now.minus(29 * DAY)) },
            Mailbox { address: "forgotten@example.org", verified: Some(now.minus(90 * DAY)), until: Some(now.minus(31 * DAY)) },
            Mailbox { address: "unproved@example.org", verified: None, until: None },
        ]).await;
        people::freeze(&world, ada, "an incident").await;
        let mut told: Vec<String> = world.mail().await.into_iter().map(|mail| mail.to).collect();
        told.sort();
        assert_eq!(told, ["present@example.org", "removed@example.org"]);
    }

    async fn owners_are_told_of_a_file_and_only_the_actor_sees_the_network(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        let (bob, _) = people::account(&world, "bob", vec![Mailbox::proved(&world, "bob@example.org")]).await;
        let (eve, _) = people::account(&world, "eve", vec![Mailbox::proved(&world, "eve@example.org")]).await;
        let spam = people::project(&world, "spam", &[ada, bob]).await;
        people::project(&world, "eggs", &[eve]).await;
        people::enrol(&world, ada).await;
        people::upload(&world, ada, spam, "spam").await.expect("an owner may upload");
        let (to_ada, to_bob) = (world.newest_mail_to("ada@example.org").await, world.newest_mail_to("bob@example.org").await);
        assert_eq!(world.mail().await.len(), 2, "the owner of another project is not told");
        assert!(to_ada.text.contains("192.0.2.7") && to_ada.text.contains("Mozilla"), "{}", to_ada.text);
        assert!(!to_bob.text.contains("192.0.2.7") && !to_bob.text.contains("Mozilla"), "{}", to_bob.text);
        assert!(to_bob.text.contains("From where: the account ada\nWith: an API token\n"), "{}", to_bob.text);
        assert!(to_ada.message_id != to_bob.message_id);
    }

    async fn a_failure_after_the_mail_was_accepted_sends_the_same_message_id_again(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        people::freeze(&world, ada, "an incident").await;
        let first = world.newest_mail_to("ada@example.org").await;
        world.run("UPDATE jobs SET state = 'ready' WHERE kind = 'send-mail'").await;
        let again = world.mail().await;
        assert_eq!(again.len(), 1, "in a folder the same mail is the same file");
        assert_eq!(again[0].message_id, first.message_id);
        assert!(first.message_id.ends_with("@index.example.org>"), "{}", first.message_id);
    }

    async fn a_mail_whose_secret_is_lost_fails_instead_of_going_out_without(world: World) {
        let (ada, to) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        people::send_code(&world, ada, to[0], "042117").await.expect("a verified account may ask");
        world.run("UPDATE jobs SET enclosed = NULL").await;
        assert!(world.mail().await.is_empty());
        assert_eq!(world.jobs("state = 'failed' AND kind = 'send-mail'").await, 1);
        assert_eq!(world.jobs("last_error LIKE '%example%'").await, 0, "no address in the error");
    }

    async fn a_sealed_secret_moved_to_another_job_is_refused_and_the_others_go_on(world: World) {
        let (ada, to) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        people::send_code(&world, ada, to[0], "042117").await.expect("a verified account may ask");
        world.advance(Duration::from_secs(1));
        people::freeze(&world, ada, "an incident").await;
        let swap = "UPDATE jobs SET enclosed = (SELECT enclosed FROM jobs o WHERE o.enclosed IS NOT NULL LIMIT 1) WHERE kind = 'notify' AND enclosed IS NULL";
        world.run(swap).await;
        let all = world.mail().await;
        assert_eq!(all.len(), 1, "the mail with its own secret is sent");
        assert!(all[0].subject.contains("code"), "{}", all[0].subject);
        assert_eq!(world.jobs("state = 'failed'").await, 1);
    }
}

/// P11, R29: what lies on the disk before a mail is sent opens nothing.
#[tokio::test]
async fn a_code_on_its_way_into_a_mail_is_nowhere_on_the_disk() {
    let world = World::sqlite(&[]).await;
    let (ada, to) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    people::register(&world, ada, to[0], "a-token-that-nobody-may-read").await;
    let on_disk = || {
        let files = std::fs::read_dir(&world.env.config.data_dir).expect("the data folder");
        let paths = files.map(|f| f.expect("readable").path()).filter(|path| path.is_file());
        paths.flat_map(|path| std::fs::read(path).expect("readable")).collect::<Vec<u8>>()
    };
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let bytes = on_disk();
    assert!(holds(&bytes, "account:create"), "the event is there, so this is where the token would be");
    assert!(!holds(&bytes, "a-token-that-nobody-may-read"));
    world.work().await;
    assert!(!holds(&on_disk(), "a-token-that-nobody-may-read"), "not after it either");
}
