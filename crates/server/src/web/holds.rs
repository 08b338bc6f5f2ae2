//! Changes that wait: what they are, who was told, and the two answers to them. A veto needs nothing but being concerned.

use index::holds::{self, Answered, Line};
use index::ids::{ActId, HoldId};
use index::policy::{ApproveHold, Denied, ReadIndex, SeeHolds, VetoByLink, VetoHold};
use index::signin::consent;
use index::{Env, Refused};
use serde::Deserialize;

use super::{Token, dead_link, link_dead, link_page, when};
use crate::gate::{Ctx, SITE};
use crate::input::{Form, Input, Nothing};
use crate::pages::holds::{HoldLine, Holds, PersonLine, Veto, Vetoed};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Where the page is.
pub const PAGE: &str = "/manage/holds/";

/// Where a page of the list begins, and the proof with which somebody comes back.
#[derive(Deserialize)]
pub struct From {
    before: Option<String>,
    act: Option<String>,
}

/// `GET /manage/holds/`.
///
/// # Errors
/// The database.
pub async fn list(ctx: Ctx<SeeHolds>, input: Input<Nothing, From>) -> Result<Reply, Refusal> {
    let before = input.query.before.as_deref().and_then(HoldId::parse);
    let account = ctx.account()?;
    let page = ctx.view(account, move |read, permit| Box::pin(async move { holds::page(read, permit, before).await })).await?;
    if let Some(session) = ctx.actor().session {
        holds::serving::shown(ctx.env(), account, session.id).await?;
    }
    let act = input.query.act.as_deref().and_then(ActId::parse).map(|act| act.to_string());
    let lines = page.lines.into_iter().map(|one| line(ctx.env(), one)).collect();
    Ok(Reply::page(&Holds { frame: ctx.frame(), lines, act, next_page: page.before.map(|id| id.to_string()) }))
}

/// A hold as pages show it.
pub(super) fn line(env: &Env, hold: Line) -> HoldLine {
    let waiting = hold.is_waiting();
    let person = |told: holds::Told| PersonLine {
        username: told.username,
        told: told.told_at.map(|at| when(env, at)),
        approved: told.approved_at.is_some(),
    };
    HoldLine {
        id: hold.id.to_string(),
        description: hold.description,
        proposer: hold.proposer,
        proposed: when(env, hold.proposed_at),
        due: when(env, hold.due_at),
        waiting,
        outcome: outcome(&hold.state),
        closed: hold.closed_at.map(|at| when(env, at)),
        because: hold.because,
        open_until: hold.open_until.map(|at| when(env, at)),
        people: hold.people.into_iter().map(person).collect(),
        may_veto: hold.may_veto,
        by_proof: hold.by_proof,
        may_approve: hold.may_approve,
    }
}

fn outcome(state: &str) -> &'static str {
    match state {
        "waiting" => "Waits",
        "done" => "Let through",
        "vetoed" => "Stopped",
        _ => "Will not happen",
    }
}

/// The hold in the path.
#[derive(Deserialize)]
pub struct Which {
    id: String,
}

impl Which {
    fn read(&self) -> Result<HoldId, Refusal> {
        HoldId::parse(&self.id).ok_or(Refusal::NotFound)
    }
}

/// The proof of an approval.
#[derive(Deserialize)]
pub struct Approval {
    act: Option<String>,
}

/// The proof of who takes back what he suspended; nobody else needs one.
#[derive(Deserialize)]
pub struct Stopping {
    act: Option<String>,
}

/// `POST /manage/holds/{id}/approve/`.
///
/// # Errors
/// A hold that does not concern the account is not found; a proof for this act is asked for first.
pub async fn approve(ctx: Ctx<ApproveHold>, input: Input<Which, Nothing, Approval>) -> Result<Reply, Refusal> {
    let hold = input.path.read()?;
    let act = input.form.act.as_deref().and_then(ActId::parse);
    match consent::approve(ctx.env(), ctx.actor(), hold, act).await {
        Ok(Answered::Now | Answered::Over) => Ok(Reply::see_other(PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let what = ctx.view(hold, |read, permit| Box::pin(async move { holds::description(read, permit).await })).await?;
            let what = what.ok_or(Refusal::NotFound)?;
            Err(ctx.ask_proof_on(&hold.to_string(), serde_json::Value::Null, &format!("Approve this change: {what}")).await)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// `POST /manage/holds/{id}/veto/`: always possible (R19).
///
/// # Errors
/// A hold that does not concern the account is not found; what is too young stops nothing settled (R11). Who suspended somebody by it is
/// asked for a proof first.
pub async fn veto(ctx: Ctx<VetoHold>, input: Input<Which, Nothing, Stopping>) -> Result<Reply, Refusal> {
    let hold = input.path.read()?;
    let act = input.form.act.as_deref().and_then(ActId::parse);
    match consent::veto(ctx.env(), ctx.actor(), hold, act).await {
        Ok(Answered::Now | Answered::Over) => Ok(Reply::see_other(PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let what = ctx.view(hold, |read, permit| Box::pin(async move { holds::description(read, permit).await })).await?;
            let what = what.ok_or(Refusal::NotFound)?;
            let asks = format!("Take this back, so that the role works again which it suspends: {what}");
            Err(ctx.ask_proof_on(&hold.to_string(), serde_json::Value::Null, &asks).await)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// `GET /account/veto/?token=`: explains, and changes nothing.
///
/// # Errors
/// The database.
pub async fn veto_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Token>) -> Result<Reply, Refusal> {
    let found = match input.query.read() {
        Some(token) => ctx.view(SITE, move |read, _| Box::pin(async move { holds::to_veto(read, &token).await })).await?,
        None => None,
    };
    let reply = match found {
        Some(hold) => Reply::page(&Veto { frame: ctx.frame(), token: input.query.token, hold: line(ctx.env(), hold) }),
        None => link_dead(ctx.frame(), "stop a change", None),
    };
    Ok(link_page(reply, ctx.env()))
}

/// `POST /account/veto/`: no sign-in, in every state of the account (R10).
///
/// # Errors
/// `LinkDead`; one mailbox has one veto by link for a subject in 30 days (R17).
pub async fn veto_by_link(ctx: Ctx<VetoByLink>, _: Form<Nothing>) -> Result<Reply, Refusal> {
    let answered = holds::veto_by_link(ctx.env(), ctx.actor()).await.map_err(dead_link)?;
    let reply = Reply::page(&Vetoed { frame: ctx.frame(), over: answered == Answered::Over });
    Ok(link_page(reply, ctx.env()))
}
