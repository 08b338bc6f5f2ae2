//! Cases: which are open, what opened each, whom it concerns, what was done in it and whether that is still in force; notes, and the decision.

use sea_orm::{EntityTrait, QueryResult, Value};

use super::by;
use crate::accounts::freeze::check_reason;
use crate::accounts::history;
use crate::cases::{self, Did, NewEntry};
use crate::clock::Time;
use crate::db::entities::cases as rows;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, CaseClosed, CaseNoted, Entry, Kind};
use crate::ids::{CaseId, EntryId, EventId};
use crate::policy::{Action, Denied, InspectCases, Permit};
use crate::refused::{Invalid, Refused};

/// How many cases stand on a page.
pub const PAGE: usize = 25;
/// How many entries of a case stand on a page.
pub const ENTRIES: usize = 100;
/// The most characters of a note.
const NOTE_MOST: usize = 4000;

/// A line of the list.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which one.
    pub id: CaseId,
    /// What opened it: not-me, alarm, veto, cloned, staff.
    pub kind: String,
    /// One sentence.
    pub why: String,
    /// When.
    pub opened_at: Time,
    /// When it was closed.
    pub closed_at: Option<Time>,
    /// The accounts that it concerns, at most ten.
    pub accounts: Vec<String>,
    /// The projects, at most ten.
    pub projects: Vec<String>,
}

/// A page, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The cases.
    pub lines: Vec<Line>,
    /// How many the filter finds.
    pub total: u64,
    /// Where the next page begins: cases before this one.
    pub next: Option<CaseId>,
}

/// Which cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shown {
    /// Those that wait for a decision.
    #[default]
    Open,
    /// Those that have one.
    Closed,
    /// All.
    All,
}

impl Shown {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::All];
    /// The word in addresses.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::All => "all",
        }
    }
    /// The choice with this word; the open ones for an unknown one.
    #[must_use]
    pub fn from_wire(wire: &str) -> Self {
        Self::ALL.into_iter().find(|shown| shown.wire() == wire).unwrap_or_default()
    }
}

const LIST_ALL: &str = "SELECT id FROM cases WHERE id < $1 ORDER BY id DESC LIMIT $2";
const LIST_OPEN: &str = "SELECT id FROM cases WHERE id < $1 AND closed_at IS NULL ORDER BY id DESC LIMIT $2";
const LIST_CLOSED: &str = "SELECT id FROM cases WHERE id < $1 AND closed_at IS NOT NULL ORDER BY id DESC LIMIT $2";
const COUNT_ALL: &str = "SELECT COUNT(*) AS n FROM cases";
const COUNT_OPEN: &str = "SELECT COUNT(*) AS n FROM cases WHERE closed_at IS NULL";
const COUNT_CLOSED: &str = "SELECT COUNT(*) AS n FROM cases WHERE closed_at IS NOT NULL";
const OF_SUBJECT: &str = "SELECT s.case_id AS id FROM case_subjects s JOIN cases c ON c.id = s.case_id WHERE s.what_id = $1 \
    ORDER BY s.case_id DESC LIMIT 20";

/// Cases, whoever may see them: `A` is what the page or the command does.
///
/// # Errors
/// The database.
pub async fn list<A: Action, R: Reading>(read: &R, _permit: &Permit<A>, shown: Shown, before: Option<CaseId>) -> Result<Page, Refused> {
    let (sql, count) = match shown {
        Shown::Open => (LIST_OPEN, COUNT_OPEN),
        Shown::Closed => (LIST_CLOSED, COUNT_CLOSED),
        Shown::All => (LIST_ALL, COUNT_ALL),
    };
    let before = before.unwrap_or(CaseId(uuid::Uuid::max()));
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let n: i64 = read.row(count, Vec::new()).await?.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0);
    let mut ids = ids(&read.rows(sql, vec![Value::from(before), Value::from(most)]).await?)?;
    let more = ids.len() > PAGE;
    ids.truncate(PAGE);
    let next = ids.last().filter(|_| more).copied();
    Ok(Page { lines: lines(read, &ids).await?, total: u64::try_from(n).unwrap_or(0), next })
}

/// The newest cases that concern an account or a project.
///
/// # Errors
/// The database.
pub async fn of_subject<A: Action, R: Reading>(read: &R, _permit: &Permit<A>, subject: uuid::Uuid) -> Result<Vec<Line>, Refused> {
    let ids = ids(&read.rows(OF_SUBJECT, vec![Value::from(subject)]).await?)?;
    lines(read, &ids).await
}

fn ids(rows: &[QueryResult]) -> Result<Vec<CaseId>, Refused> {
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
}

async fn lines<R: Reading>(read: &R, ids: &[CaseId]) -> Result<Vec<Line>, Refused> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(row) = rows::Entity::find_by_id(*id).one(read.connection()).await? else { continue };
        let (accounts, projects) = subjects(read, *id, 10).await?;
        let (kind, why) = (row.kind, row.why);
        found.push(Line { id: *id, kind, why, opened_at: row.opened_at, closed_at: row.closed_at, accounts, projects });
    }
    Ok(found)
}

const ACCOUNTS: &str = "SELECT a.username AS name FROM case_subjects s JOIN accounts a ON a.id = s.what_id \
    WHERE s.case_id = $1 AND s.what = 'account' ORDER BY a.username_folded LIMIT $2";
const PROJECTS: &str = "SELECT p.name AS name FROM case_subjects s JOIN projects p ON p.id = s.what_id \
    WHERE s.case_id = $1 AND s.what = 'project' ORDER BY p.normalized LIMIT $2";

async fn subjects<R: Reading>(read: &R, case: CaseId, most: i64) -> Result<(Vec<String>, Vec<String>), Refused> {
    let (mut accounts, mut projects) = (Vec::new(), Vec::new());
    for (sql, names) in [(ACCOUNTS, &mut accounts), (PROJECTS, &mut projects)] {
        for row in read.rows(sql, vec![Value::from(case), Value::from(most)]).await? {
            names.push(row.try_get("", "name")?);
        }
    }
    Ok((accounts, projects))
}

/// What was done in a case.
#[derive(Clone, Debug)]
pub struct Act {
    /// Its id.
    pub id: EntryId,
    /// What.
    pub did: Did,
    /// When.
    pub at: Time,
    /// Who: a user name, or the operator.
    pub by: String,
    /// The account that it was done to.
    pub account: Option<String>,
    /// The project that it was done to.
    pub project: Option<String>,
    /// The reason, the note, or the decision.
    pub text: String,
    /// The event that recorded it.
    pub event: EventId,
    /// Whether what it did can be undone, and was not.
    pub in_force: bool,
    /// Whether the operator did it: then the operator alone undoes it.
    pub by_operator: bool,
}

impl Act {
    /// Whether it did something that can be undone.
    #[must_use]
    pub const fn stops(&self) -> bool {
        matches!(self.did, Did::Freeze | Did::Pause | Did::Quarantine | Did::Restore | Did::Undo)
    }
}

/// A case, whole.
#[derive(Clone, Debug)]
pub struct Detail {
    /// Which one.
    pub id: CaseId,
    /// What opened it.
    pub kind: String,
    /// One sentence.
    pub why: String,
    /// When it was opened.
    pub opened_at: Time,
    /// By whom.
    pub opened_by: String,
    /// What happened at that moment, in the words of the trail.
    pub opened_with: String,
    /// When it was closed, by whom, and what happened then.
    pub closed: Option<(Time, String, String)>,
    /// The accounts that it concerns.
    pub accounts: Vec<String>,
    /// The projects.
    pub projects: Vec<String>,
    /// What was done in it, oldest first: one page of it, unless all was asked for.
    pub acts: Vec<Act>,
    /// After which act the next page begins.
    pub next: Option<EntryId>,
    /// How much of what was stopped in it is stopped still.
    pub in_force: u64,
}

/// Reads a case with everything that was done in it.
///
/// # Errors
/// `Hidden` when there is none.
pub async fn whole<A: Action, R: Reading>(read: &R, permit: &Permit<A>, case: CaseId) -> Result<Detail, Refused> {
    let mut detail = detail(read, permit, case, None).await?;
    while let Some(after) = detail.next {
        let (more, next) = acts(read, case, Some(after)).await?;
        detail.acts.extend(more);
        detail.next = next;
    }
    Ok(detail)
}

/// Reads a case, with one page of what was done in it: that after an act, or the first.
///
/// # Errors
/// `Hidden` when there is none.
pub async fn detail<A: Action, R: Reading>(read: &R, _permit: &Permit<A>, case: CaseId, after: Option<EntryId>) -> Result<Detail, Refused> {
    let row = rows::Entity::find_by_id(case).one(read.connection()).await?.ok_or(Denied::Hidden)?;
    let (accounts, projects) = subjects(read, case, 500).await?;
    let (opened_by, opened_with) = told(read, row.opened_by).await?;
    let closed = match row.closed_at.zip(row.closed_by) {
        Some((at, event)) => {
            let (by, with) = told(read, event).await?;
            Some((at, by, with))
        }
        None => None,
    };
    let (acts, next) = acts(read, case, after).await?;
    Ok(Detail {
        id: case,
        kind: row.kind,
        why: row.why,
        opened_at: row.opened_at,
        opened_by,
        opened_with,
        closed,
        accounts,
        projects,
        acts,
        next,
        in_force: in_force(read, case).await?,
    })
}

const IN_FORCE: &str = "SELECT (SELECT COUNT(*) FROM account_causes WHERE case_id = $1 AND kind = 'frozen' AND until_at IS NULL) \
    + (SELECT COUNT(*) FROM project_locks WHERE case_id = $1 AND kind = 'quarantined' AND until_at IS NULL) AS n";

async fn in_force<R: Reading>(read: &R, case: CaseId) -> Result<u64, Refused> {
    let row = read.row(IN_FORCE, vec![Value::from(case)]).await?;
    let n: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(n).unwrap_or(0))
}

const TOLD: &str = "SELECT e.kind AS kind, e.detail AS detail, e.actor AS actor, a.username AS username FROM events e \
    LEFT JOIN accounts a ON a.id = e.actor_account_id WHERE e.id = $1";

/// Who left an event, and its sentence.
async fn told<R: Reading>(read: &R, event: EventId) -> Result<(String, String), Refused> {
    let Some(row) = read.row(TOLD, vec![Value::from(event)]).await? else { return Ok(("somebody".to_owned(), String::new())) };
    let (kind, detail): (String, String) = (row.try_get("", "kind")?, row.try_get("", "detail")?);
    let sentence = Kind::from_wire(&kind).map_or_else(|| kind.clone(), |kind| history::sentence(kind, &detail));
    Ok((by(&row)?, sentence))
}

/// The trail's order is the order: two acts of one moment have none of their own.
const ACTS: &str = "SELECT n.id AS id, n.kind AS kind, n.at AS at, n.text AS text, n.event_id AS event_id, e.actor AS actor, \
    e.credential AS credential, b.username AS username, a.username AS account, p.name AS project, \
    (EXISTS (SELECT 1 FROM account_causes c WHERE c.case_id = n.case_id AND c.began_by = n.event_id AND c.until_at IS NULL) \
    OR EXISTS (SELECT 1 FROM project_locks l WHERE l.case_id = n.case_id AND l.began_by = n.event_id AND l.until_at IS NULL) \
    OR EXISTS (SELECT 1 FROM batches d WHERE d.case_id = n.case_id AND d.began_by = n.event_id AND d.until_at IS NULL)) AS in_force \
    FROM case_entries n LEFT JOIN events e ON e.id = n.event_id LEFT JOIN accounts b ON b.id = e.actor_account_id \
    LEFT JOIN accounts a ON a.id = n.account_id LEFT JOIN projects p ON p.id = n.project_id \
    WHERE n.case_id = $1 AND (COALESCE(e.seq, 0) > $2 OR (COALESCE(e.seq, 0) = $2 AND n.id > $3)) \
    ORDER BY COALESCE(e.seq, 0), n.id LIMIT $4";
const PLACE: &str = "SELECT COALESCE(e.seq, 0) AS seq FROM case_entries n LEFT JOIN events e ON e.id = n.event_id WHERE n.id = $1";

/// What was done after an act, and where to go on.
async fn acts<R: Reading>(read: &R, case: CaseId, after: Option<EntryId>) -> Result<(Vec<Act>, Option<EntryId>), Refused> {
    let after = after.unwrap_or(EntryId(uuid::Uuid::nil()));
    let place = read.row(PLACE, vec![Value::from(after)]).await?;
    let place: i64 = place.map(|row| row.try_get("", "seq")).transpose()?.unwrap_or(-1);
    let most = i64::try_from(ENTRIES + 1).unwrap_or(i64::MAX);
    let values = vec![Value::from(case), Value::from(place), Value::from(after), Value::from(most)];
    let mut rows = read.rows(ACTS, values).await?;
    let more = rows.len() > ENTRIES;
    rows.truncate(ENTRIES);
    let next = rows.last().filter(|_| more).map(|row| row.try_get("", "id")).transpose()?;
    let acts = rows.iter().filter_map(|row| act(row).transpose()).collect::<Result<_, _>>()?;
    Ok((acts, next))
}

/// One act; nothing for one that this version does not know.
fn act(row: &QueryResult) -> Result<Option<Act>, Refused> {
    let (kind, credential): (String, Option<String>) = (row.try_get("", "kind")?, row.try_get("", "credential")?);
    let Some(did) = Did::from_wire(&kind) else { return Ok(None) };
    Ok(Some(Act {
        id: row.try_get("", "id")?,
        did,
        at: row.try_get("", "at")?,
        by: by(row)?,
        account: row.try_get("", "account")?,
        project: row.try_get("", "project")?,
        text: row.try_get("", "text")?,
        event: row.try_get("", "event_id")?,
        in_force: row.try_get("", "in_force")?,
        by_operator: credential.as_deref() == Some("operator"),
    }))
}

/// Writes a note down. A closed case takes notes too: what is learned later belongs to it.
///
/// # Errors
/// `Invalid` when it is empty or too long.
pub async fn note<A: Action<On = CaseId>>(env: &Env, tx: &mut Tx, permit: &Permit<A>, text: &str) -> Result<(), Refused> {
    let (case, text) = (*permit.on(), text.trim().replace("\r\n", "\n"));
    let strange = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.is_empty() || text.chars().count() > NOTE_MOST || text.chars().any(strange) {
        return Err(Invalid::new("note", "A note is a text of 1 to 4000 characters.").into());
    }
    let entry = cases::enter(env, tx, NewEntry::of(case, Did::Note, &text, permit.event())).await?;
    let event = CaseNoted { case: case.to_string(), entry: entry.to_string() };
    events::record(env, tx, permit, Entry::of(event).in_case(case)).await?;
    Ok(())
}

/// Whom a case concerns, what was stopped in it, and which projects: nobody decides about what is his own.
const OWN: &str = "SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM case_subjects s WHERE s.case_id = $1 AND s.what_id = $2) \
    OR EXISTS (SELECT 1 FROM case_subjects s JOIN roles r ON r.project_id = s.what_id \
    WHERE s.case_id = $1 AND r.account_id = $2 AND r.until_at IS NULL) \
    OR EXISTS (SELECT 1 FROM holds h JOIN hold_people p ON p.hold_id = h.id WHERE h.case_id = $1 AND p.account_id = $2)";

/// Closes a case with a decision: what its vetoes barred may be proposed again (R10). What was frozen stays so until it is thawed.
///
/// # Errors
/// `OwnAffair`; `Invalid` when it is closed already, or for the reason.
pub async fn close<A: Action<On = CaseId>>(env: &Env, tx: &mut Tx, permit: &Permit<A>, decision: &str) -> Result<EventId, Refused> {
    let (case, decision) = (*permit.on(), check_reason(decision)?);
    if let Some(account) = permit.actor().account()
        && tx.row(OWN, vec![Value::from(case), Value::from(account)]).await?.is_some()
    {
        return Err(Denied::OwnAffair.into());
    }
    if !cases::close(tx, case, permit.event()).await? {
        return Err(Invalid::new("", "This case is closed already.").into());
    }
    let event = CaseClosed { case: case.to_string(), decision: decision.to_owned() };
    let event = events::record(env, tx, permit, Entry::of(event).in_case(case)).await?;
    cases::enter(env, tx, NewEntry::of(case, Did::Close, decision, event)).await?;
    Ok(event)
}

/// The open cases that an act can join, newest first, at most fifty.
///
/// # Errors
/// The database.
pub async fn to_join<A: Action, R: Reading>(read: &R, _permit: &Permit<A>) -> Result<Vec<(CaseId, String)>, Refused> {
    const JOIN: &str = "SELECT id, why FROM cases WHERE closed_at IS NULL ORDER BY id DESC LIMIT 50";
    let rows = read.rows(JOIN, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "why")?))).collect()
}

const HOLDS: &str = "SELECT case_id FROM account_causes WHERE account_id = $1 AND kind = 'frozen' AND until_at IS NULL AND case_id IS NOT NULL \
    UNION SELECT case_id FROM project_locks WHERE project_id = $1 AND kind = 'quarantined' AND until_at IS NULL AND case_id IS NOT NULL";

/// The case that stops an account or a project, when it is the only one.
///
/// # Errors
/// `Invalid` when there is none, or there are several, which it names.
pub async fn only_one<R: Reading>(read: &R, _permit: &Permit<InspectCases>, subject: uuid::Uuid) -> Result<CaseId, Refused> {
    let found = read.rows(HOLDS, vec![Value::from(subject)]).await?;
    let found: Vec<CaseId> = found.iter().map(|row| row.try_get("", "case_id")).collect::<Result<_, _>>()?;
    let wrong = |message: String| Refused::from(Invalid::new("case", message));
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(wrong("No case stops it.".to_owned())),
        more => {
            let names: Vec<String> = more.iter().map(ToString::to_string).collect();
            Err(wrong(format!("Several cases stop it: name one of them with --case: {}.", names.join(", "))))
        }
    }
}
