//! Putting an account or a project back as it stood at a time: the list first, then the act, with a key's proof for exactly that list.

use index::Refused;
use index::ids::ActId;
use index::policy::{Action, Denied, Restore, SeeRestore};
use index::resources::Restorable;
use index::restoring::{self, Difference, Does, Order};
use index::signin::acts;
use index::staff::{account_named, project_named};
use serde::Deserialize;

use super::phished::{read_time, typed};
use super::{field_error, refused_form};
use crate::gate::Ctx;
use crate::input::{Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::restoring::{Line, List, Restore as Page, Restored};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The name in the path.
#[derive(Deserialize)]
pub struct Named {
    name: String,
}

/// The proof with which somebody comes back.
#[derive(Deserialize)]
pub struct Back {
    act: Option<String>,
}

/// What was typed.
#[derive(Clone, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    at: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: String,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    act: String,
}

/// Which of the two pages it is, and about what.
struct Subject {
    on: Restorable,
    name: String,
    path: String,
}

/// Whoever is no administrator is told the same of what is there and of what is not, before anything that he typed is looked at.
fn hidden(refused: Refused) -> Refusal {
    match refused {
        Refused::Denied(Denied::NoRole) => Refusal::NotFound,
        other => other.into(),
    }
}

async fn account_of<A: Action>(ctx: &Ctx<A>, name: String) -> Result<Subject, Refusal> {
    let on = Restorable::Account(account_named(ctx.env(), ctx.actor(), &name).await.map_err(hidden)?);
    Ok(Subject { on, path: format!("/admin/accounts/{name}/restore/"), name })
}

async fn project_of<A: Action>(ctx: &Ctx<A>, name: String) -> Result<Subject, Refusal> {
    let on = Restorable::Project(project_named(ctx.env(), ctx.actor(), &name).await.map_err(hidden)?);
    Ok(Subject { on, path: format!("/admin/projects/{name}/restore/"), name })
}

/// `GET /admin/accounts/{name}/restore/`.
///
/// # Errors
/// An account that is not there is not found.
pub async fn account_page(ctx: Ctx<SeeRestore>, input: Input<Named, Back>) -> Result<Reply, Refusal> {
    let subject = account_of(&ctx, input.path.name).await?;
    show(&ctx, subject, input.query.act).await
}

/// `GET /admin/projects/{name}/restore/`.
///
/// # Errors
/// A project that is not there is not found.
pub async fn project_page(ctx: Ctx<SeeRestore>, input: Input<Named, Back>) -> Result<Reply, Refusal> {
    let subject = project_of(&ctx, input.path.name).await?;
    show(&ctx, subject, input.query.act).await
}

/// `POST /admin/accounts/{name}/restore/`.
///
/// # Errors
/// `NeedsProof` leads to the proof; what is wrong is shown on the form.
pub async fn account(ctx: Ctx<Restore>, input: Input<Named, Nothing, Typed>) -> Result<Reply, Refusal> {
    let subject = account_of(&ctx, input.path.name).await?;
    answer(&ctx, subject, input.form).await
}

/// `POST /admin/projects/{name}/restore/`.
///
/// # Errors
/// As for an account.
pub async fn project(ctx: Ctx<Restore>, input: Input<Named, Nothing, Typed>) -> Result<Reply, Refusal> {
    let subject = project_of(&ctx, input.path.name).await?;
    answer(&ctx, subject, input.form).await
}

/// The empty form, or the list again for which a proof was made.
async fn show(ctx: &Ctx<SeeRestore>, subject: Subject, act: Option<String>) -> Result<Reply, Refusal> {
    let (act, actor) = (act.as_deref().and_then(ActId::parse), ctx.actor().clone());
    let asked = ctx.view(subject.on, move |read, _| {
        Box::pin(async move {
            match act {
                Some(act) => acts::parameters(read, &actor, act).await,
                None => Ok(None),
            }
        })
    });
    let asked = asked.await?;
    let Some((asked, act)) = asked.zip(act) else {
        return Ok(Reply::page(&page(ctx, &subject, Typed::default(), FormErrors::none(), None)));
    };
    let text = |field: &str| asked[field].as_str().unwrap_or_default().to_owned();
    let at = asked["at"].as_i64().map(index::clock::Time).unwrap_or_else(|| ctx.env().now());
    let typed = Typed { at: at.rfc3339(), reason: text("reason"), act: act.to_string(), ..Typed::default() };
    let list = list(ctx, &subject, at).await?;
    Ok(Reply::page(&page(ctx, &subject, typed, FormErrors::none(), Some(list))))
}

async fn answer(ctx: &Ctx<Restore>, subject: Subject, form: Typed) -> Result<Reply, Refusal> {
    let Some(at) = read_time(&form.at) else {
        let errors = FormErrors::one("at", "Write a date and a time in UTC, like 2026-11-23 08:00.");
        return Ok(refused_form(&page(ctx, &subject, form, errors, None)));
    };
    if !form.dry_run.is_empty() || form.digest.is_empty() {
        return match list(ctx, &subject, at).await {
            Ok(list) => Ok(Reply::page(&page(ctx, &subject, Typed { act: String::new(), ..form }, FormErrors::none(), Some(list)))),
            Err(refused) => Ok(refused_form(&page(ctx, &subject, form, field_error(refused)?, None))),
        };
    }
    let order = Order { at, reason: form.reason.clone(), case: None, digest: Some(form.digest.clone()) };
    let (env, asked, act) = (ctx.env().clone(), order.clone(), ActId::parse(&form.act));
    let done = ctx.act(subject.on, move |tx, permit| {
        let (env, order) = (env.clone(), asked.clone());
        Box::pin(async move { restoring::by_staff(&env, tx, permit, &order, act).await })
    });
    match done.await {
        Ok(restored) => Ok(Reply::page(&Restored {
            frame: ctx.frame(),
            name: subject.name,
            lines: restored.differences.into_iter().map(line).collect(),
            done: restored.done.map(|(batch, case)| (batch.to_string(), case.to_string())),
        })),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let says = format!("Put back {} as it stood on {}: {}", subject.name, at.in_words(), order.reason);
            Err(ctx.ask_proof_on(&subject.on.to_string(), restoring::parameters(&order), &says).await)
        }
        Err(refused) => Ok(refused_form(&page(ctx, &subject, form, field_error(refused)?, None))),
    }
}

async fn list<A: Action<On = Restorable>>(ctx: &Ctx<A>, subject: &Subject, at: index::clock::Time) -> Result<List, Refused> {
    let env = ctx.env().clone();
    let seen = ctx.view(subject.on, move |read, permit| Box::pin(async move { restoring::preview(&env, read, permit, at).await }));
    let seen = seen.await?;
    let changes = seen.differences.iter().filter(|one| one.does != Does::Stays).count();
    Ok(List { changes, already: seen.already, digest: seen.digest, lines: seen.differences.into_iter().map(line).collect() })
}

fn line(difference: Difference) -> Line {
    let does = match difference.does {
        Does::Returns => "Comes back",
        Does::ReturnsPaused => "Comes back paused",
        Does::Ends => "Ends",
        Does::Stops => "Stops",
        Does::Stays => "Stays as it is",
    };
    Line { what: difference.what, does, why: difference.why }
}

fn page<A: Action>(ctx: &Ctx<A>, subject: &Subject, form: Typed, errors: FormErrors, list: Option<List>) -> Page {
    let at = if form.at.is_empty() { typed(ctx.env().now()) } else { form.at };
    Page {
        frame: ctx.frame(),
        errors,
        path: subject.path.clone(),
        name: subject.name.clone(),
        is_account: matches!(subject.on, Restorable::Account(_)),
        at,
        reason: form.reason,
        list,
        act: Some(form.act).filter(|act| !act.is_empty()),
    }
}
