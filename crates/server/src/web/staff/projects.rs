//! Projects: the list, one of them, quarantine and its end.

use index::policy::{Action, QuarantineAsStaff, ReleaseAsStaff, SeeAsStaff};
use index::resources::StaffProject;
use index::staff::project_named;
use index::staff::projects::{self as verbs, Detail};
use index::staff::timeline::Of;

use super::super::when;
use super::{Around, Asked, Asks, Named, Order, Shown, answered, give_back, look, pressing, states, stop, stop_line};
use crate::gate::{Ctx, SITE};
use crate::input::{Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::parts::grouped;
use crate::pages::staff::{Project, ProjectLine, Projects, Tag};
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
            Ok((detail, Around::read(&env, read, permit, (Of::Project(id), before)).await?))
        })
    });
    let (detail, around) = read.await?;
    let env = ctx.env();
    let Detail { project, people, stops, stops_total, releases, files, own } = detail;
    let normalized = project.normalized;
    let place = |does: &str| (does == "release").then(|| (format!("/admin/projects/{normalized}/release/"), "End the quarantine"));
    let pressing = pressing(ctx, shown, place).await?;
    let (cases, order, events, next_page) = around.shown(env, &order);
    Ok(Project {
        frame: ctx.frame(),
        errors,
        name: project.name,
        created: when(env, project.created_at),
        releases,
        files,
        own,
        people: people.into_iter().map(|person| (person.username, person.role, when(env, person.since))).collect(),
        stops_in_all: (stops_total > stops.len() as u64).then(|| grouped(stops_total)),
        stops: stops.into_iter().map(|stop| stop_line(env, stop)).collect(),
        cases,
        order,
        pressing,
        events,
        next_page,
        normalized,
    })
}

/// `POST /admin/projects/{name}/quarantine/`: always possible, in one request (R19).
///
/// # Errors
/// A reason that is missing.
pub async fn quarantine(ctx: Ctx<QuarantineAsStaff>, input: Input<Named, Nothing, Order>) -> Result<Reply, Refusal> {
    let (name, order) = (input.path.name, input.form);
    let project = StaffProject(project_named(ctx.env(), ctx.actor(), &name).await?);
    let done = stop(&ctx, project, &order, |env, tx, permit, reason, case| Box::pin(verbs::quarantine(env, tx, permit, reason, case)));
    let (done, ctx, name) = (done.await, &ctx, &name);
    answered(done, |errors| async move { page(ctx, name, &Shown::default(), (errors, order)).await }).await
}

/// `POST /admin/projects/{name}/release/`: proved by a key for this one act (R20).
///
/// # Errors
/// A project on which the administrator holds a role; nothing that an administrator could end.
pub async fn release(ctx: Ctx<ReleaseAsStaff>, input: Input<Named, Nothing, Order>) -> Result<Reply, Refusal> {
    let (name, order) = (input.path.name, input.form);
    let project = StaffProject(project_named(ctx.env(), ctx.actor(), &name).await?);
    let asks = Asks { does: "release", says: format!("End the quarantine of the project {name}") };
    let done = give_back(&ctx, project, (&order, asks), |env, tx, permit, order| {
        Box::pin(async move { Ok(verbs::release(env, tx, permit, order.which()?, &order.reason).await?.case) })
    });
    let (done, ctx, name) = (done.await, &ctx, &name);
    answered(done, |errors| async move { page(ctx, name, &Shown::default(), (errors, order)).await }).await
}
