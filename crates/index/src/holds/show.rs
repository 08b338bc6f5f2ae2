//! What those concerned see: which changes wait, who proposed them, until when, and who has been told.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use super::apply::consent;
use super::grants::{self, OPEN_FOR};
use super::rules::Consent;
use super::{by_id, state, suspends, username};
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::{hold_people, holds};
use crate::ids::{AccountId, HoldId, ProjectId};
use crate::policy::{Action, ActionName, Direction, OwnProof, Permit, SeeHolds, standing};
use crate::refused::Refused;

/// How many holds stand on a page.
pub const PAGE: usize = 25;

/// Somebody concerned, as the page shows him.
#[derive(Clone, Debug)]
pub struct Told {
    /// His user name.
    pub username: String,
    /// When he was told.
    pub told_at: Option<Time>,
    /// When he approved.
    pub approved_at: Option<Time>,
}

/// A hold, as somebody concerned sees it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which one.
    pub id: HoldId,
    /// What it is, in one sentence.
    pub description: String,
    /// Who proposed it.
    pub proposer: String,
    /// When.
    pub proposed_at: Time,
    /// When it takes effect, as far as is known now.
    pub due_at: Time,
    /// `waiting`, `done`, `vetoed` or `died`.
    pub state: String,
    /// When it ended.
    pub closed_at: Option<Time>,
    /// Why it ended without effect.
    pub because: Option<String>,
    /// Everybody concerned.
    pub people: Vec<Told>,
    /// Whether who looks may stop it, as far as his role goes.
    pub may_veto: bool,
    /// Whether that takes a proof: who looks suspended somebody by it (R11).
    pub by_proof: bool,
    /// Until when what was asked may be made, once: a grant that has waited (R3).
    pub open_until: Option<Time>,
    /// Whether an approval of who looks would count: others are concerned too, and he has not approved.
    pub may_approve: bool,
}

impl Line {
    /// Whether it still waits.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.state == state::WAITING
    }
}

/// One page, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The holds.
    pub lines: Vec<Line>,
    /// Where the next page begins: holds before this one.
    pub before: Option<HoldId>,
}

const CONCERNING: &str = "SELECT p.hold_id AS id FROM hold_people p WHERE p.account_id = $1 ORDER BY p.hold_id DESC LIMIT $2";
const BEFORE: &str =
    "SELECT p.hold_id AS id FROM hold_people p WHERE p.account_id = $1 AND p.hold_id < $3 ORDER BY p.hold_id DESC LIMIT $2";

/// The holds that concern the account of the permit.
///
/// # Errors
/// The database.
pub async fn page<R: Reading>(read: &R, permit: &Permit<SeeHolds>, before: Option<HoldId>) -> Result<Page, Refused> {
    let account = *permit.on();
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut values = vec![Value::from(account), Value::from(most)];
    values.extend(before.map(Value::from));
    let sql = if before.is_some() { BEFORE } else { CONCERNING };
    let mut ids: Vec<HoldId> = read.rows(sql, values).await?.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?;
    let more = ids.len() > PAGE;
    ids.truncate(PAGE);
    let mut lines = Vec::with_capacity(ids.len());
    for id in &ids {
        if let Some(row) = by_id(read, *id).await? {
            lines.push(line(read, row, account).await?);
        }
    }
    Ok(Page { lines, before: ids.last().filter(|_| more).copied() })
}

const ON_PROJECT: &str = "SELECT id FROM holds WHERE project_id = $1 AND state = 'waiting' ORDER BY id DESC LIMIT 100";

/// The changes of a project that wait, newest first, as this account sees them.
///
/// # Errors
/// The database.
pub async fn on_project<R: Reading>(read: &R, project: ProjectId, viewer: AccountId) -> Result<Vec<Line>, Refused> {
    let mut lines = Vec::new();
    for row in read.rows(ON_PROJECT, vec![Value::from(project)]).await? {
        if let Some(row) = by_id(read, row.try_get("", "id")?).await? {
            lines.push(line(read, row, viewer).await?);
        }
    }
    Ok(lines)
}

/// A hold as this account sees it.
pub(crate) async fn line<R: Reading>(read: &R, row: holds::Model, account: AccountId) -> Result<Line, Refused> {
    let people = hold_people::Entity::find()
        .filter(hold_people::Column::HoldId.eq(row.id))
        .order_by_asc(hold_people::Column::Id)
        .all(read.connection())
        .await?;
    let own = people.iter().find(|person| person.account_id == account);
    let waiting = row.state == state::WAITING;
    let may_veto = waiting && own.is_some_and(|person| person.may_veto);
    let by_proof = may_veto && row.proposer_id == account && suspends(read, row.id).await?;
    let counts = consent(&row.action) != Consent::Nobodys && people.len() > 1;
    let asked = waiting && counts && own.is_some_and(|person| person.approved_at.is_none());
    // Whose roles sleep says nothing for a project, and is not asked to (R5).
    let may_approve = asked && !standing(read, account, None).await?.asleep;
    let open_until = match open_until(&row).filter(|until| *until > read.now()) {
        Some(until) if grants::is_open(read, row.id).await? => Some(until),
        _ => None,
    };
    let mut told = Vec::with_capacity(people.len());
    for person in people {
        let username = username(read, person.account_id).await?;
        told.push(Told { username, told_at: person.told_at, approved_at: person.approved_at });
    }
    Ok(Line {
        id: row.id,
        description: row.description,
        proposer: username(read, row.proposer_id).await?,
        proposed_at: row.created_at,
        due_at: row.due_at,
        state: row.state,
        closed_at: row.closed_at,
        because: row.ended_because,
        people: told,
        may_veto,
        by_proof,
        may_approve,
        open_until,
    })
}

/// Until when the door of a grant stands open that has waited and was not used.
fn open_until(row: &holds::Model) -> Option<Time> {
    let action =
        ActionName::from_wire(&row.action).filter(|action| action.proof() == OwnProof::Act || action.proof() == OwnProof::Mailbox)?;
    let is_open = row.state == state::DONE && row.used_at.is_none() && action.direction() == Direction::Grants;
    row.closed_at.filter(|_| is_open).map(|at| at.plus(OPEN_FOR))
}

const WAITING: &str = "SELECT COUNT(*) AS n FROM hold_people p JOIN holds h ON h.id = p.hold_id \
    WHERE p.account_id = $1 AND h.state = 'waiting'";

/// How many changes wait that concern an account, for the banner of its pages.
///
/// # Errors
/// The database.
pub async fn concerning<R: Reading>(read: &R, account: AccountId) -> Result<u64, Refused> {
    let row = read.row(WAITING, vec![Value::from(account)]).await?;
    let n: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(n).unwrap_or(0))
}

/// The sentence of a hold that concerns the permit's account, for the page that asks for a proof of the answer.
///
/// # Errors
/// The database.
pub async fn description<A: Action<On = HoldId>, R: Reading>(read: &R, permit: &Permit<A>) -> Result<Option<String>, Refused> {
    Ok(by_id(read, *permit.on()).await?.filter(|row| row.state == state::WAITING).map(|row| row.description))
}
