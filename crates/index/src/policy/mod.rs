//! Who may do what: the one room that decides. It knows ids, never accounts or projects: those implement `Resource` above it.

mod actions;
mod actor;
mod credential;
mod permit;
mod standing;
mod verdict;

pub use actions::*;
pub use actor::{Actor, Origin, SessionProof, TokenLimits, Who};
pub use credential::{Credential, Credentials};
pub use permit::{Permit, Resource, Situation};
pub(crate) use permit::{decide, grant};
pub use standing::{MAILBOX_PROOF, Standing, State, standing};
pub use verdict::{Denied, Question, verdict};
