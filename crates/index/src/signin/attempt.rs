//! From a user name and a password to a session: one state machine with one enum of outcomes.
//!
//! A half-open sign-in waits for a `factor`, then, in a browser that the account does not know, for the `mailbox` (see `confirm`). Its
//! row names what it waits for and what it has; its cookie's token is a new one at each stage, good for minutes and for one way on.
//!
//! Unknown names cost the same hash, meet the same limits and get the same answer (R25). The password is weighed before the
//! transaction; inside it the row is locked and the hash compared again, so that a reset in between wins.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Value};

use credentials::link::LinkToken;
use credentials::secret::Secret;

use crate::accounts;
use crate::accounts::taking_back::{self, Begun};
use crate::act;
use crate::breach::Verdict;
use crate::clock::Time;
use crate::db::entities::sign_in_attempts;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, PasswordProved, SignInFailed, SignedIn, SignedInAfterFailures, SignedInNewDevice, WrongFactor};
use crate::ids::{AccountId, AttemptId, Site};
use crate::lane::For;
use crate::limits::{self, Limit, Taken, Whom};
use crate::policy::{Action, Actor, Denied, Permit, ProveFactor, SignIn, Standing, State, standing};
use crate::refused::Refused;
use crate::signin::breached::{self, Meaning};
use crate::signin::confirm;
use crate::signin::devices::{self, Trust};
use crate::signin::password::{self, Weighed};
use crate::signin::session::{self, Opening, With};

/// How long a half-open sign-in waits for the factor.
pub const HALF_SESSION: Duration = Duration::from_secs(300);
/// How long it waits for the mailbox.
pub const MAILBOX: Duration = Duration::from_secs(900);
/// How many wrong factors one half-open sign-in survives.
pub const FAILURES_MOST: i64 = 5;

/// What became of a step of a sign-in: the one enum of its outcomes.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Unknown or wrong: the same to whoever typed it.
    Refused,
    /// The password was right; the token of the half-open sign-in.
    NeedsFactor(LinkToken),
    /// What was asked for was right, and the browser is not known: a mail was sent. The new token of the half-open sign-in.
    NeedsMailbox(LinkToken),
    /// Signed in.
    SignedIn(Opened),
    /// The half-open sign-in is over: begin again.
    Over,
    /// What was typed was right and the account may not act.
    Stopped(State),
    /// The password was right and a link of a notice stopped the account; the token of the way back (R16).
    Contained(LinkToken),
    /// The password was right, and is disabled from now on: a list of stolen ones has it.
    Breached {
        /// Then no mail makes a new one.
        administrator: bool,
    },
}

impl Outcome {
    /// The word by which outcomes are counted.
    const fn word(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NeedsFactor(_) => "needs_factor",
            Self::NeedsMailbox(_) => "needs_mailbox",
            Self::SignedIn(_) => "signed_in",
            Self::Over => "over",
            Self::Stopped(_) => "stopped",
            Self::Breached { .. } => "breached",
            Self::Contained(_) => "contained",
        }
    }
    /// Counts it for those who watch the index.
    pub(crate) fn count(&self) {
        crate::measure::signed_in(self.word());
        if matches!(self, Self::Breached { .. }) {
            crate::measure::breach_disabled();
        }
    }
}

/// What a browser is given when it is signed in.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The token of the session.
    pub session: LinkToken,
    /// The token of the trust that begins with it, if the person asked for it.
    pub device: Option<Trust>,
}

/// What a half-open sign-in waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A second factor or a recovery code.
    Factor,
    /// The link of a mail, in the browser where it began.
    Mailbox,
}

impl Stage {
    pub(crate) const fn wire(self) -> &'static str {
        match self {
            Self::Factor => "factor",
            Self::Mailbox => "mailbox",
        }
    }
    const fn lifetime(self) -> Duration {
        match self {
            Self::Factor => HALF_SESSION,
            Self::Mailbox => MAILBOX,
        }
    }
}

/// What the half-open sign-in of this browser waits for, and for whom; `None` when there is none.
///
/// # Errors
/// The database.
pub async fn waits_for<R: Reading>(read: &R, actor: &Actor) -> Result<Option<(Stage, sign_in_attempts::Model)>, Refused> {
    let Some(id) = actor.credential_id.filter(|_| actor.credential == crate::policy::Credential::HalfSession) else { return Ok(None) };
    let row = sign_in_attempts::Entity::find_by_id(AttemptId(id)).one(read.connection()).await?;
    let stage = |row: &sign_in_attempts::Model| if row.stage == Stage::Mailbox.wire() { Stage::Mailbox } else { Stage::Factor };
    Ok(row.map(|row| (stage(&row), row)))
}

/// Signs in with a user name and a password: takes the limits, weighs, decides, and gives the try back when it was right.
///
/// # Errors
/// `Limited`; `Fault` when the database does not answer: fail closed.
pub async fn sign_in(env: &Env, actor: &Actor, username: &str, typed: Secret) -> Result<Outcome, Refused> {
    let username: String = username.trim().chars().take(256).collect();
    let found = {
        let username = username.clone();
        act::view::<SignIn, _, _>(env, actor, Site, move |read, _| Box::pin(async move { accounts::by_username(read, &username).await }))
            .await?
    };
    let account = found.as_ref().map(|account| account.id);
    let (taken, lane) = devices::take(env, actor, account, Limit::SignIn, &Whom::name(&username, actor.origin.network)).await?;
    let stored = found.and_then(|account| account.password_hash);
    let try_ = weigh(env, lane, Try::of(username, account, stored), typed).await?;
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
}

impl Try {
    const fn of(username: String, account: Option<AccountId>, stored: Option<String>) -> Self {
        Self { username, account, stored, weighed: Weighed { right: false, listed: Verdict::Off, upgrade: None } }
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
        let (_, token) = begin(env, tx, permit, account, Stage::Factor).await?;
        events::record(env, tx, permit, Entry::of(PasswordProved {}).about(account)).await?;
        return Ok(Outcome::NeedsFactor(token));
    }
    if let Some(address) = confirm::wanted(env, tx, permit.actor(), account, With::Password).await? {
        let (attempt, token) = begin(env, tx, permit, account, Stage::Mailbox).await?;
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
    stage: Stage,
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
    };
    let active = row.clone().into_active_model().reset_all();
    sign_in_attempts::Entity::insert(active).exec_without_returning(tx.connection()).await?;
    Ok((row, token))
}

/// What a step brings besides its judge.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// The try that was counted before anything slow was done for it; a key's assertion is no guess and counts towards no limit (R25).
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
    let (inner, judge) = (env.clone(), Arc::new(judge));
    let outcome = act::act::<ProveFactor, _, _>(env, actor, Site, move |tx, permit| {
        let (env, judge) = (inner.clone(), judge.clone());
        Box::pin(async move { decide_step(&env, tx, permit, remember, &*judge).await })
    })
    .await?;
    outcome.count();
    if let (Outcome::SignedIn(_) | Outcome::NeedsMailbox(_), Some(taken)) = (&outcome, taken) {
        limits::give_back(env, taken).await?;
    }
    Ok(outcome)
}

/// With what a step was proved, or why it was not.
pub(crate) type Judged = Result<With, &'static str>;

async fn decide_step<J>(env: &Env, tx: &mut Tx, permit: &Permit<ProveFactor>, remember: bool, judge: &J) -> Result<Outcome, Refused>
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
        Ok(with) => finish(env, tx, permit, attempt, (with, remember)).await,
        Err(reason) => {
            tx.execute("UPDATE sign_in_attempts SET failures = failures + 1 WHERE id = $1", vec![Value::from(attempt.id)]).await?;
            fail_step(env, tx, permit, account, reason).await?;
            tell_wrong_factor(env, tx, permit, account).await?;
            Ok(Outcome::Refused)
        }
    }
}

const HOLD: &str =
    "SELECT 1 AS one FROM sign_in_attempts WHERE id = $1 AND stage = $2 AND spent_at IS NULL AND expires_at > $3 AND failures < $4";

/// The half-open sign-in, if it is still there, waits for this, and was not guessed at too often. Its row is locked, so that two tries
/// at the same moment take turns.
pub(crate) async fn hold<A: Action>(tx: &Tx, permit: &Permit<A>, stage: Stage) -> Result<Option<sign_in_attempts::Model>, Refused> {
    let Some(id) = permit.actor().credential_id else { return Ok(None) };
    let sql = format!("{HOLD}{}", tx.lock(true));
    let values = vec![Value::from(id), Value::from(stage.wire()), Value::from(tx.now()), Value::from(FAILURES_MOST)];
    if tx.row(&sql, values).await?.is_none() {
        return Ok(None);
    }
    Ok(sign_in_attempts::Entity::find_by_id(AttemptId(id)).one(tx.connection()).await?)
}

/// Spends a half-open sign-in whose row is held.
pub(crate) async fn spend(tx: &Tx, attempt: AttemptId) -> Result<(), Refused> {
    const SPEND: &str = "UPDATE sign_in_attempts SET spent_at = $2 WHERE id = $1 AND spent_at IS NULL";
    if tx.execute(SPEND, vec![Value::from(attempt), Value::from(tx.now())]).await? != 1 {
        return Err(anyhow::anyhow!("the half-open sign-in was spent while its row was locked").into());
    }
    Ok(())
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

/// A sign-in that has all its proofs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished {
    pub account: AccountId,
    pub with: With,
    /// When the factor was proved.
    pub proved_at: Time,
    /// Whether the person asked to remember this browser.
    pub remember: bool,
}

/// From this many failures before it, a success is told.
const FAILURES_TOLD: i64 = 5;
/// How far back failures count.
const FAILURES_WITHIN: Duration = Duration::from_secs(86_400);

/// Opens the session: notes or begins the trust in the browser, and records what everybody concerned should hear.
pub(crate) async fn open<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, finished: Finished) -> Result<Opened, Refused> {
    let Finished { account, with, proved_at, remember } = finished;
    let origin = &permit.actor().origin;
    let last_login = accounts::by_id(tx, account).await?.and_then(|row| row.last_login_at);
    let failures = failures_since(tx, account, last_login).await?;
    let known = devices::known(tx, account, origin).await?;
    let (device, trust) = if remember {
        let (id, trust) = devices::trust(env, tx, account, origin, permit.event()).await?;
        (Some(id), Some(trust))
    } else {
        (known, None)
    };
    if let Some(known) = known {
        devices::note_seen(tx, known).await?;
    }
    let session = session::open(env, tx, Opening { account, with, proved_at, device, began_by: permit.event() }).await?;
    let factor = with.proof().wire().to_owned();
    let seen = if known.is_some() { "known" } else { "new" };
    let event = SignedIn { factor: factor.clone(), device: seen.to_owned(), remembered: trust.is_some() };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    // Before its first sign-in an account knows no browser that another could be strange beside.
    if known.is_none() && last_login.is_some() {
        events::record(env, tx, permit, Entry::of(SignedInNewDevice { factor }).about(account)).await?;
    }
    if failures >= FAILURES_TOLD {
        events::record(env, tx, permit, Entry::of(SignedInAfterFailures { failures }).about(account)).await?;
    }
    Ok(Opened { session, device: trust })
}

const FAILURES: &str = "SELECT COUNT(*) AS n FROM events WHERE account_id = $1 AND kind = 'account:login:failure' AND at > $2";

/// Failed attempts of the last day, since the last success.
async fn failures_since(tx: &Tx, account: AccountId, last_login: Option<Time>) -> Result<i64, Refused> {
    let day = tx.now().minus(FAILURES_WITHIN);
    let since = last_login.map_or(day, |at| at.max(day));
    let row = tx.row(FAILURES, vec![Value::from(account), Value::from(since)]).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0))
}

/// How long nobody is told again that somebody has the password and not the factor.
const WRONG_FACTOR_EVERY: Duration = Duration::from_secs(3600);
const WRONG_FACTOR_TOLD: &str =
    "SELECT 1 AS one FROM events WHERE account_id = $1 AND kind = 'account:login:wrong-factor' AND at > $2 LIMIT 1";

/// Somebody has the password and not the factor: told at most once an hour.
async fn tell_wrong_factor(env: &Env, tx: &mut Tx, permit: &Permit<ProveFactor>, account: AccountId) -> Result<(), Refused> {
    let values = vec![Value::from(account), Value::from(tx.now().minus(WRONG_FACTOR_EVERY))];
    if tx.row(WRONG_FACTOR_TOLD, values).await?.is_none() {
        events::record(env, tx, permit, Entry::of(WrongFactor {}).about(account)).await?;
    }
    Ok(())
}

/// Records a step of a half-open sign-in that went wrong.
pub(crate) async fn fail_step<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    account: AccountId,
    reason: &str,
) -> Result<(), Refused> {
    let entry = Entry::of(SignInFailed { reason: reason.to_owned(), username: None }).about(account);
    events::record_failure(env, tx, permit, entry, account.0.as_bytes()).await?;
    Ok(())
}
