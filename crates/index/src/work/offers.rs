//! Ending invitations that nobody answered in time: they could not be accepted any more, and now the trail says so.

use super::Failed;
use crate::env::Env;
use crate::policy::Actor;
use crate::projects::collaboration;
use crate::queue::Claimed;
use crate::refused::Refused;

/// Ends them, each in a transaction of its own; the next run goes on where there are more.
pub(super) async fn expire(env: &Env, job: &Claimed) -> Result<(), Failed> {
    let worker = Actor::worker(job.kind.wire(), job.id.to_string());
    let read = env.db.read(env.now()).await.map_err(Refused::from)?;
    let expired = collaboration::expired(&read).await?;
    drop(read);
    for invitation in expired {
        collaboration::expire(env, &worker, invitation).await?;
    }
    Ok(())
}
