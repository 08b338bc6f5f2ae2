//! `strongroom audit` as the binary that is shipped.

use std::path::Path;
use std::process::{Command, Output};

use sea_orm::{ConnectionTrait, Database};

fn run(data: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
    command.env_clear().env("USER", "olga").current_dir(data).arg("--data").arg(data).args(words);
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    (status.code(), String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned())
}

fn says(data: &Path, words: &[&str]) -> String {
    let (code, stdout, stderr) = run(data, words);
    assert_eq!(code, Some(0), "{words:?}: {stderr}");
    stdout
}

/// R28: the operator verifies with a checkpoint from outside, and is told what was touched by hand; filters and export.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_the_operator_verifies_exports_and_searches() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path();
    let (code, _, stderr) = run(data, &["audit", "checkpoint"]);
    assert!(code == Some(1) && stderr.contains("nothing is sealed yet"), "{stderr}");
    for name in ["ada", "bob"] {
        says(data, &["account", "create", name, "--email", &format!("{name}@people.example.org")]);
    }
    says(data, &["account", "freeze", "ada", "--reason", "a drill"]);
    let verified = says(data, &["audit", "verify"]);
    assert!(
        verified.contains("5 rows are as they were sealed, in 3 seals") && verified.contains("vouches for every row up to 5"),
        "{verified}"
    );
    let key = says(data, &["audit", "key"]);
    assert!(key.starts_with("ed25519 1 ") && key.lines().count() == 1, "{key}");

    let kept = data.join("kept.txt");
    assert!(says(data, &["audit", "checkpoint", &kept.display().to_string()]).contains("seal 3, up to row 5"));
    assert_eq!(std::fs::read_to_string(&kept).expect("it is there"), says(data, &["audit", "checkpoint"]));

    let lines: Vec<serde_json::Value> =
        says(data, &["audit", "export"]).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 5);
    for line in &lines {
        for field in ["seq", "at", "kind", "account", "actor", "subject", "credential", "ip", "agent", "detail"] {
            assert!(line.get(field).is_some(), "{line} has no {field}");
        }
    }
    let frozen = says(data, &["audit", "export", "--account", "ADA", "--kind", "account:freeze"]);
    assert!(frozen.lines().count() == 1 && frozen.contains("\"actor\":\"operator:olga\""), "{frozen}");
    assert_eq!(says(data, &["audit", "export", "--after", "4"]).lines().count(), 1);
    assert!(says(data, &["audit", "query", "--account", "bob"]).contains("account:create by operator:olga about bob"));
    assert_eq!(says(data, &["audit", "query", "--until", "2020-01-01"]).trim(), "no row matches");
    let other = "01900000-0000-7000-8000-000000000000";
    assert_eq!(says(data, &["audit", "query", "--case", other]).trim(), "no row matches", "of another case");
    for (words, why) in [
        (["--account", "eve"], "--account: No account"),
        (["--network", "x"], "--network:"),
        (["--since", "x"], "--since:"),
        (["--case", "x"], "--case:"),
    ] {
        let (code, _, stderr) = run(data, &["audit", "export", words[0], words[1]]);
        assert!(code == Some(1) && stderr.contains(why) && stderr.lines().count() == 1, "{stderr}");
    }

    let database = Database::connect(format!("sqlite://{}/strongroom.sqlite", data.display())).await.expect("it opens");
    let by_hand = "DROP TRIGGER events_no_update; UPDATE events SET detail = '{}' WHERE seq = 5";
    database.execute_unprepared(by_hand).await.expect("it can be edited");
    database.close().await.expect("it closes");
    let (code, stdout, stderr) = run(data, &["audit", "verify", "--checkpoint", &kept.display().to_string()]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("row 5 was edited after it was sealed"), "{stdout}");
    assert!(stderr.starts_with("strongroom: the audit trail is not as it was sealed (1 finding)"), "{stderr}");
    let (code, stdout, _) = run(data, &["audit", "verify", "--json"]);
    let first: serde_json::Value = serde_json::from_str(stdout.lines().next().expect("a finding")).expect("JSON");
    assert_eq!((code, &first["finding"], &first["row"]), (Some(1), &serde_json::json!("edited"), &serde_json::json!(5)));
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().expect("a sum")).expect("JSON");
    assert_eq!((&last["vouched_to"], &last["wrong"]), (&serde_json::json!(5), &serde_json::json!(1)));
    std::fs::write(&kept, "nonsense").expect("it can be written");
    let (code, _, stderr) = run(data, &["audit", "verify", "--checkpoint", &kept.display().to_string()]);
    assert!(code == Some(1) && stderr.contains("does not have the form of a checkpoint"), "{stderr}");
}
