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
    /// Administers the index.
    Administrator,
    /// The operator at the shell.
    Operator,
    /// A job.
    Worker,
    /// Told of a hold, because it changes one's own power (R10); or holding a role on a project that is suspended.
    Concerned,
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

/// What was proved, from the weakest kind to the strongest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Proof {
    /// A password alone.
    Password,
    /// A recovery code: a way back, never a factor (R5).
    RecoveryCode,
    /// A TOTP code: a factor that can be phished.
    Totp,
    /// A security key or passkey.
    Key,
}

impl Proof {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Password, Self::RecoveryCode, Self::Totp, Self::Key];
    /// The word in events and rows.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::RecoveryCode => "recovery_code",
            Self::Totp => "totp",
            Self::Key => "webauthn",
        }
    }
    /// The kind with this stored name.
    #[must_use]
    pub fn from_wire(wire: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.wire() == wire)
    }
    /// Whether a page that imitates ours can make a person give it away.
    #[must_use]
    pub const fn is_phishable(self) -> bool {
        !matches!(self, Self::Key)
    }
    /// Whether it is a second factor.
    #[must_use]
    pub const fn is_factor(self) -> bool {
        matches!(self, Self::Totp | Self::Key)
    }
}

/// What an action leaves in the audit trail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaves {
    /// One of these kinds of event.
    Events(&'static [&'static str]),
    /// Nothing, because it only reads.
    ReadsOnly,
}
