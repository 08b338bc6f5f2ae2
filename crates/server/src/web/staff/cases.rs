//! Cases: the list, one of them, notes and the decision.

use index::Refused;
use index::cases::Did;
use index::ids::CaseId;
use index::policy::{Action, CloseAsStaff, Denied, NoteAsStaff, SeeAsStaff};
use index::signin::acts;
use index::staff::casework::{self as verbs, Act, Detail};
use serde::Deserialize;

use super::super::{field_error, refused_form, when};
use super::{Asked, Order, Shown, case_line, look, opening, pressing, states};
use crate::gate::{Ctx, SITE};
use crate::input::{Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::parts::grouped;
use crate::pages::staff::{ActLine, Case, Cases, Tag, Undo};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// `GET /admin/cases/`.
///
/// # Errors
/// The database.
pub async fn list(ctx: Ctx<SeeAsStaff>, input: Input<Nothing, Asked>) -> Result<Reply, Refusal> {
    let shown = verbs::Shown::from_wire(input.query.state.as_deref().unwrap_or_default());
    let before = CaseId::parse(&input.query.before);
    let page = ctx.view(SITE, move |read, permit| Box::pin(async move { verbs::list(read, permit, shown, before).await })).await?;
    Ok(Reply::page(&Cases {
        frame: ctx.frame(),
        states: states(verbs::Shown::ALL.map(verbs::Shown::wire), shown.wire()),
        state: shown.wire().to_owned(),
        total: grouped(page.total),
        cases: page.lines.into_iter().map(|line| case_line(ctx.env(), line)).collect(),
        next_page: page.next.map(|id| id.to_string()),
    }))
}

/// The case in the path.
#[derive(Deserialize)]
pub struct Which {
    id: String,
}

impl Which {
    fn read(&self) -> Result<CaseId, Refusal> {
        CaseId::parse(&self.id).ok_or(Refusal::NotFound)
    }
}

/// What was typed on the page and refused.
#[derive(Default)]
struct Typed {
    errors: FormErrors,
    note: String,
    decision: String,
}

/// `GET /admin/cases/{id}/`.
///
/// # Errors
/// A case that is not there is not found.
pub async fn detail(ctx: Ctx<SeeAsStaff>, input: Input<Which, Shown>) -> Result<Reply, Refusal> {
    Ok(Reply::page(&page(&ctx, input.path.read()?, &input.query, Typed::default()).await?))
}

async fn page<A: Action>(ctx: &Ctx<A>, case: CaseId, shown: &Shown, typed: Typed) -> Result<Case, Refusal> {
    let detail = look(ctx, move |read, permit| Box::pin(async move { verbs::detail(read, permit, case).await })).await?;
    let place = |does: &str| (does == "close").then(|| (format!("/admin/cases/{case}/close/"), "Close the case"));
    let pressing = pressing(ctx, shown, place).await?;
    let env = ctx.env();
    let Detail { id, kind, why, opened_at, opened_by, opened_with, closed, accounts, projects, acts } = detail;
    let in_force = acts.iter().filter(|act| act.in_force && matches!(act.did, Did::Freeze | Did::Pause | Did::Quarantine)).count();
    let act_line = |act: Act| ActLine {
        when: when(env, act.at),
        did: did(act.did),
        state: act.stops().then(|| Tag {
            word: if act.in_force { "In force" } else { "Undone" }.to_owned(),
            class: if act.in_force { "danger" } else { "" },
        }),
        undo: undo(&act),
        by: act.by,
        account: act.account,
        project: act.project,
        text: act.text,
    };
    Ok(Case {
        frame: ctx.frame(),
        errors: typed.errors,
        id: id.to_string(),
        kind: opening(&kind),
        why,
        opened: when(env, opened_at),
        opened_by,
        opened_with,
        closed: closed.map(|(at, by, with)| (when(env, at), by, with)),
        accounts,
        projects,
        // The decision stands once, at the end.
        acts: acts.into_iter().filter(|act| act.did != Did::Close).map(act_line).collect(),
        in_force,
        note: typed.note,
        decision: typed.decision,
        pressing,
    })
}

fn did(did: Did) -> &'static str {
    match did {
        Did::Freeze => "Froze",
        Did::Pause => "Stopped for it",
        Did::Thaw => "Thawed",
        Did::Quarantine => "Put into quarantine",
        Did::Release => "Ended the quarantine of",
        Did::StopHold => "Stopped a change that waited",
        Did::Note => "Note",
        Did::Close => "Closed",
        Did::Restore => "Put back as it stood",
        Did::Undo => "Undid a restore of",
    }
}

/// How an act of a case is undone, while it is in force and an administrator's.
fn undo(act: &Act) -> Option<Undo> {
    if !act.in_force || act.by_operator {
        return None;
    }
    let event = act.event.to_string();
    match (act.did, &act.account, &act.project) {
        (Did::Freeze | Did::Pause, Some(name), _) => {
            Some(Undo { action: format!("/admin/accounts/{name}/thaw/"), event, button: format!("Thaw {name}") })
        }
        (Did::Quarantine, _, Some(name)) => {
            Some(Undo { action: format!("/admin/projects/{name}/release/"), event, button: format!("End the quarantine of {name}") })
        }
        _ => None,
    }
}

/// The field of the note.
#[derive(Deserialize)]
pub struct Note {
    #[serde(default)]
    note: String,
}

/// `POST /admin/cases/{id}/note/`.
///
/// # Errors
/// A note that is empty or too long.
pub async fn note(ctx: Ctx<NoteAsStaff>, input: Input<Which, Nothing, Note>) -> Result<Reply, Refusal> {
    let (case, note) = (input.path.read()?, input.form.note);
    let (env, text) = (ctx.env().clone(), note.clone());
    let done = ctx.act(case, move |tx, permit| {
        let (env, text) = (env.clone(), text.clone());
        Box::pin(async move { verbs::note(&env, tx, permit, &text).await })
    });
    match done.await {
        Ok(()) => Ok(Reply::see_other(&format!("/admin/cases/{case}/"))),
        Err(no) => {
            let typed = Typed { errors: field_error(no)?, note, ..Typed::default() };
            Ok(refused_form(&page(&ctx, case, &Shown::default(), typed).await?))
        }
    }
}

/// `POST /admin/cases/{id}/close/`: proved by a key for this one act (R20).
///
/// # Errors
/// A case that concerns the administrator; one that is closed already.
pub async fn close(ctx: Ctx<CloseAsStaff>, input: Input<Which, Nothing, Order>) -> Result<Reply, Refusal> {
    let (case, order) = (input.path.read()?, input.form);
    let (env, asked, parameters) = (ctx.env().clone(), order.clone(), order.parameters("close"));
    let bound = parameters.clone();
    let done = ctx.act(case, move |tx, permit| {
        let (env, asked, bound) = (env.clone(), asked.clone(), bound.clone());
        Box::pin(async move {
            verbs::close(&env, tx, permit, &asked.reason).await?;
            acts::spend(&env, tx, permit, asked.act(), &bound).await?;
            Ok(())
        })
    });
    match done.await {
        Ok(()) => Ok(Reply::see_other(&format!("/admin/cases/{case}/"))),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let what = format!("Close the case with this decision: {}", order.reason.trim());
            Err(ctx.ask_proof_on(&case.to_string(), parameters, &what).await)
        }
        Err(no) => {
            let typed = Typed { errors: field_error(no)?, decision: order.reason, ..Typed::default() };
            Ok(refused_form(&page(&ctx, case, &Shown::default(), typed).await?))
        }
    }
}
