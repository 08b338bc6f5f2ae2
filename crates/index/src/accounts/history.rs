//! The account's own security history, in plain words. Networks and agents are shown of its own acts and of strangers' tries only (R27).

use sea_orm::Condition;

use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::events;
use crate::env::Env;
use crate::events::reading::{self, Part};
use crate::events::{Kind, Private, open_private};
use crate::policy::{Permit, SeeAccount};
use crate::refused::Refused;

/// How many events stand on a page.
pub const PAGE: usize = 50;

/// An event in plain words.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the trail.
    pub seq: i64,
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub sentence: String,
    /// What was shown for it, in plain words.
    pub credential: Option<&'static str>,
    /// Where from and with what, where this account may see it.
    pub private: Option<Private>,
    /// Whether it was a refusal.
    pub refused: bool,
}

/// One page of the history, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events.
    pub lines: Vec<Line>,
    /// Where the next page begins: events before this one.
    pub before: Option<i64>,
}

/// Reads one page: what the account did, and what was done to it.
///
/// # Errors
/// The database, or a sealed field that does not open.
pub async fn page<R: Reading>(env: &Env, read: &R, permit: &Permit<SeeAccount>, before: Option<i64>) -> Result<Page, Refused> {
    let account = *permit.on();
    let part = Part::Before(before.unwrap_or(i64::MAX));
    let most = u64::try_from(PAGE + 1).unwrap_or(u64::MAX);
    let mut rows = reading::some(read, &Condition::all(), Some(account), (part, most)).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let before = rows.last().filter(|_| more).map(|row| row.seq);
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        // What somebody did about a project is theirs, also with a link that names nobody.
        let mine = row.actor_account_id == Some(account) || (row.actor == "nobody" && row.project_id.is_none());
        let private = if mine { open_private(env, read, row.id).await? } else { None };
        lines.push(line(row, private));
    }
    Ok(Page { lines, before })
}

fn line(row: events::Model, private: Option<Private>) -> Line {
    let sentence = Kind::from_wire(&row.kind).map_or_else(|| row.kind.clone(), |kind| sentence(kind, &row.detail));
    let refused = ["failure", "refused", "attempt"].iter().any(|word| row.kind.ends_with(word));
    Line { seq: row.seq, at: row.at, sentence, credential: credential(&row.credential), private, refused }
}

/// Fills the fields of an event into the sentence of its kind.
#[must_use]
pub fn sentence(kind: Kind, detail: &str) -> String {
    let detail: serde_json::Value = serde_json::from_str(detail).unwrap_or_default();
    kind.fields().iter().fold(kind.says().to_owned(), |text, (field, _)| {
        let value = match &detail[*field] {
            serde_json::Value::String(text) => words(text).to_owned(),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        text.replace(&format!("{{{field}}}"), &value)
    })
}

/// The plain words for a kind of proof.
#[must_use]
pub fn words(value: &str) -> &str {
    match value {
        "totp" => "an authenticator app",
        "password" => "a password alone",
        "recovery_code" => "a recovery code",
        "webauthn" => "a security key or passkey",
        other => other,
    }
}

/// The plain words for a kind of credential.
#[must_use]
pub fn credential(wire: &str) -> Option<&'static str> {
    Some(match wire {
        "mail_link" => "the link of a mail",
        "half_session" => "a password",
        "session" | "fresh_session" | "step_up" => "a session",
        "take_back" => "the proofs of a take-back",
        "api_token" => "an API token",
        "operator" => "the machine's shell",
        "worker" => "the index itself",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_sentence_and_none_is_left_open() {
        assert_eq!(sentence(Kind::SignedIn, r#"{"factor":"totp"}"#), "Signed in with an authenticator app.");
        assert_eq!(sentence(Kind::AccountThawed, r#"{"reason":"done","causes":2}"#), "The account was thawed: done.");
        for kind in Kind::ALL {
            let text = sentence(*kind, "{}");
            assert!(!text.contains('{'), "{text}");
        }
    }
}
