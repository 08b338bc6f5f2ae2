//! Which proofs count for a take-back: settled ones, those removed in the last 30 days included. Their age ends with their removal.
//!
//! What a restore ended does not count, however old it was: it was not there at the time as of which the account was put back. A theft
//! that is found late would else have aged into a way back for the thief. The undo of that restore makes it count again.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::accounts::Account;
use crate::accounts::addresses::{is_settled as address_settled, trusted};
use crate::accounts::settled::is_settled;
use crate::clock::Time;
use crate::containment::RECENT;
use crate::db::Reading;
use crate::db::entities::{addresses, batches, factors};
use crate::env::Env;
use crate::ids::{AccountId, EventId};
use crate::refused::Refused;

/// Whether something had stood long enough, at this moment or when it was removed.
fn stood(env: &Env, now: Time, (from, until): (Time, Option<Time>), account: &Account) -> bool {
    is_settled(env, until.unwrap_or(now), from, account.created_at)
}

/// An address is as old as its proof.
fn address_stood(env: &Env, now: Time, row: &addresses::Model, account: &Account) -> bool {
    address_settled(env, row.until_at.unwrap_or(now), row, account.created_at)
}

/// Whether what a batch did is done: nobody undid it, or that was undone itself.
fn is_done(all: &[batches::Model], batch: &batches::Model) -> bool {
    all.iter().find(|other| other.undoes == Some(batch.id)).is_none_or(|undo| !is_done(all, undo))
}

/// Whether a batch puts back: a restore, or the undo of an undo of one.
fn puts_back(all: &[batches::Model], batch: &batches::Model) -> bool {
    let Some(of) = batch.undoes else { return true };
    all.iter().find(|other| other.id == of).is_some_and(|undone| !puts_back(all, undone))
}

/// The restores of an account that stand, by the ids that what they ended bears.
async fn restores<R: Reading>(read: &R, account: AccountId) -> Result<Vec<EventId>, Refused> {
    let all = batches::Entity::find().filter(batches::Column::AccountId.eq(account)).all(read.connection()).await?;
    let standing = all.iter().filter(|batch| puts_back(&all, batch) && is_done(&all, batch));
    Ok(standing.map(|batch| batch.began_by).collect())
}

/// The addresses, open ones first; one of each mailbox. None that lost its proof because others may read it; and none that is told without
/// links, where there is another one.
pub(super) async fn addresses<R: Reading>(env: &Env, read: &R, account: &Account) -> Result<Vec<addresses::Model>, Refused> {
    let now = read.now();
    let recent = Condition::any().add(addresses::Column::UntilAt.is_null()).add(addresses::Column::UntilAt.gt(now.minus(RECENT)));
    let mut rows = addresses::Entity::find()
        .filter(addresses::Column::AccountId.eq(account.id))
        .filter(addresses::Column::VerifiedAt.is_not_null())
        .filter(recent)
        .order_by_desc(addresses::Column::FromAt)
        .all(read.connection())
        .await?;
    let restores = restores(read, account.id).await?;
    rows.retain(|row| address_stood(env, now, row, account) && row.ended_by.is_none_or(|by| !restores.contains(&by)));
    let mut rows = trusted(read, rows).await?;
    rows.sort_by_key(|row| (row.until_at.is_some(), !row.is_primary));
    let mut one_each: Vec<addresses::Model> = Vec::new();
    for row in rows {
        if one_each.iter().all(|other| other.folded != row.folded) {
            one_each.push(row);
        }
    }
    Ok(one_each)
}

/// The factors.
pub(super) async fn factors<R: Reading>(env: &Env, read: &R, account: &Account) -> Result<Vec<factors::Model>, Refused> {
    let now = read.now();
    let recent = Condition::any().add(factors::Column::UntilAt.is_null()).add(factors::Column::UntilAt.gt(now.minus(RECENT)));
    let mut rows = factors::Entity::find().filter(factors::Column::AccountId.eq(account.id)).filter(recent).all(read.connection()).await?;
    let restores = restores(read, account.id).await?;
    rows.retain(|row| stood(env, now, (row.from_at, row.until_at), account) && row.ended_by.is_none_or(|by| !restores.contains(&by)));
    Ok(rows)
}
