//! Locks: why a project, one of its releases or one of its files is not shown, or takes nothing new. A lock is a cause with a beginning
//! and an end; several may stand beside each other, and each is lifted alone (R13).
//!
//! What readers see is written once, as the views `shown_projects`, `shown_releases` and `shown_files`.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use super::search;
use crate::db::entities::{files, project_locks, projects};
use crate::db::{Reading, Tx};
use crate::denied::{Denied, Shut};
use crate::env::Env;
use crate::ids::{CaseId, EventId, FileId, LockId, ProjectId, ReleaseId};
use crate::policy::{Action, Permit};
use crate::refused::Refused;

/// A row of the table of locks.
pub type Lock = project_locks::Model;

/// What a lock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockKind {
    /// Deleted by an Owner: hidden, kept whole until it is erased.
    Deleted,
    /// Taken from serving by an Owner, who may put it back.
    Withdrawn,
    /// Taken from serving by those who run the index.
    Quarantined,
    /// Shown, and takes no upload.
    Archived,
}

impl LockKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Deleted, Self::Withdrawn, Self::Quarantined, Self::Archived];
    /// The word in rows.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Withdrawn => "withdrawn",
            Self::Quarantined => "quarantined",
            Self::Archived => "archived",
        }
    }
    /// The kind with this stored name.
    #[must_use]
    pub fn from_wire(wire: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.wire() == wire)
    }
    /// Whether readers no longer see what it is on.
    #[must_use]
    pub const fn hides(self) -> bool {
        !matches!(self, Self::Archived)
    }
}

/// What a lock is on: a whole project, one release, or one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Locked {
    /// The whole project.
    Project(ProjectId),
    /// One release of it.
    Release(ProjectId, ReleaseId),
    /// One file of it.
    File(ProjectId, FileId),
}

impl Locked {
    /// The project that it belongs to.
    #[must_use]
    pub const fn project(self) -> ProjectId {
        match self {
            Self::Project(project) | Self::Release(project, _) | Self::File(project, _) => project,
        }
    }
    const fn release(self) -> Option<ReleaseId> {
        if let Self::Release(_, release) = self { Some(release) } else { None }
    }
    const fn file(self) -> Option<FileId> {
        if let Self::File(_, file) = self { Some(file) } else { None }
    }
    /// What a stored lock is on.
    #[must_use]
    pub fn of(lock: &Lock) -> Self {
        match (lock.file_id, lock.release_id) {
            (Some(file), _) => Self::File(lock.project_id, file),
            (None, Some(release)) => Self::Release(lock.project_id, release),
            (None, None) => Self::Project(lock.project_id),
        }
    }
}

/// A lock to be put on.
#[derive(Clone, Debug)]
pub struct NewLock {
    /// On what.
    pub on: Locked,
    /// Which kind.
    pub kind: LockKind,
    /// Why, in the words of whoever did it; may be empty.
    pub reason: String,
    /// The case that it belongs to.
    pub case: Option<CaseId>,
}

/// Puts a lock on. The verb records the event, on the project, whose serial moves with it.
///
/// # Errors
/// The database.
pub(crate) async fn add<A: Action>(env: &Env, tx: &Tx, permit: &Permit<A>, new: NewLock) -> Result<LockId, Refused> {
    let id = LockId::new(tx.now(), &*env.entropy);
    project_locks::ActiveModel {
        id: Set(id),
        project_id: Set(new.on.project()),
        release_id: Set(new.on.release()),
        file_id: Set(new.on.file()),
        kind: Set(new.kind.wire().to_owned()),
        reason: Set(new.reason),
        case_id: Set(new.case),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
        erased_at: Set(None),
    }
    .insert(tx.connection())
    .await?;
    search::index_project(tx, new.on.project()).await?;
    Ok(id)
}

const LIFT: &str = "UPDATE project_locks SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL AND erased_at IS NULL";

/// Lifts one lock, and only it; false when it was lifted already or what it was on is erased.
///
/// # Errors
/// The database.
pub(crate) async fn lift(tx: &Tx, lock: &Lock, by: EventId) -> Result<bool, Refused> {
    let lifted = tx.execute(LIFT, vec![Value::from(lock.id), Value::from(tx.now()), Value::from(by)]).await? == 1;
    search::index_project(tx, lock.project_id).await?;
    Ok(lifted)
}

/// The open locks of a project, of its releases and of its files, oldest first.
///
/// # Errors
/// The database.
pub async fn of_project<R: Reading>(read: &R, project: ProjectId) -> Result<Vec<Lock>, Refused> {
    let rows = project_locks::Entity::find()
        .filter(project_locks::Column::ProjectId.eq(project))
        .filter(project_locks::Column::UntilAt.is_null())
        .order_by_asc(project_locks::Column::Id);
    Ok(rows.all(read.connection()).await?)
}

/// The open locks on exactly this, oldest first.
///
/// # Errors
/// The database.
pub async fn on<R: Reading>(read: &R, on: Locked) -> Result<Vec<Lock>, Refused> {
    let all = of_project(read, on.project()).await?;
    Ok(all.into_iter().filter(|lock| Locked::of(lock) == on).collect())
}

/// The open lock of this kind on exactly this, if there is one.
///
/// # Errors
/// The database.
pub async fn open<R: Reading>(read: &R, subject: Locked, kind: LockKind) -> Result<Option<Lock>, Refused> {
    Ok(on(read, subject).await?.into_iter().find(|lock| lock.kind == kind.wire()))
}

/// Whether a file itself is hidden by a lock of its own.
pub(super) async fn hides_file<R: Reading>(read: &R, file: &files::Model) -> Result<bool, Refused> {
    let locks = on(read, Locked::File(file.project_id, file.id)).await?;
    Ok(locks.iter().any(|lock| lock.kind != LockKind::Archived.wire()))
}

const SHOWN: &str = "SELECT id FROM shown_projects WHERE normalized = $1";

/// The project with this normalized name, when readers may see it.
///
/// # Errors
/// The database.
pub async fn shown_by_name<R: Reading>(read: &R, normalized: &str) -> Result<Option<projects::Model>, Refused> {
    let Some(row) = read.row(SHOWN, vec![Value::from(normalized)]).await? else { return Ok(None) };
    let id: ProjectId = row.try_get("", "id")?;
    Ok(projects::Entity::find_by_id(id).one(read.connection()).await?)
}

/// Whether a project takes uploads: not while a lock is on the whole of it.
///
/// # Errors
/// `Locked`; the database.
pub(super) async fn check_takes_uploads<R: Reading>(read: &R, project: ProjectId) -> Result<(), Refused> {
    refuse_shut(&on(read, Locked::Project(project)).await?)
}

/// Whether a release takes files: not while it is hidden.
///
/// # Errors
/// `Locked`; the database.
pub(super) async fn check_takes_files<R: Reading>(read: &R, project: ProjectId, release: ReleaseId) -> Result<(), Refused> {
    refuse_shut(&on(read, Locked::Release(project, release)).await?)
}

/// The heaviest of the locks says why not.
fn refuse_shut(locks: &[Lock]) -> Result<(), Refused> {
    let kinds: Vec<LockKind> = locks.iter().filter_map(|lock| LockKind::from_wire(&lock.kind)).collect();
    let heaviest = [LockKind::Quarantined, LockKind::Deleted, LockKind::Withdrawn, LockKind::Archived];
    let shut = heaviest.into_iter().find(|kind| kinds.contains(kind)).map(|kind| match kind {
        LockKind::Deleted => Shut::Deleted,
        LockKind::Withdrawn => Shut::Withdrawn,
        LockKind::Quarantined => Shut::Quarantined,
        LockKind::Archived => Shut::Archived,
    });
    shut.map_or(Ok(()), |shut| Err(Denied::Shut(shut).into()))
}
