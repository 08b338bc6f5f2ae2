//! A new key: the first factor of an account behind its gates (R5), or a further one with a proof made for this act (R2).

use std::sync::Arc;

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use webauthn_rs_core::proto::RegistrationState;
use webauthn_rs_proto::RegisterPublicKeyCredential;

use credentials::link::LinkToken;

use super::ceremony::{self, Bound, Browser, Purpose};
use super::library::{self, Challenge, Read};
use super::{Why, rows};
use crate::act;
use crate::db::entities::accounts;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, FactorAdded, FactorRefused};
use crate::holds::{self, Grant, Passed, wake};
use crate::ids::{AccountId, ActId, HoldId};
use crate::policy::{Action, Actor, AddFactor, AddFirstFactor, Denied, Permit};
use crate::refused::{Invalid, Refused};
use crate::signin::session::{self, With};
use crate::signin::{acts, factor};

/// What was sent to add a key.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The browser that sends it.
    pub browser: Browser,
    /// What the person calls it.
    pub label: String,
    /// The text of a `RegistrationResponseJSON`.
    pub credential: String,
    /// The proof that was made for this act.
    pub act: Option<ActId>,
}

/// What became of a new key.
#[derive(Clone, Debug)]
pub enum Added {
    /// It is added, and the session is fresh; the session's new token.
    Added(LinkToken),
    /// It is not, and why.
    Refused(Why),
    /// It waits as this hold (R3); when that was served, the same may be asked once more.
    Held(HoldId),
}

/// What the proof of adding a key is bound to.
fn parameters(label: &str) -> Value {
    json!({ "method": rows::KIND, "label": label.trim() })
}

fn bound(actor: &Actor, account: AccountId, browser: Browser) -> Result<Bound, Refused> {
    let session = actor.session.ok_or(Denied::NotValid)?;
    Ok(Bound { browser, purpose: Purpose::Add, account: Some(account), session: Some(session.id), attempt: None, act: None })
}

/// The challenge for a new key, as `PublicKeyCredentialCreationOptionsJSON`; a label that cannot be taken is told early.
///
/// # Errors
/// `Denied` by a gate; `Invalid` for the label.
pub async fn options_to_add(
    env: &Env,
    actor: &Actor,
    account: AccountId,
    browser: Browser,
    label: Option<String>,
) -> Result<Value, Refused> {
    let label = label.map(|label| rows::read_label(&label)).transpose()?;
    let (inner, bound) = (env.clone(), bound(actor, account, browser)?);
    let made = if factor::holds_one(env, actor, account).await? {
        act::view::<AddFactor, _, _>(env, actor, account, move |read, _| Box::pin(challenge(inner, read, account, label))).await?
    } else {
        act::view::<AddFirstFactor, _, _>(env, actor, account, move |read, _| Box::pin(challenge(inner, read, account, label))).await?
    };
    ceremony::hand_out(env, bound, made.bytes, made.state).await?;
    Ok(made.options)
}

async fn challenge<R: Reading>(
    env: Env,
    read: &R,
    account: AccountId,
    label: Option<String>,
) -> Result<Challenge<RegistrationState>, Refused> {
    if let Some(label) = label {
        rows::check_free(read, account, &label).await?;
    }
    let row = accounts::Entity::find_by_id(account).one(read.connection()).await?.ok_or(Denied::Hidden)?;
    let known = rows::of_account(read, account).await?.into_iter().filter_map(|row| row.credential_id).collect::<Vec<_>>();
    library::to_add(&env, (account, &row.username), &known)
}

/// A new key on its way: what was sent, read.
struct Adding {
    label: String,
    answer: Result<Read<RegisterPublicKeyCredential>, Why>,
    bound: Bound,
    act: Option<ActId>,
}

/// Adds a key.
///
/// # Errors
/// `Denied` by a gate; `NeedsProof` where the account holds a factor (R2); `Invalid` for the label.
pub async fn add(env: &Env, actor: &Actor, account: AccountId, new: NewKey) -> Result<Added, Refused> {
    let label = rows::read_label(&new.label)?;
    let adding =
        Arc::new(Adding { label, answer: library::read_new(&new.credential), bound: bound(actor, account, new.browser)?, act: new.act });
    let inner = env.clone();
    if factor::holds_one(env, actor, account).await? {
        return act::act::<AddFactor, _, _>(env, actor, account, move |tx, permit| {
            let (env, adding) = (inner.clone(), adding.clone());
            Box::pin(async move {
                let (parameters, description) = to_prove(&adding.label)?;
                let proof = acts::spend(&env, tx, permit, adding.act, &parameters).await?;
                let description = description.trim_end_matches('.').to_owned();
                match holds::pass(&env, tx, permit, Grant { proof, parameters, description }).await? {
                    Passed::Held(hold) => Ok(Added::Held(hold)),
                    Passed::Now => store(&env, tx, permit, &adding).await,
                }
            })
        })
        .await;
    }
    act::act::<AddFirstFactor, _, _>(env, actor, account, move |tx, permit| {
        let (env, adding) = (inner.clone(), adding.clone());
        Box::pin(async move {
            factor::check_first(permit)?;
            let added = store(&env, tx, permit, &adding).await?;
            if matches!(added, Added::Added(_)) {
                wake::after_first_factor(&env, tx, permit, *permit.on()).await?;
            }
            Ok(added)
        })
    })
    .await
}

async fn store<A: Action<On = AccountId>>(env: &Env, tx: &mut Tx, permit: &Permit<A>, adding: &Adding) -> Result<Added, Refused> {
    let account = *permit.on();
    rows::check_free(tx, account, &adding.label).await?;
    let why = match weigh(env, tx, adding).await? {
        Ok(made) => match rows::insert(env, tx, (account, permit.event()), &adding.label, &made).await? {
            Some(id) => {
                let session = permit.actor().session.ok_or(Denied::NotValid)?;
                let token = session::prove(env, tx, account, &session, With::Key(id)).await?;
                if !permit.standing().factor {
                    // The others were opened with a password alone, and that is worth nothing from now on.
                    session::end_others(tx, account, Some(session.id), permit.event()).await?;
                }
                let event = FactorAdded { method: rows::KIND.to_owned(), label: adding.label.clone() };
                events::record(env, tx, permit, Entry::of(event).about(account)).await?;
                return Ok(Added::Added(token));
            }
            None => Why::Wrong("an account has this security key already"),
        },
        Err(why) => why,
    };
    let entry = Entry::of(FactorRefused { reason: why.reason().to_owned() }).about(account);
    events::record_failure(env, tx, permit, entry, account.0.as_bytes()).await?;
    Ok(Added::Refused(why))
}

/// Spends the challenge that the answer names, and verifies it.
async fn weigh(env: &Env, tx: &Tx, adding: &Adding) -> Result<Result<webauthn_rs_core::proto::Credential, Why>, Refused> {
    let read = match &adding.answer {
        Ok(read) => read,
        Err(why) => return Ok(Err(why.clone())),
    };
    let Some(state) = ceremony::spend::<RegistrationState>(env, tx, adding.bound, &read.challenge).await? else {
        return Ok(Err(Why::Stale));
    };
    library::verify_new(env, read, &state)
}

/// What the proof of adding a key says to the person, and what it is bound to.
///
/// # Errors
/// `Invalid` for the label.
pub fn to_prove(label: &str) -> Result<(Value, String), Invalid> {
    let label = rows::read_label(label)?;
    Ok((parameters(&label), format!("Add the security key or passkey “{label}” to your account.")))
}

/// What stands between a person and the ceremony.
#[derive(Clone, Debug)]
pub struct Proved {
    /// Whether the ceremony can begin: the account has no factor yet, or a proof was made for this act.
    pub ready: bool,
    /// The label that the act names; nothing without an act of this session.
    pub label: Option<String>,
}

/// Whether a key can be added now, behind the gates of the first or of a further factor.
///
/// # Errors
/// `Denied` by a gate.
pub async fn proved(env: &Env, actor: &Actor, account: AccountId, act: Option<ActId>) -> Result<Proved, Refused> {
    if !factor::holds_one(env, actor, account).await? {
        act::may::<AddFirstFactor>(env, actor, account).await?;
        return Ok(Proved { ready: true, label: None });
    }
    let asking = actor.clone();
    act::view::<AddFactor, _, _>(env, actor, account, move |read, _| {
        Box::pin(async move {
            let asked = match act {
                Some(act) => acts::parameters(read, &asking, act).await?,
                None => None,
            };
            let label = asked.and_then(|asked| asked["label"].as_str().map(str::to_owned));
            Ok(Proved { ready: acts::is_proved(read, &asking, act).await?, label })
        })
    })
    .await
}
