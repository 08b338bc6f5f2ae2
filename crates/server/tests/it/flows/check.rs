//! The command line around jobs: `check` finds every row without its bytes, `migrate` and `work` do what they say.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use index::check::{Checked, Finding, Wrong, check};
use index::clock::{Clock, SystemClock};
use sha2::{Digest, Sha256};

use super::people::{self, Mailbox};
use crate::sink::{Mode, Security, Sink};
use crate::world::{World, both_engines};

fn strongroom(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.args(arguments).arg("--data").arg(data).current_dir(data).env("STRONGROOM_LOG__FILTER", "warn");
    command
}

/// A world at the moment by which the program runs: what is queued here is due there, and not too old to be worth sending.
async fn world_of_now() -> World {
    let world = World::sqlite(&[]).await;
    let now = SystemClock { offset: Duration::ZERO }.now();
    world.advance(now.since(world.env.now()));
    world
}

fn ended(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    (status.code(), String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned())
}

/// A file whose bytes and whose metadata's bytes are these.
async fn file(world: &World, n: u32, bytes: &[u8], metadata: &[u8]) -> (String, String) {
    let (blake2, companion) = (format!("{n:064x}"), hex(metadata));
    world.env.blobs.put(&format!("a{n}"), &blake2, bytes).await.expect("a blob can be written");
    world.env.blobs.put(&format!("b{n}"), &companion, metadata).await.expect("a blob can be written");
    let id = if world.is_postgres() { format!("'00000000-0000-0000-0000-{n:012}'") } else { format!("x'{n:032}'") };
    let (sha256, size, metadata_size) = (hex(bytes), bytes.len(), metadata.len());
    let sql = format!(
        "INSERT INTO files (id, project_id, release_id, filename, kind, python_version, size_bytes, md5, sha256, blake2_256, \
         metadata_sha256, metadata_size_bytes, uploaded_at, began_by) VALUES \
         ({id}, {id}, {id}, 'spam-{n}-py3-none-any.whl', 'bdist_wheel', 'py3', {size}, '', '{sha256}', '{blake2}', '{companion}', {metadata_size}, 0, {id})"
    );
    world.run(&sql).await;
    (blake2, companion)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

async fn checked(world: &World, deep: bool) -> (Checked, Vec<Finding>) {
    let mut found = Vec::new();
    let checked = check(&world.env, deep, |finding| found.push(finding)).await.expect("it can be checked");
    (checked, found)
}

both_engines! {
    async fn an_index_whose_rows_have_their_bytes_passes(world: World) {
        for n in 1..=3 { file(&world, n, b"wheel", format!("metadata {n}").as_bytes()).await; }
        let all = Checked { files: 3, companions: 3, wrong: 0, orphans: 0 };
        assert_eq!(checked(&world, false).await, (all, Vec::new()));
        assert_eq!(checked(&world, true).await, (all, Vec::new()));
    }

    async fn a_row_without_its_bytes_is_found_whatever_is_wrong_with_them(world: World) {
        let (missing, _) = file(&world, 1, b"wheel", b"one").await;
        let (short, _) = file(&world, 2, b"wheel", b"two").await;
        let (changed, _) = file(&world, 3, b"wheel", b"three").await;
        let (_, companion) = file(&world, 4, b"wheel", b"four").await;
        std::fs::remove_file(world.env.blobs.path(&missing)).expect("it is there");
        std::fs::write(world.env.blobs.path(&short), b"whe").expect("it is there");
        std::fs::write(world.env.blobs.path(&changed), b"wheeL").expect("it is there");
        std::fs::remove_file(world.env.blobs.path(&companion)).expect("it is there");
        let row = |n: u32, more: &str, digest: &str, wrong| Finding::Row { file: format!("spam-{n}-py3-none-any.whl{more}"), digest: digest.to_owned(), wrong };
        let quick = vec![row(1, "", &missing, Wrong::Missing), row(2, "", &short, Wrong::Size), row(4, ".metadata", &companion, Wrong::Missing)];
        let (counted, found) = checked(&world, false).await;
        assert_eq!((counted.wrong, found), (3, quick.clone()));
        let (counted, found) = checked(&world, true).await;
        assert_eq!(counted.wrong, 4);
        assert!(found.contains(&row(3, "", &changed, Wrong::Digest)) && quick.iter().all(|f| found.contains(f)), "{found:?}");
    }

    async fn a_blob_without_a_row_is_told_and_is_no_fault(world: World) {
        file(&world, 1, b"wheel", b"one").await;
        let digest = "ab".repeat(32);
        world.env.blobs.put("x", &digest, b"left over").await.expect("a blob can be written");
        let (counted, found) = checked(&world, false).await;
        assert_eq!((counted.wrong, counted.orphans, found), (0, 1, vec![Finding::Orphan { digest }]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_check_says_it_and_fails_only_for_rows() {
    let world = World::sqlite(&[]).await;
    let data = world.env.config.data_dir.clone();
    let (blob, _) = file(&world, 1, b"wheel", b"one").await;
    let orphan = "ab".repeat(32);
    world.env.blobs.put("x", &orphan, b"left over").await.expect("a blob can be written");
    let (code, said, complained) = ended(strongroom(&data, &["check", "--deep"]));
    assert_eq!((code, complained.as_str()), (Some(0), ""));
    assert!(said.contains(&orphan) && said.contains("checked 1 files and 1 metadata companions: 0 lack"), "{said}");

    std::fs::remove_file(world.env.blobs.path(&blob)).expect("it is there");
    let (code, said, complained) = ended(strongroom(&data, &["check", "--json"]));
    assert_eq!((code, complained.lines().count()), (Some(1), 1), "one sentence: {complained}");
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0], serde_json::json!({ "finding": "missing", "file": "spam-1-py3-none-any.whl", "digest": blob }));
    assert_eq!(lines[1], serde_json::json!({ "finding": "orphan", "digest": orphan }));
    assert_eq!(lines[2], serde_json::json!({ "files": 1, "companions": 1, "wrong": 1, "orphans": 1 }));
}

#[test]
fn the_command_migrate_makes_a_database_and_finds_it_up_to_date_after() {
    let data = tempfile::tempdir().expect("a folder");
    let (code, said, _) = ended(strongroom(data.path(), &["migrate"]));
    assert_eq!(code, Some(0));
    assert!(said.contains("applied"), "{said}");
    let (code, said, _) = ended(strongroom(data.path(), &["migrate"]));
    assert_eq!((code, said.trim()), (Some(0), "the database is up to date"));
}

#[test]
fn a_mail_server_that_cannot_be_spoken_to_safely_stops_the_start_without_showing_its_password() {
    let data = tempfile::tempdir().expect("a folder");
    let mut command = strongroom(data.path(), &["work"]);
    command.env("STRONGROOM_MAIL__URL", "smtp://ada:geheim@mail.example.org?tls=none");
    let (code, said, complained) = ended(command);
    assert_eq!(code, Some(1));
    assert!(complained.contains("mail.url") && !format!("{said}{complained}").contains("geheim"), "{complained}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_work_finishes_the_mail_in_hand_at_sigterm() {
    let sink = Sink::open(Security::None).await;
    sink.does(Mode::Wait);
    let world = world_of_now().await;
    let (ada, _) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    people::freeze(&world, ada, "an incident").await;
    let mut command = strongroom(&world.env.config.data_dir, &["work"]);
    let mut running = command.env("STRONGROOM_MAIL__URL", sink.url()).stderr(Stdio::null()).spawn().expect("the program starts");
    tokio::time::timeout(Duration::from_secs(30), sink.until_arrived(1)).await.expect("the mail comes");
    assert!(Command::new("kill").args(["-TERM", &running.id().to_string()]).status().expect("kill is there").success());
    assert!(running.try_wait().expect("it can be asked").is_none());
    sink.release();
    let status = tokio::task::spawn_blocking(move || running.wait()).await.expect("it ends").expect("it can be waited for");
    assert_eq!(status.code(), Some(0));
    assert_eq!((sink.accepted().len(), world.jobs("kind = 'send-mail' AND state = 'done'").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_log_names_no_address_no_code_and_no_password() {
    let sink = Sink::open(Security::None).await;
    sink.does(Mode::Answer(".", "451 4.3.0 <ada@example.org> not now"));
    let world = world_of_now().await;
    let (ada, to) = people::account(&world, "ada", vec![Mailbox::proved(&world, "ada@example.org")]).await;
    people::send_code(&world, ada, to[0], "042117").await.expect("a verified account may ask");
    people::freeze(&world, ada, "an incident").await;
    let mut command = strongroom(&world.env.config.data_dir, &["work"]);
    command.env("STRONGROOM_MAIL__URL", sink.url()).env("STRONGROOM_LOG__FILTER", "trace").stderr(Stdio::piped());
    let running = command.spawn().expect("the program starts");
    tokio::time::timeout(Duration::from_secs(30), sink.until_arrived(2)).await.expect("both mails come");
    assert!(Command::new("kill").args(["-TERM", &running.id().to_string()]).status().expect("kill is there").success());
    let ended = tokio::task::spawn_blocking(move || running.wait_with_output()).await.expect("it ends").expect("it can be waited for");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.matches("a job is tried again").count() >= 2, "{said}");
    for secret in ["ada@", "042117", "geheim"] {
        assert!(!said.contains(secret), "{secret} is logged: {said}");
    }
}
