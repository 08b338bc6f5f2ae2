//! What an administrator may put back and undo: less than the operator at the shell may (R13, R20, R21). Nothing of his own, no colleague,
//! and factors and addresses only of an account that was frozen for a day; the rest of a list is put back without them. Nothing as of a
//! time before what is kept whole begins.

use std::time::Duration;

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Value};

use super::deeds::Deed;
use super::project::retention;
use super::undo::{Undone, undo};
use super::{Does, Order, Plan, Restored, parameters, restore};
use crate::clock::Time;
use crate::db::entities::{addresses, batches, roles};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, ActId, CaseId, EventId, ProjectId};
use crate::policy::{Denied, Permit, Restore, UndoRestoreAsStaff, standing};
use crate::refused::{Invalid, Refused};
use crate::resources::Restorable;
use crate::signin::acts;

/// For how long an account must have been frozen before one administrator ends its factors or changes its addresses.
const FROZEN_FOR: Duration = Duration::from_secs(86_400);
const FROZEN: &str =
    "SELECT 1 AS one FROM account_causes WHERE account_id = $1 AND kind = 'frozen' AND until_at IS NULL AND from_at <= $2 LIMIT 1";
const WAITS: &str = "an administrator changes it only on an account that was frozen for 24 hours; the operator does it at the shell";
const COLLEAGUE: &str = "This account administers the index: the operator puts it back, at the shell.";

/// Ownership moves by a restore without a wait: from an older time than everything is kept whole, only whoever runs the machine does it.
pub(super) fn check_age(env: &Env, now: Time, at: Time) -> Result<(), Invalid> {
    let days = env.config.retention_days;
    if at >= now.minus(retention(env)) {
        return Ok(());
    }
    let message = format!(
        "This is longer ago than {days} days (`retention.days`): name a later time. The operator puts back older states, at the shell."
    );
    Err(Invalid::new("at", message))
}

/// Takes out of a plan what one administrator may not do.
pub(super) async fn narrow<R: Reading>(read: &R, on: Restorable, plan: &mut Plan) -> Result<(), Refused> {
    let Restorable::Account(account) = on else { return Ok(()) };
    check_no_colleague(read, account).await?;
    if was_frozen_for_long(read, account).await? {
        return Ok(());
    }
    for item in plan.items.iter_mut().filter(|item| item.deed.as_ref().is_some_and(Deed::changes_proofs)) {
        (item.deed, item.difference.does, item.difference.why) = (None, Does::Stays, Some(WAITS.to_owned()));
    }
    Ok(())
}

/// Stopping a colleague stops whoever does it; a restore that stops him is nobody's way round that.
async fn check_no_colleague<R: Reading>(read: &R, account: AccountId) -> Result<(), Refused> {
    if standing(read, account, None).await?.administrator { Err(Invalid::new("", COLLEAGUE).into()) } else { Ok(()) }
}

async fn was_frozen_for_long<R: Reading>(read: &R, account: AccountId) -> Result<bool, Refused> {
    let since = read.now().minus(FROZEN_FOR);
    Ok(read.row(FROZEN, vec![Value::from(account), Value::from(since)]).await?.is_some())
}

const HOLDS: &str = "SELECT 1 AS one FROM roles WHERE account_id = $1 AND project_id = $2 AND until_at IS NULL LIMIT 1";

async fn holds_one_of<R: Reading>(read: &R, account: AccountId, projects: &[ProjectId]) -> Result<bool, Refused> {
    for project in projects {
        if read.row(HOLDS, vec![Value::from(account), Value::from(*project)]).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Nobody gives himself a role, or puts back a project on which he holds one.
pub(super) async fn check_not_own<R: Reading>(
    read: &R,
    account: AccountId,
    (deeds, projects): (&[Deed], &[ProjectId]),
) -> Result<(), Refused> {
    let own = deeds.iter().any(|deed| deed.role_of() == Some(account)) || holds_one_of(read, account, projects).await?;
    if own { Err(Denied::OwnAffair.into()) } else { Ok(()) }
}

/// Puts it back in an administrator's own name, with a key's proof for exactly this (R20). What cannot be done is said before a key is
/// asked for; without its proof nothing of this stays.
///
/// # Errors
/// `NeedsProof` without it; `OwnAffair`; as `restore`.
pub async fn by_staff(env: &Env, tx: &mut Tx, permit: &Permit<Restore>, order: &Order, act: Option<ActId>) -> Result<Restored, Refused> {
    let restored = restore(env, tx, permit, order).await?;
    acts::spend(env, tx, permit, act, &parameters(order)).await?;
    Ok(restored)
}

const MADE_BY_OPERATOR: &str = "SELECT 1 AS one FROM events WHERE id = $1 AND credential = 'operator'";

/// Undoes a restore of this case in an administrator's own name; the proof for it is spent in the same transaction (R20).
///
/// # Errors
/// `OwnAffair`; `Hidden` for a batch of another case; `Invalid` for what the operator did; as `undo`.
pub async fn undo_by_staff(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<UndoRestoreAsStaff>,
    (case, reason): (CaseId, &str),
) -> Result<Undone, Refused> {
    let row = batches::Entity::find_by_id(*permit.on()).one(tx.connection()).await?;
    let row = row.filter(|row| row.case_id == case).ok_or(Denied::Hidden)?;
    let administrator = permit.actor().account().ok_or(Denied::NotValid)?;
    if tx.row(MADE_BY_OPERATOR, vec![Value::from(row.began_by)]).await?.is_some() {
        return Err(Invalid::new("", "The operator did this, and only the operator undoes it, at the shell.").into());
    }
    check_age(env, tx.now(), row.from_at)?;
    check_undo(tx, administrator, &row).await?;
    undo(env, tx, permit, reason).await
}

/// What holds for a restore holds for its undo.
async fn check_undo(tx: &Tx, administrator: AccountId, batch: &batches::Model) -> Result<(), Refused> {
    let touched = Condition::any().add(roles::Column::BeganBy.eq(batch.began_by)).add(roles::Column::EndedBy.eq(batch.began_by));
    let touched = roles::Entity::find().filter(touched).all(tx.connection()).await?;
    let projects: Vec<ProjectId> = batch.project_id.into_iter().chain(touched.iter().map(|row| row.project_id)).collect();
    let own = batch.account_id == Some(administrator)
        || touched.iter().any(|row| row.account_id == administrator)
        || holds_one_of(tx, administrator, &projects).await?;
    if own {
        return Err(Denied::OwnAffair.into());
    }
    let Some(account) = batch.account_id else { return Ok(()) };
    check_no_colleague(tx, account).await?;
    if changed_addresses(tx, account, batch.began_by).await? && !was_frozen_for_long(tx, account).await? {
        return Err(Invalid::new("", format!("It would change addresses: {WAITS}.")).into());
    }
    Ok(())
}

async fn changed_addresses(tx: &Tx, account: AccountId, by: EventId) -> Result<bool, Refused> {
    let touched = Condition::any().add(addresses::Column::BeganBy.eq(by)).add(addresses::Column::EndedBy.eq(by));
    let rows = addresses::Entity::find().filter(addresses::Column::AccountId.eq(account)).filter(touched);
    Ok(rows.one(tx.connection()).await?.is_some())
}
