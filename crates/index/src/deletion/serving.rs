//! What is served: releases and files withdrawn at once and put back (R7), releases yanked, projects archived, and the end of a lock.

use sea_orm::Value;
use serde_json::json;

use super::Asked;
use super::things::{Thing, lock_row};
use crate::act;
use crate::cases;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{
    self, Entry, FileWithdrawn, ProjectArchived, PutBack as PutBackEvent, ReleaseUnyanked, ReleaseWithdrawn, ReleaseYanked,
};
use crate::holds::{self, Grant, Passed};
use crate::ids::{ActId, FileId, LockId, ReleaseId};
use crate::policy::{Action, Actor, ArchiveProject, Denied, Permit, PutBack, UnyankRelease, WithdrawFile, WithdrawRelease, YankRelease};
use crate::projects::locks::{self, LockKind, Locked, NewLock};
use crate::projects::search;
use crate::refused::{Invalid, Refused};
use crate::resources::ManagedProject;
use crate::signin::acts;

/// The most letters of a reason.
const REASON_MOST: usize = 500;

/// A reason on one line, possibly none.
fn check_reason(field: &'static str, reason: &str) -> Result<String, Invalid> {
    let reason = reason.trim();
    if reason.chars().count() > REASON_MOST || reason.chars().any(char::is_control) {
        return Err(Invalid::new(field, format!("A reason is a text of at most {REASON_MOST} characters on one line.")));
    }
    Ok(reason.to_owned())
}

/// Takes a release from serving, at once.
///
/// # Errors
/// `Invalid` for a reason that is too long.
pub async fn withdraw_release(env: &Env, actor: &Actor, on: ReleaseId, reason: &str) -> Result<(), Refused> {
    let (inner, reason) = (env.clone(), check_reason("reason", reason)?);
    act::act::<WithdrawRelease, _, _>(env, actor, on, move |tx, permit| {
        let (env, reason) = (inner.clone(), reason.clone());
        Box::pin(async move {
            let thing = Thing::of_release(tx, *permit.on()).await?;
            if put_on(&env, tx, permit, (&thing, LockKind::Withdrawn, &reason)).await? {
                let event = ReleaseWithdrawn { version: thing.part, reason };
                events::record(&env, tx, permit, Entry::of(event).on_project(thing.project.id)).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Takes a file from serving, at once.
///
/// # Errors
/// `Invalid` for a reason that is too long.
pub async fn withdraw_file(env: &Env, actor: &Actor, on: FileId, reason: &str) -> Result<(), Refused> {
    let (inner, reason) = (env.clone(), check_reason("reason", reason)?);
    act::act::<WithdrawFile, _, _>(env, actor, on, move |tx, permit| {
        let (env, reason) = (inner.clone(), reason.clone());
        Box::pin(async move {
            let thing = Thing::of_file(tx, *permit.on()).await?;
            if put_on(&env, tx, permit, (&thing, LockKind::Withdrawn, &reason)).await? {
                let event = FileWithdrawn { filename: thing.part, reason };
                events::record(&env, tx, permit, Entry::of(event).on_project(thing.project.id)).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Archives a project: it is shown and takes no upload.
///
/// # Errors
/// The database.
pub async fn archive(env: &Env, actor: &Actor, on: ManagedProject) -> Result<(), Refused> {
    let inner = env.clone();
    act::act::<ArchiveProject, _, _>(env, actor, on, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let thing = Thing::of_project(tx, permit.on()).await?;
            if put_on(&env, tx, permit, (&thing, LockKind::Archived, "")).await? {
                events::record(&env, tx, permit, Entry::of(ProjectArchived {}).on_project(thing.project.id)).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Puts a lock on; false, and everything left, when one of its kind is on already.
async fn put_on<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    (thing, kind, reason): (&Thing, LockKind, &str),
) -> Result<bool, Refused> {
    if locks::open(tx, thing.on, kind).await?.is_some() {
        tx.leave_as_it_was();
        return Ok(false);
    }
    locks::add(env, tx, permit, NewLock { on: thing.on, kind, reason: reason.to_owned(), case: None }).await?;
    Ok(true)
}

/// What the proof of putting back is bound to, and its form is found by again.
#[must_use]
pub fn parameters(lock: LockId) -> serde_json::Value {
    json!({ "what": "put-back", "on": lock.to_string() })
}

/// What a lock is on and what its end would do, in one sentence.
///
/// # Errors
/// The database.
pub async fn description<R: Reading>(read: &R, permit: &Permit<PutBack>) -> Result<String, Refused> {
    let lock = lock_row(read, *permit.on()).await?.ok_or(Denied::Hidden)?;
    let words = Thing::of(read, Locked::of(&lock)).await?.words();
    Ok(sentence(&lock.kind, &words))
}

fn sentence(kind: &str, words: &str) -> String {
    match LockKind::from_wire(kind) {
        Some(LockKind::Deleted) => format!("Undo the deletion of {words}"),
        Some(LockKind::Archived) => format!("Open {words} for uploads again"),
        _ => format!("Serve {words} again"),
    }
}

/// Lifts a lock that an Owner may lift: a deletion that is not erased yet, a withdrawal, an archiving. Others stay on.
///
/// # Errors
/// `NoRole` for a quarantine; `Invalid` for what was erased; `NeedsProof` (R2).
pub async fn put_back(env: &Env, actor: &Actor, lock: LockId, act: Option<ActId>) -> Result<Asked, Refused> {
    let inner = env.clone();
    act::act::<PutBack, _, _>(env, actor, lock, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { lift(&env, tx, permit, act).await })
    })
    .await
}

async fn lift(env: &Env, tx: &mut Tx, permit: &Permit<PutBack>, act: Option<ActId>) -> Result<Asked, Refused> {
    let lock = lock_row(tx, *permit.on()).await?.filter(|lock| lock.until_at.is_none()).ok_or(Denied::Hidden)?;
    if !matches!(LockKind::from_wire(&lock.kind), Some(LockKind::Deleted | LockKind::Withdrawn | LockKind::Archived)) {
        return Err(Denied::NoRole.into());
    }
    if lock.erased_at.is_some() {
        return Err(Invalid::new("", "It was erased after its time and cannot come back.").into());
    }
    let thing = Thing::of(tx, Locked::of(&lock)).await?;
    cases::check_pause(tx, permit.actor(), thing.project.id).await?;
    let bound = parameters(lock.id);
    let proof = acts::spend(env, tx, permit, act, &bound).await?;
    let description = sentence(&lock.kind, &thing.words());
    if let Passed::Held(hold) = holds::pass(env, tx, permit, Grant { proof, parameters: bound, description }).await? {
        return Ok(Asked::Held(hold));
    }
    if !locks::lift(tx, &lock, permit.event()).await? {
        return Err(Denied::Hidden.into());
    }
    let event = PutBackEvent { what: thing.words(), was: lock.kind };
    events::record(env, tx, permit, Entry::of(event).on_project(thing.project.id)).await?;
    Ok(Asked::Now)
}

const YANK: &str = "UPDATE releases SET yanked_at = $2, yanked_reason = $3 WHERE id = $1 AND until_at IS NULL AND yanked_at IS NULL";
const UNYANK: &str =
    "UPDATE releases SET yanked_at = NULL, yanked_reason = NULL WHERE id = $1 AND until_at IS NULL AND yanked_at IS NOT NULL";

/// Yanks a release: installers pass it over unless they are told to use exactly it.
///
/// # Errors
/// `Invalid` when what was typed is not its version, or for a reason that is too long.
pub async fn yank(env: &Env, actor: &Actor, on: ReleaseId, (confirmed, reason): (&str, &str)) -> Result<(), Refused> {
    let (inner, confirmed, reason) = (env.clone(), confirmed.to_owned(), check_reason("yanked_reason", reason)?);
    act::act::<YankRelease, _, _>(env, actor, on, move |tx, permit| {
        let (env, confirmed, reason) = (inner.clone(), confirmed.clone(), reason.clone());
        Box::pin(async move {
            let thing = Thing::of_release(tx, *permit.on()).await?;
            check_version(&thing, "confirm_yank_version", &confirmed)?;
            let values = vec![Value::from(*permit.on()), Value::from(tx.now()), Value::from(reason.as_str())];
            if tx.execute(YANK, values).await? != 1 {
                tx.leave_as_it_was();
                return Ok(());
            }
            search::index_project(tx, thing.project.id).await?;
            let event = ReleaseYanked { version: thing.part, reason };
            events::record(&env, tx, permit, Entry::of(event).on_project(thing.project.id)).await?;
            Ok(())
        })
    })
    .await
}

/// Takes a yank back.
///
/// # Errors
/// `Invalid` when what was typed is not its version.
pub async fn unyank(env: &Env, actor: &Actor, on: ReleaseId, confirmed: &str) -> Result<(), Refused> {
    let (inner, confirmed) = (env.clone(), confirmed.to_owned());
    act::act::<UnyankRelease, _, _>(env, actor, on, move |tx, permit| {
        let (env, confirmed) = (inner.clone(), confirmed.clone());
        Box::pin(async move {
            let thing = Thing::of_release(tx, *permit.on()).await?;
            check_version(&thing, "confirm_unyank_version", &confirmed)?;
            cases::check_pause(tx, permit.actor(), thing.project.id).await?;
            if tx.execute(UNYANK, vec![Value::from(*permit.on())]).await? != 1 {
                tx.leave_as_it_was();
                return Ok(());
            }
            search::index_project(tx, thing.project.id).await?;
            let event = ReleaseUnyanked { version: thing.part };
            events::record(&env, tx, permit, Entry::of(event).on_project(thing.project.id)).await?;
            Ok(())
        })
    })
    .await
}

fn check_version(thing: &Thing, field: &'static str, typed: &str) -> Result<(), Invalid> {
    if typed.trim() == thing.part { Ok(()) } else { Err(Invalid::new(field, format!("Type {} to say that you mean it.", thing.part))) }
}
