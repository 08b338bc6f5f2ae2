//! Searching the trail: filters, pages by key, and rows as the export writes them. Networks and agents are in them: for staff and the
//! operator alone (R27).

use std::collections::HashMap;

use ipnet::IpNet;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::accounts::history::sentence;
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::{accounts, events, projects};
use crate::env::Env;
use crate::events::reading::{self, Part};
use crate::events::{Kind, Private, open_all};
use crate::ids::{AccountId, CaseId, EventId, ProjectId};
use crate::policy::{Action, Permit, ReadTrail, SeeEvents};
use crate::refused::{Invalid, Refused};

/// How many rows stand on a page.
pub const PAGE: usize = 50;
/// How many rows are read at once where each must be opened to be judged.
const CHUNK: usize = 500;
/// How many rows one page looks at before it offers to go on: a network that never was here must not keep a page waiting.
const LOOKED_MOST: usize = 10_000;

/// An action that may see every row, networks and agents included.
pub trait ReadsTrail: Action {}
impl ReadsTrail for SeeEvents {}
impl ReadsTrail for ReadTrail {}

/// What is looked for, as it was typed; empty fields look for everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A user name or an account's id: it acted, or it is about it.
    pub account: String,
    /// A project's name.
    pub project: String,
    /// A kind of event; with `*` at its end, every kind that begins so.
    pub kind: String,
    /// A kind of credential, or the id of one.
    pub credential: String,
    /// The number of a case.
    pub case: String,
    /// An address or a network.
    pub network: String,
    /// From this moment on.
    pub since: String,
    /// Before this moment.
    pub until: String,
}

impl Filter {
    /// What can stand in no name, kind or moment is never handed to the database (PostgreSQL takes no NUL).
    fn check_plain(&self) -> Result<(), Invalid> {
        let Self { account, project, kind, credential, case, network, since, until } = self;
        let fields = [
            ("account", account),
            ("project", project),
            ("kind", kind),
            ("credential", credential),
            ("case", case),
            ("network", network),
            ("since", since),
            ("until", until),
        ];
        match fields.into_iter().find(|(_, typed)| typed.trim().chars().any(char::is_control)) {
            Some((field, _)) => Err(Invalid::new(field, "It holds characters that cannot be written: type it anew.")),
            None => Ok(()),
        }
    }
}

/// A filter whose fields were understood.
#[derive(Clone, Debug)]
pub struct Understood {
    rows: Condition,
    /// It acted, or the row is about it.
    account: Option<AccountId>,
    network: Option<IpNet>,
}

/// A row of the trail, as the export writes it.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its place.
    pub seq: i64,
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub at: Time,
    /// The kind.
    pub kind: String,
    /// The user name of the account that it is about.
    pub account: Option<String>,
    /// Who did it: a user name, `nobody`, `operator:NAME`, `worker:JOB`.
    pub actor: String,
    /// What it was done to.
    pub subject: serde_json::Value,
    /// With what kind of credential; of a login, its strongest factor.
    pub credential: String,
    /// Which one: a session, a token, a link.
    pub credential_id: Option<Uuid>,
    /// From which network address; nothing when it was erased.
    pub ip: Option<String>,
    /// The client.
    pub agent: Option<String>,
    /// The fields of the event.
    pub detail: serde_json::Value,
    /// The id of the event.
    pub id: EventId,
    /// The id of the request.
    pub request: String,
    /// What happened, in plain words.
    #[serde(skip)]
    pub sentence: String,
    /// The normalized name of the project.
    #[serde(skip)]
    pub project: Option<String>,
    /// Whether an account acted: then `actor` is its user name.
    #[serde(skip)]
    pub by_account: bool,
}

fn rfc3339<S: serde::Serializer>(at: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.rfc3339())
}

/// Some rows, and where to go on.
#[derive(Clone, Debug)]
pub struct Page {
    /// The rows.
    pub lines: Vec<Line>,
    /// The place where the next page begins; nothing when there is none.
    pub next: Option<i64>,
}

/// Understands a filter.
///
/// # Errors
/// `Invalid` with the field that names nothing or cannot be read; the database.
pub async fn read_filter<R: Reading, A: ReadsTrail>(read: &R, _permit: &Permit<A>, filter: &Filter) -> Result<Understood, Refused> {
    filter.check_plain()?;
    let mut rows = Condition::all();
    let concerned = match given(&filter.account) {
        Some(typed) => Some(account(read, typed).await?),
        None => None,
    };
    if let Some(typed) = given(&filter.project) {
        rows = rows.add(events::Column::ProjectId.eq(project(read, typed).await?));
    }
    if let Some(typed) = given(&filter.kind) {
        rows = rows.add(kinds(typed)?);
    }
    if let Some(typed) = given(&filter.credential) {
        rows = rows.add(match Uuid::parse_str(typed) {
            Ok(id) => events::Column::CredentialId.eq(id),
            Err(_) => events::Column::Credential.eq(typed),
        });
    }
    if let Some(typed) = given(&filter.case) {
        let case = CaseId::parse(typed).ok_or_else(|| Invalid::new("case", format!("`{typed}` is no number of a case.")))?;
        rows = rows.add(events::Column::CaseId.eq(case));
    }
    if let Some(typed) = given(&filter.since) {
        rows = rows.add(events::Column::At.gte(moment("since", typed)?));
    }
    if let Some(typed) = given(&filter.until) {
        rows = rows.add(events::Column::At.lt(moment("until", typed)?));
    }
    let network = given(&filter.network).map(network).transpose()?;
    Ok(Understood { rows, account: concerned, network })
}

fn given(typed: &str) -> Option<&str> {
    Some(typed.trim()).filter(|typed| !typed.is_empty())
}

async fn account<R: Reading>(read: &R, typed: &str) -> Result<AccountId, Refused> {
    let is = match AccountId::parse(typed) {
        Some(id) => accounts::Column::Id.eq(id),
        None => accounts::Column::UsernameFolded.eq(crate::accounts::names::folded(typed)),
    };
    let found = accounts::Entity::find().filter(is).one(read.connection()).await?;
    Ok(found.ok_or_else(|| Invalid::new("account", format!("No account has the user name or id `{typed}`.")))?.id)
}

async fn project<R: Reading>(read: &R, typed: &str) -> Result<ProjectId, Refused> {
    let name = formats::name::ProjectName::parse(typed).map(|name| name.normalized().as_str().to_owned()).unwrap_or_default();
    let found = projects::Entity::find().filter(projects::Column::Normalized.eq(name)).one(read.connection()).await?;
    Ok(found.ok_or_else(|| Invalid::new("project", format!("No project has the name `{typed}`.")))?.id)
}

fn kinds(typed: &str) -> Result<Condition, Invalid> {
    let (begin, many) = typed.strip_suffix('*').map_or((typed, false), |begin| (begin, true));
    let wires = Kind::ALL.iter().map(|kind| kind.wire()).filter(|wire| if many { wire.starts_with(begin) } else { *wire == begin });
    let wires: Vec<&str> = wires.collect();
    if wires.is_empty() {
        return Err(Invalid::new("kind", format!("No event is of the kind `{typed}`. `strongroom tables events` lists them all.")));
    }
    Ok(Condition::all().add(events::Column::Kind.is_in(wires)))
}

fn network(typed: &str) -> Result<IpNet, Invalid> {
    let read = typed.parse().or_else(|_| typed.parse::<std::net::IpAddr>().map(IpNet::from));
    read.map_err(|_| Invalid::new("network", format!("`{typed}` is no network: write an address, or one as in 192.0.2.0/24.")))
}

/// A moment as RFC 3339 has it; a date is its midnight, and without a zone it is UTC.
fn moment(field: &'static str, typed: &str) -> Result<Time, Invalid> {
    let wrong = || Invalid::new(field, format!("`{typed}` is no moment: write 2026-11-28, or 2026-11-28T06:20:00Z."));
    let whole = match typed.len() {
        10 => format!("{typed}T00:00:00Z"),
        16 => format!("{typed}:00Z"),
        19 => format!("{typed}Z"),
        _ => typed.replace(' ', "T"),
    };
    let read = time::OffsetDateTime::parse(&whole, &time::format_description::well_known::Rfc3339).map_err(|_| wrong())?;
    i64::try_from(read.unix_timestamp_nanos() / 1000).map(Time).map_err(|_| wrong())
}

/// One page, newest first: rows before a place.
///
/// # Errors
/// The database.
pub async fn page<R: Reading, A: ReadsTrail>(
    env: &Env,
    read: &R,
    permit: &Permit<A>,
    (filter, before): (&Understood, Option<i64>),
) -> Result<Page, Refused> {
    let mut page = Page { lines: Vec::new(), next: Some(before.unwrap_or(i64::MAX)) };
    let mut looked = 0;
    while let Some(before) = page.next.filter(|_| page.lines.len() < PAGE && looked < LOOKED_MOST) {
        let want = PAGE - page.lines.len();
        let most = if filter.network.is_some() { CHUNK } else { want + 1 };
        let some = search(env, read, permit, (filter, Part::Before(before), most)).await?;
        looked += some.looked;
        let more = some.lines.len() > want;
        page.lines.extend(some.lines.into_iter().take(want));
        page.next = if more { page.lines.last().map(|line| line.seq) } else { some.last.filter(|_| some.looked == most) };
    }
    Ok(page)
}

/// Some rows after a place, oldest first, for the export; it goes on at `next` until there is none.
///
/// # Errors
/// The database.
pub async fn export<R: Reading, A: ReadsTrail>(
    env: &Env,
    read: &R,
    permit: &Permit<A>,
    (filter, after): (&Understood, i64),
) -> Result<Page, Refused> {
    let some = search(env, read, permit, (filter, Part::After(after), CHUNK)).await?;
    Ok(Page { lines: some.lines, next: some.last.filter(|_| some.looked == CHUNK) })
}

/// What a look at some rows found.
struct Looked {
    lines: Vec<Line>,
    looked: usize,
    last: Option<i64>,
}

/// Looks at so many rows of a part of the trail.
async fn search<R: Reading, A: ReadsTrail>(
    env: &Env,
    read: &R,
    _permit: &Permit<A>,
    (filter, part, most): (&Understood, Part, usize),
) -> Result<Looked, Refused> {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let found = reading::some(read, &filter.rows, filter.account, (part, most)).await?;
    let (looked, last) = (found.len(), found.last().map(|row| row.seq));
    let mut lines = lines(env, read, found).await?;
    if let Some(network) = filter.network {
        let inside = |ip: &String| ip.parse::<std::net::IpAddr>().is_ok_and(|ip| network.contains(&ip.to_canonical()));
        lines.retain(|line| line.ip.as_ref().is_some_and(inside));
    }
    Ok(Looked { lines, looked, last })
}

/// Rows with their names and personal parts.
pub(super) async fn lines<R: Reading>(env: &Env, read: &R, rows: Vec<events::Model>) -> Result<Vec<Line>, Refused> {
    let mut private = open_all(env, read, rows.iter().map(|row| row.id).collect()).await?;
    let accounts = usernames(read, rows.iter().flat_map(|row| [row.account_id, row.actor_account_id]).flatten().collect()).await?;
    let projects = project_names(read, rows.iter().filter_map(|row| row.project_id).collect()).await?;
    let line = |row: events::Model| {
        let private = private.remove(&row.id).unwrap_or_default();
        line(row, private, (&accounts, &projects))
    };
    Ok(rows.into_iter().map(line).collect())
}

fn line(row: events::Model, private: Private, (accounts, projects): (&HashMap<AccountId, String>, &HashMap<ProjectId, String>)) -> Line {
    // Rows outlive what they describe: what has no name any more is named by its id.
    let named = |id: AccountId| accounts.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let project = row.project_id.map(|id| projects.get(&id).cloned().unwrap_or_else(|| id.to_string()));
    let detail: serde_json::Value = serde_json::from_str(&row.detail).unwrap_or_default();
    let factor = detail["factor"].as_str().filter(|_| row.kind.starts_with("account:login:")).map(str::to_owned);
    Line {
        seq: row.seq,
        at: row.at,
        account: row.account_id.map(named),
        actor: row.actor_account_id.map_or(row.actor, named),
        by_account: row.actor_account_id.is_some(),
        subject: match (&project, row.case_id) {
            (None, None) => json!({}),
            (Some(project), None) => json!({ "project": project }),
            (None, Some(case)) => json!({ "case": case }),
            (Some(project), Some(case)) => json!({ "project": project, "case": case }),
        },
        project,
        credential: factor.unwrap_or(row.credential),
        credential_id: row.credential_id,
        ip: private.network,
        agent: private.agent,
        sentence: Kind::from_wire(&row.kind).map_or_else(|| row.kind.clone(), |kind| sentence(kind, &row.detail)),
        kind: row.kind,
        detail,
        id: row.id,
        request: row.request_id,
    }
}

async fn usernames<R: Reading>(read: &R, ids: Vec<AccountId>) -> Result<HashMap<AccountId, String>, Refused> {
    let rows = accounts::Entity::find().filter(accounts::Column::Id.is_in(ids)).all(read.connection()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.username)).collect())
}

async fn project_names<R: Reading>(read: &R, ids: Vec<ProjectId>) -> Result<HashMap<ProjectId, String>, Refused> {
    let rows = projects::Entity::find().filter(projects::Column::Id.is_in(ids)).all(read.connection()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.normalized)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        for typed in ["2026-11-28", "2026-11-28T00:00", "2026-11-28T00:00:00", "2026-11-28T00:00:00Z", "2026-11-28T01:00:00+01:00"] {
            assert_eq!(moment("since", typed).unwrap().rfc3339(), "2026-11-28T00:00:00Z", "{typed}");
        }
        for typed in ["yesterday", "2026-13-01", "28.11.2026", "20261128", "2026-11-28T24:61"] {
            assert!(moment("since", typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_kind_that_does_not_exist_is_refused_and_a_beginning_stands_for_all_that_begin_so() {
        assert!(kinds("account:login:success").is_ok() && kinds("account:login:*").is_ok());
        assert!(kinds("account:login").is_err() && kinds("no:*").is_err());
    }
}
