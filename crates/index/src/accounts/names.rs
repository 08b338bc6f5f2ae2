//! User names: ASCII, public, one owner for each look-alike (R24).

use formats::name::look_alike;

use crate::refused::Invalid;

/// The most characters of a user name.
pub const MOST_CHARACTERS: usize = 50;

/// A user name that may be registered: 1 to 50 of `A-Z a-z 0-9 . _ -`, a letter or digit at both ends, its case kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

impl UserName {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A sentence for the field `username`.
    pub fn parse(typed: &str) -> Result<Self, Invalid> {
        let name = typed.trim();
        let wrong = |message: &str| Err(Invalid::new("username", message));
        if name.is_empty() {
            return wrong("Choose a user name.");
        }
        if name.len() > MOST_CHARACTERS {
            return wrong("A user name has at most 50 characters.");
        }
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) {
            return wrong("A user name is made of letters from A to Z, digits, dots, dashes and underscores.");
        }
        let at_ends = [name.chars().next(), name.chars().next_back()];
        if !at_ends.iter().flatten().all(char::is_ascii_alphanumeric) {
            return wrong("A user name begins and ends with a letter or a digit.");
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names that people confuse have in common; the key of uniqueness.
    #[must_use]
    pub fn folded(&self) -> String {
        folded(&self.0)
    }
}

/// The look-alike folding of a name in lower case.
#[must_use]
pub fn folded(name: &str) -> String {
    look_alike(&name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_other_scripts_odd_ends_and_long_names_are_refused() {
        let long = "a".repeat(51);
        for bad in ["", " ", "a b", "аda", "ada-", ".ada", "_", "ada@example.org", "ada/..", "a\u{0}", long.as_str()] {
            assert!(UserName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_case_of_a_name_is_kept_and_spaces_around_it_are_not() {
        assert_eq!(UserName::parse(" Ada.L-1 ").unwrap().as_str(), "Ada.L-1");
        assert!(UserName::parse("a").is_ok());
        assert!(UserName::parse(&"a".repeat(50)).is_ok());
    }

    #[test]
    fn names_that_look_alike_fold_to_one() {
        for other in ["BILL", "b1ll", "bi11", "b.i-l_l", "biLI"] {
            assert_eq!(folded("bill"), folded(other), "{other}");
        }
        assert_ne!(folded("bill"), folded("ball"));
    }
}
