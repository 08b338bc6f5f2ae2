//! Randomness as an argument: the operating system's, or a seeded stream.

use std::sync::{Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};

/// A source of random bytes fit for keys and tokens.
pub trait Entropy: Send + Sync {
    /// Overwrites all of `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's random source, the only global one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        SysRng.try_fill_bytes(out).expect("a system without a random source cannot run an index");
    }
}

/// A ChaCha stream that repeats for the same seed; for tests only.
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// The stream that belongs to `seed`, at its start.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.fill_bytes(out);
    }
}

/// `N` fresh random bytes.
pub(crate) fn bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut out = [0; N];
    entropy.fill(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_stream_and_another_seed_does_not() {
        let (one, same, other) = (SeededEntropy::new(1), SeededEntropy::new(1), SeededEntropy::new(2));
        let first: [u8; 32] = bytes(&one);
        assert_eq!(first, bytes::<32>(&same));
        assert_ne!(first, bytes::<32>(&other));
        assert_ne!(first, bytes::<32>(&one), "the stream moves on");
    }

    #[test]
    fn the_system_never_gives_the_same_bytes_twice() {
        let (first, second): ([u8; 32], [u8; 32]) = (bytes(&SystemEntropy), bytes(&SystemEntropy));
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }
}
