//! The proof that a decision was taken: this actor, this action, this resource, inside this transaction.

use std::marker::PhantomData;

use super::actions::Action;
use super::actor::{Actor, Origin, SessionProof, Who};
use super::credential::Credential;
use super::resource::Resource;
use super::standing::{Standing, lock_shared, standing};
use super::verdict::{Question, verdict};
use sea_orm::Value;

use crate::db::{Reading, Tx};
use crate::denied::Denied;
use crate::ids::{AccountId, EventId};
use crate::refused::Refused;

/// Proof that policy said yes. Nothing outside this room can make one; verbs read their subject from it.
#[derive(Debug)]
pub struct Permit<A: Action> {
    actor: Actor,
    on: A::On,
    standing: Standing,
    event: EventId,
    action: PhantomData<A>,
}

impl<A: Action> Permit<A> {
    /// Who acts.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
    /// What it is done to.
    pub const fn on(&self) -> &A::On {
        &self.on
    }
    /// What the acting account is; `Standing::NONE` when no account acts.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }
    /// The id that the first event of this act will have: history rows name it as what began or ended them.
    pub const fn event(&self) -> EventId {
        self.event
    }
}

/// Decides inside the transaction that acts, with the actor's row share-locked.
///
/// # Errors
/// Why not, or the database.
pub(crate) async fn grant<A: Action>(tx: &Tx, actor: &Actor, on: A::On, event: EventId) -> Result<Permit<A>, Refused> {
    if let Some(account) = actor.account() {
        lock_shared(tx, account).await?;
    }
    if let Some(session) = &actor.session {
        session_lives(tx, session).await?;
    }
    on.lock(tx, actor).await?;
    decide(tx, actor, on, event).await
}

/// Decides anew for a change that has waited: with the standing and rights that its proposer has now (R9). The permit's actor is the
/// job; no session and no proof is asked again.
///
/// # Errors
/// Why not, or the database.
pub(crate) async fn grant_held<A: Action>(
    tx: &Tx,
    worker: &Actor,
    proposer: AccountId,
    on: A::On,
    event: EventId,
) -> Result<Permit<A>, Refused> {
    lock_shared(tx, proposer).await?;
    let kinds = [Credential::StepUp, Credential::FreshSession, Credential::Session];
    let credential = kinds.into_iter().find(|kind| A::NAME.ceiling().contains(*kind)).ok_or(Denied::WrongCredential)?;
    let as_then = Actor { who: Who::Account(proposer), credential, ..Actor::nobody(Origin::default()) };
    on.lock(tx, &as_then).await?;
    let permit = decide::<A, Tx>(tx, &as_then, on, event).await?;
    Ok(Permit { actor: worker.clone(), ..permit })
}

/// Proof that a change which takes protection away may take effect: it has waited, or need not wait. Only the room of holds makes one
/// (a test keeps it so), and verbs that loosen take it instead of the bare permit.
pub struct Loosened<'p, A: Action>(&'p Permit<A>);

impl<A: Action> std::fmt::Debug for Loosened<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Loosened").field(&A::NAME).finish()
    }
}

impl<'p, A: Action> Loosened<'p, A> {
    pub(crate) const fn of(permit: &'p Permit<A>) -> Self {
        Self(permit)
    }
    /// The permit behind it.
    #[must_use]
    pub const fn permit(&self) -> &'p Permit<A> {
        self.0
    }
}

/// A session that ended while its request was on the way acts no more.
async fn session_lives(tx: &Tx, session: &SessionProof) -> Result<(), Refused> {
    let sql = format!("SELECT 1 AS one FROM sessions WHERE id = $1 AND until_at IS NULL AND expires_at > $2{}", tx.lock(false));
    let row = tx.row(&sql, vec![Value::from(session.id), Value::from(tx.now())]).await?;
    row.map(|_| ()).ok_or_else(|| Denied::NotValid.into())
}

/// The same on a snapshot, for what only reads, and for an early no before a large body is read.
///
/// # Errors
/// Why not, or the database.
pub(crate) async fn decide<A: Action, R: Reading>(read: &R, actor: &Actor, on: A::On, event: EventId) -> Result<Permit<A>, Refused> {
    let standing = match actor.account() {
        Some(account) => standing(read, account, actor.session.as_ref()).await?,
        None => Standing::NONE,
    };
    if !A::NAME.ceiling().contains(actor.credential) {
        return Err(Denied::WrongCredential.into());
    }
    let situation = on.situation(read, actor).await?;
    let question =
        Question { action: A::NAME, credential: actor.credential, standing, roles: &situation.roles, visible: situation.visible };
    verdict(&question)?;
    Ok(Permit { actor: actor.clone(), on, standing, event, action: PhantomData })
}
