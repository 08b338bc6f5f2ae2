//! The proof that a decision was taken: this actor, this action, this resource, inside this transaction.

use std::marker::PhantomData;

use super::actions::{Action, Role};
use super::actor::{Actor, Who};
use super::standing::{Standing, lock_shared, standing};
use super::verdict::{Denied, Question, verdict};
use crate::db::{Reading, Tx};
use crate::ids::{EventId, Site};
use crate::refused::Refused;

/// How an actor stands to a resource.
#[derive(Clone, Debug)]
pub struct Situation {
    /// The roles that the actor holds on it.
    pub roles: Vec<Role>,
    /// Whether the actor may know that it exists.
    pub visible: bool,
}

impl Situation {
    /// Holds these roles on something it may see.
    #[must_use]
    pub fn holding(roles: Vec<Role>) -> Self {
        Self { roles, visible: true }
    }
    /// For this actor, it does not exist.
    #[must_use]
    pub const fn hidden() -> Self {
        Self { roles: Vec::new(), visible: false }
    }
}

/// Something that actions are done to. Implemented above this room, for ids that this room knows.
pub trait Resource: Clone + Send + Sync + 'static {
    /// How the actor stands to it, read in the transaction that decides. What a token's caveats still leave open is decided here too.
    fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> impl Future<Output = Result<Situation, Refused>> + Send;

    /// Locks its row, where roles or states change with the action.
    fn lock(&self, _tx: &Tx, _actor: &Actor) -> impl Future<Output = Result<(), Refused>> + Send {
        async { Ok(()) }
    }
}

impl Resource for Site {
    async fn situation<R: Reading>(&self, _read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let roles = match actor.who {
            Who::Operator(_) => vec![Role::Operator],
            Who::Worker(_) => vec![Role::Worker],
            Who::Account(_) | Who::Nobody => Vec::new(),
        };
        Ok(Situation::holding(roles))
    }
}

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
    on.lock(tx, actor).await?;
    decide(tx, actor, on, event).await
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
