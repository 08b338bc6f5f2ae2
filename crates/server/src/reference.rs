//! The six tables as text and JSON: what `strongroom tables` prints and `docs/reference/` holds.

use index::config::SETTINGS;
use index::events::{Audience, Kind};
use index::limits::{Limit, Scope};
use index::policy::{ActionName, Leaves};
use index::queue::JobKind;
use index::signin::ends;
use serde_json::{Value, json};

use crate::routes;

/// A table: its name, what it says, its columns and rows.
#[derive(Debug)]
pub struct Table {
    /// File name of its reference page, without ending.
    pub name: &'static str,
    title: &'static str,
    says: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// As a page of the reference.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n{} Written by `strongroom tables {}`.\n\n", self.title, self.says, self.name);
        out += &format!("| {} |\n|{}\n", self.columns.join(" | "), "---|".repeat(self.columns.len()));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(cell).collect();
            out += &format!("| {} |\n", cells.join(" | "));
        }
        out
    }
    /// As a list of objects whose keys are the columns.
    #[must_use]
    pub fn json(&self) -> Value {
        let object =
            |row: &Vec<Value>| self.columns.iter().map(|c| (*c).to_owned()).zip(row.iter().cloned()).collect::<serde_json::Map<_, _>>();
        Value::Array(self.rows.iter().map(|row| Value::Object(object(row))).collect())
    }
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    text.replace('|', "\\|").replace('\n', " ")
}

/// TABLE 2.
#[must_use]
pub fn routes() -> Table {
    let row = |r: &crate::gate::Route| {
        let kinds: Vec<&str> = r.accepts.iter().map(index::policy::Credential::name).collect();
        vec![
            json!(r.method.as_str()),
            json!(r.path),
            json!(r.face.name()),
            json!(kinds),
            json!(r.action.wire()),
            json!(r.limit.map(Limit::wire)),
        ]
    };
    Table {
        name: "routes",
        title: "Routes",
        says: "Every door of the index: what is not here does not exist.",
        columns: vec!["method", "path", "face", "credentials", "action", "limit"],
        rows: routes::table().iter().map(row).collect(),
    }
}

/// TABLE 1.
#[must_use]
pub fn actions() -> Table {
    let row = |a: &ActionName| {
        let kinds: Vec<&str> = a.ceiling().iter().map(index::policy::Credential::name).collect();
        let leaves = match a.leaves() {
            Leaves::Events(kinds) => json!(kinds),
            Leaves::ReadsOnly => json!("reads only"),
        };
        let words = |list: Vec<String>| json!(list);
        vec![
            json!(a.wire()),
            json!(a.resource()),
            words(a.needs().iter().map(|r| format!("{r:?}")).collect()),
            words(a.gates().iter().map(|g| format!("{g:?}")).collect()),
            json!(a.direction().wire()),
            json!(format!("{:?}", a.proof())),
            json!(kinds),
            leaves,
            json!(a.sentence()),
        ]
    };
    Table {
        name: "actions",
        title: "Actions",
        says: "Everything that can be done: on what, by whom, with what, and what it leaves in the audit trail.",
        columns: vec!["action", "on", "needs", "gates", "direction", "proof", "at most", "leaves", "what it does"],
        rows: ActionName::ALL.iter().map(row).collect(),
    }
}

/// TABLE 3.
#[must_use]
pub fn events() -> Table {
    let row = |k: &Kind| {
        let told = match k.audience() {
            Audience::Nobody(why) => format!("nobody: {why}"),
            Audience::Addressee => "the address that it is about".to_owned(),
            Audience::Account => "every address of the account".to_owned(),
            Audience::Owners => "all owners of the project".to_owned(),
            Audience::OwnersAndSubject => "all owners of the project, and the account that it is about".to_owned(),
            Audience::Administrators => "all administrators".to_owned(),
            Audience::Concerned => "everybody concerned by the hold".to_owned(),
        };
        let fields: Vec<String> = k.fields().iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        vec![json!(k.wire()), json!(k.name()), json!(fields), json!(told), json!(k.sentence())]
    };
    Table {
        name: "events",
        title: "Events",
        says: "Every kind of row in the audit trail, and who is told.",
        columns: vec!["kind", "type", "fields", "told", "what happened"],
        rows: Kind::ALL.iter().map(row).collect(),
    }
}

/// TABLE 4.
#[must_use]
pub fn jobs() -> Table {
    let row = |k: &JobKind| {
        let tries = if k.tries() == 0 { json!("until it works") } else { json!(k.tries()) };
        let every = k.every().map(|every| humantime::format_duration(every).to_string());
        vec![json!(k.wire()), tries, json!(every), json!(k.key()), json!(k.sentence())]
    };
    Table {
        name: "jobs",
        title: "Jobs",
        says: "Everything that happens later or by itself.",
        columns: vec!["job", "tries", "every", "made once by", "what it does"],
        rows: JobKind::ALL.iter().map(row).collect(),
    }
}

/// TABLE 5.
#[must_use]
pub fn settings() -> Table {
    let row = |s: &index::config::Setting| {
        let environment = format!("STRONGROOM_{}", s.key.to_uppercase().replace('.', "__"));
        vec![json!(s.key), json!(environment), json!(s.kind), json!(s.default), json!(if s.secret { "yes" } else { "" }), json!(s.sentence)]
    };
    Table {
        name: "settings",
        title: "Settings",
        says: "Every setting: in `strongroom.toml` (`[section]`, then `name`), in the environment, or as a flag.",
        columns: vec!["key", "environment", "type", "default", "secret", "what it is"],
        rows: SETTINGS.iter().map(row).collect(),
    }
}

/// TABLE 6.
#[must_use]
pub fn limits() -> Table {
    let row = |l: &Limit| {
        let rate = |scope| match l.default(scope) {
            "" => json!("off"),
            rate => json!(rate),
        };
        let counts = if l.counts_every() { "every request" } else { "failures" };
        vec![json!(l.wire()), rate(Scope::Account), rate(Scope::Network), rate(Scope::Index), json!(counts), json!(l.sentence())]
    };
    Table {
        name: "limits",
        title: "Limits",
        says: "Every limit with its defaults; each is a setting `limits.NAME.account`, `.network` or `.index`, written like `5/5m 20/1h`, or `off`.",
        columns: vec!["limit", "account", "network", "index", "counts", "of what"],
        rows: Limit::ALL.iter().map(row).collect(),
    }
}

/// What each act ends.
#[must_use]
pub fn ends() -> Table {
    let row = |r: &ends::Row| {
        let fates = [r.here, r.sessions, r.devices, r.attempts, r.resets, r.tokens];
        std::iter::once(json!(r.says)).chain(fates.iter().map(|fate| json!(fate.word()))).collect()
    };
    Table {
        name: "ends",
        title: "What ends what",
        says: "What each act does to sessions, remembered browsers, half-open logins, links and API tokens; a test does each act and looks.",
        columns: vec![
            "when",
            "this session",
            "the session named, or all others",
            "other remembered browsers",
            "half-open logins",
            "links to choose a new password",
            "API tokens",
        ],
        rows: ends::TABLE.iter().map(row).collect(),
    }
}
