//! Things that actions are done to and that are not simply an identifier. Who holds which role on them is said above, where they live.

use std::fmt;

use formats::name::ProjectName;

use crate::ids::{AccountId, HoldId, ProjectId};

/// A project by its name, whether it exists or would come into being.
#[derive(Clone, Debug)]
pub struct ProjectOrNew(pub ProjectName);

macro_rules! of_staff { ($($(#[$doc:meta])* $Name:ident($Id:ident);)*) => { $(
    $(#[$doc])*
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct $Name(pub $Id);

    impl From<$Name> for $Id {
        fn from(of_staff: $Name) -> Self { of_staff.0 }
    }
    impl fmt::Display for $Name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(&self.0, f) }
    }
)* } }

of_staff! {
    /// An account, as those see it who administer the index or stand at its shell.
    StaffAccount(AccountId);
    /// A project, as they see it.
    StaffProject(ProjectId);
    /// A change that waits, as they see it.
    StaffHold(HoldId);
}
