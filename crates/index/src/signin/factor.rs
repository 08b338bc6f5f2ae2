//! TOTP: enrolling the first factor, signing in with it, proving it again.
//!
//! A step is accepted once: the row remembers the newest, and one UPDATE decides between two at the same moment.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use credentials::keys::Place;
use credentials::secret::Secret;
use credentials::totp::{STEP_S, TotpSecret, TotpVerdict, check};

use crate::act;
use crate::db::entities::factors;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, CodeReplayed, Entry, FactorAdded, FactorRefused, Reauthenticated, ReauthenticationFailed};
use crate::holds::wake;
use crate::ids::{AccountId, ActId, FactorId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Action, Actor, AddFirstFactor, Denied, Permit, Reauthenticate, SessionProof};
use crate::refused::{Invalid, Refused};
use crate::signin::attempt::{self, Outcome};
use crate::signin::session::With;

/// Why a code is refused that was accepted before.
const REPLAYED: &str = "the code was used before";
/// How often the owner of a factor is told of replays, at most.
const TOLD_EVERY: Duration = Duration::from_secs(3600);

const TOLD: &str = "SELECT 1 AS one FROM events WHERE account_id = $1 AND kind = 'account:two_factor:replayed' AND at > $2 LIMIT 1";

/// Tells the owner that a code was sent a second time, at most once an hour: whoever has it has seen it.
async fn tell_replay<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, account: AccountId, reason: &str) -> Result<(), Refused> {
    let since = tx.now().minus(TOLD_EVERY);
    if reason == REPLAYED && tx.row(TOLD, vec![Value::from(account), Value::from(since)]).await?.is_none() {
        events::record(env, tx, permit, Entry::of(CodeReplayed {}).about(account)).await?;
    }
    Ok(())
}

/// Judges a typed code against the account's factor, and takes its step.
async fn accept(env: &Env, tx: &Tx, account: AccountId, typed: &str) -> Result<Result<FactorId, &'static str>, Refused> {
    let Some(row) = open_factor(tx, account).await? else { return Ok(Err("the account has no second factor")) };
    let secret = unseal(env, &row)?;
    match check(&secret, typed, tx.now().as_seconds(), row.last_step) {
        TotpVerdict::Accepted { step } if take_step(tx, row.id, step).await? => Ok(Ok(row.id)),
        TotpVerdict::Accepted { .. } | TotpVerdict::Replayed => Ok(Err(REPLAYED)),
        TotpVerdict::Drifted { .. } | TotpVerdict::Wrong => Ok(Err("the code was wrong")),
    }
}

async fn open_factor<R: Reading>(read: &R, account: AccountId) -> Result<Option<factors::Model>, Refused> {
    Ok(factors::Entity::find()
        .filter(factors::Column::AccountId.eq(account))
        .filter(factors::Column::Kind.eq("totp"))
        .filter(factors::Column::UntilAt.is_null())
        .one(read.connection())
        .await?)
}

const TAKE_STEP: &str = "UPDATE factors SET last_step = $2, last_used_at = $3 \
    WHERE id = $1 AND until_at IS NULL AND (last_step IS NULL OR last_step < $2)";

async fn take_step(tx: &Tx, factor: FactorId, step: i64) -> Result<bool, Refused> {
    Ok(tx.execute(TAKE_STEP, vec![Value::from(factor), Value::from(step), Value::from(tx.now())]).await? == 1)
}

fn place<'a>(id: &'a FactorId, account: &'a AccountId) -> Place<'a> {
    Place { table: "factors", row: id.0.as_bytes(), account: account.0.as_bytes() }
}

fn unseal(env: &Env, row: &factors::Model) -> Result<TotpSecret, Refused> {
    let plain = env.keys.open(&place(&row.id, &row.account_id), &row.secret_sealed);
    let plain = plain.map_err(|e| anyhow::anyhow!("the secret of factor {}: {e}", row.id))?;
    let secret = TotpSecret::from_bytes(plain.expose());
    secret.ok_or_else(|| anyhow::anyhow!("the secret of factor {} is not 20 bytes", row.id).into())
}

/// Finishes a half-open sign-in with a code.
///
/// # Errors
/// `Limited`; `Denied` when nothing is half open.
pub async fn sign_in(env: &Env, actor: &Actor, typed: Secret) -> Result<Outcome, Refused> {
    let account = actor.account().ok_or(Denied::NotValid)?;
    let taken = limits::take(env, Limit::Factor, &Whom::account(account, actor.origin.network)).await?;
    let inner = env.clone();
    attempt::step(env, actor, Some(taken), move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move {
            let accepted = accept(&env, tx, account, typed.expose()).await?;
            if let Err(reason) = accepted {
                tell_replay(&env, tx, permit, account, reason).await?;
            }
            Ok(accepted.map(With::Totp))
        })
    })
    .await
}

/// A secret that is offered but not stored yet.
///
/// It is derived from the instance's key, the session and the mailbox proof made in it, so that the page shows the same one while
/// that proof lives, another session never sees it, and opening the page writes nothing. A factor that is there already, or was,
/// changes it: no secret is ever offered twice.
#[derive(Debug)]
pub struct Pending {
    secret: TotpSecret,
}

impl Pending {
    /// The secret in base32.
    #[must_use]
    pub fn base32(&self) -> Secret {
        self.secret.base32()
    }
    /// The `otpauth:` address.
    #[must_use]
    pub fn otpauth(&self, env: &Env, username: &str) -> Secret {
        self.secret.otpauth_url(&env.config.name, username)
    }
}

/// The secret that the page offers.
///
/// # Errors
/// `Invalid` when the account has the factor already.
pub async fn pending<R: Reading>(env: &Env, read: &R, permit: &Permit<AddFirstFactor>) -> Result<Pending, Refused> {
    let account = *permit.on();
    let newest = factors::Entity::find()
        .filter(factors::Column::AccountId.eq(account))
        .order_by_desc(factors::Column::FromAt)
        .one(read.connection())
        .await?;
    if newest.as_ref().is_some_and(|row| row.until_at.is_none()) {
        return Err(Invalid::new("", "Your account has an authenticator app already.").into());
    }
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let proved = session.mailbox_proved_at.ok_or(Denied::NotValid)?;
    let newest = newest.map(|row| row.id.to_string()).unwrap_or_default();
    let bound = format!("{account}|{}|{}|{newest}", session.id, proved.as_micros());
    let digest = env.keys.keyed_hash("totp-pending", bound.as_bytes()).digest;
    let secret = TotpSecret::from_bytes(&digest[..20]).expect("20 bytes were taken");
    Ok(Pending { secret })
}

/// What became of the code that should prove a new factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolled {
    /// The factor is added, and the session is fresh.
    Added,
    /// The code was wrong.
    Wrong,
    /// The device's clock is off by this many steps of 30 seconds; positive when it is ahead. Explained, never accepted.
    Drifted(i64),
}

/// Adds the first factor, when the code proves that the app has the secret.
///
/// # Errors
/// `Limited`; `Denied` by a gate; `Invalid` when the account has the factor already.
pub async fn enrol(env: &Env, actor: &Actor, account: AccountId, typed: Secret) -> Result<Enrolled, Refused> {
    let taken = limits::take(env, Limit::Factor, &Whom::account(account, actor.origin.network)).await?;
    let inner = env.clone();
    let enrolled = act::act::<AddFirstFactor, _, _>(env, actor, account, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { add(&env, tx, permit, typed.expose()).await })
    })
    .await?;
    if enrolled == Enrolled::Added {
        limits::give_back(env, taken).await?;
    }
    Ok(enrolled)
}

async fn add(env: &Env, tx: &mut Tx, permit: &Permit<AddFirstFactor>, typed: &str) -> Result<Enrolled, Refused> {
    let account = *permit.on();
    let pending = pending(env, tx, permit).await?;
    let (step, reason) = match check(&pending.secret, typed, tx.now().as_seconds(), None) {
        TotpVerdict::Accepted { step } => (Ok(step), ""),
        TotpVerdict::Drifted { steps } => (Err(Enrolled::Drifted(steps)), "the device's clock is wrong"),
        TotpVerdict::Replayed | TotpVerdict::Wrong => (Err(Enrolled::Wrong), "the code was wrong"),
    };
    let step = match step {
        Ok(step) => step,
        Err(enrolled) => {
            let entry = Entry::of(FactorRefused { reason: reason.to_owned() }).about(account);
            events::record_failure(env, tx, permit, entry, account.0.as_bytes()).await?;
            return Ok(enrolled);
        }
    };
    let id = insert(env, tx, permit, &pending.secret, step).await?;
    if let Some(session) = permit.actor().session {
        prove_session(tx, &session, id).await?;
    }
    events::record(env, tx, permit, Entry::of(FactorAdded { method: "totp".to_owned() }).about(account)).await?;
    wake::after_first_factor(env, tx, permit, account).await?;
    Ok(Enrolled::Added)
}

async fn insert(env: &Env, tx: &Tx, permit: &Permit<AddFirstFactor>, secret: &TotpSecret, step: i64) -> Result<FactorId, Refused> {
    let (account, id) = (*permit.on(), FactorId::new(tx.now(), &*env.entropy));
    let row = factors::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        kind: Set("totp".to_owned()),
        label: Set(String::new()),
        secret_sealed: Set(env.keys.seal(&*env.entropy, &place(&id, &account), secret.to_bytes().expose())),
        last_step: Set(Some(step)),
        last_used_at: Set(Some(tx.now())),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
        credential_id: Set(None),
        sign_count: Set(None),
        user_verified: Set(None),
        discoverable: Set(None),
        backup_eligible: Set(None),
        backed_up: Set(None),
    };
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    let rows = factors::Entity::insert(row).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    if rows == 1 { Ok(id) } else { Err(Invalid::new("", "Your account has an authenticator app already.").into()) }
}

const PROVE_SESSION: &str =
    "UPDATE sessions SET proved_at = $2, proved_with = 'totp', factor_id = $3 WHERE id = $1 AND until_at IS NULL AND expires_at > $2";

async fn prove_session(tx: &Tx, session: &SessionProof, factor: FactorId) -> Result<(), Refused> {
    let done = tx.execute(PROVE_SESSION, vec![Value::from(session.id), Value::from(tx.now()), Value::from(factor)]).await?;
    if done == 1 { Ok(()) } else { Err(Denied::NotValid.into()) }
}

const PROVE_ACT: &str = "UPDATE acts SET proved_at = $4, proved_with = 'totp', factor_id = $5 \
    WHERE id = $1 AND account_id = $2 AND session_id = $3 AND proved_at IS NULL AND spent_at IS NULL AND expires_at > $4";

/// What became of proving a factor again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proved {
    /// It was right.
    Right,
    /// It was wrong.
    Wrong,
    /// It was right, and the act it was for is gone.
    Gone,
}

/// Proves the factor again: for one act (R2), or so that the session is fresh (R1).
///
/// # Errors
/// `Limited`, or `Denied`.
pub async fn prove_again(env: &Env, actor: &Actor, account: AccountId, act: Option<ActId>, typed: Secret) -> Result<Proved, Refused> {
    let taken = limits::take(env, Limit::Factor, &Whom::account(account, actor.origin.network)).await?;
    let inner = env.clone();
    let proved = act::act::<Reauthenticate, _, _>(env, actor, account, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { again(&env, tx, permit, act, typed.expose()).await })
    })
    .await?;
    if proved != Proved::Wrong {
        limits::give_back(env, taken).await?;
    }
    Ok(proved)
}

async fn again(env: &Env, tx: &mut Tx, permit: &Permit<Reauthenticate>, act: Option<ActId>, typed: &str) -> Result<Proved, Refused> {
    let account = *permit.on();
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let failed = |reason: &str| Entry::of(ReauthenticationFailed { reason: reason.to_owned() }).about(account);
    let factor = match accept(env, tx, account, typed).await? {
        Ok(factor) => factor,
        Err(reason) => {
            events::record_failure(env, tx, permit, failed(reason), account.0.as_bytes()).await?;
            tell_replay(env, tx, permit, account, reason).await?;
            return Ok(Proved::Wrong);
        }
    };
    if let Some(act) = act {
        let values = vec![Value::from(act), Value::from(account), Value::from(session.id), Value::from(tx.now()), Value::from(factor)];
        if tx.execute(PROVE_ACT, values).await? != 1 {
            events::record_failure(env, tx, permit, failed("the act was over"), account.0.as_bytes()).await?;
            return Ok(Proved::Gone);
        }
    } else {
        prove_session(tx, &session, factor).await?;
    }
    let event = Reauthenticated { factor: "totp".to_owned(), act: act.map(|id| id.to_string()) };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    Ok(Proved::Right)
}

/// How far a device's clock is off, in words.
#[must_use]
pub fn drift_words(steps: i64) -> String {
    let seconds = steps.abs() * STEP_S;
    let direction = if steps > 0 { "ahead" } else { "behind" };
    format!(
        "The code is right for another time: the clock of your device is about {seconds} seconds {direction}. Set it, then enter the code that it shows next."
    )
}
