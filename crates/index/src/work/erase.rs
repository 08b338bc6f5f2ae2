//! Erasing what is over its time, one thing a transaction, for as long as the job's lease allows; the next run goes on.

use std::time::Duration;

use super::Failed;
use crate::act::{Housekeeping, housekeeping};
use crate::db::Reading;
use crate::deletion::erasing::{self, BATCH};
use crate::env::Env;
use crate::epochs;
use crate::policy::Actor;
use crate::queue::{self, Claimed, JobKind, LEASE, NewJob};
use crate::refused::Refused;

/// How long one run takes at most: it ends before its lease does.
const AT_MOST: Duration = Duration::from_secs(LEASE.as_secs() / 2);

/// Erases. Under a shifted clock nothing is: by the true time it is not over (R32). Nor while a restored index is closed: what it was
/// restored for may be what was deleted (P7, R18).
pub(super) async fn erase(env: &Env, job: &Claimed) -> Result<(), Failed> {
    if env.clock.is_shifted() || is_closed(env).await? {
        return Ok(());
    }
    let worker = Actor::worker(job.kind.wire(), job.id.to_string());
    let begun = env.now();
    let (mut accounts, mut deleted) = (0_u64, 0_u64);
    loop {
        let due = erasing::due_accounts(env).await?;
        let whole = due.len() == BATCH;
        for account in due {
            accounts += u64::from(erasing::erase_account(env, &worker, account).await?);
        }
        if !whole || env.now().since(begun) > AT_MOST {
            break;
        }
    }
    loop {
        let due = erasing::due_locks(env).await?;
        let whole = due.len() == BATCH;
        for lock in due {
            deleted += u64::from(erasing::erase_deleted(env, &worker, lock).await?);
        }
        if !whole || env.now().since(begun) > AT_MOST {
            break;
        }
    }
    if !erasing::due_accounts(env).await?.is_empty() || !erasing::due_locks(env).await?.is_empty() {
        go_on(env, job).await?;
    }
    if accounts + deleted > 0 {
        tracing::info!(accounts, deleted, "what was deleted long enough ago was erased");
    }
    Ok(())
}

async fn is_closed(env: &Env) -> Result<bool, Refused> {
    epochs::is_read_only(&env.db.read(env.now()).await?).await
}

/// What is left over is not kept waiting for the next quarter of an hour.
async fn go_on(env: &Env, job: &Claimed) -> Result<(), Failed> {
    let (inner, key) = (env.clone(), format!("erase:after:{}", job.id));
    let next = housekeeping(env, Housekeeping::Queue, move |tx| {
        Box::pin(async move {
            let job = NewJob { kind: JobKind::Erase, key, payload: serde_json::Value::Null, enclosed: None, run_at: tx.now() };
            queue::enqueue(&inner, tx, job).await
        })
    });
    Ok(next.await?)
}
