//! PEP 440 versions: one spelling to show, one to look a release up by, and their order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A PEP 440 version; `Display` is the normalized form, equality and order are PEP 440's (`1.0 == 1.0.0`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(pep440_rs::Version);

/// A text is not a PEP 440 version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} is not a valid version", crate::quoted(&crate::shortened(.0)))]
pub struct VersionError(String);

impl Version {
    /// Reads a version in any spelling PEP 440 allows.
    ///
    /// # Errors
    /// [`VersionError`] when it is no version, longer than 255 bytes, or has a number above 64 bits.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError(text.to_owned());
        if text.len() > 255 {
            return Err(error());
        }
        // Python strips all of Unicode's white space; only ASCII's can come from a real client.
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
        pep440_rs::Version::from_str(trimmed).map(Self).map_err(|_| error())
    }

    /// The spelling two equal versions share, without trailing zero segments: `1.0.0` and `1` are both `1`.
    ///
    /// # Source
    /// `packaging.utils.canonicalize_version`, which PyPI keys releases by.
    pub fn canonical(&self) -> String {
        let release = self.0.release();
        let kept = release.iter().rposition(|&segment| segment != 0).map_or(1, |last| last + 1);
        let kept = kept.min(release.len());
        self.0.clone().with_release(release[..kept].iter().copied()).to_string()
    }

    /// Whether it is a pre-release: alpha, beta, candidate or development release.
    pub fn is_prerelease(&self) -> bool {
        self.0.any_prerelease()
    }

    /// Whether it is a post-release.
    pub fn is_postrelease(&self) -> bool {
        self.0.is_post()
    }

    /// Whether it carries a local label (`+…`).
    pub fn is_local(&self) -> bool {
        self.0.is_local()
    }

    pub(crate) fn segments(&self) -> usize {
        self.0.release().len()
    }

    pub(crate) fn is_final_release_only(&self) -> bool {
        !self.is_prerelease() && !self.is_postrelease() && !self.is_local()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        Self::parse(&text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_read_as_python_reads_them() {
        for line in include_str!("../tests/vectors/versions.tsv").lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [text, shown, canonical, prerelease, local] = columns[..] else { panic!("{line:?}") };
            if shown == "-" {
                assert!(Version::parse(text).is_err(), "{text:?} must be refused");
                continue;
            }
            let version = Version::parse(text).unwrap_or_else(|_| panic!("{text:?} must be read"));
            assert_eq!(version.to_string(), shown, "{text:?}");
            assert_eq!(version.canonical(), canonical, "{text:?}");
            assert_eq!(version.is_prerelease().to_string(), prerelease, "{text:?}");
            assert_eq!(version.is_local().to_string(), local, "{text:?}");
        }
    }

    #[test]
    fn versions_are_ordered_as_pep_440_orders_them() {
        let sorted = ["1.dev1", "1a1.dev1", "1a1", "1b2", "1rc1", "1", "1+local", "1.post1.dev1", "1.post1", "1.1", "1!0"];
        let mut shuffled: Vec<Version> = sorted.iter().rev().map(|text| Version::parse(text).unwrap()).collect();
        shuffled.sort();
        let shown: Vec<String> = shuffled.iter().map(Version::to_string).collect();
        let expected: Vec<String> = sorted.iter().map(|text| Version::parse(text).unwrap().to_string()).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn equal_versions_share_one_canonical_form() {
        let (one, zeros) = (Version::parse("1").unwrap(), Version::parse("1.0.0").unwrap());
        assert_eq!(one, zeros);
        assert_eq!(one.canonical(), zeros.canonical());
    }

    #[test]
    fn an_overlong_version_is_refused() {
        assert!(Version::parse(&"1.".repeat(200)).is_err());
        assert!(Version::parse("99999999999999999999999999").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
            let _ = Version::parse(&text);
        }

        #[test]
        fn what_is_shown_reads_back_equal(text in "v?[0-9]{1,3}(\\.[0-9]{1,3}){0,3}(a|b|rc)?[0-9]?(\\.post[0-9])?(\\.dev[0-9])?") {
            if let Ok(version) = Version::parse(&text) {
                prop_assert_eq!(&Version::parse(&version.to_string()).unwrap(), &version);
                prop_assert_eq!(&Version::parse(&version.canonical()).unwrap(), &version);
            }
        }
    }
}
