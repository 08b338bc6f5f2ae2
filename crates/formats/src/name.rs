//! Project names: what may be one, how two are compared, and which ones look like another.
//! Who may take a name is decided in `index`; this file knows no database.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest project name accepted, in characters.
pub const LIMIT: usize = 200;

/// Top-level module names of the standard library, normalized.
static STDLIB: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = include_str!("../data/stdlib.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(normalize).collect()
});

/// A project name as its owner writes it: ASCII letters and digits, with `.`, `_` and `-` inside, 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectName(String);

/// A project name in the form that names are compared in: lower case, every run of `.`, `_` and `-` one `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NormalizedName(String);

/// Why a text is not a project name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// It has other characters than a name may have, or starts or ends with punctuation.
    #[error("Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'.")]
    Invalid,
    /// It is longer than [`LIMIT`].
    #[error("Use at most {LIMIT} characters for a name.")]
    TooLong,
    /// It is a name, but not in its normalized form.
    #[error("The name is not in its normalized form; write '{0}'.")]
    NotNormalized(String),
}

impl ProjectName {
    /// Reads a project name and keeps its spelling.
    ///
    /// # Source
    /// PEP 508, "Names", applied to the whole text and to ASCII only.
    ///
    /// # Errors
    /// [`NameError::Invalid`] for its characters, [`NameError::TooLong`] for its length.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if !is_identifier(text) {
            return Err(NameError::Invalid);
        }
        if text.len() > LIMIT {
            return Err(NameError::TooLong);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which this name is compared and put into addresses.
    pub fn normalized(&self) -> NormalizedName {
        NormalizedName(normalize(&self.0))
    }
}

impl NormalizedName {
    /// Reads a name that is already normalized.
    ///
    /// # Errors
    /// As [`ProjectName::parse`]; [`NameError::NotNormalized`] names the form to use instead.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let normalized = ProjectName::parse(text)?.normalized();
        if normalized.0 == text { Ok(normalized) } else { Err(NameError::NotNormalized(normalized.0)) }
    }

    /// The normalized text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The normalized text with `_` for `-`, as file names carry it.
    ///
    /// # Source
    /// PEP 625 and the binary distribution format, "Escaping and Unicode".
    pub fn underscored(&self) -> String {
        self.0.replace('-', "_")
    }
}

/// Folds a name so that names people confuse become equal: without `.`, `_`, `-`, with `l L i I` as `1`, `o O` as `0`.
pub fn look_alike(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '.' | '_' | '-'));
    kept.map(|c| match c {
        'l' | 'L' | 'i' | 'I' => '1',
        'o' | 'O' => '0',
        c => c.to_ascii_lowercase(),
    })
    .collect()
}

/// Whether a name is that of a top-level module of Python's standard library, any version from 2.7 on.
pub fn is_stdlib_module(name: &NormalizedName) -> bool {
    STDLIB.contains(name.as_str())
}

/// Whether a text has the form of a project or extra name, whatever its length.
pub(crate) fn is_identifier(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// PEP 503 normalization of any text.
pub(crate) fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_run = false;
    for character in text.chars() {
        if matches!(character, '.' | '_' | '-') {
            if !in_run {
                out.push('-');
            }
            in_run = true;
        } else {
            out.push(character.to_ascii_lowercase());
            in_run = false;
        }
    }
    out
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NormalizedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProjectName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<ProjectName> for String {
    fn from(name: ProjectName) -> Self {
        name.0
    }
}

impl TryFrom<String> for NormalizedName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<NormalizedName> for String {
    fn from(name: NormalizedName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_that_pep_508_refuses_is_refused() {
        for bad in ["", "-a", "a-", ".a", "a_", "a b", "a/b", "a\n", "é", "a\u{0}b", "ａ", "../x", "a@b"] {
            assert_eq!(ProjectName::parse(bad), Err(NameError::Invalid), "{bad:?}");
        }
        assert_eq!(ProjectName::parse(&"a".repeat(201)), Err(NameError::TooLong));
        assert!(ProjectName::parse(&"a".repeat(200)).is_ok());
    }

    #[test]
    fn a_name_keeps_its_spelling_and_compares_normalized() {
        let name = ProjectName::parse("Zope.Interface__x").unwrap();
        assert_eq!(name.as_str(), "Zope.Interface__x");
        assert_eq!(name.normalized().as_str(), "zope-interface-x");
        assert_eq!(name.normalized().underscored(), "zope_interface_x");
    }

    #[test]
    fn a_name_that_is_not_normalized_is_told_its_form() {
        assert_eq!(NormalizedName::parse("Foo_Bar"), Err(NameError::NotNormalized("foo-bar".into())));
        assert_eq!(NormalizedName::parse("foo-bar").unwrap().as_str(), "foo-bar");
        assert!(serde_json::from_str::<NormalizedName>("\"Foo\"").is_err());
    }

    #[test]
    fn names_that_people_confuse_look_alike() {
        assert_eq!(look_alike("Lil-o_O.x"), look_alike("1110Ox"));
        assert_eq!(look_alike("dj-ang0"), look_alike("djang.o"));
        assert_ne!(look_alike("django"), look_alike("djagno"));
    }

    #[test]
    fn a_module_of_the_standard_library_is_known_by_its_normalized_name() {
        for module in ["os", "json", "asyncio", "urllib2", "cookielib", "tomllib", "distutils", "configparser"] {
            assert!(is_stdlib_module(&NormalizedName::parse(module).unwrap()), "{module}");
        }
        let configparser = ProjectName::parse("ConfigParser").unwrap().normalized();
        assert!(is_stdlib_module(&configparser));
        assert!(!is_stdlib_module(&NormalizedName::parse("requests").unwrap()));
        assert!(!is_stdlib_module(&NormalizedName::parse("importlib-metadata").unwrap()));
    }

    proptest! {
        #[test]
        fn normalizing_twice_changes_nothing(text in "\\PC{0,40}") {
            prop_assert_eq!(normalize(&normalize(&text)), normalize(&text));
            let _ = ProjectName::parse(&text);
            let _ = look_alike(&text);
        }

        #[test]
        fn every_normalized_name_parses_as_normalized(text in "[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?") {
            let normalized = ProjectName::parse(&text).unwrap().normalized();
            prop_assert_eq!(NormalizedName::parse(normalized.as_str()), Ok(normalized));
        }
    }
}
