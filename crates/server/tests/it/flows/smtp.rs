//! A mail server that refuses, hangs, goes away and comes back: no notice is lost, and each has one Message-ID.

use std::time::Duration;

use index::work;
use tokio::sync::watch;

use super::people::{self, Mailbox};
use crate::sink::{Mode, Security, Sink};
use crate::world::World;

/// Longer than any pause of the first tries.
const SOON: Duration = Duration::from_secs(60);

async fn world(sink: &Sink, more: &[(&str, &str)]) -> World {
    let url = sink.url();
    let mut settings = vec![("mail.url", url.as_str())];
    settings.extend_from_slice(more);
    World::sqlite(&settings).await
}

/// Ada is frozen, of which she is told.
async fn tell_ada(world: &World) {
    let (ada, _) = people::account(world, "ada", vec![Mailbox::proved(world, "ada@example.org")]).await;
    people::freeze(world, ada, "an incident").await;
    world.work().await;
}

#[tokio::test]
async fn a_server_that_refuses_for_now_gets_the_mail_when_it_recovers() {
    let sink = Sink::open(Security::None).await;
    for refusal in [
        Mode::Answer("EHLO", "421 4.3.2 not now"),
        Mode::Answer("AUTH", "535 5.7.8 who are you"),
        Mode::Answer("MAIL", "550 5.7.1 not from you"),
        Mode::Answer("RCPT", "450 4.2.1 greylisted"),
        Mode::Answer("DATA", "451 4.3.0 not now"),
        Mode::Answer(".", "452 4.3.1 full"),
        Mode::Answer(".", "550 5.4.5 too many today"),
    ] {
        let world = world(&sink, &[]).await;
        let before = sink.accepted().len();
        sink.does(refusal);
        tell_ada(&world).await;
        assert_eq!(
            (sink.accepted().len(), world.jobs("kind = 'send-mail' AND state = 'ready' AND tries = 1").await),
            (before, 1),
            "{refusal:?}"
        );
        sink.does(Mode::Accept);
        world.work().await;
        assert_eq!(sink.accepted().len(), before, "not before its pause is over: {refusal:?}");
        world.advance(SOON);
        world.work().await;
        assert_eq!((sink.accepted().len(), world.jobs("state = 'done' AND kind = 'send-mail'").await), (before + 1, 1), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_mail_that_was_taken_without_a_word_comes_again_under_the_same_message_id() {
    let sink = Sink::open(Security::None).await;
    let world = world(&sink, &[]).await;
    sink.does(Mode::HangUp);
    tell_ada(&world).await;
    sink.does(Mode::Accept);
    world.advance(SOON);
    world.work().await;
    let ids = sink.message_ids();
    assert_eq!(ids.len(), 2);
    assert!(!ids[0].is_empty() && ids[0] == ids[1], "{ids:?}");
    assert_eq!(sink.accepted()[0], sink.accepted()[1], "byte for byte");
    world.advance(SOON);
    world.work().await;
    assert_eq!(sink.accepted().len(), 2, "then never again");
}

#[tokio::test]
async fn a_server_that_hangs_is_left_and_asked_again() {
    let sink = Sink::open(Security::None).await;
    let world = world(&sink, &[("mail.timeout", "200ms")]).await;
    sink.does(Mode::Hang);
    tell_ada(&world).await;
    assert_eq!(world.jobs("kind = 'send-mail' AND state = 'ready' AND last_error LIKE '%in time%'").await, 1);
    sink.does(Mode::Accept);
    world.advance(SOON);
    world.work().await;
    assert_eq!(sink.accepted().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_away_gets_the_mail_when_it_is_back() {
    let sink = Sink::open(Security::None).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").port();
    let url = format!("smtp://localhost:{free}");
    let world = World::sqlite(&[("mail.url", &url)]).await;
    tell_ada(&world).await;
    assert_eq!(world.jobs("kind = 'send-mail' AND state = 'ready' AND tries = 1").await, 1);
    // The address and port are the same for good; a server that comes back listens there.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", free)).await.expect("it is still free");
    let to = sink.address;
    tokio::spawn(async move {
        while let Ok((mut one, _)) = listener.accept().await {
            let mut other = tokio::net::TcpStream::connect(to).await.expect("the sink listens");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut one, &mut other).await });
        }
    });
    world.advance(SOON);
    world.work().await;
    assert_eq!(sink.accepted().len(), 1);
}

#[tokio::test]
async fn a_recipient_refused_for_good_fails_visibly_without_its_address_and_keeps_nobody_else_waiting() {
    let sink = Sink::open(Security::None).await;
    let world = world(&sink, &[]).await;
    sink.does(Mode::Answer("RCPT", "550 5.1.1 <ada@example.org> nobody here"));
    tell_ada(&world).await;
    assert_eq!(world.jobs("kind = 'send-mail' AND state = 'failed' AND last_error LIKE '%550%'").await, 1);
    assert_eq!(world.jobs("last_error LIKE '%example%'").await, 0);
    sink.does(Mode::Accept);
    let (bob, _) = people::account(&world, "bob", vec![Mailbox::proved(&world, "bob@example.org")]).await;
    people::freeze(&world, bob, "an incident").await;
    world.advance(SOON);
    world.work().await;
    assert_eq!(sink.accepted().len(), 1, "the refused one is not tried again");
}

#[tokio::test]
async fn a_code_that_cannot_be_sent_for_a_day_is_given_up_and_blanked() {
    let sink = Sink::open(Security::None).await;
    let world = world(&sink, &[]).await;
    sink.does(Mode::Answer("DATA", "451 4.3.0 not now"));
    let (ada, to) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    people::send_code(&world, ada, to[0], "042117").await.expect("a verified account may ask");
    world.work().await;
    assert_eq!(world.jobs("enclosed IS NOT NULL").await, 1);
    world.advance(Duration::from_secs(25 * 3600));
    world.work().await;
    assert_eq!(world.jobs("enclosed IS NOT NULL").await, 0);
    assert_eq!(world.jobs("state = 'failed' AND kind = 'send-mail'").await, 1);
}

#[tokio::test]
async fn starttls_and_tls_deliver_under_a_private_authority() {
    for security in [Security::StartTls, Security::Tls] {
        let sink = Sink::open(security).await;
        let file = tempfile::NamedTempFile::new().expect("a file");
        sink.write_authority(file.path());
        let world = world(&sink, &[("mail.authorities", &file.path().display().to_string())]).await;
        tell_ada(&world).await;
        assert_eq!(sink.accepted().len(), 1, "{security:?}");
    }
}

#[tokio::test]
async fn a_server_with_an_unknown_certificate_gets_neither_password_nor_mail() {
    for security in [Security::StartTls, Security::Tls] {
        let sink = Sink::open(security).await;
        let world = world(&sink, &[]).await;
        tell_ada(&world).await;
        let told: Vec<String> = sink.commands().into_iter().filter(|c| !c.starts_with("EHLO") && c != "STARTTLS").collect();
        assert!(told.is_empty() && sink.accepted().is_empty(), "{security:?}: {told:?}");
        assert_eq!(world.jobs("kind = 'send-mail' AND state = 'ready'").await, 1);
    }
}

#[tokio::test]
async fn a_server_that_hides_starttls_gets_neither_password_nor_mail() {
    let sink = Sink::open(Security::None).await;
    let url = format!("{}?tls=required", sink.url());
    let world = World::sqlite(&[("mail.url", &url)]).await;
    tell_ada(&world).await;
    let told: Vec<String> = sink.commands().into_iter().filter(|c| !c.starts_with("EHLO")).collect();
    assert!(told.is_empty() && sink.accepted().is_empty(), "{told:?}");
}

/// Waits until a condition on the jobs holds.
async fn until_jobs(world: &World, condition: &str, count: i64) {
    let waited = async {
        while world.jobs(condition).await != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.unwrap_or_else(|_| panic!("never {count} jobs with {condition}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_server_keeps_no_other_job_waiting() {
    for postgres in [false, true] {
        let sink = Sink::open(Security::None).await;
        let settings = [("mail.url", sink.url())];
        let settings = settings.each_ref().map(|(k, v)| (*k, v.as_str()));
        let world = if postgres { World::postgres(&settings).await } else { World::sqlite(&settings).await };
        sink.does(Mode::Wait);
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(work::run(world.env.clone(), stopped));
        for (name, address) in [("ada", "ada@example.org"), ("bob", "bob@example.org"), ("eve", "eve@example.org")] {
            let (account, _) = people::account(&world, name, vec![Mailbox::proved(&world, address)]).await;
            people::freeze(&world, account, "an incident").await;
        }
        sink.until_arrived(2).await;
        until_jobs(&world, "kind = 'notify' AND state = 'done'", 3).await;
        until_jobs(&world, "kind IN ('sweep-blobs', 'sweep-expired', 'close-counts') AND state = 'done'", 3).await;
        assert_eq!(world.jobs("kind = 'send-mail' AND state = 'done'").await, 0);
        sink.release();
        until_jobs(&world, "kind = 'send-mail' AND state = 'done'", 3).await;
        stop.send(true).expect("it runs");
        running.await.expect("it ends");
        assert_eq!(sink.accepted().len(), 3, "each once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_in_hand_is_finished_when_told_to_stop() {
    let sink = Sink::open(Security::None).await;
    let world = world(&sink, &[]).await;
    sink.does(Mode::Wait);
    let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    people::freeze(&world, ada, "an incident").await;
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(work::run(world.env.clone(), stopped));
    sink.until_arrived(1).await;
    stop.send(true).expect("it runs");
    people::freeze(&world, ada, "a second incident").await;
    assert!(!running.is_finished());
    sink.release();
    running.await.expect("it ends");
    assert_eq!((sink.accepted().len(), world.jobs("kind = 'send-mail' AND state = 'done'").await), (1, 1));
    assert_eq!(world.jobs("kind = 'notify' AND state = 'ready'").await, 1, "nothing new was begun");
}
