//! All changes that wait, and stopping one.

use index::ids::HoldId;
use index::policy::{Action, SeeAsStaff, StopHoldAsStaff};
use index::resources::StaffHold as Subject;
use index::staff::holds::{self as verbs, STATES};
use serde::Deserialize;

use super::super::holds::line;
use super::super::{field_error, refused_form};
use super::{Asked, Order, look, states, unnamed};
use crate::gate::Ctx;
use crate::input::{Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::parts::grouped;
use crate::pages::staff::{Holds, StaffHold};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// `GET /admin/holds/`.
///
/// # Errors
/// The database.
pub async fn list(ctx: Ctx<SeeAsStaff>, input: Input<Nothing, Asked>) -> Result<Reply, Refusal> {
    let state = input.query.state.as_deref().unwrap_or("waiting");
    let before = HoldId::parse(&input.query.before);
    Ok(Reply::page(&page(&ctx, state, before, FormErrors::none()).await?))
}

async fn page<A: Action>(ctx: &Ctx<A>, state: &str, before: Option<HoldId>, errors: FormErrors) -> Result<Holds, Refusal> {
    let state = STATES.into_iter().find(|known| *known == state).unwrap_or("waiting");
    let page = look(ctx, move |read, permit| Box::pin(async move { verbs::list(read, permit, state, before).await })).await?;
    let listed = |listed: verbs::Listed| StaffHold {
        hold: line(ctx.env(), listed.line),
        project: listed.project,
        case: listed.case.map(|case| case.to_string()),
        own: listed.own,
    };
    Ok(Holds {
        frame: ctx.frame(),
        errors,
        states: states(STATES, state),
        state: state.to_owned(),
        total: grouped(page.total),
        lines: page.lines.into_iter().map(listed).collect(),
        next_page: page.next.map(|id| id.to_string()),
    })
}

/// The change in the path.
#[derive(Deserialize)]
pub struct Which {
    id: String,
}

/// `POST /admin/holds/{id}/stop/`: always possible, in one request (R19).
///
/// # Errors
/// A change that concerns the administrator; a reason that is missing.
pub async fn stop(ctx: Ctx<StopHoldAsStaff>, input: Input<Which, Nothing, Order>) -> Result<Reply, Refusal> {
    let hold = HoldId::parse(&input.path.id).ok_or(Refusal::NotFound)?;
    let order = input.form;
    let case = match order.joins() {
        Ok(case) => case,
        Err(invalid) => return refused(&ctx, invalid.into()).await,
    };
    let (env, reason) = (ctx.env().clone(), order.reason.clone());
    let done = ctx.act(Subject(hold), move |tx, permit| {
        let (env, reason) = (env.clone(), reason.clone());
        Box::pin(async move { verbs::stop(&env, tx, permit, &reason, case).await })
    });
    match done.await {
        Ok(done) => Ok(Reply::see_other(&format!("/admin/cases/{}/", done.case))),
        Err(no) => refused(&ctx, no).await,
    }
}

/// The list again, with what was wrong: its forms are many, so that no field is named.
async fn refused(ctx: &Ctx<StopHoldAsStaff>, refused: index::Refused) -> Result<Reply, Refusal> {
    let errors = unnamed(&field_error(refused)?);
    Ok(refused_form(&page(ctx, "waiting", None, errors).await?))
}
