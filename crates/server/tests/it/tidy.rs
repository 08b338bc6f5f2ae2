//! The shape of the code: what reviews should not have to say again.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors of `index`, from the ground: a room may use lower ones and its own.
const FLOORS: &[&[&str]] = &[
    &["clock", "measure"],
    &["ids", "rates", "egress"],
    &["config", "denied", "resources"],
    &["refused"],
    &["lane", "prepared", "blobs", "db", "mail", "breach", "places"],
    &["env"],
    &["open"],
    &["policy", "epochs"],
    &["queue"],
    &["events"],
    &["act"],
    &["limits"],
    &["cases"],
    &["accounts"],
    &["holds"],
    &["signin"],
    &["tokens"],
    &["projects"],
    &["containment"],
    &["restoring"],
    &["notices", "check", "backup"],
    &["authentication"],
    &["work"],
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources").map(|e| e.expect("readable").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|e| e == "rs") {
                let name = entry.strip_prefix(root()).expect("below the root").display().to_string();
                found.push((name, fs::read_to_string(&entry).expect("sources are text")));
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<(String, String)> {
    ["formats", "credentials", "index", "server"].iter().flat_map(|c| sources(&root().join("crates").join(c))).collect()
}

fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn no_file_is_longer_than_700_lines_and_each_says_what_it_is() {
    for (name, text) in all_sources() {
        assert!(text.lines().count() <= 700, "{name} has {} lines: split it", text.lines().count());
        assert!(text.starts_with("//!"), "{name} does not begin with what it is");
    }
}

#[test]
fn no_function_is_longer_than_70_lines() {
    for (name, text) in all_sources() {
        let mut begun: Option<(usize, String, usize)> = None;
        for (at, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let words = line.trim_start();
            let is_fn = [
                "fn ",
                "pub fn ",
                "async fn ",
                "pub async fn ",
                "pub(crate) fn ",
                "pub(crate) async fn ",
                "pub(super) fn ",
                "pub(super) async fn ",
                "const fn ",
                "pub const fn ",
            ]
            .iter()
            .any(|p| words.starts_with(p));
            if is_fn && begun.is_none() && !words.trim_end().ends_with(';') && !words.contains('$') {
                begun = Some((at, words.to_owned(), indent));
            }
            if let Some((start, what, depth)) = &begun
                && line.trim_end() == format!("{}}}", " ".repeat(*depth))
            {
                assert!(at - start <= 70, "{name}:{} is {} lines long: {what}", start + 1, at - start);
                begun = None;
            } else if let Some((start, _, _)) = &begun
                && *start == at
                && line.trim_end().ends_with('}')
            {
                begun = None;
            }
        }
    }
}

/// No arrow up, no circle: the rooms of `index` use only lower ones.
#[test]
fn the_rooms_of_index_use_only_lower_rooms() {
    let floor = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room));
    for (name, text) in sources(&root().join("crates/index/src")) {
        let inside = name.strip_prefix("crates/index/src/").expect("a room");
        let room = inside.split(['/', '.']).next().expect("a name");
        if room == "lib" {
            continue;
        }
        let Some(own) = floor(room) else { panic!("{name}: the room `{room}` has no floor: give it one in tidy.rs") };
        for used in without_tests(&text).split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let used = match used.as_str() {
                "Env" => "env",
                "Refused" | "Invalid" => "refused",
                other => other,
            };
            let Some(other) = floor(used) else { continue };
            assert!(other < own || used == room, "{name} ({room}) uses {used}, which does not stand below it");
        }
    }
}

/// No SQL and no database type above `index`.
#[test]
fn only_index_knows_the_database() {
    for krate in ["formats", "credentials", "server"] {
        for (name, text) in sources(&root().join("crates").join(krate).join("src")) {
            for word in ["sea_orm", "sqlx", "SELECT ", "INSERT INTO", "DELETE FROM"] {
                assert!(!text.contains(word), "{name} knows the database: {word}");
            }
        }
    }
}

/// Pure crates: no clock, no network, no files beyond the one that is handed in, no async.
#[test]
fn formats_and_credentials_are_pure() {
    for krate in ["formats", "credentials"] {
        for (name, text) in sources(&root().join("crates").join(krate).join("src")) {
            for word in ["SystemTime", "Instant::now", "tokio", "async fn", "std::net::Tcp", "std::env"] {
                assert!(!without_tests(&text).contains(word), "{name} is not pure: {word}");
            }
        }
    }
}

#[test]
fn nothing_unwraps_or_prints_outside_tests() {
    for krate in ["formats", "credentials", "index", "server"] {
        for (name, text) in sources(&root().join("crates").join(krate).join("src")) {
            if name.ends_with("tests.rs") || name.contains("/tests/") {
                continue;
            }
            for (at, line) in without_tests(&text).lines().enumerate() {
                let code = line.split("//").next().unwrap_or(line);
                assert!(!code.contains(".unwrap()"), "{name}:{} unwraps", at + 1);
                assert!(
                    !code.contains("todo!(") && !code.contains("unimplemented!(") && !code.contains("dbg!("),
                    "{name}:{} is not finished",
                    at + 1
                );
                if !name.contains("/src/cli/") {
                    assert!(!code.contains("println!(") && !code.contains("print!("), "{name}:{} prints", at + 1);
                }
            }
        }
    }
}

/// The lint that keeps the router in one place stands, and so do those of time and chance.
#[test]
fn the_lints_that_keep_the_house_stand() {
    let clippy = fs::read_to_string(root().join("clippy.toml")).expect("clippy.toml");
    for path in [
        "axum::Router::route",
        "axum::Router::nest",
        "axum::Router::merge",
        "axum::Router::fallback",
        "std::time::SystemTime::now",
        "std::time::Instant::now",
    ] {
        assert!(clippy.contains(&format!("\"{path}\"")), "clippy.toml does not forbid {path}");
    }
    for (name, text) in sources(&root().join("crates/server/src")) {
        let uses = text.contains(".route(") || text.contains(".fallback(") || text.contains(".merge(") || text.contains(".nest(");
        assert!(!uses || name.ends_with("/gate.rs"), "{name} builds a router");
    }
}

/// `unsafe` stands in one file, which maps another into memory; the lint refuses it everywhere else.
#[test]
fn unsafe_code_stands_in_one_file() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    assert!(manifest.contains("unsafe_code = \"deny\""), "the lint is gone");
    let home = "crates/index/src/breach/map.rs";
    for (name, text) in all_sources().into_iter().filter(|(name, _)| name != "crates/server/tests/it/tidy.rs") {
        let allows = text.matches("unsafe_code").count();
        let blocks = text.lines().filter(|line| !line.trim_start().starts_with("//") && line.contains("unsafe {")).count();
        let expected = usize::from(name == home);
        assert_eq!((allows, blocks), (expected, expected), "{name}");
    }
    for krate in ["formats", "credentials", "index", "server"] {
        let manifest = fs::read_to_string(root().join("crates").join(krate).join("Cargo.toml")).expect("a manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{krate} does not take the lints of the workspace");
    }
}

/// Every table has an entity and every column a field, on both engines: checked by reading all of them.
#[test]
fn every_table_of_the_migration_has_an_entity() {
    let sql = fs::read_to_string(root().join("crates/index/src/db/migrations/m0001_first.sql")).expect("the migration");
    let entities = root().join("crates/index/src/db/entities");
    for table in sql.split("CREATE TABLE ").skip(1) {
        let name = table.split_whitespace().next().expect("a name");
        let entity = fs::read_to_string(entities.join(format!("{name}.rs"))).unwrap_or_else(|_| panic!("{name} has no entity"));
        let body = table.split("\n);").next().expect("a body");
        for line in body.lines().skip(1).filter(|l| !l.trim_start().starts_with("PRIMARY KEY")) {
            let column = line.split_whitespace().next().expect("a column");
            assert!(entity.contains(&format!("pub {column}: ")), "{name}.{column} has no field");
        }
    }
}

/// A refusal that names a section of the help page names one that is there.
#[test]
fn every_section_of_the_help_page_that_is_named_exists() {
    let help = fs::read_to_string(root().join("crates/server/templates/public/help.html")).expect("the help page");
    let mut named = 0;
    for (name, text) in all_sources() {
        for rest in text.split("/help/#").skip(1) {
            let section: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            if !section.is_empty() {
                assert!(
                    help.contains(&format!("id=\"{section}\"")),
                    "{name} names the section `{section}`, which the help page does not have"
                );
                named += 1;
            }
        }
    }
    assert!(named > 5, "only {named} sections are named");
}

/// R7: only the room of holds lets what loosens through, so that no verb can take the way around it.
#[test]
fn only_the_room_of_holds_lets_through_what_loosens() {
    for (name, text) in sources(&root().join("crates/index/src")) {
        let own = name.contains("/src/holds/");
        for (word, home) in [("Loosened::of(", "permit.rs"), ("act::loosening", "act.rs"), ("act::held", "act.rs")] {
            assert!(own || name.ends_with(home) || !without_tests(&text).contains(word), "{name} uses {word}");
        }
    }
}
