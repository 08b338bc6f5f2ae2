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
