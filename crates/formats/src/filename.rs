//! File names of distributions: their form, and whether they fit the project and version they claim to be.
//! What is inside the file is the business of `archive`.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::{self, ProjectName};
use crate::platform::is_supported_platform;
use crate::quoted;
use crate::version::Version;

/// The longest file name accepted, in bytes: what file systems hold, with `.metadata` served from the same name.
pub const LIMIT_BYTES: usize = 255;

/// The two kinds of distribution that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FileKind {
    /// A source distribution, `.tar.gz`.
    #[serde(rename = "sdist")]
    Sdist,
    /// A built distribution, `.whl`.
    #[serde(rename = "bdist_wheel")]
    Wheel,
}

impl FileKind {
    /// The word of the upload form and the JSON API: `sdist` or `bdist_wheel`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sdist => "sdist",
            Self::Wheel => "bdist_wheel",
        }
    }

    /// Reads that word.
    pub fn from_packagetype(word: &str) -> Option<Self> {
        [Self::Sdist, Self::Wheel].into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a file name is refused; the text is the whole answer to the client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct FilenameError(String);

/// A wheel's file name, split but not normalized.
///
/// # Source
/// PEP 427, "File name convention".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFilename {
    /// The whole name.
    pub filename: String,
    /// The name part as it is written.
    pub raw_name: String,
    /// The version part as it is written.
    pub raw_version: String,
    /// The version part, read.
    pub version: Version,
    /// The build tag, which starts with a digit.
    pub build: Option<String>,
    /// The interpreter tags, expanded.
    pub pythons: Vec<String>,
    /// The ABI tags, expanded.
    pub abis: Vec<String>,
    /// The platform tags, expanded.
    pub platforms: Vec<String>,
}

/// An sdist's file name, split at its last dash but not normalized.
///
/// # Source
/// PEP 625.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdistFilename {
    /// The whole name.
    pub filename: String,
    /// The name part as it is written.
    pub raw_name: String,
    /// The version part as it is written.
    pub raw_version: String,
    /// The version part, read.
    pub version: Version,
}

/// Refuses file names that no distribution has: control characters, separators, foreign endings, over 255 bytes.
///
/// # Errors
/// [`FilenameError`], first rule first.
pub fn check_filename(filename: &str) -> Result<(), FilenameError> {
    if filename.chars().any(|c| (c as u32) < 32 || c as u32 == 127) {
        return refuse(
            "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character (ordinal 127) in the name.",
        );
    }
    if filename.contains(['/', '\\']) {
        return refuse("Cannot upload a file with '/' or '\\' in the name.");
    }
    if extension(filename).is_none() {
        return refuse(
            "Invalid file extension: Use .tar.gz, .whl or .zip extension. See https://peps.python.org/pep-0527 for more information.",
        );
    }
    if filename.len() > LIMIT_BYTES {
        return refuse(format!("Filename is too long: '{}'", crate::shortened(filename)));
    }
    Ok(())
}

/// Does [`check_filename`] and refuses an ending that does not belong to the declared kind.
///
/// # Errors
/// [`FilenameError`] as there, then for the ending.
pub fn check_filename_for(filename: &str, kind: FileKind) -> Result<(), FilenameError> {
    check_filename(filename)?;
    let extension = extension(filename).expect("checked above");
    let fits = match kind {
        FileKind::Sdist => extension != ".whl",
        FileKind::Wheel => extension == ".whl",
    };
    if fits {
        return Ok(());
    }
    refuse(format!(
        "Invalid file extension: Extension {extension} is invalid for filetype {kind}. See https://peps.python.org/pep-0527 for more information."
    ))
}

fn extension(filename: &str) -> Option<&'static str> {
    let known = [".tar.gz", ".whl", ".zip"];
    known.into_iter().find(|end| filename.len() > end.len() && filename.ends_with(end))
}

fn refuse<T>(message: impl Into<String>) -> Result<T, FilenameError> {
    Err(FilenameError(message.into()))
}

impl WheelFilename {
    /// Splits a wheel's file name.
    ///
    /// # Errors
    /// [`FilenameError`] with the words of Python's own parser.
    pub fn parse(filename: &str) -> Result<Self, FilenameError> {
        let shown = quoted(filename);
        let Some(stem) = filename.strip_suffix(".whl") else {
            return refuse(format!("Invalid wheel filename (extension must be '.whl'): {shown}"));
        };
        let shown = quoted(stem);
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match parts[..] {
            [name, version, a, b, c] => (name, version, None, [a, b, c]),
            [name, version, build, a, b, c] => (name, version, Some(build), [a, b, c]),
            _ => return refuse(format!("Invalid wheel filename (wrong number of parts): {shown}")),
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        if name.is_empty() || name.contains("__") || !name.chars().all(is_word) {
            return refuse(format!("Invalid project name: {shown}"));
        }
        let Ok(parsed) = Version::parse(version) else {
            return refuse(format!("Invalid wheel filename (invalid version): {shown}"));
        };
        if let Some(build) = build.filter(|build| !build.starts_with(|c: char| c.is_ascii_digit())) {
            return refuse(format!("Invalid build number: {build} in {shown}"));
        }
        let [pythons, abis, platforms] = tags.map(|tag| tag.to_lowercase().split('.').map(str::to_owned).collect());
        if [&pythons, &abis, &platforms].into_iter().any(|set: &Vec<String>| set.iter().any(String::is_empty)) {
            return refuse(format!("Invalid wheel filename (invalid tag component): {shown}"));
        }
        Ok(Self {
            filename: filename.to_owned(),
            raw_name: name.to_owned(),
            raw_version: version.to_owned(),
            version: parsed,
            build: build.map(str::to_owned),
            pythons,
            abis,
            platforms,
        })
    }
}

impl SdistFilename {
    /// Splits an sdist's file name at its last dash.
    ///
    /// # Errors
    /// [`FilenameError`] when it has no name, no dash, no version or another ending than `.tar.gz` and `.zip`.
    pub fn parse(filename: &str) -> Result<Self, FilenameError> {
        let invalid = || FilenameError(format!("Invalid source distribution filename: {filename}"));
        let stem = filename.strip_suffix(".tar.gz").or_else(|| filename.strip_suffix(".zip")).ok_or_else(invalid)?;
        let (name, version) = stem.rsplit_once('-').ok_or_else(invalid)?;
        if name.is_empty() {
            return Err(invalid());
        }
        Ok(Self {
            filename: filename.to_owned(),
            raw_name: name.to_owned(),
            raw_version: version.to_owned(),
            version: Version::parse(version).map_err(|_| invalid())?,
        })
    }
}

/// Checks a wheel's file name against the project and version of its metadata.
///
/// # Errors
/// [`FilenameError`]: platform, project, spelling of the project, version, in this order.
pub fn check_wheel(wheel: &WheelFilename, project: &ProjectName, version: &Version) -> Result<(), FilenameError> {
    let filename = &wheel.filename;
    if let Some(tag) = wheel.platforms.iter().find(|tag| !is_supported_platform(tag)) {
        return refuse(format!("Binary wheel '{filename}' has an unsupported platform tag '{tag}'."));
    }
    let expected = project.normalized().underscored();
    if name::normalize(&wheel.raw_name) != project.normalized().as_str() {
        return refuse(format!("Start filename for {} with {}.", quoted(project.as_str()), quoted(&expected)));
    }
    if wheel.raw_name != expected {
        return refuse(format!(
            "Filename {} should contain the normalized project name {}, not {}.",
            quoted(filename),
            quoted(&expected),
            quoted(&wheel.raw_name)
        ));
    }
    if wheel.version != *version {
        return refuse(format!("Version in filename should be '{version}' not '{}'.", wheel.version));
    }
    Ok(())
}

/// Checks an sdist's file name against the project and version of its metadata: exactly one name is right.
///
/// # Errors
/// [`FilenameError`]: project, then the whole name (so `.zip` is always refused here).
pub fn check_sdist(sdist: &SdistFilename, project: &ProjectName, version: &Version) -> Result<(), FilenameError> {
    let expected_name = project.normalized().underscored();
    let normalized = project.normalized();
    // A post-release may be spelled with a dash (`1.0-1`): then the name ends one dash earlier.
    let shorter = sdist.raw_name.rsplit_once('-').map(|(head, _)| head).filter(|_| version.is_postrelease());
    let starts_right =
        [Some(sdist.raw_name.as_str()), shorter].into_iter().flatten().any(|name| name::normalize(name) == normalized.as_str());
    if !starts_right {
        return refuse(format!("Start filename for {} with {}.", quoted(project.as_str()), quoted(&expected_name)));
    }
    let expected = format!("{expected_name}-{version}.tar.gz");
    if sdist.filename != expected {
        return refuse(format!("Filename {} is invalid, should be {}.", quoted(&sdist.filename), quoted(&expected)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wheel(filename: &str, project: &str, version: &str) -> Result<(), String> {
        let parsed = WheelFilename::parse(filename).map_err(|error| error.to_string())?;
        let (project, version) = (ProjectName::parse(project).unwrap(), Version::parse(version).unwrap());
        check_wheel(&parsed, &project, &version).map_err(|error| error.to_string())
    }

    fn sdist(filename: &str, project: &str, version: &str) -> Result<(), String> {
        let parsed = SdistFilename::parse(filename).map_err(|error| error.to_string())?;
        let (project, version) = (ProjectName::parse(project).unwrap(), Version::parse(version).unwrap());
        check_sdist(&parsed, &project, &version).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_name_no_distribution_has_is_refused() {
        let start = |name: &str| check_filename(name).unwrap_err().to_string();
        assert!(start("a\n-1.tar.gz").starts_with("Cannot upload a file with non-printable"));
        assert!(start("a\u{7f}-1.tar.gz").starts_with("Cannot upload a file with non-printable"));
        assert!(start("../a-1.tar.gz").starts_with("Cannot upload a file with '/' or '\\'"));
        assert!(start("a\\b-1.tar.gz").starts_with("Cannot upload a file with '/' or '\\'"));
        for ending in ["a-1.egg", "a-1.tar.bz2", "a-1.TAR.GZ", ".whl", ".tar.gz", "a-1.exe", "whl"] {
            assert!(start(ending).starts_with("Invalid file extension: Use .tar.gz"), "{ending}");
        }
        assert!(start(&format!("{}-1.tar.gz", "a".repeat(250))).starts_with("Filename is too long"));
        assert!(check_filename(&format!("{}-1.tar.gz", "a".repeat(246))).is_ok());
    }

    #[test]
    fn an_ending_of_the_other_kind_is_refused() {
        let wrong = check_filename_for("a-1.tar.gz", FileKind::Wheel).unwrap_err().to_string();
        assert!(wrong.starts_with("Invalid file extension: Extension .tar.gz is invalid for filetype bdist_wheel."));
        let wrong = check_filename_for("a-1-py3-none-any.whl", FileKind::Sdist).unwrap_err().to_string();
        assert!(wrong.starts_with("Invalid file extension: Extension .whl is invalid for filetype sdist."));
        assert!(check_filename_for("a-1.tar.gz", FileKind::Sdist).is_ok());
    }

    #[test]
    fn a_wheel_name_that_does_not_parse_is_refused() {
        for (name, gist) in [
            ("a-1-py3-none.whl", "Invalid wheel filename (wrong number of parts)"),
            ("a-1-1-1-py3-none-any.whl", "Invalid wheel filename (wrong number of parts)"),
            ("a__b-1-py3-none-any.whl", "Invalid project name"),
            ("a b-1-py3-none-any.whl", "Invalid project name"),
            ("-1-py3-none-any.whl", "Invalid project name"),
            ("a-x-py3-none-any.whl", "Invalid wheel filename (invalid version)"),
            ("a-1-x1-py3-none-any.whl", "Invalid build number: x1"),
            ("a-1-py3..py2-none-any.whl", "Invalid wheel filename (invalid tag component)"),
            ("a-1.tar.gz", "Invalid wheel filename (extension must be '.whl')"),
        ] {
            let message = WheelFilename::parse(name).unwrap_err().to_string();
            assert!(message.starts_with(gist), "{name}: {message}");
        }
    }

    #[test]
    fn a_wheel_name_that_does_not_fit_its_metadata_is_refused() {
        let refused = |name: &str| wheel(name, "Foo.Bar", "1.0").unwrap_err();
        assert_eq!(
            refused("foo_bar-1.0-py3-none-linux_x86_64.whl"),
            "Binary wheel 'foo_bar-1.0-py3-none-linux_x86_64.whl' has an unsupported platform tag 'linux_x86_64'."
        );
        assert_eq!(refused("other-1.0-py3-none-any.whl"), "Start filename for 'Foo.Bar' with 'foo_bar'.");
        assert_eq!(
            refused("Foo.Bar-1.0-py3-none-any.whl"),
            "Filename 'Foo.Bar-1.0-py3-none-any.whl' should contain the normalized project name 'foo_bar', not 'Foo.Bar'."
        );
        assert_eq!(refused("foo_bar-1.1-py3-none-any.whl"), "Version in filename should be '1.0' not '1.1'.");
        assert!(wheel("foo_bar-1.0.0-1a-cp311.cp312-abi3-manylinux1_x86_64.win32.whl", "Foo.Bar", "1.0").is_ok());
    }

    #[test]
    fn only_one_name_is_right_for_an_sdist() {
        assert_eq!(sdist("a.tar.gz", "a", "1").unwrap_err(), "Invalid source distribution filename: a.tar.gz");
        assert_eq!(sdist("a-x.tar.gz", "a", "1").unwrap_err(), "Invalid source distribution filename: a-x.tar.gz");
        assert_eq!(sdist("b-1.0.tar.gz", "A.c", "1.0").unwrap_err(), "Start filename for 'A.c' with 'a_c'.");
        for wrong in ["A_c-1.0.tar.gz", "a.c-1.0.tar.gz", "a-c-1.0.tar.gz", "a_c-1.0.0.tar.gz", "a_c-1.0.zip"] {
            let message = sdist(wrong, "A.c", "1.0").unwrap_err();
            assert_eq!(message, format!("Filename '{wrong}' is invalid, should be 'a_c-1.0.tar.gz'."));
        }
        let message = sdist("a_c-1.0-1.tar.gz", "A.c", "1.0.post1").unwrap_err();
        assert!(message.starts_with("Filename 'a_c-1.0-1.tar.gz' is invalid, should be 'a_c-1.0.post1.tar.gz'"));
        assert!(sdist("a_c-1.0.tar.gz", "A.c", "1.0").is_ok());
    }

    #[test]
    fn the_kinds_have_the_words_of_the_upload_form() {
        assert_eq!(FileKind::from_packagetype("bdist_wheel"), Some(FileKind::Wheel));
        assert_eq!(FileKind::from_packagetype("bdist_egg"), None);
        assert_eq!(serde_json::to_string(&FileKind::Sdist).unwrap(), "\"sdist\"");
    }

    proptest! {
        #[test]
        fn no_file_name_makes_a_parser_panic(text in "\\PC{0,40}(\\.whl|\\.tar\\.gz)?") {
            let _ = check_filename_for(&text, FileKind::Wheel);
            let _ = WheelFilename::parse(&text);
            let _ = SdistFilename::parse(&text);
        }
    }
}
