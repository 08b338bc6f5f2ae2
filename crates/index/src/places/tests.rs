//! A small database, written here by hand after the format's specification (MaxMind DB 2.0), and files that are none.

use std::collections::BTreeMap;
use std::fs;

use super::*;

/// A value of the data section.
enum Value {
    Text(&'static str),
    Short(u16),
    Number(u32),
    Long(u64),
    Map(Vec<(&'static str, Value)>),
    List(Vec<Value>),
}

/// Control byte (and an extended one for lists and long numbers), then the payload. Sizes below 29 only: more is not needed here.
fn write(out: &mut Vec<u8>, value: &Value) {
    let control = |kind: u8, size: usize| {
        assert!(size < 29);
        (kind << 5) | u8::try_from(size).unwrap()
    };
    match value {
        Value::Text(text) => {
            out.push(control(2, text.len()));
            out.extend(text.as_bytes());
        }
        Value::Short(number) => {
            out.push(control(5, 2));
            out.extend(number.to_be_bytes());
        }
        Value::Long(number) => {
            out.extend([control(0, 8), 9 - 7]);
            out.extend(number.to_be_bytes());
        }
        Value::Number(number) => {
            out.push(control(6, 4));
            out.extend(number.to_be_bytes());
        }
        Value::Map(fields) => {
            out.push(control(7, fields.len()));
            for (name, value) in fields {
                write(out, &Value::Text(name));
                write(out, value);
            }
        }
        Value::List(items) => {
            out.extend([control(0, items.len()), 11 - 7]);
            items.iter().for_each(|item| write(out, item));
        }
    }
}

fn names(name: &'static str) -> Value {
    Value::Map(vec![("names", Value::Map(vec![("en", Value::Text(name))]))])
}

/// A database of IPv4 in which the upper half of all addresses is at one place, and the lower half at none.
fn database(place: &Value) -> Vec<u8> {
    // One node of two 24-bit records: the lower half leads nowhere (the number of nodes), the upper half to the first datum.
    let nodes = 1_u32;
    let record = |value: u32| value.to_be_bytes()[1..].to_vec();
    let mut out = [record(nodes), record(nodes + 16)].concat();
    out.extend([0; 16]);
    write(&mut out, place);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = Value::Map(vec![
        ("binary_format_major_version", Value::Short(2)),
        ("binary_format_minor_version", Value::Short(0)),
        ("build_epoch", Value::Long(1_700_000_000)),
        ("database_type", Value::Text("Test-City")),
        ("description", Value::Map(vec![("en", Value::Text("written by a test"))])),
        ("ip_version", Value::Short(4)),
        ("languages", Value::List(vec![Value::Text("en")])),
        ("node_count", Value::Number(nodes)),
        ("record_size", Value::Short(24)),
    ]);
    write(&mut out, &metadata);
    out
}

fn opened(bytes: &[u8]) -> anyhow::Result<Places> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.mmdb");
    fs::write(&path, bytes).unwrap();
    Places::open(&path)
}

#[test]
fn a_network_has_the_place_that_the_database_names() {
    let place = Value::Map(vec![("city", names("Delft")), ("country", names("The Netherlands"))]);
    let places = opened(&database(&place)).unwrap();
    assert_eq!(places.of("192.0.2.7").as_deref(), Some("Delft, The Netherlands"));
    assert_eq!(places.of("10.0.0.1"), None, "the lower half is nowhere");
    assert_eq!(places.of("2001:db8::1"), None, "the database knows IPv4 only");
    assert_eq!(places.of("not an address"), None);
}

#[test]
fn a_place_is_one_line_of_a_bounded_length() {
    let place = Value::Map(vec![("country", names("A\r\nB: evil"))]);
    assert_eq!(opened(&database(&place)).unwrap().of("192.0.2.7").as_deref(), Some("AB: evil"));
    let nothing = Value::Map(vec![("continent", names("Europe"))]);
    assert_eq!(opened(&database(&nothing)).unwrap().of("192.0.2.7"), None);
}

#[test]
fn without_a_database_no_place_is_known() {
    assert_eq!(Places::open(Path::new("")).unwrap().of("192.0.2.7"), None);
}

#[test]
fn a_file_that_is_no_database_is_refused_at_the_start_and_named() {
    let good = database(&names("Delft"));
    for bad in [b"".to_vec(), b"not a database".to_vec(), good[..good.len() / 2].to_vec()] {
        assert!(opened(&bad).is_err(), "{} bytes", bad.len());
    }
    let said = Places::open(Path::new("/nowhere/city.mmdb")).unwrap_err().to_string();
    assert!(said.contains("geoip.database") && said.contains("/nowhere/city.mmdb"), "{said}");
}

#[test]
fn a_damaged_entry_is_a_place_that_is_not_known() {
    let mut bytes = database(&Value::Map(vec![("country", names("Delft"))]));
    // The first byte of the datum: a kind that does not exist.
    bytes[6 + 16] = 0xff;
    let places = opened(&bytes).unwrap();
    assert_eq!(places.of("192.0.2.7"), None);
}

#[test]
fn a_browser_is_named_in_our_words_only() {
    let known = BTreeMap::from([
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Some("Firefox 128 on Linux")),
        ("evil\r\nBcc: everybody", None),
        ("<script>alert(1)</script>", None),
        ("", None),
    ]);
    for (agent, words) in known {
        assert_eq!(browser(agent).as_deref(), words, "{agent}");
    }
    let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    assert!(browser(chrome).is_some_and(|words| words.starts_with("Chrome 126 on Windows")));
    let long = format!("Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/{}", "9".repeat(300));
    assert!(browser(&long).is_none_or(|words| words.len() < 60));
}
