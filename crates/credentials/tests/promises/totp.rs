//! One-time codes: the standard's, the window, replay and drift.

use credentials::entropy::SeededEntropy;
use credentials::totp::{TotpSecret, TotpVerdict, check, code_at};
use proptest::prelude::*;

const NOW_S: i64 = 1_900_000_000;
const NOW: i64 = NOW_S / 30;

fn secret() -> TotpSecret {
    TotpSecret::from_bytes(b"12345678901234567890").unwrap()
}

fn at(offset: i64, last_step: Option<i64>) -> TotpVerdict {
    check(&secret(), &code_at(&secret(), NOW + offset), NOW_S, last_step)
}

/// OSSF-AN-1.3, NIST-O3.
/// RFC 6238, appendix B, SHA-1; the last six of its eight digits.
#[test]
fn codes_are_those_of_rfc_6238() {
    for (time_s, code) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        assert_eq!(code_at(&secret(), time_s / 30), code);
        let accepted = TotpVerdict::Accepted { step: time_s / 30 };
        assert_eq!(check(&secret(), code, time_s, None), accepted);
    }
}

/// RFC 4226, appendix D.
#[test]
fn codes_are_those_of_rfc_4226() {
    let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (step, code) in (0..).zip(codes) {
        assert_eq!(code_at(&secret(), step), code);
    }
}

#[test]
fn a_code_is_accepted_one_step_around_now() {
    for offset in -1..=1 {
        assert_eq!(at(offset, None), TotpVerdict::Accepted { step: NOW + offset });
    }
}

/// PYPI-4, ASVS-6.5.5.
#[test]
fn a_code_two_to_ten_steps_off_is_recognized_and_refused() {
    for steps in (-10..=-2).chain(2..=10) {
        assert_eq!(at(steps, None), TotpVerdict::Drifted { steps });
    }
}

#[test]
fn a_code_further_off_is_wrong() {
    for offset in [-1000, -11, 11, 1000] {
        assert_eq!(at(offset, None), TotpVerdict::Wrong);
    }
}

#[test]
fn a_used_code_is_replayed_whatever_its_age() {
    for offset in -10..=1 {
        assert_eq!(at(offset, Some(NOW + offset)), TotpVerdict::Replayed, "{offset}");
        assert_eq!(at(offset, Some(NOW + 1)), TotpVerdict::Replayed, "{offset}");
    }
}

#[test]
fn a_code_older_than_the_last_used_one_is_replayed() {
    assert_eq!(at(-1, Some(NOW)), TotpVerdict::Replayed);
    assert_eq!(at(0, Some(NOW + 1)), TotpVerdict::Replayed);
    assert_eq!(at(1, Some(NOW)), TotpVerdict::Accepted { step: NOW + 1 });
}

/// NIST-O2.
#[test]
fn the_same_code_is_accepted_once() {
    let TotpVerdict::Accepted { step } = at(0, None) else { panic!("the first time") };
    assert_eq!(at(0, Some(step)), TotpVerdict::Replayed);
}

#[test]
fn whitespace_anywhere_does_not_count() {
    let code = code_at(&secret(), NOW);
    let spaced = format!(" {}\u{a0}{}\t\n", &code[..3], &code[3..]);
    let accepted = TotpVerdict::Accepted { step: NOW };
    assert_eq!(check(&secret(), &spaced, NOW_S, None), accepted);
}

#[test]
fn anything_but_six_ascii_digits_is_wrong() {
    let code = code_at(&secret(), NOW);
    let arabic: String = code.chars().map(|c| char::from_u32(0x660 + c.to_digit(10).unwrap()).unwrap()).collect();
    for typed in [
        String::new(),
        " ".into(),
        code[..5].into(),
        format!("{code}0"),
        format!("0{code}"),
        format!("+{code}"),
        format!("{}-{}", &code[..3], &code[3..]),
        arabic,
    ] {
        assert_eq!(check(&secret(), &typed, NOW_S, None), TotpVerdict::Wrong, "{typed:?}");
    }
}

#[test]
fn another_secret_has_other_codes() {
    let other = TotpSecret::generate(&SeededEntropy::new(1));
    assert_eq!(check(&other, &code_at(&secret(), NOW), NOW_S, None), TotpVerdict::Wrong);
}

/// NIST-O1.
#[test]
fn a_stored_secret_is_20_bytes() {
    let made = TotpSecret::generate(&SeededEntropy::new(1));
    assert_eq!(made.to_bytes().expose().len(), 20);
    let read = TotpSecret::from_bytes(made.to_bytes().expose()).unwrap();
    assert_eq!(code_at(&read, NOW), code_at(&made, NOW));
    assert!(TotpSecret::from_bytes(&[0; 19]).is_none());
    assert!(TotpSecret::from_bytes(&[0; 21]).is_none());
    assert!(TotpSecret::from_bytes(&[]).is_none());
}

#[test]
fn the_address_carries_secret_issuer_and_account_escaped() {
    assert_eq!(secret().base32().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(
        secret().otpauth_url("Packages & Co: ä", "ada").expose(),
        "otpauth://totp/Packages%20%26%20Co%3A%20%C3%A4:ada\
         ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Packages%20%26%20Co%3A%20%C3%A4\
         &algorithm=SHA1&digits=6&period=30"
    );
}

#[test]
fn debug_does_not_show_the_secret() {
    assert_eq!(format!("{:?}", secret()), "TotpSecret([secret])");
}

proptest! {
    #[test]
    fn checking_never_panics(typed in ".{0,20}", now_s: i64, last_step: Option<i64>) {
        let _ = check(&secret(), &typed, now_s, last_step);
    }

    #[test]
    fn what_is_accepted_is_near_now_and_newer_than_the_last(
        seed: u64,
        offset in -12i64..=12,
        last in prop::option::of(-12i64..=12),
    ) {
        let secret = TotpSecret::generate(&SeededEntropy::new(seed));
        let last_step = last.map(|last| NOW + last);
        let code = code_at(&secret, NOW + offset);
        if let TotpVerdict::Accepted { step } = check(&secret, &code, NOW_S, last_step) {
            prop_assert!((step - NOW).abs() <= 1);
            prop_assert!(last_step.is_none_or(|last| step > last));
            prop_assert_eq!(code_at(&secret, step), code);
        } else {
            prop_assert!(offset.abs() > 1 || last.is_some_and(|last| offset <= last));
        }
    }
}
