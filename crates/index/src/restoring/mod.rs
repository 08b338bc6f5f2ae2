//! Putting a project or an account back as it stood at a time: roles, locks, addresses, tokens, from the history rows (P7, R18).
//!
//! What was taken away since comes back as a copy with its old age; what was added since is closed; no closed row is written again. All
//! of it bears the id of one event, the batch, so that it is undone as one. No credential revives: tokens come back paused, factors by
//! the owner's take-back alone, sessions and recovery codes never ([0010](../../../docs/adr/0010-restore-copies-rows.md)).

mod account; // what differs about an account
mod console; // what an administrator may, and with which proof
mod deeds; //   doing one of the things that a plan names
mod given; //   what an account gave to others since
mod history; // which rows stood at a time
mod project; // what differs about a project
mod told; //    which roles change, and who is told
mod undo; //    taking a batch back

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use console::{by_staff, undo_by_staff};
pub use undo::{Undone, undo};

use crate::accounts::{self, freeze::check_reason};
use crate::cases::{self, Did, NewCase, NewEntry, Opening};
use crate::clock::Time;
use crate::db::entities::{batches, cases as case_rows, projects};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountRestored, Entry, ProjectRestored};
use crate::ids::{AccountId, BatchId, CaseId, ProjectId, Site};
use crate::policy::{Action, Actor, Denied, Permit, PlanRestore, Resource, Situation};
use crate::projects::holders;
use crate::refused::{Invalid, Refused};
use crate::resources::Restorable;
use deeds::{Deed, Under};
use told::Change;

impl Resource for Restorable {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let known = match self {
            Self::Project(id) => project_of(read, *id).await?.is_some(),
            Self::Account(id) => accounts::by_id(read, *id).await?.is_some(),
        };
        let roles = Site.situation(read, actor).await?.roles;
        let oneself = matches!(self, Self::Account(id) if actor.account() == Some(*id));
        Ok(match (known, roles.is_empty()) {
            (true, false) if oneself => Situation::holding(Vec::new()),
            (true, false) => Situation::holding(roles),
            _ => Situation::hidden(),
        })
    }

    /// What the account or its owners are doing is done before, or sees what was put back.
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        match self {
            Self::Project(id) => lock_project(tx, *id).await,
            Self::Account(id) => {
                accounts::lock(tx, *id).await?;
                holders::lock_all_of(tx, *id).await
            }
        }
    }
}

impl Resource for BatchId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let roles = Site.situation(read, actor).await?.roles;
        let known = !roles.is_empty() && batches::Entity::find_by_id(*self).one(read.connection()).await?.is_some();
        Ok(if known { Situation::holding(roles) } else { Situation::hidden() })
    }

    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        let sql = format!("SELECT 1 AS one FROM batches WHERE id = $1{}", tx.lock(true));
        tx.row(&sql, vec![Value::from(*self)]).await?;
        Ok(())
    }
}

async fn lock_project(tx: &Tx, project: ProjectId) -> Result<(), Refused> {
    let sql = format!("SELECT 1 AS one FROM projects WHERE id = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(project)]).await?;
    Ok(())
}

async fn project_of<R: Reading>(read: &R, id: ProjectId) -> Result<Option<projects::Model>, Refused> {
    Ok(projects::Entity::find_by_id(id).one(read.connection()).await?)
}

/// What becomes of one thing that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It comes back, with its old age.
    Returns,
    /// It comes back and opens nothing until its owner confirms it (R18).
    ReturnsPaused,
    /// It was added since, and ends.
    Ends,
    /// The account is stopped until its owner takes it back.
    Stops,
    /// It stays as it is; the reason stands beside it.
    Stays,
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What sort of thing: `role`, `lock`, `address`, `factor`, `codes`, `token`, `deletion`, `invitation`, `hold`, `sessions`, `account`.
    pub sort: &'static str,
    /// Its row, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What it is, in one sentence without a full stop.
    pub what: String,
    /// What becomes of it.
    pub does: Does,
    /// Why it stays, or what it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A difference, and what is done about it.
#[derive(Clone, Debug)]
struct Item {
    difference: Difference,
    deed: Option<Deed>,
}

/// Everything that differs, and how many things stand as they stood.
#[derive(Clone, Debug, Default)]
struct Plan {
    items: Vec<Item>,
    already: u64,
}

impl Plan {
    fn does(&mut self, (sort, id): (&'static str, Option<Uuid>), what: String, does: Does, deed: Deed) {
        self.items.push(Item { difference: Difference { sort, id, what, does, why: None }, deed: Some(deed) });
    }

    fn stays(&mut self, (sort, id): (&'static str, Option<Uuid>), what: String, why: &str) {
        let difference = Difference { sort, id, what, does: Does::Stays, why: Some(why.to_owned()) };
        self.items.push(Item { difference, deed: None });
    }

    /// Whether a role, by the text of its id, ends by it.
    fn ends_role(&self, role: &str) -> bool {
        self.items.iter().any(|item| matches!(&item.deed, Some(Deed::EndRole(row)) if row.id.to_string() == role))
    }

    fn differences(&self) -> Vec<Difference> {
        self.items.iter().map(|item| item.difference.clone()).collect()
    }

    /// SHA-256 of what would be done, to which subject, as of when: what a person saw is what is done (R20).
    fn digest(&self, on: Restorable, at: Time) -> Result<String, Refused> {
        let text = serde_json::to_string(&(on.to_string(), at.as_micros(), self.differences()))?;
        Ok(hex::encode(Sha256::digest(text)))
    }
}

async fn plan<R: Reading>(env: &Env, read: &R, on: Restorable, at: Time) -> Result<Plan, Refused> {
    if at > read.now() {
        return Err(Invalid::new("at", "This time is still to come: name one in the past.").into());
    }
    match on {
        Restorable::Project(id) => project::plan(env, read, &project_of(read, id).await?.ok_or(Denied::Hidden)?, at).await,
        Restorable::Account(id) => account::plan(env, read, &accounts::by_id(read, id).await?.ok_or(Denied::Hidden)?, at).await,
    }
}

/// What differs, as far as whoever asks may put it back.
async fn plan_for<A: Action<On = Restorable>, R: Reading>(env: &Env, read: &R, permit: &Permit<A>, at: Time) -> Result<Plan, Refused> {
    if permit.actor().account().is_some() {
        console::check_age(env, read.now(), at)?;
    }
    let mut plan = plan(env, read, *permit.on(), at).await?;
    if permit.actor().account().is_some() {
        console::narrow(read, *permit.on(), &mut plan).await?;
    }
    Ok(plan)
}

/// What a restore would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Everything that differs.
    pub differences: Vec<Difference>,
    /// How many things stand as they stood.
    pub already: u64,
    /// Names exactly this list; an order may demand that it has not changed.
    pub digest: String,
}

/// The dry run: the list that the act then makes.
///
/// # Errors
/// `Invalid` for a time before the beginning or after the present; the database.
pub async fn preview<A: Action<On = Restorable>, R: Reading>(
    env: &Env,
    read: &R,
    permit: &Permit<A>,
    at: Time,
) -> Result<Preview, Refused> {
    let plan = plan_for(env, read, permit, at).await?;
    Ok(Preview { digest: plan.digest(*permit.on(), at)?, already: plan.already, differences: plan.differences() })
}

/// The subject that the operator or an administrator named.
///
/// # Errors
/// `Hidden` when there is none of this name.
pub async fn find_account<R: Reading>(read: &R, name: &str) -> Result<Restorable, Refused> {
    Ok(Restorable::Account(accounts::by_username(read, name).await?.ok_or(Denied::Hidden)?.id))
}

/// The same for a project.
///
/// # Errors
/// `Hidden` when there is none of this name.
pub async fn find_project<R: Reading>(read: &R, normalized: &str) -> Result<Restorable, Refused> {
    let found = projects::Entity::find().filter(projects::Column::Normalized.eq(normalized)).one(read.connection()).await?;
    Ok(Restorable::Project(found.ok_or(Denied::Hidden)?.id))
}

/// What somebody orders.
#[derive(Clone, Debug)]
pub struct Order {
    /// As it stood then.
    pub at: Time,
    /// Why: 1 to 500 characters on one line.
    pub reason: String,
    /// The case to join; without one a case is opened.
    pub case: Option<CaseId>,
    /// The digest of the list that was seen; when the list is another one by now, nothing is done.
    pub digest: Option<String>,
}

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Names what it did, for its undo, and its case; nothing when nothing had to be done.
    pub done: Option<(BatchId, CaseId)>,
    /// What differed, with what became of it.
    pub differences: Vec<Difference>,
    /// How many things were changed.
    pub restored: u64,
    /// How many things stood as they stood.
    pub already: u64,
}

/// Puts it back, by the operator or by an administrator whose proof was spent.
///
/// # Errors
/// `Invalid` for a time, a reason or a case that cannot be used, and when the list has changed since it was seen.
pub async fn restore<A: Action<On = Restorable>>(env: &Env, tx: &mut Tx, permit: &Permit<A>, order: &Order) -> Result<Restored, Refused> {
    let (on, reason) = (*permit.on(), check_reason(&order.reason)?.to_owned());
    let plan = plan_for(env, tx, permit, order.at).await?;
    if order.digest.as_ref().is_some_and(|seen| plan.digest(on, order.at).is_ok_and(|now| now != *seen)) {
        return Err(Invalid::new("", "What would be put back has changed since the list was shown: look at the new list.").into());
    }
    let differences = plan.differences();
    let deeds: Vec<Deed> = plan.items.into_iter().filter_map(|item| item.deed).collect();
    let restored = u64::try_from(deeds.len()).unwrap_or(u64::MAX);
    if deeds.is_empty() {
        tx.leave_as_it_was();
        return Ok(Restored { done: None, differences, restored, already: plan.already });
    }
    let (account, project) = parts(on);
    let touched = touched(&deeds, project);
    if let Some(administrator) = permit.actor().account() {
        console::check_not_own(tx, administrator, (&deeds, &touched)).await?;
    }
    let case = case_of(env, tx, permit, (on, order.case, &reason)).await?;
    let batch = BatchId(permit.event().0);
    let row = batches::ActiveModel {
        id: Set(batch),
        case_id: Set(case),
        account_id: Set(account),
        project_id: Set(project),
        as_of: Set(Some(order.at)),
        undoes: Set(None),
        reason: Set(reason.clone()),
        changed: Set(i64::try_from(restored).unwrap_or(i64::MAX)),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
    };
    batches::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    let under = Under { case, reason, at: order.at };
    let changes = told::changes(tx, &deeds).await?;
    record(env, tx, permit, (account, &touched, &changes), (batch, &under, restored)).await?;
    deeds::all(env, tx, permit, deeds, &under).await?;
    told::record(env, tx, permit, changes, (case, &under.reason)).await?;
    let entry = NewEntry { account, project, ..NewEntry::of(case, Did::Restore, &under.reason, permit.event()) };
    cases::enter(env, tx, entry).await?;
    Ok(Restored { done: Some((batch, case)), differences, restored, already: plan.already })
}

const fn parts(on: Restorable) -> (Option<AccountId>, Option<ProjectId>) {
    match on {
        Restorable::Project(id) => (None, Some(id)),
        Restorable::Account(id) => (Some(id), None),
    }
}

/// The projects whose roles or locks change, each once.
fn touched(deeds: &[Deed], own: Option<ProjectId>) -> Vec<ProjectId> {
    let mut found: Vec<ProjectId> = own.into_iter().chain(deeds.iter().filter_map(Deed::project)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The account is told as a whole; the owners of each project of their project, those before and those after.
async fn record<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    (account, projects, changes): (Option<AccountId>, &[ProjectId], &[Change]),
    (batch, under, changed): (BatchId, &Under, u64),
) -> Result<(), Refused> {
    let (batch, reason, as_of) = (batch.to_string(), under.reason.clone(), under.at.in_words());
    if let Some(account) = account {
        let event = AccountRestored { batch: batch.clone(), reason: reason.clone(), as_of: as_of.clone(), changed };
        events::record(env, tx, permit, Entry::of(event).about(account).in_case(under.case)).await?;
    }
    for project in projects {
        let roles = told::list(changes, *project);
        let event = ProjectRestored { batch: batch.clone(), reason: reason.clone(), as_of: as_of.clone(), roles };
        events::record(env, tx, permit, Entry::of(event).on_project(*project).in_case(under.case)).await?;
    }
    Ok(())
}

/// The case that the act joins, or one of its own.
async fn case_of<A: Action>(
    env: &Env,
    tx: &Tx,
    permit: &Permit<A>,
    (on, case, reason): (Restorable, Option<CaseId>, &str),
) -> Result<CaseId, Refused> {
    if let Some(case) = case {
        let open = case_rows::Entity::find_by_id(case).filter(case_rows::Column::ClosedAt.is_null()).one(tx.connection()).await?;
        return open.map(|row| row.id).ok_or_else(|| Invalid::new("case", "No open case has this id.").into());
    }
    let (account, project) = parts(on);
    let new = NewCase { opening: Opening::Restore, account, project, why: format!("Put back: {reason}"), opened_by: permit.event() };
    cases::open(env, tx, new).await
}

/// What the proof of an administrator is bound to (R20): the subject is the permit's; the rest is this.
#[must_use]
pub fn parameters(order: &Order) -> serde_json::Value {
    serde_json::json!({ "at": order.at.as_micros(), "reason": order.reason, "digest": order.digest })
}

/// The dry run of the operator, who names its subject by the permit.
///
/// # Errors
/// As `preview`.
pub async fn by_operator<R: Reading>(env: &Env, read: &R, permit: &Permit<PlanRestore>, at: Time) -> Result<Preview, Refused> {
    preview(env, read, permit, at).await
}
