//! `/manage/project/{name}/releases/` and `release/{version}/`: what is served of a project, deleted, and put back.

use formats::{ProjectName, Version};
use index::Refused;
use index::deletion::asking::{self, Confirmed};
use index::deletion::show::{self, LockLine as Locked};
use index::deletion::{Asked, serving};
use index::ids::{ActId, FileId, LockId, ReleaseId};
use index::policy::{
    Action, DeleteFile, DeleteRelease, Denied, PutBack, SeeProject, UnyankRelease, WithdrawFile, WithdrawRelease, YankRelease,
};
use index::projects::locks::LockKind;
use index::projects::managing;
use index::resources::ManagedProject;
use index::signin::acts;
use serde::Deserialize;

use super::managing::{Which, shell};
use super::{field_error, holds, refused_form, when};
use crate::gate::Ctx;
use crate::input::{Input, Nothing};
use crate::pages::deleting::{FileLine, LockLine, Proved, Release, ReleaseLine, Releases};
use crate::pages::{Bytes, FormErrors};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The proof with which somebody comes back.
#[derive(Debug, Deserialize)]
pub struct Back {
    act: Option<String>,
}

/// The form whose proof was made.
#[derive(Deserialize)]
struct Bound {
    what: String,
    on: String,
}

/// The form whose proof was made in this session, if the address carries one.
///
/// # Errors
/// The database.
pub(super) async fn proved<A: Action>(ctx: &Ctx<A>, back: &Back) -> Result<Option<Proved>, Refusal> {
    let Some(act) = back.act.as_deref().and_then(ActId::parse) else { return Ok(None) };
    let asked = acts::asked(ctx.env(), ctx.actor(), act).await?;
    let bound = asked.and_then(|json| serde_json::from_value::<Bound>(json).ok());
    Ok(bound.map(|bound| Proved { act: act.to_string(), what: bound.what, on: bound.on }))
}

/// The word of a lock, as pages show it.
pub(super) const fn lock_word(kind: LockKind) -> &'static str {
    match kind {
        LockKind::Deleted => "Deleted",
        LockKind::Withdrawn => "Withdrawn",
        LockKind::Archived => "Archived",
        LockKind::Quarantined => "Quarantined",
    }
}

/// A lock, as pages show it.
pub(super) fn lock_line<A: Action>(ctx: &Ctx<A>, lock: Locked) -> LockLine {
    let ends = match lock.kind {
        LockKind::Deleted => Some("Undo the deletion"),
        LockKind::Withdrawn => Some("Serve it again"),
        LockKind::Archived => Some("Open it for uploads again"),
        LockKind::Quarantined => None,
    };
    LockLine {
        id: lock.id.to_string(),
        name: lock_word(lock.kind),
        reason: lock.reason,
        from: when(ctx.env(), lock.from_at),
        until: lock.until.map(|at| when(ctx.env(), at)),
        erased: lock.erased,
        ends: ends.filter(|_| !lock.erased),
    }
}

fn release_line<A: Action>(ctx: &Ctx<A>, release: show::ReleaseLine) -> ReleaseLine {
    ReleaseLine {
        version: release.version,
        created: when(ctx.env(), release.created_at),
        files: release.files,
        yanked: release.yanked,
        locks: release.locks.into_iter().map(|lock| lock_line(ctx, lock)).collect(),
    }
}

/// GET `/manage/project/{name}/releases/`.
///
/// # Errors
/// A project on which the account holds no role is not found.
pub async fn list(ctx: Ctx<SeeProject>, input: Input<Which>) -> Result<Reply, Refusal> {
    let env = ctx.env().clone();
    let (found, releases) = ctx
        .view(input.path.read()?, move |read, permit| {
            Box::pin(async move {
                let found = managing::overview(read, permit).await?;
                let releases = show::releases(&env, read, found.id).await?;
                Ok((found, releases))
            })
        })
        .await?;
    let releases = releases.into_iter().map(|release| release_line(&ctx, release)).collect();
    Ok(Reply::page(&Releases { frame: ctx.frame(), shell: shell(&ctx, &found), releases }))
}

/// The release in the path.
#[derive(Debug, Deserialize)]
pub struct WhichRelease {
    name: String,
    version: String,
}

impl WhichRelease {
    fn read(&self) -> Result<(ManagedProject, Version), Refusal> {
        let version = Version::parse(&self.version).map_err(|_| Refusal::NotFound)?;
        let name = ProjectName::parse(&self.name).map_err(|_| Refusal::NotFound)?;
        Ok((ManagedProject(name), version))
    }
    fn page(&self) -> String {
        format!("/manage/project/{}/release/{}/", self.name, self.version)
    }
}

/// What the page of a release is made from.
struct Found {
    overview: managing::Overview,
    release: show::ReleaseLine,
    files: Vec<show::FileLine>,
}

async fn load<A: Action>(ctx: &Ctx<A>, which: &WhichRelease) -> Result<Found, Refusal> {
    let (on, version) = which.read()?;
    let env = ctx.env().clone();
    let found = index::act::view::<SeeProject, _, _>(ctx.env(), ctx.actor(), on, move |read, permit| {
        Box::pin(async move {
            let overview = managing::overview(read, permit).await?;
            let found = show::release(&env, read, (overview.id, &version)).await?;
            Ok::<_, Refused>(found.map(|(release, files)| Found { overview, release, files }))
        })
    });
    found.await?.ok_or(Refusal::NotFound)
}

fn page<A: Action>(ctx: &Ctx<A>, found: Found, errors: FormErrors, proved: Option<Proved>) -> Release {
    let file = |file: show::FileLine| FileLine {
        id: file.id.to_string(),
        filename: file.filename,
        size: Bytes(file.size_bytes),
        uploaded: when(ctx.env(), file.uploaded_at),
        locks: file.locks.into_iter().map(|lock| lock_line(ctx, lock)).collect(),
    };
    let config = &ctx.env().config;
    Release {
        frame: ctx.frame(),
        shell: shell(ctx, &found.overview),
        errors,
        id: found.release.id.to_string(),
        release: release_line(ctx, found.release),
        files: found.files.into_iter().map(file).collect(),
        proved,
        days: config.retention_days,
        wait: super::deleting::lasting(config.hold_loosening.0),
    }
}

/// GET `/manage/project/{name}/release/{version}/`.
///
/// # Errors
/// What is not there, or not the account's to see, is not found.
pub async fn release(ctx: Ctx<SeeProject>, input: Input<WhichRelease, Back>) -> Result<Reply, Refusal> {
    let found = load(&ctx, &input.path).await?;
    let proved = proved(&ctx, &input.query).await?;
    Ok(Reply::page(&page(&ctx, found, FormErrors::none(), proved)))
}

/// What a form answers: the page again, the page of changes that wait, or what is wrong.
async fn answer<A: Action>(ctx: &Ctx<A>, which: &WhichRelease, done: Result<Asked, Refused>) -> Result<Reply, Refusal> {
    match done {
        Ok(Asked::Now) => Ok(Reply::see_other(&which.page())),
        Ok(Asked::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(refused) => {
            let errors = field_error(refused)?;
            Ok(refused_form(&page(ctx, load(ctx, which).await?, errors, None)))
        }
    }
}

/// The fields of the forms on a release's own address, told apart by which of them is there.
#[derive(Debug, Deserialize)]
pub struct Forms {
    confirm_delete_version: Option<String>,
    confirm_yank_version: Option<String>,
    #[serde(default)]
    yanked_reason: String,
    confirm_unyank_version: Option<String>,
    act: Option<String>,
}

/// POST `/manage/project/{name}/release/{version}/`: yank, take a yank back, or delete.
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn change(ctx: Ctx<DeleteRelease>, input: Input<WhichRelease, Nothing, Forms>) -> Result<Reply, Refusal> {
    let (which, form) = (input.path, input.form);
    let found = load(&ctx, &which).await?;
    let (env, actor, id) = (ctx.env(), ctx.actor(), found.release.id);
    let done = if let Some(typed) = &form.confirm_yank_version {
        serving::yank(env, actor, id, (typed, &form.yanked_reason)).await.map(|()| Asked::Now)
    } else if let Some(typed) = &form.confirm_unyank_version {
        serving::unyank(env, actor, id, typed).await.map(|()| Asked::Now)
    } else {
        let typed = form.confirm_delete_version.unwrap_or_default();
        let act = form.act.as_deref().and_then(ActId::parse);
        asking::delete_release(env, actor, id, Confirmed { field: "confirm_delete_version", typed, act }).await
    };
    if matches!(done, Err(Refused::Denied(Denied::NeedsProof))) {
        let description = format!("Delete the release {} {}.", found.overview.name, found.release.version);
        return Err(ctx.ask_proof_on(&id.to_string(), asking::parameters(&id.to_string()), &description).await);
    }
    answer(&ctx, &which, done).await
}

/// POST `…/release/{version}/yank/`: the same as the form on the release's own address.
///
/// # Errors
/// What is wrong is shown on the page.
pub async fn yank(ctx: Ctx<YankRelease>, input: Input<WhichRelease, Nothing, Forms>) -> Result<Reply, Refusal> {
    let typed = input.form.confirm_yank_version.unwrap_or_default();
    let id = load(&ctx, &input.path).await?.release.id;
    let done = serving::yank(ctx.env(), ctx.actor(), id, (&typed, &input.form.yanked_reason)).await;
    answer(&ctx, &input.path, done.map(|()| Asked::Now)).await
}

/// POST `…/release/{version}/unyank/`.
///
/// # Errors
/// What is wrong is shown on the page.
pub async fn unyank(ctx: Ctx<UnyankRelease>, input: Input<WhichRelease, Nothing, Forms>) -> Result<Reply, Refusal> {
    let typed = input.form.confirm_unyank_version.unwrap_or_default();
    let id = load(&ctx, &input.path).await?.release.id;
    let done = serving::unyank(ctx.env(), ctx.actor(), id, &typed).await;
    answer(&ctx, &input.path, done.map(|()| Asked::Now)).await
}

/// Why something is taken from serving, and which file.
#[derive(Debug, Deserialize)]
pub struct Withdraw {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    file_id: String,
}

/// POST `…/release/{version}/withdraw/`: at once (R19).
///
/// # Errors
/// What is wrong is shown on the page.
pub async fn withdraw(ctx: Ctx<WithdrawRelease>, input: Input<WhichRelease, Nothing, Withdraw>) -> Result<Reply, Refusal> {
    let id: ReleaseId = load(&ctx, &input.path).await?.release.id;
    let done = serving::withdraw_release(ctx.env(), ctx.actor(), id, &input.form.reason).await;
    answer(&ctx, &input.path, done.map(|()| Asked::Now)).await
}

/// POST `…/release/{version}/withdraw-file/`: at once (R19).
///
/// # Errors
/// A file that is not of this release is not found.
pub async fn withdraw_file(ctx: Ctx<WithdrawFile>, input: Input<WhichRelease, Nothing, Withdraw>) -> Result<Reply, Refusal> {
    let (file, _) = file_of(load(&ctx, &input.path).await?, &input.form.file_id)?;
    let done = serving::withdraw_file(ctx.env(), ctx.actor(), file, &input.form.reason).await;
    answer(&ctx, &input.path, done.map(|()| Asked::Now)).await
}

fn file_of(found: Found, id: &str) -> Result<(FileId, String), Refusal> {
    let id = FileId::parse(id).ok_or(Refusal::NotFound)?;
    found.files.into_iter().find(|file| file.id == id).map(|file| (file.id, file.filename)).ok_or(Refusal::NotFound)
}

/// The fields of the form that deletes a file.
#[derive(Debug, Deserialize)]
pub struct OfFile {
    file_id: String,
    #[serde(default)]
    confirm_filename: String,
    act: Option<String>,
}

/// POST `…/release/{version}/delete-file/`.
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn delete_file(ctx: Ctx<DeleteFile>, input: Input<WhichRelease, Nothing, OfFile>) -> Result<Reply, Refusal> {
    let form = input.form;
    let (file, filename) = file_of(load(&ctx, &input.path).await?, &form.file_id)?;
    let act = form.act.as_deref().and_then(ActId::parse);
    let with = Confirmed { field: "confirm_filename", typed: form.confirm_filename, act };
    match asking::delete_file(ctx.env(), ctx.actor(), file, with).await {
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let description = format!("Delete the file {filename}.");
            Err(ctx.ask_proof_on(&file.to_string(), asking::parameters(&file.to_string()), &description).await)
        }
        done => answer(&ctx, &input.path, done).await,
    }
}

/// The lock that ends.
#[derive(Debug, Deserialize)]
pub struct Lifted {
    pub(super) lock_id: String,
    pub(super) act: Option<String>,
}

/// Ends a lock; a missing proof is asked for.
///
/// # Errors
/// The way to a proof.
pub(super) async fn end_lock(ctx: &Ctx<PutBack>, form: &Lifted) -> Result<Result<Asked, Refused>, Refusal> {
    let lock = LockId::parse(&form.lock_id).ok_or(Refusal::NotFound)?;
    let act = form.act.as_deref().and_then(ActId::parse);
    match serving::put_back(ctx.env(), ctx.actor(), lock, act).await {
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let what = ctx.view(lock, |read, permit| Box::pin(async move { serving::description(read, permit).await })).await?;
            Err(ctx.ask_proof_on(&lock.to_string(), serving::parameters(lock), &format!("{what}.")).await)
        }
        done => Ok(done),
    }
}

/// POST `…/release/{version}/put-back/`.
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn put_back(ctx: Ctx<PutBack>, input: Input<WhichRelease, Nothing, Lifted>) -> Result<Reply, Refusal> {
    let done = end_lock(&ctx, &input.form).await?;
    answer(&ctx, &input.path, done).await
}
