//! Projects: which there are, what stops them, and the two acts: quarantine and its end (R13, R20).

use formats::name::ProjectName;
use sea_orm::{EntityTrait, QueryResult, Value};

use super::bytewise::{self, Page, Wanted};
use super::{Done, Opened, STAFF_ONLY, Stop, Undone, Which, check_case, join, stop};
use crate::accounts::freeze::check_reason;
use crate::cases::{self, Did, NewEntry};
use crate::clock::Time;
use crate::db::entities::projects as rows;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, ProjectQuarantined, ProjectReleased};
use crate::ids::{CaseId, ProjectId};
use crate::policy::{Action, Denied, InspectCases, Permit, ReleaseAsStaff, Role, SeeAsStaff};
use crate::projects::locks::{self, LockKind, Locked, NewLock};
use crate::projects::roles;
use crate::refused::{Invalid, Refused};

/// Which projects are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shown {
    /// All.
    #[default]
    All,
    /// In quarantine.
    Quarantined,
    /// Deleted, within retention.
    Deleted,
}

impl Shown {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::All, Self::Quarantined, Self::Deleted];
    /// The word in addresses.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Quarantined => "quarantined",
            Self::Deleted => "deleted",
        }
    }
    /// The choice with this word; all for an unknown one.
    #[must_use]
    pub fn from_wire(wire: &str) -> Self {
        Self::ALL.into_iter().find(|shown| shown.wire() == wire).unwrap_or_default()
    }
    const fn filter(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Quarantined => {
                "AND p.id IN (SELECT project_id FROM project_locks WHERE kind = 'quarantined' AND until_at IS NULL \
                 AND release_id IS NULL AND file_id IS NULL)"
            }
            Self::Deleted => {
                "AND p.id IN (SELECT project_id FROM project_locks WHERE kind = 'deleted' AND until_at IS NULL \
                 AND release_id IS NULL AND file_id IS NULL)"
            }
        }
    }
}

/// A line of the list.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name as it is written.
    pub name: String,
    /// The name in addresses.
    pub normalized: String,
    /// When it was made.
    pub created_at: Time,
    /// What is on the whole of it: quarantined, deleted, withdrawn, archived.
    pub locks: Vec<String>,
}

const LIST: &str = "SELECT p.id AS id, p.name AS name, p.normalized AS normalized, p.created_at AS created_at FROM projects p \
    WHERE p.normalized{c} >= $1 AND p.normalized{c} < $2 AND p.normalized{c} > $3 {filter} ORDER BY p.normalized{c} LIMIT $4";
const COUNT: &str = "SELECT COUNT(*) AS n FROM projects p WHERE p.normalized{c} >= $1 AND p.normalized{c} < $2 {filter}";

const ON_THE_WHOLE: &str = "SELECT DISTINCT kind FROM project_locks WHERE project_id = $1 AND until_at IS NULL \
    AND release_id IS NULL AND file_id IS NULL ORDER BY kind";

/// Projects by name, those whose name begins so.
///
/// # Errors
/// The database.
pub async fn list<R: Reading>(
    read: &R,
    _permit: &Permit<SeeAsStaff>,
    shown: Shown,
    (begins, after): (&str, &str),
) -> Result<Page<Line>, Refused> {
    let wanted = Wanted::new(&normalized(begins), after);
    let total = bytewise::count(read, &bytewise::sql(read, COUNT, shown.filter()), &wanted).await?;
    let (found, more) = bytewise::rows(read, &bytewise::sql(read, LIST, shown.filter()), &wanted).await?;
    let next = found.last().filter(|_| more).map(|row| row.try_get("", "normalized")).transpose()?;
    let mut lines = Vec::with_capacity(found.len());
    for row in found {
        let id: ProjectId = row.try_get("", "id")?;
        let on = read.rows(ON_THE_WHOLE, vec![Value::from(id)]).await?;
        let locks = on.iter().map(|row| row.try_get("", "kind")).collect::<Result<_, _>>()?;
        let (name, normalized) = (row.try_get("", "name")?, row.try_get("", "normalized")?);
        lines.push(Line { name, normalized, created_at: row.try_get("", "created_at")?, locks });
    }
    Ok(Page { lines, total, next })
}

/// As far as a beginning can be normalized: in lower case, each run of dots, dashes and underscores one dash.
fn normalized(begins: &str) -> String {
    let mut out = String::new();
    for c in begins.trim().chars() {
        match c {
            '.' | '-' | '_' if out.ends_with('-') => {}
            '.' | '-' | '_' => out.push('-'),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// The project of this name, hidden or not.
pub(super) async fn named<R: Reading>(read: &R, name: &str) -> Result<ProjectId, Refused> {
    let name = ProjectName::parse(name).map_err(|_| Denied::Hidden)?;
    Ok(roles::by_name(read, name.normalized().as_str()).await?.ok_or(Denied::Hidden)?.id)
}

/// The project that the operator named, hidden or not.
///
/// # Errors
/// `Hidden` when there is none.
pub async fn find<R: Reading>(read: &R, _permit: &Permit<InspectCases>, name: &str) -> Result<ProjectId, Refused> {
    named(read, name).await
}

/// Somebody with a role.
#[derive(Clone, Debug)]
pub struct Person {
    /// The user name.
    pub username: String,
    /// Owner, Maintainer.
    pub role: String,
    /// Since when.
    pub since: Time,
}

/// What staff see of a project.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The project.
    pub project: rows::Model,
    /// Who holds a role on it, at most 100.
    pub people: Vec<Person>,
    /// What is on it and its parts, what is on the whole of it first: at most `STOPS_MOST`.
    pub stops: Vec<Stop>,
    /// How much there is.
    pub stops_total: u64,
    /// How many releases it has.
    pub releases: u64,
    /// How many files.
    pub files: u64,
    /// Whether who looks holds a role on it.
    pub own: bool,
}

const PEOPLE: &str = "SELECT a.username AS username, r.role AS role, r.from_at AS from_at FROM roles r JOIN accounts a ON a.id = r.account_id \
    WHERE r.project_id = $1 AND r.until_at IS NULL ORDER BY r.role DESC, a.username_folded LIMIT 100";
/// How much of what is on a project is shown: each file of thousands may have a lock of its own.
pub const STOPS_MOST: i64 = 100;
const STOPS: &str = "SELECT l.kind AS kind, l.reason AS reason, l.from_at AS from_at, l.case_id AS case_id, l.began_by AS began_by, \
    CASE WHEN l.file_id IS NOT NULL THEN 2 WHEN l.release_id IS NOT NULL THEN 1 ELSE 0 END AS part, \
    e.actor AS actor, e.credential AS credential, a.username AS username FROM project_locks l LEFT JOIN events e ON e.id = l.began_by \
    LEFT JOIN accounts a ON a.id = e.actor_account_id WHERE l.project_id = $1 AND l.until_at IS NULL ORDER BY part, l.id LIMIT $2";
const ON_IT: &str = "SELECT COUNT(*) AS n FROM project_locks WHERE project_id = $1 AND until_at IS NULL";
const RELEASES: &str = "SELECT COUNT(*) AS n FROM releases WHERE project_id = $1 AND until_at IS NULL";
const FILES: &str = "SELECT COUNT(*) AS n FROM files WHERE project_id = $1 AND until_at IS NULL";

/// A project, with what is on it.
///
/// # Errors
/// `Hidden` when there is none of this name.
pub async fn detail<R: Reading>(read: &R, permit: &Permit<SeeAsStaff>, name: &str) -> Result<(ProjectId, Detail), Refused> {
    let id = named(read, name).await?;
    let project = rows::Entity::find_by_id(id).one(read.connection()).await?.ok_or(Denied::Hidden)?;
    let mut people = Vec::new();
    for row in read.rows(PEOPLE, vec![Value::from(id)]).await? {
        people.push(Person { username: row.try_get("", "username")?, role: row.try_get("", "role")?, since: row.try_get("", "from_at")? });
    }
    let mut stops = Vec::new();
    for row in read.rows(STOPS, vec![Value::from(id), Value::from(STOPS_MOST)]).await? {
        stops.push(stop(&row, on_what(&row)?, LockKind::Quarantined.wire())?);
    }
    let (releases, files) = (count(read, RELEASES, id).await?, count(read, FILES, id).await?);
    let stops_total = count(read, ON_IT, id).await?;
    Ok((id, Detail { project, people, stops, stops_total, releases, files, own: is_own(read, permit, id).await? }))
}

async fn count<R: Reading>(read: &R, sql: &str, project: ProjectId) -> Result<u64, Refused> {
    let row = read.row(sql, vec![Value::from(project)]).await?;
    let n: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(n).unwrap_or(0))
}

fn on_what(row: &QueryResult) -> Result<&'static str, Refused> {
    Ok(match row.try_get::<i32>("", "part")? {
        0 => "the whole project",
        1 => "one release",
        _ => "one file",
    })
}

/// Whether who acts holds a role on the project.
async fn is_own<A: Action, R: Reading>(read: &R, permit: &Permit<A>, project: ProjectId) -> Result<bool, Refused> {
    let Some(account) = permit.actor().account() else { return Ok(false) };
    Ok(roles::held(read, project, account).await?.iter().any(|role| matches!(role, Role::Owner | Role::Maintainer)))
}

async fn name<R: Reading>(read: &R, project: ProjectId) -> Result<String, Refused> {
    Ok(rows::Entity::find_by_id(project).one(read.connection()).await?.ok_or(Denied::Hidden)?.name)
}

/// Hides a project, in a case; one more cause where it is hidden already.
///
/// # Errors
/// `Invalid` for the reason or the case.
pub async fn quarantine<A>(env: &Env, tx: &mut Tx, permit: &Permit<A>, reason: &str, case: Option<CaseId>) -> Result<Done, Refused>
where
    A: Action,
    A::On: Copy + Into<ProjectId>,
{
    let (project, reason): (ProjectId, _) = ((*permit.on()).into(), check_reason(reason)?);
    let opened =
        Opened { why: format!("{} was put into quarantine: {reason}", name(tx, project).await?), account: None, project: Some(project) };
    let case = join(env, tx, permit, case, opened).await?;
    let already = locks::open(tx, Locked::Project(project), LockKind::Quarantined).await?.is_some();
    let lock = NewLock { on: Locked::Project(project), kind: LockKind::Quarantined, reason: reason.to_owned(), case: Some(case) };
    locks::add(env, tx, permit, lock).await?;
    let event = ProjectQuarantined { reason: reason.to_owned(), already };
    let batch = events::record(env, tx, permit, Entry::of(event).on_project(project).in_case(case)).await?;
    cases::enter(env, tx, NewEntry { project: Some(project), ..NewEntry::of(case, Did::Quarantine, reason, batch) }).await?;
    Ok(Done { case, batch, already, paused: false })
}

const BY_OPERATOR: &str = "SELECT 1 AS one FROM events WHERE id = $1 AND credential = 'operator'";

/// Ends the quarantines of one case, or of one act of it; other locks stay (R13).
///
/// # Errors
/// `OwnAffair` for whoever holds a role on the project; `Invalid` for the reason, or when there is nothing to end.
pub async fn release<A>(env: &Env, tx: &mut Tx, permit: &Permit<A>, which: Which, reason: &str) -> Result<Undone, Refused>
where
    A: Action,
    A::On: Copy + Into<ProjectId>,
{
    let (project, reason): (ProjectId, _) = ((*permit.on()).into(), check_reason(reason)?);
    if is_own(tx, permit, project).await? {
        return Err(Denied::OwnAffair.into());
    }
    check_case(tx, which.case).await?;
    let by_staff = A::NAME == ReleaseAsStaff::NAME;
    let mut causes = 0;
    for lock in locks::of_project(tx, project).await? {
        let meant = lock.kind == LockKind::Quarantined.wire()
            && lock.case_id == Some(which.case)
            && which.act.is_none_or(|act| act == lock.began_by);
        let operators = by_staff && meant && tx.row(BY_OPERATOR, vec![Value::from(lock.began_by)]).await?.is_some();
        if meant && !operators && locks::lift(tx, &lock, permit.event()).await? {
            causes += 1;
        }
    }
    if causes == 0 {
        let message = if by_staff { STAFF_ONLY } else { "Nothing of this case holds the project in quarantine." };
        return Err(Invalid::new("", message).into());
    }
    let event = ProjectReleased { reason: reason.to_owned(), causes };
    let batch = events::record(env, tx, permit, Entry::of(event).on_project(project).in_case(which.case)).await?;
    cases::enter(env, tx, NewEntry { project: Some(project), ..NewEntry::of(which.case, Did::Release, reason, batch) }).await?;
    Ok(Undone { case: which.case, batch, causes })
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn a_beginning_is_normalized_as_far_as_it_goes() {
        for (typed, seen) in [("Spam", "spam"), ("spam_", "spam-"), ("a..B", "a-b"), ("  x", "x"), ("", "")] {
            assert_eq!(normalized(typed), seen);
        }
    }
}
