//! The operator at the shell: `strongroom account …` as the binary that is shipped.

use std::process::{Command, Output};

struct Shell(tempfile::TempDir);

impl Shell {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strongroom"));
        command.env_clear().env("USER", "olga").current_dir(self.0.path());
        command.args(["--data", "data"]).args(words).output().expect("the binary runs")
    }

    fn says(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn shown(&self) -> serde_json::Value {
        serde_json::from_str(&self.says(&["account", "show", "ada", "--json"])).expect("JSON")
    }
}

#[test]
fn an_account_made_at_the_shell_is_shown_frozen_and_thawed() {
    let shell = Shell::new();
    let link = shell.says(&["account", "create", "ada", "--email", "Ada@People.example.org", "--role", "administrator"]);
    assert!(link.starts_with("http://localhost:8080/setup/?token="), "{link}");
    assert_eq!(link.lines().count(), 1, "{link}");
    let shown = shell.shown();
    assert_eq!(shown["name"], "ada");
    assert_eq!(shown["addresses"][0]["address"], "Ada@people.example.org");
    assert_eq!(shown["addresses"][0]["verified"], false);
    assert_eq!(shown["roles"][0]["role"], "administrator");
    assert_eq!(shown["factors"], serde_json::json!([]));
    assert!(shown["created"].as_str().expect("a time").ends_with('Z'));
    let newer = shell.says(&["account", "setup-link", "ada"]);
    assert_ne!(link, newer);
    assert!(shell.says(&["account", "freeze", "ada", "--reason", "a drill"]).contains("is frozen"));
    assert_eq!(shell.shown()["state"], "frozen");
    assert!(shell.says(&["account", "freeze", "ada", "--reason", "again", "--as", "oleg"]).contains("already"));
    assert!(shell.says(&["account", "thaw", "ADA", "--reason", "over"]).contains("2 causes ended"));
    assert_ne!(shell.shown()["state"], "frozen");
}

#[test]
fn a_refusal_is_one_sentence_and_exit_code_1_and_wrong_usage_is_2() {
    let shell = Shell::new();
    shell.says(&["account", "create", "ada", "--email", "ada@people.example.org"]);
    let refused: [(&[&str], &str); 6] = [
        (&["account", "show", "eve"], "no account has the user name `eve`"),
        (&["account", "freeze", "eve", "--reason", "x"], "no account has the user name `eve`"),
        (&["account", "thaw", "ada", "--reason", "x"], "did not freeze"),
        (&["account", "freeze", "ada", "--reason", " "], "A reason is"),
        (&["account", "create", "a-da", "--email", "other@people.example.org"], "taken"),
        (&["account", "create", "e/ve", "--email", "eve@people.example.org"], "letters from A to Z"),
    ];
    for (words, says) in refused {
        let output = shell.run(words);
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(stderr.contains(says), "{words:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    for words in [&["account"][..], &["account", "freeze", "ada"], &["account", "create", "x"]] {
        assert_eq!(shell.run(words).status.code(), Some(2), "{words:?}");
    }
}

/// P9, R13: the same verbs from the shell, each in a case; what joined one is taken back with it, and its report says how.
#[test]
fn incidents_are_worked_on_from_the_shell_in_cases() {
    let shell = Shell::new();
    shell.says(&["account", "create", "ada", "--email", "ada@people.example.org"]);
    shell.says(&["account", "create", "bob", "--email", "bob@people.example.org"]);
    let said = |words: &[&str]| serde_json::from_str::<serde_json::Value>(&shell.says(words)).expect("JSON");
    let first = said(&["incident", "freeze", "--account", "ada", "--reason", "seen at 02:50", "--json"]);
    assert_eq!((&first["frozen"], &first["already"], &first["excluded_count"]), (&1.into(), &0.into(), &0.into()));
    let case = first["case"].as_str().expect("a case").to_owned();
    let joined = said(&["incident", "freeze", "--account", "bob", "--case", &case, "--reason", "his other one", "--json"]);
    assert_eq!(joined["case"], case.as_str());
    let other = said(&["incident", "freeze", "--account", "ada", "--reason", "another incident", "--json"]);
    assert_eq!((&other["frozen"], &other["already"]), (&0.into(), &1.into()));
    shell.says(&["incident", "note", "--case", &case, "--text", "the owner telephoned"]);
    let listed = shell.says(&["incident", "cases", "--json"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let card = shell.says(&["incident", "case", &case]);
    assert!(card.contains("accounts: ada, bob") && card.contains(&format!("incident thaw --account bob --case {case}")), "{card}");
    let both = String::from_utf8(shell.run(&["incident", "thaw", "--account", "ada", "--reason", "over"]).stderr).expect("text");
    assert!(both.contains("Several cases stop it") && both.contains(&case), "{both}");
    assert!(shell.says(&["incident", "thaw", "--account", "ada", "--case", &case, "--reason", "over"]).contains("1 cause ended"));
    assert_eq!(shell.shown()["state"], "frozen", "the other case stops it still");
    shell.says(&["incident", "thaw", "--account", "ada", "--reason", "over too"]);
    assert_ne!(shell.shown()["state"], "frozen");
    shell.says(&["incident", "close", "--case", &case, "--reason", "the thief is out", "--as", "oleg"]);
    let report = said(&["incident", "report", "--case", &case, "--json"]);
    assert_eq!((&report["state"], &report["closed_by"]), (&"closed".into(), &"operator oleg".into()));
    let acts: Vec<&str> = report["acts"].as_array().expect("acts").iter().map(|act| act["did"].as_str().expect("a word")).collect();
    assert_eq!(acts, ["freeze", "freeze", "note", "thaw", "close"]);
    assert_eq!(report["acts"][1]["in_force"], true);
    assert!(report["acts"][0]["undo"].is_null() && report["acts"][1]["undo"].as_str().expect("a command").contains("bob"));
    let story = shell.says(&["incident", "report", "--case", &case]);
    for said in ["seen at 02:50", "the owner telephoned", "closed by operator oleg: A case was closed: the thief is out."] {
        assert!(story.contains(said), "{story}");
    }
}

#[test]
fn a_refused_act_on_an_incident_says_what_to_do() {
    let shell = Shell::new();
    shell.says(&["account", "create", "ada", "--email", "ada@people.example.org"]);
    let nothing = "01900000-0000-7000-8000-000000000000";
    let refused: [(&[&str], &str); 8] = [
        (&["incident", "freeze", "--account", "eve", "--reason", "x"], "there is no account `eve`"),
        (&["incident", "freeze", "--account", "ada", "--reason", " "], "A reason is"),
        (&["incident", "freeze", "--account", "ada", "--case", nothing, "--reason", "x"], "There is no such case"),
        (&["incident", "freeze", "--account", "ada", "--case", "seven", "--reason", "x"], "incident cases"),
        (&["incident", "thaw", "--account", "ada", "--reason", "x"], "No case stops it"),
        (&["incident", "quarantine", "--project", "spam", "--reason", "x"], "there is no project `spam`"),
        (&["incident", "case", nothing], "there is no case"),
        (&["incident", "close", "--case", nothing, "--reason", "x"], "there is no case"),
    ];
    for (words, says) in refused {
        let output = shell.run(words);
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(stderr.contains(says), "{words:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    assert_eq!(shell.run(&["incident", "freeze", "--account", "ada"]).status.code(), Some(2), "a reason is wanted");
}

/// P7: `account undelete` ends the deletion with a reason, and nothing else; not twice, and not what was never deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_account_is_brought_back_from_the_shell() {
    use sea_orm::{ConnectionTrait, Database};
    let shell = Shell::new();
    shell.says(&["account", "create", "ada", "--email", "ada@people.example.org"]);
    let refused = |words: &[&str], says: &str| {
        let output = shell.run(words);
        let stderr = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.code() == Some(1) && stderr.contains(says) && stderr.lines().count() == 1, "{words:?}: {stderr}");
    };
    let undelete = ["account", "undelete", "ada", "--reason", "ticket 12: she did not do it"];
    refused(&undelete, "is not deleted");
    shell.says(&["account", "freeze", "ada", "--reason", "a drill"]);
    let database = format!("sqlite://{}/data/strongroom.sqlite", shell.0.path().display());
    let database = Database::connect(database).await.expect("it opens");
    let by_hand = "INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) \
        SELECT x'00000000000000000000000000000001', id, 'deleted', 'x', 9000000000000000, id FROM accounts";
    database.execute_unprepared(by_hand).await.expect("it can be written");
    database.close().await.expect("it closes");
    assert_eq!(shell.shown()["state"], "deleted");
    assert_eq!(shell.run(&["account", "undelete", "ada"]).status.code(), Some(2), "a reason is wanted");
    refused(&["account", "undelete", "ada", "--reason", " "], "A reason is");
    refused(&["account", "undelete", "eve", "--reason", "x"], "no account has the user name `eve`");
    assert!(shell.says(&undelete).contains("ada is no longer deleted"));
    assert_eq!(shell.shown()["state"], "frozen", "the freeze stays");
    refused(&undelete, "is not deleted");
    let trail = shell.says(&["audit", "export", "--kind", "account:undelete"]);
    assert!(trail.lines().count() == 1 && trail.contains("operator:olga") && trail.contains("ticket 12"), "{trail}");
    assert!(shell.says(&["audit", "verify"]).contains("vouches for every row"));
}
