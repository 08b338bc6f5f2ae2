//! Using a key: signing in with a passkey alone, as the second factor, and proving again (R1, R2).
//!
//! One door for all three: what the browser holds says which. Each is decided by the row of its own action.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use webauthn_rs_core::proto::AuthenticationState;
use webauthn_rs_proto::PublicKeyCredential;

use credentials::link::LinkToken;

use super::ceremony::{self, Bound, Browser, Purpose};
use super::judging::{self, Refusal, Right};
use super::library::{self, Challenge, Read};
use super::{Why, rows};
use crate::accounts;
use crate::accounts::deleted;
use crate::accounts::taking_back::{self, Begun};
use crate::act;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, Reauthenticated, ReauthenticationFailed, SignInFailed};
use crate::ids::{ActId, AttemptId, Site};
use crate::policy::{Actor, Credential, Denied, Permit, Reauthenticate, State, UseKey, standing};
use crate::refused::{Invalid, Refused};
use crate::signin::acts;
use crate::signin::attempt::{self, Finished, Outcome, Step};
use crate::signin::session::{self, With};

/// What was sent to use a key.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The browser that sends it.
    pub browser: Browser,
    /// The text of an `AuthenticationResponseJSON`.
    pub credential: String,
    /// The act that it is the proof for (R2).
    pub act: Option<ActId>,
    /// Whether the person asked to remember this browser.
    pub remember: bool,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Answered {
    /// A step of a sign-in.
    SignIn(Outcome),
    /// Proved again; the session's new token, where the session is fresh now.
    Proved(Option<LinkToken>),
    /// It was right, and the act it was for is gone.
    Gone,
    /// It was not taken.
    Refused(Why),
}

fn bound(actor: &Actor, browser: Browser, act: Option<ActId>) -> Result<Bound, Refused> {
    let nobody = Bound { browser, purpose: Purpose::SignIn, account: None, session: None, attempt: None, act: None };
    Ok(match actor.credential {
        Credential::Nobody => nobody,
        Credential::HalfSession => {
            Bound { purpose: Purpose::Factor, account: actor.account(), attempt: actor.credential_id.map(AttemptId), ..nobody }
        }
        _ => {
            let session = actor.session.ok_or(Denied::NotValid)?;
            Bound { purpose: Purpose::Prove, account: actor.account(), session: Some(session.id), act, ..nobody }
        }
    })
}

/// The challenge, as `PublicKeyCredentialRequestOptionsJSON`.
///
/// # Errors
/// `Invalid` when the account has no key; `Hidden` for an act that is over or another session's.
pub async fn options(env: &Env, actor: &Actor, browser: Browser, act: Option<ActId>) -> Result<Value, Refused> {
    let bound = bound(actor, browser, act)?;
    let (inner, asking) = (env.clone(), actor.clone());
    let made = act::view::<UseKey, _, _>(env, actor, Site, move |read, _| Box::pin(challenge(inner, read, asking, bound))).await?;
    ceremony::hand_out(env, bound, made.bytes, made.state).await?;
    Ok(made.options)
}

async fn challenge<R: Reading>(env: Env, read: &R, actor: Actor, bound: Bound) -> Result<Challenge<AuthenticationState>, Refused> {
    let Some(account) = bound.account else { return library::to_use(&env, Vec::new()) };
    if let Some(act) = bound.act
        && acts::description(read, &actor, act).await?.is_none()
    {
        return Err(Denied::Hidden.into());
    }
    let keys = rows::of_account(read, account).await?;
    let keys = keys.iter().map(|row| rows::credential(&env, row)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(Invalid::new("", "Your account has no security key or passkey.").into());
    }
    library::to_use(&env, keys)
}

/// An answer, read, with what it must be bound to.
struct Sent {
    bound: Bound,
    read: Result<Read<PublicKeyCredential>, Why>,
}

impl Sent {
    async fn judge<A: crate::policy::Action>(&self, env: &Env, tx: &mut Tx, permit: &Permit<A>) -> Result<Result<Right, Refusal>, Refused> {
        match &self.read {
            Ok(read) => judging::judge(env, tx, permit, self.bound, read).await,
            Err(why) => Ok(Err(why.clone().into())),
        }
    }
}

/// Takes an answer: signs in, finishes a half-open sign-in, or proves again.
///
/// # Errors
/// `Denied` by policy.
pub async fn answer(env: &Env, actor: &Actor, answer: Answer) -> Result<Answered, Refused> {
    let bound = bound(actor, answer.browser, answer.act)?;
    let sent = Arc::new(Sent { bound, read: library::read_used(&answer.credential) });
    match bound.purpose {
        Purpose::SignIn => sign_in(env, actor, sent).await,
        Purpose::Factor => second_factor(env, actor, sent, answer.remember).await,
        Purpose::Prove | Purpose::Add | Purpose::TakeBack => prove_again(env, actor, sent).await,
    }
}

async fn sign_in(env: &Env, actor: &Actor, sent: Arc<Sent>) -> Result<Answered, Refused> {
    let inner = env.clone();
    act::act::<UseKey, _, _>(env, actor, Site, move |tx, permit| {
        let (env, sent) = (inner.clone(), sent.clone());
        Box::pin(async move { alone(&env, tx, permit, &sent).await })
    })
    .await
}

/// A passkey that verified its user is both factors at once.
async fn alone(env: &Env, tx: &mut Tx, permit: &Permit<UseKey>, sent: &Sent) -> Result<Answered, Refused> {
    let right = match sent.judge(env, tx, permit).await? {
        Ok(right) => right,
        Err(refusal) => {
            fail(env, tx, permit, &refusal).await?;
            return Ok(Answered::Refused(refusal.why));
        }
    };
    accounts::lock(tx, right.account).await?;
    let state = standing(tx, right.account, None).await?.state;
    if state != State::Active {
        let event = SignInFailed { reason: "the account may not act".to_owned(), username: None };
        events::record_failure(env, tx, permit, Entry::of(event).about(right.account), right.account.0.as_bytes()).await?;
        if state == State::Contained && taking_back::is_contained(tx, right.account).await? {
            let token = taking_back::begin(env, tx, Some(right.account), Begun::Key, permit.event()).await?;
            return Ok(Answered::SignIn(Outcome::Contained(token)));
        }
        if state == State::Deleted && deleted::since(tx, right.account).await?.is_some() {
            let token = taking_back::begin(env, tx, Some(right.account), Begun::UndeleteKey, permit.event()).await?;
            return Ok(Answered::SignIn(Outcome::Deleted(token)));
        }
        return Ok(Answered::SignIn(Outcome::Stopped(state)));
    }
    let finished = Finished { account: right.account, with: With::Key(right.factor), proved_at: tx.now(), remember: false };
    Ok(Answered::SignIn(Outcome::SignedIn(attempt::open(env, tx, permit, finished).await?)))
}

/// The failure of a stranger, bounded per network; it is the account's where the key's own signature or handle says so.
async fn fail(env: &Env, tx: &mut Tx, permit: &Permit<UseKey>, refusal: &Refusal) -> Result<(), Refused> {
    let mut entry = Entry::of(SignInFailed { reason: refusal.why.reason().to_owned(), username: None });
    if let Some(account) = refusal.account {
        entry = entry.about(account);
    }
    let network = permit.actor().origin.network.map(|n| n.to_string()).unwrap_or_default();
    events::record_failure(env, tx, permit, entry, format!("key|{network}").as_bytes()).await?;
    Ok(())
}

async fn second_factor(env: &Env, actor: &Actor, sent: Arc<Sent>, remember: bool) -> Result<Answered, Refused> {
    let refused: Arc<Mutex<Option<Why>>> = Arc::default();
    let (inner, seen) = (env.clone(), refused.clone());
    let outcome = attempt::step(env, actor, Step { taken: None, remember }, move |tx, permit| {
        let (env, sent, seen) = (inner.clone(), sent.clone(), seen.clone());
        Box::pin(async move {
            Ok(match sent.judge(&env, tx, permit).await? {
                Ok(right) => Ok(With::Key(right.factor)),
                Err(refusal) => {
                    let reason = refusal.why.reason();
                    *seen.lock().expect("nobody panics while it is held") = Some(refusal.why);
                    Err(reason)
                }
            })
        })
    })
    .await?;
    let why = refused.lock().expect("nobody panics while it is held").take();
    Ok(match (outcome, why) {
        (Outcome::Refused, Some(why)) => Answered::Refused(why),
        (outcome, _) => Answered::SignIn(outcome),
    })
}

async fn prove_again(env: &Env, actor: &Actor, sent: Arc<Sent>) -> Result<Answered, Refused> {
    let account = actor.account().ok_or(Denied::NotValid)?;
    let inner = env.clone();
    act::act::<Reauthenticate, _, _>(env, actor, account, move |tx, permit| {
        let (env, sent) = (inner.clone(), sent.clone());
        Box::pin(async move { again(&env, tx, permit, &sent).await })
    })
    .await
}

async fn again(env: &Env, tx: &mut Tx, permit: &Permit<Reauthenticate>, sent: &Sent) -> Result<Answered, Refused> {
    let account = *permit.on();
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let failed = |reason: &str| Entry::of(ReauthenticationFailed { reason: reason.to_owned() }).about(account);
    let right = match sent.judge(env, tx, permit).await? {
        Ok(right) => right,
        Err(refusal) => {
            events::record_failure(env, tx, permit, failed(refusal.why.reason()), account.0.as_bytes()).await?;
            return Ok(Answered::Refused(refusal.why));
        }
    };
    let with = With::Key(right.factor);
    if let Some(act) = sent.bound.act
        && !acts::prove(tx, act, &session, with).await?
    {
        events::record_failure(env, tx, permit, failed("the act was over"), account.0.as_bytes()).await?;
        return Ok(Answered::Gone);
    }
    // A proof for one act makes nothing else fresh; an idle session wakes with any proof.
    let renewed = match sent.bound.act {
        Some(_) if permit.actor().credential != Credential::IdleSession => None,
        _ => Some(session::prove(env, tx, account, &session, with).await?),
    };
    let event = Reauthenticated { factor: with.proof().wire().to_owned(), act: sent.bound.act.map(|id| id.to_string()) };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    Ok(Answered::Proved(renewed))
}
