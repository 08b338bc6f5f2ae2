//! The facts that every mail begins with: what, when, from where, with what; and texts of others, made safe to repeat.

use std::time::Duration;

use serde_json::Value;

use super::{Fact, Story, offer};
use crate::accounts::history;
use crate::events::{Audience, Kind, Private};
use crate::places;

/// How much of a text that somebody else chose is repeated in a mail, in characters.
const FOREIGN_MOST: usize = 200;

/// The sentence of an event with its fields filled in: what a person reads.
#[must_use]
pub fn tell(kind: Kind, detail: &Value) -> String {
    let mut says = String::new();
    let mut rest = kind.says();
    while let Some((before, after)) = rest.split_once('{') {
        let (field, after) = after.split_once('}').unwrap_or((after, ""));
        says.push_str(before);
        says.push_str(&field_text(detail.get(field)));
        rest = after;
    }
    says + rest
}

fn field_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => one_line(history::words(text)),
        Some(Value::Null) | None => String::new(),
        Some(other) => one_line(&other.to_string()),
    }
}

/// A text that somebody else chose, on one line and bounded.
pub(super) fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(FOREIGN_MOST).collect();
    if text.chars().count() > FOREIGN_MOST { format!("{clean}...") } else { clean }
}

/// How long something works, in words.
pub(super) fn lasting(time: Duration) -> String {
    match (time.as_secs() / 3600, time.as_secs() / 60) {
        (0, minutes) => format!("{minutes} minutes"),
        (1, _) => "one hour".to_owned(),
        (hours, _) if hours > 48 && hours % 24 == 0 => format!("{} days", hours / 24),
        (hours, _) => format!("{hours} hours"),
    }
}

impl Story<'_> {
    /// What, when, from where, with what; and the account or project when it is not plain from that.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![
            Fact { name: "What", says: tell(self.kind, &self.detail) },
            Fact { name: "When", says: self.event.at.in_words() },
            Fact { name: "From where", says: self.whence() },
        ];
        let mut add = |name, says| facts.push(Fact { name, says });
        if let Some(with) = self.with() {
            add("With", with);
        }
        if let Some(address) = self.address() {
            add("Address", address);
        }
        if let Some(project) = &self.project {
            add("Project", project.name.clone());
        }
        // A change that waits says itself whom it is about; the account of who reads it is another one.
        let of_others =
            self.kind.audience() == Audience::Concerned && self.subject.is_none() && self.event.account_id != Some(self.reader.id);
        if !of_others && !matches!(self.kind.audience(), Audience::Owners | Audience::OwnersAndSubject | Audience::Administrators) {
            add("Account", self.subject.as_ref().unwrap_or(&self.reader).username.clone());
        }
        facts
    }

    /// Whether the account that reads it is the one that acted.
    fn is_own(&self) -> bool {
        self.event.actor_account_id == Some(self.reader.id)
    }

    /// Whether it is about a project, or told to others than the account that it happened to.
    fn is_shared(&self) -> bool {
        self.event.project_id.is_some() || !matches!(self.kind.audience(), Audience::Account | Audience::Addressee)
    }

    /// Whether an administrator did it to somebody else: the trail names them, the mail does not.
    fn is_by_staff(&self) -> bool {
        self.other.is_some() && offer::is_of_staff(&self.event)
    }

    /// Networks are for the actor and for whom it happened to, never for co-owners (R27).
    fn whence(&self) -> String {
        let actor = self.event.actor.as_str();
        if let Some(operator) = actor.strip_prefix("operator:") {
            return format!("the shell of the index, by the operator {}", one_line(operator));
        }
        if actor.starts_with("worker:") {
            return "the index itself".to_owned();
        }
        if self.is_by_staff() {
            return format!("an administrator of {}", self.env.config.name);
        }
        if let Some(other) = &self.other {
            let network = if self.is_shared() || self.kind == Kind::KnownAddressAdded { None } else { self.network() };
            return format!("the account {}{}", other.username, network.map(|n| format!(", {n}")).unwrap_or_default());
        }
        if self.is_shared() && !self.is_own() && self.kind.audience() != Audience::Administrators {
            return "the link of a notice".to_owned();
        }
        let network = self.network().unwrap_or_else(|| "an unknown place".to_owned());
        if self.is_own() && self.is_shared() { format!("you, {network}") } else { network }
    }

    /// What was shown for it, and the agent: which is free text, so that only the actor himself gets it (R31).
    fn with(&self) -> Option<String> {
        let what = history::credential(&self.event.credential).map(str::to_owned);
        let agent = self.private.as_ref().and_then(|p| p.agent.as_deref());
        // A half-open sign-in may be a thief's: what his browser calls itself is free text, and is said in our words only (R31).
        let raw = self.is_own() && self.event.credential != "half_session";
        let agent = if raw { agent.map(one_line) } else { agent.filter(|_| !self.is_shared()).and_then(places::browser) };
        if self.is_by_staff() || self.event.actor.contains(':') || (self.is_shared() && self.event.actor == "nobody") {
            return None;
        }
        match (what, agent) {
            (Some(what), Some(agent)) => Some(format!("{what}, {agent}")),
            (what, agent) => what.or(agent),
        }
    }

    /// The address that it is about, for its own account alone.
    fn address(&self) -> Option<String> {
        if self.is_shared() || self.subject.is_some() || self.kind.audience() == Audience::Addressee {
            return None;
        }
        self.private.as_ref()?.address.as_deref().map(one_line)
    }

    fn network(&self) -> Option<String> {
        let Private { network, .. } = self.private.as_ref()?;
        network.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sentence_has_its_fields_filled_in() {
        let detail = json!({ "token": "1", "description": "CI", "scope": "entire account" });
        assert_eq!(tell(Kind::TokenAdded, &detail), "The API token “CI” (entire account) was created.");
        assert_eq!(tell(Kind::RecoveryCodesGenerated, &json!({ "count": 8 })), "8 recovery codes were made.");
    }

    #[test]
    fn a_description_cannot_begin_a_line_of_its_own_or_fill_the_mail() {
        let detail = json!({ "reason": format!("a\r\n\r\nFrom where: the moon\n{}", "x".repeat(1000)) });
        let told = tell(Kind::AccountFrozen, &detail);
        assert!(told.lines().count() == 1 && told.chars().count() < 250, "{told}");
    }

    #[test]
    fn a_field_that_looks_like_a_field_is_not_filled_again() {
        let detail = json!({ "description": "{scope}", "scope": "secret" });
        assert_eq!(tell(Kind::TokenRemoved, &detail), "The API token “{scope}” was deleted.");
    }

    #[test]
    fn every_sentence_of_the_table_names_only_fields_of_its_kind() {
        for kind in Kind::ALL {
            let mut rest = kind.says();
            while let Some((_, after)) = rest.split_once('{') {
                let (field, after) = after.split_once('}').unwrap_or_else(|| panic!("{} has an open brace", kind.name()));
                assert!(kind.fields().iter().any(|(name, _)| *name == field), "{} has no field {field}", kind.name());
                rest = after;
            }
        }
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        for (hours, said) in [(1, "one hour"), (24, "24 hours"), (72, "3 days"), (7 * 24, "7 days"), (30, "30 hours")] {
            assert_eq!(lasting(Duration::from_secs(hours * 3600)), said);
        }
        assert_eq!(lasting(Duration::from_secs(600)), "10 minutes");
    }
}
