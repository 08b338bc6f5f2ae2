//! The three digests of a file, computed in one pass, and their comparison with those a client sent.

use blake2::Blake2b;
use blake2::digest::consts::U32;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use subtle::ConstantTimeEq;
use thiserror::Error;

/// Computes MD5, SHA-256 and BLAKE2b-256 of what is fed to it.
#[derive(Debug, Clone, Default)]
pub struct Hasher {
    md5: md5::Md5,
    sha256: sha2::Sha256,
    blake2_256: Blake2b<U32>,
}

/// The digests of a file, each lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digests {
    /// MD5, 32 characters; kept because old clients verify it, never trusted alone.
    pub md5: String,
    /// SHA-256, 64 characters.
    pub sha256: String,
    /// BLAKE2b with 256 bits, 64 characters.
    pub blake2_256: String,
}

/// The digests a client claims in its upload form, hex in either case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedDigests {
    /// The field `md5_digest`.
    pub md5: Option<String>,
    /// The field `sha256_digest`.
    pub sha256: Option<String>,
    /// The field `blake2_256_digest`.
    pub blake2_256: Option<String>,
}

/// A claimed digest is not that of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("The digest supplied does not match a digest calculated from the uploaded file.")]
pub struct DigestMismatch;

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Feeds the next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha256.update(bytes);
        self.blake2_256.update(bytes);
    }

    /// The digests of everything fed.
    pub fn finish(self) -> Digests {
        Digests {
            md5: hex::encode(self.md5.finalize()),
            sha256: hex::encode(self.sha256.finalize()),
            blake2_256: hex::encode(self.blake2_256.finalize()),
        }
    }
}

impl Digests {
    /// Compares every claimed digest, in constant time and whatever its case.
    ///
    /// # Errors
    /// [`DigestMismatch`] when any differs; it does not say which.
    pub fn check(&self, claimed: &ClaimedDigests) -> Result<(), DigestMismatch> {
        let pairs = [(&claimed.md5, &self.md5), (&claimed.sha256, &self.sha256), (&claimed.blake2_256, &self.blake2_256)];
        let all_equal = pairs.into_iter().fold(true, |so_far, (claim, own)| {
            let equal = claim.as_ref().is_none_or(|claim| claim.to_ascii_lowercase().as_bytes().ct_eq(own.as_bytes()).into());
            so_far & equal
        });
        if all_equal { Ok(()) } else { Err(DigestMismatch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests_of(parts: &[&[u8]]) -> Digests {
        let mut hasher = Hasher::new();
        parts.iter().for_each(|part| hasher.update(part));
        hasher.finish()
    }

    #[test]
    fn the_digests_are_those_of_the_standards() {
        let digests = digests_of(&[b"a", b"bc"]);
        assert_eq!(digests.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(digests.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digests.blake2_256, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    }

    #[test]
    fn one_wrong_claim_among_right_ones_is_refused() {
        let digests = digests_of(&[b"abc"]);
        let right = ClaimedDigests {
            md5: Some(digests.md5.to_uppercase()),
            sha256: Some(digests.sha256.clone()),
            blake2_256: Some(digests.blake2_256.clone()),
        };
        assert_eq!(digests.check(&right), Ok(()));
        let other = digests_of(&[b"abd"]);
        for wrong in [
            ClaimedDigests { md5: Some(other.md5.clone()), ..right.clone() },
            ClaimedDigests { sha256: Some(other.sha256.clone()), ..right.clone() },
            ClaimedDigests { blake2_256: Some(other.blake2_256.clone()), ..right.clone() },
            ClaimedDigests { sha256: Some(String::new()), ..right.clone() },
            ClaimedDigests { sha256: Some(digests.sha256[..63].to_owned()), ..right.clone() },
        ] {
            assert_eq!(digests.check(&wrong), Err(DigestMismatch));
        }
    }

    #[test]
    fn what_is_not_claimed_is_not_compared() {
        assert_eq!(digests_of(&[b"abc"]).check(&ClaimedDigests::default()), Ok(()));
    }
}
