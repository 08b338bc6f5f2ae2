//! What happened to an account or on a project, newest first, with networks and agents: those are for staff and the actor (R27).

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, Condition, EntityTrait};

use crate::accounts::history;
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::{accounts, events, projects};
use crate::env::Env;
use crate::events::reading::{self, Part};
use crate::events::{Kind, Private, open_all};
use crate::ids::{AccountId, CaseId, ProjectId};
use crate::policy::{Permit, SeeAsStaff};
use crate::refused::Refused;

/// How many events stand on a page.
pub const PAGE: usize = 50;

/// Whose events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// What an account did, and what was done to it.
    Account(AccountId),
    /// What happened on a project.
    Project(ProjectId),
}

impl Of {
    /// The id of the account or the project.
    #[must_use]
    pub const fn id(self) -> uuid::Uuid {
        match self {
            Self::Account(id) => id.0,
            Self::Project(id) => id.0,
        }
    }
}

/// An event in plain words.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the trail.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// The kind, as the trail names it.
    pub kind: String,
    /// What happened.
    pub sentence: String,
    /// Who did it: a user name, the operator, a job.
    pub by: String,
    /// Whether `by` is the name of an account.
    pub by_account: bool,
    /// What was shown for it.
    pub credential: Option<&'static str>,
    /// The project that it is about.
    pub project: Option<String>,
    /// The case that it belongs to.
    pub case: Option<CaseId>,
    /// Where from, and with what.
    pub private: Option<Private>,
}

/// One page, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events.
    pub lines: Vec<Line>,
    /// Where the next page begins: events before this one.
    pub before: Option<i64>,
}

/// Reads one page.
///
/// # Errors
/// The database. A sealed field that does not open is left out: `audit verify` names it, and the page must not hide the rest.
pub async fn page<R: Reading>(env: &Env, read: &R, _permit: &Permit<SeeAsStaff>, of: Of, before: Option<i64>) -> Result<Page, Refused> {
    let (condition, account) = match of {
        Of::Account(id) => (Condition::all(), Some(id)),
        Of::Project(id) => (Condition::all().add(events::Column::ProjectId.eq(id)), None),
    };
    let part = Part::Before(before.unwrap_or(i64::MAX));
    let most = u64::try_from(PAGE + 1).unwrap_or(u64::MAX);
    let mut rows = reading::some(read, &condition, account, (part, most)).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let before = rows.last().filter(|_| more).map(|row| row.seq);
    let mut private = open_all(env, read, rows.iter().map(|row| row.id).collect()).await?;
    let mut names = Names::default();
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let private = private.remove(&row.id);
        lines.push(line(read, row, private, &mut names).await?);
    }
    Ok(Page { lines, before })
}

/// Names that were looked up for this page.
#[derive(Default)]
struct Names {
    accounts: BTreeMap<AccountId, String>,
    projects: BTreeMap<ProjectId, String>,
}

impl Names {
    async fn account<R: Reading>(&mut self, read: &R, id: AccountId) -> Result<String, Refused> {
        if let Some(known) = self.accounts.get(&id) {
            return Ok(known.clone());
        }
        let row = accounts::Entity::find_by_id(id).one(read.connection()).await?;
        let name = row.map_or_else(|| id.to_string(), |row| row.username);
        self.accounts.insert(id, name.clone());
        Ok(name)
    }
    async fn project<R: Reading>(&mut self, read: &R, id: ProjectId) -> Result<String, Refused> {
        if let Some(known) = self.projects.get(&id) {
            return Ok(known.clone());
        }
        let row = projects::Entity::find_by_id(id).one(read.connection()).await?;
        let name = row.map_or_else(|| id.to_string(), |row| row.name);
        self.projects.insert(id, name.clone());
        Ok(name)
    }
}

async fn line<R: Reading>(read: &R, row: events::Model, private: Option<Private>, names: &mut Names) -> Result<Line, Refused> {
    let sentence = Kind::from_wire(&row.kind).map_or_else(|| row.kind.clone(), |kind| history::sentence(kind, &row.detail));
    let by = match row.actor_account_id {
        Some(actor) => names.account(read, actor).await?,
        None if row.actor == "nobody" => "nobody that is known".to_owned(),
        None => row.actor.replace(':', " "),
    };
    let project = match row.project_id {
        Some(project) => Some(names.project(read, project).await?),
        None => None,
    };
    Ok(Line {
        seq: row.seq,
        at: row.at,
        sentence,
        by,
        by_account: row.actor_account_id.is_some(),
        credential: history::credential(&row.credential),
        project,
        case: row.case_id,
        private,
        kind: row.kind,
    })
}
