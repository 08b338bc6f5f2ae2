//! Choosing, hashing and testing passwords.

use credentials::entropy::SeededEntropy;
use credentials::keys::InstanceKeys;
use credentials::password::{LEAST_SCORE, Parameters, Password, PasswordRefused, Verified, decoy, hash, strength, verify};
use credentials::secret::Secret;
use proptest::prelude::*;
use std::time::{Duration, Instant};

use crate::{CHEAP, keys, with_new_key};

const TEXT: &str = "correct horse battery";
const RIGHT: Verified = Verified::Right { outdated: false };
const OUTDATED: Verified = Verified::Right { outdated: true };

fn typed(text: &str) -> Password {
    Password::typed(&Secret::new(text))
}

fn chosen(text: &str) -> Result<Password, PasswordRefused> {
    Password::chosen(&Secret::new(text))
}

fn stored(text: &str, keys: &InstanceKeys) -> String {
    hash(&typed(text), CHEAP, keys, &SeededEntropy::new(9))
}

fn tried(text: &str, stored: &str, keys: &InstanceKeys) -> Verified {
    verify(&typed(text), stored, keys, CHEAP)
}

/// ASVS-6.2.1, ASVS-6.2.9, NIST-P2.
#[test]
fn a_chosen_password_has_12_to_128_characters() {
    assert_eq!(chosen(&"a".repeat(11)).unwrap_err(), PasswordRefused::TooShort);
    assert!(chosen(&"a".repeat(12)).is_ok());
    assert!(chosen(&"a".repeat(128)).is_ok());
    assert_eq!(chosen(&"a".repeat(129)).unwrap_err(), PasswordRefused::TooLong);
    assert_eq!(chosen(&"a".repeat(1 << 20)).unwrap_err(), PasswordRefused::TooLong);
    assert_eq!(chosen("").unwrap_err(), PasswordRefused::TooShort);
}

/// NIST-P3.
#[test]
fn characters_are_counted_after_normalization() {
    assert!(chosen(&"🔑".repeat(12)).is_ok());
    assert!(chosen(&"🔑".repeat(128)).is_ok());
    // Letter and accent, twelve code points: six characters.
    assert_eq!(chosen(&"e\u{301}".repeat(6)).unwrap_err(), PasswordRefused::TooShort);
    assert!(chosen(&"e\u{301}".repeat(128)).is_ok());
}

#[test]
fn a_control_character_cannot_be_chosen() {
    for control in ['\0', '\t', '\n', '\r', '\u{7f}', '\u{85}'] {
        let refused = chosen(&format!("{TEXT}{control}")).unwrap_err();
        assert_eq!(refused, PasswordRefused::ControlCharacter, "{control:?}");
    }
}

#[test]
fn a_refusal_says_the_rule() {
    assert_eq!(PasswordRefused::TooShort.to_string(), "A password needs at least 12 characters.");
}

/// ASVS-6.2.8, NIST-P7.
#[test]
fn the_password_is_right_and_its_neighbours_are_wrong() {
    let keys = keys(1);
    let stored = stored(TEXT, &keys);
    assert_eq!(tried(TEXT, &stored, &keys), RIGHT);
    for wrong in ["", "correct horse batterY", "correct horse batter", "correct horse battery "] {
        assert_eq!(tried(wrong, &stored, &keys), Verified::Wrong, "{wrong:?}");
    }
}

#[test]
fn composed_and_decomposed_spellings_are_one_password() {
    let keys = keys(1);
    let stored = stored("caf\u{e9} con leche", &keys);
    assert_eq!(tried("cafe\u{301} con leche", &stored, &keys), RIGHT);
    assert_eq!(tried("cafe con leche", &stored, &keys), Verified::Wrong);
}

/// NIST-P11, NIST-P12.
#[test]
fn the_stored_value_is_a_phc_string_that_names_its_key() {
    let text = stored(TEXT, &keys(1));
    assert!(text.starts_with("$argon2id$v=19$m=8,t=1,p=1,keyid=AAAAAQ$"), "{text}");
    assert_eq!(text.split('$').count(), 6);
    assert!(!text.contains("correct"));
}

#[test]
fn two_hashes_of_one_password_differ() {
    let (keys, entropy) = (keys(1), SeededEntropy::new(9));
    let password = typed(TEXT);
    assert_ne!(hash(&password, CHEAP, &keys, &entropy), hash(&password, CHEAP, &keys, &entropy));
}

/// NIST-P12.
#[test]
fn without_its_key_file_a_stored_value_matches_nothing() {
    let stored = stored(TEXT, &keys(1));
    assert_eq!(tried(TEXT, &stored, &keys(2)), Verified::Wrong);
}

#[test]
fn an_older_key_still_matches_and_is_outdated() {
    let old = keys(1);
    let both = with_new_key(&old);
    assert_eq!(tried(TEXT, &stored(TEXT, &old), &both), OUTDATED);
    let of_both = stored(TEXT, &both);
    assert_eq!(tried(TEXT, &of_both, &both), RIGHT);
    assert_eq!(tried(TEXT, &of_both, &old), Verified::Wrong);
}

#[test]
fn other_parameters_still_match_and_are_outdated() {
    let keys = keys(1);
    let stored = stored(TEXT, &keys);
    for wanted in
        [Parameters { memory_kib: 16, ..CHEAP }, Parameters { passes: 2, ..CHEAP }, Parameters { lanes: 2, memory_kib: 16, ..CHEAP }]
    {
        assert_eq!(verify(&typed(TEXT), &stored, &keys, wanted), OUTDATED, "{wanted:?}");
        assert_eq!(verify(&typed("x"), &stored, &keys, wanted), Verified::Wrong);
    }
}

#[test]
fn parameters_beyond_argon2_are_moved_to_its_limits_and_stay_there() {
    let keys = keys(1);
    let none = Parameters { memory_kib: 0, passes: 0, lanes: 0 };
    let stored = hash(&typed(TEXT), none, &keys, &SeededEntropy::new(9));
    assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1,"), "{stored}");
    assert_eq!(verify(&typed(TEXT), &stored, &keys, none), RIGHT);
}

#[test]
fn the_default_is_64_mib_3_passes_1_lane() {
    let expected = Parameters { memory_kib: 65_536, passes: 3, lanes: 1 };
    assert_eq!(Parameters::default(), expected);
}

#[test]
fn a_stored_value_of_another_form_matches_nothing() {
    let keys = keys(1);
    let good = stored(TEXT, &keys);
    let unpeppered = good.replace(",keyid=AAAAAQ", "");
    for bad in [
        "",
        "x",
        "$",
        TEXT,
        &unpeppered,
        &good.replace("argon2id", "argon2i"),
        &good.replace("v=19", "v=16"),
        &good.replace("m=8", "m=7"),
        &good.replace("m=8", "m=4294967295"),
        &good.replace("t=1", "t=0"),
        &good.replace("p=1", "p=1,data=AAAA"),
        &good.replace("AAAAAQ", "AAAAAQAA"),
        &format!("{good}$"),
        &format!("{good}A"),
        &good[..good.len() - 1],
    ] {
        assert_ne!(bad, good);
        assert_eq!(tried(TEXT, bad, &keys), Verified::Wrong, "{bad:?}");
    }
}

#[test]
fn no_password_matches_a_decoy() {
    let keys = keys(1);
    let decoy = decoy(CHEAP, &keys);
    for text in ["", TEXT, "decoy", &decoy] {
        assert_eq!(tried(text, &decoy, &keys), Verified::Wrong);
    }
}

#[test]
fn a_decoy_has_the_form_of_a_real_value() {
    let keys = keys(1);
    let (decoy, real) = (decoy(CHEAP, &keys), stored(TEXT, &keys));
    assert_eq!(decoy.len(), real.len());
    assert_eq!(decoy.rsplitn(3, '$').last(), real.rsplitn(3, '$').last());
}

#[test]
fn too_long_typed_text_matches_nothing_not_even_itself() {
    let keys = keys(1);
    let long = "a".repeat(4097);
    assert_eq!(tried(&long, &stored(&long, &keys), &keys), Verified::Wrong);
    assert_eq!(tried(&long, &stored("", &keys), &keys), Verified::Wrong);
    assert_eq!(tried("", &stored(&long, &keys), &keys), Verified::Wrong);
    let longest = "a".repeat(4096);
    assert_eq!(tried(&longest, &stored(&longest, &keys), &keys), RIGHT);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is measured is the work itself, with a factor of twenty to spare")]
fn every_refusal_costs_a_whole_hash() {
    // 16 MiB is thousands of times the work of reading a string: a factor of 20
    // tells them apart on the busiest machine.
    let wanted = Parameters { memory_kib: 16_384, passes: 2, lanes: 1 };
    let keys = keys(1);
    let real = hash(&typed(TEXT), wanted, &keys, &SeededEntropy::new(9));
    let other = real.replace("AAAAAQ", "AAAABw");
    let long = "a".repeat(5000);
    let cost = |text: &str, stored: &str| -> Duration {
        let fastest = (0..3).map(|_| {
            let start = Instant::now();
            assert_eq!(verify(&typed(text), stored, &keys, wanted), Verified::Wrong);
            start.elapsed()
        });
        fastest.min().unwrap()
    };
    let honest = cost("wrong", &real);
    for (text, stored) in [("wrong", decoy(wanted, &keys).as_str()), ("wrong", "not a stored value"), ("wrong", &other), (&long, &real)] {
        let spent = cost(text, stored);
        assert!(spent * 20 > honest, "{spent:?} for {stored}, {honest:?} for a real one");
    }
}

/// ASVS-6.1.2, ASVS-6.2.4, ASVS-6.2.11.
#[test]
fn common_and_personal_passwords_are_weak() {
    for (text, context) in [
        ("password1234", &[][..]),
        ("aaaaaaaaaaaaaa", &[]),
        ("ada.lovelace@example.org", &["ada.lovelace@example.org"]),
        ("analyticalengine", &["analyticalengine@example.org"]),
    ] {
        let strength = strength(&chosen(text).unwrap(), context);
        assert!(strength.score < LEAST_SCORE, "{text}: {strength:?}");
        assert!(!strength.suggestions.is_empty() || strength.warning.is_some());
    }
}

/// ASVS-6.2.5, NIST-P4.
#[test]
fn random_words_are_strong_enough() {
    let strength = strength(&chosen("gravel tuba mosaic orbit").unwrap(), &["ada"]);
    assert!(strength.score >= LEAST_SCORE);
    assert_eq!(strength.warning, None);
}

#[test]
fn debug_does_not_show_a_password() {
    assert!(!format!("{:?}", typed(TEXT)).contains("horse"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_judged_without_panic(text in "\\PC{0,40}", stored in "\\$argon2id\\$v=19\\$m=[0-9]{1,2},t=[0-9],p=[0-9],keyid=[A-Z]{6}\\$[A-Za-z]{21,23}\\$[A-Za-z]{42,44}") {
        let _ = chosen(&text);
        prop_assert_eq!(tried(&text, &stored, &keys(1)), Verified::Wrong);
    }

    #[test]
    fn only_the_same_password_matches(one in "[ab]{1,3}", other in "[ab]{1,3}") {
        let keys = keys(1);
        let matches = tried(&other, &stored(&one, &keys), &keys) == RIGHT;
        prop_assert_eq!(matches, one == other);
    }
}
