//! TABLES 4, 5 and 6: jobs, settings, limits; and the reasons of housekeeping.

use std::collections::{BTreeMap, BTreeSet};

use index::act::Housekeeping;
use index::config::{Config, ConfigError, SETTINGS};
use index::limits::{self, Limit, Scope};
use index::queue::JobKind;
use index::rates::parse_rates;

#[test]
fn jobs_have_names_keys_and_sentences_of_their_own() {
    let wires: BTreeSet<&str> = JobKind::ALL.iter().map(|k| k.wire()).collect();
    assert_eq!(wires.len(), JobKind::ALL.len());
    for kind in JobKind::ALL {
        assert_eq!(JobKind::from_wire(kind.wire()), Some(*kind));
        assert!(!kind.key().is_empty() && kind.sentence().ends_with('.'), "{}", kind.wire());
    }
}

#[test]
fn every_default_of_every_setting_can_be_read() {
    Config::from_values(&BTreeMap::new(), &limits::setting_keys()).expect("the defaults are good");
    let keys: BTreeSet<&str> = SETTINGS.iter().map(|s| s.key).collect();
    assert_eq!(keys.len(), SETTINGS.len(), "a key stands twice");
    for setting in SETTINGS {
        assert!(setting.key.contains('.') && setting.sentence.ends_with('.'), "{}", setting.key);
    }
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_known_one() {
    for (wrong, right) in
        [("server.lisen", "server.listen"), ("limits.sign_in.acount", "limits.sign_in.account"), ("listen", "server.listen")]
    {
        let values = BTreeMap::from([(wrong.to_owned(), "x".to_owned())]);
        match Config::from_values(&values, &limits::setting_keys()) {
            Err(ConfigError::Unknown { key, nearest }) => assert_eq!((key.as_str(), nearest.as_str()), (wrong, right)),
            other => panic!("{wrong}: {other:?}"),
        }
    }
}

#[test]
fn a_wrong_value_names_its_key_and_is_not_repeated() {
    for (key, value) in
        [("server.listen", "hunter2"), ("files.max_size", "hunter2"), ("sessions.idle", "hunter2"), ("limits.sign_in.account", "hunter2/x")]
    {
        let values = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        let said = Config::from_values(&values, &limits::setting_keys()).expect_err("it is wrong").to_string();
        assert!(said.contains(key), "{said}");
        assert!(!said.starts_with(value), "{said}");
    }
}

/// P11: a setting that is secret is of a type that does not print.
#[test]
fn a_secret_setting_never_prints() {
    let values = BTreeMap::from([
        ("database.url".to_owned(), "postgres://ada:swordfish@192.0.2.1/x".to_owned()),
        ("mail.url".to_owned(), "smtp://ada:swordfish@192.0.2.1".to_owned()),
    ]);
    let config = Config::from_values(&values, &limits::setting_keys()).expect("they can be read");
    assert!(!format!("{config:?}").contains("swordfish"));
    for setting in SETTINGS.iter().filter(|s| s.secret) {
        assert_eq!(setting.kind, "Secret", "{}", setting.key);
    }
}

#[test]
fn every_limit_has_defaults_that_can_be_read_and_counts_for_somebody() {
    let wires: BTreeSet<&str> = Limit::ALL.iter().map(|l| l.wire()).collect();
    assert_eq!(wires.len(), Limit::ALL.len());
    for limit in Limit::ALL {
        let rates: Vec<_> = Scope::ALL.iter().flat_map(|scope| parse_rates(limit.default(*scope)).expect("a rate")).collect();
        assert!(!rates.is_empty(), "{} limits nobody", limit.wire());
        assert!(limit.sentence().ends_with('.'), "{}", limit.wire());
    }
}

/// The ways to change something without an event are few, and adding one shows here.
#[test]
fn the_reasons_of_housekeeping_are_these() {
    let reasons: Vec<String> = Housekeeping::ALL.iter().map(|r| format!("{r:?}")).collect();
    assert_eq!(reasons, ["SessionSeen", "Limits", "Queue", "Refusals", "Expiry", "Holds", "Challenges", "Seals"]);
}
