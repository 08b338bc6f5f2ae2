//! TABLE 4: kinds of job, their retries and schedule; enqueue, claim, finish. The bodies are in `work`.
//!
//! A job is written in the transaction whose effect it follows, and runs at least once; its key makes a second one of the same harmless.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use credentials::keys::Place;
use credentials::secret::Secret;

use crate::clock::Time;
use crate::db::entities::jobs;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::JobId;
use crate::refused::Refused;

macro_rules! jobs { ($($(#[doc = $doc:literal])* $Name:ident = $wire:literal, tries $tries:literal, every $every:expr, key $key:literal;)*) => {
    /// The name of every kind of job.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
    pub enum JobKind { $($(#[doc = $doc])* $Name),* }
    impl JobKind {
        /// All kinds, in the order of the table.
        pub const ALL: &'static [Self] = &[$(Self::$Name),*];
        /// The kind as stored.
        #[must_use]
        pub const fn wire(self) -> &'static str { match self { $(Self::$Name => $wire),* } }
        /// How often it is tried before it counts as failed; 0 means until it works.
        #[must_use]
        pub const fn tries(self) -> i64 { match self { $(Self::$Name => $tries),* } }
        /// How often it runs by itself, if it does.
        #[must_use]
        pub const fn every(self) -> Option<Duration> { match self { $(Self::$Name => $every),* } }
        /// What makes a second run harmless.
        #[must_use]
        pub const fn key(self) -> &'static str { match self { $(Self::$Name => $key),* } }
        /// The sentence of its row.
        #[must_use]
        pub fn sentence(self) -> &'static str { match self { $(Self::$Name => concat!($($doc),*).trim_ascii()),* } }
        /// The kind with this stored name.
        #[must_use]
        pub fn from_wire(wire: &str) -> Option<Self> { Self::ALL.iter().copied().find(|kind| kind.wire() == wire) }
    }
} }

const fn minutes(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(n * 60))
}

jobs! {
    /// Find everyone whom an event concerns and enqueue one mail for each.
    Notify = "notify", tries 0, every None, key "the event; each mail it enqueues has the event and the recipient as its key";
    /// Hand one mail to the mail server. It is given up when the recipient is refused, the text for hours, or its link or code for a day.
    SendMail = "send-mail", tries 0, every None, key "event and recipient, which also make the Message-ID";
    /// Remove blobs and staged uploads that no row names.
    SweepBlobs = "sweep-blobs", tries 3, every minutes(60), key "the hour; removing what is gone is no change";
    /// Remove expired sessions, codes, links, acts, limits and finished jobs.
    SweepExpired = "sweep-expired", tries 3, every minutes(15), key "the quarter of an hour; removing what is gone is no change";
    /// Take the proof of addresses away whose domains are listed as lapsed.
    UnverifyLapsed = "unverify-lapsed", tries 3, every minutes(60), key "the hour; an address without proof is passed over";
    /// Tell owners of API tokens that they end: a week before, and a day before.
    WarnTokens = "warn-token-ends", tries 3, every minutes(60), key "the hour; the token's row says when its owner was told";
    /// Do what has waited and was served, and end what can never take effect.
    ApplyHolds = "apply-holds", tries 3, every minutes(1), key "the minute, or the approval; a hold takes effect in the transaction that closes it";
    /// Erase what was deleted longer ago than `retention.days`: personal data of accounts, rows of projects, releases and files.
    Erase = "erase", tries 3, every minutes(15), key "the quarter of an hour; what is erased is passed over";
    /// End invitations that nobody answered in time.
    ExpireInvitations = "expire-invitations", tries 3, every minutes(15), key "the quarter of an hour; an invitation is ended once, by the transaction that records it";
    /// Write one event for each window of counted failures that is over.
    CloseCounts = "close-counts", tries 3, every minutes(5), key "the window names the event that closed it";
    /// Close what was recorded into a seal, where no process does it every second.
    SealEvents = "seal-events", tries 3, every minutes(1), key "the minute; a row is sealed once, and the number of a seal is unique";
    /// Post sealed rows to the machine that `audit.webhook_url` names, where no process does it every second.
    ShipEvents = "ship-events", tries 3, every minutes(1), key "the minute; the other machine knows a seal by its number";
}

/// A secret on its way into a mail: a link token or a code.
#[derive(Clone, Debug)]
pub struct Enclosed(pub Secret);

/// A job to be enqueued.
#[derive(Debug)]
pub struct NewJob {
    /// Which kind.
    pub kind: JobKind,
    /// Idempotence: a second job with the same key is not enqueued.
    pub key: String,
    /// What it needs to know; never a secret.
    pub payload: serde_json::Value,
    /// A secret that it carries, sealed at rest (R29).
    pub enclosed: Option<Enclosed>,
    /// Not before.
    pub run_at: Time,
}

/// Enqueues a job with the transaction that it follows from. One with the same key already there is left as it is.
///
/// # Errors
/// The database.
pub async fn enqueue(env: &Env, tx: &Tx, job: NewJob) -> Result<(), Refused> {
    let id = JobId::new(tx.now(), &*env.entropy);
    let enclosed = job.enclosed.map(|secret| env.keys.seal(&*env.entropy, &place(&id), secret.0.expose().as_bytes()));
    let row = jobs::ActiveModel {
        id: Set(id),
        kind: Set(job.kind.wire().to_owned()),
        key: Set(job.key),
        payload: Set(job.payload.to_string()),
        enclosed: Set(enclosed),
        state: Set("ready".to_owned()),
        tries: Set(0),
        created_at: Set(tx.now()),
        run_at: Set(job.run_at),
        locked_until: Set(None),
        finished_at: Set(None),
        last_error: Set(None),
    };
    let conflict = sea_orm::sea_query::OnConflict::column(jobs::Column::Key).do_nothing().to_owned();
    jobs::Entity::insert(row).on_conflict(conflict).exec_without_returning(tx.connection()).await?;
    Ok(())
}

fn place(id: &JobId) -> Place<'_> {
    Place { table: "jobs", row: id.0.as_bytes(), account: &[] }
}

/// A job in hand.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Which one.
    pub id: JobId,
    /// Which kind.
    pub kind: JobKind,
    /// Its idempotence key.
    pub key: String,
    /// What it needs to know.
    pub payload: serde_json::Value,
    /// The secret that it carries.
    pub enclosed: Option<Secret>,
    /// How often it was tried, this time included.
    pub tries: i64,
}

/// How long a claimed job is left alone before somebody else may take it.
pub const LEASE: Duration = Duration::from_secs(120);

/// Which jobs a worker takes: mail has hands of its own, so that a mail server that hangs keeps nothing else waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// Whatever is due.
    Any,
    /// `SendMail` alone.
    Mail,
    /// Everything but `SendMail`.
    Rest,
}

impl Take {
    const fn condition(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Mail => " AND kind = 'send-mail'",
            Self::Rest => " AND kind <> 'send-mail'",
        }
    }
}

const CLAIM: &str = "UPDATE jobs SET state = 'running', tries = tries + 1, locked_until = $2 WHERE id = (\
    SELECT id FROM jobs WHERE ((state = 'ready' AND run_at <= $1) OR (state = 'running' AND locked_until <= $1)){take} \
    ORDER BY run_at, id LIMIT 1{skip}) RETURNING id";
const IS_DUE: &str = "SELECT 1 AS one FROM jobs \
    WHERE ((state = 'ready' AND run_at <= $1) OR (state = 'running' AND locked_until <= $1)){take} LIMIT 1";
/// How long a job of a kind that this version does not know waits for one that does.
const UNKNOWN_WAITS: Duration = Duration::from_secs(60);

/// Whether a job is due, without taking the write lock.
///
/// # Errors
/// The database.
pub async fn is_due<R: Reading>(read: &R, take: Take) -> Result<bool, Refused> {
    let sql = IS_DUE.replace("{take}", take.condition());
    Ok(read.row(&sql, vec![Value::from(read.now())]).await?.is_some())
}

/// Takes the next job that is due, under a lease. One that cannot be read counts as failed; the next one is taken.
///
/// # Errors
/// The database.
pub async fn claim(env: &Env, tx: &Tx, take: Take) -> Result<Option<Claimed>, Refused> {
    let skip = if tx.lock(true).is_empty() { "" } else { " FOR UPDATE SKIP LOCKED" };
    let sql = CLAIM.replace("{take}", take.condition()).replace("{skip}", skip);
    let now = tx.now();
    while let Some(found) = tx.row(&sql, vec![Value::from(now), Value::from(now.plus(LEASE))]).await? {
        let id: JobId = found.try_get("", "id")?;
        let row = jobs::Entity::find_by_id(id).one(tx.connection()).await?;
        let row = row.ok_or_else(|| anyhow::anyhow!("job {id} vanished while it was claimed"))?;
        let Some(kind) = JobKind::from_wire(&row.kind) else {
            tracing::warn!(job = row.kind, %id, "this version does not know such a job");
            wait(tx, id, UNKNOWN_WAITS, "not known to the version that took it").await?;
            continue;
        };
        match claimed(env, kind, row) {
            Ok(job) => return Ok(Some(job)),
            Err(e) => {
                tracing::error!(job = kind.wire(), %id, error = format!("{e:#}"), "a job cannot be read");
                give_up(tx, id, &format!("{e:#}")).await?;
            }
        }
    }
    Ok(None)
}

fn claimed(env: &Env, kind: JobKind, row: jobs::Model) -> Result<Claimed, Refused> {
    let enclosed = row.enclosed.map(|sealed| open(env, &row.id, &sealed)).transpose()?;
    let payload = serde_json::from_str(&row.payload)?;
    Ok(Claimed { id: row.id, kind, key: row.key, payload, enclosed, tries: row.tries })
}

fn open(env: &Env, id: &JobId, sealed: &[u8]) -> Result<Secret, Refused> {
    let plain = env.keys.open(&place(id), sealed).map_err(|e| anyhow::anyhow!("the secret of job {id}: {e}"))?;
    let text = String::from_utf8(plain.expose().to_vec()).map_err(|_| anyhow::anyhow!("the secret of job {id} is not text"))?;
    Ok(Secret::new(text))
}

/// The job is done; its secret is blanked (R29).
///
/// # Errors
/// The database.
pub async fn finish(tx: &Tx, id: JobId) -> Result<(), Refused> {
    close(tx, id, "done", None).await
}

/// The job did not work: it is tried again after a pause that doubles up to an hour, or counts as failed.
///
/// # Errors
/// The database.
pub async fn put_back(tx: &Tx, job: &Claimed, error: &str) -> Result<(), Refused> {
    if job.kind.tries() != 0 && job.tries >= job.kind.tries() {
        return close(tx, job.id, "failed", Some(error)).await;
    }
    let pause = Duration::from_secs(1 << job.tries.clamp(0, 12)).min(Duration::from_secs(3600));
    wait(tx, job.id, pause, error).await
}

async fn wait(tx: &Tx, id: JobId, pause: Duration, error: &str) -> Result<(), Refused> {
    let sql = "UPDATE jobs SET state = 'ready', run_at = $2, locked_until = NULL, last_error = $3 WHERE id = $1";
    tx.execute(sql, vec![Value::from(id), Value::from(tx.now().plus(pause)), Value::from(error)]).await?;
    Ok(())
}

/// The job can never work: it counts as failed at once, and its secret is blanked.
///
/// # Errors
/// The database.
pub async fn give_up(tx: &Tx, id: JobId, error: &str) -> Result<(), Refused> {
    close(tx, id, "failed", Some(error)).await
}

async fn close(tx: &Tx, id: JobId, state: &str, error: Option<&str>) -> Result<(), Refused> {
    let sql = "UPDATE jobs SET state = $2, finished_at = $3, enclosed = NULL, locked_until = NULL, last_error = $4 WHERE id = $1";
    let error = error.map(str::to_owned);
    tx.execute(sql, vec![Value::from(id), Value::from(state), Value::from(tx.now()), Value::from(error)]).await?;
    Ok(())
}

/// Enqueues the runs of all schedules that fall into the present window.
///
/// # Errors
/// The database.
pub async fn schedule(env: &Env, tx: &Tx) -> Result<(), Refused> {
    for kind in JobKind::ALL {
        let Some(every) = kind.every() else { continue };
        let window = tx.now().window(every);
        let key = format!("{}:{}", kind.wire(), window.as_seconds());
        enqueue(env, tx, NewJob { kind: *kind, key, payload: serde_json::Value::Null, enclosed: None, run_at: tx.now() }).await?;
    }
    Ok(())
}

/// When the oldest job that is due should have run; `None` when none waits. For the readiness page.
///
/// # Errors
/// The database.
pub async fn oldest_due<R: Reading>(read: &R) -> Result<Option<Time>, Refused> {
    let sql = "SELECT MIN(run_at) AS oldest FROM jobs WHERE state = 'ready' AND run_at <= $1 AND tries = 0";
    let row = read.row(sql, vec![Value::from(read.now())]).await?;
    Ok(row.map(|r| r.try_get::<Option<Time>>("", "oldest")).transpose()?.flatten())
}

/// How many jobs are in each state that still matters: `ready`, `running`, `failed`.
///
/// # Errors
/// The database.
pub async fn counts<R: Reading>(read: &R) -> Result<Vec<(&'static str, u32)>, Refused> {
    const COUNTS: &str = "SELECT state, COUNT(*) AS n FROM jobs WHERE state <> 'done' GROUP BY state";
    let mut counts = vec![("ready", 0), ("running", 0), ("failed", 0)];
    for row in read.rows(COUNTS, vec![]).await? {
        let (state, n): (String, i64) = (row.try_get("", "state")?, row.try_get("", "n")?);
        if let Some(count) = counts.iter_mut().find(|(known, _)| *known == state) {
            count.1 = u32::try_from(n).unwrap_or(u32::MAX);
        }
    }
    Ok(counts)
}

/// Jobs of one kind that are not done.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The kind.
    pub kind: String,
    /// Ready, running, failed.
    pub state: String,
    /// How many.
    pub count: i64,
    /// The most tries that one of them took.
    pub tries: i64,
    /// When the oldest was due.
    pub oldest: Time,
}

/// What waits, runs or failed, by kind.
///
/// # Errors
/// The database.
pub async fn waiting<R: Reading>(read: &R) -> Result<Vec<Waiting>, Refused> {
    const WAITING: &str = "SELECT kind, state, COUNT(*) AS n, MAX(tries) AS tries, MIN(run_at) AS oldest FROM jobs \
        WHERE state <> 'done' GROUP BY kind, state ORDER BY kind, state";
    let rows = read.rows(WAITING, Vec::new()).await?;
    let waiting = |row: &sea_orm::QueryResult| {
        Ok::<_, sea_orm::DbErr>(Waiting {
            kind: row.try_get("", "kind")?,
            state: row.try_get("", "state")?,
            count: row.try_get("", "n")?,
            tries: row.try_get("", "tries")?,
            oldest: row.try_get("", "oldest")?,
        })
    };
    Ok(rows.iter().map(waiting).collect::<Result<_, _>>()?)
}
