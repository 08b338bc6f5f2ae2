//! What an alarm about an upload takes from serving (R14, R7): the release that it began, or the file alone where the release is older. Any
//! Owner puts it back, by a proof; nothing is deleted.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use super::PAUSE;
use crate::db::entities::{events as event_rows, files, releases};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, FileWithdrawn, Kind, ReleaseWithdrawn};
use crate::ids::{AccountId, CaseId};
use crate::policy::{Permit, RaiseAlarm, Role};
use crate::projects::locks::{self, LockKind, Locked, NewLock};
use crate::projects::roles::held;
use crate::refused::Refused;

/// What would be taken from serving.
#[derive(Clone, Debug)]
pub(super) struct Target {
    on: Locked,
    /// A version, or a file name.
    part: String,
}

impl Target {
    /// In words that stand in a sentence.
    pub(super) fn words(&self) -> String {
        if let Locked::File(..) = self.on { format!("the file {}", self.part) } else { format!("the release {}", self.part) }
    }
}

/// What the upload behind a notice brought, as far as it is served, and an Owner asks (R7). A file that came into a release which stood
/// before is taken alone: else one more file would be the way to have everything from before taken away.
pub(super) async fn target<R: Reading>(read: &R, event: &event_rows::Model, raiser: AccountId) -> Result<Option<Target>, Refused> {
    let Some(project) = event.project_id.filter(|_| event.kind == Kind::FileUploaded.wire()) else { return Ok(None) };
    if !held(read, project, raiser).await?.contains(&Role::Owner) {
        return Ok(None);
    }
    let detail: serde_json::Value = serde_json::from_str(&event.detail)?;
    let file = files::Entity::find()
        .filter(files::Column::ProjectId.eq(project))
        .filter(files::Column::Filename.eq(detail["filename"].as_str().unwrap_or_default()))
        .filter(files::Column::UntilAt.is_null());
    let Some(file) = file.one(read.connection()).await? else { return Ok(None) };
    let Some(release) = releases::Entity::find_by_id(file.release_id).one(read.connection()).await? else { return Ok(None) };
    let (of_release, of_file) = (Locked::Release(project, release.id), Locked::File(project, file.id));
    for on in [Locked::Project(project), of_release, of_file] {
        let open = locks::on(read, on).await?;
        if open.iter().any(|lock| LockKind::from_wire(&lock.kind).is_some_and(LockKind::hides)) {
            return Ok(None);
        }
    }
    let began = event_rows::Entity::find().filter(event_rows::Column::Id.eq(release.began_by)).one(read.connection()).await?;
    let by_same = began.is_some_and(|began| began.credential_id == event.credential_id);
    let is_its_release = by_same && release.created_at.plus(PAUSE) >= event.at;
    Ok(Some(if is_its_release { Target { on: of_release, part: release.version } } else { Target { on: of_file, part: file.filename } }))
}

/// Takes it from serving.
pub(super) async fn withdraw(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<RaiseAlarm>,
    target: &Target,
    (by, case): (&str, Option<CaseId>),
) -> Result<(), Refused> {
    let (project, part, reason) = (target.on.project(), target.part.clone(), format!("{by} raised the alarm"));
    locks::add(env, tx, permit, NewLock { on: target.on, kind: LockKind::Withdrawn, reason: reason.clone(), case }).await?;
    if let Locked::File(..) = target.on {
        let entry = Entry::of(FileWithdrawn { filename: part, reason }).on_project(project);
        events::record(env, tx, permit, in_case(entry, case)).await?;
    } else {
        let entry = Entry::of(ReleaseWithdrawn { version: part, reason }).on_project(project);
        events::record(env, tx, permit, in_case(entry, case)).await?;
    }
    Ok(())
}

fn in_case<E: events::Event>(entry: Entry<E>, case: Option<CaseId>) -> Entry<E> {
    match case {
        Some(case) => entry.in_case(case),
        None => entry,
    }
}

/// What changes about the project while the alarm is raised waits, or sees it.
pub(super) async fn lock(tx: &Tx, event: &event_rows::Model) -> Result<(), Refused> {
    let Some(project) = event.project_id else { return Ok(()) };
    let sql = format!("SELECT 1 AS one FROM projects WHERE id = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(project)]).await?;
    Ok(())
}
