//! Hashes one password a line of its input and says how many nanoseconds it took: `bench/hashing.py` drives it beside the C reference.

use std::io::{BufRead, Write};

use credentials::entropy::SystemEntropy;
use credentials::keys::InstanceKeys;
use credentials::password::{Parameters, Password, hash};
use credentials::secret::Secret;

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn main() -> std::io::Result<()> {
    let keys = InstanceKeys::generate(&SystemEntropy);
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let password = Password::typed(&Secret::new(line?));
        let began = std::time::Instant::now();
        let stored = hash(&password, Parameters::default(), &keys, &SystemEntropy);
        let took = began.elapsed().as_nanos();
        writeln!(out, "{took} {}", stored.len())?;
        out.flush()?;
    }
    Ok(())
}
