//! A settled security key or passkey as the factor of a take-back.

use serde_json::Value;

use super::steps::{held, note_factor, refuse, seen, tries_of};
use super::{account_of, settled};
use crate::accounts::Account;
use crate::act;
use crate::db::entities::{factors, take_backs};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::Site;
use crate::policy::{Actor, Denied, Permit, Proof, TakeBack};
use crate::refused::Refused;
use crate::signin::keys::taking_back::{self, TakingBack};
use crate::signin::keys::{Browser, Why};

async fn keys_of<R: Reading>(env: &Env, read: &R, account: &Account) -> Result<Vec<factors::Model>, Refused> {
    let all = settled::factors(env, read, account).await?;
    Ok(all.into_iter().filter(|row| row.kind == "webauthn").collect())
}

const fn of(row: &take_backs::Model, account: &Account, browser: Browser) -> TakingBack {
    TakingBack { id: row.id, account: account.id, browser }
}

/// The challenge, as `PublicKeyCredentialRequestOptionsJSON`.
///
/// # Errors
/// `Invalid` when no key counts; `NotValid` when the take-back is over, or nothing was proved before.
pub async fn options(env: &Env, actor: &Actor, browser: Browser) -> Result<Value, Refused> {
    let row = seen(env, actor).await?;
    tries_of(&row)?;
    let inner = env.clone();
    let (row, account, keys) = act::view::<TakeBack, _, _>(env, actor, Site, move |read, _| {
        Box::pin(async move {
            let account = account_of(read, &row).await?.ok_or(Denied::NotValid)?;
            let keys = keys_of(&inner, read, &account).await?;
            Ok((row, account, keys))
        })
    })
    .await?;
    taking_back::options(env, of(&row, &account, browser), &keys).await
}

/// Takes an answer: the factor is proved, or why not.
///
/// # Errors
/// `NotValid` when the take-back is over, or nothing was proved before.
pub async fn answer(env: &Env, actor: &Actor, browser: Browser, credential: &str) -> Result<Result<(), Why>, Refused> {
    let (inner, credential) = (env.clone(), credential.to_owned());
    act::act::<TakeBack, _, _>(env, actor, Site, move |tx, permit| {
        let (env, credential) = (inner.clone(), credential.clone());
        Box::pin(async move { judge(&env, tx, permit, browser, &credential).await })
    })
    .await
}

async fn judge(env: &Env, tx: &mut Tx, permit: &Permit<TakeBack>, browser: Browser, credential: &str) -> Result<Result<(), Why>, Refused> {
    let row = held(tx, permit).await?;
    tries_of(&row)?;
    let account = account_of(tx, &row).await?.ok_or(Denied::NotValid)?;
    let keys = keys_of(env, tx, &account).await?;
    match taking_back::judge(env, tx, permit, of(&row, &account, browser), (&keys, credential)).await? {
        Ok(factor) => {
            note_factor(env, tx, permit, &row, (&account, factor, Proof::Key)).await?;
            Ok(Ok(()))
        }
        Err(why) => {
            refuse(env, tx, permit, &row, why.reason()).await?;
            Ok(Err(why))
        }
    }
}
