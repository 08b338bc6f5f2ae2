//! Which member names are accepted: relative, tidy, and read by people as they are read by machines.

/// What is wrong with a member's path, if anything. A `/` at the end marks a directory and is fine.
pub(super) fn complaint(path: &str) -> Option<&'static str> {
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let mut characters = trimmed.chars();
    let has_drive = matches!((characters.next(), characters.next()), (Some(c), Some(':')) if c.is_ascii_alphabetic());
    if trimmed.chars().any(is_hidden) {
        Some("Invalid character in filename")
    } else if trimmed.contains('\\') {
        Some("Backslash in filename")
    } else if path.starts_with('/') || has_drive {
        Some("Absolute path in filename")
    } else if trimmed.split('/').any(|part| part == "..") {
        Some("Parent directory in filename")
    } else if trimmed.split('/').any(|part| part.is_empty() || part == ".") {
        Some("Empty path component in filename")
    } else {
        None
    }
}

/// Control characters, and those that turn the direction of text so that `exe.gpj` reads `jpg.exe`.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_or_hides_itself_is_refused() {
        for path in [
            "",
            "/",
            "/etc/passwd",
            "../a",
            "a/../b",
            "a/..",
            "..",
            "a\\b",
            "..\\a",
            "C:\\a",
            "c:a",
            "a//b",
            "./a",
            "a/.",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{202e}gpj.exe",
            "//a",
            "a//",
        ] {
            assert!(complaint(path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn ordinary_paths_are_accepted() {
        for path in ["a", "a/", "a/b.py", "a/..b", "a/b..", "...", "a b/ü.py", "a/-x", "ab:c", ".hidden/x"] {
            assert_eq!(complaint(path), None, "{path:?}");
        }
    }
}
