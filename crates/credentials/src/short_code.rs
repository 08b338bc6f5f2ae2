//! Six-digit codes sent to a mailbox.
//!
//! They are weak: store them only as a keyed hash, and count the tries.

use crate::entropy::{self, Entropy};
use crate::secret::Secret;

const CODES: u32 = 1_000_000;
const DIGITS: usize = 6;
/// The first draw above the last whole million: those would favour low codes.
const UNFAIR_FROM: u32 = u32::MAX - u32::MAX % CODES;

/// A code of six digits, all equally likely.
pub fn generate(entropy: &dyn Entropy) -> Secret {
    loop {
        let draw = u32::from_be_bytes(entropy::bytes(entropy));
        if draw < UNFAIR_FROM {
            return Secret::new(format!("{:06}", draw % CODES));
        }
    }
}

/// A typed code as its six digits, spaces and hyphens removed; `None` when it
/// cannot be a code.
pub fn normalize(typed: &str) -> Option<String> {
    let mut digits = String::with_capacity(DIGITS);
    for character in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        if !character.is_ascii_digit() || digits.len() == DIGITS {
            return None;
        }
        digits.push(character);
    }
    (digits.len() == DIGITS).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;
    use std::sync::Mutex;

    /// Gives the queued words, one a call.
    struct Words(Mutex<Vec<u32>>);

    impl Entropy for Words {
        fn fill(&self, out: &mut [u8]) {
            let word = self.0.lock().unwrap().remove(0);
            out.copy_from_slice(&word.to_be_bytes());
        }
    }

    fn code_of(words: &[u32]) -> String {
        generate(&Words(Mutex::new(words.to_vec()))).expose().to_owned()
    }

    #[test]
    fn leading_zeros_stay() {
        assert_eq!(code_of(&[42]), "000042");
        assert_eq!(code_of(&[0]), "000000");
    }

    #[test]
    fn a_draw_that_would_favour_low_codes_is_drawn_again() {
        assert_eq!(code_of(&[4_294_000_000, 7]), "000007");
        assert_eq!(code_of(&[u32::MAX, 7]), "000007");
        assert_eq!(code_of(&[4_293_999_999, 7]), "999999");
    }

    /// ASVS-6.5.3, ASVS-6.5.4.
    #[test]
    fn every_digit_comes_about_equally_often_in_every_place() {
        let entropy = SeededEntropy::new(6);
        let mut seen = [[0u32; 10]; DIGITS];
        for _ in 0..6000 {
            for (place, digit) in generate(&entropy).expose().bytes().enumerate() {
                seen[place][usize::from(digit - b'0')] += 1;
            }
        }
        assert!(seen.iter().flatten().all(|n| (480..720).contains(n)), "{seen:?}");
    }

    #[test]
    fn spaces_and_hyphens_do_not_count() {
        assert_eq!(normalize(" 123 456\n").as_deref(), Some("123456"));
        assert_eq!(normalize("012-345").as_deref(), Some("012345"));
    }

    #[test]
    fn anything_but_six_ascii_digits_is_no_code() {
        for typed in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "+12345", "12.345"] {
            assert_eq!(normalize(typed), None, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn normalizing_never_panics_and_gives_six_digits_or_nothing(typed in ".{0,40}") {
            if let Some(code) = normalize(&typed) {
                prop_assert_eq!(code.len(), 6);
                prop_assert!(code.bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }
}
