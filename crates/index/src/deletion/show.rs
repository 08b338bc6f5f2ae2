//! What the pages of a project show its collaborators: releases and files with their locks, and until when a deletion can be undone.

use formats::Version;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use crate::accounts::deleted::retention;
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::{files, releases};
use crate::env::Env;
use crate::ids::{FileId, LockId, ProjectId, ReleaseId};
use crate::projects::locks::{self, Lock, LockKind, Locked};
use crate::refused::Refused;

/// A lock, as its page shows it.
#[derive(Clone, Debug)]
pub struct LockLine {
    /// Its id.
    pub id: LockId,
    /// What it does.
    pub kind: LockKind,
    /// Why; may be empty.
    pub reason: String,
    /// Since when.
    pub from_at: Time,
    /// Until when a deletion can be undone.
    pub until: Option<Time>,
    /// Whether what it is on was erased.
    pub erased: bool,
}

fn line(env: &Env, lock: &Lock) -> Option<LockLine> {
    let kind = LockKind::from_wire(&lock.kind)?;
    let until = (kind == LockKind::Deleted && lock.erased_at.is_none()).then(|| lock.from_at.plus(retention(env)));
    Some(LockLine { id: lock.id, kind, reason: lock.reason.clone(), from_at: lock.from_at, until, erased: lock.erased_at.is_some() })
}

fn lines(env: &Env, all: &[Lock], on: Locked) -> Vec<LockLine> {
    all.iter().filter(|lock| Locked::of(lock) == on).filter_map(|lock| line(env, lock)).collect()
}

/// The locks on a whole project.
///
/// # Errors
/// The database.
pub async fn of_project<R: Reading>(env: &Env, read: &R, project: ProjectId) -> Result<Vec<LockLine>, Refused> {
    let on = Locked::Project(project);
    Ok(lines(env, &locks::on(read, on).await?, on))
}

/// A release, with what is on it.
#[derive(Clone, Debug)]
pub struct ReleaseLine {
    /// The release.
    pub id: ReleaseId,
    /// PEP 440 normalized.
    pub version: String,
    /// When its first file came.
    pub created_at: Time,
    /// Why it is yanked, if it is; the reason may be empty.
    pub yanked: Option<String>,
    /// How many files it has.
    pub files: u64,
    /// What is on it.
    pub locks: Vec<LockLine>,
}

const FILES: &str = "SELECT release_id, COUNT(*) AS files FROM files WHERE project_id = $1 AND until_at IS NULL GROUP BY release_id";

/// The releases of a project, hidden ones too, highest version first.
///
/// # Errors
/// The database.
pub async fn releases<R: Reading>(env: &Env, read: &R, project: ProjectId) -> Result<Vec<ReleaseLine>, Refused> {
    let all = locks::of_project(read, project).await?;
    let counts = read.rows(FILES, vec![Value::from(project)]).await?;
    let counts: Vec<(ReleaseId, i64)> =
        counts.iter().map(|row| Ok((row.try_get("", "release_id")?, row.try_get("", "files")?))).collect::<Result<_, Refused>>()?;
    let rows = releases::Entity::find()
        .filter(releases::Column::ProjectId.eq(project))
        .filter(releases::Column::UntilAt.is_null())
        .all(read.connection())
        .await?;
    let mut found: Vec<ReleaseLine> = rows
        .into_iter()
        .map(|row| ReleaseLine {
            id: row.id,
            created_at: row.created_at,
            yanked: row.yanked_at.map(|_| row.yanked_reason.unwrap_or_default()),
            files: counts.iter().find(|(id, _)| *id == row.id).map_or(0, |(_, n)| u64::try_from(*n).unwrap_or(0)),
            locks: lines(env, &all, Locked::Release(project, row.id)),
            version: row.version,
        })
        .collect();
    found.sort_by_cached_key(|line| std::cmp::Reverse((Version::parse(&line.version).ok(), line.version.clone())));
    Ok(found)
}

/// A file, with what is on it.
#[derive(Clone, Debug)]
pub struct FileLine {
    /// The file.
    pub id: FileId,
    /// Its name.
    pub filename: String,
    /// Its size.
    pub size_bytes: u64,
    /// When it came.
    pub uploaded_at: Time,
    /// What is on it.
    pub locks: Vec<LockLine>,
}

/// One release and its files, hidden ones too.
///
/// # Errors
/// The database.
pub async fn release<R: Reading>(
    env: &Env,
    read: &R,
    (project, version): (ProjectId, &Version),
) -> Result<Option<(ReleaseLine, Vec<FileLine>)>, Refused> {
    let all = releases(env, read, project).await?;
    let is_it = |line: &ReleaseLine| Version::parse(&line.version).is_ok_and(|own| own == *version);
    let Some(found) = all.into_iter().find(is_it) else { return Ok(None) };
    let locks = locks::of_project(read, project).await?;
    let rows = files::Entity::find()
        .filter(files::Column::ReleaseId.eq(found.id))
        .filter(files::Column::UntilAt.is_null())
        .order_by_asc(files::Column::Filename)
        .all(read.connection())
        .await?;
    let file = |row: files::Model| FileLine {
        id: row.id,
        size_bytes: u64::try_from(row.size_bytes).unwrap_or(0),
        uploaded_at: row.uploaded_at,
        locks: lines(env, &locks, Locked::File(project, row.id)),
        filename: row.filename,
    };
    Ok(Some((found, rows.into_iter().map(file).collect())))
}
