//! Closing the windows of counted failures: one event says how many there were (R26).

use std::time::Duration;

use sea_orm::Value;

use super::Failed;
use crate::act::{Housekeeping, act, housekeeping};
use crate::env::Env;
use crate::events::{self, Entry, FAILURE_WINDOW, FailuresCounted};
use crate::ids::Site;
use crate::policy::{Actor, CloseCounts};
use crate::queue::Claimed;
use crate::refused::Refused;

/// A request that began in a window may still be counting in it this long after its end.
const STRAGGLERS: Duration = Duration::from_secs(60);

const FORGET: &str = "DELETE FROM event_counts WHERE closed_by IS NULL AND counted = 0 AND window_at < $1";
const CLOSE: &str = "UPDATE event_counts SET closed_by = $1 WHERE kind = $2 AND key = $3 AND window_at = $4";

/// Closes every window that is over; those in which every failure has a row of its own are forgotten.
pub(super) async fn close(env: &Env, job: &Claimed) -> Result<(), Failed> {
    let before = env.now().minus(STRAGGLERS).minus(FAILURE_WINDOW);
    // Under a shifted clock nothing is erased (R32).
    if !env.clock.is_shifted() {
        housekeeping(env, Housekeeping::Expiry, move |tx| {
            Box::pin(async move { Ok(tx.execute(FORGET, vec![Value::from(before)]).await?) })
        })
        .await?;
    }
    let actor = Actor::worker(job.kind.wire(), job.id.to_string());
    while close_some(env, &actor, before).await? > 0 {}
    Ok(())
}

async fn close_some(env: &Env, actor: &Actor, before: crate::clock::Time) -> Result<usize, Refused> {
    let own = env.clone();
    act::<CloseCounts, _, _>(env, actor, Site, move |tx, permit| {
        let env = own.clone();
        Box::pin(async move {
            let windows = events::open_counts(tx, before).await?;
            if windows.is_empty() {
                tx.leave_as_it_was();
            }
            for window in &windows {
                let entry = Entry::of(FailuresCounted { kind: window.kind.clone(), counted: window.counted });
                let event = events::record(&env, tx, permit, entry).await?;
                let key = vec![
                    Value::from(event),
                    Value::from(window.kind.clone()),
                    Value::from(window.key.clone()),
                    Value::from(window.window_at),
                ];
                tx.execute(CLOSE, key).await?;
            }
            Ok(windows.len())
        })
    })
    .await
}
