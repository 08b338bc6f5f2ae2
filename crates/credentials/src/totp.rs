//! Time-based one-time codes: SHA-1, 6 digits, 30 seconds, as every
//! authenticator application makes them.
//!
//! [`check`] looks one step around now and knows which step was used last, so a
//! code works once. Codes of a clock that is minutes off are recognized, to say
//! so, and refused.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use crate::entropy::Entropy;
use crate::secret::{Secret, SecretBytes};

/// Seconds in a step.
pub const STEP_S: i64 = 30;
const SECRET_LEN: usize = 20;
const DIGITS: usize = 6;
/// Steps around now that are accepted.
const WINDOW: i64 = 1;
/// Steps around now that are recognized.
const DRIFT: i64 = 10;

/// The secret an authenticator application shares with us, 20 bytes.
#[derive(Clone, Debug)]
pub struct TotpSecret(SecretBytes);

impl TotpSecret {
    /// A new secret.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = vec![0; SECRET_LEN];
        entropy.fill(&mut bytes);
        Self(SecretBytes::new(bytes))
    }

    /// A stored secret; `None` unless it is 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == SECRET_LEN).then(|| Self(SecretBytes::new(bytes.to_vec())))
    }

    /// The bytes to seal and store.
    pub fn to_bytes(&self) -> SecretBytes {
        self.0.clone()
    }

    /// The secret as a person types it into an application: 32 upper-case
    /// base32 characters.
    pub fn base32(&self) -> Secret {
        Secret::new(BASE32_NOPAD.encode(self.0.expose()))
    }

    /// The `otpauth:` address that the QR code shows.
    pub fn otpauth_url(&self, issuer: &str, account: &str) -> Secret {
        let (issuer, account) = (percent_encoded(issuer), percent_encoded(account));
        Secret::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}",
            self.base32().expose(),
        ))
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`; applications
/// disagree about `+`, so a space is `%20`.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What became of a typed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotpVerdict {
    /// It is right: store `step` as the last one, atomically.
    Accepted {
        /// The step it belongs to.
        step: i64,
    },
    /// It was right once: its step is the last used one or older.
    Replayed,
    /// It belongs to another time: the device's clock is wrong. Refused.
    Drifted {
        /// 2 to 10 steps; positive when the device's clock is ahead.
        steps: i64,
    },
    /// It is not a code of this secret around now.
    Wrong,
}

/// Judges a typed code at `now_s` (seconds since 1970, UTC); `last_step` is the
/// step accepted last, if any. Whitespace is removed first.
pub fn check(secret: &TotpSecret, typed: &str, now_s: i64, last_step: Option<i64>) -> TotpVerdict {
    let Some(typed) = six_digits(typed) else {
        return TotpVerdict::Wrong;
    };
    let now = now_s.div_euclid(STEP_S);
    // All steps are compared whatever matched before: how long it takes must
    // not tell which.
    let matching: Vec<i64> = nearest_first()
        .filter(|offset| {
            let code = code_at(secret, now.saturating_add(*offset));
            code.as_bytes().ct_eq(&typed).into()
        })
        .collect();
    let used = |offset: i64| last_step.is_some_and(|last| now.saturating_add(offset) <= last);
    let fresh = matching.iter().copied().find(|offset| !used(*offset));
    match fresh {
        Some(offset) if offset.abs() <= WINDOW => TotpVerdict::Accepted { step: now + offset },
        _ if matching.iter().any(|offset| used(*offset)) => TotpVerdict::Replayed,
        Some(steps) => TotpVerdict::Drifted { steps },
        None => TotpVerdict::Wrong,
    }
}

fn nearest_first() -> impl Iterator<Item = i64> {
    std::iter::once(0).chain((1..=DRIFT).flat_map(|distance| [-distance, distance]))
}

fn six_digits(typed: &str) -> Option<[u8; DIGITS]> {
    let mut digits = [0; DIGITS];
    let mut count = 0;
    for character in typed.chars().filter(|c| !c.is_whitespace()) {
        let digit = u8::try_from(character).ok().filter(u8::is_ascii_digit)?;
        *digits.get_mut(count)? = digit;
        count += 1;
    }
    (count == DIGITS).then_some(digits)
}

/// The code of one step (30 seconds since 1970), 6 digits.
///
/// # Source
/// RFC 6238 §4.2, RFC 4226 §5.3.
pub fn code_at(secret: &TotpSecret, step: i64) -> String {
    format!("{:06}", truncated(secret.0.expose(), step) % 1_000_000)
}

fn truncated(key: &[u8], step: i64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(&step.to_be_bytes());
    let digest: [u8; 20] = mac.finalize().into_bytes().into();
    let at = usize::from(digest[19] & 0x0f);
    let word = [digest[at], digest[at + 1], digest[at + 2], digest[at + 3]];
    u32::from_be_bytes(word) & 0x7fff_ffff
}
