//! Who may do what: the one room that decides. It knows ids, never accounts or projects: those implement `Resource` above it.

mod actions;
mod actor;
mod credential;
mod permit;
mod resource;
mod standing;
mod verdict;
mod words;

pub use crate::denied::{Denied, Gate, State};
pub use actions::*;
pub use actor::{Actor, Origin, SessionProof, TokenLimits, Who};
pub use credential::{Credential, Credentials};
pub use permit::{Loosened, Permit};
pub(crate) use permit::{decide, grant, grant_held};
pub use resource::{Resource, Situation};
pub use standing::{MAILBOX_PROOF, Standing, standing};
pub use verdict::{Question, verdict};
pub use words::{Direction, Leaves, OwnProof, Proof, Role};
