//! Addresses at domains that lapsed: whoever registers such a domain next reads their mail, so they lose their proof.

use crate::accounts::addresses::{self, Because};
use crate::act::act;
use crate::env::Env;
use crate::ids::{AccountId, AddressId};
use crate::policy::{Actor, UnverifyAddress};
use crate::queue::Claimed;
use crate::refused::Refused;

use super::Failed;

/// Walks over all verified addresses; those at a listed domain, or below one, lose their proof.
pub(super) async fn unverify(env: &Env, job: &Claimed) -> Result<(), Failed> {
    if env.config.lapsed_domains.is_empty() {
        return Ok(());
    }
    let lapsed = env.config.lapsed_domains.read().await.map_err(Failed::Retry)?;
    let actor = Actor::worker(job.kind.wire(), job.id.to_string());
    let (mut after, mut count) = (AddressId(uuid::Uuid::nil()), 0_u64);
    loop {
        let read = env.db.read(env.now()).await.map_err(Refused::from)?;
        let some = addresses::verified_after(&read, after).await?;
        drop(read);
        let Some((last, _, _)) = some.last() else { break };
        after = *last;
        for (_, account, folded) in some.iter().filter(|(_, _, folded)| lapsed.covers(addresses::domain_part(folded))) {
            count += u64::from(take_proof(env, &actor, *account, folded).await?);
        }
    }
    if count > 0 {
        tracing::warn!(addresses = count, "addresses at lapsed domains lost their proof");
    }
    Ok(())
}

/// True when the proof was there to be taken: the account may have removed the address in between.
async fn take_proof(env: &Env, actor: &Actor, account: AccountId, folded: &str) -> Result<bool, Refused> {
    let (inner, folded) = (env.clone(), folded.to_owned());
    let done = act::<UnverifyAddress, _, _>(env, actor, account, move |tx, permit| {
        let (env, folded) = (inner.clone(), folded.clone());
        Box::pin(async move {
            let because = Because { word: "lapsed", reason: "its domain lapsed".to_owned() };
            addresses::unverify_address(&env, tx, permit, &folded, &because).await
        })
    });
    match done.await {
        Ok(()) => Ok(true),
        Err(Refused::Invalid(_)) => Ok(false),
        Err(other) => Err(other),
    }
}
