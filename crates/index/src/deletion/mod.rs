//! Deleting, taking from serving, putting back (P7). Deleting waits as a hold (R7); what was deleted is hidden and kept whole for
//! `retention.days`, and any Owner puts it back until then. After that a job erases it; its names stay taken (R24).

pub mod account; //  an account
pub mod asking; //   a project, a release, a file
pub mod erasing; //  what is over its time
pub mod serving; //  withdrawn, yanked, archived, put back
pub mod show; //     what the pages of a project show
mod things; //       what is deleted, and who may

use crate::ids::HoldId;

/// What became of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is done.
    Now,
    /// It waits as this hold.
    Held(HoldId),
}
