//! Changes that wait, as staff see them: all of them, whomever they concern; and the one thing that staff do to them: stop one (R11).

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use super::{Done, Opened, join};
use crate::accounts::freeze::check_reason;
use crate::cases::{self, Did, NewEntry};
use crate::db::entities::{hold_people, holds as rows};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::holds::{self, Line};
use crate::ids::{CaseId, HoldId};
use crate::policy::{Denied, Permit, SeeAsStaff, StopHoldAsStaff};
use crate::refused::{Invalid, Refused};

/// How many changes stand on a page.
pub const PAGE: usize = 25;

/// The states by which changes are listed; empty for all.
pub const STATES: [&str; 5] = ["waiting", "vetoed", "done", "died", ""];

/// A change, and the case in which it was stopped.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The change.
    pub line: Line,
    /// The case.
    pub case: Option<CaseId>,
    /// The project that it is about.
    pub project: Option<String>,
    /// Whether it concerns who looks: then he answers it where he is told of it, and not as staff.
    pub own: bool,
}

/// A page, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The changes.
    pub lines: Vec<Listed>,
    /// How many the filter finds.
    pub total: u64,
    /// Where the next page begins: changes before this one.
    pub next: Option<HoldId>,
}

const ALL: &str = "SELECT id FROM holds WHERE id < $1 ORDER BY id DESC LIMIT $2";
const IN_STATE: &str = "SELECT id FROM holds WHERE id < $1 AND state = $3 ORDER BY id DESC LIMIT $2";
const COUNT_ALL: &str = "SELECT COUNT(*) AS n FROM holds";
const COUNT: &str = "SELECT COUNT(*) AS n FROM holds WHERE state = $1";
const PROJECT: &str = "SELECT name FROM projects WHERE id = $1";

/// Changes in one state, or in any.
///
/// # Errors
/// The database.
pub async fn list<R: Reading>(read: &R, permit: &Permit<SeeAsStaff>, state: &str, before: Option<HoldId>) -> Result<Page, Refused> {
    let before = before.unwrap_or(HoldId(uuid::Uuid::max()));
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut values = vec![Value::from(before), Value::from(most)];
    let (sql, count, counted) = if state.is_empty() {
        (ALL, COUNT_ALL, Vec::new())
    } else {
        values.push(Value::from(state));
        (IN_STATE, COUNT, vec![Value::from(state)])
    };
    let n: i64 = read.row(count, counted).await?.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0);
    let mut ids: Vec<HoldId> = read.rows(sql, values).await?.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
    let more = ids.len() > PAGE;
    ids.truncate(PAGE);
    let mut lines = Vec::with_capacity(ids.len());
    for id in &ids {
        if let Some(row) = holds::by_id(read, *id).await? {
            lines.push(listed(read, permit, row).await?);
        }
    }
    Ok(Page { lines, total: u64::try_from(n).unwrap_or(0), next: ids.last().filter(|_| more).copied() })
}

async fn listed<R: Reading>(read: &R, permit: &Permit<SeeAsStaff>, row: rows::Model) -> Result<Listed, Refused> {
    let viewer = permit.actor().account().ok_or(Denied::NotValid)?;
    let project = match row.project_id {
        Some(id) => read.row(PROJECT, vec![Value::from(id)]).await?.map(|row| row.try_get("", "name")).transpose()?,
        None => None,
    };
    let (case, own) = (row.case_id, concerns(read, &row, viewer).await?);
    Ok(Listed { line: holds::line(read, row, viewer).await?, case, project, own })
}

async fn concerns<R: Reading>(read: &R, row: &rows::Model, account: crate::ids::AccountId) -> Result<bool, Refused> {
    let own = hold_people::Entity::find().filter(hold_people::Column::HoldId.eq(row.id)).filter(hold_people::Column::AccountId.eq(account));
    Ok(row.proposer_id == account || own.one(read.connection()).await?.is_some())
}

/// Stops a change that waits, in a case.
///
/// # Errors
/// `OwnAffair` for whom it concerns; `Invalid` when it is over, or for the reason or the case.
pub async fn stop(env: &Env, tx: &mut Tx, permit: &Permit<StopHoldAsStaff>, reason: &str, case: Option<CaseId>) -> Result<Done, Refused> {
    let (hold, reason) = (permit.on().0, check_reason(reason)?);
    let row = holds::by_id(tx, hold).await?.ok_or(Denied::Hidden)?;
    if row.state != holds::state::WAITING {
        return Err(Invalid::new("", "This change is over already: nothing of it waits.").into());
    }
    let viewer = permit.actor().account().ok_or(Denied::NotValid)?;
    if concerns(tx, &row, viewer).await? {
        return Err(Denied::OwnAffair.into());
    }
    let why = format!("A change was stopped: {} ({reason})", row.description);
    let opened = Opened { why, account: Some(row.account_id), project: row.project_id };
    let case = join(env, tx, permit, case, opened).await?;
    holds::stop_in_case(env, tx, permit, &row, (case, reason)).await?;
    let (account, project) = (Some(row.account_id), row.project_id);
    let entry = NewEntry { account, project, hold: Some(hold), ..NewEntry::of(case, Did::StopHold, reason, permit.event()) };
    cases::enter(env, tx, entry).await?;
    Ok(Done { case, batch: permit.event(), already: false, paused: false })
}
