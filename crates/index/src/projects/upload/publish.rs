//! Publishing: whether a file fits what is here, and the rows that it leaves. One transaction, one event.

use formats::FileKind;
use formats::name::look_alike;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, Value};

use super::examine::Distribution;
use super::receive::in_units;
use super::refuse;
use crate::db::entities::{files, projects, releases, roles};
use crate::db::{Reading, Tx, is_taken};
use crate::env::Env;
use crate::events::{self, Entry, FileUploaded};
use crate::ids::{FileId, ProjectId, ReleaseId, RoleId};
use crate::policy::{Permit, UploadFile};
use crate::projects::{locks, names, roles::by_name, search};
use crate::refused::Refused;
use crate::tokens;

/// What came of publishing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The file is new.
    File(FileId),
    /// The very same file was here already; nothing changed.
    AlreadyHere,
}

/// Where a file would go.
#[derive(Clone, Debug)]
pub enum Fits {
    /// Here already, byte for byte under this name.
    AlreadyHere,
    /// Into this project and release, where they exist.
    Into(Option<Box<projects::Model>>, Option<ReleaseId>),
}

/// What can be said before the file is read: whether a new name may be taken, whether the project is full.
///
/// # Errors
/// `Invalid` in the words that clients know; the database.
pub async fn check_begin<R: Reading>(env: &Env, read: &R, permit: &Permit<UploadFile>) -> Result<(), Refused> {
    let name = &permit.on().0;
    match by_name(read, name.normalized().as_str()).await? {
        Some(project) => {
            locks::check_takes_uploads(read, project.id).await?;
            check_room(env, read, &project, 1).await
        }
        None => names::check_new(read, name).await,
    }
}

/// Whether the file fits what is here.
///
/// # Errors
/// `Invalid` in the words that clients know; the database.
pub async fn check_fits<R: Reading>(env: &Env, read: &R, permit: &Permit<UploadFile>, file: &Distribution) -> Result<Fits, Refused> {
    let name = &permit.on().0;
    let project = by_name(read, name.normalized().as_str()).await?;
    if project.is_none() {
        names::check_new(read, name).await?;
    }
    let Some(project) = project else {
        return Ok(if is_here(read, file).await? { Fits::AlreadyHere } else { Fits::Into(None, None) });
    };
    locks::check_takes_uploads(read, project.id).await?;
    let release = releases::Entity::find()
        .filter(releases::Column::ProjectId.eq(project.id))
        .filter(releases::Column::Canonical.eq(file.version.canonical()))
        .one(read.connection())
        .await?;
    if let Some(release) = &release {
        check_version(release)?;
        locks::check_takes_files(read, project.id, release.id).await?;
    }
    if is_here(read, file).await? {
        return Ok(Fits::AlreadyHere);
    }
    check_room(env, read, &project, file.size_bytes).await?;
    if let Some(release) = &release {
        check_one_sdist(read, release.id, file).await?;
    }
    Ok(Fits::Into(Some(Box::new(project)), release.map(|row| row.id)))
}

/// A name is used once for good, and so are bytes: only the same bytes under the same name are no error.
async fn is_here<R: Reading>(read: &R, file: &Distribution) -> Result<bool, Refused> {
    let same_name = files::Column::Filename.eq(file.filename.as_str());
    let same_bytes = files::Column::Blake2256.eq(file.digests.blake2_256.as_str());
    let found = files::Entity::find().filter(Condition::any().add(same_name).add(same_bytes)).all(read.connection()).await?;
    let is_same = |row: &files::Model| row.filename == file.filename && row.blake2_256 == file.digests.blake2_256;
    let mut gone = false;
    for row in found.iter().filter(|row| row.filename == file.filename) {
        gone |= row.until_at.is_some() || locks::hides_file(read, row).await?;
    }
    if !gone && found.iter().any(|row| is_same(row) && row.sha256 == file.digests.sha256) {
        return Ok(true);
    }
    if gone {
        return refuse(
            "This filename was previously used by a file that has since been deleted. Use a different version. \
             See /help/#file-name-reuse for more information.",
        );
    }
    if found.is_empty() { Ok(false) } else { refuse(exists_already(file)) }
}

/// A version that was deleted and erased is never used again, like the names of its files (R24).
fn check_version(release: &releases::Model) -> Result<(), Refused> {
    if release.until_at.is_none() {
        return Ok(());
    }
    refuse(format!(
        "Version {} was deleted for good. Use a different version. See /help/#file-name-reuse for more information.",
        release.version
    ))
}

fn exists_already(file: &Distribution) -> String {
    format!(
        "File already exists ('{}', with blake2_256 hash '{}'). See /help/#file-name-reuse for more information.",
        file.filename, file.digests.blake2_256
    )
}

const HELD: &str = "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS held FROM files WHERE project_id = $1 AND until_at IS NULL";

async fn check_room<R: Reading>(env: &Env, read: &R, project: &projects::Model, more: u64) -> Result<(), Refused> {
    let row = read.row(HELD, vec![Value::from(project.id)]).await?;
    let held: i64 = row.map(|row| row.try_get("", "held")).transpose()?.unwrap_or(0);
    let most = env.config.project_max_size.0;
    if u64::try_from(held).unwrap_or(0).saturating_add(more) <= most {
        return Ok(());
    }
    refuse(format!(
        "Project size too large. Limit for project '{}' total size is {}. See /help/#file-size-limit for more information.",
        project.name,
        in_units(most)
    ))
}

async fn check_one_sdist<R: Reading>(read: &R, release: ReleaseId, file: &Distribution) -> Result<(), Refused> {
    if file.kind != FileKind::Sdist {
        return Ok(());
    }
    let sdist = files::Entity::find()
        .filter(files::Column::ReleaseId.eq(release))
        .filter(files::Column::Kind.eq(FileKind::Sdist.as_str()))
        .filter(files::Column::UntilAt.is_null())
        .one(read.connection())
        .await?;
    if sdist.is_none() { Ok(()) } else { refuse("Only one sdist may be uploaded per release.") }
}

/// Publishes a file whose bytes are kept: project and founding role where it is the first, release, file.
///
/// # Errors
/// `Invalid` in the words that clients know; the database.
pub async fn publish(env: &Env, tx: &mut Tx, permit: &Permit<UploadFile>, file: &Distribution) -> Result<Published, Refused> {
    let Fits::Into(project, release) = check_fits(env, tx, permit, file).await? else {
        tx.leave_as_it_was();
        return Ok(Published::AlreadyHere);
    };
    let (new_project, new_release) = (project.is_none(), release.is_none());
    let project = match project {
        Some(project) => respell(tx, &project, file).await?,
        None => found(env, tx, permit, file).await?,
    };
    let release = match release {
        Some(release) => release,
        None => begin_release(env, tx, permit, project, file).await?,
    };
    let id = add_file(env, tx, permit, (project, release), file).await?;
    let event = FileUploaded {
        filename: file.filename.clone(),
        sha256: file.digests.sha256.clone(),
        version: file.version.to_string(),
        new_project,
        new_release,
    };
    events::record(env, tx, permit, Entry::of(event).on_project(project)).await?;
    tokens::note_use(tx, permit.actor(), permit.event()).await?;
    search::index_project(tx, project).await?;
    Ok(Published::File(id))
}

/// The display name follows the last upload; it is the same name in every comparison.
async fn respell(tx: &Tx, project: &projects::Model, file: &Distribution) -> Result<ProjectId, Refused> {
    if project.name != file.project.as_str() {
        let sql = "UPDATE projects SET name = $2 WHERE id = $1";
        tx.execute(sql, vec![Value::from(project.id), Value::from(file.project.as_str())]).await?;
    }
    Ok(project.id)
}

/// A project comes into being with its first file; who uploads it owns it.
async fn found(env: &Env, tx: &Tx, permit: &Permit<UploadFile>, file: &Distribution) -> Result<ProjectId, Refused> {
    let Some(account) = permit.actor().account() else {
        return refuse("Non-user identities cannot create new projects.");
    };
    let id = ProjectId::new(tx.now(), &*env.entropy);
    projects::ActiveModel {
        id: Set(id),
        name: Set(file.project.as_str().to_owned()),
        normalized: Set(file.project.normalized().as_str().to_owned()),
        look_alike: Set(look_alike(file.project.as_str())),
        serial: Set(0),
        created_at: Set(tx.now()),
        began_by: Set(permit.event()),
    }
    .insert(tx.connection())
    .await?;
    roles::ActiveModel {
        id: Set(RoleId::new(tx.now(), &*env.entropy)),
        project_id: Set(id),
        account_id: Set(account),
        role: Set("Owner".to_owned()),
        founding: Set(true),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
    }
    .insert(tx.connection())
    .await?;
    Ok(id)
}

/// A release carries the metadata of its first file; later files do not change it.
async fn begin_release(
    env: &Env,
    tx: &Tx,
    permit: &Permit<UploadFile>,
    project: ProjectId,
    file: &Distribution,
) -> Result<ReleaseId, Refused> {
    let id = ReleaseId::new(tx.now(), &*env.entropy);
    releases::ActiveModel {
        id: Set(id),
        project_id: Set(project),
        version: Set(file.version.to_string()),
        canonical: Set(file.version.canonical()),
        metadata: Set(serde_json::to_string(&file.metadata)?),
        summary: Set(file.metadata.summary.clone().unwrap_or_default()),
        requires_python: Set(file.metadata.requires_python.clone()),
        is_prerelease: Set(file.version.is_prerelease()),
        created_at: Set(tx.now()),
        yanked_at: Set(None),
        yanked_reason: Set(None),
        began_by: Set(permit.event()),
        until_at: Set(None),
        ended_by: Set(None),
    }
    .insert(tx.connection())
    .await?;
    Ok(id)
}

async fn add_file(
    env: &Env,
    tx: &Tx,
    permit: &Permit<UploadFile>,
    (project, release): (ProjectId, ReleaseId),
    file: &Distribution,
) -> Result<FileId, Refused> {
    let id = FileId::new(tx.now(), &*env.entropy);
    let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let (metadata_sha256, metadata_size_bytes) = file.companion.clone().map(|(sha256, bytes)| (sha256, size(bytes))).unzip();
    let row = files::ActiveModel {
        id: Set(id),
        project_id: Set(project),
        release_id: Set(release),
        filename: Set(file.filename.clone()),
        kind: Set(file.kind.as_str().to_owned()),
        python_version: Set(file.python_version.clone()),
        size_bytes: Set(size(file.size_bytes)),
        md5: Set(file.digests.md5.clone()),
        sha256: Set(file.digests.sha256.clone()),
        blake2_256: Set(file.digests.blake2_256.clone()),
        metadata_sha256: Set(metadata_sha256),
        metadata_size_bytes: Set(metadata_size_bytes),
        requires_python: Set(file.metadata.requires_python.clone()),
        comment: Set(file.comment.clone()),
        uploaded_at: Set(tx.now()),
        began_by: Set(permit.event()),
        until_at: Set(None),
        ended_by: Set(None),
    };
    match row.insert(tx.connection()).await {
        Ok(_) => Ok(id),
        // The same bytes came into another project at the same moment.
        Err(e) if is_taken(&e) => refuse(exists_already(file)),
        Err(e) => Err(e.into()),
    }
}
