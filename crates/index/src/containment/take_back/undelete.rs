//! Bringing a deleted account back (P7), by its owner: a code to a settled mailbox, and a settled factor or a recovery code. The steps
//! are those of the take-back; nothing is asked afterwards, because the account comes back as it was.

use credentials::link::LinkToken;
use credentials::secret::Secret;
use sea_orm::Value;

use super::steps::{Shown, seen, tries_of};
use super::{account_of, is_ready, row_of};
use crate::accounts::taking_back::{self, Begun};
use crate::accounts::{self, deleted};
use crate::act;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, TakeBackBegun, TakeBackProved, TakeBackRefused};
use crate::ids::Site;
use crate::limits::{self, Limit, Whom};
use crate::policy::{Actor, BeginUndelete, Denied, Permit, UndeleteAccount};
use crate::refused::Refused;
use crate::signin::recovery::{self, Hashed};

/// Begins by a name alone. Known or not, deleted or not: the same answer, and the same limits.
///
/// # Errors
/// `Limited` by the name or the network.
pub async fn begin_by_name(env: &Env, actor: &Actor, typed: &str) -> Result<LinkToken, Refused> {
    let typed: String = typed.trim().chars().take(256).collect();
    let whom = Whom { account: Some(format!("take-back-name:{}", typed.to_lowercase())), network: actor.origin.network };
    drop(limits::take(env, Limit::TakeBack, &whom).await?);
    let inner = env.clone();
    act::act::<BeginUndelete, _, _>(env, actor, Site, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { begin(&env, tx, permit, &typed).await })
    })
    .await
}

async fn begin(env: &Env, tx: &mut Tx, permit: &Permit<BeginUndelete>, typed: &str) -> Result<LinkToken, Refused> {
    let found = accounts::by_username(tx, typed).await?;
    let is_deleted = match &found {
        Some(account) => deleted::since(tx, account.id).await?.is_some(),
        None => false,
    };
    let network = permit.actor().origin.network.map(|n| n.to_string()).unwrap_or_default();
    let account = found.filter(|_| is_deleted).map(|account| account.id);
    match account {
        Some(account) => {
            let entry = Entry::of(TakeBackBegun { begun_with: Begun::UndeleteName.words().to_owned() }).about(account);
            events::record_failure(env, tx, permit, entry, format!("{account}|{network}").as_bytes()).await?;
        }
        None => {
            let entry = Entry::of(TakeBackRefused { reason: "no deleted account has this name".to_owned() });
            events::record_failure(env, tx, permit, entry, network.as_bytes()).await?;
        }
    }
    taking_back::begin(env, tx, account, Begun::UndeleteName, permit.event()).await
}

/// Proves a recovery code instead of a factor: once used it is used.
///
/// # Errors
/// `Limited`; `NotValid` when the way back is over, or nothing was proved before.
pub async fn prove_recovery_code(env: &Env, actor: &Actor, typed: Secret) -> Result<Shown, Refused> {
    let row = seen(env, actor).await?;
    let whom = Whom { account: Some(tries_of(&row)?), network: actor.origin.network };
    let taken = limits::take(env, Limit::Factor, &whom).await?;
    let hashed = recovery::hash_for_undelete(env, actor, row.account_id, typed).await?;
    let inner = env.clone();
    let shown = act::act::<UndeleteAccount, _, _>(env, actor, Site, move |tx, permit| {
        let (env, hashed) = (inner.clone(), hashed.clone());
        Box::pin(async move { judge(&env, tx, permit, &hashed).await })
    })
    .await?;
    if shown == Shown::Right {
        limits::give_back(env, taken).await?;
    }
    Ok(shown)
}

async fn judge(env: &Env, tx: &mut Tx, permit: &Permit<UndeleteAccount>, hashed: &Hashed) -> Result<Shown, Refused> {
    const PROVE: &str = "UPDATE take_backs SET factor_proved_at = $2, proved_with = 'recovery_code' WHERE id = $1 AND spent_at IS NULL";
    let row = row_of(tx, permit.actor()).await?;
    tries_of(&row)?;
    let account = if Begun::undeletes(&row.begun_with) { account_of(tx, &row).await? } else { None };
    let spent = match &account {
        Some(account) => recovery::spend_for_undelete(env, tx, permit, (account.id, hashed)).await?,
        None => false,
    };
    let Some(account) = account.filter(|_| spent) else {
        let mut entry = Entry::of(TakeBackRefused { reason: "the recovery code was wrong or used".to_owned() });
        if let Some(account) = row.account_id {
            entry = entry.about(account);
        }
        events::record_failure(env, tx, permit, entry, row.id.0.as_bytes()).await?;
        return Ok(Shown::Wrong);
    };
    tx.execute(PROVE, vec![Value::from(row.id), Value::from(tx.now())]).await?;
    let entry = Entry::of(TakeBackProved { proof: "a recovery code".to_owned() }).about(account.id);
    events::record(env, tx, permit, entry).await?;
    Ok(Shown::Right)
}

/// Brings the account back, as it was. Whatever else stops it still does.
///
/// # Errors
/// `NotValid` when the proofs are not there, or the way back is over.
pub async fn finish(env: &Env, actor: &Actor) -> Result<String, Refused> {
    let inner = env.clone();
    act::act::<UndeleteAccount, _, _>(env, actor, Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { bring_back(&env, tx, permit).await })
    })
    .await
}

async fn bring_back(env: &Env, tx: &mut Tx, permit: &Permit<UndeleteAccount>) -> Result<String, Refused> {
    const END: &str = "UPDATE take_backs SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL";
    let row = row_of(tx, permit.actor()).await?;
    let id = row.account_id.filter(|_| Begun::undeletes(&row.begun_with)).ok_or(Denied::NotValid)?;
    accounts::lock(tx, id).await?;
    // Read again behind the lock.
    let row = row_of(tx, permit.actor()).await?;
    let account = account_of(tx, &row).await?.ok_or(Denied::NotValid)?;
    if !is_ready(tx, &row).await? {
        return Err(Denied::NotValid.into());
    }
    deleted::lift(env, tx, permit, (id, "its owner proved a mailbox and a factor or a recovery code")).await?;
    tx.execute(END, vec![Value::from(id), Value::from(tx.now())]).await?;
    Ok(account.username)
}
