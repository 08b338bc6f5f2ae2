//! From a user name and a password to a session: one state machine with one enum of outcomes.
//!
//! A half-open sign-in waits for a `factor`, then, in a browser that the account does not know, for the `mailbox` (see `confirm`). Its
//! row names what it waits for and what it has; its cookie's token is a new one at each stage, good for minutes and for one way on.
//!
//! Unknown names cost the same hash, meet the same limits and get the same answer (R25). The password is weighed before the
//! transaction; inside it the row is locked and the hash compared again, so that a reset in between wins.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Value};

use credentials::link::LinkToken;
use credentials::secret::Secret;
use data_encoding::HEXLOWER;

use crate::accounts;
use crate::accounts::deleted;
use crate::accounts::taking_back::{self, Begun};
use crate::act;
use crate::breach::Verdict;
use crate::db::entities::sign_in_attempts;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, PasswordProved, SignInFailed};
use crate::ids::{AccountId, AttemptId, Site};
use crate::lane::For;
use crate::limits::{self, Limit, Taken, Whom};
use crate::policy::{Actor, Denied, Permit, ProveFactor, SignIn, Standing, State, standing};
use crate::refused::Refused;
use crate::signin::breached::{self, Meaning};
use crate::signin::confirm;
use crate::signin::devices::{self};
use crate::signin::password::{self, Weighed};
use crate::signin::session::With;
pub(crate) use crate::signin::stages::{Finished, open};
pub use crate::signin::stages::{HALF_SESSION, MAILBOX, Opened, Outcome, Stage, waits_for};
use crate::signin::stages::{fail_step, hold, spend, tell_wrong_factor};

/// Signs in with a user name and a password: takes the limits, weighs, decides, and gives the try back when it was right. `next` is kept
/// with a sign-in that waits, since the mail that continues it comes back without it.
///
/// # Errors
/// `Limited`; `Fault` when the database does not answer: fail closed.
pub async fn sign_in(env: &Env, actor: &Actor, username: &str, typed: Secret, next: Option<String>) -> Result<Outcome, Refused> {
    let username: String = username.trim().chars().take(256).collect();
    let found = {
        let username = username.clone();
        act::view::<SignIn, _, _>(env, actor, Site, move |read, _| Box::pin(async move { accounts::by_username(read, &username).await }))
            .await?
    };
    let account = found.as_ref().map(|account| account.id);
    let (taken, lane) = devices::take(env, actor, account, Limit::SignIn, &Whom::name(&username, actor.origin.network)).await?;
    let stored = found.and_then(|account| account.password_hash);
    let try_ = weigh(env, lane, Try::of(username, account, stored, next), typed).await?;
    let right = try_.weighed.right;
    let inner = env.clone();
    let outcome = act::act::<SignIn, _, _>(env, actor, Site, move |tx, permit| {
        let (env, try_) = (inner.clone(), try_.clone());
        Box::pin(async move { decide(&env, tx, permit, &try_).await })
    })
    .await;
    if let Ok(outcome) = &outcome {
        outcome.count();
    }
    if right {
        limits::give_back(env, taken).await?;
    }
    outcome
}

/// Whose tries at the second step are counted: the account's, under its present password. Whoever spent them with a stolen password has
/// spent none of those that a new one opens (R25).
pub(crate) async fn whom(env: &Env, actor: &Actor, account: AccountId) -> Result<Whom, Refused> {
    let read = env.db.read(env.now()).await?;
    let stored = accounts::by_id(&read, account).await?.and_then(|row| row.password_hash).unwrap_or_default();
    let digest = env.keys.keyed_hash("tries-of-a-password", stored.as_bytes()).digest;
    let key = format!("half:{account}:{}", HEXLOWER.encode(&digest[..8]));
    Ok(Whom { account: Some(key), network: actor.origin.network })
}

async fn weigh(env: &Env, lane: For, try_: Try, typed: Secret) -> Result<Try, Refused> {
    let weighed = password::weigh_for(env, lane, try_.stored.clone(), typed).await?;
    Ok(Try { weighed, ..try_ })
}

/// A try, weighed.
#[derive(Clone, Debug)]
struct Try {
    username: String,
    account: Option<AccountId>,
    stored: Option<String>,
    weighed: Weighed,
    next: Option<String>,
}

impl Try {
    const fn of(username: String, account: Option<AccountId>, stored: Option<String>, next: Option<String>) -> Self {
        Self { username, account, stored, weighed: Weighed { right: false, listed: Verdict::Off, upgrade: None }, next }
    }
}

async fn decide(env: &Env, tx: &mut Tx, permit: &Permit<SignIn>, try_: &Try) -> Result<Outcome, Refused> {
    let account = match try_.account {
        Some(id) if try_.weighed.right && still_stored(tx, id, try_).await? => id,
        _ => {
            fail(env, tx, permit, try_, "the password was wrong").await?;
            return Ok(Outcome::Refused);
        }
    };
    let standing = standing(tx, account, None).await?;
    if standing.state != State::Active {
        fail(env, tx, permit, try_, "the account may not act").await?;
        if standing.state == State::Contained && taking_back::is_contained(tx, account).await? {
            let token = taking_back::begin(env, tx, Some(account), Begun::Password, permit.event()).await?;
            return Ok(Outcome::Contained(token));
        }
        if standing.state == State::Deleted && deleted::since(tx, account).await?.is_some() {
            let token = taking_back::begin(env, tx, Some(account), Begun::UndeletePassword, permit.event()).await?;
            return Ok(Outcome::Deleted(token));
        }
        return Ok(Outcome::Stopped(standing.state));
    }
    let meaning = breached::weigh(env, tx, permit, account, try_.weighed.listed).await?;
    if meaning == Meaning::Disabled {
        return Ok(Outcome::Breached { administrator: standing.administrator });
    }
    let outcome = admit(env, tx, permit, (account, &standing), try_).await?;
    if let Meaning::Doubted(Some(doubted)) = meaning {
        breached::tell(env, tx, permit, doubted).await?;
    }
    Ok(outcome)
}

/// The password is right and good: asks for the factor, or opens the session.
async fn admit(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<SignIn>,
    (account, standing): (AccountId, &Standing),
    try_: &Try,
) -> Result<Outcome, Refused> {
    if let Some(upgrade) = &try_.weighed.upgrade {
        let sql = "UPDATE accounts SET password_hash = $2 WHERE id = $1";
        tx.execute(sql, vec![Value::from(account), Value::from(upgrade.as_str())]).await?;
    }
    if standing.factor {
        let (_, token) = begin(env, tx, permit, account, (Stage::Factor, try_.next.clone())).await?;
        // Whoever knows the password alone can send it without end, since a right one is no failure: that fills no disk (R26).
        let network = permit.actor().origin.network.map(|n| n.to_string()).unwrap_or_default();
        let key = format!("{account}|{network}");
        events::record_failure(env, tx, permit, Entry::of(PasswordProved {}).about(account), key.as_bytes()).await?;
        return Ok(Outcome::NeedsFactor(token));
    }
    if let Some(address) = confirm::wanted(env, tx, permit.actor(), account, With::Password).await? {
        let (attempt, token) = begin(env, tx, permit, account, (Stage::Mailbox, try_.next.clone())).await?;
        confirm::send(env, tx, permit, &attempt, &address).await?;
        return Ok(Outcome::NeedsMailbox(token));
    }
    let finished = Finished { account, with: With::Password, proved_at: tx.now(), remember: false };
    Ok(Outcome::SignedIn(open(env, tx, permit, finished).await?))
}

/// Locks the row, and says whether the hash that was weighed still stands in it.
async fn still_stored(tx: &Tx, account: AccountId, try_: &Try) -> Result<bool, Refused> {
    accounts::lock(tx, account).await?;
    let now = accounts::by_id(tx, account).await?.and_then(|row| row.password_hash);
    Ok(now.is_some() && now == try_.stored)
}

/// The failure of a stranger, bounded per name and network. A name that nobody has is not kept: it may be a mistyped password.
async fn fail(env: &Env, tx: &mut Tx, permit: &Permit<SignIn>, try_: &Try, reason: &str) -> Result<(), Refused> {
    let known = try_.account.is_some();
    let reason = if known { reason } else { "the user name is unknown" };
    let event = SignInFailed { reason: reason.to_owned(), username: known.then(|| try_.username.clone()) };
    let mut entry = Entry::of(event);
    if let Some(account) = try_.account {
        entry = entry.about(account);
    }
    let network = permit.actor().origin.network.map(|n| n.to_string()).unwrap_or_default();
    // Unknown names share one key per network: their number is the sender's choice.
    let name = if known { try_.username.to_lowercase() } else { String::new() };
    events::record_failure(env, tx, permit, entry, format!("{name}|{network}").as_bytes()).await?;
    Ok(())
}

async fn begin(
    env: &Env,
    tx: &Tx,
    permit: &Permit<SignIn>,
    account: AccountId,
    (stage, next): (Stage, Option<String>),
) -> Result<(sign_in_attempts::Model, LinkToken), Refused> {
    let token = LinkToken::generate(&*env.entropy);
    let row = sign_in_attempts::Model {
        id: AttemptId::new(tx.now(), &*env.entropy),
        account_id: account,
        token_digest: token.digest().to_vec(),
        created_at: tx.now(),
        expires_at: tx.now().plus(stage.lifetime()),
        began_by: permit.event(),
        spent_at: None,
        stage: stage.wire().to_owned(),
        // A password that waits for the mailbox is all that there is.
        proved_with: (stage == Stage::Mailbox).then(|| With::Password.proof().wire().to_owned()),
        factor_id: None,
        remember_device: false,
        failures: 0,
        next,
    };
    let active = row.clone().into_active_model().reset_all();
    sign_in_attempts::Entity::insert(active).exec_without_returning(tx.connection()).await?;
    Ok((row, token))
}

/// What a step brings besides its judge.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// The try that was counted before anything slow was done for it; a key's assertion is no guess and counts towards nothing (R25).
    pub taken: Option<Taken>,
    /// Whether the person asked to remember this browser.
    pub remember: bool,
}

impl From<Option<Taken>> for Step {
    fn from(taken: Option<Taken>) -> Self {
        Self { taken, remember: false }
    }
}

/// Takes a step of a half-open sign-in: judges in one transaction, and gives the try back when it was right.
///
/// `judge` says with what the step was proved, or why not.
pub(crate) async fn step<J>(env: &Env, actor: &Actor, step: impl Into<Step>, judge: J) -> Result<Outcome, Refused>
where
    J: for<'t> Fn(&'t mut Tx, &'t Permit<ProveFactor>) -> BoxFuture<'t, Result<Judged, Refused>> + Send + Sync + 'static,
{
    let Step { taken, remember } = step.into();
    let how = How { remember, guess: taken.is_some() };
    let (inner, judge) = (env.clone(), Arc::new(judge));
    let outcome = act::act::<ProveFactor, _, _>(env, actor, Site, move |tx, permit| {
        let (env, judge) = (inner.clone(), judge.clone());
        Box::pin(async move { decide_step(&env, tx, permit, how, &*judge).await })
    })
    .await?;
    outcome.count();
    if let (Outcome::SignedIn(_) | Outcome::NeedsMailbox(_), Some(taken)) = (&outcome, taken) {
        limits::give_back(env, taken).await?;
    }
    Ok(outcome)
}

/// How a step is taken.
#[derive(Clone, Copy, Debug)]
struct How {
    remember: bool,
    /// Whether a wrong one is a guess: it counts, and the owner is told.
    guess: bool,
}

/// With what a step was proved, or why it was not.
pub(crate) type Judged = Result<With, &'static str>;

async fn decide_step<J>(env: &Env, tx: &mut Tx, permit: &Permit<ProveFactor>, how: How, judge: &J) -> Result<Outcome, Refused>
where
    J: for<'t> Fn(&'t mut Tx, &'t Permit<ProveFactor>) -> BoxFuture<'t, Result<Judged, Refused>> + Send + Sync,
{
    let account = permit.actor().account().ok_or(Denied::NotValid)?;
    let state = permit.standing().state;
    if state != State::Active {
        fail_step(env, tx, permit, account, "the account may not act").await?;
        return Ok(Outcome::Stopped(state));
    }
    // Looked at first, so that nothing is burned for a sign-in that is over.
    let Some(attempt) = hold(tx, permit, Stage::Factor).await? else {
        fail_step(env, tx, permit, account, "the sign-in was over").await?;
        return Ok(Outcome::Over);
    };
    match judge(tx, permit).await? {
        Ok(with) => finish(env, tx, permit, attempt, (with, how.remember)).await,
        Err(reason) => {
            fail_step(env, tx, permit, account, reason).await?;
            if how.guess {
                tx.execute("UPDATE sign_in_attempts SET failures = failures + 1 WHERE id = $1", vec![Value::from(attempt.id)]).await?;
                tell_wrong_factor(env, tx, permit, account).await?;
            }
            Ok(Outcome::Refused)
        }
    }
}

/// Opens the session that a right factor earned, or goes on to the mailbox.
async fn finish(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<ProveFactor>,
    attempt: sign_in_attempts::Model,
    (with, remember): (With, bool),
) -> Result<Outcome, Refused> {
    let account = attempt.account_id;
    if let Some(address) = confirm::wanted(env, tx, permit.actor(), account, with).await? {
        let (attempt, token) = go_on(env, tx, attempt, (with, remember)).await?;
        confirm::send(env, tx, permit, &attempt, &address).await?;
        return Ok(Outcome::NeedsMailbox(token));
    }
    spend(tx, attempt.id).await?;
    let finished = Finished { account, with, proved_at: tx.now(), remember };
    Ok(Outcome::SignedIn(open(env, tx, permit, finished).await?))
}

const GO_ON: &str = "UPDATE sign_in_attempts SET stage = 'mailbox', token_digest = $2, expires_at = $3, proved_with = $4, factor_id = $5, \
    remember_device = $6 WHERE id = $1";

/// The sign-in waits for the mailbox now, under a new token.
async fn go_on(
    env: &Env,
    tx: &Tx,
    mut attempt: sign_in_attempts::Model,
    (with, remember): (With, bool),
) -> Result<(sign_in_attempts::Model, LinkToken), Refused> {
    let token = LinkToken::generate(&*env.entropy);
    attempt.stage = Stage::Mailbox.wire().to_owned();
    attempt.expires_at = tx.now().plus(MAILBOX);
    attempt.proved_with = Some(with.proof().wire().to_owned());
    attempt.factor_id = with.factor();
    attempt.remember_device = remember;
    let values = vec![
        Value::from(attempt.id),
        Value::from(token.digest().to_vec()),
        Value::from(attempt.expires_at),
        Value::from(attempt.proved_with.clone()),
        Value::from(attempt.factor_id.map(|id| id.0)),
        Value::from(remember),
    ];
    tx.execute(GO_ON, values).await?;
    Ok((attempt, token))
}
