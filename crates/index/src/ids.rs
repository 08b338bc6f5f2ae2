//! Identifiers as types, so that no verb can be handed the wrong kind. All are UUIDv7: they sort by the time they were made.

use sea_orm::{DbErr, TryFromU64};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

use crate::clock::Time;
use credentials::entropy::Entropy;

macro_rules! ids { ($($(#[$doc:meta])* $Name:ident;)*) => { $(
    $(#[$doc])*
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sea_orm::DeriveValueType)]
    #[serde(transparent)]
    pub struct $Name(pub Uuid);

    impl $Name {
        /// A new identifier that sorts after those made at an earlier `now`.
        #[must_use]
        pub fn new(now: Time, entropy: &dyn Entropy) -> Self {
            Self(new_uuid(now, entropy))
        }
        /// Reads the usual text form, as it stands in forms and addresses.
        #[must_use]
        pub fn parse(text: &str) -> Option<Self> {
            Uuid::parse_str(text).ok().map(Self)
        }
    }
    impl fmt::Debug for $Name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(&self.0, f) }
    }
    impl fmt::Display for $Name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(&self.0, f) }
    }
    impl TryFromU64 for $Name {
        fn try_from_u64(_: u64) -> Result<Self, DbErr> {
            Err(DbErr::ConvertFromU64(stringify!($Name)))
        }
    }
)* } }

ids! {
    /// An account.
    AccountId;
    /// An e-mail address of an account.
    AddressId;
    /// A proof for one act (R2).
    ActId;
    /// A half-open sign-in.
    AttemptId;
    /// A restore, or the undo of one: the id of the event that made it.
    BatchId;
    /// A case: one incident.
    CaseId;
    /// A reason why an account may not act.
    CauseId;
    /// A WebAuthn challenge that waits for its answer.
    CeremonyId;
    /// A six-digit code sent to a mailbox.
    CodeId;
    /// A mail that was to be sent.
    DeliveryId;
    /// A browser that an account trusts.
    DeviceId;
    /// An event of the audit trail.
    EventId;
    /// A second factor.
    FactorId;
    /// A distribution file.
    FileId;
    /// A change that waits.
    HoldId;
    /// Somebody concerned by a hold.
    HoldPersonId;
    /// A role that was offered.
    InvitationId;
    /// A job of the queue.
    JobId;
    /// A link of a mail.
    LinkId;
    /// Why a project, release or file is stopped or hidden.
    LockId;
    /// A credential that an alarm stopped on a project.
    PauseId;
    /// A project.
    ProjectId;
    /// One recovery code.
    RecoveryCodeId;
    /// A set of recovery codes.
    RecoverySetId;
    /// A release.
    ReleaseId;
    /// A role, on a project or of the staff.
    RoleId;
    /// A session.
    SessionId;
    /// What makes a role, token or invitation give nothing.
    SuspensionId;
    /// The way back of a contained account, in one browser.
    TakeBackId;
    /// An API token.
    TokenId;
}

/// The index as a whole, as the resource of actions that concern no single thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site;

/// A UUIDv7 from an injected clock and source of randomness (RFC 9562 section 5.7).
#[must_use]
pub fn new_uuid(now: Time, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0u8; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
