//! The words of the actions table: roles, directions, proofs, and what an action leaves.

/// A role that an actor may hold on a resource. Roles are sets, never an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The account itself.
    Oneself,
    /// Uploads to a project.
    Maintainer,
    /// Manages a project.
    Owner,
    /// May bring a project into being, because nobody holds the name.
    Founder,
    /// The operator at the shell.
    Operator,
    /// A job.
    Worker,
}

/// Which way power moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Takes power away from somebody, at once and always possible (R19).
    Tightens,
    /// Gives power: needs a fresh proof for this one act (R2).
    Grants,
    /// Takes protection away: waits as a hold (R7).
    Loosens,
    /// Moves no power.
    Neither,
}

impl Direction {
    /// The word in events.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Tightens => "tightens",
            Self::Grants => "grants",
            Self::Loosens => "loosens",
            Self::Neither => "neither",
        }
    }
}

/// The proof of its own that an action wants, beyond the credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnProof {
    /// None.
    No,
    /// A code of the mailbox, minutes old, in this session (the first factor: R5).
    Mailbox,
    /// The single-use link or the password and factor that the action itself consumes.
    Itself,
    /// A factor proved for this one act, bound to its parameters (R2).
    Act,
    /// Standing at the shell of the machine.
    Shell,
}

/// What an action leaves in the audit trail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaves {
    /// One of these kinds of event.
    Events(&'static [&'static str]),
    /// Nothing, because it only reads.
    ReadsOnly,
}
