//! Calls that another machine signs: HMAC-SHA256 over the moment and the raw body, checked before anything of the body is read.

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// The longest header that is read.
const MOST_CHARACTERS: usize = 200;

/// A signature as it stands in a header: `t=SECONDS,v1=HEX`, over the text `SECONDS.` and the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSignature {
    /// When the sender signed, in seconds since 1970 UTC.
    pub at_s: i64,
    digest: [u8; 32],
}

impl CallSignature {
    /// Reads a header; `None` unless it names one moment and one signature.
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > MOST_CHARACTERS {
            return None;
        }
        let (mut at_s, mut digest) = (None, None);
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("t", text) if at_s.is_none() => at_s = Some(text.parse::<i64>().ok().filter(|at| *at >= 0)?),
                ("v1", text) if digest.is_none() => digest = Some(HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()?),
                _ => return None,
            }
        }
        Some(Self { at_s: at_s?, digest: digest? })
    }

    /// Signs a body.
    pub fn make(secret: &Secret, at_s: i64, body: &[u8]) -> Self {
        Self { at_s, digest: mac(secret, at_s, body) }
    }

    /// Whether the holder of the secret signed this body at this moment. Takes as long for every wrong signature. An empty secret
    /// signs nothing.
    pub fn is_of(&self, secret: &Secret, body: &[u8]) -> bool {
        let right: bool = mac(secret, self.at_s, body).ct_eq(&self.digest).into();
        right && !secret.expose().is_empty()
    }

    /// The text of the header.
    pub fn to_header(&self) -> String {
        format!("t={},v1={}", self.at_s, data_encoding::HEXLOWER.encode(&self.digest))
    }

    /// The signature itself: two calls with the same one are one call.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

fn mac(secret: &Secret, at_s: i64, body: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(at_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret() -> Secret {
        Secret::new("a secret of the mail server")
    }

    #[test]
    fn a_signature_reads_back_and_holds_for_its_body_alone() {
        let made = CallSignature::make(&secret(), 1_700_000_000, b"{}");
        let read = CallSignature::parse(&made.to_header()).unwrap();
        assert_eq!(read, made);
        assert!(read.is_of(&secret(), b"{}"));
        assert!(!read.is_of(&secret(), b"{} "));
        assert!(!read.is_of(&Secret::new("another secret"), b"{}"));
        assert!(!CallSignature { at_s: 1_700_000_001, ..read }.is_of(&secret(), b"{}"), "the moment is signed too");
    }

    /// Computed with `printf '1700000000.{}' | openssl dgst -sha256 -hmac key`.
    #[test]
    fn the_signature_is_hmac_sha256_over_moment_dot_body() {
        let header = "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae";
        let made = CallSignature::make(&Secret::new("key"), 1_700_000_000, b"{}").to_header();
        assert_eq!(made, header);
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let none = Secret::new("");
        assert!(!CallSignature::make(&none, 1, b"x").is_of(&none, b"x"));
    }

    #[test]
    fn what_is_not_one_moment_and_one_signature_is_refused() {
        let hex = "0".repeat(64);
        for bad in [
            String::new(),
            format!("v1={hex}"),
            "t=1".to_owned(),
            format!("t=1,v1={hex},v1={hex}"),
            format!("t=1,t=2,v1={hex}"),
            format!("t=-1,v1={hex}"),
            format!("t=1,v1={}", &hex[1..]),
            format!("t=1,v1={hex}0"),
            format!("t=1,v0={hex}"),
            format!("t=1,v1={hex}{}", ",".repeat(300)),
        ] {
            assert!(CallSignature::parse(&bad).is_none(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,120}") {
            let _ = CallSignature::parse(&text);
        }
    }
}
