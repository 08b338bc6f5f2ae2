//! Caveats: their exact spelling, and that what is not understood refuses.

use credentials::caveat::{Caveat, CaveatRefused};
use proptest::prelude::*;
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);

fn parse(text: &str) -> Result<Caveat, CaveatRefused> {
    Caveat::parse(text.as_bytes())
}

fn all() -> Vec<(Caveat, &'static str)> {
    vec![
        (Caveat::Validity { not_before_s: 100, expires_at_s: 200 }, "[0, 200, 100]"),
        (Caveat::ProjectNames(vec!["spam".into(), "eggs".into()]), r#"[1, ["spam", "eggs"]]"#),
        (Caveat::ProjectIds(vec![ID]), r#"[2, ["01234567-89ab-cdef-0123-456789abcdef"]]"#),
        (Caveat::Account(ID), r#"[3, "01234567-89ab-cdef-0123-456789abcdef"]"#),
        (Caveat::Actions(vec!["upload".into()]), r#"[100, ["upload"]]"#),
        (
            Caveat::Networks(vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()]),
            r#"[101, ["192.0.2.0/24", "2001:db8::/32"]]"#,
        ),
        (Caveat::ProjectNames(Vec::new()), "[1, []]"),
        (Caveat::Actions(vec!["ü\"\\\n🐍\u{7f}".into()]), r#"[100, ["\u00fc\"\\\n\ud83d\udc0d\u007f"]]"#),
    ]
}

#[test]
fn every_caveat_is_written_as_python_writes_it_and_reads_back() {
    for (caveat, text) in all() {
        assert_eq!(String::from_utf8(caveat.to_bytes()).unwrap(), text);
        assert_eq!(parse(text), Ok(caveat));
    }
}

#[test]
fn spaces_do_not_matter_when_reading() {
    let expected = Caveat::Validity { not_before_s: -1, expires_at_s: 200 };
    assert_eq!(parse("[0,200,-1]"), Ok(expected.clone()));
    assert_eq!(parse(" [ 0 , 200 , -1 ] \n"), Ok(expected));
}

#[test]
fn an_unknown_or_reserved_number_is_refused() {
    for tag in [-1, 4, 5, 99, 102, 103, 104, 105, i64::MAX] {
        let refused = parse(&format!(r#"[{tag}, ["x"]]"#)).unwrap_err();
        assert_eq!(refused, CaveatRefused::Unknown(tag));
    }
    assert_eq!(parse(r#"[104, 1]"#).unwrap_err().to_string(), "this index does not know caveat 104");
}

#[test]
fn what_is_no_numbered_array_is_refused() {
    for text in [
        "",
        " ",
        "upload",
        "null",
        "0",
        "[]",
        "[null, 1]",
        "[true, 2, 1]",
        r#"["0", 2, 1]"#,
        "[0.0, 2, 1]",
        "[1e2, [\"upload\"]]",
        "[18446744073709551615, 1]",
        "[0, 2, 1",
        "[0, 2, 1] x",
        "[0, 2, 1][0, 2, 1]",
        "[0, 2, 1,]",
        "[0, 02, 1]",
        "[0, NaN, 1]",
        r#"{"version": 1, "permissions": "user"}"#,
        r#"{"nbf": 1, "exp": 2}"#,
        "\u{feff}[0, 2, 1]",
    ] {
        assert_eq!(parse(text), Err(CaveatRefused::NotTagged), "{text:?}");
    }
    assert_eq!(Caveat::parse(b"[100, [\"\xff\"]]"), Err(CaveatRefused::NotTagged));
    assert_eq!(parse(&"[".repeat(100_000)), Err(CaveatRefused::NotTagged));
}

#[test]
fn a_known_number_in_another_shape_is_refused() {
    for text in [
        "[0]",
        "[0, 2]",
        "[0, 2, 1, 0]",
        "[0, 2.0, 1]",
        "[0, \"2\", 1]",
        "[0, 2, null]",
        "[0, 2, true]",
        "[0, 9223372036854775808, 1]",
        "[0, [2, 1]]",
        "[1]",
        "[1, \"spam\"]",
        "[1, [1]]",
        "[1, [\"spam\", null]]",
        "[1, [\"spam\"], []]",
        "[1, {\"0\": \"spam\"}]",
        "[2, [\"spam\"]]",
        "[2, [\"0123456789abcdef0123456789abcdef\"]]",
        "[2, [\"01234567-89AB-cdef-0123-456789abcdef\"]]",
        "[2, [\"{01234567-89ab-cdef-0123-456789abcdef}\"]]",
        "[2, \"01234567-89ab-cdef-0123-456789abcdef\"]",
        "[3]",
        "[3, \"ada\"]",
        "[3, 7]",
        "[3, [\"01234567-89ab-cdef-0123-456789abcdef\"]]",
        "[3, \"01234567-89ab-cdef-0123-456789abcdef\", 1]",
        "[100]",
        "[100, \"upload\"]",
        "[100, [7]]",
        "[101, [\"192.0.2.1\"]]",
        "[101, [\"192.0.2.7/24\"]]",
        "[101, [\"192.0.2.0/33\"]]",
        "[101, [\"192.0.2.0/24 \"]]",
        "[101, [\"2001:db8::1/64\"]]",
        "[101, [\"example.org/24\"]]",
        "[101, \"192.0.2.0/24\"]",
    ] {
        let refused = parse(text).unwrap_err();
        assert!(matches!(refused, CaveatRefused::Shape { .. }), "{text}: {refused}");
    }
}

#[test]
fn a_refused_shape_says_the_right_one() {
    assert_eq!(parse("[0, 1]").unwrap_err().to_string(), "caveat 0 is not of the form [0, expires_at, not_before]");
}

proptest! {
    #[test]
    fn reading_anything_never_panics(bytes: Vec<u8>, text in r#"[\[\]0-9," a-z]{0,40}"#) {
        let _ = Caveat::parse(&bytes);
        let _ = parse(&text);
    }

    #[test]
    fn any_names_read_back(names: Vec<String>) {
        for caveat in [Caveat::ProjectNames(names.clone()), Caveat::Actions(names)] {
            let bytes = caveat.to_bytes();
            prop_assert!(bytes.iter().all(|b| (b' '..=b'~').contains(b)));
            prop_assert_eq!(Caveat::parse(&bytes), Ok(caveat));
        }
    }

    #[test]
    fn any_times_and_ids_read_back(not_before_s: i64, expires_at_s: i64, ids: Vec<u128>, account: u128) {
        let ids = ids.into_iter().map(Uuid::from_u128).collect();
        for caveat in [
            Caveat::Validity { not_before_s, expires_at_s },
            Caveat::ProjectIds(ids),
            Caveat::Account(Uuid::from_u128(account)),
        ] {
            prop_assert_eq!(Caveat::parse(&caveat.to_bytes()), Ok(caveat));
        }
    }
}
