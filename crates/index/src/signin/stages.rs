//! The stages of a sign-in, and its one end: what a half-open one waits for, what it becomes, and how it is held, spent and failed.

use std::time::Duration;

use sea_orm::{EntityTrait, Value};

use credentials::link::LinkToken;

use crate::accounts::{self, addresses};
use crate::clock::Time;
use crate::db::entities::sign_in_attempts;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, SignInFailed, SignedIn, SignedInAfterFailures, SignedInNewDevice, WrongFactor};
use crate::ids::{AccountId, AttemptId};
use crate::policy::{Action, Actor, Permit, ProveFactor, State};
use crate::refused::Refused;
use crate::signin::devices::{self, Trust};
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
    /// What was typed was right and the account is deleted; the token of the way back (P7).
    Deleted(LinkToken),
    /// The password was right, and is disabled from now on: a list of stolen ones has it.
    Breached {
        /// Then no mail makes a new one.
        administrator: bool,
    },
}

impl Outcome {
    /// The word by which outcomes are counted.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NeedsFactor(_) => "needs_factor",
            Self::NeedsMailbox(_) => "needs_mailbox",
            Self::SignedIn(_) => "signed_in",
            Self::Over => "over",
            Self::Stopped(_) => "stopped",
            Self::Breached { .. } => "breached",
            Self::Contained(_) => "contained",
            Self::Deleted(_) => "deleted",
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
    pub(crate) const fn lifetime(self) -> Duration {
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
    let remember = remember && (known.is_some() || !with.proof().is_phishable() || !addresses::lost_all_proofs(tx, account).await?);
    let (device, trust) = if remember {
        let (id, trust) = devices::trust(env, tx, (account, with.proof()), origin, permit.event()).await?;
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
pub(crate) async fn tell_wrong_factor(env: &Env, tx: &mut Tx, permit: &Permit<ProveFactor>, account: AccountId) -> Result<(), Refused> {
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
