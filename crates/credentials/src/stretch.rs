//! The one call of Argon2id, for passwords and recovery codes.

use argon2::{Algorithm, Argon2, Params, Version};

use crate::keys::Pepper;
use crate::password::Parameters;

/// The length of every digest made here.
pub(crate) const DIGEST_LEN: usize = 32;

/// Argon2id version 19 of `input`, with the pepper as its secret.
///
/// # Source
/// RFC 9106 §3.
pub(crate) fn stretch(
    input: &[u8],
    salt: &[u8],
    parameters: Parameters,
    pepper: &Pepper,
) -> [u8; DIGEST_LEN] {
    argon2id(input, salt, parameters, pepper.expose())
}

fn argon2id(input: &[u8], salt: &[u8], parameters: Parameters, secret: &[u8]) -> [u8; DIGEST_LEN] {
    let Parameters {
        memory_kib,
        passes,
        lanes,
    } = parameters.within_limits();
    let params = Params::new(memory_kib, passes, lanes, Some(DIGEST_LEN))
        .expect("parameters within our limits are within Argon2's");
    let argon2 = Argon2::new_with_secret(secret, Algorithm::Argon2id, Version::V0x13, params)
        .expect("a 32-byte secret is within Argon2's limit");
    let mut digest = [0; DIGEST_LEN];
    argon2
        .hash_password_into(input, salt, &mut digest)
        .expect("the salt is long enough and there is memory for one hash");
    digest
}
