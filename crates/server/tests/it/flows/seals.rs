//! R28: the audit trail is sealed, and whatever is done to it by hand afterwards is named, on both engines.

use std::time::Duration;

use index::audit::{self, Checkpoint, Finding, Verified};
use index::db::entities::{event_seals, events};
use index::ids::AccountId;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

use super::people::{self, Mailbox};
use crate::given::{account_id, all};
use crate::world::{World, both_engines};

/// Seals all that was recorded, at once.
pub async fn sealed(world: &World) {
    settled(world).await;
    audit::seal(&world.env).await.expect("the trail can be sealed");
}

/// Waits until every row that is committed may be sealed: on PostgreSQL transactions of other tests in the same cluster may have to end.
pub async fn settled(world: &World) {
    let running = "SELECT COUNT(*) AS n FROM events WHERE tx >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
    for _ in 0..3000 {
        if !world.is_postgres() || world.number(running).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("transactions of others do not end");
}

async fn verified(world: &World) -> (Verified, Vec<Finding>) {
    verified_with(world, None).await
}

async fn verified_with(world: &World, checkpoint: Option<&Checkpoint>) -> (Verified, Vec<Finding>) {
    let mut found = Vec::new();
    let done = audit::verify(&world.env, checkpoint, |finding| found.push(finding)).await.expect("the trail can be read");
    assert_eq!(done.wrong, found.len() as u64);
    (done, found)
}

/// What a hand in the database meets and removes first.
async fn without_triggers(world: &World) {
    let drops = if world.is_postgres() {
        "DROP TRIGGER events_no_change ON events; DROP TRIGGER event_seals_no_change ON event_seals"
    } else {
        "DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete; DROP TRIGGER event_seals_no_update; DROP TRIGGER event_seals_no_delete"
    };
    world.run(drops).await;
}

/// The next event gets a place further on, as after transactions that were undone.
async fn leave_a_gap(world: &World) {
    let next = world.number("SELECT MAX(seq) AS n FROM events").await + 10;
    world
        .run(&if world.is_postgres() {
            format!("SELECT setval(pg_get_serial_sequence('events', 'seq'), {next})")
        } else {
            format!("UPDATE sqlite_sequence SET seq = {next} WHERE name = 'events'")
        })
        .await;
}

/// Three seals with four rows each, a gap between the first and the second, all a minute old, and nothing in the way of a hand.
/// The rows stand at the places 1 to 4 and 15 to 22.
async fn trail(world: &World) -> AccountId {
    let (ada, _) = people::account(world, "ada", vec![Mailbox::proved(world, "ada@example.org")]).await;
    for round in 0..3 {
        if round == 1 {
            leave_a_gap(world).await;
        }
        for _ in 0..4 {
            people::freeze(world, ada, "a drill").await;
        }
        sealed(world).await;
    }
    world.advance(Duration::from_secs(61));
    without_triggers(world).await;
    let places: Vec<i64> = all::<events::Entity>(world).await.into_iter().map(|row| row.seq).collect();
    assert_eq!(places, [1, 2, 3, 4, 15, 16, 17, 18, 19, 20, 21, 22]);
    assert_eq!(all::<event_seals::Entity>(world).await.len(), 3);
    ada
}

/// Does something by hand, says what is found, and undoes it.
async fn found_after(world: &World, done: &str, undone: &str) -> Vec<Finding> {
    world.run(done).await;
    let (_, found) = verified(world).await;
    world.run(undone).await;
    assert_eq!(verified(world).await.1, [], "undone: {undone}");
    found
}

fn id(world: &World, n: u32) -> String {
    if world.is_postgres() { format!("'00000000-0000-0000-0000-{n:012}'") } else { format!("x'{n:032}'") }
}

/// Another process: it does not remember what was sealed before.
fn forget(world: &World) {
    *world.env.sealed.lock().expect("not poisoned") = None;
}

/// A connection of one's own, as somebody with the database's password has.
async fn by_hand(world: &World) -> DatabaseConnection {
    let mut options = ConnectOptions::new(world.env.config.database_url.expose().to_owned());
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.expect("the database answers")
}

/// The statement that inserts a row by hand, at this place if one is named.
fn insertion(world: &World, place: Option<i64>, n: u32) -> String {
    let (column, value) = place.map_or((String::new(), String::new()), |place| ("seq, ".to_owned(), format!("{place}, ")));
    let bytes = if world.is_postgres() { "'\\x00'" } else { "x'00'" };
    let at = world.env.now().minus(Duration::from_secs(60)).as_micros();
    format!(
        "INSERT INTO events ({column}id, kind, at, actor, credential, direction, request_id, detail, commitment) \
         VALUES ({value}{}, 'account:thaw', {at}, 'operator:olga', 'operator', 'grants', 'r', '{{}}', {bytes})",
        id(world, n)
    )
}

both_engines! {
    /// R28: what was recorded is sealed and vouched for, also when little by little.
    async fn r28_every_row_is_sealed_and_the_trail_verifies(world: World) {
        assert_eq!(verified(&world).await, (Verified::default(), Vec::new()), "nothing yet");
        trail(&world).await;
        let (done, found) = verified(&world).await;
        assert_eq!(found, []);
        assert_eq!((done.seals, done.events, done.vouched_to, done.unsealed), (3, 12, 22, 0));
        assert_eq!(done.vouched_at, Some(world.env.now().minus(Duration::from_secs(61))));
        assert_eq!(audit::seal(&world.env).await.expect("it can be sealed"), 0, "nothing is sealed twice");
    }

    /// R28: rows that are not sealed yet are not vouched for; after a minute that is a fault.
    async fn r28_rows_that_nothing_seals_are_told(world: World) {
        let ada = trail(&world).await;
        people::freeze(&world, ada, "a drill").await;
        let (done, found) = verified(&world).await;
        assert_eq!((done.vouched_to, done.unsealed, found), (22, 1, Vec::new()));
        world.advance(Duration::from_secs(61));
        let (done, found) = verified(&world).await;
        assert_eq!((done.vouched_to, done.unsealed), (22, 1));
        assert!(matches!(found[..], [Finding::Unsealed(_, 1)]), "{found:?}");
    }

    /// R28: an edit of any column is named by the row.
    async fn r28_an_edited_row_is_named_whatever_was_edited(world: World) {
        trail(&world).await;
        let (one, two, blob) = (id(&world, 1), id(&world, 2), if world.is_postgres() { "'\\x00'" } else { "x'00'" });
        for (column, value) in [
            ("kind", "'account:thaw'"), ("at", "at + 1"), ("account_id", "NULL"), ("actor_account_id", one.as_str()), ("actor", "'nobody'"),
            ("project_id", one.as_str()), ("credential", "'session'"), ("credential_id", two.as_str()), ("direction", "'grants'"),
            ("case_id", two.as_str()), ("request_id", "'x'"), ("detail", "'{}'"), ("id", one.as_str()), ("commitment", blob),
        ] {
            world.run("CREATE TABLE kept AS SELECT * FROM events WHERE seq = 16").await;
            let undone = "DELETE FROM events WHERE seq = 16; INSERT INTO events SELECT * FROM kept; DROP TABLE kept";
            let found = found_after(&world, &format!("UPDATE events SET {column} = {value} WHERE seq = 16"), undone).await;
            assert!(found.contains(&Finding::Edited(16)), "{column}: {found:?}");
            assert!(found.iter().all(|finding| finding.place() == Some(16)), "{column}: {found:?}");
        }
    }

    /// R28: removed rows are named, in the middle and at the end.
    async fn r28_removed_rows_are_named(world: World) {
        trail(&world).await;
        for place in [1, 16, 22] {
            world.run(&format!("CREATE TABLE kept AS SELECT * FROM events WHERE seq = {place}")).await;
            let undone = "INSERT INTO events SELECT * FROM kept; DROP TABLE kept";
            let found = found_after(&world, &format!("DELETE FROM events WHERE seq = {place}"), undone).await;
            assert_eq!(found, [Finding::Removed(place)]);
        }
    }

    /// R28: inserted rows are named, before all others and between them, and are never sealed afterwards.
    async fn r28_inserted_rows_are_named_and_never_sealed(world: World) {
        let ada = trail(&world).await;
        for (n, place) in [(1, 0), (2, 12)] {
            let found = found_after(&world, &insertion(&world, Some(place), n), &format!("DELETE FROM events WHERE seq = {place}")).await;
            assert_eq!(found, [Finding::Inserted(place)]);
        }
        world.run(&insertion(&world, Some(10), 3)).await;
        people::freeze(&world, ada, "a drill").await;
        sealed(&world).await;
        assert_eq!(verified(&world).await.1, [Finding::Inserted(10)]);
    }

    /// R28: a row that says it is from a time to come was inserted too: no seal will ever hold it.
    async fn r28_an_inserted_row_from_a_time_to_come_is_named(world: World) {
        trail(&world).await;
        let soon = world.env.now().plus(Duration::from_secs(400 * 86_400)).as_micros();
        let past = world.env.now().minus(Duration::from_secs(60)).as_micros();
        let inserted = insertion(&world, Some(12), 1).replace(&past.to_string(), &soon.to_string());
        assert_eq!(found_after(&world, &inserted, "DELETE FROM events WHERE seq = 12").await, [Finding::Inserted(12)]);
    }

    /// R27, R28: that a key is gone proves no erasure; the trail must say that the account was erased.
    async fn r27_personal_parts_that_were_removed_with_their_key_are_named(world: World) {
        let ada = trail(&world).await;
        let subject = crate::holding::raw(&world, ada.0);
        world.run(&format!("DELETE FROM event_private WHERE subject = {subject}; DELETE FROM subject_keys WHERE subject = {subject}")).await;
        let found = verified(&world).await.1;
        assert_eq!(found.len(), 12, "{found:?}");
        assert!(found.iter().all(|finding| matches!(finding, Finding::PersonalRemoved(_))), "{found:?}");
        world.run("DELETE FROM subject_keys").await;
        assert_eq!(verified(&world).await.1.len(), 12);
    }

    /// R28: rows that changed their places are named with both.
    async fn r28_reordered_rows_are_named_with_both_places(world: World) {
        trail(&world).await;
        let swap = |a: i64, b: i64| format!("UPDATE events SET seq = -1 WHERE seq = {a}; UPDATE events SET seq = {a} WHERE seq = {b}; UPDATE events SET seq = {b} WHERE seq = -1");
        assert_eq!(found_after(&world, &swap(3, 20), &swap(3, 20)).await, [Finding::Moved(3, 20), Finding::Moved(20, 3)]);
        let (there, back) = ("UPDATE events SET seq = 11 WHERE seq = 17", "UPDATE events SET seq = 17 WHERE seq = 11");
        assert_eq!(found_after(&world, there, back).await, [Finding::Moved(17, 11)]);
    }

    /// R27, R28: a changed or removed personal part is named by its row.
    async fn r27_a_personal_part_that_was_touched_is_named(world: World) {
        trail(&world).await;
        let part = "event_id = (SELECT id FROM events WHERE seq = 16)";
        world.run(&format!("CREATE TABLE kept AS SELECT * FROM event_private WHERE {part}")).await;
        let back = format!("DELETE FROM event_private WHERE {part}; INSERT INTO event_private SELECT * FROM kept");
        let other = "(SELECT p.sealed FROM event_private p JOIN events e ON e.id = p.event_id WHERE e.seq = 17)";
        let edited = found_after(&world, &format!("UPDATE event_private SET sealed = {other} WHERE {part}"), &back).await;
        assert_eq!(edited, [Finding::PersonalChanged(16)]);
        let removed = found_after(&world, &format!("DELETE FROM event_private WHERE {part}"), &back).await;
        assert_eq!(removed, [Finding::PersonalRemoved(16)]);
    }

    /// R27, R28: a key that was removed or overwritten takes what it sealed with it, and is named once, with its subject.
    async fn r27_a_key_that_was_destroyed_is_named_with_its_subject(world: World) {
        let ada = trail(&world).await;
        let subject = crate::holding::raw(&world, ada.0);
        world.run("CREATE TABLE kept AS SELECT * FROM subject_keys").await;
        let back = "DELETE FROM subject_keys; INSERT INTO subject_keys SELECT * FROM kept";
        let removed = found_after(&world, &format!("DELETE FROM subject_keys WHERE subject = {subject}"), back).await;
        assert_eq!(removed, [Finding::KeyRemoved(1, ada.0)]);
        assert!(removed[0].sentence().contains(&ada.0.to_string()), "{}", removed[0].sentence());
        let blob = if world.is_postgres() { "'\\x00'" } else { "x'00'" };
        let changed = found_after(&world, &format!("UPDATE subject_keys SET key_sealed = {blob} WHERE subject = {subject}"), back).await;
        assert_eq!(changed, [Finding::KeyChanged(1, ada.0)]);
        // The next event makes another key: what the lost one had sealed stays lost, and is named row by row.
        world.run(&format!("DELETE FROM subject_keys WHERE subject = {subject}")).await;
        people::freeze(&world, ada, "a drill").await;
        sealed(&world).await;
        let found = verified(&world).await.1;
        assert_eq!(found.len(), 12, "{found:?}");
        assert!(found.iter().all(|finding| matches!(finding, Finding::PersonalUnreadable(..=22))), "{found:?}");
    }

    /// R27, R28: a part that was filed under another subject is not erased with its own, and is named.
    async fn r27_a_part_that_was_moved_to_another_subject_is_named(world: World) {
        trail(&world).await;
        let (grace, _) = people::account(&world, "grace", vec![Mailbox::proved(&world, "grace@example.org")]).await;
        people::freeze(&world, grace, "a drill").await;
        sealed(&world).await;
        assert_eq!(verified(&world).await.1, []);
        let part = "event_id = (SELECT id FROM events WHERE seq = 16)";
        world.run(&format!("CREATE TABLE kept AS SELECT * FROM event_private WHERE {part}")).await;
        let back = format!("DELETE FROM event_private WHERE {part}; INSERT INTO event_private SELECT * FROM kept");
        for other in [crate::holding::raw(&world, grace.0), id(&world, 0)] {
            let moved = found_after(&world, &format!("UPDATE event_private SET subject = {other} WHERE {part}"), &back).await;
            assert_eq!(moved, [Finding::PersonalMoved(16)]);
        }
    }

    /// R27: after an erasure the personal parts are gone with their key, and the seals still verify.
    async fn r27_an_erased_account_leaves_a_trail_that_verifies(world: World) {
        let ada = trail(&world).await;
        let (row, subject) = (id(&world, 1), crate::holding::raw(&world, ada.0));
        let personal = world.number("SELECT COUNT(*) AS n FROM event_private").await;
        world.run(&format!("INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) VALUES ({row}, {subject}, 'deleted', 'x', 0, {row})")).await;
        world.work().await;
        sealed(&world).await;
        assert!(world.number("SELECT COUNT(*) AS n FROM event_private").await < personal);
        assert_eq!(world.number(&format!("SELECT COUNT(*) AS n FROM subject_keys WHERE subject = {subject}")).await, 0);
        let (done, found) = verified(&world).await;
        assert_eq!((done.events, done.vouched_to, found), (13, 23, Vec::new()));
    }

    /// R28: a seal that was changed or removed is named, and what it held is not vouched for.
    async fn r28_a_seal_that_was_touched_is_named(world: World) {
        trail(&world).await;
        let keep = "CREATE TABLE kept AS SELECT * FROM event_seals WHERE number = 2";
        let back = "DELETE FROM event_seals WHERE number = 2; INSERT INTO event_seals SELECT * FROM kept; DROP TABLE kept";
        let first = "(SELECT s.{} FROM event_seals s WHERE s.number = 1)";
        let mut changes: Vec<String> = ["at", "events", "first_seq", "last_seq", "max_seq", "last_tx", "next_tx", "key_id"]
            .map(|column| format!("UPDATE event_seals SET {column} = {column} + 1 WHERE number = 2")).to_vec();
        changes.extend(["leaves", "root", "previous", "signature"]
            .map(|column| format!("UPDATE event_seals SET {column} = {} WHERE number = 2", first.replace("{}", column))));
        for change in changes {
            world.run(keep).await;
            world.run(&change).await;
            let (done, found) = verified(&world).await;
            assert!(matches!(found[..], [Finding::SealChanged(2, _)]), "{change}: {found:?}");
            assert_eq!((done.vouched_to, done.seals), (4, 2), "{change}");
            world.run(back).await;
        }
        world.run(keep).await;
        let found = found_after(&world, "DELETE FROM event_seals WHERE number = 2", back).await;
        assert_eq!(found, [Finding::SealsMissing(2, 2)]);
    }

    /// R28: rows and seals that were cut off at the end are seen with a checkpoint from outside, and the unsealed rows without one.
    async fn r28_a_cut_end_is_seen_with_a_checkpoint(world: World) {
        trail(&world).await;
        let kept = audit::newest_checkpoint(&world.env).await.expect("it can be read").expect("there are seals");
        let kept = Checkpoint::read(&world.env.keys, &kept.to_text()).expect("it reads back");
        assert_eq!(verified_with(&world, Some(&kept)).await.1, []);
        world.run("CREATE TABLE kept AS SELECT * FROM event_seals WHERE number = 3; DELETE FROM event_seals WHERE number = 3").await;
        let found = verified(&world).await.1;
        assert!(matches!(found[..], [Finding::Unsealed(_, 4)]), "{found:?}");
        world.run("DELETE FROM events WHERE seq > 18").await;
        assert_eq!(verified(&world).await.1, [], "nothing in this database shows it");
        assert_eq!(verified_with(&world, Some(&kept)).await.1, [Finding::CheckpointGone(3, 2)]);
        let text = kept.to_text();
        for wrong in [text.replace("number 3", "number 2"), text.replace("signature ", "signature 00"), String::new()] {
            assert!(Checkpoint::read(&world.env.keys, &wrong).is_err(), "{wrong}");
        }
    }

    /// R28: the process that sealed does not seal anew what somebody took the seals from; a later one does, and the checkpoint shows it.
    async fn r28_a_trail_that_was_written_anew_is_not_the_one_of_the_checkpoint(world: World) {
        trail(&world).await;
        let kept = audit::newest_checkpoint(&world.env).await.expect("it can be read").expect("there are seals");
        world.run("UPDATE events SET detail = '{}' WHERE seq = 16; DELETE FROM event_seals WHERE number > 1").await;
        let refused = audit::seal(&world.env).await.expect_err("it remembers").to_string();
        assert!(refused.contains("seal 3") && refused.contains("removed or changed"), "{refused}");
        forget(&world);
        sealed(&world).await;
        assert_eq!(verified(&world).await.1, [], "a new chain");
        assert_eq!(all::<event_seals::Entity>(&world).await.len(), 2);
        for _ in 0..2 {
            let ada = account_id(&world, "ada").await;
            people::freeze(&world, ada, "a drill").await;
            sealed(&world).await;
        }
        assert_eq!(verified_with(&world, Some(&kept)).await.1, [Finding::CheckpointDiffers(3)]);
    }

    /// R28: two processes that seal at the same time make one chain.
    async fn r28_two_that_seal_at_once_make_one_chain(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        for _ in 0..6 {
            people::freeze(&world, ada, "a drill").await;
            let sealing: Vec<_> = (0..3).map(|_| { let env = world.env.clone(); tokio::spawn(async move { audit::seal(&env).await }) }).collect();
            for one in sealing { one.await.expect("it ends").expect("it can be sealed"); }
        }
        sealed(&world).await;
        let (done, found) = verified(&world).await;
        assert_eq!((done.events, found), (6, Vec::new()));
    }

    /// R28: the job seals where nothing else does.
    async fn r28_the_job_seals(world: World) {
        let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
        people::freeze(&world, ada, "a drill").await;
        for _ in 0..100 {
            world.work().await;
            if world.number("SELECT COUNT(*) AS n FROM event_seals").await > 0 { return; }
            world.advance(Duration::from_secs(60));
        }
        panic!("nothing was sealed");
    }
}

/// R28: places are handed out before transactions end. What was written first and committed last is sealed, once, after what came between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_a_row_that_is_committed_late_is_sealed_on_postgres() {
    let world = World::postgres(&[]).await;
    let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    let (first, second) = (by_hand(&world).await, by_hand(&world).await);
    let run = async |on: &DatabaseConnection, sql: &str| on.execute_unprepared(sql).await.map(drop).expect("the statement is right");
    // The first has the lower transaction and the higher place.
    run(&first, "BEGIN; SELECT pg_current_xact_id()").await;
    run(&second, &format!("BEGIN; {}", insertion(&world, None, 1))).await;
    run(&first, &insertion(&world, None, 2)).await;
    people::freeze(&world, ada, "a drill").await;
    assert_eq!(audit::seal(&world.env).await.expect("it can be sealed"), 0, "older transactions run");
    run(&first, "COMMIT").await;
    for _ in 0..3000 {
        audit::seal(&world.env).await.expect("it can be sealed");
        if !all::<event_seals::Entity>(&world).await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let early = &all::<event_seals::Entity>(&world).await[0];
    assert_eq!((early.first_seq, early.last_seq, early.events), (2, 2, 1), "the second is still running, and what began after it waits");
    run(&second, "COMMIT").await;
    sealed(&world).await;
    let (done, found) = verified(&world).await;
    // Rows that were inserted by hand have no personal part, and nobody was erased.
    assert!(found.iter().all(|finding| matches!(finding, Finding::PersonalRemoved(_))), "{found:?}");
    assert_eq!((done.events, done.vouched_to), (3, 3));
}

/// R18, R28: rows that were copied into another database carry the transaction that copied them. They are not sealed twice, and what
/// follows is sealed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_copied_rows_are_not_sealed_twice_on_postgres() {
    let world = World::postgres(&[]).await;
    let ada = trail(&world).await;
    people::freeze(&world, ada, "a drill").await;
    // Sealed rows of the last seals, and one that was not sealed yet.
    world.run("UPDATE events SET tx = pg_current_xact_id()::text::bigint").await;
    people::freeze(&world, ada, "a drill").await;
    sealed(&world).await;
    let (done, found) = verified(&world).await;
    assert_eq!((done.seals, done.events, done.vouched_to, found), (4, 14, 24, Vec::new()));
    assert_eq!(audit::seal(&world.env).await.expect("it can be sealed"), 0);
}
