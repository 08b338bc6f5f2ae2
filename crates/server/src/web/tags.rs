//! What a file runs on, in words, from the tags in its name.

use std::collections::BTreeSet;

use formats::filename::WheelFilename;

/// `CPython 3.12, manylinux 2.17 x86-64`; empty where it runs anywhere.
#[must_use]
pub fn runs_on(filename: &str) -> String {
    let Ok(wheel) = WheelFilename::parse(filename) else { return String::new() };
    let stable = wheel.abis.iter().any(|abi| abi == "abi3");
    let general = |tag: &&String| !tag.starts_with("py") || tag.starts_with("pypy");
    let pythons: BTreeSet<String> = wheel.pythons.iter().filter(general).map(|tag| python(tag, stable)).collect();
    let platforms: BTreeSet<String> = wheel.platforms.iter().filter(|tag| *tag != "any").map(|tag| platform(tag)).collect();
    pythons.into_iter().chain(platforms).collect::<Vec<_>>().join(", ")
}

/// `cp312` is `CPython 3.12`; what is not known stays as it is.
fn python(tag: &str, stable: bool) -> String {
    let digits = tag.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let name = match &tag[..tag.len() - digits.len()] {
        "cp" => "CPython",
        "pp" => "PyPy",
        "graalpy" => "GraalPy",
        _ => return tag.to_owned(),
    };
    let digits = digits.replace('_', "");
    let (major, minor) = digits.split_at_checked(1).unwrap_or((digits.as_str(), ""));
    let version = if minor.is_empty() { major.to_owned() } else { format!("{major}.{minor}") };
    let newer = if stable { " or newer" } else { "" };
    format!("{name} {version}{newer}")
}

/// `manylinux_2_17_x86_64` is `manylinux 2.17 x86-64`; what is not known stays as it is.
fn platform(tag: &str) -> String {
    match tag {
        "win32" => return "Windows x86".to_owned(),
        "win_amd64" => return "Windows x86-64".to_owned(),
        "win_arm64" => return "Windows ARM64".to_owned(),
        _ => {}
    }
    let names = [("manylinux_", "manylinux"), ("musllinux_", "musllinux"), ("macosx_", "macOS"), ("ios_", "iOS")];
    for (before, name) in names {
        let Some(rest) = tag.strip_prefix(before) else { continue };
        let mut parts = rest.splitn(3, '_');
        if let (Some(major), Some(minor), Some(machine)) = (parts.next(), parts.next(), parts.next()) {
            return format!("{name} {major}.{minor} {}", machine.replace("x86_64", "x86-64"));
        }
    }
    tag.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_in_words_and_unknown_ones_as_they_are() {
        for (filename, expected) in [
            ("a-1.0-py3-none-any.whl", ""),
            ("a-1.0-py2.py3-none-any.whl", ""),
            ("a-1.0.tar.gz", ""),
            ("a-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "CPython 3.12, manylinux 2.17 x86-64"),
            ("a-1.0-cp39-abi3-win_amd64.whl", "CPython 3.9 or newer, Windows x86-64"),
            ("a-1.0-pp310-pypy310_pp73-macosx_11_0_arm64.whl", "PyPy 3.10, macOS 11.0 arm64"),
            ("a-1.0-py3-none-manylinux2014_aarch64.whl", "manylinux2014_aarch64"),
        ] {
            assert_eq!(runs_on(filename), expected, "{filename}");
        }
    }
}
