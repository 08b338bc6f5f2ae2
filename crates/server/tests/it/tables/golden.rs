//! Golden files are read in review. No switch rewrites them: a test that fails writes what it saw beside the build, to be compared and copied by hand.

use std::path::Path;

/// Compares with the file of this name under `tests/it/golden/`.
pub fn check(name: &str, seen: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = root.join("tests/it/golden").join(name);
    let expected = std::fs::read_to_string(&kept).unwrap_or_default();
    if expected != seen {
        let saw = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&saw, seen).expect("the build folder can be written");
        let first = expected
            .lines()
            .zip(seen.lines())
            .position(|(a, b)| a != b)
            .unwrap_or_else(|| expected.lines().count().min(seen.lines().count()));
        panic!(
            "golden/{name} differs from line {}:\n- {}\n+ {}\nwhat was seen is in {}: read every changed line, then copy it",
            first + 1,
            expected.lines().nth(first).unwrap_or("(end)"),
            seen.lines().nth(first).unwrap_or("(end)"),
            saw.display()
        );
    }
}
