//! Loading a backup into an empty place. What it opens as is the epoch's business.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use sea_orm::Value;

use super::{bytes, epoch, mark_of, read_manifest, tables};
use crate::blobs::folders;
use crate::clock::{Clock, Time};
use crate::config::Config;
use crate::db::{Database, Reading};
use crate::env::Env;
use crate::ids::ProjectId;
use crate::open;
use crate::projects::search;

/// What was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Rows of all tables.
    pub rows: u64,
    /// Blobs.
    pub blobs: u64,
    /// The moment that the backup shows.
    pub made_at: Time,
}

/// Loads rows and bytes into the empty place that the settings name; the key file must lie there already.
///
/// # Errors
/// A place that holds something, another key file, a backup that was not finished or was changed, the database or the disk.
pub async fn load(config: &Config, from: &Path, clock: &Arc<dyn Clock>) -> anyhow::Result<Loaded> {
    let manifest = read_manifest(from)?;
    let keys = open::read_keys(config)?;
    if mark_of(&keys) != manifest.keys {
        bail!("the key file is not the one of the index that was backed up: put that one in its place, secrets open with no other");
    }
    if manifest.sealed_by(&keys)? != manifest.seal {
        bail!("the manifest was changed since the backup was made: do not trust what is in this folder");
    }
    let blobs = open::blobs_folder(config)?;
    if blobs.is_dir() && !folders(&blobs)?.is_empty() {
        bail!("the folder of files {} is not empty: a backup is restored into an empty place only", blobs.display());
    }
    super::make(&config.data_dir)?;
    let url = open::database_url(config)?;
    let db = Database::open_empty(url.expose(), manifest.migrations.len()).await.context("the database cannot be used")?;
    let brought = bytes::bring_all(from.join("blobs"), blobs).await?;
    let tx = db.begin(clock.now()).await?;
    let rows = tables::load(&tx, &from.join("tables"), &manifest.tables).await?;
    // With the rows, or not at all: what a crash leaves behind must be closed.
    epoch::close(&tx, manifest.made_at).await.context("the index cannot be closed")?;
    tx.commit().await?;
    db.bring_up_to_date().await.context("the database cannot be brought up to date")?;
    db.close().await;
    Ok(Loaded { rows, blobs: brought, made_at: manifest.made_at })
}

/// Builds what searches and lists know of every project, which no backup holds.
pub(super) async fn build_search(env: &Env) -> anyhow::Result<()> {
    const NEXT: &str = "SELECT id FROM projects WHERE id > $1 ORDER BY id LIMIT 200";
    let mut after = ProjectId(uuid::Uuid::nil());
    loop {
        let tx = env.db.begin(env.now()).await?;
        let rows = tx.rows(NEXT, vec![Value::from(after)]).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            after = row.try_get("", "id")?;
            search::index_project(&tx, after).await?;
        }
        tx.commit().await?;
    }
}
