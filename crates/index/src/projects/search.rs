//! What the search finds: one row a project, written with every change of its releases.

use formats::{CoreMetadata, Version};
use sea_orm::Value;

use crate::db::{Reading, Tx};
use crate::ids::ProjectId;
use crate::refused::Refused;

const PROJECT: &str = "SELECT name, normalized FROM projects WHERE id = $1";
const RELEASES: &str = "SELECT version FROM releases WHERE project_id = $1 AND until_at IS NULL";
const NEWEST: &str = "SELECT metadata FROM releases WHERE project_id = $1 AND version = $2 AND until_at IS NULL";
const FORGET: &str = "DELETE FROM search_index WHERE project = $1";
const INSERT: &str = "INSERT INTO search_index (project, name, summary, keywords) VALUES ($1, $2, $3, $4)";

/// Writes a project's row anew, from its newest release.
///
/// # Errors
/// The database.
pub(crate) async fn index_project(tx: &Tx, project: ProjectId) -> Result<(), Refused> {
    let Some(row) = tx.row(PROJECT, vec![Value::from(project)]).await? else { return Ok(()) };
    let (name, normalized): (String, String) = (row.try_get("", "name")?, row.try_get("", "normalized")?);
    tx.execute(FORGET, vec![Value::from(normalized.as_str())]).await?;
    let Some(metadata) = newest(tx, project).await? else { return Ok(()) };
    let (summary, keywords) = (metadata.summary.unwrap_or_default(), metadata.keywords.unwrap_or_default());
    let values = vec![Value::from(normalized), Value::from(name), Value::from(summary), Value::from(keywords)];
    tx.execute(INSERT, values).await?;
    Ok(())
}

/// The metadata of the newest version; pre-releases count only where there is nothing else.
async fn newest(tx: &Tx, project: ProjectId) -> Result<Option<CoreMetadata>, Refused> {
    let rows = tx.rows(RELEASES, vec![Value::from(project)]).await?;
    let texts: Vec<String> = rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?;
    let ranked = texts.iter().filter_map(|text| Version::parse(text).ok().map(|version| (!version.is_prerelease(), version, text)));
    let Some((_, _, version)) = ranked.max() else { return Ok(None) };
    let row = tx.row(NEWEST, vec![Value::from(project), Value::from(version.as_str())]).await?;
    let metadata: Option<String> = row.map(|row| row.try_get("", "metadata")).transpose()?;
    Ok(metadata.map(|json| serde_json::from_str(&json)).transpose()?)
}
