//! Approving a change that waits: by a proof for this one act (R2, R7).

use serde_json::Value;

use crate::act;
use crate::env::Env;
use crate::holds::{self, Answered};
use crate::ids::{ActId, HoldId};
use crate::policy::{Actor, ApproveHold};
use crate::refused::Refused;
use crate::signin::acts;

/// Approves a hold.
///
/// # Errors
/// `Hidden` to whom it does not concern; `NeedsProof` without a proof for this act.
pub async fn approve(env: &Env, actor: &Actor, hold: HoldId, act: Option<ActId>) -> Result<Answered, Refused> {
    let inner = env.clone();
    act::act::<ApproveHold, _, _>(env, actor, hold, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let proof = acts::spend(&env, tx, permit, act, &Value::Null).await?;
            holds::approve(&env, tx, permit, proof).await
        })
    })
    .await
}
