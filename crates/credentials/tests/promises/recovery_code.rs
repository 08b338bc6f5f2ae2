//! Recovery codes: their form, what counts when typed, what they are bound to.

use std::collections::HashSet;

use credentials::entropy::SeededEntropy;
use credentials::recovery_code::{PARAMETERS, RecoverySet, digest, generate};
use proptest::prelude::*;

use crate::{CHEAP, keys, with_new_key};

fn set() -> RecoverySet {
    generate(&keys(1), &SeededEntropy::new(5), CHEAP)
}

/// ASVS-6.5.3, ASVS-6.5.4, NIST-L1.
#[test]
fn a_set_is_eight_different_codes_of_four_groups() {
    let set = set();
    let texts: HashSet<&str> = set.codes.iter().map(|code| code.text.expose()).collect();
    let digests: HashSet<[u8; 32]> = set.codes.iter().map(|code| code.digest).collect();
    assert_eq!((set.codes.len(), texts.len(), digests.len()), (8, 8, 8));
    for text in texts {
        let groups: Vec<&str> = text.split('-').collect();
        assert_eq!(groups.len(), 4, "{text}");
        assert!(
            groups.iter().all(|group| { group.len() == 4 && group.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)) })
        );
    }
}

#[test]
fn a_typed_code_finds_its_digest_and_no_other() {
    let set = set();
    for (at, code) in set.codes.iter().enumerate() {
        let found = digest(code.text.expose(), &set.salt, &keys(1), CHEAP).unwrap();
        let place = set.codes.iter().position(|other| other.digest == found);
        assert_eq!(place, Some(at));
    }
}

#[test]
fn case_spaces_and_dashes_do_not_count() {
    let set = set();
    let text = set.codes[0].text.expose();
    for typed in
        [text.to_uppercase(), text.replace('-', ""), text.replace('-', " "), text.replace('-', "\u{2013}"), format!("\t{text}\r\n")]
    {
        let found = digest(&typed, &set.salt, &keys(1), CHEAP);
        assert_eq!(found, Some(set.codes[0].digest), "{typed:?}");
    }
}

#[test]
fn what_cannot_be_a_code_has_no_digest() {
    let set = set();
    let text = set.codes[0].text.expose().to_owned();
    for typed in [
        String::new(),
        "-".into(),
        text[..18].into(),
        format!("{text}a"),
        format!("{text}-aaaa"),
        text.replace('-', "_"),
        "0000-1111-8888-9999".into(),
        "aaaa-aaaa-aaaa-aaa\u{e9}".into(),
        "\u{212a}aaa-aaaa-aaaa-aaaa".into(),
        "aaaaaaaaaaaaaaa=".into(),
    ] {
        assert_eq!(digest(&typed, &set.salt, &keys(1), CHEAP), None, "{typed:?}");
    }
}

#[test]
fn a_code_is_worth_nothing_in_another_set() {
    let (one, other) = (set(), generate(&keys(1), &SeededEntropy::new(6), CHEAP));
    assert_ne!(one.salt, other.salt);
    let found = digest(one.codes[0].text.expose(), &other.salt, &keys(1), CHEAP).unwrap();
    assert_ne!(found, one.codes[0].digest);
}

#[test]
fn the_digest_needs_the_key_file() {
    let set = set();
    let found = digest(set.codes[0].text.expose(), &set.salt, &keys(2), CHEAP).unwrap();
    assert_ne!(found, set.codes[0].digest);
}

#[test]
fn a_set_outlives_a_new_key_but_not_the_loss_of_its_own() {
    let (old, both) = (keys(1), with_new_key(&keys(1)));
    let set = set();
    let text = set.codes[3].text.expose();
    assert_eq!(digest(text, &set.salt, &both, CHEAP), Some(set.codes[3].digest));
    let newer = generate(&both, &SeededEntropy::new(5), CHEAP);
    assert_eq!(digest(newer.codes[0].text.expose(), &newer.salt, &old, CHEAP), None);
}

#[test]
fn a_salt_of_another_length_has_no_digests() {
    let set = set();
    let text = set.codes[0].text.expose();
    for salt in [&set.salt[..19], &[], &[set.salt.as_slice(), &[0]].concat()] {
        assert_eq!(digest(text, salt, &keys(1), CHEAP), None);
    }
}

/// ASVS-6.5.2, NIST-L4.
#[test]
fn a_guess_costs_at_least_what_owasp_asks() {
    const { assert!(PARAMETERS.memory_kib >= 19 * 1024 && PARAMETERS.passes >= 2) };
    let set = generate(&keys(1), &SeededEntropy::new(5), PARAMETERS);
    let found = digest(set.codes[0].text.expose(), &set.salt, &keys(1), PARAMETERS);
    assert_eq!(found, Some(set.codes[0].digest));
}

#[test]
fn debug_shows_no_code() {
    let set = set();
    let shown = format!("{set:?}");
    assert!(set.codes.iter().all(|code| !shown.contains(code.text.expose())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn reading_never_panics(typed in ".{0,40}", salt: Vec<u8>) {
        let _ = digest(&typed, &salt, &keys(1), CHEAP);
        let _ = digest(&typed, &set_salt(), &keys(1), CHEAP);
    }
}

fn set_salt() -> Vec<u8> {
    [&[0, 0, 0, 1][..], &[7; 16]].concat()
}
