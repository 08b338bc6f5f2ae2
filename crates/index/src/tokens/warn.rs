//! Telling the owner of an API token that it ends soon: a week before and a day before, once each.

use std::time::Duration;

use sea_orm::{EntityTrait, Value};

use crate::clock::Time;
use crate::db::entities::api_tokens;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, TokenEndsSoon};
use crate::ids::{AccountId, TokenId};
use crate::policy::{Permit, State, WarnTokenEnd, standing};
use crate::refused::Refused;

const WEEK: Duration = Duration::from_secs(7 * 86_400);
const DAY: Duration = Duration::from_secs(86_400);

/// Open tokens that end soon, and have not been told of since the last of the two moments passed. A token that was made after such a
/// moment is not told of for it: whoever made it has just chosen its end.
const DUE: &str = "SELECT id, account_id FROM api_tokens WHERE until_at IS NULL AND expires_at IS NOT NULL \
    AND expires_at > $1 AND expires_at <= $1 + $2 AND id > $4 \
    AND ((from_at < expires_at - $2 AND (warned_at IS NULL OR warned_at < expires_at - $2)) \
    OR (expires_at <= $1 + $3 AND from_at < expires_at - $3 AND (warned_at IS NULL OR warned_at < expires_at - $3))) \
    ORDER BY id LIMIT 200";

fn micros(time: Duration) -> Value {
    Value::from(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}

/// Tokens whose owner should be told now, with their accounts, after a token.
///
/// # Errors
/// The database.
pub async fn ending<R: Reading>(read: &R, after: TokenId) -> Result<Vec<(TokenId, AccountId)>, Refused> {
    let rows = read.rows(DUE, vec![Value::from(read.now()), micros(WEEK), micros(DAY), Value::from(after)]).await?;
    Ok(rows.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "account_id")?))).collect::<Result<_, sea_orm::DbErr>>()?)
}

const WARN: &str = "UPDATE api_tokens SET warned_at = $2 WHERE id = $1 AND until_at IS NULL AND (warned_at IS NULL OR warned_at < $3)";

/// The last of the two moments that has passed, for a token that was there before it.
fn moment(now: Time, row: &api_tokens::Model) -> Option<Time> {
    let ends = row.expires_at.filter(|ends| *ends > now)?;
    [DAY, WEEK].into_iter().map(|before| ends.minus(before)).find(|at| *at <= now && row.from_at < *at)
}

/// Tells the owner, unless that was done, the token is gone, or the account is stopped: then the token does nothing anyway.
///
/// # Errors
/// The database.
pub async fn warn(env: &Env, tx: &mut Tx, permit: &Permit<WarnTokenEnd>, token: TokenId) -> Result<(), Refused> {
    let account = *permit.on();
    let row = api_tokens::Entity::find_by_id(token).one(tx.connection()).await?.filter(|row| row.account_id == account);
    let due = row.and_then(|row| Some((moment(tx.now(), &row)?, row)));
    let active = standing(tx, account, None).await?.state == State::Active;
    let Some((at, row)) = due.filter(|_| active) else {
        tx.leave_as_it_was();
        return Ok(());
    };
    if tx.execute(WARN, vec![Value::from(token), Value::from(tx.now()), Value::from(at)]).await? != 1 {
        tx.leave_as_it_was();
        return Ok(());
    }
    let ends = row.expires_at.map(Time::in_words).unwrap_or_default();
    let event = TokenEndsSoon { token: token.to_string(), description: row.description, ends };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    Ok(())
}
