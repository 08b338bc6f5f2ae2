//! Stopping what should not go on, with the link of a notice, and the way back (P6, R13-R17).
//!
//! Containing rewrites nothing but what a thief sits in: sessions, remembered browsers, half-open sign-ins, links and codes end.
//! Tokens, roles and grants stop because each act looks at the account's causes, so that the way back is exact.

pub mod alarm; //     somebody else's act: what was used for it stops on that project, for a day
pub mod ending; //    what ends in every containment and take-back
pub mod not_me; //    one's own account
pub mod phished; //   one's own account, said from within it
pub mod take_back; // the way back
mod withdrawing; //   what an alarm about an upload takes from serving

use std::time::Duration;

/// How long an alarm stops a credential on a project (R14).
pub const PAUSE: Duration = Duration::from_secs(86_400);
/// One alarm a person and project in this time (R14).
pub const ALARM_EVERY: Duration = Duration::from_secs(7 * 86_400);
/// What "recent" means for containment and take-back: grants, removed proofs, a second containment (R15-R17).
pub const RECENT: Duration = Duration::from_secs(30 * 86_400);
