//! Which proofs count for a take-back: settled ones, those removed in the last 30 days included. Their age ends with their removal.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::accounts::Account;
use crate::accounts::settled::is_settled;
use crate::clock::Time;
use crate::containment::RECENT;
use crate::db::Reading;
use crate::db::entities::{addresses, factors};
use crate::env::Env;
use crate::refused::Refused;

/// Whether something had stood long enough, at this moment or when it was removed.
fn stood(env: &Env, now: Time, (from, until): (Time, Option<Time>), account: &Account) -> bool {
    is_settled(env, until.unwrap_or(now), from, account.created_at)
}

/// The addresses, open ones first; one of each mailbox.
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
    rows.retain(|row| stood(env, now, (row.from_at, row.until_at), account));
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
    rows.retain(|row| stood(env, now, (row.from_at, row.until_at), account));
    Ok(rows)
}
