//! TOTP: enrolling it as first or further factor, signing in with it, proving it again.
//!
//! A step is accepted once: the row remembers the newest, and one UPDATE decides between two at the same moment.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use credentials::keys::Place;
use credentials::link::LinkToken;
use credentials::secret::Secret;
use credentials::totp::{STEP_S, TotpSecret, TotpVerdict, check};

use crate::act;
use crate::db::entities::factors;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, CodeReplayed, Entry, FactorAdded, FactorRefused, Reauthenticated, ReauthenticationFailed};
use crate::holds::{self, Grant, Passed, wake};
use crate::ids::{AccountId, ActId, EventId, FactorId, HoldId};
use crate::limits::{self, Limit};
use crate::policy::{Action, Actor, AddFactor, AddFirstFactor, Credential, Denied, Permit, Reauthenticate, SeeAccount};
use crate::refused::{Invalid, Refused};
use crate::signin::attempt::{self, Outcome, Step};
use crate::signin::session::{self, With};
use crate::signin::{acts, devices};

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
pub async fn sign_in(env: &Env, actor: &Actor, typed: Secret, remember: bool) -> Result<Outcome, Refused> {
    let account = actor.account().ok_or(Denied::NotValid)?;
    let whom = attempt::whom(env, actor, account).await?;
    let (taken, _) = devices::take(env, actor, Some(account), Limit::Factor, &whom).await?;
    let inner = env.clone();
    attempt::step(env, actor, Step { taken: Some(taken), remember }, move |tx, permit| {
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

/// Whether the account holds a factor: adding another is a grant with a proof of its own (R2).
pub(crate) async fn holds_one(env: &Env, actor: &Actor, account: AccountId) -> Result<bool, Refused> {
    act::view::<SeeAccount, _, _>(env, actor, account, |_, permit| Box::pin(async move { Ok(permit.standing().factor) })).await
}

/// The proof of a mailbox adds the first factor, and never another.
pub(crate) fn check_first(permit: &Permit<AddFirstFactor>) -> Result<(), Refused> {
    if permit.standing().factor { Err(Denied::NeedsProof.into()) } else { Ok(()) }
}

/// The secret that the page offers.
///
/// # Errors
/// `Denied` by a gate; `Invalid` when the account has an app already.
pub async fn pending(env: &Env, actor: &Actor, account: AccountId) -> Result<Pending, Refused> {
    let inner = env.clone();
    if holds_one(env, actor, account).await? {
        return act::view::<AddFactor, _, _>(env, actor, account, move |read, permit| {
            Box::pin(async move { offered(&inner, read, permit).await })
        })
        .await;
    }
    act::view::<AddFirstFactor, _, _>(env, actor, account, move |read, permit| Box::pin(async move { offered(&inner, read, permit).await }))
        .await
}

async fn offered<A, R>(env: &Env, read: &R, permit: &Permit<A>) -> Result<Pending, Refused>
where
    A: Action<On = AccountId>,
    R: Reading,
{
    let account = *permit.on();
    let newest = factors::Entity::find()
        .filter(factors::Column::AccountId.eq(account))
        .filter(factors::Column::Kind.eq("totp"))
        .order_by_desc(factors::Column::FromAt)
        .one(read.connection())
        .await?;
    if newest.as_ref().is_some_and(|row| row.until_at.is_none()) {
        return Err(Invalid::new("", "Your account has an authenticator app already.").into());
    }
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let proved = match session.mailbox_proved_at {
        _ if permit.standing().factor => 0,
        Some(at) => at.as_micros(),
        None => return Err(Denied::NotValid.into()),
    };
    let newest = newest.map(|row| row.id.to_string()).unwrap_or_default();
    let bound = format!("{account}|{}|{proved}|{newest}", session.id);
    let digest = env.keys.keyed_hash("totp-pending", bound.as_bytes()).digest;
    let secret = TotpSecret::from_bytes(&digest[..20]).expect("20 bytes were taken");
    Ok(Pending { secret })
}

/// What became of the code that should prove a new factor.
#[derive(Clone, Debug)]
pub enum Enrolled {
    /// The factor is added, and the session is fresh: its new token.
    Added(LinkToken),
    /// The code was wrong.
    Wrong,
    /// The device's clock is off by this many steps of 30 seconds; positive when it is ahead. Explained, never accepted.
    Drifted(i64),
    /// It waits as this hold (R3); when that was served, the same may be asked once more.
    Held(HoldId),
}

/// Adds an authenticator app, when the code proves that it has the secret: the first factor, or a further one (R2).
///
/// # Errors
/// `Limited`; `Denied` by a gate; `NeedsProof` where the account holds a factor; `Invalid` when it has an app already.
pub async fn enrol(env: &Env, actor: &Actor, account: AccountId, typed: Secret, act: Option<ActId>) -> Result<Enrolled, Refused> {
    let further = holds_one(env, actor, account).await?;
    if further {
        // Without the proof no code is judged: the person comes back with a newer one.
        let asking = actor.clone();
        let ready = act::view::<AddFactor, _, _>(env, actor, account, move |read, _| {
            Box::pin(async move { acts::is_proved(read, &asking, act).await })
        });
        if !ready.await? {
            return Err(Denied::NeedsProof.into());
        }
    }
    let (taken, _) = devices::take(env, actor, Some(account), Limit::Factor, &devices::within(actor)).await?;
    let inner = env.clone();
    let enrolled = if further {
        act::act::<AddFactor, _, _>(env, actor, account, move |tx, permit| {
            let (env, typed) = (inner.clone(), typed.clone());
            Box::pin(async move { add_further(&env, tx, permit, typed.expose(), act).await })
        })
        .await?
    } else {
        act::act::<AddFirstFactor, _, _>(env, actor, account, move |tx, permit| {
            let (env, typed) = (inner.clone(), typed.clone());
            Box::pin(async move {
                check_first(permit)?;
                match judge(&env, tx, permit, typed.expose()).await? {
                    Ok(fits) => {
                        let token = add(&env, tx, permit, &fits).await?;
                        wake::after_first_factor(&env, tx, permit, *permit.on()).await?;
                        Ok(Enrolled::Added(token))
                    }
                    Err(enrolled) => Ok(enrolled),
                }
            })
        })
        .await?
    };
    if matches!(enrolled, Enrolled::Added(_)) {
        limits::give_back(env, taken).await?;
    }
    Ok(enrolled)
}

/// What the proof of adding an app is bound to, and what it says to the person.
#[must_use]
pub fn to_prove() -> (serde_json::Value, &'static str) {
    (serde_json::json!({ "method": "totp" }), "Add an authenticator app to your account.")
}

/// A wrong code leaves the proof good for the next one.
async fn add_further(env: &Env, tx: &mut Tx, permit: &Permit<AddFactor>, typed: &str, act: Option<ActId>) -> Result<Enrolled, Refused> {
    let fits = match judge(env, tx, permit, typed).await? {
        Ok(fits) => fits,
        Err(enrolled) => return Ok(enrolled),
    };
    let (parameters, description) = to_prove();
    let proof = acts::spend(env, tx, permit, act, &parameters).await?;
    let description = description.trim_end_matches('.').to_owned();
    match holds::pass(env, tx, permit, Grant { proof, parameters, description }).await? {
        Passed::Held(hold) => Ok(Enrolled::Held(hold)),
        Passed::Now => Ok(Enrolled::Added(add(env, tx, permit, &fits).await?)),
    }
}

/// The offered secret, and the step whose code proved that the app has it.
struct Fits {
    secret: TotpSecret,
    step: i64,
}

/// Judges the code that should prove that the app has the offered secret.
async fn judge<A: Action<On = AccountId>>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    typed: &str,
) -> Result<Result<Fits, Enrolled>, Refused> {
    let account = *permit.on();
    let pending = offered(env, tx, permit).await?;
    let (enrolled, reason) = match check(&pending.secret, typed, tx.now().as_seconds(), None) {
        TotpVerdict::Accepted { step } => return Ok(Ok(Fits { secret: pending.secret, step })),
        TotpVerdict::Drifted { steps } => (Enrolled::Drifted(steps), "the device's clock is wrong"),
        TotpVerdict::Replayed | TotpVerdict::Wrong => (Enrolled::Wrong, "the code was wrong"),
    };
    let entry = Entry::of(FactorRefused { reason: reason.to_owned() }).about(account);
    events::record_failure(env, tx, permit, entry, account.0.as_bytes()).await?;
    Ok(Err(enrolled))
}

async fn add<A: Action<On = AccountId>>(env: &Env, tx: &mut Tx, permit: &Permit<A>, fits: &Fits) -> Result<LinkToken, Refused> {
    let account = *permit.on();
    let id = insert(env, tx, (account, permit.event()), &fits.secret, fits.step).await?;
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let token = session::prove(env, tx, account, &session, With::Totp(id)).await?;
    if !permit.standing().factor {
        // The others were opened with a password alone, and that is worth nothing from now on.
        session::end_others(tx, account, Some(session.id), permit.event()).await?;
    }
    let event = FactorAdded { method: "totp".to_owned(), label: "Authenticator app".to_owned() };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    Ok(token)
}

async fn insert(
    env: &Env,
    tx: &Tx,
    (account, began_by): (AccountId, EventId),
    secret: &TotpSecret,
    step: i64,
) -> Result<FactorId, Refused> {
    let id = FactorId::new(tx.now(), &*env.entropy);
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
        began_by: Set(began_by),
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

/// What became of proving a factor again.
#[derive(Clone, Debug)]
pub enum Proved {
    /// It was right; the session's new token, where its own power rose.
    Right(Option<LinkToken>),
    /// It was wrong.
    Wrong,
    /// It was right, and the act it was for is gone.
    Gone,
    /// The account holds a key, and an act wants the strongest kind of factor (R2).
    TooWeak,
    /// It was a right password, which is disabled from now on: a list of stolen ones has it. All sessions have ended.
    Breached {
        /// Then no mail makes a new one.
        administrator: bool,
    },
}

/// Proves the factor again: for one act (R2), or so that the session is fresh (R1).
///
/// # Errors
/// `Limited`, or `Denied`.
pub async fn prove_again(env: &Env, actor: &Actor, account: AccountId, act: Option<ActId>, typed: Secret) -> Result<Proved, Refused> {
    let (taken, _) = devices::take(env, actor, Some(account), Limit::Factor, &devices::within(actor)).await?;
    let inner = env.clone();
    let proved = act::act::<Reauthenticate, _, _>(env, actor, account, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { again(&env, tx, permit, act, typed.expose()).await })
    })
    .await?;
    if !matches!(proved, Proved::Wrong) {
        limits::give_back(env, taken).await?;
    }
    Ok(proved)
}

async fn again(env: &Env, tx: &mut Tx, permit: &Permit<Reauthenticate>, act: Option<ActId>, typed: &str) -> Result<Proved, Refused> {
    let account = *permit.on();
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let failed = |reason: &str| Entry::of(ReauthenticationFailed { reason: reason.to_owned() }).about(account);
    let any = match act {
        Some(act) => acts::takes_any_factor(tx, permit.actor(), act).await?,
        None => true,
    };
    if !any && permit.standing().key {
        events::record_failure(env, tx, permit, failed("the account holds a security key"), account.0.as_bytes()).await?;
        return Ok(Proved::TooWeak);
    }
    let factor = match accept(env, tx, account, typed).await? {
        Ok(factor) => factor,
        Err(reason) => {
            events::record_failure(env, tx, permit, failed(reason), account.0.as_bytes()).await?;
            tell_replay(env, tx, permit, account, reason).await?;
            return Ok(Proved::Wrong);
        }
    };
    if let Some(act) = act
        && !acts::prove(tx, act, &session, With::Totp(factor)).await?
    {
        events::record_failure(env, tx, permit, failed("the act was over"), account.0.as_bytes()).await?;
        return Ok(Proved::Gone);
    }
    // A proof for one act makes nothing else fresh; an idle session wakes with any proof.
    let token = match act {
        Some(_) if permit.actor().credential != Credential::IdleSession => None,
        _ => Some(session::prove(env, tx, account, &session, With::Totp(factor)).await?),
    };
    let event = Reauthenticated { factor: "totp".to_owned(), act: act.map(|id| id.to_string()) };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    Ok(Proved::Right(token))
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
