//! Things that actions are done to and that are not simply an identifier. Who holds which role on them is said above, where they live.

use formats::name::ProjectName;

/// A project by its name, whether it exists or would come into being.
#[derive(Clone, Debug)]
pub struct ProjectOrNew(pub ProjectName);
