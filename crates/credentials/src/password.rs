//! Passwords: the rule for choosing one, an estimate of its strength, and the
//! Argon2id hash that is stored.
//!
//! The stored value is a PHC string whose `keyid` names the key the pepper comes
//! from. Whether a password has been breached is not decided here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use crate::entropy::{self, Entropy};
use crate::keys::{InstanceKeys, Pepper};
use crate::secret::Secret;
use crate::stretch::{DIGEST_LEN, stretch};
pub use crate::stretch::{Parameters, keep_memory};

/// The fewest characters of a chosen password.
pub const LEAST_CHARACTERS: usize = 12;
/// The most characters of a chosen password.
pub const MOST_CHARACTERS: usize = 128;
/// The least [`Strength::score`] a chosen password needs.
pub const LEAST_SCORE: u8 = 2;
/// More bytes than this are not a password of anybody.
const MOST_TYPED_BYTES: usize = 4096;
const SALT_LEN: usize = 16;
/// Shorter parts of a name are in too many passwords by chance.
const LEAST_WORD: usize = 3;

/// A password in Unicode normalization form C, so that two keyboards agree.
#[derive(Clone, Debug)]
pub struct Password {
    text: Secret,
    /// Typed text too long to look at: hashed like any other, matches nothing.
    hopeless: bool,
}

/// Why a password cannot be chosen, as the sentence the form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordRefused {
    /// Fewer than 12 characters.
    #[error("A password needs at least 12 characters.")]
    TooShort,
    /// More than 128 characters.
    #[error("A password may have at most 128 characters.")]
    TooLong,
    /// It holds a tab, a line break or another control character.
    #[error("A password may not contain tabs, line breaks or other control characters.")]
    ControlCharacter,
}

impl Password {
    /// A new password, if it has 12 to 128 characters (Unicode scalar values
    /// after normalization) and no control character.
    pub fn chosen(text: &Secret) -> Result<Self, PasswordRefused> {
        if text.expose().len() > MOST_TYPED_BYTES {
            return Err(PasswordRefused::TooLong);
        }
        let text = normalized(text);
        if text.expose().chars().any(char::is_control) {
            return Err(PasswordRefused::ControlCharacter);
        }
        match text.expose().chars().count() {
            ..LEAST_CHARACTERS => Err(PasswordRefused::TooShort),
            LEAST_CHARACTERS..=MOST_CHARACTERS => Ok(Self { text, hopeless: false }),
            _ => Err(PasswordRefused::TooLong),
        }
    }

    /// A password as typed at sign-in. No rule applies, since older rules may
    /// have allowed it; above 4096 bytes it costs the same and never matches.
    pub fn typed(text: &Secret) -> Self {
        let hopeless = text.expose().len() > MOST_TYPED_BYTES;
        let text = if hopeless { Secret::new("") } else { normalized(text) };
        Self { text, hopeless }
    }

    /// The SHA-1 by which public lists of stolen passwords name it: only to look it up there, never to be kept.
    pub fn listed_as(&self) -> [u8; 20] {
        Sha1::digest(self.bytes()).into()
    }

    fn bytes(&self) -> &[u8] {
        self.text.expose().as_bytes()
    }
}

fn normalized(text: &Secret) -> Secret {
    // Room for the longest result: growing would leave copies behind unwiped.
    let mut out = String::with_capacity(text.expose().len() * 3);
    out.extend(text.expose().nfc());
    Secret::new(out)
}

/// What became of a typed password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is the password.
    Right {
        /// The stored value has other parameters or an older key's pepper than
        /// wanted: store a new hash while the password is at hand.
        outdated: bool,
    },
    /// It is not, or the stored value cannot be read.
    Wrong,
}

/// The value to store for a password: `$argon2id$v=19$m=…,t=…,p=…,keyid=…$salt$hash`.
///
/// A [`Password::typed`] of more than 4096 bytes gets a value nothing matches.
pub fn hash(password: &Password, parameters: Parameters, keys: &InstanceKeys, entropy: &dyn Entropy) -> String {
    if password.hopeless {
        return decoy(parameters, keys);
    }
    let pepper = keys.current_pepper();
    let parameters = parameters.within_limits();
    let salt: [u8; SALT_LEN] = entropy::bytes(entropy);
    let stored =
        Stored { parameters, key_id: pepper.key_id(), salt: salt.to_vec(), digest: stretch(password.bytes(), &salt, parameters, &pepper) };
    stored.to_text()
}

/// Tests a typed password against a stored value. Every call costs one hash: a
/// stored value that cannot be read costs one with the wanted parameters.
pub fn verify(password: &Password, stored: &str, keys: &InstanceKeys, wanted: Parameters) -> Verified {
    let wanted = wanted.within_limits();
    let current = keys.current_pepper();
    let known = Stored::parse(stored).and_then(|stored| keys.pepper(stored.key_id).map(|pepper| (stored, pepper)));
    let Some((stored, pepper)) = known else {
        spend(password, wanted, &current);
        return Verified::Wrong;
    };
    let digest = stretch(password.bytes(), &stored.salt, stored.parameters, &pepper);
    let same = bool::from(digest.ct_eq(&stored.digest));
    if same && !password.hopeless {
        Verified::Right { outdated: stored.parameters != wanted || stored.key_id != current.key_id() }
    } else {
        Verified::Wrong
    }
}

/// The cost of one hash and nothing else.
fn spend(password: &Password, parameters: Parameters, pepper: &Pepper) {
    let digest = stretch(password.bytes(), &[0; SALT_LEN], parameters, pepper);
    std::hint::black_box(digest);
}

/// A stored value for a name nobody has: testing it costs the same as a real
/// one, and no password matches. Making it costs nothing.
pub fn decoy(parameters: Parameters, keys: &InstanceKeys) -> String {
    let salt = keys.keyed_hash("password decoy salt", b"").digest;
    let digest = keys.keyed_hash("password decoy digest", b"").digest;
    let stored = Stored { parameters: parameters.within_limits(), key_id: keys.current_id(), salt: salt[..SALT_LEN].to_vec(), digest };
    stored.to_text()
}

struct Stored {
    parameters: Parameters,
    key_id: u32,
    salt: Vec<u8>,
    digest: [u8; DIGEST_LEN],
}

impl Stored {
    fn to_text(&self) -> String {
        let Parameters { memory_kib, passes, lanes } = self.parameters;
        format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes},keyid={}${}${}",
            BASE64.encode(self.key_id.to_be_bytes()),
            BASE64.encode(&self.salt),
            BASE64.encode(self.digest),
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$")?;
        let mut parts = rest.split('$');
        let (costs, salt, digest) = (parts.next()?, parts.next()?, parts.next()?);
        let mut costs = costs.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name);
        let parameters =
            Parameters { memory_kib: cost("m=")?.parse().ok()?, passes: cost("t=")?.parse().ok()?, lanes: cost("p=")?.parse().ok()? };
        let key_id = BASE64.decode(cost("keyid=")?).ok()?;
        let stored = Self {
            parameters,
            key_id: u32::from_be_bytes(key_id.try_into().ok()?),
            salt: BASE64.decode(salt).ok()?,
            digest: BASE64.decode(digest).ok()?.try_into().ok()?,
        };
        let sound =
            parts.next().is_none() && costs.next().is_none() && stored.salt.len() == SALT_LEN && parameters.within_limits() == parameters;
        sound.then_some(stored)
    }
}

/// How hard a password is to guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// 0 (guessed at once) to 4 (beyond guessing); [`LEAST_SCORE`] is needed.
    pub score: u8,
    /// What makes it weak, as a sentence.
    pub warning: Option<String>,
    /// What would make it stronger, as sentences.
    pub suggestions: Vec<String>,
}

/// Estimates a password by zxcvbn; `context` holds what an attacker would try
/// first: user name, display name, address, the index's own name. The words in
/// them count too.
pub fn strength(password: &Password, context: &[&str]) -> Strength {
    let words =
        context.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())).filter(|word| word.chars().count() >= LEAST_WORD);
    let context: Vec<&str> = context.iter().copied().chain(words).collect();
    let estimate = zxcvbn::zxcvbn(password.text.expose(), &context);
    let feedback = estimate.feedback();
    Strength {
        score: u8::from(estimate.score()),
        warning: feedback.and_then(|f| f.warning()).map(|w| w.to_string()),
        suggestions: feedback.map(|f| f.suggestions().iter().map(ToString::to_string).collect()).unwrap_or_default(),
    }
}
