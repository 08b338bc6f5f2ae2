//! Signatures under the seals of the audit trail: Ed25519 (RFC 8032), with a key that is derived from the key file.
//!
//! Whoever has the database alone can neither make nor change a seal; whoever has the public half can check one.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// The length of a signature in bytes.
pub const SIGNATURE_LEN: usize = 64;
const KEY_LEN: usize = 32;

/// The key that signs.
pub struct SealingKey {
    key_id: u32,
    pair: Ed25519KeyPair,
}

/// Its public half, under the number of the root key that it is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealKey {
    /// The number of the root key.
    pub key_id: u32,
    bytes: [u8; KEY_LEN],
}

impl SealingKey {
    pub(crate) fn from_seed(key_id: u32, seed: &[u8; KEY_LEN]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("32 bytes are a seed of Ed25519");
        Self { key_id, pair }
    }

    /// Signs a text.
    pub fn sign(&self, text: &[u8]) -> [u8; SIGNATURE_LEN] {
        self.pair.sign(text).as_ref().try_into().expect("a signature of Ed25519 has 64 bytes")
    }

    /// The public half.
    pub fn public(&self) -> SealKey {
        let bytes = self.pair.public_key().as_ref().try_into().expect("a public key of Ed25519 has 32 bytes");
        SealKey { key_id: self.key_id, bytes }
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl SealKey {
    /// Whether the holder of the key signed this text.
    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.bytes).verify(text, signature).is_ok()
    }

    /// The key as it is handed on: base64 of 32 bytes.
    pub fn to_text(&self) -> String {
        BASE64.encode(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER_PERMISSIVE as HEX;

    /// RFC 8032 section 7.1, TEST 2.
    #[test]
    fn signatures_are_those_of_rfc_8032() {
        let seed = HEX.decode(b"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let key = SealingKey::from_seed(1, &seed.try_into().unwrap());
        assert_eq!(HEX.encode(&key.public().bytes), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = key.sign(&[0x72]);
        assert_eq!(
            HEX.encode(&signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert!(key.public().verifies(&[0x72], &signature));
        assert!(!key.public().verifies(&[0x73], &signature));
        assert!(!key.public().verifies(&[0x72], &signature[..63]));
    }
}
