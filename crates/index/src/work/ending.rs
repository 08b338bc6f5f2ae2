//! Telling owners of API tokens that they end soon.

use super::Failed;
use crate::act::act;
use crate::env::Env;
use crate::ids::TokenId;
use crate::policy::{Actor, WarnTokenEnd};
use crate::queue::Claimed;
use crate::refused::Refused;
use crate::tokens;

/// Walks over all open tokens that end within a week.
pub(super) async fn warn(env: &Env, job: &Claimed) -> Result<(), Failed> {
    let actor = Actor::worker(job.kind.wire(), job.id.to_string());
    let mut after = TokenId(uuid::Uuid::nil());
    loop {
        let read = env.db.read(env.now()).await.map_err(Refused::from)?;
        let some = tokens::ending(&read, after).await?;
        drop(read);
        let Some((last, _)) = some.last() else { return Ok(()) };
        after = *last;
        for (token, account) in some {
            let own = env.clone();
            let told = act::<WarnTokenEnd, _, _>(env, &actor, account, move |tx, permit| {
                let env = own.clone();
                Box::pin(async move { tokens::warn(&env, tx, permit, token).await })
            });
            told.await?;
        }
    }
}
