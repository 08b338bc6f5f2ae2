//! The bodies of all jobs, one `match`, and the loop that works them: two pairs of hands, one of them for mail alone.

mod counts;
mod erase;
mod ending;
mod expire;
mod holds;
mod lapsed;
mod offers;
mod sweep;
mod tell;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::act::{Housekeeping, housekeeping};
use crate::audit;
use crate::breach::Health;
use crate::clock::Time;
use crate::env::Env;
use crate::measure;
use crate::policy::ActionName;
use crate::queue::{self, Claimed, JobKind, Take};
use crate::refused::Refused;

/// The jobs that act on the index, and the action that each performs: their doors.
pub const ACTS: &[(JobKind, ActionName)] = &[
    (JobKind::CloseCounts, ActionName::CloseCounts),
    (JobKind::UnverifyLapsed, ActionName::UnverifyAddress),
    (JobKind::WarnTokens, ActionName::WarnTokenEnd),
    (JobKind::ApplyHolds, ActionName::SettleHold),
    (JobKind::ApplyHolds, ActionName::WakeRoles),
    (JobKind::Erase, ActionName::EraseAccount),
    (JobKind::Erase, ActionName::EraseDeleted),
    (JobKind::ExpireInvitations, ActionName::ExpireInvitation),
    (JobKind::ApplyHolds, ActionName::DemoteOwner),
    (JobKind::ApplyHolds, ActionName::RemoveOwner),
];

/// Why a job did not work.
#[derive(Debug)]
pub enum Failed {
    /// Another time it may.
    Retry(anyhow::Error),
    /// It never will.
    Fail(anyhow::Error),
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Retry(anyhow::Error::new(refused))
    }
}

/// How often the queue is asked.
const PAUSE: Duration = Duration::from_millis(250);
/// How long the queue is left alone when it does not answer.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(2);
/// How often the schedules are looked at.
const SCHEDULES: Duration = Duration::from_secs(60);

/// So many jobs of a sort at once.
struct Hands {
    take: Take,
    free: Arc<Semaphore>,
}

impl Hands {
    fn new(take: Take, at_once: usize) -> Self {
        Self { take, free: Arc::new(Semaphore::new(at_once)) }
    }
}

/// Works jobs until told to stop; those in hand are finished first.
pub async fn run(env: Env, mut stop: watch::Receiver<bool>) {
    let hands = [Hands::new(Take::Rest, 2), Hands::new(Take::Mail, 2)];
    let mut running = JoinSet::new();
    let mut scheduled = None;
    while !*stop.borrow() {
        let pause = match fill(&env, &hands, &mut running, (&mut scheduled, &stop)).await {
            Ok(()) => PAUSE,
            Err(e) => {
                tracing::error!(error = format!("{e:#}"), "the job queue does not answer");
                PAUSE_AFTER_FAULT
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Some(_) = running.join_next() => {}
            told = stop.changed() => if told.is_err() { break },
        }
    }
    while running.join_next().await.is_some() {}
}

/// Takes jobs as long as hands are free and nobody says stop.
async fn fill(
    env: &Env,
    hands: &[Hands],
    running: &mut JoinSet<()>,
    (scheduled, stop): (&mut Option<Time>, &watch::Receiver<bool>),
) -> Result<(), Refused> {
    let window = env.now().window(SCHEDULES);
    if *scheduled != Some(window) {
        schedule(env).await?;
        *scheduled = Some(window);
    }
    for hand in hands {
        while !*stop.borrow()
            && let Ok(place) = Arc::clone(&hand.free).try_acquire_owned()
        {
            let read = env.db.read(env.now()).await?;
            let due = queue::is_due(&read, hand.take).await?;
            drop(read);
            let Some(job) = (if due { claim(env, hand.take).await? } else { None }) else { break };
            let env = env.clone();
            running.spawn(async move {
                if let Err(e) = work(&env, job).await {
                    tracing::error!(error = format!("{e:#}"), "the end of a job could not be written; its lease brings it back");
                }
                drop(place);
            });
        }
    }
    Ok(())
}

async fn schedule(env: &Env) -> Result<(), Refused> {
    let own = env.clone();
    housekeeping(env, Housekeeping::Queue, move |tx| Box::pin(async move { queue::schedule(&own, tx).await })).await
}

async fn claim(env: &Env, take: Take) -> Result<Option<Claimed>, Refused> {
    let own = env.clone();
    housekeeping(env, Housekeeping::Queue, move |tx| Box::pin(async move { queue::claim(&own, tx, take).await })).await
}

/// Works one job, if one is due; says whether there was one.
///
/// # Errors
/// The database.
pub async fn step(env: &Env) -> Result<bool, Refused> {
    schedule(env).await?;
    let Some(job) = claim(env, Take::Any).await? else { return Ok(false) };
    work(env, job).await?;
    Ok(true)
}

/// Works one job and writes how it ended.
async fn work(env: &Env, job: Claimed) -> Result<(), Refused> {
    let outcome = body(env, &job).await;
    housekeeping(env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            match outcome {
                Ok(()) => queue::finish(tx, job.id).await,
                Err(Failed::Retry(e)) => {
                    tracing::warn!(job = job.kind.wire(), id = %job.id, tries = job.tries, error = format!("{e:#}"), "a job is tried again");
                    queue::put_back(tx, &job, &format!("{e:#}")).await
                }
                Err(Failed::Fail(e)) => {
                    tracing::error!(job = job.kind.wire(), id = %job.id, error = format!("{e:#}"), "a job failed for good");
                    queue::give_up(tx, job.id, &format!("{e:#}")).await
                }
            }
        })
    })
    .await
}

/// Does what the job says. A second run of the same job changes nothing.
///
/// # Errors
/// Whether another try makes sense.
pub async fn body(env: &Env, job: &Claimed) -> Result<(), Failed> {
    match job.kind {
        JobKind::Notify => tell::notify(env, job.clone()).await,
        JobKind::SendMail => tell::send_mail(env, job.clone()).await,
        JobKind::SweepBlobs => sweep::blobs(env).await,
        JobKind::SweepExpired => expire::sweep(env).await,
        JobKind::UnverifyLapsed => lapsed::unverify(env, job).await,
        JobKind::WarnTokens => ending::warn(env, job).await,
        JobKind::ApplyHolds => holds::apply(env, job).await,
        JobKind::CloseCounts => counts::close(env, job).await,
        JobKind::Erase => erase::erase(env, job).await,
        JobKind::ExpireInvitations => offers::expire(env, job).await,
        JobKind::SealEvents => Ok(audit::seal(env).await.map(drop)?),
        JobKind::ShipEvents => Ok(audit::ship::ship(env).await.map(drop)?),
    }
}

/// Counts what is counted only when somebody looks: the queue, and whether the lists of stolen passwords answer.
///
/// # Errors
/// The database.
pub async fn measure(env: &Env) -> Result<(), Refused> {
    for (source, health) in env.breach.health() {
        measure::breach_up(source, health == Health::Up);
    }
    let read = env.db.read(env.now()).await?;
    for (state, count) in queue::counts(&read).await? {
        measure::jobs(state, count);
    }
    let late = queue::oldest_due(&read).await?.map_or(Duration::ZERO, |due| env.now().since(due));
    measure::jobs_late(late);
    Ok(())
}

/// Which parts answer: database, blobs, job queue.
pub async fn readiness(env: &Env, late: Duration) -> Vec<(&'static str, bool)> {
    let database = env.db.ping().await.is_ok();
    let blobs = env.blobs.root().join("staging").is_dir();
    let jobs = match env.db.read(env.now()).await {
        Ok(read) => queue::oldest_due(&read).await.is_ok_and(|due| due.is_none_or(|at| env.now().since(at) < late)),
        Err(_) => false,
    };
    vec![("database", database), ("blobs", blobs), ("jobs", jobs)]
}
