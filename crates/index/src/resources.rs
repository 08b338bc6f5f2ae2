//! Things that actions are done to and that are not simply an identifier. Who holds which role on them is said above, where they live.

use std::fmt;

use formats::name::ProjectName;

use crate::ids::{AccountId, HoldId, ProjectId};

/// A project by its name, whether it exists or would come into being.
#[derive(Clone, Debug)]
pub struct ProjectOrNew(pub ProjectName);

/// A project that is there, by its name, as those who hold a role on it manage it.
#[derive(Clone, Debug)]
pub struct ManagedProject(pub ProjectName);

impl fmt::Display for ManagedProject {
    /// The normalized name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.normalized().as_str())
    }
}

/// Somebody, by user name, who is offered a role on a project.
#[derive(Clone, Debug)]
pub struct Invitee(pub ProjectName, pub String);

impl fmt::Display for Invitee {
    /// Both names, normalized, with a slash between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.normalized().as_str(), self.1.to_lowercase())
    }
}

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

/// What can be put back as it stood at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restorable {
    /// A project: its roles, and what hides or stops it.
    Project(ProjectId),
    /// An account, and the projects that it owned.
    Account(AccountId),
}

impl fmt::Display for Restorable {
    /// What the proof for one act is bound to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(id) => write!(f, "project {id}"),
            Self::Account(id) => write!(f, "account {id}"),
        }
    }
}
