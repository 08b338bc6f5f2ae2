//! `entry_points.txt` of a wheel: an INI file whose names become commands on the installing machine.

use std::collections::HashSet;

/// Whether the file reads as Python's strict `configparser` with `=` as its only delimiter reads it, and names its
/// scripts with letters, digits, `_`, `.` and `-` only.
///
/// # Source
/// Entry points specification, "File format".
pub(super) fn are_valid(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (mut sections, mut keys) = (HashSet::new(), HashSet::new());
    let mut section: Option<&str> = None;
    let mut value_indent: Option<usize> = None;
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if value_indent.is_some_and(|value| indent > value) {
            continue;
        }
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            if name.is_empty() || !sections.insert(name) {
                return false;
            }
            section = Some(name);
            value_indent = None;
            keys.clear();
            continue;
        }
        let (Some(section), Some((key, _))) = (section, content.split_once('=')) else { return false };
        let key = key.trim_end();
        if key.is_empty() || !keys.insert(key) || (is_script_section(section) && !is_script_name(key)) {
            return false;
        }
        value_indent = Some(indent);
    }
    true
}

fn is_script_section(section: &str) -> bool {
    section == "console_scripts" || section == "gui_scripts"
}

fn is_script_name(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_does_not_read_is_refused() {
        for bad in [
            "a = b\n",
            "[x\na = b\n",
            "[x]\na b\n",
            "[x]\n= b\n",
            "[x]\na = b\na = c\n",
            "[x]\na=b\n[x]\nc=d\n",
            "[]\na=b\n",
            "[x]\na: b\n",
            "[console_scripts]\n../evil = a:b\n",
            "[console_scripts]\nrm -rf = a:b\n",
            "[gui_scripts]\na/b = c:d\n",
        ] {
            assert!(!are_valid(bad.as_bytes()), "{bad:?}");
        }
        assert!(!are_valid(b"[x]\na = \xff\n"));
    }

    #[test]
    fn the_entry_points_of_real_wheels_are_accepted() {
        for good in [
            "",
            "# only a comment\n",
            "[console_scripts]\npip = pip._internal:main\npip3.11=pip:main\n",
            "[a.b]\nx y = z:w [extra]\n\n[c]\nname =\n    folded\n    value\n",
            "[x]\na = b = c\nA = d\n",
            "\n[x]\n  a = b\n  c = d\n",
        ] {
            assert!(are_valid(good.as_bytes()), "{good:?}");
        }
    }
}
