//! The bodies of all jobs, one `match`, and the loop that works them.

use std::time::Duration;

use crate::act::{Housekeeping, housekeeping};
use crate::env::Env;
use crate::policy::ActionName;
use crate::queue::{self, Claimed, JobKind};
use crate::refused::Refused;

/// The jobs that act on the index, and the action that each performs: their doors.
pub const ACTS: &[(JobKind, ActionName)] = &[(JobKind::CloseCounts, ActionName::CloseCounts)];

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

/// Works jobs until told to stop; the job in hand is finished first.
pub async fn run(env: Env, mut stop: tokio::sync::watch::Receiver<bool>) {
    while !*stop.borrow() {
        let pause = match step(&env).await {
            Ok(true) => continue,
            Ok(false) => Duration::from_millis(250),
            Err(e) => {
                tracing::error!(error = format!("{e:#}"), "the job queue does not answer");
                Duration::from_secs(2)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Works one job, if one is due; says whether there was one.
///
/// # Errors
/// The database.
pub async fn step(env: &Env) -> Result<bool, Refused> {
    let claimed = {
        let env = env.clone();
        let outer = env.clone();
        housekeeping(&outer, Housekeeping::Queue, move |tx| {
            Box::pin(async move {
                queue::schedule(&env, tx).await?;
                queue::claim(&env, tx).await
            })
        })
        .await?
    };
    let Some(job) = claimed else { return Ok(false) };
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
    .await?;
    Ok(true)
}

async fn body(_env: &Env, job: &Claimed) -> Result<(), Failed> {
    match job.kind {
        JobKind::Notify | JobKind::SendMail | JobKind::SweepBlobs | JobKind::SweepExpired | JobKind::CloseCounts => Ok(()),
    }
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
