//! Signing in: passwords, attempts, factors, sessions, and the proofs that gates and single acts ask for.

pub mod addresses; // adding, removing and choosing addresses
pub mod acts; //      proofs for one act (R2)
pub mod attempt; //   from a user name and a password to a session, or to the factor
mod breached; //      what a list of stolen passwords does to a sign-in (R33)
pub mod change; //    changing the password
pub mod confirm; //   the mailbox confirms a sign-in from an unknown browser
pub mod devices; //   browsers that an account trusts (R33)
pub mod ends; //      what each act ends
pub mod consent; //   approving a change that waits (R7)
pub mod factor; //    TOTP: enrolling, proving
pub mod joining; //   registering and setting up, with their slow parts
pub mod keys; //      security keys and passkeys
pub mod kept; //      forms on the detour to a fresh session
pub mod mailbox; //   six-digit codes sent to a mailbox (R4, R5)
pub mod password; //  choosing and weighing passwords, beside the async threads
pub mod recovery; //  recovery codes
pub mod removal; //   removing factors (R12)
pub mod reset; //     a new password by mail
pub mod resume; //    a password resumes an idle session (R1)
pub mod stages; //    what a half-open sign-in waits for, and its one end
pub mod session; //   opening, renewing and ending sessions
pub mod sessions; //  the list of one's sessions

use sea_orm::EntityTrait;

use crate::db::Reading;
use crate::db::entities;
use crate::ids::SessionId;
use crate::policy::{Actor, Resource, Role, Situation};
use crate::refused::Refused;

impl Resource for SessionId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let row = entities::sessions::Entity::find_by_id(*self).one(read.connection()).await?;
        Ok(match row {
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }
}
