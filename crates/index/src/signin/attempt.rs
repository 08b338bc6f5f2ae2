//! From a user name and a password to a session, or to the factor that is outstanding.
//!
//! Unknown names cost the same hash, meet the same limits and get the same answer (R25). The password is weighed before the
//! transaction; inside it the row is locked and the hash compared again, so that a reset in between wins.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use credentials::link::LinkToken;
use credentials::secret::Secret;

use crate::accounts;
use crate::accounts::taking_back::{self, Begun};
use crate::act;
use crate::db::entities::sign_in_attempts;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, PasswordProved, SignInFailed, SignedIn};
use crate::ids::{AccountId, AttemptId, Site};
use crate::limits::{self, Limit, Taken, Whom};
use crate::policy::{Actor, Denied, Permit, ProveFactor, SignIn, State, standing};
use crate::refused::Refused;
use crate::signin::password::{self, Weighed};
use crate::signin::session::{self, With};

/// How long a half-open sign-in lives.
pub const HALF_SESSION: Duration = Duration::from_secs(300);

/// What became of a step of a sign-in: the one enum of its outcomes.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Unknown or wrong: the same to whoever typed it.
    Refused,
    /// The password was right; the token of the half-open sign-in.
    NeedsFactor(LinkToken),
    /// Signed in; the token of the session.
    SignedIn(LinkToken),
    /// The half-open sign-in is over: begin again.
    Over,
    /// What was typed was right and the account may not act.
    Stopped(State),
    /// The password was right and a link of a notice stopped the account; the token of the way back (R16).
    Contained(LinkToken),
}

/// Signs in with a user name and a password: takes the limits, weighs, decides, and gives the try back when it was right.
///
/// # Errors
/// `Limited`; `Fault` when the database does not answer: fail closed.
pub async fn sign_in(env: &Env, actor: &Actor, username: &str, typed: Secret) -> Result<Outcome, Refused> {
    let username: String = username.trim().chars().take(256).collect();
    let taken = limits::take(env, Limit::SignIn, &Whom::name(&username, actor.origin.network)).await?;
    let found = {
        let username = username.clone();
        act::view::<SignIn, _, _>(env, actor, Site, move |read, _| Box::pin(async move { accounts::by_username(read, &username).await }))
            .await?
    };
    let stored = found.as_ref().and_then(|account| account.password_hash.clone());
    let weighed = password::weigh(env, stored.clone(), typed).await?;
    let right = weighed.right;
    let try_ = Try { username, account: found.map(|account| account.id), stored, weighed };
    let outcome = {
        let inner = env.clone();
        act::act::<SignIn, _, _>(env, actor, Site, move |tx, permit| {
            let (env, try_) = (inner.clone(), try_.clone());
            Box::pin(async move { decide(&env, tx, permit, &try_).await })
        })
        .await?
    };
    if right {
        limits::give_back(env, taken).await?;
    }
    Ok(outcome)
}

/// A try, weighed.
#[derive(Clone, Debug)]
struct Try {
    username: String,
    account: Option<AccountId>,
    stored: Option<String>,
    weighed: Weighed,
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
        return Ok(Outcome::Stopped(standing.state));
    }
    if let Some(upgrade) = &try_.weighed.upgrade {
        let sql = "UPDATE accounts SET password_hash = $2 WHERE id = $1";
        tx.execute(sql, vec![Value::from(account), Value::from(upgrade.as_str())]).await?;
    }
    if standing.factor {
        let token = begin(env, tx, permit, account).await?;
        events::record(env, tx, permit, Entry::of(PasswordProved {}).about(account)).await?;
        return Ok(Outcome::NeedsFactor(token));
    }
    let token = session::open(env, tx, account, With::Password, permit.event()).await?;
    events::record(env, tx, permit, Entry::of(SignedIn { factor: With::Password.proof().wire().to_owned() }).about(account)).await?;
    Ok(Outcome::SignedIn(token))
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

async fn begin(env: &Env, tx: &Tx, permit: &Permit<SignIn>, account: AccountId) -> Result<LinkToken, Refused> {
    let token = LinkToken::generate(&*env.entropy);
    let row = sign_in_attempts::ActiveModel {
        id: Set(AttemptId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        token_digest: Set(token.digest().to_vec()),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now().plus(HALF_SESSION)),
        began_by: Set(permit.event()),
        spent_at: Set(None),
        stage: Set("factor".to_owned()),
        proved_with: Set(None),
        factor_id: Set(None),
        remember_device: Set(false),
        failures: Set(0),
    };
    sign_in_attempts::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(token)
}

/// Takes a step of a half-open sign-in: judges in one transaction, and gives the try back when it was right.
///
/// `taken` is the try that was counted before anything slow was done for it; a key's assertion is no guess and counts towards no
/// limit (R25). `judge` says with what the step was proved, or why not.
pub(crate) async fn step<J>(env: &Env, actor: &Actor, taken: Option<Taken>, judge: J) -> Result<Outcome, Refused>
where
    J: for<'t> Fn(&'t mut Tx, &'t Permit<ProveFactor>) -> BoxFuture<'t, Result<Judged, Refused>> + Send + Sync + 'static,
{
    let account = actor.account().ok_or(Denied::NotValid)?;
    let (inner, judge) = (env.clone(), Arc::new(judge));
    let outcome = act::act::<ProveFactor, _, _>(env, actor, Site, move |tx, permit| {
        let (env, judge) = (inner.clone(), judge.clone());
        Box::pin(async move { decide_step(&env, tx, permit, account, &*judge).await })
    })
    .await?;
    if let (Outcome::SignedIn(_), Some(taken)) = (&outcome, taken) {
        limits::give_back(env, taken).await?;
    }
    Ok(outcome)
}

/// With what a step was proved, or why it was not.
pub(crate) type Judged = Result<With, &'static str>;

async fn decide_step<J>(env: &Env, tx: &mut Tx, permit: &Permit<ProveFactor>, account: AccountId, judge: &J) -> Result<Outcome, Refused>
where
    J: for<'t> Fn(&'t mut Tx, &'t Permit<ProveFactor>) -> BoxFuture<'t, Result<Judged, Refused>> + Send + Sync,
{
    let state = permit.standing().state;
    if state != State::Active {
        fail_factor(env, tx, permit, account, "the account may not act").await?;
        return Ok(Outcome::Stopped(state));
    }
    // Looked at first, so that nothing is burned for a sign-in that is over.
    if !hold(tx, permit).await? {
        fail_factor(env, tx, permit, account, "the sign-in was over").await?;
        return Ok(Outcome::Over);
    }
    match judge(tx, permit).await? {
        Ok(with) => finish(env, tx, permit, account, with).await,
        Err(reason) => {
            fail_factor(env, tx, permit, account, reason).await?;
            Ok(Outcome::Refused)
        }
    }
}

/// Whether the half-open sign-in is still there; its row is locked, so that two tries at the same moment take turns.
async fn hold(tx: &Tx, permit: &Permit<ProveFactor>) -> Result<bool, Refused> {
    let Some(id) = permit.actor().credential_id else { return Ok(false) };
    let sql = format!("SELECT 1 AS one FROM sign_in_attempts WHERE id = $1 AND spent_at IS NULL AND expires_at > $2{}", tx.lock(true));
    Ok(tx.row(&sql, vec![Value::from(id), Value::from(tx.now())]).await?.is_some())
}

/// Opens the session that a right factor earned.
async fn finish(env: &Env, tx: &mut Tx, permit: &Permit<ProveFactor>, account: AccountId, with: With) -> Result<Outcome, Refused> {
    let spend = "UPDATE sign_in_attempts SET spent_at = $2 WHERE id = $1 AND spent_at IS NULL";
    if tx.execute(spend, vec![Value::from(permit.actor().credential_id), Value::from(tx.now())]).await? != 1 {
        return Err(anyhow::anyhow!("the half-open sign-in was spent while its row was locked").into());
    }
    let token = session::open(env, tx, account, with, permit.event()).await?;
    events::record(env, tx, permit, Entry::of(SignedIn { factor: with.proof().wire().to_owned() }).about(account)).await?;
    Ok(Outcome::SignedIn(token))
}

/// Records a wrong factor of a half-open sign-in.
async fn fail_factor(env: &Env, tx: &mut Tx, permit: &Permit<ProveFactor>, account: AccountId, reason: &str) -> Result<(), Refused> {
    let entry = Entry::of(SignInFailed { reason: reason.to_owned(), username: None }).about(account);
    events::record_failure(env, tx, permit, entry, account.0.as_bytes()).await?;
    Ok(())
}
