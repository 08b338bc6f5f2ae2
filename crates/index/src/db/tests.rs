//! The schema and every raw query, on both engines.

use std::fs;
use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, EntityTrait, Statement};

use super::entities::{
    account_causes, accounts, acts, addresses, api_tokens, batches, cases, ceremonies, containments, deliveries, devices, epochs,
    event_counts, event_private, event_seals, event_shipping, events, factors, files, hold_people, holds, invitations, jobs, limit_windows,
    links, mailbox_codes, pauses, prohibited_names, project_lines, project_locks, projects, quiet_addresses, recovery_codes, recovery_sets,
    releases, role_grants, roles, serving, sessions, sign_in_attempts, staff_roles, subject_keys, suspensions, take_back_waits, take_backs,
};
use super::{Database, Engine, Reading};
use crate::clock::Time;

const NOW: Time = Time::from_seconds(1_795_420_800);

async fn sqlite() -> (Database, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("test.sqlite").display());
    (Database::open(&url).await.expect("SQLite opens"), folder)
}

async fn postgres() -> Database {
    let server = std::env::var("STRONGROOM_TEST_POSTGRES")
        .expect("STRONGROOM_TEST_POSTGRES names a PostgreSQL server: run `scripts/test`, which starts one");
    let server = server.trim_end_matches('/').trim_end_matches("/postgres");
    let name = format!("strongroom_{}", crate::ids::new_uuid(NOW, &credentials::entropy::SystemEntropy).simple());
    let admin = sea_orm::Database::connect(format!("{server}/postgres")).await.expect("the test server answers");
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("databases may be made");
    Database::open(&format!("{server}/{name}")).await.expect("PostgreSQL opens")
}

/// The text of every string literal in the sources of this crate that begins like a statement.
fn raw_statements() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("a folder of sources").map(|e| e.expect("readable").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).expect("sources are text");
                let text = text.split("\n#[cfg(test)]").next().expect("a first part").to_owned();
                found.extend(literals(&text).into_iter().filter(|s| is_statement(s)).map(|s| (path.clone(), s)));
            }
        }
    }
    found
}

fn is_statement(text: &str) -> bool {
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|word| text.starts_with(word))
}

/// String literals, with line continuations folded as the compiler folds them.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next().is_some_and(|c| c != '\n') {},
            '\'' => {
                let rest: String = chars.clone().take(3).collect();
                if rest.starts_with("\"'") {
                    chars.next();
                } else if rest.starts_with("\\\"'") {
                    chars.next();
                    chars.next();
                }
            }
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => match chars.next() {
                            Some('\n') => {
                                while chars.peek().is_some_and(|c| c.is_whitespace()) {
                                    chars.next();
                                }
                            }
                            Some('n') => text.push('\n'),
                            Some(other) => text.push(other),
                            None => break,
                        },
                        other => text.push(other),
                    }
                }
                found.push(text);
            }
            _ => {}
        }
    }
    found
}

/// What is filled into a statement at run time (`{lock}`, `{skip}`) is left out: it is a row lock of PostgreSQL or nothing.
fn without_holes(statement: &str) -> String {
    let mut out = String::new();
    let mut rest = statement;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out + rest
}

/// A statement that only one engine has says so by naming what only that engine has.
fn is_for(engine: Engine, statement: &str) -> bool {
    let only_sqlite = statement.contains(" MATCH ") || statement.contains("rowid");
    let only_postgres = statement.contains("tsquery") || statement.contains("ts_rank") || statement.contains("pg_");
    match engine {
        Engine::Sqlite => !only_postgres,
        Engine::Postgres => !only_sqlite,
    }
}

async fn prepare_all(database: &Database) -> usize {
    let mut prepared = 0;
    for (at, (path, statement)) in raw_statements().into_iter().enumerate() {
        if !is_for(database.engine, &statement) {
            continue;
        }
        let statement = without_holes(&statement);
        let sql = match database.engine {
            Engine::Sqlite => format!("EXPLAIN {statement}"),
            Engine::Postgres => format!("PREPARE s{at} AS {statement}"),
        };
        let done = database.write.execute_raw(Statement::from_string(database.write.get_database_backend(), sql)).await;
        assert!(done.is_ok(), "{} on {:?}: {statement}: {done:?}", path.display(), database.engine);
        prepared += 1;
    }
    prepared
}

#[tokio::test]
async fn every_raw_statement_is_understood_by_sqlite() {
    let (database, _folder) = sqlite().await;
    assert!(prepare_all(&database).await > 10);
}

#[tokio::test]
async fn every_raw_statement_is_understood_by_postgres() {
    let database = postgres().await;
    assert!(prepare_all(&database).await > 10);
}

/// Reads from every table all columns that its entity names.
async fn read_all(database: &Database) {
    let read = database.read(NOW).await.expect("a snapshot");
    macro_rules! each { ($($table:ident),*) => { $(
        let rows = $table::Entity::find().all(read.connection()).await;
        assert!(rows.is_ok(), "{}: {rows:?}", stringify!($table));
    )* } }
    each!(
        account_causes,
        accounts,
        acts,
        addresses,
        api_tokens,
        batches,
        cases,
        ceremonies,
        containments,
        deliveries,
        devices,
        epochs,
        event_counts,
        event_private,
        event_seals,
        event_shipping,
        events,
        factors,
        files,
        hold_people,
        holds,
        invitations,
        jobs,
        limit_windows,
        links,
        mailbox_codes,
        pauses,
        prohibited_names,
        project_lines,
        project_locks,
        projects,
        quiet_addresses,
        recovery_codes,
        recovery_sets,
        releases,
        role_grants,
        roles,
        serving,
        sessions,
        sign_in_attempts,
        staff_roles,
        subject_keys,
        suspensions,
        take_back_waits,
        take_backs
    );
}

#[tokio::test]
async fn entities_and_schema_agree_on_sqlite() {
    let (database, _folder) = sqlite().await;
    read_all(&database).await;
}

#[tokio::test]
async fn entities_and_schema_agree_on_postgres() {
    read_all(&postgres().await).await;
}

const EVENT: &str = "INSERT INTO events (id, kind, at, actor, credential, direction, request_id, detail, commitment) VALUES (";

/// P4: the database itself refuses to change or drop what is recorded.
async fn the_trail_is_append_only(database: &Database, id: &str, empty: &str) {
    let run = |sql: String| async move { database.write.execute_unprepared(&sql).await };
    run(format!("{EVENT}{id}, 'k', 1, 'nobody', 'nobody', 'neither', 'r', '{{}}', {empty})")).await.expect("an event can be added");
    let mut attempts = vec!["UPDATE events SET kind = 'x'".to_owned(), "DELETE FROM events".to_owned()];
    match database.engine {
        Engine::Sqlite => attempts.push(
            format!("{EVENT}{id}, 'k', 2, 'nobody', 'nobody', 'neither', 'r', '{{}}', {empty})")
                .replace("INSERT INTO", "INSERT OR REPLACE INTO"),
        ),
        Engine::Postgres => attempts.push("TRUNCATE events".to_owned()),
    }
    run(format!(
        "INSERT INTO event_seals (number, at, events, first_seq, last_seq, max_seq, last_tx, next_tx, key_id, leaves, root, previous, signature) \
         VALUES (1, 1, 1, 1, 1, 1, 0, 0, 1, {empty}, {empty}, {empty}, {empty})"
    ))
    .await
    .expect("a seal can be added");
    attempts.extend(["UPDATE event_seals SET number = 2".to_owned(), "DELETE FROM event_seals".to_owned()]);
    if database.engine == Engine::Postgres {
        attempts.push("TRUNCATE event_seals".to_owned());
    }
    for sql in attempts {
        let done = run(sql.clone()).await;
        assert!(done.as_ref().is_err_and(|e| e.to_string().contains("append-only")), "{sql}: {done:?}");
    }
}

#[tokio::test]
async fn the_trail_is_append_only_on_sqlite() {
    let (database, _folder) = sqlite().await;
    the_trail_is_append_only(&database, "x'0000000000000000000000000000000a'", "x''").await;
}

#[tokio::test]
async fn the_trail_is_append_only_on_postgres() {
    the_trail_is_append_only(&postgres().await, "'00000000-0000-0000-0000-00000000000a'", "''").await;
}
