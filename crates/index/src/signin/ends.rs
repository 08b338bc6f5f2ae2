//! What each act ends, whole: the manual's page is written from this table (`strongroom tables ends`), and a test does each act and looks.

/// What becomes of something when an act is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on as it was.
    Stays,
    /// It is over, at once.
    Ends,
    /// It is over when the box of the form is set.
    IfAsked,
    /// It goes on under a new token; the old one is worth nothing.
    Renewed,
    /// It is kept as it was and opens nothing until the cause is taken away.
    Stopped,
    /// The act is not done in a session.
    None,
}

impl Fate {
    /// The word in the manual.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stays => "stays",
            Self::Ends => "ends",
            Self::IfAsked => "ends if asked",
            Self::Renewed => "goes on under a new token",
            Self::Stopped => "stopped, and back exactly as it was",
            Self::None => "",
        }
    }
}

/// An act that could end something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Log out.
    LogOut,
    /// End one session from the list.
    EndOne,
    /// End all other sessions from the list.
    EndOthers,
    /// Forget a remembered browser.
    ForgetDevice,
    /// Change the password.
    ChangePassword,
    /// Choose a new password with the link of a mail.
    ResetPassword,
    /// Add the first factor.
    AddFirstFactor,
    /// Prove a factor again.
    ProveAgain,
    /// Prove the mailbox with a code.
    ProveMailbox,
    /// Make new recovery codes.
    RenewCodes,
    /// Remove a factor.
    RemoveFactor,
    /// A login types a password that a list of stolen ones has.
    DisablePassword,
    /// The operator freezes the account.
    Freeze,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The act.
    pub act: Act,
    /// The act in the words of the manual.
    pub says: &'static str,
    /// The session that does it.
    pub here: Fate,
    /// The session that it names, or all others.
    pub sessions: Fate,
    /// The trust in other browsers.
    pub devices: Fate,
    /// Half-open sign-ins, with the links that would continue them.
    pub attempts: Fate,
    /// Links to choose a new password.
    pub resets: Fate,
    /// API tokens.
    pub tokens: Fate,
}

use Fate::{Ends, IfAsked, None, Renewed, Stays, Stopped};

const fn row(act: Act, says: &'static str, [here, sessions, devices, attempts, resets, tokens]: [Fate; 6]) -> Row {
    Row { act, says, here, sessions, devices, attempts, resets, tokens }
}

/// The whole table: this session, the session named or all others, other remembered browsers, half-open logins, links, tokens.
pub const TABLE: &[Row] = &[
    row(Act::LogOut, "you log out", [Ends, Stays, Stays, Stays, Stays, Stays]),
    row(Act::EndOne, "you end one session from the list", [Stays, Ends, Stays, Stays, Stays, Stays]),
    row(Act::EndOthers, "you end all other sessions", [Renewed, Ends, Stays, Ends, Stays, Stays]),
    row(Act::ForgetDevice, "you forget a remembered browser", [Stays, Stays, Ends, Stays, Stays, Stays]),
    row(Act::ChangePassword, "you change the password", [Renewed, IfAsked, IfAsked, Ends, Ends, IfAsked]),
    row(Act::ResetPassword, "you choose a new password by the link of a mail", [None, Ends, Ends, Ends, Ends, IfAsked]),
    row(Act::AddFirstFactor, "you add the first factor", [Renewed, Ends, Stays, Ends, Stays, Stays]),
    row(Act::ProveAgain, "you prove a factor again", [Renewed, Stays, Stays, Stays, Stays, Stays]),
    row(
        Act::ProveMailbox,
        "you prove the mailbox, with a code or by the link of a verification mail",
        [Renewed, Stays, Stays, Stays, Stays, Stays],
    ),
    row(Act::RenewCodes, "you make new recovery codes (the old ones end)", [Stays, Stays, Stays, Stays, Stays, Stays]),
    row(
        Act::RemoveFactor,
        "you remove a factor (the sessions that it opened end in any case)",
        [Stays, IfAsked, Stays, Ends, Stays, Stays],
    ),
    row(
        Act::DisablePassword,
        "your password is found in a list of stolen ones, at a login or when it wakes a session",
        [None, Ends, Stays, Ends, Stays, Stays],
    ),
    row(Act::Freeze, "the operator freezes the account", [Stopped, Stopped, Stays, Stopped, Stays, Stopped]),
];
