//! Cases: the list, one of them, notes and the decision.

use index::cases::Did;
use index::ids::{BatchId, CaseId, EntryId};
use index::policy::{Action, CloseAsStaff, Denied, NoteAsStaff, SeeAsStaff, UndoRestoreAsStaff};
use index::restoring;
use index::staff::casework::{self as verbs, Act, Detail};
use serde::Deserialize;

use super::super::{field_error, refused_form, when};
use super::{Asked, Asks, Order, Shown, answered, case_line, give_back, look, opening, pressing, states, unnamed};
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
    let after = shown.after.as_deref().and_then(EntryId::parse);
    let detail = look(ctx, move |read, permit| Box::pin(async move { verbs::detail(read, permit, case, after).await })).await?;
    let place = |does: &str| match does {
        "close" => Some((format!("/admin/cases/{case}/close/"), "Close the case")),
        "undo" => Some((format!("/admin/cases/{case}/undo/"), "Undo it")),
        _ => None,
    };
    let pressing = pressing(ctx, shown, place).await?;
    let env = ctx.env();
    let Detail { id, kind, why, opened_at, opened_by, opened_with, closed, accounts, projects, acts, next, in_force } = detail;
    let act_line = |act: Act| ActLine {
        when: when(env, act.at),
        did: did(act.did),
        state: act.stops().then(|| Tag {
            word: if act.in_force { "In force" } else { "Undone" }.to_owned(),
            class: if act.in_force { "danger" } else { "" },
        }),
        undo: undo(case, &act),
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
        next_page: next.map(|act| act.to_string()),
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
fn undo(case: CaseId, act: &Act) -> Option<Undo> {
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
        (did @ (Did::Restore | Did::Undo), account, project) => {
            let name = account.as_deref().or(project.as_deref()).unwrap_or_default();
            let what = if did == Did::Restore { "the restore" } else { "the undoing" };
            Some(Undo { action: format!("/admin/cases/{case}/undo/"), event, button: format!("Undo {what} of {name}") })
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
    let asks = Asks { does: "close", says: "Close the case with this decision".to_owned() };
    let done = give_back(&ctx, case, (&order, asks), |env, tx, permit, order| {
        Box::pin(async move { verbs::close(env, tx, permit, &order.reason).await.map(|_| *permit.on()) })
    });
    let (done, ctx, decision) = (done.await, &ctx, order.reason);
    answered(done, |errors| async move { page(ctx, case, &Shown::default(), Typed { errors, decision, ..Typed::default() }).await }).await
}

/// `POST /admin/cases/{id}/undo/`: what was put back in it, or the undoing of that; proved by a key for this one act (R18, R20).
///
/// # Errors
/// What the operator did; what is the administrator's own; what was undone already.
pub async fn undo_restore(ctx: Ctx<UndoRestoreAsStaff>, input: Input<Which, Nothing, Order>) -> Result<Reply, Refusal> {
    let (case, order) = (input.path.read()?, Order { case: input.path.id.clone(), ..input.form });
    let batch = BatchId::parse(order.of.trim()).ok_or(Refusal::NotFound)?;
    let asks = Asks { does: "undo", says: "Undo what was put back".to_owned() };
    let done = give_back(&ctx, batch, (&order, asks), |env, tx, permit, order| {
        Box::pin(async move {
            let case = order.joins()?.ok_or(Denied::Hidden)?;
            Ok(restoring::undo_by_staff(env, tx, permit, (case, &order.reason)).await?.case)
        })
    });
    let (done, ctx) = (done.await, &ctx);
    // The reason of an undo is one of many on the page, and not that of the decision.
    let again = |errors: FormErrors| async move {
        let typed = Typed { errors: unnamed(&errors), ..Typed::default() };
        page(ctx, case, &Shown::default(), typed).await
    };
    answered(done, again).await
}
