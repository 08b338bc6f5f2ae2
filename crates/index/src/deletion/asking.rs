//! A project, a release or a file, deleted by an Owner: the change waits and concerns the settled Owners (R7); then a lock hides it.

use std::fmt::Display;

use serde_json::{Value, json};

use super::Asked;
use super::things::{Thing, settled_owners};
use crate::accounts::deleted::retention;
use crate::cases;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, FileDeleted, ProjectDeleted, ReleaseDeleted};
use crate::holds::{self, Decision, Proposal};
use crate::ids::{ActId, FileId, ReleaseId};
use crate::policy::{Action, Actor, DeleteFile, DeleteProject, DeleteRelease, Denied, Loosened, Permit};
use crate::projects::locks::{self, LockKind, Locked, NewLock};
use crate::refused::{Invalid, Refused};
use crate::resources::ManagedProject;
use crate::signin::acts;

/// What the proof of a deletion is bound to, and its form is found by again: the id of what is deleted, or a project's normalized name.
#[must_use]
pub fn parameters(on: &str) -> Value {
    json!({ "what": "delete", "on": on })
}

/// What somebody typed to say that they mean it, in which field, and the proof that they made.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// The field of the form.
    pub field: &'static str,
    /// What was typed.
    pub typed: String,
    /// The proof for this one act.
    pub act: Option<ActId>,
}

/// Asks that a project be deleted.
///
/// # Errors
/// `Invalid` when what was typed is not its name, or it is deleted already; `NeedsProof` (R2); `Barred` after a veto (R10).
pub async fn delete_project(env: &Env, actor: &Actor, on: ManagedProject, with: Confirmed) -> Result<Asked, Refused> {
    let inner = env.clone();
    holds::loosen::<DeleteProject, _, _>(env, actor, on, move |tx, permit| {
        let (env, with) = (inner.clone(), with.clone());
        Box::pin(async move {
            let thing = Thing::of_project(tx, permit.on()).await?;
            ask(&env, tx, permit, (&thing, &with)).await
        })
    })
    .await
}

/// Asks that a release be deleted.
///
/// # Errors
/// As `delete_project`.
pub async fn delete_release(env: &Env, actor: &Actor, on: ReleaseId, with: Confirmed) -> Result<Asked, Refused> {
    let inner = env.clone();
    holds::loosen::<DeleteRelease, _, _>(env, actor, on, move |tx, permit| {
        let (env, with) = (inner.clone(), with.clone());
        Box::pin(async move {
            let thing = Thing::of_release(tx, *permit.on()).await?;
            ask(&env, tx, permit, (&thing, &with)).await
        })
    })
    .await
}

/// Asks that a file be deleted.
///
/// # Errors
/// As `delete_project`.
pub async fn delete_file(env: &Env, actor: &Actor, on: FileId, with: Confirmed) -> Result<Asked, Refused> {
    let inner = env.clone();
    holds::loosen::<DeleteFile, _, _>(env, actor, on, move |tx, permit| {
        let (env, with) = (inner.clone(), with.clone());
        Box::pin(async move {
            let thing = Thing::of_file(tx, *permit.on()).await?;
            ask(&env, tx, permit, (&thing, &with)).await
        })
    })
    .await
}

async fn ask<A>(env: &Env, tx: &mut Tx, permit: &Permit<A>, (thing, with): (&Thing, &Confirmed)) -> Result<Asked, Refused>
where
    A: Action,
    A::On: Display,
{
    check_typed(thing, with)?;
    check_not_deleted(tx, thing).await?;
    cases::check_pause(tx, permit.actor(), thing.project.id).await?;
    let proof = acts::spend(env, tx, permit, with.act, &parameters(&permit.on().to_string())).await?;
    let proposal = Proposal {
        account: permit.actor().account().ok_or(Denied::NotValid)?,
        project: Some(thing.project.id),
        payload: Value::Null,
        description: format!("Delete {}", thing.words()),
        people: settled_owners(env, tx, thing.project.id).await?,
        proof: Some(proof),
        waits: Some(env.config.hold_loosening.0),
    };
    match holds::decide(env, tx, permit, proposal).await? {
        Decision::Held(hold) => Ok(Asked::Held(hold)),
        Decision::Now(loosened) => {
            hide(env, tx, &loosened, thing).await?;
            Ok(Asked::Now)
        }
    }
}

fn check_typed(thing: &Thing, with: &Confirmed) -> Result<(), Invalid> {
    let same = match thing.on {
        Locked::Project(_) => {
            formats::ProjectName::parse(with.typed.trim()).is_ok_and(|name| name.normalized().as_str() == thing.project.normalized)
        }
        Locked::Release(..) | Locked::File(..) => with.typed.trim() == thing.part,
    };
    if same { Ok(()) } else { Err(Invalid::new(with.field, format!("Type {} to say that you mean it.", thing.typed()))) }
}

async fn check_not_deleted(tx: &Tx, thing: &Thing) -> Result<(), Refused> {
    if locks::open(tx, thing.on, LockKind::Deleted).await?.is_some() {
        return Err(Invalid::new("", format!("It is deleted already: {}.", thing.words())).into());
    }
    Ok(())
}

/// Deletes a project: it is hidden, and everything of it is kept.
pub(crate) async fn take_project(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, DeleteProject>) -> Result<(), Refused> {
    let thing = Thing::of_project(tx, loosened.permit().on()).await?;
    hide(env, tx, loosened, &thing).await
}

/// Deletes a release.
pub(crate) async fn take_release(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, DeleteRelease>) -> Result<(), Refused> {
    let thing = Thing::of_release(tx, *loosened.permit().on()).await?;
    hide(env, tx, loosened, &thing).await
}

/// Deletes a file.
pub(crate) async fn take_file(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, DeleteFile>) -> Result<(), Refused> {
    let thing = Thing::of_file(tx, *loosened.permit().on()).await?;
    hide(env, tx, loosened, &thing).await
}

async fn hide<A: Action>(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, A>, thing: &Thing) -> Result<(), Refused> {
    let permit = loosened.permit();
    check_not_deleted(tx, thing).await?;
    locks::add(env, tx, permit, NewLock { on: thing.on, kind: LockKind::Deleted, reason: String::new(), case: None }).await?;
    let (project, until) = (thing.project.id, tx.now().plus(retention(env)).in_words());
    let part = thing.part.clone();
    match thing.on {
        Locked::Project(_) => events::record(env, tx, permit, Entry::of(ProjectDeleted { until }).on_project(project)).await?,
        Locked::Release(..) => {
            events::record(env, tx, permit, Entry::of(ReleaseDeleted { version: part, until }).on_project(project)).await?
        }
        Locked::File(..) => events::record(env, tx, permit, Entry::of(FileDeleted { filename: part, until }).on_project(project)).await?,
    };
    Ok(())
}
