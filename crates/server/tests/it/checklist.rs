//! The scale: every line of `scale.txt` is proved by a test that names its ID, or says why none does. The page of the manual is
//! written from them.
//!
//! A test names an ID in its name (`r25_…`) or in the comment right above it (`/// R25, ASVS-6.3.8: …`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const SCALE: &str = include_str!("scale.txt");

struct Line {
    id: &'static str,
    level: &'static str,
    says: &'static str,
    /// Why no test proves it.
    reason: &'static str,
}

enum Row {
    Heading(&'static str),
    Line(Line),
}

fn rows() -> Vec<Row> {
    SCALE
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .map(|line| {
            if let Some(heading) = line.strip_prefix("# ") {
                return Row::Heading(heading);
            }
            let parts: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
            let [id, level, says, reason] = parts[..] else { panic!("scale.txt: four parts in {line:?}") };
            Row::Line(Line { id, level, says, reason })
        })
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every source that holds tests.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("e2e"), root().join("bench")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).expect("a folder of sources").map(|e| e.expect("readable").path()) {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !matches!(name, "target" | "node_modules" | "__pycache__") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs" || e == "py") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The name of the function that a line begins, if it begins one.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = ["pub async fn ", "async fn ", "pub fn ", "fn ", "async def ", "def "].iter().find_map(|word| line.strip_prefix(word))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some(&rest[..end])
}

/// Which IDs a text names: `R25`, `ASVS-6.3.8` (also `ASVS V6.3.8`, `ASVS 6.3.8`), `NIST-P1`, `OSSF-AN-1.1`, `WEBAUTHN-3`, …
fn ids_in(text: &str, known: &BTreeSet<&'static str>) -> BTreeSet<&'static str> {
    let text = text.replace("ASVS V", "ASVS-").replace("ASVS ", "ASVS-").replace("NIST ", "NIST-").replace("OSSF ", "OSSF-");
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.')));
    let words: BTreeSet<&str> = words.map(|word| word.trim_end_matches(['.', '-'])).collect();
    known.iter().copied().filter(|id| words.contains(id)).collect()
}

/// Which rules a name begins with: `r25_…`.
fn rule_of(name: &str) -> Option<String> {
    let digits = name.strip_prefix('r')?;
    let number: String = digits.chars().take_while(char::is_ascii_digit).collect();
    (!number.is_empty() && digits[number.len()..].starts_with('_')).then(|| format!("R{number}"))
}

/// Test → file, by the IDs that they name.
fn proofs() -> BTreeMap<&'static str, BTreeSet<(String, String)>> {
    let known: BTreeSet<&'static str> =
        rows().iter().filter_map(|row| if let Row::Line(line) = row { Some(line.id) } else { None }).collect();
    let mut found: BTreeMap<&'static str, BTreeSet<(String, String)>> = BTreeMap::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).expect("sources are text");
        let file = path.strip_prefix(root()).expect("inside").display().to_string();
        let is_test_file = file.contains("/tests/") || file.contains("tests.rs") || file.starts_with("e2e/") || file.starts_with("bench/");
        let mut in_tests = is_test_file;
        let mut above = String::new();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let trimmed = line.trim_start();
            in_tests |= trimmed.starts_with("#[cfg(test)]");
            if trimmed.starts_with("//") || trimmed.starts_with('#') {
                above.push_str(trimmed);
                above.push('\n');
                continue;
            }
            // The comments of this file speak of IDs.
            let counts = in_tests && (!file.ends_with("it/checklist.rs") || above.contains("#[test]"));
            if let Some(name) = function(line).filter(|_| counts) {
                let docstring = lines.get(at + 1).map(|l| l.trim()).filter(|l| l.starts_with("\"\"\"")).unwrap_or_default();
                let mut ids = ids_in(&format!("{above}{docstring}"), &known);
                ids.extend(rule_of(name).and_then(|rule| known.get(rule.as_str()).copied()));
                for id in ids {
                    found.entry(id).or_default().insert((name.to_owned(), file.clone()));
                }
            }
            above.clear();
        }
    }
    found
}

fn page() -> String {
    let proofs = proofs();
    let mut out = String::from(
        "# The scale\n\nWritten from the tests. Each line is proved by a test that names its ID, or says why none does.\n\
         Sources: OpenSSF Principles for Package Repository Security v0.1; OWASP ASVS 5.0; NIST SP 800-63B-4; WebAuthn Level 3;\n\
         PyPI's behaviour and its published audit of 2026. The sentences are ours.\n",
    );
    for row in rows() {
        match row {
            Row::Heading(heading) => {
                let _ = write!(out, "\n## {heading}\n\n| ID | level | line | proved by |\n|---|---|---|---|\n");
            }
            Row::Line(line) => {
                let tests: Vec<String> = proofs.get(line.id).into_iter().flatten().map(|(name, _)| format!("`{name}`")).collect();
                let proved = match (tests.is_empty(), line.reason.is_empty()) {
                    (false, true) => tests.join(", "),
                    (false, false) => format!("{} ({})", tests.join(", "), line.reason),
                    (true, false) => format!("no test: {}", line.reason),
                    (true, true) => "**nothing**".to_owned(),
                };
                let _ = writeln!(out, "| {} | {} | {} | {proved} |", line.id, line.level, line.says);
            }
        }
    }
    out
}

#[test]
fn every_line_of_the_scale_is_proved_or_says_why_not() {
    let proofs = proofs();
    let open: Vec<String> = rows()
        .into_iter()
        .filter_map(|row| if let Row::Line(line) = row { Some(line) } else { None })
        .filter(|line| line.reason.is_empty() && !proofs.contains_key(line.id))
        .map(|line| format!("{}: {}", line.id, line.says))
        .collect();
    assert!(open.is_empty(), "{} lines are proved by no test that names them:\n{}", open.len(), open.join("\n"));
}

#[test]
fn the_page_of_the_scale_is_written_from_the_tests() {
    let kept = std::fs::read_to_string(root().join("docs/reference/checklist.md")).unwrap_or_default();
    let seen = page();
    if kept != seen {
        let saw = Path::new(env!("CARGO_TARGET_TMPDIR")).join("checklist.md");
        std::fs::write(&saw, &seen).expect("the build folder can be written");
        panic!("docs/reference/checklist.md is not what the tests say: what was seen is in {}", saw.display());
    }
}

#[test]
fn an_id_is_found_in_the_ways_that_comments_write_it() {
    let known = BTreeSet::from(["ASVS-6.2.1", "ASVS-6.2.12", "NIST-P1", "R2", "R25"]);
    assert_eq!(ids_in("/// ASVS V6.2.1, NIST P1: x", &known), BTreeSet::from(["ASVS-6.2.1", "NIST-P1"]));
    assert_eq!(ids_in("/// ASVS-6.2.12; R25.", &known), BTreeSet::from(["ASVS-6.2.12", "R25"]));
    assert_eq!(ids_in("/// R250, ASVS 6.2.123", &known), BTreeSet::new());
    assert_eq!(rule_of("r25_an_unknown_name"), Some("R25".to_owned()));
    assert_eq!(rule_of("reads"), None);
}

/// A section of the manual: from its heading to the next one of its level.
fn section(page: &str, heading: &str) -> String {
    let text = std::fs::read_to_string(root().join("docs").join(page)).expect("a page of the manual");
    let after = text.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_else(|| panic!("{page} has no section “{heading}”"));
    after.split("\n## ").next().expect("a first part").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// ASVS-6.1.1: how guessing is slowed is written down for every limit, and how nobody is locked out by it.
#[test]
fn the_manual_names_every_limit_and_says_whom_it_does_not_lock_out() {
    let limits = section("configure.md", "Limits");
    for limit in index::limits::Limit::ALL {
        let reference = std::fs::read_to_string(root().join("docs/reference/limits.md")).expect("the reference");
        assert!(limits.contains("reference/limits.md") && reference.contains(limit.wire()), "{}", limit.wire());
    }
    assert!(limits.contains("lock"), "the section says who is not locked out");
}

/// OSSF-AN-1.2: how an account is recovered is written down, for each thing that can be lost.
#[test]
fn the_manual_says_how_each_lost_thing_is_recovered() {
    let lost = section("accounts.md", "Lost things");
    for thing in ["password", "app", "mailbox", "token", "recovery codes", "security key"] {
        assert!(lost.contains(thing), "nothing is said about a lost {thing}");
    }
}

/// ASVS-7.1.1, ASVS-7.1.2: when sessions end, and how many an account may have, is written down.
#[test]
fn the_manual_says_when_sessions_end_and_how_many_there_may_be() {
    let sessions = section("accounts.md", "Sessions and devices");
    for words in ["12 hours", "8", "an hour without a request", "as many sessions as you like"] {
        assert!(sessions.contains(words), "“{words}” is not said");
    }
}
