//! Jobs: each runs at least once and changes something once, comes back after a crash, and removes only what has expired.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use index::Env;
use index::act::{Housekeeping, act, housekeeping};
use index::events::{self, Entry, Recorded, SignInFailed};
use index::ids::{AccountId, Site};
use index::policy::{Actor, Origin, SignIn};
use index::queue::{self, Claimed, JobKind, Take};
use index::work;

use super::people::{self, DAY, Mailbox};
use crate::given::{self, Has};
use crate::taker::Taker;
use crate::world::{World, both_engines};

/// A stranger fails to sign in; says whether that became a row.
async fn fail(world: &World, key: &'static str) -> bool {
    let env = world.env.clone();
    let stranger = Actor::nobody(Origin { request_id: "r".to_owned(), ..Origin::default() });
    let done = act::<SignIn, _, _>(&world.env, &stranger, Site, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move {
            let event = SignInFailed { reason: "wrong".to_owned(), username: None };
            events::record_failure(&env, tx, permit, Entry::of(event), key.as_bytes()).await
        })
    });
    matches!(done.await.expect("a failure is recorded"), Recorded::Row(_))
}

async fn claim(env: &Env) -> Option<Claimed> {
    let own = env.clone();
    let taken = housekeeping(env, Housekeeping::Queue, move |tx| Box::pin(async move { queue::claim(&own, tx, Take::Any).await }));
    taken.await.expect("the queue answers")
}

async fn finish(env: &Env, job: &Claimed) {
    let id = job.id;
    let done = housekeeping(env, Housekeeping::Queue, move |tx| Box::pin(async move { queue::finish(tx, id).await }));
    done.await.expect("the queue answers");
}

fn set_time(path: &Path, at: index::clock::Time) {
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_micros()).expect("after 1970"));
    std::fs::File::options().write(true).open(path).expect("it is there").set_modified(at).expect("it can be dated");
}

/// A blob under a digest, last changed so long ago.
async fn blob(world: &World, digest: &str, age: Duration) -> PathBuf {
    world.env.blobs.put(&format!("test-{digest}"), digest, b"bytes").await.expect("a blob can be written");
    let path = world.env.blobs.path(digest);
    set_time(&path, world.env.now().minus(age));
    path
}

fn digest(of: &str) -> String {
    of.repeat(64).chars().take(64).collect()
}

/// A row that names a blob, and one as its metadata.
async fn file_row(world: &World, blake2: &str, metadata: &str) {
    let zero = if world.is_postgres() { "'00000000-0000-0000-0000-000000000001'" } else { "x'00000000000000000000000000000001'" };
    let sql = format!(
        "INSERT INTO files (id, project_id, release_id, filename, kind, python_version, size_bytes, md5, sha256, blake2_256, \
         metadata_sha256, metadata_size_bytes, uploaded_at, began_by) VALUES \
         ({zero}, {zero}, {zero}, 'spam-1.0-py3-none-any.whl', 'bdist_wheel', 'py3', 5, '', '{blake2}', '{blake2}', '{metadata}', 5, 0, {zero})"
    );
    world.run(&sql).await;
}

/// A hold that could not be served for months.
async fn hopeless_hold(world: &World, account: AccountId) {
    let id = if world.is_postgres() { format!("'{account}'") } else { format!("x'{}'", account.0.simple()) };
    let sql = format!(
        "INSERT INTO holds (id, action, account_id, subject, payload, description, proposer_id, state, created_at, served_from, due_at, began_by) \
         VALUES ({id}, 'account:remove-factor', {id}, 'x', 'null', 'Remove a factor', {id}, 'waiting', 0, 0, 0, {id})"
    );
    world.run(&sql).await;
}

/// Everything that a job could change: rows by table, mails, blobs.
async fn everything(world: &World) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for table in [
        "events",
        "event_private",
        "event_counts",
        "jobs",
        "sessions",
        "links",
        "acts",
        "limit_windows",
        "mailbox_codes",
        "files",
        "holds",
        "hold_people",
        "event_seals",
    ] {
        all.insert(table.to_owned(), world.number(&format!("SELECT COUNT(*) AS n FROM {table}")).await.to_string());
    }
    let shipped = world.number("SELECT COALESCE(MAX(seal), 0) AS n FROM event_shipping").await;
    all.insert("shipped".to_owned(), shipped.to_string());
    all.insert("closed".to_owned(), world.number("SELECT COUNT(*) AS n FROM event_counts WHERE closed_by IS NOT NULL").await.to_string());
    let mut folders = vec![world.env.config.data_dir.join("mail"), world.env.blobs.root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(path.display().to_string(), String::from_utf8_lossy(&std::fs::read(&path).expect("readable")).into_owned());
            }
        }
    }
    all
}

both_engines! {
    async fn a_job_whose_worker_died_is_taken_again_when_its_lease_is_over(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        people::freeze(&world, ada, "an incident").await;
        let first = claim(&world.env).await.expect("one is due");
        assert!(claim(&world.env).await.is_none(), "nobody else takes it meanwhile");
        world.advance(queue::LEASE - Duration::from_secs(1));
        assert!(claim(&world.env).await.is_none());
        world.advance(Duration::from_secs(1));
        let again = claim(&world.env).await.expect("the lease is over");
        assert_eq!((again.id, again.tries), (first.id, 2));
    }

    async fn two_workers_never_take_the_same_job(world: World) {
        for (name, address) in [("ada", "ada@example.org"), ("bob", "bob@example.org"), ("eve", "eve@example.org")] {
            let (account, _) = people::account(&world, name, vec![Mailbox::proved(&world, address)]).await;
            people::freeze(&world, account, "an incident").await;
        }
        let workers: Vec<_> = (0..6).map(|_| { let env = world.env.clone(); tokio::spawn(async move { claim(&env).await.map(|job| job.id) }) }).collect();
        let mut taken = Vec::new();
        for worker in workers { taken.extend(worker.await.expect("it ends")); }
        assert_eq!(taken.len(), 3);
        assert!(taken[0] != taken[1] && taken[1] != taken[2] && taken[0] != taken[2]);
    }

    async fn a_job_that_this_version_does_not_know_waits_and_keeps_nobody_waiting(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        people::freeze(&world, ada, "an incident").await;
        world.run("UPDATE jobs SET kind = 'compose-symphony' WHERE kind = 'notify'").await;
        people::freeze(&world, ada, "another incident").await;
        assert_eq!(world.mail().await.len(), 1);
        assert_eq!(world.jobs("kind = 'compose-symphony' AND state = 'ready'").await, 1);
    }

    async fn a_sweep_that_cannot_read_its_folder_counts_as_failed_after_three_tries(world: World) {
        std::fs::remove_dir_all(world.env.blobs.root()).expect("it can be removed");
        for _ in 0..3 {
            world.work().await;
            world.advance(Duration::from_secs(20));
        }
        assert_eq!(world.jobs("kind = 'sweep-blobs' AND state = 'failed' AND tries = 3").await, 1);
    }

    async fn failures_that_were_only_counted_become_one_event_for_each_window(world: World) {
        let mut rows = 0;
        for _ in 0..25 { rows += i64::from(fail(&world, "one").await); }
        for _ in 0..3 { fail(&world, "two").await; }
        assert_eq!(rows, events::FAILURE_ROWS);
        let counted = "SELECT COUNT(*) AS n FROM events WHERE kind = 'events:failures:counted'";
        world.work().await;
        assert_eq!(world.number(counted).await, 0, "the window is still open");
        world.advance(Duration::from_secs(1200));
        world.work().await;
        assert_eq!(world.number(counted).await, 1);
        let five = "SELECT COUNT(*) AS n FROM events WHERE kind = 'events:failures:counted' AND actor = 'worker:close-counts' AND detail LIKE '%\"counted\":5%' AND detail LIKE '%account:login:failure%'";
        assert_eq!(world.number(five).await, 1);
        assert_eq!(world.number("SELECT COUNT(*) AS n FROM event_counts").await, 1, "a window in which all have rows is forgotten");
        world.advance(Duration::from_secs(600));
        world.work().await;
        assert_eq!(world.number(counted).await, 1, "and it is said once");
    }

    async fn only_old_bytes_without_a_row_are_swept(world: World) {
        let (named, companion) = (digest("aa"), digest("bb"));
        file_row(&world, &named, &companion).await;
        let kept = [blob(&world, &named, 9 * DAY).await, blob(&world, &companion, 9 * DAY).await, blob(&world, &digest("cc"), DAY / 2).await];
        let swept = blob(&world, &digest("dd"), 2 * DAY).await;
        let staging = world.env.blobs.root().join("staging");
        for (name, age) in [("old", 2 * DAY), ("running", DAY / 2)] {
            std::fs::write(staging.join(name), b"bytes").expect("it can be written");
            set_time(&staging.join(name), world.env.now().minus(age));
        }
        world.work().await;
        for path in &kept { assert!(path.exists(), "{} is gone", path.display()); }
        assert!(!swept.exists());
        assert!(!staging.join("old").exists() && staging.join("running").exists());
    }

    async fn a_sweep_that_was_cut_off_loses_nothing_that_has_a_row(world: World) {
        let (named, orphan) = (digest("aa"), digest("dd"));
        file_row(&world, &named, &digest("bb")).await;
        let staging = world.env.blobs.root().join("staging");
        for digest in [&named, &orphan] {
            let path = blob(&world, digest, 2 * DAY).await;
            std::fs::rename(path, staging.join(format!("orphan-{digest}"))).expect("it can be moved");
        }
        world.work().await;
        assert!(world.env.blobs.path(&named).exists(), "what got a row meanwhile is put back");
        assert!(!world.env.blobs.path(&orphan).exists());
        assert!(std::fs::read_dir(staging).expect("readable").next().is_none());
    }

    async fn what_has_expired_is_removed_and_what_has_not_stays(world: World) {
        let id = |n: u32| if world.is_postgres() { format!("'00000000-0000-0000-0000-{n:012}'") } else { format!("x'{n:032}'") };
        let now = world.env.now();
        let digest = |n: u32| if world.is_postgres() { format!("'\\x{n:08}'") } else { format!("x'{n:08}'") };
        for (n, ended) in [(1, now.minus(31 * DAY)), (2, now.minus(29 * DAY))] {
            world.run(&format!(
                "INSERT INTO sessions (id, account_id, token_digest, created_at, last_seen_at, expires_at, began_by) VALUES ({0}, {0}, {1}, 0, 0, {2}, {0})",
                id(n), digest(n), ended.as_micros()
            )).await;
        }
        for (n, expired) in [(1, now.minus(2 * DAY)), (2, now.minus(DAY / 2)), (3, now.plus(DAY))] {
            let (row, digest, at) = (id(n), digest(n), expired.as_micros());
            world.run(&format!("INSERT INTO links (id, purpose, token_digest, created_at, expires_at) VALUES ({row}, 'verify-email', {digest}, 0, {at})")).await;
            world.run(&format!("INSERT INTO sign_in_attempts (id, account_id, token_digest, created_at, expires_at, began_by) VALUES ({row}, {row}, {digest}, 0, {at}, {row})")).await;
            world.run(&format!("INSERT INTO mailbox_codes (id, account_id, session_id, address_id, code_hash, tries, created_at, expires_at, began_by) VALUES ({row}, {row}, {row}, {row}, {digest}, 0, 0, {at}, {row})")).await;
            world.run(&format!("INSERT INTO acts (id, account_id, session_id, action, digest, description, parameters, created_at, expires_at) VALUES ({row}, {row}, {row}, '', {digest}, '', '', 0, {at})")).await;
        }
        for (n, begun) in [(1, now.minus(3 * DAY)), (2, now.minus(DAY))] {
            let window = format!("INSERT INTO limit_windows (name, key, window_s, window_at, count) VALUES ('sign_in', {}, 300, {}, 1)", digest(n), begun.as_micros());
            world.run(&window).await;
        }
        world.run(&format!("INSERT INTO limit_windows (name, key, window_s, window_at, count) VALUES ('upload', {}, 604800, {}, 1)", digest(9), now.minus(3 * DAY).as_micros())).await;
        for (n, state, ended) in [(1, "done", 15), (2, "done", 13), (3, "failed", 91), (4, "failed", 89)] {
            world.run(&format!(
                "INSERT INTO jobs (id, kind, key, payload, state, tries, created_at, run_at, finished_at) VALUES ({}, 'notify', 'test:{n}', 'null', '{state}', 1, 0, 0, {})",
                id(n), now.minus(ended * DAY).as_micros()
            )).await;
        }
        world.work().await;
        let count = async |table: &str| world.number(&format!("SELECT COUNT(*) AS n FROM {table}")).await;
        assert_eq!(count("sessions").await, 1);
        for table in ["links", "sign_in_attempts", "mailbox_codes", "acts"] { assert_eq!(count(table).await, 2, "{table}"); }
        assert_eq!(count("limit_windows").await, 2, "the recent one, and the one of a long window");
        assert_eq!(world.jobs("key = 'test:1' OR key = 'test:3'").await, 0);
        assert_eq!(world.jobs("key = 'test:2' OR key = 'test:4'").await, 2);
    }
}

/// TABLE 4: a job whose second run changes anything is refused.
async fn the_second_run_of_every_job_changes_nothing(world: World) {
    let (ada, to) =
        people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org"), Mailbox::proved(&world, "b@example.org")]).await;
    people::freeze(&world, ada, "an incident").await;
    people::register(&world, ada, to[0], "token").await;
    for _ in 0..30 {
        fail(&world, "one").await;
    }
    fail(&world, "two").await;
    blob(&world, &digest("ab"), 3 * DAY).await;
    world.advance(Duration::from_secs(1200));
    world
        .run(
            "INSERT INTO limit_windows (name, key, window_s, window_at, count) VALUES ('sign_in', ''||'', 60, 0, 1)"
                .replace("''||''", if world.is_postgres() { "'\\x00'" } else { "x'00'" })
                .as_str(),
        )
        .await;
    hopeless_hold(&world, ada).await;
    people::account(&world, "bob", vec![Mailbox::proved(&world, "bob@lapsed.example")]).await;
    // One seal that was not shipped, and rows that are not sealed.
    super::seals::sealed(&world).await;
    people::freeze(&world, ada, "another incident").await;
    let carol = given::account(&world, "carol", Has::AddressAndFactor).await;
    given::minted(&world, carol, "scope:user", "30").await;
    let (made, ends) = (world.env.now().minus(20 * DAY).as_micros(), world.env.now().plus(2 * DAY).as_micros());
    world.run(&format!("UPDATE api_tokens SET from_at = {made}, expires_at = {ends}")).await;
    let (gone, _) = people::account(&world, "dora", vec![Mailbox::proved(&world, "dora@example.org")]).await;
    let id = crate::holding::raw(&world, gone.0);
    world
        .run(&format!(
            "INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) VALUES ({id}, {id}, 'deleted', '', 0, {id})"
        ))
        .await;
    let spam = crate::holding::raw(&world, people::project(&world, "spam", &[carol]).await.0);
    let (whose, by, now) = (crate::holding::raw(&world, ada.0), crate::holding::raw(&world, carol.0), world.env.now().as_micros());
    world
        .run(&format!(
            "INSERT INTO invitations (id, project_id, account_id, inviter_id, role, from_at, expires_at, began_by) \
             VALUES ({spam}, {spam}, {whose}, {by}, 'Maintainer', 0, {now}, {spam})"
        ))
        .await;
    super::seals::settled(&world).await;
    let own = world.env.clone();
    housekeeping(&world.env, Housekeeping::Queue, move |tx| Box::pin(async move { queue::schedule(&own, tx).await }))
        .await
        .expect("the queue answers");
    let mut met = Vec::new();
    let mut changed = Vec::new();
    while let Some(job) = claim(&world.env).await {
        let before = everything(&world).await;
        work::body(&world.env, &job).await.unwrap_or_else(|e| panic!("{}: {e:?}", job.kind.wire()));
        let once = everything(&world).await;
        work::body(&world.env, &job).await.unwrap_or_else(|e| panic!("{} again: {e:?}", job.kind.wire()));
        assert_eq!(everything(&world).await, once, "the second run of {} changed something", job.kind.wire());
        met.push(job.kind);
        if before != once {
            changed.push(job.kind);
        }
        finish(&world.env, &job).await;
    }
    for kind in JobKind::ALL {
        assert!(met.contains(kind), "no {} was met", kind.wire());
        assert!(changed.contains(kind), "{} had nothing to do, so its second run proves nothing", kind.wire());
    }
}

/// An address at this domain loses its proof, and the trail is shipped to this machine, so that the jobs have something to do.
fn settings(taker: &Taker) -> [(&'static str, &str); 3] {
    [("accounts.lapsed_domains", "lapsed.example"), ("audit.webhook_url", &taker.url), ("audit.webhook_secret", "both know it")]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_run_of_every_job_changes_nothing_on_sqlite() {
    let taker = Taker::open().await;
    the_second_run_of_every_job_changes_nothing(World::sqlite(&settings(&taker)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_run_of_every_job_changes_nothing_on_postgres() {
    let taker = Taker::open().await;
    the_second_run_of_every_job_changes_nothing(World::postgres(&settings(&taker)).await).await;
}
