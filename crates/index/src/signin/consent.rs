//! Answering a change that waits: approving it, by a proof for this one act (R2, R7); stopping it, which needs none (R19), unless one
//! suspended somebody by it oneself (R11).

use serde_json::Value;

use crate::act;
use crate::env::Env;
use crate::holds::{self, Answered};
use crate::ids::{ActId, HoldId};
use crate::policy::{Actor, ApproveHold, VetoHold};
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

/// Stops a hold.
///
/// # Errors
/// `Hidden` to whom it does not concern; `Unsettled` (R11); `NeedsProof` to who suspended somebody by it (R2, R11).
pub async fn veto(env: &Env, actor: &Actor, hold: HoldId, act: Option<ActId>) -> Result<Answered, Refused> {
    let inner = env.clone();
    act::act::<VetoHold, _, _>(env, actor, hold, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            if !holds::withdraws(tx, permit).await? {
                return holds::veto(&env, tx, permit).await;
            }
            let proof = acts::spend(&env, tx, permit, act, &Value::Null).await?;
            holds::take_back(&env, tx, permit, proof).await
        })
    })
    .await
}
