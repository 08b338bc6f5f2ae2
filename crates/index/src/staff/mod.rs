//! What administrators and the operator do about accounts, projects, changes that wait and cases: look, stop, give back, decide
//! (P9, R13, R20, R21). Every act stands in a case: an open one, or one that it opens.
//!
//! Nothing here acts on many at once. Who may is said by policy; whoever administers the index decides nothing about himself.

pub mod accounts; //  stopping an account and letting it go again; who is there
pub mod bytewise; //  lists that are paged and found by the beginning of a name
pub mod casework; //  cases: notes, the decision, what was done and its undo
pub mod holds; //     changes that wait
pub mod overview; //  what wants attention
pub mod projects; //  quarantine and its end; which projects there are
pub mod report; //    a case as the shell prints it
pub mod timeline; //  what happened to an account or a project

use sea_orm::{QueryResult, Value};

use crate::act;
use crate::cases::{self, NewCase, Opening};
use crate::clock::Time;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, CaseId, EventId, ProjectId, Site};
use crate::policy::{Action, Actor, Denied, Permit, Resource, SeeAsStaff, Situation};
use crate::refused::{Invalid, Refused};
use crate::resources::{StaffAccount, StaffHold, StaffProject};

/// What an act of the staff did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The case that it stands in.
    pub case: CaseId,
    /// The event that recorded it, by which it is undone alone.
    pub batch: EventId,
    /// Whether it was so already: one more cause stands beside the others.
    pub already: bool,
    /// Whether whoever did it is stopped by it (R21).
    pub paused: bool,
}

/// What a thaw or a release ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The case that the causes stood in.
    pub case: CaseId,
    /// The event that recorded it.
    pub batch: EventId,
    /// How many causes ended.
    pub causes: u64,
}

/// Which causes a thaw or a release ends: those of one case, or of one act of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// The case.
    pub case: CaseId,
    /// One act of it.
    pub act: Option<EventId>,
}

/// Why an account may not act, or what is on a project, a release or a file of it.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Frozen, contained, deleted; quarantined, withdrawn, archived.
    pub kind: String,
    /// The account, the whole project, one release, one file.
    pub on: &'static str,
    /// In the words of whoever did it; may be empty.
    pub reason: String,
    /// Since when.
    pub since: Time,
    /// Who did it: a user name, or the operator's.
    pub by: String,
    /// Its case.
    pub case: Option<CaseId>,
    /// The event that began it.
    pub event: EventId,
    /// Whether an administrator can end it: another one did it, in a case.
    pub can_end: bool,
}

/// Reads one, on what; `staffs` is the kind that administrators add and end.
fn stop(row: &QueryResult, on: &'static str, staffs: &str) -> Result<Stop, Refused> {
    let (kind, case): (String, Option<CaseId>) = (row.try_get("", "kind")?, row.try_get("", "case_id")?);
    let credential: Option<String> = row.try_get("", "credential")?;
    Ok(Stop {
        can_end: kind == staffs && case.is_some() && credential.as_deref() != Some("operator"),
        by: by(row)?,
        kind,
        on,
        reason: row.try_get("", "reason")?,
        since: row.try_get("", "from_at")?,
        case,
        event: row.try_get("", "began_by")?,
    })
}

/// Who did something: a user name, else how the trail names the actor.
fn by(row: &QueryResult) -> Result<String, Refused> {
    let (username, actor): (Option<String>, Option<String>) = (row.try_get("", "username")?, row.try_get("", "actor")?);
    Ok(match (username, actor) {
        (Some(username), _) => username,
        (None, Some(actor)) if actor == "nobody" => "the link of a mail".to_owned(),
        (None, Some(actor)) => actor.replace(':', " "),
        (None, None) => "somebody".to_owned(),
    })
}

const STAFF_ONLY: &str = "What is there was done by others: the operator, or the owner with the link of a notice. Only they undo it.";

/// How those who administer the index or stand at its shell see something; for everybody else it is not there.
async fn as_staff<R: Reading>(read: &R, actor: &Actor, (sql, id): (&str, Value)) -> Result<Situation, Refused> {
    let roles = Site.situation(read, actor).await?.roles;
    let known = !roles.is_empty() && read.row(sql, vec![id]).await?.is_some();
    Ok(if known { Situation::holding(roles) } else { Situation::hidden() })
}

const ACCOUNT: &str = "SELECT 1 AS one FROM accounts WHERE id = $1";
const PROJECT: &str = "SELECT 1 AS one FROM projects WHERE id = $1";
const HOLD: &str = "SELECT 1 AS one FROM holds WHERE id = $1";
const CASE: &str = "SELECT 1 AS one FROM cases WHERE id = $1";

async fn lock(tx: &Tx, sql: &str, id: Value) -> Result<(), Refused> {
    tx.row(&format!("{sql}{}", tx.lock(true)), vec![id]).await?;
    Ok(())
}

impl Resource for StaffAccount {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        as_staff(read, actor, (ACCOUNT, self.0.into())).await
    }
    /// What the account is doing at this moment is done before, or sees the cause.
    async fn lock(&self, tx: &Tx, actor: &Actor) -> Result<(), Refused> {
        if actor.account() == Some(self.0) { Ok(()) } else { lock(tx, ACCOUNT, self.0.into()).await }
    }
}

impl Resource for StaffProject {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        as_staff(read, actor, (PROJECT, self.0.into())).await
    }
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        lock(tx, PROJECT, self.0.into()).await
    }
}

impl Resource for StaffHold {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        as_staff(read, actor, (HOLD, self.0.into())).await
    }
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        lock(tx, HOLD, self.0.into()).await
    }
}

impl Resource for CaseId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        as_staff(read, actor, (CASE, (*self).into())).await
    }
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        lock(tx, CASE, (*self).into()).await
    }
}

/// The account that an administrator named.
///
/// # Errors
/// Whoever is no administrator is refused before it is looked for; `Hidden` when there is none.
pub async fn account_named(env: &Env, actor: &Actor, name: &str) -> Result<AccountId, Refused> {
    let name = name.to_owned();
    let found = act::view::<SeeAsStaff, _, _>(env, actor, Site, move |read, _| {
        Box::pin(async move { Ok(crate::accounts::by_username(read, &name).await?.ok_or(Denied::Hidden)?.id) })
    });
    found.await
}

/// The project that an administrator named.
///
/// # Errors
/// As `account_named`.
pub async fn project_named(env: &Env, actor: &Actor, name: &str) -> Result<ProjectId, Refused> {
    let name = name.to_owned();
    act::view::<SeeAsStaff, _, _>(env, actor, Site, move |read, _| Box::pin(async move { projects::named(read, &name).await })).await
}

/// Whoever administers the index decides nothing about himself.
fn check_other<A: Action>(permit: &Permit<A>, account: AccountId) -> Result<(), Refused> {
    if permit.actor().account() == Some(account) { Err(Denied::OwnAffair.into()) } else { Ok(()) }
}

/// The sentence with which an act opens a case, and whom that concerns.
struct Opened {
    why: String,
    account: Option<AccountId>,
    project: Option<ProjectId>,
}

/// The case that an act stands in: the open one that was named, or a new one.
async fn join<A: Action>(env: &Env, tx: &Tx, permit: &Permit<A>, case: Option<CaseId>, new: Opened) -> Result<CaseId, Refused> {
    let Some(case) = case else {
        let Opened { why, account, project } = new;
        return cases::open(env, tx, NewCase { opening: Opening::Staff, account, project, why, opened_by: permit.event() }).await;
    };
    let sql = format!("SELECT closed_at FROM cases WHERE id = $1{}", tx.lock(false));
    let wrong = |message: &str| Refused::from(Invalid::new("case", message));
    let row = tx.row(&sql, vec![Value::from(case)]).await?.ok_or_else(|| wrong("There is no such case."))?;
    match row.try_get::<Option<i64>>("", "closed_at")? {
        Some(_) => Err(wrong("This case is closed: choose an open one, or leave it empty for a new one.")),
        None => Ok(case),
    }
}

/// That the case is there from which a cause is taken away; a closed one too.
async fn check_case<R: Reading>(read: &R, case: CaseId) -> Result<(), Refused> {
    let row = read.row(CASE, vec![Value::from(case)]).await?;
    row.map(|_| ()).ok_or_else(|| Invalid::new("case", "There is no such case.").into())
}
