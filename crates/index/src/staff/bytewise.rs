//! Lists by name: found by its beginning, paged by the name itself, compared byte for byte on both engines.

use sea_orm::Value;

use crate::db::{Engine, Reading};
use crate::refused::Refused;

/// How many lines stand on a page.
pub const PAGE: usize = 50;

/// A page of a list, and how many there are in all.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The lines.
    pub lines: Vec<T>,
    /// How many the filter finds.
    pub total: u64,
    /// The key of the next page.
    pub next: Option<String>,
}

/// Which names, and where the page begins.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// How they begin, folded as the column is.
    pub begins: String,
    /// After which key.
    pub after: String,
}

impl Wanted {
    /// As they were typed: what no name can hold is left out, and never handed to the database (PostgreSQL takes no NUL).
    pub(super) fn new(begins: &str, after: &str) -> Self {
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect();
        Self { begins: plain(begins), after: plain(after) }
    }

    /// Beginning, the first text behind all that begin so, and the key after which the page begins.
    fn values(&self) -> [Value; 3] {
        [Value::from(self.begins.as_str()), Value::from(format!("{}\u{10ffff}", self.begins)), Value::from(self.after.as_str())]
    }
}

/// How the engine compares bytes.
const fn compared(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "",
        Engine::Postgres => " COLLATE \"C\"",
    }
}

/// Fills in how the engine compares: `{c}` stands behind each name that is compared or ordered by.
pub(super) fn sql<R: Reading>(read: &R, template: &str, filter: &str) -> String {
    template.replace("{filter}", filter).replace("{c}", compared(read.engine()))
}

/// Counts what a statement finds that takes beginning, end and key.
pub(super) async fn count<R: Reading>(read: &R, sql: &str, wanted: &Wanted) -> Result<u64, Refused> {
    let [from, to, _] = wanted.values();
    let row = read.row(sql, vec![from, to]).await?;
    let n: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(n).unwrap_or(0))
}

/// The rows of one page, and whether more follow.
pub(super) async fn rows<R: Reading>(read: &R, sql: &str, wanted: &Wanted) -> Result<(Vec<sea_orm::QueryResult>, bool), Refused> {
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let [from, to, after] = wanted.values();
    let mut rows = read.rows(sql, vec![from, to, after, Value::from(most)]).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    Ok((rows, more))
}
