//! Macaroons: tokens that their holder can narrow and nobody can widen.
//!
//! Version 2, binary, first-party caveats only; byte for byte what pymacaroons
//! and pypitoken write. What a caveat means stands in [`crate::caveat`]. The
//! signature does not cover the location: compare it yourself.

mod wire;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::secret::{Secret, SecretBytes};

/// The most bytes of a token's text, prefix included.
pub const MOST_TEXT_BYTES: usize = 8 * 1024;
/// The most caveats of a token.
pub const MOST_CAVEATS: usize = 64;
const SIGNATURE_LEN: usize = 32;

/// A token: where it is good, whose it is, and what narrows it.
#[derive(Clone)]
pub struct Macaroon {
    /// The host it was minted for; not covered by the signature.
    pub location: String,
    /// What names its row; covered by the signature.
    pub identifier: Vec<u8>,
    caveats: Vec<Vec<u8>>,
    signature: [u8; SIGNATURE_LEN],
}

/// Why a text is not a token, as a sentence for its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenRefused {
    /// The text is above 8 KiB.
    #[error("the token is longer than 8192 characters")]
    TooLong,
    /// It does not begin with the prefix and a hyphen.
    #[error("the token does not begin with this index's prefix")]
    Prefix,
    /// What follows the prefix is not base64url without padding.
    #[error("the token is not written in base64url without padding")]
    Encoding,
    /// It is not a version 2 macaroon.
    #[error("the token is not a version 2 macaroon")]
    Version,
    /// It breaks off, repeats a field, or has fields out of order.
    #[error("the token is damaged")]
    Damaged,
    /// It has more than 64 caveats.
    #[error("the token has more than 64 caveats")]
    TooManyCaveats,
    /// A caveat wants the word of a third party.
    #[error("the token has a third-party caveat")]
    ThirdParty,
    /// Something follows the signature.
    #[error("the token goes on after its signature")]
    Trailing,
}

impl Macaroon {
    /// A new token without caveats.
    pub fn mint(key: &SecretBytes, location: &str, identifier: &[u8]) -> Self {
        Self {
            location: location.to_owned(),
            identifier: identifier.to_vec(),
            caveats: Vec::new(),
            signature: first_signature(key, identifier),
        }
    }

    /// The same token, narrowed by one more caveat.
    #[must_use]
    pub fn with_caveat(mut self, caveat: &[u8]) -> Self {
        self.signature = hmac(&self.signature, caveat);
        self.caveats.push(caveat.to_vec());
        self
    }

    /// The caveats as they stand in the token, oldest first.
    pub fn caveats(&self) -> &[Vec<u8>] {
        &self.caveats
    }

    /// Whether identifier and caveats are as signed with `key`; in constant time.
    pub fn verify(&self, key: &SecretBytes) -> bool {
        let expected = self.caveats.iter().fold(first_signature(key, &self.identifier), |signature, caveat| hmac(&signature, caveat));
        expected.ct_eq(&self.signature).into()
    }

    /// The token as its holder keeps it: `PREFIX-` and base64url without padding.
    pub fn to_text(&self, prefix: &str) -> Secret {
        Secret::new(format!("{prefix}-{}", wire::encode(self)))
    }

    /// Reads a token's text. Nothing is verified yet.
    pub fn parse(text: &Secret, prefix: &str) -> Result<Self, TokenRefused> {
        if text.expose().len() > MOST_TEXT_BYTES {
            return Err(TokenRefused::TooLong);
        }
        let body = text.expose().strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).ok_or(TokenRefused::Prefix)?;
        wire::decode(body)
    }
}

impl std::fmt::Debug for Macaroon {
    /// Without the signature, which is the secret part.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let caveats: Vec<_> = self.caveats.iter().map(|c| String::from_utf8_lossy(c)).collect();
        f.debug_struct("Macaroon")
            .field("location", &self.location)
            .field("identifier", &String::from_utf8_lossy(&self.identifier))
            .field("caveats", &caveats)
            .finish_non_exhaustive()
    }
}

impl Drop for Macaroon {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.signature);
    }
}

fn first_signature(key: &SecretBytes, identifier: &[u8]) -> [u8; SIGNATURE_LEN] {
    let derived = hmac(b"macaroons-key-generator", key.expose());
    hmac(&derived, identifier)
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; SIGNATURE_LEN] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}
