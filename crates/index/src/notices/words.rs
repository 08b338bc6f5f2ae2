//! What mails say. Each begins with the same three facts: what, when, from where; then what to do.
//!
//! Plain ASCII where we choose the words, so that a kept mail can be read as it lies there.

use std::time::Duration;

use serde_json::Value;
use time::macros::format_description;

use super::{Button, Fact, NoLetter, Story};
use crate::accounts::history;
use crate::accounts::link::Purpose;
use crate::clock::Time;
use crate::events::{Audience, Kind, Private};
use crate::places;
use crate::signin::mailbox;

/// The words of one mail beside its facts.
pub(super) struct Wording {
    pub heading: String,
    pub button: Option<Button>,
    pub code: Option<String>,
    pub paragraphs: Vec<String>,
}

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
        says.push_str(&match detail.get(field) {
            Some(Value::String(factor)) if field == "factor" => history::words(factor).to_owned(),
            other => field_text(other),
        });
        rest = after;
    }
    says + rest
}

fn field_text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => one_line(text),
        Some(Value::Null) | None => String::new(),
        Some(other) => one_line(&other.to_string()),
    }
}

/// A text that somebody else chose, on one line and bounded.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(FOREIGN_MOST).collect();
    if text.chars().count() > FOREIGN_MOST { format!("{clean}...") } else { clean }
}

fn when(at: Time) -> String {
    let shape = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute]:[second] UTC");
    at.calendar().format(shape).expect("every part of the shape is part of a calendar date")
}

/// How long something works, in words.
fn lasting(time: Duration) -> String {
    match (time.as_secs() / 3600, time.as_secs() / 60) {
        (0, minutes) => format!("{minutes} minutes"),
        (1, _) => "one hour".to_owned(),
        (hours, _) => format!("{hours} hours"),
    }
}

impl Story<'_> {
    /// What, when, from where; and the account or project when it is not plain from that.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![
            Fact { name: "What", says: tell(self.kind, &self.detail) },
            Fact { name: "When", says: when(self.event.at) },
            Fact { name: "From where", says: self.whence() },
        ];
        if let Some(project) = &self.project {
            facts.push(Fact { name: "Project", says: project.name.clone() });
        }
        if self.kind.audience() != Audience::Owners {
            facts.push(Fact { name: "Account", says: self.reader.username.clone() });
        }
        facts
    }

    /// Networks and agents are for the actor and for whom it happened to, never for co-owners (R27); the agent, which is
    /// free text, only for the actor himself (R31).
    fn whence(&self) -> String {
        let actor = self.event.actor.as_str();
        if let Some(operator) = actor.strip_prefix("operator:") {
            return format!("the shell of the index, by the operator {}", one_line(operator));
        }
        if actor.starts_with("worker:") {
            return "the index itself".to_owned();
        }
        let with = if self.event.credential == "api_token" { " with an API token" } else { "" };
        let shared = self.kind.audience() == Audience::Owners;
        if let Some(other) = &self.other {
            let network = if shared { None } else { self.network() };
            return format!("the account {}{with}{}", other.username, network.map(|n| format!(", {n}")).unwrap_or_default());
        }
        let network = self.network().unwrap_or_else(|| "an unknown place".to_owned());
        let own = self.event.actor_account_id == Some(self.reader.id);
        // A half-open sign-in may be a thief's: what his browser calls itself is free text, and is said in our words only (R31).
        let raw = own && self.event.credential != "half_session";
        let agent = self.private.as_ref().and_then(|p| p.agent.as_deref());
        let agent = if raw { agent.map(str::to_owned) } else { agent.and_then(places::browser) };
        let you = if own && shared { format!("you{with}, ") } else { String::new() };
        let agent = agent.map(|agent| format!(" ({})", one_line(&agent))).unwrap_or_default();
        format!("{you}{network}{agent}")
    }

    fn network(&self) -> Option<String> {
        let Private { network, .. } = self.private.as_ref()?;
        network.clone()
    }

    fn link(&self, path: &str) -> String {
        self.env.config.link(path)
    }

    fn secret(&self) -> Result<&str, NoLetter> {
        let secret = self.secret.map(credentials::secret::Secret::expose);
        secret.ok_or_else(|| NoLetter::Gone(format!("the mail about event {} has lost its secret", self.event.id)))
    }

    fn token_button(&self, label: &'static str, path: &str) -> Result<Option<Button>, NoLetter> {
        let link = self.link(&format!("{path}?token={}", self.secret()?));
        Ok(Some(Button { label, link }))
    }
}

/// The words for this story.
pub(super) fn of(story: &Story<'_>) -> Result<Wording, NoLetter> {
    match story.kind {
        Kind::AccountCreated if story.event.actor.starts_with("operator:") => Ok(made_for_you()),
        Kind::AccountCreated | Kind::VerificationSent => verify(story),
        Kind::KnownAddressRegistered => Ok(known_address(story)),
        Kind::PasswordResetRequested => reset(story),
        Kind::MailboxCodeSent => code(story),
        Kind::ConfirmationSent => confirm(story),
        _ => Ok(notice(story)),
    }
}

fn verify(story: &Story<'_>) -> Result<Wording, NoLetter> {
    Ok(Wording {
        heading: "Verify your address".to_owned(),
        button: story.token_button("Verify this address", "/account/verify-email/")?,
        code: None,
        paragraphs: vec![
            format!(
                "The link works once, for {}. It opens a page with one button. Open it in the browser in which you are signed in: there it also counts as a fresh proof of your mailbox.",
                lasting(Purpose::VerifyEmail.lifetime())
            ),
            format!("If this was not you: do nothing. Without this link nobody can do anything on {} in your name.", story.env.config.name),
        ],
    })
}

fn made_for_you() -> Wording {
    Wording {
        heading: "An account was made for you".to_owned(),
        button: None,
        code: None,
        paragraphs: vec![
            format!(
                "The operator who made it gives you a link with which you choose your password. The link works once, for {}; ask for a new one when it is too old.",
                lasting(Purpose::SetUp.lifetime())
            ),
            "If you do not expect this: do nothing. Without that link the account can do nothing.".to_owned(),
        ],
    }
}

fn known_address(story: &Story<'_>) -> Wording {
    Wording {
        heading: "Somebody tried to register with your address".to_owned(),
        button: Some(Button { label: "Choose a new password", link: story.link("/account/request-password-reset/") }),
        code: None,
        paragraphs: vec![
            format!("Whoever tried cannot use your address, and was not told that you have an account: it is {}.", story.reader.username),
            "If this was you: sign in with that name. If you have forgotten the password, ask for a link to choose a new one.".to_owned(),
            "If this was not you: do nothing. Your account is as it was.".to_owned(),
        ],
    }
}

fn reset(story: &Story<'_>) -> Result<Wording, NoLetter> {
    Ok(Wording {
        heading: "Choose a new password".to_owned(),
        button: story.token_button("Choose a new password", "/account/reset-password/")?,
        code: None,
        paragraphs: vec![
            format!(
                "The link works once, for {}. Your second factor stays as it is and is still asked for.",
                lasting(Purpose::ResetPassword.lifetime())
            ),
            "If this was not you: do nothing. Your password stays as it is. Give the link to nobody.".to_owned(),
        ],
    })
}

/// The browser in our own words only: what it calls itself is a stranger's text (R31).
fn confirm(story: &Story<'_>) -> Result<Wording, NoLetter> {
    let agent = story.private.as_ref().and_then(|p| p.agent.as_deref());
    let browser = agent.and_then(places::browser).unwrap_or_else(|| "a browser that does not say what it is".to_owned());
    let place = story.network().and_then(|network| story.env.places.of(&network));
    let place = place.map(|place| format!(", in {place}")).unwrap_or_default();
    Ok(Wording {
        heading: "Is this you signing in?".to_owned(),
        button: story.token_button("Look at this sign-in", "/account/confirm-login/")?,
        code: None,
        paragraphs: vec![
            format!(
                "The sign-in came from {browser}{place}. It waits for you to open the link in that same browser and to press the button there."
            ),
            format!(
                "The link works once, for {}, and only where the sign-in began: opened elsewhere it signs nobody in.",
                lasting(Purpose::ConfirmLogin.lifetime())
            ),
            format!(
                "If this was not you: somebody has your password, and what else the first line names. Nobody is signed in. Change the password now, at {}",
                story.link("/account/request-password-reset/")
            ),
        ],
    })
}

fn code(story: &Story<'_>) -> Result<Wording, NoLetter> {
    let place = story.env.config.token_location();
    Ok(Wording {
        heading: "The code for your mailbox".to_owned(),
        button: None,
        code: Some(story.secret()?.to_owned()),
        paragraphs: vec![
            format!(
                "Type it only where you began: on {place}, in the browser in which you are signed in as {}. It proves that you read this mailbox, and leads to recovery codes and a second factor. It is good for {}.",
                story.reader.username,
                lasting(mailbox::LIFETIME)
            ),
            format!(
                "Nobody who works on {} asks for it. Whoever asks you for it, by telephone, by mail or on another page, wants your account.",
                story.env.config.name
            ),
            format!(
                "If this was not you: somebody is signed in with your password. Choose a new one at {}",
                story.link("/account/request-password-reset/")
            ),
        ],
    })
}

/// What happened, and what to do if it should not have.
fn notice(story: &Story<'_>) -> Wording {
    let project = story.project.as_ref().map_or("", |p| p.name.as_str());
    let heading = match story.kind {
        Kind::AccountSetUp => "Your account is set up".to_owned(),
        Kind::PasswordReset => "A new password was chosen".to_owned(),
        Kind::RecoveryCodesGenerated => "Recovery codes were made".to_owned(),
        Kind::FactorAdded => "A second factor was added".to_owned(),
        Kind::PasswordChanged => "Your password was changed".to_owned(),
        Kind::SignedInNewDevice => "A sign-in from a new browser".to_owned(),
        Kind::SignedInAfterFailures => "A sign-in after many failures".to_owned(),
        Kind::WrongFactor => "Somebody has your password".to_owned(),
        Kind::SessionEnded => "A session was ended".to_owned(),
        Kind::OtherSessionsEnded => "Your other sessions were ended".to_owned(),
        Kind::TokenAdded => "An API token was created".to_owned(),
        Kind::TokenRemoved => "An API token was deleted".to_owned(),
        Kind::AccountFrozen => "Your account was frozen".to_owned(),
        Kind::AccountThawed => "Your account was thawed".to_owned(),
        Kind::FileUploaded => format!("{project}: a file was uploaded"),
        _ => one_line(story.kind.sentence()).trim_end_matches('.').to_owned(),
    };
    let (button, paragraphs) = what_to_do(story);
    Wording { heading, button, code: None, paragraphs }
}

fn what_to_do(story: &Story<'_>) -> (Option<Button>, Vec<String>) {
    let index = &story.env.config.name;
    let tokens = || Some(Button { label: "Look at your API tokens", link: story.link("/manage/account/token/") });
    let history = || Some(Button { label: "Look at the history of your account", link: story.link("/manage/account/security-history/") });
    let password = story.link("/account/request-password-reset/");
    let ask = format!("ask the people who run {index} to freeze the account");
    match story.kind {
        Kind::AccountFrozen => (
            None,
            vec![
                "Nobody can act with this account: its sessions and API tokens do nothing until it is thawed. Nothing of it was deleted."
                    .to_owned(),
                format!("If you do not know why: ask the people who run {index}."),
            ],
        ),
        Kind::AccountThawed => (
            history(),
            vec![
                "The account works again, with the sessions and API tokens that it had.".to_owned(),
                format!("If you do not know why it was frozen: ask the people who run {index}."),
            ],
        ),
        Kind::PasswordReset => (
            history(),
            vec![
                "All sessions of the account were ended.".to_owned(),
                format!(
                    "If this was not you: somebody else reads your mailbox. Secure the mailbox first, then choose another password at {password} and {ask}."
                ),
            ],
        ),
        Kind::SignedInNewDevice | Kind::SignedInAfterFailures | Kind::SessionEnded | Kind::OtherSessionsEnded => (
            Some(Button { label: "Look at your sessions", link: story.link("/manage/account/sessions/") }),
            vec![format!("If this was not you: end the sessions that you do not know, choose a new password at {password} and {ask}.")],
        ),
        Kind::WrongFactor => (
            history(),
            vec![
                "Nobody was signed in. If you mistyped the code yourself, there is nothing to do.".to_owned(),
                format!("If this was not you: somebody knows your password. Choose a new one at {password}"),
            ],
        ),
        Kind::TokenAdded | Kind::TokenRemoved => (
            tokens(),
            vec![format!("If this was not you: delete the tokens that you do not know, choose a new password at {password} and {ask}.")],
        ),
        Kind::FileUploaded => (
            Some(Button {
                label: "Look at the project",
                link: story.link(&format!("/project/{}/", story.project.as_ref().map_or("", |p| p.normalized.as_str()))),
            }),
            vec![format!(
                "If no owner or maintainer of the project did this: delete the API token that was used, at {}, and {ask} that uploaded it.",
                story.link("/manage/account/token/")
            )],
        ),
        _ => (history(), vec![format!("If this was not you: choose a new password at {password} and {ask}.")]),
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
}
