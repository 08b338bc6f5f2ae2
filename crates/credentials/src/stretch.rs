//! The one call of Argon2id, for passwords and recovery codes.

use std::cell::RefCell;

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::keys::Pepper;
use serde::{Deserialize, Serialize};

/// The length of every digest made here.
pub(crate) const DIGEST_LEN: usize = 32;

/// What one Argon2id hash costs.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes, which may run in parallel.
    pub lanes: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { memory_kib: 65_536, passes: 3, lanes: 1 }
    }
}

impl Parameters {
    const MOST_MEMORY_KIB: u32 = 1 << 20;
    const MOST_PASSES: u32 = 64;
    const MOST_LANES: u32 = 64;

    /// These parameters, moved into what Argon2 can do and one process may
    /// spend: 8 KiB a lane to 1 GiB, 1 to 64 passes, 1 to 64 lanes.
    pub(crate) fn within_limits(self) -> Self {
        let lanes = self.lanes.clamp(1, Self::MOST_LANES);
        Self { memory_kib: self.memory_kib.clamp(8 * lanes, Self::MOST_MEMORY_KIB), passes: self.passes.clamp(1, Self::MOST_PASSES), lanes }
    }
}

/// Argon2id version 19 of `input`, with the pepper as its secret.
///
/// # Source
/// RFC 9106 §3.
pub(crate) fn stretch(input: &[u8], salt: &[u8], parameters: Parameters, pepper: &Pepper) -> [u8; DIGEST_LEN] {
    argon2id(input, salt, parameters, pepper.expose())
}

fn argon2id(input: &[u8], salt: &[u8], parameters: Parameters, secret: &[u8]) -> [u8; DIGEST_LEN] {
    let Parameters { memory_kib, passes, lanes } = parameters.within_limits();
    let params = Params::new(memory_kib, passes, lanes, Some(DIGEST_LEN)).expect("parameters within our limits are within Argon2's");
    let argon2 =
        Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params).expect("a 32-byte secret is within Argon2's limit");
    let mut digest = [0; DIGEST_LEN];
    let done = KEPT.with_borrow_mut(|kept| match kept {
        Some(memory) => {
            let blocks = argon2.params().block_count();
            memory.resize(blocks.max(memory.len()), Block::new());
            let done = argon2.hash_password_into_with_memory(input, salt, &mut digest, &mut memory[..blocks]);
            // Nothing of a password outlives its hash.
            memory[..blocks].fill(Block::new());
            done
        }
        None => argon2.hash_password_into(input, salt, &mut digest),
    });
    done.expect("the salt is long enough and there is memory for one hash");
    digest
}

thread_local! {
    static KEPT: RefCell<Option<Vec<Block>>> = const { RefCell::new(None) };
}

/// Has this thread keep the memory of its hashes from now on, wiped after each, until it ends: as much as the largest needed.
///
/// For threads of the lowest priority. To take memory from the system and give it back locks the memory of the whole process, and who is
/// interrupted in the middle of that has every other thread wait until it is its turn again.
pub fn keep_memory() {
    KEPT.with_borrow_mut(|kept| {
        kept.get_or_insert_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vector {
        password: String,
        salt: String,
        secret: String,
        digest: String,
        #[serde(flatten)]
        parameters: Parameters,
    }

    /// Made by tests/vectors/make.py with argon2-cffi, half of them with a secret.
    #[test]
    fn digests_are_those_of_the_reference_implementation() {
        let text = include_str!("../tests/vectors/argon2.json");
        let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
        let bytes = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
        assert_eq!(vectors.iter().filter(|v| !v.secret.is_empty()).count(), 6);
        for vector in &vectors {
            let digest = argon2id(&bytes(&vector.password), &bytes(&vector.salt), vector.parameters, &bytes(&vector.secret));
            assert_eq!(HEXLOWER.encode(&digest), vector.digest);
        }
    }

    /// Memory that was used by a larger hash before, too.
    #[test]
    fn kept_memory_is_wiped_and_changes_no_digest() {
        let costs =
            [(64, 3, 1), (8, 1, 1), (256, 2, 4), (64, 3, 1)].map(|(memory_kib, passes, lanes)| Parameters { memory_kib, passes, lanes });
        let digests = || costs.map(|cost| argon2id(b"a password", b"some salt of it.", cost, b"a pepper"));
        let usual = digests();
        keep_memory();
        assert_eq!(digests(), usual);
        keep_memory();
        KEPT.with_borrow(|kept| {
            let memory = kept.as_ref().unwrap();
            assert_eq!(memory.len(), 256, "1 KiB each");
            assert!(memory.iter().all(|block| block.as_ref().iter().all(|&word| word == 0)));
        });
    }
}
