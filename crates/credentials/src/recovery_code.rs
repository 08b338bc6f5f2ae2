//! Recovery codes: eight of 80 bits, each good once, stored as digests.
//!
//! A set shares one salt, so that a guess costs one hash and not eight. The
//! salt also says which key's pepper the digests were made with: it is opaque
//! to everybody else.

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::entropy::{self, Entropy};
use crate::keys::{InstanceKeys, Pepper};
use crate::secret::Secret;
use crate::stretch::Parameters;
use crate::stretch::stretch;

/// How many codes a set has.
pub const CODES: usize = 8;
/// What one guess costs when nothing else is configured.
pub const PARAMETERS: Parameters = Parameters { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
const CODE_BYTES: usize = 10;
const CODE_CHARACTERS: usize = 16;
const SALT_LEN: usize = 16;
/// Number of the key, then the random salt.
const STORED_SALT_LEN: usize = 4 + SALT_LEN;

/// A new set: show the texts once, store the salt and the digests.
#[derive(Clone, Debug)]
pub struct RecoverySet {
    /// Goes back into [`digest`] as it is.
    pub salt: Vec<u8>,
    /// Eight different codes.
    pub codes: Vec<RecoveryCode>,
}

/// One code of a set.
#[derive(Clone, Debug)]
pub struct RecoveryCode {
    /// `xxxx-xxxx-xxxx-xxxx`, lower-case base32; never stored.
    pub text: Secret,
    /// What is stored.
    pub digest: [u8; 32],
}

/// A new set under the current key's pepper. Costs eight hashes.
pub fn generate(keys: &InstanceKeys, entropy: &dyn Entropy, parameters: Parameters) -> RecoverySet {
    let pepper = keys.current_pepper();
    let mut salt = pepper.key_id().to_be_bytes().to_vec();
    salt.extend_from_slice(&entropy::bytes::<SALT_LEN>(entropy));
    let codes = (0..CODES)
        .map(|_| {
            let code = Zeroizing::new(entropy::bytes::<CODE_BYTES>(entropy));
            RecoveryCode { text: written(&code), digest: stretch(&*code, &salt, parameters, &pepper) }
        })
        .collect();
    RecoverySet { salt, codes }
}

/// The digest of a typed code, to look up in its set; case, spaces and dashes do
/// not count. Costs one hash, with the `parameters` the set was made with: under
/// others no code is found.
///
/// `None` when the text cannot be a code or the key file no longer holds the
/// key of this salt.
pub fn digest(typed: &str, salt: &[u8], keys: &InstanceKeys, parameters: Parameters) -> Option<[u8; 32]> {
    let pepper = pepper_of(salt, keys)?;
    let code = read(typed)?;
    Some(stretch(&*code, salt, parameters, &pepper))
}

fn pepper_of(salt: &[u8], keys: &InstanceKeys) -> Option<Pepper> {
    if salt.len() != STORED_SALT_LEN {
        return None;
    }
    let (id, _) = salt.split_first_chunk::<4>()?;
    keys.pepper(u32::from_be_bytes(*id))
}

fn written(code: &[u8; CODE_BYTES]) -> Secret {
    let characters = Zeroizing::new(BASE32_NOPAD.encode(code).to_ascii_lowercase());
    let mut text = String::with_capacity(CODE_CHARACTERS + 3);
    for (at, character) in characters.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        text.push(character);
    }
    Secret::new(text)
}

fn read(typed: &str) -> Option<Zeroizing<[u8; CODE_BYTES]>> {
    let mut characters = Zeroizing::new(String::with_capacity(CODE_CHARACTERS));
    for character in typed.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)) {
        if !character.is_ascii() || characters.len() == CODE_CHARACTERS {
            return None;
        }
        characters.push(character.to_ascii_uppercase());
    }
    let code = Zeroizing::new(BASE32_NOPAD.decode(characters.as_bytes()).ok()?);
    Some(Zeroizing::new(code.as_slice().try_into().ok()?))
}

/// The hyphen of the keyboard and the dashes that word processors make of it.
fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}
