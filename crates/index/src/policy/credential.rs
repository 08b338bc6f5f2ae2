//! Kinds of credential that a request can present, and sets of them.

use std::fmt;

macro_rules! credentials { ($($(#[$doc:meta])* $Name:ident = $bit:literal, $wire:literal;)*) => {
    /// What somebody presents. One bit each, so that a route's set is a constant.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
    #[repr(u16)]
    pub enum Credential { $($(#[$doc])* $Name = 1 << $bit),* }
    impl Credential {
        /// All kinds, in the order of the table.
        pub const ALL: &'static [Self] = &[$(Self::$Name),*];
        /// The name in events and logs.
        #[must_use]
        pub const fn wire(self) -> &'static str { match self { $(Self::$Name => $wire),* } }
        /// The name in tables and documentation.
        #[must_use]
        pub const fn name(self) -> &'static str { match self { $(Self::$Name => stringify!($Name)),* } }
    }
} }

credentials! {
    /// Nothing.
    Nobody = 0, "nobody";
    /// A single-use link of a mail or of the set-up, posted in the body.
    MailLink = 1, "mail_link";
    /// A cookie: the password was proved, the factor is outstanding.
    HalfSession = 2, "half_session";
    /// A cookie: signed in.
    Session = 3, "session";
    /// The same, and a factor was proved again within 15 minutes (R1).
    FreshSession = 4, "fresh_session";
    /// The same, with a phishing-resistant factor (R1).
    StepUp = 5, "step_up";
    /// An API token in the `Authorization` header.
    ApiToken = 6, "api_token";
    /// The operator at the shell of the machine, with the person's name.
    Operator = 7, "operator";
    /// A job.
    Worker = 8, "worker";
    /// A cookie: signed in, and idle for too long; it opens nothing but the page where a password or a factor resumes it.
    IdleSession = 9, "idle_session";
    /// A cookie: signed in, and the account is stopped; it opens only what stops others' changes (R19).
    StoppedSession = 11, "stopped_session";
    /// A signed call of another machine: the mail server's bounces.
    Signature = 10, "signature";
    /// A cookie: on the way back into a contained account; it opens nothing but the take-back (R16).
    TakeBack = 12, "take_back";
}

/// A set of kinds of credential.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials(u16);

impl Credentials {
    /// The set of these kinds.
    #[must_use]
    pub const fn of(kinds: &[Credential]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < kinds.len() {
            bits |= kinds[i] as u16;
            i += 1;
        }
        Self(bits)
    }
    /// Whether a kind is in the set.
    #[must_use]
    pub const fn contains(self, kind: Credential) -> bool {
        self.0 & kind as u16 != 0
    }
    /// Whether every kind of this set is in the other.
    #[must_use]
    pub const fn within(self, ceiling: Self) -> bool {
        self.0 & !ceiling.0 == 0
    }
    /// The kinds, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Credential> {
        Credential::ALL.iter().copied().filter(move |kind| self.contains(*kind))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
