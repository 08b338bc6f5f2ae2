//! The import: what it refuses, what it leaves as it was, and that a look-up finds exactly what was in the list.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::breach::file::{HEADER, Set};

/// A digest that looks like chance.
fn digest(n: u32) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&Sha256::digest(n.to_be_bytes())[..20]);
    digest
}

fn list(digests: &[Digest]) -> String {
    let mut sorted = digests.to_vec();
    sorted.sort_unstable();
    sorted.iter().enumerate().fold(String::new(), |mut text, (n, digest)| {
        write!(text, "{}:{}\r\n", hex::encode_upper(digest), n + 1).unwrap();
        text
    })
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn set(&self) -> PathBuf {
        self.0.path().join("some.set")
    }
    fn import(&self, text: &str) -> anyhow::Result<Imported> {
        let list = self.0.path().join("list.txt");
        fs::write(&list, text).unwrap();
        import(&list, &self.set())
    }
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[test]
fn a_look_up_finds_what_was_in_the_list_and_nothing_else() {
    let place = Place::new();
    let all: Vec<Digest> = (0..5000).map(digest).chain([[0; 20], [0xff; 20]]).collect();
    let imported = place.import(&list(&all)).unwrap();
    assert_eq!((imported.rows, imported.left_out), (5002, 0));
    assert_eq!(imported.bytes, fs::metadata(place.set()).unwrap().size());
    let set = Set::open(&place.set()).unwrap();
    set.check_all().unwrap();
    assert!(all.iter().all(|digest| set.contains(digest)));
    assert!(!(5000..20_000).any(|n| set.contains(&digest(n))));
    let mut near = digest(7);
    near[11] ^= 1;
    assert!(!set.contains(&near), "96 bits are compared");
}

#[test]
fn plain_hashes_lower_case_and_a_last_line_without_end_are_read() {
    let place = Place::new();
    let text = format!("{}\n{}:3\n{}", hex::encode([1; 20]), hex::encode_upper([2; 20]), hex::encode_upper([3; 20]));
    assert_eq!(place.import(&text).unwrap().rows, 3);
    assert_eq!(place.import("").unwrap().rows, 0);
    assert!(!Set::open(&place.set()).unwrap().contains(&[1; 20]), "an empty list is a list");
}

#[test]
fn padding_and_the_same_hash_twice_are_left_out() {
    let place = Place::new();
    let line = |n: u8, count: u8| format!("{}:{count}\n", hex::encode_upper([n; 20]));
    let imported = place.import(&[line(1, 4), line(1, 4), line(2, 0), line(3, 1)].concat()).unwrap();
    assert_eq!((imported.rows, imported.left_out), (2, 2));
    let set = Set::open(&place.set()).unwrap();
    assert!(set.contains(&[1; 20]) && !set.contains(&[2; 20]) && set.contains(&[3; 20]));
}

#[test]
fn a_line_that_is_wrong_or_out_of_order_is_named_and_the_old_set_stays() {
    let place = Place::new();
    place.import(&list(&[digest(1)])).unwrap();
    let before = fs::read(place.set()).unwrap();
    let good = |n: u8| format!("{}:1\n", hex::encode_upper([n; 20]));
    let wrong = [
        (good(1) + &good(3) + &good(2), "line 3 is out of order"),
        (good(1) + "\n" + &good(2), "line 2 is not"),
        (good(1) + "hello\n", "line 2 is not"),
        (good(1) + &"A".repeat(39) + "\n", "line 2 is not"),
        (good(1) + &"A".repeat(41) + "\n", "line 2 is not"),
        (good(1) + &format!("{}:\n", "A".repeat(40)), "line 2 is not"),
        (good(1) + &format!("{}:-1\n", "A".repeat(40)), "line 2 is not"),
        (good(1) + &format!("{}:{}\n", "A".repeat(40), "9".repeat(200)), "line 2 is not"),
        (good(1) + &"A".repeat(100_000), "line 2 is not"),
        ("\u{1f}\u{8b}\u{8}".to_owned(), "line 1 is not"),
    ];
    for (text, says) in wrong {
        let said = format!("{:#}", place.import(&text).unwrap_err());
        assert!(said.contains(says), "{said}");
        assert_eq!(fs::read(place.set()).unwrap(), before, "the old set stays as it was");
        assert_eq!(place.names(), ["list.txt", "some.set"], "nothing is left over");
    }
    assert!(import(&place.0.path().join("absent"), &place.set()).is_err());
}

#[test]
fn an_import_puts_another_file_in_the_place_of_the_old_one_which_stays_readable_for_whoever_has_it() {
    let place = Place::new();
    place.import(&list(&[digest(1)])).unwrap();
    let old = Set::open(&place.set()).unwrap();
    place.import(&list(&[digest(2)])).unwrap();
    let new = Set::open(&place.set()).unwrap();
    assert_ne!(old.identity, new.identity);
    assert!(old.contains(&digest(1)) && !old.contains(&digest(2)));
    assert!(new.contains(&digest(2)) && !new.contains(&digest(1)));
}

#[test]
fn two_imports_at_once_are_refused() {
    let place = Place::new();
    let first = Beside::open(&place.set()).unwrap();
    assert!(place.import(&list(&[digest(1)])).unwrap_err().to_string().contains("another import"));
    drop(first);
    assert_eq!(place.import(&list(&[digest(1)])).unwrap().rows, 1);
}

#[test]
fn a_file_that_was_cut_changed_or_is_something_else_is_refused() {
    let place = Place::new();
    place.import(&list(&(0..100).map(digest).collect::<Vec<_>>())).unwrap();
    let sound = fs::read(place.set()).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        change(&mut bytes);
        let path = place.0.path().join("other.set");
        fs::write(&path, bytes).unwrap();
        Set::open(&path).and_then(|set| set.check_all())
    };
    with(&|_| {}).unwrap();
    assert!(with(&|b| b.truncate(b.len() - 1)).is_err(), "cut");
    assert!(with(&|b| b.push(0)).is_err(), "grown");
    assert!(with(&|b| b.truncate(HEADER - 1)).is_err(), "cut in the header");
    assert!(with(&|b| b.truncate(HEADER)).is_err(), "cut behind the header");
    assert!(with(&Vec::clear).is_err(), "empty");
    assert!(with(&|b| b[0] ^= 1).is_err(), "another magic");
    assert!(with(&|b| b[8] = 2).is_err(), "a newer version");
    assert!(with(&|b| b[12] = 40).is_err(), "a table that is too large");
    assert!(with(&|b| b[16..24].fill(0xff)).is_err(), "a count beyond all bounds");
    assert!(with(&|b| b[HEADER] = 1).is_err(), "a table that does not begin with nothing");
    assert!(with(&|b| b[HEADER + 8 * 1000] = 0xff).is_err(), "a table out of order");
    assert!(with(&|b| *b.last_mut().unwrap() ^= 1).is_err(), "a digest that was changed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Exact: over any list, a look-up says what a set in memory says.
    #[test]
    fn a_look_up_says_what_a_set_in_memory_says(some in proptest::collection::btree_set(any::<[u8; 20]>(), 0..200), first in any::<[u8; 2]>(), others in proptest::collection::vec(any::<[u8; 20]>(), 50)) {
        // Half of them share their first two bytes, so that rows of the table are long.
        let mut all: std::collections::BTreeSet<Digest> = some;
        all.extend(others.iter().take(25).map(|digest| { let mut digest = *digest; digest[..2].copy_from_slice(&first); digest }));
        let digests: Vec<Digest> = all.iter().copied().collect();
        let place = Place::new();
        place.import(&list(&digests)).unwrap();
        let set = Set::open(&place.set()).unwrap();
        prop_assert!(digests.iter().all(|digest| set.contains(digest)));
        for other in others {
            prop_assert_eq!(set.contains(&other), all.contains(&other));
        }
    }
}
