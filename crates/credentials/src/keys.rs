//! The key file of an instance: what seals, hashes and peppers its secrets.
//!
//! Each root key is used only through subkeys (HKDF-SHA256), one per purpose, and
//! everything made under a key carries that key's number, so that an instance
//! may put a new key first and still read what is older. Whoever holds the
//! database without this file can open nothing and guess nothing.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::entropy::{self, Entropy};
use crate::sealing::{SealKey, SealingKey};
use crate::secret::{Secret, SecretBytes};

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;
const SEAL_VERSION: u8 = 1;
/// Version byte and key number.
const SEAL_HEAD_LEN: usize = 5;
const FIRST_ID: u32 = 1;

type Subkey = Zeroizing<[u8; KEY_LEN]>;

/// The root keys of one instance; the first is current, the others only open
/// what was made under them.
#[derive(Clone)]
pub struct InstanceKeys {
    current: RootKey,
    older: Vec<RootKey>,
}

#[derive(Clone)]
struct RootKey {
    id: u32,
    bytes: Subkey,
}

/// Where a sealed value stands; it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The row's key.
    pub row: &'a [u8],
    /// The account that owns the row, empty for the instance itself.
    pub account: &'a [u8],
}

/// A hash that only the holder of the key file can make or test; test one by
/// [`InstanceKeys::check_keyed_hash`], not by `==`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyedHash {
    /// The number of the root key it was made under.
    pub key_id: u32,
    /// HMAC-SHA256 of the data.
    pub digest: [u8; 32],
}

/// What Argon2 mixes into every password besides its salt.
#[derive(Clone)]
pub struct Pepper {
    key_id: u32,
    bytes: Subkey,
}

/// Why a key file cannot be used; `line` counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyFileError {
    /// There is no `key` line.
    #[error("the key file holds no key: it needs a line `key NUMBER BASE64`")]
    Empty,
    /// The line is neither a comment nor `key NUMBER BASE64`.
    #[error("line {line} of the key file is not `key NUMBER BASE64`")]
    Line {
        /// The line.
        line: usize,
    },
    /// The key is not base64 of 32 bytes.
    #[error("the key in line {line} of the key file is not base64 of 32 bytes")]
    Key {
        /// The line.
        line: usize,
    },
    /// Two keys have the same number.
    #[error("line {line} of the key file repeats the key number {id}")]
    Repeated {
        /// The line of the second one.
        line: usize,
        /// The number.
        id: u32,
    },
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CannotOpen {
    /// It is not a sealed value of a version known here.
    #[error("this is not a sealed value")]
    Malformed,
    /// The key file has no key of this number.
    #[error("the key file has no key {0}")]
    UnknownKey(u32),
    /// It was changed, moved to another place, or sealed by another instance.
    #[error("the sealed value does not belong here or was changed")]
    NotAuthentic,
}

impl InstanceKeys {
    /// A new instance's keys: one, numbered 1.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        entropy.fill(&mut *bytes);
        Self { current: RootKey { id: FIRST_ID, bytes }, older: Vec::new() }
    }

    /// Reads a key file: `#` opens a comment line, every other line is
    /// `key NUMBER BASE64`, the current key first.
    pub fn parse(text: &Secret) -> Result<Self, KeyFileError> {
        let mut keys: Vec<RootKey> = Vec::new();
        for (at, line) in text.expose().lines().enumerate() {
            let (line_number, line) = (at + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = RootKey::parse(line, line_number)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(KeyFileError::Repeated { line: line_number, id: key.id });
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(KeyFileError::Empty);
        }
        let current = keys.remove(0);
        Ok(Self { current, older: keys })
    }

    /// The text of the key file.
    pub fn to_text(&self) -> Secret {
        let mut text = String::from(
            "# The keys of this instance. Without them nothing sealed opens and no\n\
             # password matches. Keep a copy apart from the database. The first is current.\n",
        );
        for key in self.all() {
            let bytes = Zeroizing::new(BASE64.encode(key.bytes.as_slice()));
            text.push_str(&format!("key {} {}\n", key.id, *bytes));
        }
        Secret::new(text)
    }

    /// The number of the key that new values are made under.
    pub fn current_id(&self) -> u32 {
        self.current.id
    }

    /// Encrypts `plain` so that it opens only in `place` and only here
    /// (XChaCha20-Poly1305; version byte, key number, nonce, ciphertext).
    pub fn seal(&self, entropy: &dyn Entropy, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        let mut sealed = vec![SEAL_VERSION];
        sealed.extend_from_slice(&self.current.id.to_be_bytes());
        let nonce: [u8; NONCE_LEN] = entropy::bytes(entropy);
        let aad = place.bind(&sealed);
        let payload = Payload { msg: plain, aad: &aad };
        let ciphertext = self
            .current
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a value that fits in memory is far below the cipher's limit");
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Decrypts what [`InstanceKeys::seal`] made for the same place.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<SecretBytes, CannotOpen> {
        let (head, rest) = sealed.split_first_chunk::<SEAL_HEAD_LEN>().ok_or(CannotOpen::Malformed)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>().ok_or(CannotOpen::Malformed)?;
        let [SEAL_VERSION, id @ ..] = *head else {
            return Err(CannotOpen::Malformed);
        };
        let id = u32::from_be_bytes(id);
        let key = self.named(id).ok_or(CannotOpen::UnknownKey(id))?;
        let aad = place.bind(head);
        let payload = Payload { msg: ciphertext, aad: &aad };
        key.cipher().decrypt(&XNonce::from(*nonce), payload).map(SecretBytes::new).map_err(|_| CannotOpen::NotAuthentic)
    }

    /// HMAC-SHA256 of `data` under the current key; another `purpose` gives an
    /// unrelated hash.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> KeyedHash {
        KeyedHash { key_id: self.current.id, digest: self.current.mac(purpose, data) }
    }

    /// Whether `expected` is the hash of `data`, under the key that made it; in
    /// constant time, and never for a key this file does not hold.
    pub fn check_keyed_hash(&self, purpose: &str, data: &[u8], expected: &KeyedHash) -> bool {
        self.named(expected.key_id).is_some_and(|key| key.mac(purpose, data).ct_eq(&expected.digest).into())
    }

    /// The pepper that belongs to a key number, if the file holds that key.
    pub fn pepper(&self, key_id: u32) -> Option<Pepper> {
        self.named(key_id).map(RootKey::pepper)
    }

    /// The pepper of new passwords.
    pub fn current_pepper(&self) -> Pepper {
        self.current.pepper()
    }

    /// The key that signs the seals of the audit trail, derived from the current
    /// root key.
    pub fn sealing_key(&self) -> SealingKey {
        self.current.sealing()
    }

    /// The public half of the key that signed under a key number, if the file
    /// holds that key.
    pub fn seal_key(&self, key_id: u32) -> Option<SealKey> {
        self.named(key_id).map(|key| key.sealing().public())
    }

    /// The public halves of all keys of the file, the current first.
    pub fn seal_keys(&self) -> Vec<SealKey> {
        self.all().map(|key| key.sealing().public()).collect()
    }

    fn all(&self) -> impl Iterator<Item = &RootKey> {
        std::iter::once(&self.current).chain(&self.older)
    }

    fn named(&self, id: u32) -> Option<&RootKey> {
        self.all().find(|key| key.id == id)
    }
}

impl fmt::Debug for InstanceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<u32> = self.all().map(|key| key.id).collect();
        f.debug_struct("InstanceKeys").field("ids", &ids).finish()
    }
}

impl RootKey {
    fn parse(line: &str, line_number: usize) -> Result<Self, KeyFileError> {
        let mut words = line.split_ascii_whitespace();
        let (Some("key"), Some(id), Some(text), None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err(KeyFileError::Line { line: line_number });
        };
        let id = id.parse().map_err(|_| KeyFileError::Line { line: line_number })?;
        let refused = KeyFileError::Key { line: line_number };
        let decoded = Zeroizing::new(BASE64.decode(text).map_err(|_| refused)?);
        let bytes = <[u8; KEY_LEN]>::try_from(decoded.as_slice()).map_err(|_| refused)?;
        Ok(Self { id, bytes: Zeroizing::new(bytes) })
    }

    fn subkey(&self, purpose: &[&[u8]]) -> Subkey {
        let mut out = Zeroizing::new([0; KEY_LEN]);
        Hkdf::<Sha256>::new(Some(b"strongroom"), &*self.bytes)
            .expand_multi_info(purpose, &mut *out)
            .expect("32 bytes are within what HKDF can give");
        out
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new_from_slice(&*self.subkey(&[b"seal"])).expect("a subkey has the length of the cipher's key")
    }

    fn mac(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        let key = self.subkey(&[b"keyed-hash:", purpose.as_bytes()]);
        let mut mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes a key of any length");
        mac.update(data);
        mac.finalize().into_bytes().into()
    }

    fn sealing(&self) -> SealingKey {
        SealingKey::from_seed(self.id, &self.subkey(&[b"seal-events"]))
    }

    fn pepper(&self) -> Pepper {
        Pepper { key_id: self.id, bytes: self.subkey(&[b"pepper"]) }
    }
}

impl Place<'_> {
    /// The data a seal is bound to: its head and the parts of its place, each
    /// with its length, so that no two places read the same.
    fn bind(&self, head: &[u8]) -> Vec<u8> {
        let mut bound = Vec::new();
        for part in [head, self.table.as_bytes(), self.row, self.account] {
            bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bound.extend_from_slice(part);
        }
        bound
    }
}

impl KeyedHash {
    /// Key number (4 bytes, big-endian) and digest (32 bytes), as stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.key_id.to_be_bytes()[..], &self.digest].concat()
    }

    /// Reads [`KeyedHash::to_bytes`] back; `None` unless it is 36 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, digest) = bytes.split_first_chunk::<4>()?;
        Some(Self { key_id: u32::from_be_bytes(*id), digest: digest.try_into().ok()? })
    }
}

impl Pepper {
    /// The number of the key it comes from.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &*self.bytes
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
