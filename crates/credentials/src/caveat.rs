//! What a token's caveats say: JSON arrays `[tag, …]`.
//!
//! Tags 0 to 3 are PyPI's, spelled as pypitoken spells them; ours begin at 100.
//! What is not understood narrows in a way we cannot honour, so it refuses.
//! Whether a caveat holds is decided by whoever knows the upload.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

const VALIDITY: i64 = 0;
const PROJECT_NAMES: i64 = 1;
const PROJECT_IDS: i64 = 2;
const ACCOUNT: i64 = 3;
const ACTIONS: i64 = 100;
const NETWORKS: i64 = 101;

/// One condition on a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// Good from `not_before_s` on and before `expires_at_s`, seconds since
    /// 1970, UTC.
    Validity {
        /// The first second it is good.
        not_before_s: i64,
        /// The first second it is no longer good.
        expires_at_s: i64,
    },
    /// Good for the projects of these names, as written in the token.
    ProjectNames(Vec<String>),
    /// Good for the projects of these ids.
    ProjectIds(Vec<Uuid>),
    /// Good for this account only.
    Account(Uuid),
    /// Good for these actions, such as `upload`.
    Actions(Vec<String>),
    /// Good from these networks.
    Networks(Vec<IpNet>),
}

/// Why a caveat cannot be honoured, as a sentence for the token's holder.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CaveatRefused {
    /// It is not a JSON array that begins with a whole number.
    #[error("a caveat is not a JSON array that begins with its number")]
    NotTagged,
    /// This index knows no caveat of this number.
    #[error("this index does not know caveat {0}")]
    Unknown(i64),
    /// The number is known and what follows is not its form.
    #[error("caveat {tag} is not of the form {form}")]
    Shape {
        /// Its number.
        tag: i64,
        /// The form it has to have.
        form: &'static str,
    },
}

impl Caveat {
    /// Reads one caveat of a token.
    pub fn parse(bytes: &[u8]) -> Result<Self, CaveatRefused> {
        let Ok(Value::Array(items)) = serde_json::from_slice(bytes) else {
            return Err(CaveatRefused::NotTagged);
        };
        let (tag, values) = items.split_first().and_then(|(tag, values)| Some((tag.as_i64()?, values))).ok_or(CaveatRefused::NotTagged)?;
        let (form, read): (&'static str, Reader) = match tag {
            VALIDITY => ("[0, expires_at, not_before]", validity),
            PROJECT_NAMES => (r#"[1, ["project-name"]]"#, project_names),
            PROJECT_IDS => (r#"[2, ["project id"]]"#, project_ids),
            ACCOUNT => (r#"[3, "account id"]"#, account),
            ACTIONS => (r#"[100, ["upload"]]"#, actions),
            NETWORKS => (r#"[101, ["192.0.2.0/24"]]"#, networks),
            _ => return Err(CaveatRefused::Unknown(tag)),
        };
        read(values).ok_or(CaveatRefused::Shape { tag, form })
    }

    /// The caveat as JSON, byte for byte as Python's `json.dumps` writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = match self {
            Self::Validity { not_before_s, expires_at_s } => format!("[{VALIDITY}, {expires_at_s}, {not_before_s}]"),
            Self::ProjectNames(names) => list(PROJECT_NAMES, names),
            Self::ProjectIds(ids) => list(PROJECT_IDS, ids),
            Self::Account(id) => format!("[{ACCOUNT}, {}]", quoted(&id.to_string())),
            Self::Actions(actions) => list(ACTIONS, actions),
            Self::Networks(networks) => list(NETWORKS, networks),
        };
        text.into_bytes()
    }
}

/// Reads what follows a number; `None` for another form.
type Reader = fn(&[Value]) -> Option<Caveat>;

fn validity(values: &[Value]) -> Option<Caveat> {
    let [expires_at, not_before] = values else {
        return None;
    };
    Some(Caveat::Validity { not_before_s: not_before.as_i64()?, expires_at_s: expires_at.as_i64()? })
}

fn project_names(values: &[Value]) -> Option<Caveat> {
    strings(values).map(Caveat::ProjectNames)
}

fn project_ids(values: &[Value]) -> Option<Caveat> {
    let ids: Option<_> = strings(values)?.iter().map(|text| id(text)).collect();
    ids.map(Caveat::ProjectIds)
}

fn account(values: &[Value]) -> Option<Caveat> {
    let [Value::String(text)] = values else {
        return None;
    };
    id(text).map(Caveat::Account)
}

fn actions(values: &[Value]) -> Option<Caveat> {
    strings(values).map(Caveat::Actions)
}

fn networks(values: &[Value]) -> Option<Caveat> {
    let networks: Option<_> = strings(values)?.iter().map(|text| network(text)).collect();
    networks.map(Caveat::Networks)
}

fn strings(values: &[Value]) -> Option<Vec<String>> {
    let [Value::Array(items)] = values else {
        return None;
    };
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Only lower-case with hyphens: pypitoken refuses every other spelling.
fn id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.to_string() == text).then_some(id)
}

/// Only a network as such: `192.0.2.7/24` leaves open which of two was meant.
fn network(text: &str) -> Option<IpNet> {
    let network: IpNet = text.parse().ok()?;
    let address: IpAddr = network.addr();
    (address == network.network()).then_some(network)
}

fn list<T: ToString>(tag: i64, items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(&item.to_string())).collect();
    format!("[{tag}, [{}]]", items.join(", "))
}

/// A JSON string of printable ASCII, everything else escaped as UTF-16.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
    out
}
