//! Things that actions are done to and that are not simply an identifier. Who holds which role on them is said above, where they live.

use formats::name::ProjectName;

use crate::ids::{AccountId, ProjectId};

/// A project by its name, whether it exists or would come into being.
#[derive(Clone, Debug)]
pub struct ProjectOrNew(pub ProjectName);

/// What can be put back as it stood at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restorable {
    /// A project: its roles, and what hides or stops it.
    Project(ProjectId),
    /// An account, and the projects that it owned.
    Account(AccountId),
}

impl std::fmt::Display for Restorable {
    /// What the proof for one act is bound to.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Project(id) => write!(f, "project {id}"),
            Self::Account(id) => write!(f, "account {id}"),
        }
    }
}
