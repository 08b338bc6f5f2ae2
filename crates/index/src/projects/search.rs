//! Finding projects by words: full text on both engines, prefixes of words, the exact name first. What lists show of a project
//! (its newest release) is written here too, with every change of its releases.

use formats::{CoreMetadata, ProjectName};
use sea_orm::Value;

pub use super::line::Line;
use super::line::plain;
use super::show::{self, ReleaseLine};
use crate::db::{Engine, Reading, Tx};
use crate::ids::{ProjectId, ReleaseId};
use crate::refused::Refused;

/// How many projects a page of results holds.
pub const PAGE: usize = 20;
/// How many words of a query count.
const WORDS_MOST: usize = 12;
/// How many letters of a word count.
const LETTERS_MOST: usize = 64;

const PROJECT: &str = "SELECT name, normalized FROM projects WHERE id = $1";
const METADATA: &str = "SELECT metadata FROM releases WHERE id = $1";
const LINE: &str = "INSERT INTO project_lines (project_id, version, summary, released_at) VALUES ($1, $2, $3, $4) \
                    ON CONFLICT (project_id) DO UPDATE SET version = excluded.version, summary = excluded.summary, \
                    released_at = excluded.released_at RETURNING line";
const NO_LINE: &str = "DELETE FROM project_lines WHERE project_id = $1 RETURNING line";
// The full-text table of SQLite is only found by its row number.
const FORGET_SQLITE: &str = "DELETE FROM search_index WHERE rowid = $1";
const INSERT_SQLITE: &str = "INSERT INTO search_index (rowid, project, name, summary, keywords) VALUES ($1, $2, $3, $4, $5)";
const FORGET_POSTGRES: &str = "DELETE FROM search_index WHERE project = $1";
const INSERT_POSTGRES: &str = "INSERT INTO search_index (project, name, summary, keywords) VALUES ($1, $2, $3, $4)";

const COUNT_SQLITE: &str = "SELECT COUNT(*) AS total FROM search_index WHERE search_index MATCH $1";
const SEARCH_SQLITE: &str = "WITH found AS MATERIALIZED (SELECT project, bm25(search_index, 0.0, 10.0, 1.0, 5.0) AS weight \
                             FROM search_index WHERE search_index MATCH $1), \
                             ranked AS (SELECT project, CASE WHEN project = $2 THEN -1000000.0 ELSE weight END AS place FROM found) \
                             SELECT p.name, p.normalized, l.version, l.summary, l.released_at, r.place FROM ranked r \
                             JOIN shown_projects p ON p.normalized = r.project LEFT JOIN project_lines l ON l.project_id = p.id \
                             WHERE r.place > $3 OR (r.place = $3 AND r.project > $4) ORDER BY r.place, r.project LIMIT 21";
const COUNT_POSTGRES: &str =
    "SELECT COUNT(*) AS total FROM search_index WHERE document @@ (to_tsquery('simple', $1) || to_tsquery('english', $1))";
const SEARCH_POSTGRES: &str = "WITH asked AS (SELECT to_tsquery('simple', $1) || to_tsquery('english', $1) AS query), \
                               ranked AS (SELECT s.project, CASE WHEN s.project = $2 THEN -1000000.0::float8 \
                               ELSE -ts_rank(s.document, a.query)::float8 END AS place \
                               FROM search_index s, asked a WHERE s.document @@ a.query) \
                               SELECT p.name, p.normalized, l.version, l.summary, l.released_at, r.place FROM ranked r \
                               JOIN shown_projects p ON p.normalized = r.project LEFT JOIN project_lines l ON l.project_id = p.id \
                               WHERE r.place > $3 OR (r.place = $3 AND r.project > $4) ORDER BY r.place, r.project LIMIT 21";
const COUNT_ALL: &str = "SELECT COUNT(*) AS total FROM shown_projects";
const ALL: &str = "SELECT p.name, p.normalized, l.version, l.summary, l.released_at FROM shown_projects p \
                   LEFT JOIN project_lines l ON l.project_id = p.id WHERE p.normalized > $1 ORDER BY p.normalized LIMIT 21";

/// A page of results.
#[derive(Clone, Debug)]
pub struct Found {
    /// How many projects match.
    pub total: u64,
    /// This page of them, best first.
    pub lines: Vec<Line>,
    /// What to ask the next page with.
    pub next: Option<String>,
}

/// Writes anew what searches and lists know of a project, from its newest release. Part of every change of releases.
///
/// # Errors
/// The database.
pub async fn index_project(tx: &Tx, project: ProjectId) -> Result<(), Refused> {
    let Some(row) = tx.row(PROJECT, vec![Value::from(project)]).await? else { return Ok(()) };
    let (name, normalized): (String, String) = (row.try_get("", "name")?, row.try_get("", "normalized")?);
    let releases = show::releases(tx, project).await?;
    let Some(newest) = show::newest(&releases) else {
        if let Some(row) = tx.row(NO_LINE, vec![Value::from(project)]).await? {
            forget(tx, row.try_get("", "line")?, &normalized).await?;
        }
        return Ok(());
    };
    let metadata = metadata(tx, newest.id).await?;
    let summary = metadata.summary.unwrap_or_default();
    let line = write_line(tx, project, newest, &summary).await?;
    forget(tx, line, &normalized).await?;
    let mut values: Vec<Value> = [normalized, name, summary, metadata.keywords.unwrap_or_default()].map(without_nul).to_vec();
    match tx.engine() {
        Engine::Sqlite => {
            values.insert(0, Value::from(line));
            tx.execute(INSERT_SQLITE, values).await?;
        }
        Engine::Postgres => {
            tx.execute(INSERT_POSTGRES, values).await?;
        }
    }
    Ok(())
}

/// PostgreSQL holds no NUL in text.
fn without_nul(text: String) -> Value {
    Value::from(text.replace('\0', " "))
}

async fn metadata(tx: &Tx, release: ReleaseId) -> Result<CoreMetadata, Refused> {
    let row = tx.row(METADATA, vec![Value::from(release)]).await?;
    let json: Option<String> = row.map(|row| row.try_get("", "metadata")).transpose()?;
    Ok(json.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default())
}

async fn write_line(tx: &Tx, project: ProjectId, newest: &ReleaseLine, summary: &str) -> Result<i64, Refused> {
    let values =
        vec![Value::from(project), Value::from(newest.version.as_str()), without_nul(summary.to_owned()), Value::from(newest.created_at)];
    let row = tx.row(LINE, values).await?.ok_or_else(|| anyhow::anyhow!("a line was written and not given back"))?;
    Ok(row.try_get("", "line")?)
}

async fn forget(tx: &Tx, line: i64, normalized: &str) -> Result<(), Refused> {
    match tx.engine() {
        Engine::Sqlite => tx.execute(FORGET_SQLITE, vec![Value::from(line)]).await?,
        Engine::Postgres => tx.execute(FORGET_POSTGRES, vec![Value::from(normalized)]).await?,
    };
    Ok(())
}

/// All projects by name, the page after the one that ended at `after`.
///
/// # Errors
/// The database.
pub async fn all<R: Reading>(read: &R, after: Option<&str>) -> Result<Found, Refused> {
    let total = count(read, COUNT_ALL, vec![]).await?;
    let rows = read.rows(ALL, vec![Value::from(plain(after.unwrap_or_default()))]).await?;
    let mut lines: Vec<Line> = rows.iter().map(Line::read).collect::<Result<_, _>>()?;
    let more = lines.len() > PAGE;
    lines.truncate(PAGE);
    let next = more.then(|| lines.last().map(|line| line.normalized.clone())).flatten();
    Ok(Found { total, lines, next })
}

/// The projects that have all words of a query, or words that begin so. Nothing in a query is syntax.
///
/// # Errors
/// The database.
pub async fn search<R: Reading>(read: &R, query: &str, after: Option<&str>) -> Result<Found, Refused> {
    let Some(text) = expression(query, read.engine()) else { return Ok(Found { total: 0, lines: Vec::new(), next: None }) };
    let (counting, searching) = match read.engine() {
        Engine::Sqlite => (COUNT_SQLITE, SEARCH_SQLITE),
        Engine::Postgres => (COUNT_POSTGRES, SEARCH_POSTGRES),
    };
    let exact = ProjectName::parse(query.trim()).map(|name| name.normalized().as_str().to_owned()).unwrap_or_default();
    let (place, name) = after.and_then(read_key).unwrap_or((f64::MIN, String::new()));
    let total = count(read, counting, vec![Value::from(text.as_str())]).await?;
    let rows = read.rows(searching, vec![Value::from(text), Value::from(exact), Value::from(place), Value::from(name)]).await?;
    let lines: Vec<Line> = rows.iter().take(PAGE).map(Line::read).collect::<Result<_, _>>()?;
    let next = match rows.get(PAGE - 1).filter(|_| rows.len() > PAGE) {
        Some(row) => Some(format!("{}~{}", row.try_get::<f64>("", "place")?, row.try_get::<String>("", "normalized")?)),
        None => None,
    };
    Ok(Found { total, lines, next })
}

async fn count<R: Reading>(read: &R, sql: &str, values: Vec<Value>) -> Result<u64, Refused> {
    let row = read.row(sql, values).await?;
    let total: Option<i64> = row.map(|row| row.try_get("", "total")).transpose()?;
    Ok(u64::try_from(total.unwrap_or(0)).unwrap_or(0))
}

fn read_key(key: &str) -> Option<(f64, String)> {
    let (place, name) = key.split_once('~')?;
    let place: f64 = place.parse().ok()?;
    place.is_finite().then(|| (place, plain(name)))
}

/// The query in the engine's language: quoted words alone, each as a prefix. `None` when it has no word.
fn expression(query: &str, engine: Engine) -> Option<String> {
    let words = query.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(WORDS_MOST);
    let words: Vec<String> = words
        .map(|word| {
            let word: String = word.chars().take(LETTERS_MOST).collect();
            match engine {
                Engine::Sqlite => format!("\"{word}\"*"),
                Engine::Postgres => format!("'{word}':*"),
            }
        })
        .collect();
    let and = if engine == Engine::Sqlite { " AND " } else { " & " };
    (!words.is_empty()).then(|| words.join(and))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_query_is_syntax() {
        assert_eq!(expression("a\"b OR c*:(d) NEAR", Engine::Sqlite).unwrap(), r#""a"* AND "b"* AND "OR"* AND "c"* AND "d"* AND "NEAR"*"#);
        assert_eq!(expression("a'b & !c \\ <-> d", Engine::Postgres).unwrap(), "'a':* & 'b':* & 'c':* & 'd':*");
        for empty in ["", " ", "\"*\":", "\0", "----", "''''"] {
            assert_eq!(expression(empty, Engine::Sqlite), None, "{empty:?}");
        }
    }

    #[test]
    fn a_long_query_is_cut() {
        let words = expression(&"word ".repeat(2000), Engine::Sqlite).unwrap();
        assert_eq!(words.matches("word").count(), WORDS_MOST);
        assert!(expression(&"x".repeat(10_000), Engine::Postgres).unwrap().len() < 100);
    }

    #[test]
    fn a_key_that_does_not_read_begins_anew() {
        assert_eq!(read_key("-1.5~spam"), Some((-1.5, "spam".to_owned())));
        for wrong in ["", "~", "NaN~x", "inf~x", "x~y", "spam"] {
            assert_eq!(read_key(wrong), None, "{wrong:?}");
        }
    }
}
