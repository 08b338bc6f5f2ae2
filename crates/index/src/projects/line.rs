//! A project as lists show it: its name and its newest release.

use sea_orm::QueryResult;

use crate::clock::Time;
use crate::refused::Refused;

/// What lists show of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its display name.
    pub name: String,
    /// Its normalized name.
    pub normalized: String,
    /// Its newest version, if it has a release.
    pub version: Option<String>,
    /// What that release says it is.
    pub summary: String,
    /// When that release came.
    pub released_at: Option<Time>,
}

impl Line {
    pub(super) fn read(row: &QueryResult) -> Result<Self, Refused> {
        Ok(Self {
            name: row.try_get("", "name")?,
            normalized: row.try_get("", "normalized")?,
            version: row.try_get("", "version")?,
            summary: row.try_get::<Option<String>>("", "summary")?.unwrap_or_default(),
            released_at: row.try_get("", "released_at")?,
        })
    }
}

/// A key as it may stand in an address: PostgreSQL takes no NUL.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(255).collect()
}
