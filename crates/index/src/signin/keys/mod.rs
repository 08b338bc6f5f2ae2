//! Security keys and passkeys: one ceremony for all kinds (WebAuthn Level 3).
//!
//! A challenge is written down for one purpose, browser, account, session or act (`ceremony`), and spent by one answer inside the
//! transaction that acts on it. The library builds challenges and verifies answers (`library`); rows are read and moved in `rows`.
//! An answer is no guess: it counts towards no limit of guesses (R25).

mod adding; //    a new key: the first factor, or a further one
mod ceremony; //  challenges, bound and spent once
mod judging; //   an assertion against the rows
mod library; //   what the library is asked, and how its answers are read
mod rows; //      the rows of keys
pub mod taking_back; // as the factor of a take-back
mod using; //     signing in, the second factor, proving again

pub use adding::{Added, NewKey, Proved, add, options_to_add, proved, to_prove};
pub use ceremony::{Browser, LIFETIME};
pub use library::LABEL_MOST;
pub use rows::{Held, accepted, held};
pub use using::{Answer, Answered, answer, options};

/// Why an answer to a challenge was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not what the standard says an answer is.
    Unreadable,
    /// The challenge is not open: answered, expired, or made for another browser, session or purpose.
    Stale,
    /// No account has this key: base64url of its identifier, for `signalUnknownCredential`.
    Unknown(String),
    /// It is not a key of this account.
    NotYours,
    /// Origin, party, type, presence or signature is wrong; what exactly.
    Wrong(&'static str),
    /// The authenticator did not verify its user, where that is needed.
    NotVerified,
    /// The counter did not grow: the key may have been copied.
    Cloned,
}

impl Why {
    /// What the audit trail says.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable => "the answer of the security key could not be read",
            Self::Stale => "the challenge was answered, expired or another browser's",
            Self::Unknown(_) => "no account has this security key",
            Self::NotYours => "the security key belongs to nobody or somebody else here",
            Self::Wrong(what) => what,
            Self::NotVerified => "the security key did not verify its user",
            Self::Cloned => "the counter of the security key did not grow",
        }
    }

    /// What the person is told.
    #[must_use]
    pub const fn says(&self) -> &'static str {
        match self {
            Self::Unreadable => "The answer of the security key could not be read. Try again.",
            Self::Stale => {
                "This challenge is over: it was answered already, it is older than 5 minutes, or it was made for another page. Try again."
            }
            Self::Unknown(_) => "No account here has this passkey. It may have been removed: delete it from your device too.",
            Self::NotYours => "This security key is not one of this account.",
            Self::Wrong(_) => "The answer of the security key is not right for this page. Try again, here.",
            Self::NotVerified => {
                "The key did not check that it is you. Set up a PIN, fingerprint or face on it; or log in with your password and use it as the second factor."
            }
            Self::Cloned => {
                "This key was refused: its counter did not grow, so that a copy of it may exist. We told all your addresses. Use another factor or a recovery code, and replace this key."
            }
        }
    }
}
