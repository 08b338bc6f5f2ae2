//! Taking a batch back: what it began ends, what it ended is inserted again. Credentials only shrink: a token that it ended comes back
//! paused, a factor, a set of codes, a session, an offer and a hold do not come back. What others changed since stays as they made it.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, Value};

use super::deeds::{self, END_ADDRESS, END_CAUSE, END_LOCK, END_ROLE, END_TOKEN, Stood, end};
use super::project::{DELETED, OWNER};
use super::told::{self, Change};
use crate::accounts::{self, addresses, freeze::check_reason};
use crate::cases::{self, Did, NewEntry};
use crate::clock::Time;
use crate::db::entities::{account_causes, addresses as address_rows, api_tokens, batches, project_locks, roles};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountRestoreUndone, Entry, ProjectRestoreUndone};
use crate::ids::{AccountId, BatchId, CaseId, CauseId, EventId, ProjectId};
use crate::policy::{Action, Permit};
use crate::projects::locks::{self, Locked};
use crate::projects::search;
use crate::refused::{Invalid, Refused};
use crate::tokens::paused;

/// What an undo did.
#[derive(Clone, Copy, Debug)]
pub struct Undone {
    /// It is a batch itself, and can be undone like one.
    pub batch: BatchId,
    /// The case that it belongs to.
    pub case: CaseId,
    /// How many things were changed.
    pub undone: u64,
    /// How many things others had changed since: they stay as they are.
    pub already: u64,
}

/// What one undo works with.
struct Work {
    /// The batch, as the event that made it.
    of: EventId,
    /// This act.
    by: EventId,
    case: CaseId,
    reason: String,
    undone: u64,
    already: u64,
    projects: Vec<ProjectId>,
    changes: Vec<Change>,
}

/// Undoes a batch.
///
/// # Errors
/// `Invalid` when it was undone already, the reason cannot be used, or a project would be left without an owner.
pub async fn undo<A: Action<On = BatchId>>(env: &Env, tx: &mut Tx, permit: &Permit<A>, reason: &str) -> Result<Undone, Refused> {
    let reason = check_reason(reason)?.to_owned();
    let row = batches::Entity::find_by_id(*permit.on()).one(tx.connection()).await?;
    let row = row.filter(|row| row.until_at.is_none()).ok_or_else(|| Invalid::new("", "This batch was undone already."))?;
    let mut work = Work {
        of: row.began_by,
        by: permit.event(),
        case: row.case_id,
        reason: reason.clone(),
        undone: 0,
        already: 0,
        projects: row.project_id.into_iter().collect(),
        changes: Vec::new(),
    };
    if let Some(account) = row.account_id {
        accounts::lock(tx, account).await?;
        check_not_taken_back(tx, account, row.from_at).await?;
    }
    roles_back(env, tx, &mut work).await?;
    locks_back(env, tx, &mut work).await?;
    if let Some(account) = row.account_id {
        causes_back(env, tx, account, &mut work).await?;
        addresses_back(env, tx, account, &mut work).await?;
        tokens_back(env, tx, account, &mut work).await?;
    }
    work.projects.sort_unstable();
    work.projects.dedup();
    close(tx, permit, &row, &work).await?;
    record(env, tx, permit, &row, &work).await?;
    told::record(env, tx, permit, work.changes, (work.case, &reason)).await?;
    let (account, project) = (row.account_id, row.project_id);
    cases::enter(env, tx, NewEntry { account, project, ..NewEntry::of(row.case_id, Did::Undo, &reason, permit.event()) }).await?;
    Ok(Undone { batch: BatchId(permit.event().0), case: row.case_id, undone: work.undone, already: work.already })
}

const TAKEN_BACK: &str = "SELECT 1 AS one FROM events WHERE account_id = $1 AND kind = 'account:take-back' AND at >= $2 LIMIT 1";

/// What an account has after its owner took it back is what its owner decided, one by one (R16): the undo of a restore from before would
/// bring the thief's addresses back and take the owner's away.
async fn check_not_taken_back(tx: &Tx, account: AccountId, since: Time) -> Result<(), Refused> {
    if tx.row(TAKEN_BACK, vec![Value::from(account), Value::from(since)]).await?.is_none() {
        return Ok(());
    }
    let message = "Its owner has taken the account back since, and decided what it has. Put it back as it stood at a time instead.";
    Err(Invalid::new("", message).into())
}

async fn roles_back(env: &Env, tx: &Tx, work: &mut Work) -> Result<(), Refused> {
    let touched = Condition::any().add(roles::Column::BeganBy.eq(work.of)).add(roles::Column::EndedBy.eq(work.of));
    let rows = roles::Entity::find().filter(touched).all(tx.connection()).await?;
    let mut on: Vec<ProjectId> = rows.iter().map(|row| row.project_id).collect();
    on.sort_unstable();
    on.dedup();
    for project in &on {
        super::lock_project(tx, *project).await?;
    }
    for row in rows.iter().filter(|row| row.began_by == work.of) {
        if row.until_at.is_none() {
            end(tx, END_ROLE, row.id.0, work.by).await?;
            work.changes.push(Change::of(tx, row, false).await?);
            work.undone += 1;
        } else if row.ended_by != Some(work.of) {
            work.already += 1;
        }
    }
    for row in rows.iter().filter(|row| row.ended_by == Some(work.of) && row.began_by != work.of) {
        let open = roles::Entity::find()
            .filter(roles::Column::ProjectId.eq(row.project_id))
            .filter(roles::Column::AccountId.eq(row.account_id))
            .filter(roles::Column::UntilAt.is_null());
        if open.one(tx.connection()).await?.is_some() {
            work.already += 1;
        } else {
            deeds::return_role(env, tx, work.by, row, Stood::Before(work.of)).await?;
            work.changes.push(Change::of(tx, row, true).await?);
            work.undone += 1;
        }
    }
    work.projects.extend(on.iter().copied());
    for project in on {
        must_be_owned(tx, project).await?;
    }
    Ok(())
}

async fn must_be_owned(tx: &Tx, project: ProjectId) -> Result<(), Refused> {
    let owners = roles::Entity::find()
        .filter(roles::Column::ProjectId.eq(project))
        .filter(roles::Column::Role.eq(OWNER))
        .filter(roles::Column::UntilAt.is_null());
    if owners.one(tx.connection()).await?.is_some() {
        return Ok(());
    }
    let name = super::project_of(tx, project).await?.map(|row| row.name).unwrap_or_default();
    Err(Invalid::new("", format!("After it nobody would own {name}: give somebody the role first.")).into())
}

async fn locks_back(env: &Env, tx: &Tx, work: &mut Work) -> Result<(), Refused> {
    let touched = Condition::any().add(project_locks::Column::BeganBy.eq(work.of)).add(project_locks::Column::EndedBy.eq(work.of));
    for row in project_locks::Entity::find().filter(touched).all(tx.connection()).await? {
        work.projects.push(row.project_id);
        if row.began_by == work.of && row.until_at.is_none() {
            end(tx, END_LOCK, row.id.0, work.by).await?;
            search::index_project(tx, row.project_id).await?;
            work.undone += 1;
        } else if row.began_by == work.of || is_locked_again(tx, &row, work.by).await? {
            work.already += 1;
        } else {
            deeds::return_lock(env, tx, work.by, &row).await?;
            work.undone += 1;
        }
    }
    Ok(())
}

/// Whether somebody put the same lock on again since: one that stands is enough, and is lifted in one act.
async fn is_locked_again(tx: &Tx, lock: &project_locks::Model, by: EventId) -> Result<bool, Refused> {
    let on = locks::on(tx, Locked::of(lock)).await?;
    Ok(on.iter().any(|open| open.kind == lock.kind && open.began_by != by))
}

/// A deletion that was lifted stands again, from now: nothing is erased sooner than its retention says.
async fn causes_back(env: &Env, tx: &Tx, account: AccountId, work: &mut Work) -> Result<(), Refused> {
    let rows = account_causes::Entity::find().filter(account_causes::Column::AccountId.eq(account)).all(tx.connection()).await?;
    // A restore ends no other causes than deletions.
    let deleted = rows.iter().any(|row| row.kind == DELETED && row.until_at.is_none());
    for row in rows {
        if row.began_by == work.of && row.until_at.is_none() {
            end(tx, END_CAUSE, row.id.0, work.by).await?;
            if let Some(case) = row.case_id {
                cases::close(tx, case, work.by).await?;
            }
            work.undone += 1;
        } else if row.began_by == work.of || (row.ended_by == Some(work.of) && deleted) {
            work.already += 1;
        } else if row.ended_by == Some(work.of) {
            let mut new = row.into_active_model().reset_all();
            new.id = Set(CauseId::new(tx.now(), &*env.entropy));
            new.from_at = Set(tx.now());
            new.until_at = Set(None);
            new.began_by = Set(work.by);
            new.ended_by = Set(None);
            account_causes::Entity::insert(new).exec_without_returning(tx.connection()).await?;
            work.undone += 1;
        }
    }
    Ok(())
}

async fn addresses_back(env: &Env, tx: &Tx, account: AccountId, work: &mut Work) -> Result<(), Refused> {
    let rows = address_rows::Entity::find().filter(address_rows::Column::AccountId.eq(account)).all(tx.connection()).await?;
    let primary = rows.iter().find(|row| row.ended_by == Some(work.of) && row.began_by != work.of && row.is_primary);
    let primary = primary.map(|row| row.folded.clone());
    for row in rows.iter().filter(|row| row.began_by == work.of && row.until_at.is_none()) {
        end(tx, END_ADDRESS, row.id.0, work.by).await?;
        work.undone += 1;
    }
    for row in rows.iter().filter(|row| row.ended_by == Some(work.of) && row.began_by != work.of) {
        let own = addresses::of_account(tx, account).await?.into_iter().any(|open| open.folded == row.folded);
        let others = row.verified_at.is_some() && addresses::by_folded(tx, &row.folded).await?.is_some();
        if own || others {
            work.already += 1;
        } else {
            deeds::return_address(env, tx, work.by, row).await?;
            work.undone += 1;
        }
    }
    let left = addresses::of_account(tx, account).await?;
    let has_primary = left.iter().any(|row| row.is_primary);
    let wanted = primary.filter(|wanted| left.iter().any(|row| row.folded == *wanted));
    let verified = || left.iter().find(|row| row.verified_at.is_some()).map(|row| row.folded.clone());
    match wanted.or_else(|| if has_primary { None } else { verified() }) {
        Some(folded) => deeds::primary(env, tx, work.by, account, &folded).await,
        None => Ok(()),
    }
}

async fn tokens_back(env: &Env, tx: &Tx, account: AccountId, work: &mut Work) -> Result<(), Refused> {
    let rows = api_tokens::Entity::find().filter(api_tokens::Column::AccountId.eq(account)).all(tx.connection()).await?;
    for row in rows {
        if row.began_by == work.of && row.until_at.is_none() {
            end(tx, END_TOKEN, row.id.0, work.by).await?;
            work.undone += 1;
        } else if row.began_by == work.of {
            work.already += 1;
        } else if row.ended_by == Some(work.of) && row.expires_at.is_none_or(|end| end > tx.now()) {
            paused::bring_back(env, tx, &row, work.by, (work.case, &work.reason)).await?;
            work.undone += 1;
        }
    }
    Ok(())
}

async fn close<A: Action<On = BatchId>>(tx: &Tx, permit: &Permit<A>, row: &batches::Model, work: &Work) -> Result<(), Refused> {
    const CLOSE: &str = "UPDATE batches SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
    tx.execute(CLOSE, vec![Value::from(row.id), Value::from(tx.now()), Value::from(work.by)]).await?;
    let mut new = row.clone().into_active_model().reset_all();
    new.id = Set(BatchId(permit.event().0));
    new.as_of = Set(None);
    new.undoes = Set(Some(row.id));
    new.reason = Set(work.reason.clone());
    new.changed = Set(i64::try_from(work.undone).unwrap_or(i64::MAX));
    new.from_at = Set(tx.now());
    new.until_at = Set(None);
    new.began_by = Set(permit.event());
    new.ended_by = Set(None);
    batches::Entity::insert(new).exec_without_returning(tx.connection()).await?;
    Ok(())
}

async fn record<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, row: &batches::Model, work: &Work) -> Result<(), Refused> {
    let (batch, reason) = (BatchId(work.by.0).to_string(), work.reason.clone());
    if let Some(account) = row.account_id {
        let event = AccountRestoreUndone { batch: batch.clone(), reason: reason.clone() };
        events::record(env, tx, permit, Entry::of(event).about(account).in_case(work.case)).await?;
    }
    for project in &work.projects {
        let roles = told::list(&work.changes, *project);
        let event = ProjectRestoreUndone { batch: batch.clone(), reason: reason.clone(), roles };
        events::record(env, tx, permit, Entry::of(event).on_project(*project).in_case(work.case)).await?;
    }
    Ok(())
}
