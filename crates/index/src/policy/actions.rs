//! TABLE 1: every action: on what, needed role, gates, proof of its own, direction, ceiling of credential kinds, and the events it may leave.
//!
//! Adding a row: `docs/how-to/add-an-action.md`. Directions are those of the rules of power: tightens, grants, loosens, neither.

use super::credential::{Credential, Credentials};
use super::resource::Resource;
use super::words::{Direction, Leaves, OwnProof, Role};
use crate::denied::Gate;
use crate::ids::{AccountId, AddressId, BatchId, DeviceId, FactorId, HoldId, SessionId, Site, TokenId};
use crate::resources::{ProjectOrNew, Restorable};

/// An action as a type: `Permit<A>` proves a decision about exactly this one.
pub trait Action: Send + Sync + 'static {
    /// Its row in the table.
    const NAME: ActionName;
    /// What it is done to.
    type On: Resource;
}

macro_rules! actions {
    (@leaves ReadsOnly) => { Leaves::ReadsOnly };
    (@leaves leaves [$($event:literal),*]) => { Leaves::Events(&[$($event),*]) };
    ($(
    $(#[doc = $doc:literal])* $Name:ident on $On:ty, $wire:literal, needs [$($role:ident),*], gates [$($gate:ident),*],
    $dir:ident with $proof:ident, at_most [$($kind:ident),*], $leaves:ident $([$($event:literal),*])?;
)*) => {
    /// The name of every action.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
    pub enum ActionName { $($(#[doc = $doc])* $Name),* }
    impl ActionName {
        /// All actions, in the order of the table.
        pub const ALL: &'static [Self] = &[$(Self::$Name),*];
        /// `resource:verb`, as events and logs name it.
        #[must_use]
        pub const fn wire(self) -> &'static str { match self { $(Self::$Name => $wire),* } }
        /// The action with this stored name.
        #[must_use]
        pub fn from_wire(wire: &str) -> Option<Self> { Self::ALL.iter().copied().find(|action| action.wire() == wire) }
        /// The kind of resource it is done to.
        #[must_use]
        pub const fn resource(self) -> &'static str { match self { $(Self::$Name => stringify!($On)),* } }
        /// Any of these roles suffices; an empty list means that nobody needs one.
        #[must_use]
        pub const fn needs(self) -> &'static [Role] { match self { $(Self::$Name => &[$(Role::$role),*]),* } }
        /// What the acting account must have.
        #[must_use]
        pub const fn gates(self) -> &'static [Gate] { match self { $(Self::$Name => &[$(Gate::$gate),*]),* } }
        /// Which way power moves.
        #[must_use]
        pub const fn direction(self) -> Direction { match self { $(Self::$Name => Direction::$dir),* } }
        /// The proof of its own.
        #[must_use]
        pub const fn proof(self) -> OwnProof { match self { $(Self::$Name => OwnProof::$proof),* } }
        /// The widest set of credential kinds that a door to it may accept.
        #[must_use]
        pub const fn ceiling(self) -> Credentials { match self { $(Self::$Name => Credentials::of(&[$(Credential::$kind),*])),* } }
        /// The kinds of event it may leave.
        #[must_use]
        pub const fn leaves(self) -> Leaves { match self { $(Self::$Name => actions!(@leaves $leaves $([$($event),*])?)),* } }
        /// The sentence of its row.
        #[must_use]
        pub fn sentence(self) -> &'static str { match self { $(Self::$Name => concat!($($doc),*).trim_ascii()),* } }
    }
    $($(#[doc = $doc])* #[derive(Clone, Copy, Debug)] pub struct $Name; impl Action for $Name { const NAME: ActionName = ActionName::$Name; type On = $On; })*
} }

actions! {
    /// Read what the index shows everyone.
    ReadIndex on Site, "index:read", needs [], gates [],
        Neither with No, at_most [Nobody, MailLink, HalfSession, Session, FreshSession, StepUp, ApiToken, Operator, Worker, TakeBack], ReadsOnly;

    /// Read what is counted for those who watch the index, on the address that the operator set aside for it.
    SeeMeasures on Site, "index:see-measures", needs [], gates [],
        Neither with No, at_most [Nobody], ReadsOnly;

    /// Create an account; where another one has verified the address, its owner gets another mail instead.
    Register on Site, "account:register", needs [], gates [],
        Neither with No, at_most [Nobody], leaves ["account:create", "account:create:known-address", "account:register:known-address", "account:name:freed"];
    /// Complete the account that an operator made, or create the first administrator.
    SetUp on Site, "account:set-up", needs [], gates [],
        Grants with Itself, at_most [MailLink], leaves ["account:set-up", "account:email:reverify", "account:name:freed"];
    /// Begin to sign in with a user name and a password.
    SignIn on Site, "account:sign-in", needs [], gates [],
        Neither with No, at_most [Nobody], leaves ["account:login:success", "account:login:failure", "account:login:password-proved",
            "account:password:disabled", "index:breach:doubted",
            "account:login:confirm-sent", "account:login:new-device", "account:login:after-failures"];
    /// Finish a sign-in with a second factor or a recovery code.
    ProveFactor on Site, "account:prove-factor", needs [], gates [],
        Neither with Itself, at_most [HalfSession], leaves ["account:login:success", "account:login:failure", "account:webauthn:counter-regression", "account:login:wrong-factor", "account:login:confirm-sent", "account:login:new-device", "account:login:after-failures", "account:two_factor:replayed", "account:recovery_codes:low"];
    /// Confirm a sign-in from an unknown browser with the link of a mail, in the browser where it began; or have the mail sent again.
    ConfirmSignIn on Site, "account:confirm-sign-in", needs [], gates [],
        Neither with Itself, at_most [HalfSession], leaves ["account:login:success", "account:login:failure",
            "account:login:confirm-sent", "account:login:new-device", "account:login:after-failures"];
    /// End the session.
    SignOut on SessionId, "account:sign-out", needs [Oneself], gates [],
        Tightens with No, at_most [IdleSession, Session, FreshSession, StepUp], leaves ["account:logout"];
    /// See where one is signed in, and which browsers are remembered.
    SeeSessions on AccountId, "session:list", needs [Oneself], gates [],
        Neither with No, at_most [Session, FreshSession, StepUp], ReadsOnly;
    /// End one of one's sessions.
    EndSession on SessionId, "session:end", needs [Oneself], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["account:session:ended"];
    /// End all sessions but the one that asks.
    EndOtherSessions on AccountId, "session:end-others", needs [Oneself], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["account:session:ended-others"];
    /// Forget a remembered browser.
    ForgetDevice on DeviceId, "device:forget", needs [Oneself], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["account:device:forgotten"];
    /// Change the password: with the present one, in a fresh session.
    ChangePassword on AccountId, "account:change-password", needs [Oneself], gates [],
        Neither with Itself, at_most [FreshSession, StepUp], leaves ["account:password:change", "account:reauthenticate:failure"];
    /// Ask for a link to choose a new password.
    RequestPasswordReset on Site, "account:request-password-reset", needs [], gates [],
        Neither with No, at_most [Nobody], leaves ["account:password:reset:request", "account:password:reset:attempt"];
    /// Choose a new password with the link of a mail; the factor stays needed.
    ResetPassword on Site, "account:reset-password", needs [], gates [],
        Neither with Itself, at_most [MailLink], leaves ["account:password:reset"];
    /// Prove an address with the link of a mail.
    VerifyAddress on Site, "account:verify-address", needs [], gates [],
        Grants with Itself, at_most [MailLink], leaves ["account:email:verified", "account:email:verify:refused"];

    /// See one's own account, its history and its standing.
    SeeAccount on AccountId, "account:see", needs [Oneself], gates [],
        Neither with No, at_most [Session, FreshSession, StepUp], ReadsOnly;
    /// Have the verification mail of an address sent again.
    SendVerification on AccountId, "account:send-verification", needs [Oneself], gates [],
        Neither with No, at_most [Session, FreshSession, StepUp], leaves ["account:email:reverify", "account:email:reverify:known-address"];
    /// Add an address, which its mailbox verifies; where another account has verified it, its owner gets another mail instead.
    AddAddress on AccountId, "account:add-address", needs [Oneself], gates [],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["account:email:add", "account:email:reverify", "account:email:reverify:known-address", "account:email:add:known-address", "hold:proposed"];
    /// Remove an address that is neither the primary one nor the last one that is verified; a settled one only after a hold.
    RemoveAddress on AddressId, "account:remove-address", needs [Oneself], gates [],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["account:email:remove", "hold:proposed", "hold:done"];
    /// Make another address the primary one; away from a settled one only after a hold.
    ChangePrimaryAddress on AddressId, "account:change-primary-address", needs [Oneself], gates [],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["account:email:primary:change", "hold:proposed", "hold:done"];
    /// Change one's name, and which of one's verified addresses others see.
    ChangeProfile on AccountId, "account:change-profile", needs [Oneself], gates [],
        Neither with No, at_most [Session, FreshSession, StepUp], leaves ["account:profile:change"];
    /// Have a six-digit code sent to the primary address, and prove the mailbox with it, in one session (R4).
    ProveMailbox on AccountId, "account:prove-mailbox", needs [Oneself], gates [VerifiedAddress],
        Neither with Itself, at_most [Session, FreshSession, StepUp], leaves ["account:mailbox:code-sent", "account:mailbox:proved", "account:mailbox:refused"];
    /// Make a set of recovery codes; an account with a factor proves it for this act.
    MakeRecoveryCodes on AccountId, "account:make-recovery-codes", needs [Oneself], gates [VerifiedAddress, MailboxProof],
        Grants with Mailbox, at_most [Session, FreshSession, StepUp], leaves ["account:recovery_codes:generated", "hold:proposed"];
    /// Enter one recovery code back, to prove that they were saved.
    ProveRecoveryCodes on AccountId, "account:prove-recovery-codes", needs [Oneself], gates [VerifiedAddress, MailboxProof, RecoveryCodes],
        Neither with Itself, at_most [Session, FreshSession, StepUp], leaves ["account:recovery_codes:proved", "account:recovery_codes:refused", "account:recovery_codes:low"];
    /// Add the first factor.
    AddFirstFactor on AccountId, "account:add-first-factor", needs [Oneself], gates [VerifiedAddress, MailboxProof, RecoveryCodes, RecoveryCodesProved],
        Grants with Mailbox, at_most [Session, FreshSession, StepUp], leaves ["account:two_factor:method_added", "account:two_factor:refused", "hold:proposed"];
    /// Remove a factor: at once by an older settled one, else through a hold (R12).
    RemoveFactor on FactorId, "account:remove-factor", needs [Oneself], gates [],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["account:two_factor:method_removed", "hold:proposed", "hold:done"];

    /// See the changes that wait and concern one, whatever the state of one's account.
    SeeHolds on AccountId, "hold:list", needs [], gates [],
        Neither with No, at_most [Session, FreshSession, StepUp, StoppedSession], ReadsOnly;
    /// Approve a change that waits, by a proof for this one act (R7).
    ApproveHold on HoldId, "hold:approve", needs [Concerned], gates [],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["hold:approved"];
    /// Stop a change that waits, whatever the state of one's account (R10, R19).
    VetoHold on HoldId, "hold:veto", needs [Concerned], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp, StoppedSession], leaves ["hold:vetoed", "hold:died"];
    /// Stop a change that waits with the link of a mail (R10, R17).
    VetoByLink on Site, "hold:veto-by-link", needs [], gates [],
        Tightens with No, at_most [MailLink], leaves ["hold:vetoed", "hold:died"];
    /// End a hold that can never take effect, and open the door of a grant that has waited (R3, R10).
    SettleHold on HoldId, "hold:settle", needs [Worker], gates [],
        Neither with No, at_most [Worker], leaves ["hold:done", "hold:died"];
    /// Wake the roles of an account whose first factor was added to roles that were there before (R5).
    WakeRoles on AccountId, "account:wake-roles", needs [Oneself], gates [VerifiedAddress, Factor],
        Grants with Itself, at_most [Session, FreshSession, StepUp], leaves ["account:roles:woken", "hold:done"];
    /// Add a further factor, proved for this act by the strongest kind of factor that the account holds (R2).
    AddFactor on AccountId, "account:add-factor", needs [Oneself], gates [VerifiedAddress, Factor],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["account:two_factor:method_added", "account:two_factor:refused", "hold:proposed"];
    /// Answer a challenge with a security key or passkey: alone it signs in; where a sign-in is half open or somebody is signed in, `account:prove-factor` or `account:reauthenticate` decides what it does.
    UseKey on Site, "account:use-key", needs [], gates [],
        Neither with Itself, at_most [Nobody, HalfSession, IdleSession, Session, FreshSession, StepUp], leaves ["account:login:success", "account:login:failure",
            "account:login:new-device", "account:login:after-failures", "account:webauthn:counter-regression"];
    /// Prove a factor again, for sensitive pages or for one act.
    Reauthenticate on AccountId, "account:reauthenticate", needs [Oneself], gates [],
        Neither with Itself, at_most [Session, FreshSession, StepUp, IdleSession], leaves ["account:reauthenticate:success", "account:reauthenticate:failure", "account:act:asked", "account:webauthn:counter-regression", "account:two_factor:replayed"];

    /// See one's API tokens.
    SeeTokens on AccountId, "token:list", needs [Oneself], gates [VerifiedAddress, Factor],
        Neither with No, at_most [Session, FreshSession, StepUp], ReadsOnly;
    /// Mint an API token.
    MintToken on AccountId, "token:mint", needs [Oneself], gates [VerifiedAddress, Factor],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["account:api_token:added", "hold:proposed"];
    /// Delete an API token.
    RevokeToken on TokenId, "token:revoke", needs [Oneself], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["account:api_token:removed"];
    /// Confirm a token that is paused, with a proof for this one act (R2, R18).
    ConfirmToken on TokenId, "token:confirm", needs [Oneself], gates [VerifiedAddress, Factor],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["account:api_token:confirmed"];
    /// See the projects on which one holds a role.
    SeeProjects on AccountId, "account:see-projects", needs [Oneself], gates [VerifiedAddress, Factor],
        Neither with No, at_most [Session, FreshSession, StepUp], ReadsOnly;

    /// Add a file to a release of a project.
    UploadFile on ProjectOrNew, "project:upload", needs [Owner, Maintainer, Founder], gates [VerifiedAddress, Factor],
        Neither with No, at_most [ApiToken], leaves ["project:release:file:add"];

    /// Stop one's own account with the link of a notice (R13, R14, R19).
    NotMe on Site, "account:not-me", needs [], gates [],
        Tightens with No, at_most [MailLink], leaves ["account:contain", "account:contain:again"];
    /// Stop on one project what somebody else used there, for a day, with the link of a notice (R14).
    RaiseAlarm on Site, "project:raise-alarm", needs [], gates [],
        Tightens with No, at_most [MailLink], leaves ["project:alarm", "account:credential:pause"];
    /// Begin the way back into a stopped account by its name alone; nobody learns whether there is one.
    BeginTakeBack on Site, "account:begin-take-back", needs [], gates [],
        Neither with No, at_most [Nobody], leaves ["account:take-back:begun", "account:take-back:refused"];
    /// Take a stopped account back: with a settled mailbox and a settled factor at once, with one of them after a wait (R16).
    TakeBack on Site, "account:take-back", needs [], gates [],
        Grants with Itself, at_most [TakeBack], leaves ["account:take-back", "account:take-back:code-sent", "account:take-back:proved", "account:take-back:refused", "account:take-back:wait", "account:webauthn:counter-regression"];
    /// See what one's account gained, after one said that one was phished.
    SeePhished on AccountId, "account:see-phished", needs [Oneself], gates [],
        Neither with No, at_most [FreshSession, StepUp], ReadsOnly;
    /// Say that one was phished: other sessions and remembered browsers end, what was made since is paused, what was proposed stops (R15, R19).
    SayPhished on AccountId, "account:say-phished", needs [Oneself], gates [],
        Tightens with No, at_most [FreshSession, StepUp], leaves ["account:phished", "hold:died"];
    /// Keep what one's account gained, one by one; the rest ends (R16).
    DecidePhished on AccountId, "account:decide-phished", needs [Oneself], gates [],
        Grants with Act, at_most [FreshSession, StepUp], leaves ["account:phished:decided"];
    /// See how mail, jobs and the services around the index do.
    SeeHealth on Site, "staff:see-health", needs [Administrator], gates [Key],
        Neither with No, at_most [StepUp], ReadsOnly;

    /// Create an account from the shell; its owner completes it with a link.
    CreateAccount on Site, "operator:create-account", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:create", "account:name:freed"];
    /// Print a single-use link for an account that was never completed, or for the first administrator.
    MakeSetupLink on Site, "operator:make-setup-link", needs [Operator, Worker], gates [],
        Grants with Shell, at_most [Operator, Worker], leaves ["account:setup-link"];
    /// See any account from the shell.
    InspectAccount on Site, "operator:inspect-account", needs [Operator], gates [],
        Neither with No, at_most [Operator], ReadsOnly;
    /// Print a single-use link to choose a new password, with a reason: administrators get none by mail.
    MakeResetLink on AccountId, "operator:make-reset-link", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:password:reset:link"];
    /// Stop an account: sessions, tokens and running uploads (R13).
    FreezeAccount on AccountId, "operator:freeze-account", needs [Operator], gates [],
        Tightens with No, at_most [Operator], leaves ["account:freeze"];
    /// Take away the causes that the operator added (R13).
    ThawAccount on AccountId, "operator:thaw-account", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:thaw"];
    /// Take the proof of an address away: its owner verifies it again before anything else.
    UnverifyAddress on AccountId, "operator:unverify-address", needs [Operator, Worker], gates [],
        Tightens with No, at_most [Operator, Worker], leaves ["account:email:unverified"];
    /// See what would be put back as it stood at a time, in the console.
    SeeRestore on Restorable, "staff:see-restore", needs [Administrator], gates [Key],
        Neither with No, at_most [StepUp], ReadsOnly;
    /// Put a project or an account back as it stood at a time, with a key's proof for exactly this list and reason (R18, R20).
    Restore on Restorable, "staff:restore", needs [Administrator], gates [Key],
        Grants with Act, at_most [StepUp], leaves ["account:restored", "project:restored", "hold:died"];
    /// See at the shell what would be put back as it stood at a time.
    PlanRestore on Restorable, "operator:plan-restore", needs [Operator], gates [],
        Neither with No, at_most [Operator], ReadsOnly;
    /// Put a project or an account back as it stood at a time, from the shell (R18).
    RestoreAtShell on Restorable, "operator:restore", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:restored", "project:restored", "hold:died"];
    /// Undo a restore, or an undo of one: credentials only shrink by it (R18).
    UndoRestore on BatchId, "operator:undo-restore", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:restore:undone", "project:restore:undone"];
    /// Begin a new epoch over a restored backup: what a person or program could still hold from before ends (R18).
    BeginEpoch on Site, "operator:begin-epoch", needs [Operator], gates [],
        Tightens with No, at_most [Operator], leaves ["index:restored"];
    /// Open an index that was restored: it changes things again.
    OpenEpoch on Site, "operator:open-epoch", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["index:opened"];
    /// Run with the clock ahead of the true time, in a drill (R32).
    ShiftClock on Site, "operator:shift-clock", needs [Operator], gates [],
        Neither with Shell, at_most [Operator], leaves ["index:clock:shifted"];
    /// Take in what the mail server reports of mail that came back.
    TakeBounce on Site, "mail:take-bounce", needs [Worker], gates [],
        Tightens with No, at_most [Signature], leaves ["mail:bounced", "account:email:unverified"];
    /// Say how many failures were only counted in a window that is over (R26).
    CloseCounts on Site, "worker:close-counts", needs [Worker], gates [],
        Neither with No, at_most [Worker], leaves ["events:failures:counted"];
}
