//! Random tokens for sessions and links: 256 bits, stored only as a digest.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};

use crate::entropy::{self, Entropy};
use crate::secret::Secret;

const BYTES: usize = 32;
const CHARACTERS: usize = 43;

/// A token of 256 random bits, written as 43 base64url characters.
#[derive(Clone, Debug)]
pub struct LinkToken(Secret);

impl LinkToken {
    /// A new token.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(BASE64.encode(entropy::bytes::<BYTES>(entropy))))
    }

    /// Reads a token; `None` unless it is written exactly as we write it.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != CHARACTERS {
            return None;
        }
        // The decoder also refuses left-over bits, so that a token has one text.
        BASE64.decode(text).ok()?;
        Some(Self(Secret::new(text)))
    }

    /// SHA-256 of the text, as stored and looked up. 256 random bits need
    /// neither salt nor stretching.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.expose()).into()
    }

    /// The text, for the cookie or the link.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;

    #[test]
    fn a_token_reads_back_with_the_same_digest() {
        let token = LinkToken::generate(&SeededEntropy::new(1));
        assert_eq!(token.expose().len(), 43);
        let read = LinkToken::parse(token.expose()).unwrap();
        assert_eq!(read.digest(), token.digest());
        assert_eq!(read.expose(), token.expose());
    }

    #[test]
    fn two_tokens_differ() {
        let entropy = SeededEntropy::new(1);
        let (one, two) = (LinkToken::generate(&entropy), LinkToken::generate(&entropy));
        assert_ne!(one.digest(), two.digest());
    }

    /// ASVS-7.2.3, NIST-S3, ASVS-7.2.2.
    #[test]
    fn the_digest_is_sha256_of_the_text() {
        let token = LinkToken::parse(&"A".repeat(43)).unwrap();
        let expected = "0f007385b6f9d4b7eeb2748605afe1a984a0a3bfa3f014d09e2a784ce9e5cd1a";
        assert_eq!(data_encoding::HEXLOWER.encode(&token.digest()), expected);
    }

    #[test]
    fn another_spelling_of_a_token_is_refused() {
        let good = "A".repeat(43);
        assert!(LinkToken::parse(&good).is_some());
        for bad in [
            "A".repeat(42),
            "A".repeat(44),
            format!("{good}="),
            format!("{}B", "A".repeat(42)),
            format!("{}+", "A".repeat(42)),
            format!(" {}", "A".repeat(42)),
            format!("{}\u{e9}", "A".repeat(41)),
            String::new(),
        ] {
            assert!(LinkToken::parse(&bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_token() {
        let token = LinkToken::generate(&SeededEntropy::new(1));
        assert_eq!(format!("{token:?}"), "LinkToken([secret])");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,60}") {
            let _ = LinkToken::parse(&text);
        }
    }
}
