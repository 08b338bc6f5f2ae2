//! Minting: what somebody asks for, read strictly, and the row and macaroon that come of it. The token's text leaves once.

use std::time::Duration;

use credentials::caveat::Caveat;
use credentials::macaroon::Macaroon;
use credentials::secret::{Secret, SecretBytes};
use formats::name::ProjectName;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, Value};

use crate::clock::Time;
use crate::db::entities::api_tokens;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, TokenAdded};
use crate::holds::{self, Grant, Passed};
use crate::ids::{AccountId, ActId, HoldId, ProjectId, TokenId};
use crate::policy::{MintToken, Permit};
use crate::refused::{Invalid, Refused};
use crate::signin::acts;

/// The longest description, in characters.
pub const DESCRIPTION_MOST: usize = 100;
/// The longest life that can be chosen, in days.
pub const DAYS_MOST: u32 = 365;

/// What a token is to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every project of the account, those to come included.
    User,
    /// One project.
    Project(ProjectName),
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What it is for, in the words of its maker: 1 to 100 characters.
    pub description: String,
    /// What it opens.
    pub scope: Scope,
    /// After how many days it ends, 1 to 365; `None`: it does not end by itself.
    pub expires_in_days: Option<u32>,
}

/// A token just made.
#[derive(Debug)]
pub struct Minted {
    /// Its row.
    pub id: TokenId,
    /// Its text, which is kept nowhere.
    pub text: Secret,
    /// When it ends.
    pub expires_at: Option<Time>,
    /// The one project that it opens, by its display name.
    pub project: Option<String>,
}

impl NewToken {
    /// Reads the fields of the form.
    ///
    /// # Errors
    /// The first field that cannot be used.
    pub fn read(description: &str, token_scope: &str, expires_in_days: &str) -> Result<Self, Invalid> {
        let description = description.trim();
        let length = description.chars().count();
        if length == 0 || length > DESCRIPTION_MOST || description.chars().any(char::is_control) {
            let message = format!("Say in 1 to {DESCRIPTION_MOST} characters, on one line, what the token is for.");
            return Err(Invalid::new("description", message));
        }
        Ok(Self { description: description.to_owned(), scope: read_scope(token_scope)?, expires_in_days: read_days(expires_in_days)? })
    }
}

fn read_scope(text: &str) -> Result<Scope, Invalid> {
    if text == "scope:user" {
        return Ok(Scope::User);
    }
    let name = text.strip_prefix("scope:project:").and_then(|name| ProjectName::parse(name).ok());
    name.map(Scope::Project).ok_or_else(|| Invalid::new("token_scope", "Choose what the token opens: your account, or one project."))
}

fn read_days(text: &str) -> Result<Option<u32>, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let days = text.parse::<u32>().ok().filter(|days| (1..=DAYS_MOST).contains(days));
    let message = format!("Write a number of days from 1 to {DAYS_MOST}, or leave it empty.");
    days.map(Some).ok_or_else(|| Invalid::new("expires_in_days", message))
}

/// What became of asking for a token.
#[derive(Debug)]
pub enum Asked {
    /// The token.
    Now(Minted),
    /// It waits as this hold (R3); when that was served, the same may be asked once more.
    Held(HoldId),
}

/// Mints a token by the proof that was made for exactly this one (R2), unless R3 makes it wait; `parameters` is the form as it was proved,
/// `description` what a notice says.
///
/// # Errors
/// `NeedsProof` without a proof; `Invalid` when the account holds no role on the project.
pub async fn ask(env: &Env, tx: &mut Tx, permit: &Permit<MintToken>, new: &NewToken, asking: Asking) -> Result<Asked, Refused> {
    let proof = acts::spend(env, tx, permit, asking.act, &asking.parameters).await?;
    if let Scope::Project(name) = &new.scope {
        held_project(tx, *permit.on(), name).await?;
    }
    let grant = Grant { proof, parameters: asking.parameters, description: asking.description };
    match holds::pass(env, tx, permit, grant).await? {
        Passed::Now => Ok(Asked::Now(mint(env, tx, permit, new).await?)),
        Passed::Held(hold) => Ok(Asked::Held(hold)),
    }
}

/// How a token is asked for.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The proof.
    pub act: Option<ActId>,
    /// The form, as the proof is bound to it.
    pub parameters: serde_json::Value,
    /// What it is, in one sentence.
    pub description: String,
}

/// Mints a token for the account of the permit.
///
/// # Errors
/// `Invalid` when the account holds no role on the project; the database.
pub async fn mint(env: &Env, tx: &mut Tx, permit: &Permit<MintToken>, new: &NewToken) -> Result<Minted, Refused> {
    let account = *permit.on();
    let project = match &new.scope {
        Scope::User => None,
        Scope::Project(name) => Some(held_project(tx, account, name).await?),
    };
    let expires_at = new.expires_in_days.map(|days| tx.now().plus(Duration::from_secs(u64::from(days) * 86_400)));
    let caveats = caveats(tx.now(), account, project.as_ref(), expires_at);
    let id = TokenId::new(tx.now(), &*env.entropy);
    let key = fresh_key(env);
    let bare = Macaroon::mint(&key, env.config.token_location(), id.to_string().as_bytes());
    let macaroon = caveats.iter().fold(bare, |macaroon, caveat| macaroon.with_caveat(caveat));
    let stored: Vec<serde_json::Value> = caveats.iter().map(|caveat| serde_json::from_slice(caveat)).collect::<Result<_, _>>()?;
    api_tokens::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        description: Set(new.description.clone()),
        key_sealed: Set(super::seal_key(env, id, account, &key)),
        caveats: Set(serde_json::to_string(&stored)?),
        scope: Set(if project.is_some() { "project" } else { "user" }.to_owned()),
        project_id: Set(project.as_ref().map(|p| p.id)),
        actions: Set(super::UPLOAD.to_owned()),
        expires_at: Set(expires_at),
        last_used_at: Set(None),
        last_used_event: Set(None),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
        stands_for: Set(None),
    }
    .insert(tx.connection())
    .await?;
    let scope = project.as_ref().map_or_else(|| "account".to_owned(), |p| format!("project {}", p.name));
    let event = TokenAdded { token: id.to_string(), description: new.description.clone(), scope };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    Ok(Minted { id, text: macaroon.to_text(&env.config.token_prefix), expires_at, project: project.map(|p| p.name) })
}

/// The project that a token is limited to.
struct Held {
    id: ProjectId,
    name: String,
}

const HELD: &str = "SELECT p.id AS id, p.name AS name FROM projects p JOIN roles r ON r.project_id = p.id \
    WHERE p.normalized = $1 AND r.account_id = $2 AND r.until_at IS NULL";

/// The project, when the account holds a role on it; that it exists is public, but a token for it would open nothing.
async fn held_project(tx: &Tx, account: AccountId, name: &ProjectName) -> Result<Held, Refused> {
    let row = tx.row(HELD, vec![Value::from(name.normalized().as_str()), Value::from(account)]).await?;
    let none = || Invalid::new("token_scope", format!("You hold no role on a project called {}.", name.as_str()));
    let row = row.ok_or_else(none)?;
    Ok(Held { id: row.try_get("", "id")?, name: row.try_get("", "name")? })
}

/// The account always; the project by its id, so that a name made anew never matches; the end, if it has one.
fn caveats(now: Time, account: AccountId, project: Option<&Held>, expires_at: Option<Time>) -> Vec<Vec<u8>> {
    let account = Some(Caveat::Account(account.0));
    let project = project.map(|p| Caveat::ProjectIds(vec![p.id.0]));
    let validity = expires_at.map(|at| Caveat::Validity { not_before_s: now.as_seconds(), expires_at_s: at.as_seconds() });
    [account, project, validity].into_iter().flatten().map(|caveat| caveat.to_bytes()).collect()
}

fn fresh_key(env: &Env) -> SecretBytes {
    let mut key = vec![0; 32];
    env.entropy.fill(&mut key);
    SecretBytes::new(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_of(description: &str, scope: &str, days: &str) -> &'static str {
        NewToken::read(description, scope, days).unwrap_err().field
    }

    #[test]
    fn a_form_that_cannot_be_used_names_its_field() {
        for description in ["", "  ", &"x".repeat(101), "two\nlines"] {
            assert_eq!(field_of(description, "scope:user", ""), "description", "{description:?}");
        }
        for scope in ["", "user", "scope:", "scope:project:", "scope:project:-x", "scope:organization:x"] {
            assert_eq!(field_of("ci", scope, ""), "token_scope", "{scope:?}");
        }
        for days in ["0", "366", "-1", "1.5", "soon", "99999999999"] {
            assert_eq!(field_of("ci", "scope:user", days), "expires_in_days", "{days:?}");
        }
    }

    #[test]
    fn a_form_is_read_without_the_space_around_its_values() {
        let read = NewToken::read(" ci ", "scope:project:My.Spam", " 365 ").unwrap();
        let scope = Scope::Project(ProjectName::parse("My.Spam").unwrap());
        assert_eq!(read, NewToken { description: "ci".to_owned(), scope, expires_in_days: Some(365) });
    }
}
