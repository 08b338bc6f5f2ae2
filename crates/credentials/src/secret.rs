//! Text and bytes that must not show: no `Display`, no `Serialize`, a blank
//! `Debug`, wiped from memory when dropped.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

const SHOWN: &str = "[secret]";

/// Secret text; only [`Secret::expose`] shows it.
///
/// ```
/// let secret = credentials::secret::Secret::new("correct horse");
/// assert_eq!(format!("{secret:?}"), "[secret]");
/// ```
///
/// It cannot be printed:
///
/// ```compile_fail,E0277
/// println!("{}", credentials::secret::Secret::new("correct horse"));
/// ```
///
/// nor written by serde:
///
/// ```compile_fail,E0277
/// serde_json::to_string(&credentials::secret::Secret::new("correct horse"));
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself; the caller answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Secret bytes; only [`SecretBytes::expose`] shows them.
///
/// ```compile_fail,E0277
/// println!("{}", credentials::secret::SecretBytes::new(vec![1]));
/// ```
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves; the caller answers for where they go.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_text_nor_bytes() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "read by Debug only")]
        struct Form {
            password: Secret,
            key: SecretBytes,
        }
        let form = Form { password: Secret::new("correct horse"), key: SecretBytes::new(b"battery".to_vec()) };
        assert_eq!(format!("{form:?}"), "Form { password: [secret], key: [secret] }");
    }

    #[test]
    fn a_form_field_reads_into_a_secret() {
        let secret: Secret = serde_json::from_str(r#""correct horse""#).unwrap();
        assert_eq!(secret.expose(), "correct horse");
    }
}
