//! The key file, seals and keyed hashes.

use credentials::entropy::SeededEntropy;
use credentials::keys::{CannotOpen, InstanceKeys, KeyFileError, KeyedHash, Place};
use credentials::secret::Secret;
use proptest::prelude::*;

use crate::{keys, with_new_key};

const PLACE: Place<'static> = Place { table: "factors", row: b"row 1", account: b"ada" };
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn refused(text: &str) -> KeyFileError {
    InstanceKeys::parse(&Secret::new(text)).unwrap_err()
}

#[test]
fn a_key_file_reads_back_and_opens_what_was_sealed() {
    let written = keys(1);
    let sealed = written.seal(&SeededEntropy::new(2), &PLACE, b"plain");
    let read = InstanceKeys::parse(&written.to_text()).unwrap();
    assert_eq!(read.open(&PLACE, &sealed).unwrap().expose(), b"plain");
    assert_eq!(read.to_text().expose(), written.to_text().expose());
}

#[test]
fn comments_and_blank_lines_in_a_key_file_do_not_count() {
    let text = format!("# one\r\n\n  key 7 {KEY}  \r\n# key 8 x\nkey 3 {}\n", KEY.replace("AA", "BA"));
    assert_eq!(InstanceKeys::parse(&Secret::new(text)).unwrap().current_id(), 7);
}

#[test]
fn a_broken_key_file_says_which_line() {
    assert_eq!(refused(""), KeyFileError::Empty);
    assert_eq!(refused("# only a comment"), KeyFileError::Empty);
    assert_eq!(refused("\nkeys 1 x"), KeyFileError::Line { line: 2 });
    assert_eq!(refused(&format!("key {KEY}")), KeyFileError::Line { line: 1 });
    assert_eq!(refused(&format!("key -1 {KEY}")), KeyFileError::Line { line: 1 });
    assert_eq!(refused(&format!("key 1 {KEY} x")), KeyFileError::Line { line: 1 });
    assert_eq!(refused("key 1 AAECAw=="), KeyFileError::Key { line: 1 });
    assert_eq!(refused(&format!("key 1 {KEY}AA==")), KeyFileError::Key { line: 1 });
    assert_eq!(refused(&format!("key 1 {KEY}\nkey 1 {KEY}")), KeyFileError::Repeated { line: 2, id: 1 });
}

#[test]
fn debug_shows_numbers_and_no_key() {
    let text = format!("{:?}", with_new_key(&keys(1)));
    assert_eq!(text, "InstanceKeys { ids: [2, 1] }");
    assert_eq!(format!("{:?}", keys(1).current_pepper()), "Pepper { key_id: 1, .. }");
}

/// ASVS-6.7.1, NIST-C2, NIST-O1.
#[test]
fn a_sealed_value_opens_in_no_other_place() {
    let keys = keys(1);
    let sealed = keys.seal(&SeededEntropy::new(2), &PLACE, b"plain");
    let elsewhere = [
        Place { table: "jobs", ..PLACE },
        Place { row: b"row 2", ..PLACE },
        Place { account: b"bob", ..PLACE },
        Place { account: b"", ..PLACE },
        // The same bytes in a row, cut otherwise.
        Place { table: "factorsr", row: b"ow 1", ..PLACE },
        Place { row: b"row 1a", account: b"da", ..PLACE },
    ];
    for place in elsewhere {
        let opened = keys.open(&place, &sealed).map(|_| ());
        assert_eq!(opened, Err(CannotOpen::NotAuthentic), "{place:?}");
    }
}

#[test]
fn another_instance_opens_nothing_even_under_the_same_number() {
    let sealed = keys(1).seal(&SeededEntropy::new(2), &PLACE, b"plain");
    let opened = keys(3).open(&PLACE, &sealed).map(|_| ());
    assert_eq!(opened, Err(CannotOpen::NotAuthentic));
}

#[test]
fn an_older_key_still_opens_and_a_dropped_one_does_not() {
    let old = keys(1);
    let both = with_new_key(&old);
    let of_old = old.seal(&SeededEntropy::new(2), &PLACE, b"old");
    let of_both = both.seal(&SeededEntropy::new(2), &PLACE, b"new");
    assert_eq!(both.open(&PLACE, &of_old).unwrap().expose(), b"old");
    assert_eq!(both.open(&PLACE, &of_both).unwrap().expose(), b"new");
    let opened = old.open(&PLACE, &of_both).map(|_| ());
    assert_eq!(opened, Err(CannotOpen::UnknownKey(2)));
}

#[test]
fn a_seal_names_its_key_and_cannot_be_renamed() {
    let both = InstanceKeys::parse(&Secret::new(format!("key 1 {KEY}\nkey 2 {}", KEY.replace("AA", "BA")))).unwrap();
    let mut sealed = both.seal(&SeededEntropy::new(2), &PLACE, b"plain");
    assert_eq!(sealed[..5], [1, 0, 0, 0, 1]);
    sealed[4] = 2;
    let opened = both.open(&PLACE, &sealed).map(|_| ());
    assert_eq!(opened, Err(CannotOpen::NotAuthentic));
}

#[test]
fn the_same_value_seals_differently_each_time() {
    let (keys, entropy) = (keys(1), SeededEntropy::new(2));
    assert_ne!(keys.seal(&entropy, &PLACE, b"x"), keys.seal(&entropy, &PLACE, b"x"));
}

#[test]
fn what_is_no_seal_is_refused() {
    let mut sealed = keys(1).seal(&SeededEntropy::new(2), &PLACE, b"");
    for length in 0..29 {
        let opened = keys(1).open(&PLACE, &sealed[..length]).map(|_| ());
        assert_eq!(opened, Err(CannotOpen::Malformed), "{length} bytes");
    }
    sealed[0] = 2;
    let opened = keys(1).open(&PLACE, &sealed).map(|_| ());
    assert_eq!(opened, Err(CannotOpen::Malformed));
}

#[test]
fn a_keyed_hash_holds_for_its_purpose_data_and_instance_only() {
    let keys = keys(1);
    let hash = keys.keyed_hash("mailbox code", b"123456");
    assert!(keys.check_keyed_hash("mailbox code", b"123456", &hash));
    assert!(!keys.check_keyed_hash("mailbox code", b"123457", &hash));
    assert!(!keys.check_keyed_hash("mailbox", b"123456", &hash));
    assert!(!keys.check_keyed_hash("mailbox", b" code123456", &hash));
    assert!(!crate::keys(3).check_keyed_hash("mailbox code", b"123456", &hash));
}

#[test]
fn a_keyed_hash_of_an_older_key_still_holds_and_of_an_unknown_one_does_not() {
    let old = keys(1);
    let both = with_new_key(&old);
    let hash = old.keyed_hash("p", b"x");
    assert!(both.check_keyed_hash("p", b"x", &hash));
    assert!(!old.check_keyed_hash("p", b"x", &both.keyed_hash("p", b"x")));
    let renamed = KeyedHash { key_id: 2, ..hash };
    assert!(!both.check_keyed_hash("p", b"x", &renamed));
}

#[test]
fn a_stored_keyed_hash_reads_back_and_other_lengths_do_not() {
    let hash = keys(1).keyed_hash("p", b"x");
    let stored = hash.to_bytes();
    assert_eq!(stored.len(), 36);
    assert_eq!(KeyedHash::from_bytes(&stored), Some(hash));
    assert_eq!(KeyedHash::from_bytes(&stored[..35]), None);
    assert_eq!(KeyedHash::from_bytes(&[stored, vec![0]].concat()), None);
    assert_eq!(KeyedHash::from_bytes(b""), None);
}

#[test]
fn a_pepper_belongs_to_its_key() {
    let both = with_new_key(&keys(1));
    assert_eq!(both.current_pepper().key_id(), 2);
    assert_eq!(both.pepper(1).unwrap().key_id(), 1);
    assert!(both.pepper(3).is_none());
}

proptest! {
    #[test]
    fn any_value_opens_in_its_place(plain: Vec<u8>, row: Vec<u8>, account: Vec<u8>, table in ".{0,20}") {
        let place = Place { table: &table, row: &row, account: &account };
        let sealed = keys(1).seal(&SeededEntropy::new(2), &place, &plain);
        let opened = keys(1).open(&place, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &plain[..]);
    }

    #[test]
    fn a_flipped_bit_never_opens(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
        let mut sealed = keys(1).seal(&SeededEntropy::new(2), &PLACE, &plain);
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(keys(1).open(&PLACE, &sealed).is_err());
    }

    #[test]
    fn a_shortened_or_lengthened_seal_never_opens(plain: Vec<u8>, cut: prop::sample::Index, more: u8) {
        let mut sealed = keys(1).seal(&SeededEntropy::new(2), &PLACE, &plain);
        prop_assert!(keys(1).open(&PLACE, &sealed[..cut.index(sealed.len())]).is_err());
        sealed.push(more);
        prop_assert!(keys(1).open(&PLACE, &sealed).is_err());
    }

    #[test]
    fn opening_and_reading_anything_never_panics(bytes: Vec<u8>, text in "(key|#|[0-9]| |\n|[A-Za-z=])*") {
        let _ = keys(1).open(&PLACE, &bytes);
        let _ = KeyedHash::from_bytes(&bytes);
        let _ = InstanceKeys::parse(&Secret::new(text));
    }
}

#[test]
fn seals_are_verified_by_the_key_that_signed_them_after_a_new_key_was_put_first() {
    let old = keys(1);
    let (text, signed) = (b"a seal", old.sealing_key().sign(b"a seal"));
    let both = with_new_key(&old);
    let newest = both.sealing_key().public();
    assert!(both.seal_key(old.current_id()).unwrap().verifies(text, &signed));
    assert!(!newest.verifies(text, &signed));
    assert!(both.seal_key(77).is_none());
    assert_eq!(both.seal_keys(), [newest, old.sealing_key().public()]);
}
