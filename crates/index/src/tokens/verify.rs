//! Verifying: signature and location, then everything in the caveats that does not depend on the file.
//!
//! Unknown, wrong and revoked tokens get one answer. A failure is an event, and a try of its network.

use credentials::caveat::Caveat;
use credentials::macaroon::Macaroon;
use credentials::secret::{Secret, SecretBytes};
use formats::name::ProjectName;
use uuid::Uuid;

use super::UPLOAD;
use crate::act::{Housekeeping, housekeeping};
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::api_tokens;
use crate::env::Env;
use crate::events::{self, Entry, SignInFailed, TokenRefused};
use crate::ids::{ProjectId, TokenId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{ActionName, Actor, Credential, Denied, Origin, State, TokenLimits, Who, standing};
use crate::refused::Refused;

/// Verifies a token: signature, location, expiry, account, action and network caveats; what depends on the file travels in the actor.
///
/// # Errors
/// `NotValid`, `Token` with the caveat's reason, or `Stopped`; `Limited` when too many failures came from this network.
pub async fn verify(env: &Env, token: Result<Secret, Denied>, origin: Origin) -> Result<Actor, Refused> {
    let text = match token {
        Ok(text) => text,
        // A password was sent, not a token: nothing of it is looked at or kept, and that it was tried is recorded (P4).
        Err(Denied::WrongCredential) => return refuse_password(env, origin).await,
        Err(denied) => return refuse(env, origin, Failure::of_stranger("it does not have the form of a token", denied)).await,
    };
    match examine(env, &text, &origin).await? {
        Examined::Good(actor) => Ok(*actor),
        Examined::Bad(failure) => refuse(env, origin, *failure).await,
    }
}

/// What came of looking at a token.
enum Examined {
    Good(Box<Actor>),
    Bad(Box<Failure>),
}

/// Why a token was refused, for the trail, and what its sender is told.
struct Failure {
    reason: String,
    denied: Denied,
    /// The token whose id it carries, if there is such a row.
    row: Option<api_tokens::Model>,
    /// Whether the signature was right, so that its account may be named as the actor.
    proved: bool,
}

impl Failure {
    fn of_stranger(reason: &str, denied: Denied) -> Self {
        Self { reason: reason.to_owned(), denied, row: None, proved: false }
    }
}

async fn examine(env: &Env, text: &Secret, origin: &Origin) -> Result<Examined, Refused> {
    let macaroon = match Macaroon::parse(text, &env.config.token_prefix) {
        Ok(macaroon) => macaroon,
        Err(e) => return Ok(Examined::Bad(Box::new(Failure::of_stranger(&e.to_string(), Denied::NotValid)))),
    };
    let read = env.db.read(env.now()).await?;
    let row = match identified(&macaroon) {
        Some(id) => super::presented(&read, id).await?,
        None => None,
    };
    // An unknown token costs the same signature.
    let key = row.as_ref().map_or_else(|| Ok(SecretBytes::new(vec![0; 32])), |row| super::open_key(env, row))?;
    let signed = macaroon.verify(&key);
    let Some(row) = row else {
        return Ok(Examined::Bad(Box::new(Failure::of_stranger("there is no such token", Denied::NotValid))));
    };
    let bad = |reason: String, denied, row, proved| Ok(Examined::Bad(Box::new(Failure { reason, denied, row: Some(row), proved })));
    if !signed || macaroon.location != env.config.token_location() {
        let what = if signed { "it was made for another index" } else { "its signature is wrong" };
        return bad(what.to_owned(), Denied::NotValid, row, signed);
    }
    if row.until_at.is_some() {
        return bad("it was deleted".to_owned(), Denied::NotValid, row, true);
    }
    let limits = match judge(&macaroon, &row, origin, read.now()) {
        Ok(limits) => limits,
        Err(reason) => return bad(reason.clone(), Denied::Token(reason), row, true),
    };
    if super::paused::is_paused(&read, row.id).await? {
        return bad("it is paused".to_owned(), Denied::Token(super::paused::SAYS.to_owned()), row, true);
    }
    let state = standing(&read, row.account_id, None).await?.state;
    if state != State::Active {
        return bad(format!("the account is {}", state.word()), Denied::Stopped(state), row, true);
    }
    Ok(Examined::Good(Box::new(Actor { token: Some(limits), ..holder(&row, origin.clone()) })))
}

fn holder(row: &api_tokens::Model, origin: Origin) -> Actor {
    Actor {
        who: Who::Account(row.account_id),
        credential: Credential::ApiToken,
        credential_id: Some(row.id.0),
        session: None,
        token: None,
        origin,
    }
}

/// The row that a macaroon names: the text form of its id, in the one spelling that we write.
fn identified(macaroon: &Macaroon) -> Option<TokenId> {
    let text = std::str::from_utf8(&macaroon.identifier).ok()?;
    let id = Uuid::parse_str(text).ok()?;
    (id.to_string() == text).then_some(TokenId(id))
}

/// Every caveat must hold or be kept for later; the reason otherwise.
fn judge(macaroon: &Macaroon, row: &api_tokens::Model, origin: &Origin, now: Time) -> Result<TokenLimits, String> {
    let mut limits = TokenLimits { id: Some(row.id), ..TokenLimits::default() };
    if !row.actions.split(',').any(|action| action == UPLOAD) {
        return Err("token does not allow uploads".to_owned());
    }
    if row.expires_at.is_some_and(|at| at <= now) {
        return Err("token is expired".to_owned());
    }
    for caveat in macaroon.caveats() {
        let caveat = Caveat::parse(caveat).map_err(|e| e.to_string())?;
        hold(&caveat, row, origin, now)?;
        match caveat {
            Caveat::ProjectNames(names) => limits.project_names.push(names.iter().map(|name| normalized(name)).collect()),
            Caveat::ProjectIds(ids) => limits.project_ids.push(ids.into_iter().map(ProjectId).collect()),
            _ => {}
        }
    }
    Ok(limits)
}

/// Whether one caveat holds, as far as the file does not matter.
fn hold(caveat: &Caveat, row: &api_tokens::Model, origin: &Origin, now: Time) -> Result<(), String> {
    let (holds, otherwise) = match caveat {
        Caveat::Validity { not_before_s, .. } if now.as_seconds() < *not_before_s => (false, "token is not yet valid"),
        Caveat::Validity { expires_at_s, .. } => (now.as_seconds() < *expires_at_s, "token is expired"),
        Caveat::Account(id) => (*id == row.account_id.0, "token is not valid for its account"),
        Caveat::Actions(actions) => (actions.iter().any(|action| action == UPLOAD), "token does not allow uploads"),
        Caveat::Networks(networks) => {
            let inside = origin.network.is_some_and(|from| networks.iter().any(|network| network.contains(&from.to_canonical())));
            (inside, "token is not valid from this network")
        }
        Caveat::ProjectNames(_) | Caveat::ProjectIds(_) => (true, ""),
    };
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// What is no project name matches no project.
fn normalized(name: &str) -> String {
    ProjectName::parse(name).map_or_else(|_| name.to_owned(), |name| name.normalized().as_str().to_owned())
}

/// A user name and a password at a door for tokens: counted and recorded per network, with nothing of what was sent (P2, P4).
async fn refuse_password<T>(env: &Env, origin: Origin) -> Result<T, Refused> {
    drop(limits::take(env, Limit::Token, &Whom::network(origin.network)).await?);
    let inner = env.clone();
    housekeeping(env, Housekeeping::Refusals, move |tx| {
        Box::pin(async move {
            let key = format!("basic|{:?}", origin.network);
            let event = SignInFailed { reason: "a password was sent where only API tokens are taken".to_owned(), username: None };
            let stranger = Actor::nobody(origin);
            events::record_stranger(&inner, tx, (&stranger, ActionName::UploadFile), Entry::of(event), key.as_bytes()).await
        })
    })
    .await?;
    Err(Denied::WrongCredential.into())
}

/// Counts the failure, leaves an event, and says what the sender is told.
async fn refuse<T>(env: &Env, origin: Origin, failure: Failure) -> Result<T, Refused> {
    // Counted for good: a failure is never given back.
    drop(limits::take(env, Limit::Token, &Whom::network(origin.network)).await?);
    let denied = failure.denied.clone();
    let env_inside = env.clone();
    housekeeping(env, Housekeeping::Refusals, move |tx| {
        Box::pin(async move {
            let key = match (&failure.row, origin.network) {
                (Some(row), _) => format!("token|{}", row.id),
                (None, network) => format!("network|{network:?}"),
            };
            let actor = match &failure.row {
                Some(row) if failure.proved => holder(row, origin),
                Some(row) => Actor { who: Who::Nobody, ..holder(row, origin) },
                None => Actor { credential: Credential::ApiToken, ..Actor::nobody(origin) },
            };
            let entry = Entry::of(TokenRefused { reason: failure.reason });
            let entry = match &failure.row {
                Some(row) => entry.about(row.account_id),
                None => entry,
            };
            events::record_stranger(&env_inside, tx, (&actor, ActionName::UploadFile), entry, key.as_bytes()).await
        })
    })
    .await?;
    Err(denied.into())
}
