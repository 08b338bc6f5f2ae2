//! Projects: the list, one of them, quarantine and its end.

use index::policy::{Action, Denied, QuarantineAsStaff, ReleaseAsStaff, SeeAsStaff};
use index::resources::StaffProject;
use index::signin::acts;
use index::staff::projects::{self as verbs, Detail};
use index::staff::{casework, project_named, timeline};
use index::{Env, Refused};

use super::super::{field_error, refused_form, when};
use super::{Asked, Named, Order, Shown, case_line, choices, event_line, look, pressing, states};
use crate::gate::{Ctx, SITE};
use crate::input::{Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::parts::grouped;
use crate::pages::staff::{Order as Form, Project, ProjectLine, Projects, Stop, Tag};
use crate::refusal::Refusal;
use crate::reply::Reply;

fn tag(kind: String) -> Tag {
    let class = match kind.as_str() {
        "quarantined" => "danger",
        "deleted" | "withdrawn" => "warning",
        _ => "",
    };
    Tag { word: kind, class }
}

/// `GET /admin/projects/`.
///
/// # Errors
/// The database.
pub async fn list(ctx: Ctx<SeeAsStaff>, input: Input<Nothing, Asked>) -> Result<Reply, Refusal> {
    let shown = verbs::Shown::from_wire(input.query.state.as_deref().unwrap_or_default());
    let (q, after) = (input.query.q.clone(), input.query.after);
    let page = ctx.view(SITE, move |read, permit| Box::pin(async move { verbs::list(read, permit, shown, (&q, &after)).await }));
    let page = page.await?;
    let line = |line: verbs::Line| ProjectLine {
        name: line.name,
        normalized: line.normalized,
        locks: line.locks.into_iter().map(tag).collect(),
        created: when(ctx.env(), line.created_at),
    };
    Ok(Reply::page(&Projects {
        frame: ctx.frame(),
        q: input.query.q.trim().to_owned(),
        states: states(verbs::Shown::ALL.map(verbs::Shown::wire), shown.wire()),
        state: shown.wire().to_owned(),
        total: grouped(page.total),
        lines: page.lines.into_iter().map(line).collect(),
        next_page: page.next,
    }))
}

/// `GET /admin/projects/{name}/`.
///
/// # Errors
/// A project that is not there is not found.
pub async fn detail(ctx: Ctx<SeeAsStaff>, input: Input<Named, Shown>) -> Result<Reply, Refusal> {
    Ok(Reply::page(&page(&ctx, &input.path.name, &input.query, (FormErrors::none(), Order::default())).await?))
}

/// The page, as any act on the project may show it again with what was refused.
async fn page<A: Action>(ctx: &Ctx<A>, name: &str, shown: &Shown, (errors, order): (FormErrors, Order)) -> Result<Project, Refusal> {
    let (env, typed, before) = (ctx.env().clone(), name.to_owned(), shown.before);
    let read = look(ctx, move |read, permit| {
        Box::pin(async move {
            let (id, detail) = verbs::detail(read, permit, &typed).await?;
            let cases = casework::of_subject(read, permit, id.0).await?;
            let open = casework::to_join(read, permit).await?;
            Ok((detail, cases, open, timeline::page(&env, read, permit, timeline::Of::Project(id), before).await?))
        })
    });
    let (detail, cases, open, events) = read.await?;
    let env = ctx.env();
    let Detail { project, people, stops, releases, files, own } = detail;
    let normalized = project.normalized.clone();
    let place = |does: &str| (does == "release").then(|| (format!("/admin/projects/{normalized}/release/"), "End the quarantine"));
    let pressing = pressing(ctx, shown, place).await?;
    Ok(Project {
        frame: ctx.frame(),
        errors,
        name: project.name,
        created: when(env, project.created_at),
        releases,
        files,
        own,
        people: people.into_iter().map(|person| (person.username, person.role, when(env, person.since))).collect(),
        stops: stops.into_iter().map(|stop| stop_line(env, stop)).collect(),
        cases: cases.into_iter().map(|line| case_line(env, line)).collect(),
        order: Form { reason: order.reason.clone(), cases: choices(open, order.case.trim()) },
        pressing,
        events: events.lines.into_iter().map(|line| event_line(env, line)).collect(),
        next_page: events.before.map(|seq| seq.to_string()),
        normalized,
    })
}

fn stop_line(env: &Env, stop: verbs::Stop) -> Stop {
    Stop {
        kind: stop.kind,
        on: stop.on,
        reason: stop.reason,
        since: when(env, stop.since),
        by: stop.by,
        case: stop.case.map(|case| case.to_string()),
        event: stop.event.to_string(),
        can_end: stop.can_release,
    }
}

/// The page again, with what was wrong.
async fn refused<A: Action>(ctx: &Ctx<A>, name: &str, order: Order, refused: Refused) -> Result<Reply, Refusal> {
    let errors = field_error(refused)?;
    Ok(refused_form(&page(ctx, name, &Shown::default(), (errors, order)).await?))
}

/// `POST /admin/projects/{name}/quarantine/`: always possible, in one request (R19).
///
/// # Errors
/// A reason that is missing.
pub async fn quarantine(ctx: Ctx<QuarantineAsStaff>, input: Input<Named, Nothing, Order>) -> Result<Reply, Refusal> {
    let (name, order) = (input.path.name, input.form);
    let project = project_named(ctx.env(), ctx.actor(), &name).await?;
    let case = match order.joins() {
        Ok(case) => case,
        Err(invalid) => return refused(&ctx, &name, order, invalid.into()).await,
    };
    let (env, reason) = (ctx.env().clone(), order.reason.clone());
    let done = ctx.act(StaffProject(project), move |tx, permit| {
        let (env, reason) = (env.clone(), reason.clone());
        Box::pin(async move { verbs::quarantine(&env, tx, permit, &reason, case).await })
    });
    match done.await {
        Ok(done) => Ok(Reply::see_other(&format!("/admin/cases/{}/", done.case))),
        Err(no) => refused(&ctx, &name, order, no).await,
    }
}

/// `POST /admin/projects/{name}/release/`: proved by a key for this one act (R20).
///
/// # Errors
/// A project on which the administrator holds a role; nothing that an administrator could end.
pub async fn release(ctx: Ctx<ReleaseAsStaff>, input: Input<Named, Nothing, Order>) -> Result<Reply, Refusal> {
    let (name, order) = (input.path.name, input.form);
    let project = StaffProject(project_named(ctx.env(), ctx.actor(), &name).await?);
    let which = match order.which() {
        Ok(which) => which,
        Err(invalid) => return refused(&ctx, &name, order, invalid.into()).await,
    };
    let (env, asked, parameters) = (ctx.env().clone(), order.clone(), order.parameters("release"));
    let bound = parameters.clone();
    let done = ctx.act(project, move |tx, permit| {
        let (env, asked, bound) = (env.clone(), asked.clone(), bound.clone());
        Box::pin(async move {
            // As with a thaw: what cannot be done is said first, and without its proof nothing of this stays.
            let undone = verbs::release(&env, tx, permit, which, &asked.reason).await?;
            acts::spend(&env, tx, permit, asked.act(), &bound).await?;
            Ok(undone)
        })
    });
    match done.await {
        Ok(undone) => Ok(Reply::see_other(&format!("/admin/cases/{}/", undone.case))),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let what = format!("End the quarantine of the project {name}: {}", order.reason.trim());
            Err(ctx.ask_proof_on(&project.to_string(), parameters, &what).await)
        }
        Err(no) => refused(&ctx, &name, order, no).await,
    }
}
