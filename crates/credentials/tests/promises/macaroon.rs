//! Tokens: what verifies, what narrows, what is not even read.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use credentials::macaroon::{Macaroon, TokenRefused};
use credentials::secret::{Secret, SecretBytes};
use proptest::prelude::*;

fn key(byte: u8) -> SecretBytes {
    SecretBytes::new(vec![byte; 32])
}

fn minted() -> Macaroon {
    Macaroon::mint(&key(1), "index.example.org", b"identifier")
}

fn narrowed() -> Macaroon {
    minted().with_caveat(br#"[100, ["upload"]]"#).with_caveat(b"[0, 2, 1]")
}

fn read(text: &str) -> Result<Macaroon, TokenRefused> {
    Macaroon::parse(&Secret::new(text), "room")
}

fn bytes_of(token: &Macaroon) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(&token.to_text("").expose()[1..]).unwrap()
}

fn read_bytes(bytes: &[u8]) -> Result<Macaroon, TokenRefused> {
    read(&format!("room-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn refused_bytes(bytes: &[u8]) -> TokenRefused {
    read_bytes(bytes).unwrap_err()
}

/// The field of a signature that need not be right to be read.
fn signature() -> Vec<u8> {
    [&[6, 32][..], &[0; 32]].concat()
}

#[test]
fn a_token_reads_back_and_verifies() {
    let token = read(narrowed().to_text("room").expose()).unwrap();
    assert_eq!(token.location, "index.example.org");
    assert_eq!(token.identifier, b"identifier");
    assert_eq!(token.caveats(), narrowed().caveats());
    assert!(token.verify(&key(1)));
}

#[test]
fn another_key_does_not_verify() {
    assert!(!narrowed().verify(&key(2)));
    assert!(!minted().verify(&SecretBytes::new(vec![1; 31])));
    assert!(!minted().verify(&SecretBytes::new(Vec::new())));
}

#[test]
fn another_identifier_does_not_verify() {
    let mut token = narrowed();
    token.identifier = b"other".to_vec();
    assert!(!token.verify(&key(1)));
}

#[test]
fn a_caveat_cannot_be_taken_off_swapped_or_changed() {
    let whole = bytes_of(&narrowed());
    let (first, second) = (br#"[100, ["upload"]]"#, b"[0, 2, 1]");
    let head = [&[2, 1, 17][..], b"index.example.org", &[2, 10], b"identifier", &[0]].concat();
    let caveat = |text: &[u8]| [&[2, text.len() as u8][..], text, &[0]].concat();
    let tail = whole[whole.len() - 35..].to_vec();
    let token = |caveats: &[&[u8]]| {
        let caveats: Vec<u8> = caveats.iter().flat_map(|text| caveat(text)).collect();
        read_bytes(&[&head[..], &caveats, &tail].concat()).unwrap()
    };
    assert!(token(&[first, second]).verify(&key(1)));
    for caveats in [&[][..], &[&first[..]], &[second], &[second, first], &[first, b"[0, 3, 1]"], &[first, second, second]] {
        assert!(!token(caveats).verify(&key(1)), "{caveats:?}");
    }
}

#[test]
fn the_location_is_not_covered() {
    let mut token = narrowed();
    token.location = "evil.example.org".into();
    assert!(token.verify(&key(1)), "so callers have to compare it");
}

#[test]
fn another_prefix_is_refused() {
    let text = minted().to_text("room");
    for prefix in ["roo", "rooms", "ROOM", "", "other"] {
        let refused = Macaroon::parse(&text, prefix).unwrap_err();
        assert_eq!(refused, TokenRefused::Prefix, "{prefix}");
    }
    for text in ["", "room", "AgEA", " room-AgEA"] {
        assert_eq!(read(text).unwrap_err(), TokenRefused::Prefix, "{text}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    // Bytes whose base64 needs padding and differs between the alphabets.
    let token = minted().with_caveat(b"\xff\xff\xfe\xfb\xff\xff");
    let (mut bytes, mut text) = (bytes_of(&token), token.to_text("room").expose().to_owned());
    assert!(read(&text).is_ok());
    assert!(text[5..].contains(['-', '_']));
    while bytes.len() % 3 == 0 {
        let token = token.clone().with_caveat(&bytes[..1]);
        (bytes, text) = (bytes_of(&token), token.to_text("room").expose().to_owned());
    }
    for other in [
        format!("room-{}", URL_SAFE.encode(&bytes)),
        format!("room-{}", STANDARD.encode(&bytes)),
        format!("{text}\n"),
        format!("{} {}", &text[..9], &text[9..]),
    ] {
        assert_eq!(read(&other).unwrap_err(), TokenRefused::Encoding, "{other}");
    }
}

#[test]
fn a_text_above_8_kib_is_refused_unread() {
    let refused = read(&format!("room-{}", "!".repeat(8188))).unwrap_err();
    assert_eq!(refused, TokenRefused::TooLong);
    let refused = read(&format!("room-{}", "!".repeat(8187))).unwrap_err();
    assert_eq!(refused, TokenRefused::Encoding);
}

#[test]
fn sixty_four_caveats_are_read_and_sixty_five_are_not() {
    let many = (0..64).fold(minted(), |token, _| token.with_caveat(b"[0, 2, 1]"));
    assert!(read(many.to_text("room").expose()).unwrap().verify(&key(1)));
    let more = many.with_caveat(b"[0, 2, 1]");
    let refused = read(more.to_text("room").expose()).unwrap_err();
    assert_eq!(refused, TokenRefused::TooManyCaveats);
}

#[test]
fn a_third_party_caveat_is_refused_with_and_without_its_place() {
    let head = [2, 1, 0, 2, 1, b'7', 0];
    let placed = [&head[..], &[1, 1, b'x', 2, 1, b'c', 4, 1, b'v', 0, 0], &signature()].concat();
    assert_eq!(refused_bytes(&placed), TokenRefused::ThirdParty);
    let bare = [&head[..], &[2, 1, b'c', 4, 1, b'v', 0, 0], &signature()].concat();
    assert_eq!(refused_bytes(&bare), TokenRefused::ThirdParty);
}

#[test]
fn bytes_after_the_signature_are_refused() {
    let bytes = [bytes_of(&narrowed()), vec![0]].concat();
    assert_eq!(refused_bytes(&bytes), TokenRefused::Trailing);
}

#[test]
fn a_broken_off_token_is_refused_wherever_it_breaks() {
    let bytes = bytes_of(&narrowed());
    for length in 1..bytes.len() {
        assert_eq!(refused_bytes(&bytes[..length]), TokenRefused::Damaged, "{length}");
    }
    assert_eq!(refused_bytes(&[]), TokenRefused::Version);
}

#[test]
fn other_versions_are_refused() {
    let mut bytes = bytes_of(&minted());
    for version in [0, 1, 3, b'0', b'{'] {
        bytes[0] = version;
        assert_eq!(refused_bytes(&bytes), TokenRefused::Version);
    }
}

#[test]
fn fields_out_of_form_are_refused() {
    let good = [&[2, 1, 0, 2, 1, b'7', 0, 0][..], &signature()].concat();
    assert!(read_bytes(&good).is_ok());
    let short_signature = [&[2, 1, 0, 2, 1, b'7', 0, 0, 6, 31][..], &[0; 31]].concat();
    for head in [
        &[2, 2, 1, b'7', 0, 0][..],               // no location
        &[2, 1, 0, 0, 0],                         // no identifier
        &[2, 2, 1, b'7', 1, 0, 0, 0],             // out of order
        &[2, 1, 0, 2, 1, b'7', 4, 1, b'v', 0, 0], // a key of a third party in the head
        &[2, 1, 1, 0xff, 2, 1, b'7', 0, 0],       // a location that is no text
        &[2, 1, 0x80, 0x00, 2, 1, b'7', 0, 0],    // a length longer than needed
        &[2, 1, 0, 2, 0x81, 0x80, 0x00, b'7', 0, 0],
        &[2, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        &[2, 1, 0, 2, 1, b'7', 0, 2, 1, b'c', 0],                // no end of caveats
        &[2, 1, 0, 2, 1, b'7', 0, 2, 1, b'c', 2, 1, b'd', 0, 0], // two in one section
    ] {
        let bytes = [head, &signature()].concat();
        assert_eq!(refused_bytes(&bytes), TokenRefused::Damaged, "{head:?}");
    }
    assert_eq!(refused_bytes(&short_signature), TokenRefused::Damaged);
}

#[test]
fn debug_does_not_show_the_signature() {
    let shown = format!("{:?}", narrowed());
    assert_eq!(
        shown,
        r#"Macaroon { location: "index.example.org", identifier: "identifier", caveats: ["[100, [\"upload\"]]", "[0, 2, 1]"], .. }"#
    );
}

proptest! {
    #[test]
    fn reading_anything_never_panics(text in ".{0,80}", bytes: Vec<u8>) {
        let _ = read(&text);
        let _ = read(&format!("room-{text}"));
        let _ = read_bytes(&bytes);
        let _ = read_bytes(&[&[2, 1, 0, 2, 1, b'7', 0], &bytes[..]].concat());
    }

    #[test]
    fn what_is_read_is_written_the_same(bytes in prop::collection::vec(0u8..8, 0..24)) {
        let bytes = [&[2, 1, 0, 2, 1, b'7', 0], &bytes[..], &[0], &signature()].concat();
        if let Ok(token) = read_bytes(&bytes) {
            prop_assert_eq!(bytes_of(&token), bytes);
        }
    }

    #[test]
    fn any_token_reads_back(
        secret: Vec<u8>,
        location in ".{0,40}",
        identifier in prop::collection::vec(any::<u8>(), 0..300),
        caveats in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..6),
    ) {
        let key = SecretBytes::new(secret);
        let token = caveats
            .iter()
            .fold(Macaroon::mint(&key, &location, &identifier), |token, caveat| token.with_caveat(caveat));
        let read = read(token.to_text("room").expose()).unwrap();
        prop_assert!(read.verify(&key));
        prop_assert_eq!(read.location.as_str(), location.as_str());
        prop_assert_eq!(&read.identifier, &identifier);
        prop_assert_eq!(read.caveats(), &caveats[..]);
    }

    #[test]
    fn a_flipped_bit_outside_the_location_never_verifies(at: prop::sample::Index, bit in 0..8u8) {
        let good = bytes_of(&narrowed());
        let mut bytes = good.clone();
        let at = at.index(bytes.len());
        // Version, type, length and text of the location stand first.
        prop_assume!(!(3..20).contains(&at));
        bytes[at] ^= 1 << bit;
        let verifies = read_bytes(&bytes).is_ok_and(|token| token.verify(&key(1)));
        prop_assert!(!verifies);
    }
}
