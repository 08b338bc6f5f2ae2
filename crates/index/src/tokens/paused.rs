//! Tokens that open nothing until their owner confirms them: put back after a theft (R18), or made while a thief may have been in (R15).
//!
//! A pause is an open row of `suspensions` without a project. The token itself is not rewritten, so that the way back is exact.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Value};

use super::{lock_row, open_key, seal_key};
use crate::clock::Time;
use crate::db::entities::{api_tokens, suspensions};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, TokenConfirmed};
use crate::ids::{AccountId, ActId, CaseId, EventId, SuspensionId, TokenId};
use crate::policy::{ConfirmToken, Denied, Permit};
use crate::refused::{Invalid, Refused};
use crate::signin::acts;

/// What the sender of a paused token is told.
pub const SAYS: &str = "token is paused until its owner confirms it at /manage/account/token/";

const PAUSED: &str =
    "SELECT 1 AS one FROM suspensions WHERE what = 'token' AND what_id = $1 AND project_id IS NULL AND until_at IS NULL LIMIT 1";

/// Whether a token is paused everywhere.
///
/// # Errors
/// The database.
pub async fn is_paused<R: Reading>(read: &R, token: TokenId) -> Result<bool, Refused> {
    Ok(read.row(PAUSED, vec![Value::from(token)]).await?.is_some())
}

/// Pauses a token: no upload with it commits after this.
pub(crate) async fn pause(
    env: &Env,
    tx: &Tx,
    (token, account): (TokenId, AccountId),
    by: EventId,
    (case, reason): (CaseId, &str),
) -> Result<(), Refused> {
    lock_row(tx, token).await?;
    let row = suspensions::ActiveModel {
        id: Set(SuspensionId::new(tx.now(), &*env.entropy)),
        what: Set("token".to_owned()),
        what_id: Set(token.0),
        account_id: Set(account),
        project_id: Set(None),
        hold_id: Set(None),
        case_id: Set(Some(case)),
        reason: Set(reason.to_owned()),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(by),
        ended_by: Set(None),
    };
    suspensions::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Pauses the open tokens that an account made since a time and that are not paused yet; says how many.
pub(crate) async fn pause_since(
    env: &Env,
    tx: &Tx,
    (account, since): (AccountId, Time),
    by: EventId,
    (case, reason): (CaseId, &str),
) -> Result<u64, Refused> {
    let rows = api_tokens::Entity::find()
        .filter(api_tokens::Column::AccountId.eq(account))
        .filter(api_tokens::Column::UntilAt.is_null())
        .filter(api_tokens::Column::FromAt.gte(since));
    let mut paused = 0;
    for row in rows.all(tx.connection()).await? {
        if !is_paused(tx, row.id).await? {
            pause(env, tx, (row.id, account), by, (case, reason)).await?;
            paused += 1;
        }
    }
    Ok(paused)
}

/// Puts a deleted token back, paused: a row of its own with the old age, for which the identifier of the first one is presented.
pub(crate) async fn bring_back(
    env: &Env,
    tx: &Tx,
    old: &api_tokens::Model,
    by: EventId,
    (case, reason): (CaseId, &str),
) -> Result<(), Refused> {
    let id = TokenId::new(tx.now(), &*env.entropy);
    let key = open_key(env, old)?;
    let mut new = old.clone().into_active_model().reset_all();
    new.id = Set(id);
    new.key_sealed = Set(seal_key(env, id, old.account_id, &key));
    new.stands_for = Set(Some(old.stands_for.unwrap_or(old.id)));
    new.until_at = Set(None);
    new.began_by = Set(by);
    new.ended_by = Set(None);
    api_tokens::Entity::insert(new).exec_without_returning(tx.connection()).await?;
    pause(env, tx, (id, old.account_id), by, (case, reason)).await
}

/// What the proof of a confirmation is bound to, besides the token.
#[must_use]
pub fn parameters(token: TokenId) -> serde_json::Value {
    serde_json::json!({ "confirm": token.to_string() })
}

const CONFIRM: &str = "UPDATE suspensions SET until_at = $2, ended_by = $3 \
    WHERE what = 'token' AND what_id = $1 AND project_id IS NULL AND until_at IS NULL";

/// The owner confirms a paused token with a proof for this one act (R2): it opens again what it opened.
///
/// # Errors
/// `NeedsProof` without the proof; `Invalid` when it is not paused.
pub async fn confirm(env: &Env, tx: &mut Tx, permit: &Permit<ConfirmToken>, act: Option<ActId>) -> Result<(), Refused> {
    let token = *permit.on();
    let open = api_tokens::Entity::find_by_id(token).filter(api_tokens::Column::UntilAt.is_null());
    let row = open.one(tx.connection()).await?.ok_or(Denied::Hidden)?;
    if !is_paused(tx, token).await? {
        return Err(Invalid::new("", "This token is not paused.").into());
    }
    acts::spend(env, tx, permit, act, &parameters(token)).await?;
    lift(tx, token, permit.event()).await?;
    let event = TokenConfirmed { token: token.to_string(), description: row.description };
    events::record(env, tx, permit, Entry::of(event).about(row.account_id)).await?;
    Ok(())
}

/// Ends the pauses of a token.
pub(crate) async fn lift(tx: &Tx, token: TokenId, by: EventId) -> Result<(), Refused> {
    tx.execute(CONFIRM, vec![Value::from(token), Value::from(tx.now()), Value::from(by)]).await?;
    Ok(())
}
