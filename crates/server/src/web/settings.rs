//! `/manage/project/{name}/settings/`: archived, deleted, and back.

use index::Refused;
use index::deletion::asking::{self, Confirmed};
use index::deletion::show::{self, LockLine as Locked};
use index::deletion::{Asked, serving};
use index::ids::ActId;
use index::policy::{Action, ArchiveProject, DeleteProject, Denied, PutBack, SeeProject};
use index::projects::locks::LockKind;
use index::projects::managing;
use serde::Deserialize;

use super::managing::{Which, shell};
use super::releases::{Back, Lifted, end_lock, lock_line, proved};
use super::{field_error, holds, refused_form};
use crate::gate::Ctx;
use crate::input::{Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::deleting::{Proved, Settings};
use crate::refusal::Refusal;
use crate::reply::Reply;

async fn load<A: Action>(ctx: &Ctx<A>, which: &Which) -> Result<(managing::Overview, Vec<Locked>), Refusal> {
    let env = ctx.env().clone();
    let found = index::act::view::<SeeProject, _, _>(ctx.env(), ctx.actor(), which.read()?, move |read, permit| {
        Box::pin(async move {
            let overview = managing::overview(read, permit).await?;
            let locks = show::of_project(&env, read, overview.id).await?;
            Ok::<_, Refused>((overview, locks))
        })
    });
    Ok(found.await?)
}

async fn page<A: Action>(ctx: &Ctx<A>, which: &Which, errors: FormErrors, proved: Option<Proved>) -> Result<Settings, Refusal> {
    let (overview, locks) = load(ctx, which).await?;
    let config = &ctx.env().config;
    Ok(Settings {
        frame: ctx.frame(),
        shell: shell(ctx, &overview),
        errors,
        locks: locks.into_iter().map(|lock| lock_line(ctx, lock)).collect(),
        proved,
        days: config.retention_days,
        wait: super::deleting::lasting(config.hold_loosening.0),
    })
}

/// GET `/manage/project/{name}/settings/`.
///
/// # Errors
/// A project on which the account holds no role is not found.
pub async fn show(ctx: Ctx<SeeProject>, input: Input<Which, Back>) -> Result<Reply, Refusal> {
    let proved = proved(&ctx, &input.query).await?;
    Ok(Reply::page(&page(&ctx, &input.path, FormErrors::none(), proved).await?))
}

async fn answer<A: Action>(ctx: &Ctx<A>, which: &Which, done: Result<Asked, Refused>) -> Result<Reply, Refusal> {
    match done {
        Ok(Asked::Now) => Ok(Reply::see_other(&format!("/manage/project/{}/settings/", which.read()?))),
        Ok(Asked::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(refused) => {
            let errors = field_error(refused)?;
            Ok(refused_form(&page(ctx, which, errors, None).await?))
        }
    }
}

/// POST `/manage/project/{name}/settings/archive/`.
///
/// # Errors
/// A project that is not the account's is not found.
pub async fn archive(ctx: Ctx<ArchiveProject>, input: Input<Which>) -> Result<Reply, Refusal> {
    let done = serving::archive(ctx.env(), ctx.actor(), input.path.read()?).await;
    answer(&ctx, &input.path, done.map(|()| Asked::Now)).await
}

/// The proof for the end of an archiving.
#[derive(Debug, Deserialize)]
pub struct Unarchive {
    act: Option<String>,
}

/// POST `/manage/project/{name}/settings/unarchive/`.
///
/// # Errors
/// The way to a proof; a project that is not archived stays as it is.
pub async fn unarchive(ctx: Ctx<PutBack>, input: Input<Which, Nothing, Unarchive>) -> Result<Reply, Refusal> {
    let (_, locks) = load(&ctx, &input.path).await?;
    let Some(lock) = locks.into_iter().find(|lock| lock.kind == LockKind::Archived) else {
        return answer(&ctx, &input.path, Ok(Asked::Now)).await;
    };
    let form = Lifted { lock_id: lock.id.to_string(), act: input.form.act };
    let done = end_lock(&ctx, &form).await?;
    answer(&ctx, &input.path, done).await
}

/// POST `/manage/project/{name}/settings/put-back/`.
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn put_back(ctx: Ctx<PutBack>, input: Input<Which, Nothing, Lifted>) -> Result<Reply, Refusal> {
    let done = end_lock(&ctx, &input.form).await?;
    answer(&ctx, &input.path, done).await
}

/// The fields of the form that deletes a project.
#[derive(Debug, Deserialize)]
pub struct Delete {
    #[serde(default)]
    confirm_project_name: String,
    act: Option<String>,
}

/// POST `/manage/project/{name}/settings/delete/`.
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn delete(ctx: Ctx<DeleteProject>, input: Input<Which, Nothing, Delete>) -> Result<Reply, Refusal> {
    let (on, form) = (input.path.read()?, input.form);
    let act = form.act.as_deref().and_then(ActId::parse);
    let with = Confirmed { field: "confirm_project_name", typed: form.confirm_project_name, act };
    match asking::delete_project(ctx.env(), ctx.actor(), on.clone(), with).await {
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let subject = on.to_string();
            let description = format!("Delete the project {}.", on.0.as_str());
            Err(ctx.ask_proof_on(&subject, asking::parameters(&subject), &description).await)
        }
        done => answer(&ctx, &input.path, done).await,
    }
}
