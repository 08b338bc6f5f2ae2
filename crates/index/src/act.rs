//! The ways in: `act` changes, `view` reads what is not public, `may` asks early, `housekeeping` tends what is nobody's doing.
//!
//! `act` decides, changes and records in one transaction and refuses to commit without an event of a kind that the actions
//! table allows. It is spawned, so that a client that hangs up cannot cut it in two; a refusal is recorded after the rollback.

use futures_util::future::BoxFuture;

use crate::db::{Read, Tx, is_conflict};
use crate::env::Env;
use crate::epochs;
use crate::events;
use crate::ids::{AccountId, EventId};
use crate::policy::{Action, ActionName, Actor, Credential, Denied, Direction, Leaves, Permit, decide, grant, grant_held};
use crate::refused::Refused;

/// How often an act that met a conflict is tried.
const TRIES: u32 = 4;

/// Reasons for changes that nobody decides and that leave no event. A test walks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Housekeeping {
    /// When a session was last seen.
    SessionSeen,
    /// Counting towards a limit.
    Limits,
    /// The queue: claims, retries, schedules.
    Queue,
    /// A credential was presented and refused: there is no permit, only the record.
    Refusals,
    /// Removing what has expired.
    Expiry,
    /// When the index served, and who was told of a hold (R9).
    Holds,
    /// A challenge for a security key, handed to a browser: it opens nothing until it is answered.
    Challenges,
    /// Sealing the audit trail, and how far it was shipped: an event about it would have to be sealed too.
    Seals,
}

impl Housekeeping {
    /// All reasons.
    pub const ALL: &'static [Self] =
        &[Self::SessionSeen, Self::Limits, Self::Queue, Self::Refusals, Self::Expiry, Self::Holds, Self::Challenges, Self::Seals];
}

/// Does one thing: decides, changes and records in one transaction.
///
/// # Errors
/// `Denied` by policy; whatever the verb refuses; `Fault` when the database fails or the verb recorded nothing.
pub async fn act<A, T, F>(env: &Env, actor: &Actor, on: A::On, work: F) -> Result<T, Refused>
where
    A: Action,
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>> + Send + Sync + 'static,
{
    const { assert!(!matches!(A::NAME.direction(), Direction::Loosens), "what loosens goes through `holds::loosen`") };
    run(env, actor, on, Asker::Actor, work).await
}

/// The way in for what takes protection away; only the room of holds uses it (a test keeps it so).
///
/// # Errors
/// As `act`.
pub(crate) async fn loosening<A, T, F>(env: &Env, actor: &Actor, on: A::On, work: F) -> Result<T, Refused>
where
    A: Action,
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>> + Send + Sync + 'static,
{
    run(env, actor, on, Asker::Actor, work).await
}

/// The way in for a job that does what an account proposed: judged with the rights that this account has now (R9).
///
/// # Errors
/// As `act`.
pub(crate) async fn held<A, T, F>(env: &Env, (worker, proposer): (&Actor, AccountId), on: A::On, work: F) -> Result<T, Refused>
where
    A: Action,
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>> + Send + Sync + 'static,
{
    run(env, worker, on, Asker::Proposer(proposer), work).await
}

/// Whose rights decide.
#[derive(Clone, Copy)]
enum Asker {
    /// Those of whoever acts.
    Actor,
    /// Those of the account that proposed what now is done.
    Proposer(AccountId),
}

async fn run<A, T, F>(env: &Env, actor: &Actor, on: A::On, asker: Asker, work: F) -> Result<T, Refused>
where
    A: Action,
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>> + Send + Sync + 'static,
{
    let (env, actor) = (env.clone(), actor.clone());
    let done = tokio::spawn(async move {
        let mut tries = 0;
        loop {
            tries += 1;
            match once::<A, T, F>(&env, (&actor, asker), on.clone(), &work).await {
                Err(Refused::Fault(e)) if tries < TRIES && met_conflict(&e) => {}
                Err(Refused::Denied(denied)) => {
                    note_refusal::<A>(&env, &actor, &denied).await?;
                    return Err(Refused::Denied(denied));
                }
                other => return other,
            }
        }
    });
    done.await.map_err(|e| anyhow::anyhow!("{} did not end: {e}", A::NAME.wire()))?
}

async fn once<A, T, F>(env: &Env, (actor, asker): (&Actor, Asker), on: A::On, work: &F) -> Result<T, Refused>
where
    A: Action,
    F: for<'t> Fn(&'t mut Tx, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>> + Send + Sync,
{
    let mut tx = env.db.begin(env.now()).await?;
    if waits_for_opening::<A>(actor, asker) && epochs::is_read_only(&tx).await? {
        tx.rollback().await?;
        return Err(Denied::ReadOnly.into());
    }
    let event = EventId::new(env.now(), &*env.entropy);
    let permit = match asker {
        Asker::Actor => grant::<A>(&tx, actor, on, event).await?,
        Asker::Proposer(proposer) => grant_held::<A>(&tx, actor, proposer, on, event).await?,
    };
    let out = match work(&mut tx, &permit).await {
        Ok(out) => out,
        Err(refused) => {
            tx.rollback().await?;
            return Err(refused);
        }
    };
    if tx.is_left_as_it_was() {
        tx.rollback().await?;
        return Ok(out);
    }
    check_recorded::<A>(&tx)?;
    crash_point(&format!("{}/before_commit", A::NAME.wire()));
    let old = tx.commit().await?;
    crash_point(&format!("{}/after_commit", A::NAME.wire()));
    env.prepared.drop_pages(&old);
    Ok(out)
}

/// The steps by which somebody signs in, or proves a factor once more: they give nothing but a look, and the power to stop things.
pub const SIGNS_IN: [ActionName; 5] =
    [ActionName::SignIn, ActionName::ProveFactor, ActionName::ConfirmSignIn, ActionName::UseKey, ActionName::Reauthenticate];

/// R18, R19: in an index that was restored and is not open yet, only what tightens works, signing in to look and to do that, and what
/// its operator does. Its jobs tend the house; no hold takes effect, and nothing is erased.
fn waits_for_opening<A: Action>(actor: &Actor, asker: Asker) -> bool {
    const NEVER: [ActionName; 3] = [ActionName::SettleHold, ActionName::EraseAccount, ActionName::EraseDeleted];
    let works = match actor.credential {
        Credential::Operator => true,
        Credential::Worker => matches!(asker, Asker::Actor) && !NEVER.contains(&A::NAME),
        _ => SIGNS_IN.contains(&A::NAME),
    };
    !works && A::NAME.direction() != Direction::Tightens
}

/// An act leaves at least one event, and only kinds that its row names.
fn check_recorded<A: Action>(tx: &Tx) -> Result<(), Refused> {
    let Leaves::Events(allowed) = A::NAME.leaves() else {
        return Err(anyhow::anyhow!("{} only reads and must not act", A::NAME.wire()).into());
    };
    if tx.recorded().is_empty() {
        return Err(anyhow::anyhow!("{} changed something and recorded nothing", A::NAME.wire()).into());
    }
    match tx.recorded().iter().find(|kind| !allowed.contains(kind)) {
        Some(kind) => Err(anyhow::anyhow!("{} recorded {kind}, which its row does not name", A::NAME.wire()).into()),
        None => Ok(()),
    }
}

fn met_conflict(e: &anyhow::Error) -> bool {
    e.downcast_ref::<sea_orm::DbErr>().is_some_and(is_conflict)
}

/// Records that policy refused somebody who presented a credential.
async fn note_refusal<A: Action>(env: &Env, actor: &Actor, denied: &Denied) -> Result<(), Refused> {
    if actor.credential == Credential::Nobody || matches!(denied, Denied::NeedsProof | Denied::ReadOnly) {
        return Ok(());
    }
    let mut tx = env.db.begin(env.now()).await?;
    events::record_refusal(env, &mut tx, actor, A::NAME, &denied.to_string()).await?;
    tx.commit().await?;
    Ok(())
}

/// Reads what is not public, on a snapshot that never takes the write lock.
///
/// # Errors
/// `Denied` by policy, or the database.
pub async fn view<A, T, F>(env: &Env, actor: &Actor, on: A::On, work: F) -> Result<T, Refused>
where
    A: Action,
    F: for<'t> FnOnce(&'t Read, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>>,
{
    let read = env.db.read(env.now()).await?;
    let event = EventId::new(env.now(), &*env.entropy);
    let permit = match decide::<A, Read>(&read, actor, on, event).await {
        Ok(permit) => permit,
        Err(Refused::Denied(denied)) => {
            drop(read);
            // Who meets a gate on the way to a page is led on, not refused.
            if !matches!(denied, Denied::Gate(_)) {
                note_refusal::<A>(env, actor, &denied).await?;
            }
            return Err(denied.into());
        }
        Err(other) => return Err(other),
    };
    work(&read, &permit).await
}

/// Asks early, before a large body is read. Advisory: `act` decides again.
///
/// # Errors
/// `Denied` by policy, or the database.
pub async fn may<A: Action>(env: &Env, actor: &Actor, on: A::On) -> Result<(), Refused> {
    let decided = view::<A, (), _>(env, actor, on, |read, permit| {
        Box::pin(async move {
            let waits = waits_for_opening::<A>(permit.actor(), Asker::Actor) && epochs::is_read_only(read).await?;
            if waits { Err(Denied::ReadOnly.into()) } else { Ok(()) }
        })
    })
    .await;
    if let Err(Refused::Denied(denied @ (Denied::Gate(_) | Denied::ReadOnly))) = &decided {
        note_refusal::<A>(env, actor, denied).await?;
    }
    decided
}

/// Changes what is nobody's doing and leaves no event.
///
/// # Errors
/// Whatever the work refuses; then nothing is changed.
pub async fn housekeeping<T, F>(env: &Env, reason: Housekeeping, work: F) -> Result<T, Refused>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refused>>,
{
    let mut tx = env.db.begin(env.now()).await?;
    match work(&mut tx).await {
        Ok(out) => {
            tx.commit().await?;
            Ok(out)
        }
        Err(refused) => {
            tracing::debug!(?reason, "housekeeping was undone");
            tx.rollback().await?;
            Err(refused)
        }
    }
}

/// In drills of crashes the process ends here when `STRONGROOM_CRASH_AT` names the step: no unwinding, no flushing.
pub fn crash_point(step: &str) {
    if std::env::var_os("STRONGROOM_CRASH_AT").is_some_and(|at| at == step) {
        std::process::abort();
    }
}
