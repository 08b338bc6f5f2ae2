//! The words of a no: which gate, which state, which reason. They stand below policy, because errors carry them everywhere.

/// What an account must have before an action. They are met in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    /// A verified primary address.
    VerifiedAddress,
    /// A proof of the mailbox, minutes old, in this browser session (R4, R5).
    MailboxProof,
    /// Recovery codes, made.
    RecoveryCodes,
    /// Recovery codes, one of them entered back.
    RecoveryCodesProved,
    /// A second factor.
    Factor,
    /// A security key or passkey: whoever administers the index needs one (P9).
    Key,
}

/// The state of an account, derived from its open causes; the worst one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// No cause: it may act.
    Active,
    /// Contained by its owner or an alarm; the way out is the take-back.
    Contained,
    /// Frozen by staff or the operator.
    Frozen,
    /// Deleted, within retention.
    Deleted,
    /// Made by an operator and never completed, or not there at all.
    Absent,
}

impl State {
    /// The word that `account show` and pages use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Contained => "contained",
            Self::Frozen => "frozen",
            Self::Deleted => "deleted",
            Self::Absent => "absent",
        }
    }
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// This kind of credential never opens this action.
    #[error("this kind of credential does not open this action")]
    WrongCredential,
    /// The credential names nobody, or is not valid.
    #[error("the credential is not valid")]
    NotValid,
    /// The account may not act in its present state.
    #[error("the account is {}", .0.word())]
    Stopped(State),
    /// A gate is not met yet.
    #[error("the account does not meet a gate: {0:?}")]
    Gate(Gate),
    /// The role is missing, on something that the actor may see.
    #[error("the role is missing")]
    NoRole,
    /// It does not exist for this actor.
    #[error("not found")]
    Hidden,
    /// A caveat of the token refuses; the sentence says which.
    #[error("{0}")]
    Token(String),
    /// A factor must be proved for this one act first (R2).
    #[error("a proof for this one act is missing")]
    NeedsProof,

    /// What was presented is too young to stop or remove what is settled (R11).
    #[error("what was presented is too young")]
    Unsettled,
    /// A change of the same account on the same subject was vetoed, and its case is open (R10).
    #[error("a veto bars it until its case is closed")]
    Barred,
    /// The roles of the account sleep, because its first factor was added a short while ago (R5).
    #[error("the roles of the account sleep")]
    Asleep,
    /// The index was restored from a backup and is not open yet: it reads and tightens (R18).
    #[error("the index only reads: it was restored from a backup and is not open yet")]
    ReadOnly,
    /// One mailbox has one veto by link for a subject in 30 days (R17).
    #[error("this mailbox has used its veto by link")]
    LinkSpent,
}
