//! What the index shows to packaging clients, prepared once a change: the pages of the simple API, and whatever else the faces
//! have prepared in the same way. A miss renders at once, so that whoever asks right after an upload sees the file.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use formats::NormalizedName;
use formats::simple::{Format, IndexEntry, IndexPage, ProjectPage, ProjectStatus, SimpleFile, render_index, render_project};
use futures_util::future::BoxFuture;
use sea_orm::Value;

use super::files;
use super::locks::{self, LockKind, Locked};
use crate::clock::Time;
use crate::db::{Read, Reading};
use crate::env::Env;
use crate::prepared::{Place, ReadyPage, Ticket, WHOLE};
use crate::refused::Refused;

const SERIAL: &str = "SELECT serial FROM projects WHERE normalized = $1";
const HIGHEST_SERIAL: &str = "SELECT MAX(serial) AS serial FROM projects";
const NAMES: &str = "SELECT name, normalized, serial FROM shown_projects WHERE normalized > $1 ORDER BY normalized LIMIT 10000";
const PROJECT: &str = "SELECT id, serial FROM shown_projects WHERE normalized = $1";
const FILES: &str = "SELECT f.filename, f.sha256, f.blake2_256, f.requires_python, f.size_bytes, f.uploaded_at, f.metadata_sha256, \
                     r.version, r.yanked_at, r.yanked_reason \
                     FROM shown_files f JOIN releases r ON r.id = f.release_id \
                     WHERE f.project_id = $1 AND r.until_at IS NULL";

/// An index with more projects than this shows its whole at most [`WHOLE_EVERY`] old; a smaller one at once.
pub const LARGE: usize = 5_000;
/// How old what shows the whole of a large index may be.
pub const WHOLE_EVERY: Duration = Duration::from_secs(30);

/// The page `/simple/NAME/` in this form; `None` when there is no such project.
///
/// # Errors
/// The database.
pub async fn project_page(env: &Env, name: &NormalizedName, format: Format) -> Result<Option<Arc<ReadyPage>>, Refused> {
    let place = Place { shelf: name.as_str(), key: key(format) };
    let base = env.config.link("");
    let owned = name.clone();
    prepare(env, place, move |read| Box::pin(load_project(read, owned, base)), move |page| render_project(&page, format)).await
}

/// The page `/simple/` in this form.
///
/// # Errors
/// The database.
pub async fn index_page(env: &Env, format: Format) -> Result<Arc<ReadyPage>, Refused> {
    let render = move |page: IndexPage| {
        let count = page.projects.len();
        let ready = ReadyPage::new(page.serial, render_index(&page, format));
        (count, ready.weight(), ready)
    };
    whole(env, key(format), |read| Box::pin(load_index(read)), render).await
}

/// Both HTML forms are the same bytes.
const fn key(format: Format) -> &'static str {
    match format {
        Format::Html | Format::HtmlV1 => "simple html",
        Format::JsonV1 => "simple json",
    }
}

/// A page of a project from its shelf; else it is loaded from one snapshot, rendered beside the async threads, and kept unless
/// the project changed meanwhile. `load` gives the serial and what `render` needs; `None` when there is nothing to show.
///
/// # Errors
/// The database, or `load`.
pub async fn prepare<D, L, R>(env: &Env, place: Place<'_>, load: L, render: R) -> Result<Option<Arc<ReadyPage>>, Refused>
where
    D: Send + 'static,
    L: for<'r> FnOnce(&'r Read) -> BoxFuture<'r, Result<Option<(i64, D)>, Refused>> + Send,
    R: FnOnce(D) -> Vec<u8> + Send + 'static,
{
    if let Some(page) = ready(env, place).await? {
        return Ok(Some(page));
    }
    let slot = env.prepared.slot().await;
    // Whoever held the slot may have rendered the same page.
    if let Some(page) = ready(env, place).await? {
        return Ok(Some(page));
    }
    let ticket = env.prepared.ticket();
    let read = env.db.read(env.now()).await?;
    let Some((serial, data)) = load(&read).await? else { return Ok(None) };
    drop(read);
    let page = beside(move || {
        let page = ReadyPage::new(serial, render(data));
        drop(slot);
        page
    })
    .await?;
    let page = Arc::new(page);
    env.prepared.put(ticket, place, page.clone(), serial, page.weight());
    Ok(Some(page))
}

/// The page from its shelf. While nobody watches the trail, its serial is compared with the database's.
async fn ready(env: &Env, place: Place<'_>) -> Result<Option<Arc<ReadyPage>>, Refused> {
    let Some(page) = env.prepared.get::<ReadyPage>(place) else { return Ok(None) };
    if env.prepared.is_watched(env.now()) {
        return Ok(Some(page));
    }
    let read = env.db.read(env.now()).await?;
    let row = read.row(SERIAL, vec![Value::from(place.shelf)]).await?;
    let serial: Option<i64> = row.map(|row| row.try_get("", "serial")).transpose()?;
    if serial == Some(page.serial) {
        return Ok(Some(page));
    }
    env.prepared.drop_pages(&[place.shelf.to_owned()]);
    Ok(None)
}

/// What shows the index as a whole, with what tells its age.
struct Whole<T> {
    value: Arc<T>,
    built_at: Time,
    ticket: Ticket,
    serial: i64,
    projects: usize,
}

/// What shows the whole index, from its shelf or made anew by one at a time. `make` gives the number of projects, the bytes it
/// takes, and the thing itself.
///
/// # Errors
/// The database, or `load`.
pub async fn whole<D, T, L, M>(env: &Env, key: &str, load: L, make: M) -> Result<Arc<T>, Refused>
where
    D: Send + 'static,
    T: Any + Send + Sync,
    L: for<'r> FnOnce(&'r Read) -> BoxFuture<'r, Result<D, Refused>> + Send,
    M: FnOnce(D) -> (usize, usize, T) + Send + 'static,
{
    if let Some(value) = still_good(env, key).await? {
        return Ok(value);
    }
    let _alone = env.prepared.whole_slot().await;
    if let Some(value) = still_good(env, key).await? {
        return Ok(value);
    }
    let ticket = env.prepared.ticket();
    let built_at = env.now();
    let read = env.db.read(built_at).await?;
    let serial = highest_serial(&read).await?;
    let data = load(&read).await?;
    drop(read);
    let (projects, bytes, value) = beside(move || make(data)).await?;
    let value = Arc::new(value);
    let kept = Whole { value: value.clone(), built_at, ticket, serial, projects };
    env.prepared.put_anyway(Place { shelf: WHOLE, key }, Arc::new(kept), bytes);
    Ok(value)
}

async fn still_good<T: Any + Send + Sync>(env: &Env, key: &str) -> Result<Option<Arc<T>>, Refused> {
    let Some(kept) = env.prepared.get::<Whole<T>>(Place { shelf: WHOLE, key }) else { return Ok(None) };
    let now = env.now();
    let young = kept.projects > LARGE && kept.built_at <= now && now.since(kept.built_at) < WHOLE_EVERY;
    let good = young
        || if env.prepared.is_watched(now) {
            env.prepared.is_unchanged(kept.ticket, WHOLE)
        } else {
            highest_serial(&env.db.read(now).await?).await? == kept.serial
        };
    Ok(good.then(|| kept.value.clone()))
}

/// Work that takes more than a moment runs beside the async threads.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Refused::Fault(anyhow::anyhow!("rendering did not end: {e}")))
}

/// The highest serial of all projects; 0 while there is none.
///
/// # Errors
/// The database.
pub async fn highest_serial<R: Reading>(read: &R) -> Result<i64, Refused> {
    let row = read.row(HIGHEST_SERIAL, vec![]).await?;
    let serial: Option<i64> = row.map(|row| row.try_get("", "serial")).transpose()?.flatten();
    Ok(serial.unwrap_or(0))
}

async fn load_project(read: &Read, name: NormalizedName, base: String) -> Result<Option<(i64, ProjectPage)>, Refused> {
    let Some(row) = read.row(PROJECT, vec![Value::from(name.as_str())]).await? else { return Ok(None) };
    let (id, serial): (crate::ids::ProjectId, i64) = (row.try_get("", "id")?, row.try_get("", "serial")?);
    let rows = read.rows(FILES, vec![Value::from(id)]).await?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let (filename, blake2): (String, String) = (row.try_get("", "filename")?, row.try_get("", "blake2_256")?);
        let (yanked_at, reason): (Option<i64>, Option<String>) = (row.try_get("", "yanked_at")?, row.try_get("", "yanked_reason")?);
        shown.push(SimpleFile {
            url: format!("{base}{}", files::path(&blake2, &filename)),
            filename,
            sha256: row.try_get("", "sha256")?,
            requires_python: row.try_get("", "requires_python")?,
            size: u64::try_from(row.try_get::<i64>("", "size_bytes")?).unwrap_or(0),
            upload_time_us: row.try_get("", "uploaded_at")?,
            yanked: yanked_at.map(|_| reason.unwrap_or_default()),
            metadata_sha256: row.try_get("", "metadata_sha256")?,
            version: row.try_get("", "version")?,
        });
    }
    let archived = locks::open(read, Locked::Project(id), LockKind::Archived).await?.is_some();
    let status = if archived { ProjectStatus::Archived } else { ProjectStatus::Active };
    let versions: std::collections::BTreeSet<String> = shown.iter().map(|file| file.version.clone()).collect();
    let versions = versions.into_iter().collect();
    Ok(Some((serial, ProjectPage { name, serial, status, files: shown, versions })))
}

/// All names, read a stretch at a time from one snapshot.
async fn load_index(read: &Read) -> Result<IndexPage, Refused> {
    let mut projects = Vec::new();
    let mut after = String::new();
    loop {
        let rows = read.rows(NAMES, vec![Value::from(after.as_str())]).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            after = row.try_get("", "normalized")?;
            let normalized = NormalizedName::parse(&after).map_err(|e| anyhow::Error::new(e).context("a stored name"))?;
            projects.push(IndexEntry { name: row.try_get("", "name")?, normalized, serial: row.try_get("", "serial")? });
        }
    }
    Ok(IndexPage { serial: highest_serial(read).await?, projects })
}
