//! What the crate promises, tried through its public functions.

mod caveat;
mod keys;
mod macaroon;
mod password;
mod recovery_code;
mod totp;

use credentials::entropy::SeededEntropy;
use credentials::keys::InstanceKeys;
use credentials::password::Parameters;
use credentials::secret::Secret;

/// As little work as Argon2 allows.
const CHEAP: Parameters = Parameters { memory_kib: 8, passes: 1, lanes: 1 };

fn keys(seed: u64) -> InstanceKeys {
    InstanceKeys::generate(&SeededEntropy::new(seed))
}

/// `old`, with a new current key 2 before its own.
fn with_new_key(old: &InstanceKeys) -> InstanceKeys {
    let new = "key 2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    let text = format!("{new}{}", old.to_text().expose());
    InstanceKeys::parse(&Secret::new(text)).unwrap()
}
