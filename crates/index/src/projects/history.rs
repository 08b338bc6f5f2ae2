//! What happened to a project, for its owners and maintainers: who and what. Networks and agents are never here (R27).

use sea_orm::Value;

use super::roles::by_name;
use crate::accounts::history::sentence;
use crate::clock::Time;
use crate::db::Reading;
use crate::events::Kind;
use crate::policy::{Denied, Permit, SeeProject};
use crate::refused::Refused;

/// How many events stand on a page.
pub const PAGE: usize = 50;

/// An event in plain words.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the trail.
    pub seq: i64,
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub sentence: String,
    /// The user name of who did it, where it was an account.
    pub username: Option<String>,
    /// What acted where no account did: the operator, a job, the link of a mail.
    pub actor: String,
    /// The user name of whom it is about, where that is somebody else.
    pub about: Option<String>,
}

/// One page, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events.
    pub lines: Vec<Line>,
    /// Where the next page begins: events before this one.
    pub before: Option<i64>,
}

const EVENTS: &str = "SELECT e.seq AS seq, e.at AS at, e.kind AS kind, e.detail AS detail, e.actor AS actor, \
    a.username AS username, b.username AS about FROM events e LEFT JOIN accounts a ON a.id = e.actor_account_id \
    LEFT JOIN accounts b ON b.id = e.account_id AND (e.actor_account_id IS NULL OR b.id <> e.actor_account_id) \
    WHERE e.project_id = $1 AND e.seq < $2 ORDER BY e.seq DESC LIMIT $3";

/// Reads one page.
///
/// # Errors
/// The database.
pub async fn page<R: Reading>(read: &R, permit: &Permit<SeeProject>, before: Option<i64>) -> Result<Page, Refused> {
    let project = by_name(read, permit.on().0.normalized().as_str()).await?.ok_or(Denied::Hidden)?;
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let values = vec![Value::from(project.id), Value::from(before.unwrap_or(i64::MAX)), Value::from(most)];
    let mut rows = read.rows(EVENTS, values).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let (kind, detail): (String, String) = (row.try_get("", "kind")?, row.try_get("", "detail")?);
        lines.push(Line {
            seq: row.try_get("", "seq")?,
            at: row.try_get("", "at")?,
            sentence: Kind::from_wire(&kind).map_or_else(|| kind.clone(), |kind| sentence(kind, &detail)),
            username: row.try_get("", "username")?,
            actor: actor(&row.try_get::<String>("", "actor")?),
            about: row.try_get("", "about")?,
        });
    }
    Ok(Page { before: lines.last().filter(|_| more).map(|line| line.seq), lines })
}

/// Who acts where no account does.
fn actor(wire: &str) -> String {
    match wire.split_once(':') {
        Some(("operator", name)) => format!("the operator {name}"),
        Some(_) => "the index itself".to_owned(),
        None => "the link of a mail".to_owned(),
    }
}
