//! TABLE 1: every action: on what, needed role, gates, proof of its own, direction, ceiling of credential kinds, and the events it may leave.
//!
//! Adding a row: `docs/how-to/add-an-action.md`. Directions are those of the rules of power: tightens, grants, loosens, neither.

use super::credential::{Credential, Credentials};
use super::resource::Resource;
use super::words::{Direction, Leaves, OwnProof, Role};
use crate::denied::Gate;
use crate::ids::{
    AccountId, AddressId, BatchId, CaseId, DeviceId, FactorId, FileId, HoldId, InvitationId, LockId, ReleaseId, RoleId, SessionId, Site,
    TokenId,
};
use crate::resources::{Invitee, ManagedProject, ProjectOrNew, Restorable, StaffAccount, StaffHold, StaffProject};

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
        Neither with Itself, at_most [HalfSession], leaves ["account:login:success", "account:login:failure", "account:webauthn:counter-regression", "account:login:wrong-factor", "account:login:confirm-sent", "account:login:new-device", "account:login:after-failures", "account:two_factor:replayed", "account:recovery_codes:used", "account:recovery_codes:low"];
    /// Confirm a sign-in from an unknown browser with the link of a mail, in the browser where it began; or have the mail sent again.
    ConfirmSignIn on Site, "account:confirm-sign-in", needs [], gates [],
        Neither with Itself, at_most [HalfSession], leaves ["account:login:success", "account:login:failure",
            "account:login:confirm-sent", "account:login:new-device", "account:login:after-failures"];
    /// End the session.
    SignOut on SessionId, "account:sign-out", needs [Oneself], gates [],
        Tightens with No, at_most [IdleSession, Session, FreshSession, StepUp, StoppedSession], leaves ["account:logout"];
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
        Grants with Itself, at_most [MailLink], leaves ["account:email:verified", "account:email:verify:refused", "account:email:remove", "account:email:primary:change"];

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
        Tightens with No, at_most [Session, FreshSession, StepUp, StoppedSession], leaves ["hold:vetoed", "hold:died", "project:role:resume"];
    /// Stop a change that waits with the link of a mail (R10, R17).
    VetoByLink on Site, "hold:veto-by-link", needs [], gates [],
        Tightens with No, at_most [MailLink], leaves ["hold:vetoed", "hold:died", "project:role:resume"];
    /// End a hold that can never take effect, open the door of a grant that has waited (R3, R10), and ask again what a closed case decided about (R5).
    SettleHold on HoldId, "hold:settle", needs [Worker], gates [],
        Neither with No, at_most [Worker], leaves ["hold:done", "hold:died", "project:role:resume", "hold:proposed"];
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
        Neither with Itself, at_most [Session, FreshSession, StepUp, IdleSession], leaves ["account:reauthenticate:success", "account:reauthenticate:failure", "account:act:asked", "account:webauthn:counter-regression", "account:two_factor:replayed", "account:password:disabled", "index:breach:doubted"];

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
    /// Tell the owner of an API token that it ends soon.
    WarnTokenEnd on AccountId, "token:warn-end", needs [Worker], gates [],
        Neither with No, at_most [Worker], leaves ["account:api_token:ends-soon"];
    /// See the projects on which one holds a role.
    SeeProjects on AccountId, "account:see-projects", needs [Oneself], gates [VerifiedAddress, Factor],
        Neither with No, at_most [Session, FreshSession, StepUp], ReadsOnly;

    /// Add a file to a release of a project.
    UploadFile on ProjectOrNew, "project:upload", needs [Owner, Maintainer, Founder], gates [VerifiedAddress, Factor],
        Neither with No, at_most [ApiToken], leaves ["project:release:file:add"];

    /// Delete a project: after a hold it is hidden, and kept whole for `retention.days` (R7).
    DeleteProject on ManagedProject, "project:delete", needs [Owner], gates [VerifiedAddress, Factor],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["project:delete", "hold:proposed", "hold:done"];
    /// Delete a release: after a hold it is hidden, and kept whole for `retention.days` (R7).
    DeleteRelease on ReleaseId, "project:delete-release", needs [Owner], gates [VerifiedAddress, Factor],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["project:release:remove", "hold:proposed", "hold:done"];
    /// Delete a file: after a hold it is hidden, and kept whole for `retention.days` (R7).
    DeleteFile on FileId, "project:delete-file", needs [Owner], gates [VerifiedAddress, Factor],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["project:release:file:remove", "hold:proposed", "hold:done"];
    /// Take a release from serving at once; any Owner puts it back (R7, R19).
    WithdrawRelease on ReleaseId, "project:withdraw-release", needs [Owner], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["project:release:withdraw"];
    /// Take a file from serving at once; any Owner puts it back (R7, R19).
    WithdrawFile on FileId, "project:withdraw-file", needs [Owner], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["project:release:file:withdraw"];
    /// Yank a release: installers pass it over unless they are told to use exactly it.
    YankRelease on ReleaseId, "project:yank-release", needs [Owner], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["project:release:yank"];
    /// Take a yank back.
    UnyankRelease on ReleaseId, "project:unyank-release", needs [Owner], gates [VerifiedAddress, Factor],
        Neither with No, at_most [Session, FreshSession, StepUp], leaves ["project:release:unyank"];
    /// Archive a project: it is shown and takes no upload.
    ArchiveProject on ManagedProject, "project:archive", needs [Owner], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["project:archive:enter"];
    /// Undo a deletion within its time, a withdrawal or an archiving, by any Owner.
    PutBack on LockId, "project:put-back", needs [Owner], gates [VerifiedAddress, Factor],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["project:put-back", "hold:proposed"];
    /// End for good what was deleted longer ago than `retention.days`: its bytes go, its names stay taken (R24).
    EraseDeleted on LockId, "worker:erase-deleted", needs [Worker], gates [],
        Neither with No, at_most [Worker], leaves ["project:erase"];

    /// Delete one's account: after a hold it is signed out everywhere and hidden, and kept whole for `retention.days` (R7).
    DeleteAccount on AccountId, "account:delete", needs [Oneself], gates [VerifiedAddress, Factor],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["account:delete", "project:role:account-deleted", "hold:proposed", "hold:done"];
    /// Begin to bring a deleted account back, by its name alone; nobody learns whether there is one.
    BeginUndelete on Site, "account:begin-undelete", needs [], gates [],
        Neither with No, at_most [Nobody], leaves ["account:take-back:begun", "account:take-back:refused"];
    /// Bring one's deleted account back within its time, with a mailbox and a second factor or a recovery code.
    UndeleteAccount on Site, "account:undelete", needs [], gates [],
        Grants with Itself, at_most [TakeBack], leaves ["account:undelete", "project:role:account-undeleted", "account:take-back:proved", "account:take-back:refused", "account:recovery_codes:used", "account:recovery_codes:low"];
    /// Bring a deleted account back from the shell, within its time.
    UndeleteAccountAtShell on AccountId, "operator:undelete-account", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:undelete", "project:role:account-undeleted"];
    /// Erase the personal data of an account that was deleted longer ago than `retention.days` (R27); its name stays taken (R24).
    EraseAccount on AccountId, "worker:erase-account", needs [Worker], gates [],
        Neither with No, at_most [Worker], leaves ["account:erase"];
    /// See a project as those see it who hold a role on it, suspended or not: collaborators, history, changes that wait.
    SeeProject on ManagedProject, "project:see", needs [Owner, Maintainer, Concerned], gates [VerifiedAddress, Factor],
        Neither with No, at_most [Session, FreshSession, StepUp], ReadsOnly;
    /// Offer somebody a role on a project; all owners and the invited account are told (R2, R3).
    InviteCollaborator on Invitee, "role:invite", needs [Owner], gates [VerifiedAddress, Factor],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["project:role:invite", "project:role:expire_invite", "hold:proposed"];
    /// Take back a role that was offered and not accepted yet.
    RevokeInvitation on ManagedProject, "role:revoke-invitation", needs [Owner], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["project:role:revoke_invite"];
    /// End a role that was offered and that nobody answered in time.
    ExpireInvitation on InvitationId, "worker:expire-invitation", needs [Worker], gates [],
        Neither with No, at_most [Worker], leaves ["project:role:expire_invite"];
    /// See a role that was offered to one.
    SeeInvitation on InvitationId, "role:see-invitation", needs [Oneself], gates [],
        Neither with No, at_most [Session, FreshSession, StepUp], ReadsOnly;
    /// Accept a role that was offered to one, while who offered it still may.
    AcceptInvitation on InvitationId, "role:accept", needs [Oneself], gates [VerifiedAddress, Factor],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["project:role:add", "hold:proposed"];
    /// Decline a role that was offered to one.
    DeclineInvitation on InvitationId, "role:decline", needs [Oneself], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["project:role:decline_invite"];
    /// Make a Maintainer of a project an Owner.
    PromoteMaintainer on RoleId, "role:promote", needs [Owner], gates [VerifiedAddress, Factor],
        Grants with Act, at_most [Session, FreshSession, StepUp], leaves ["project:role:change", "hold:proposed"];
    /// Make an Owner a Maintainer, oneself included: through a hold, and never the last one that can be reached (R7, R8).
    DemoteOwner on RoleId, "role:demote", needs [Owner, Oneself], gates [VerifiedAddress, Factor],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["project:role:change", "hold:proposed", "hold:done"];
    /// Remove a Maintainer, or stop being one: at once, and nothing unsettled removes what is settled (R11, R19).
    RemoveMaintainer on RoleId, "role:remove-maintainer", needs [Owner, Oneself], gates [],
        Tightens with No, at_most [Session, FreshSession, StepUp], leaves ["project:role:remove"];
    /// Remove an Owner, or leave as one: through a hold, and never the last one that can be reached (R7, R8, R11).
    RemoveOwner on RoleId, "role:remove-owner", needs [Owner, Oneself], gates [VerifiedAddress, Factor],
        Loosens with Act, at_most [Session, FreshSession, StepUp], leaves ["project:role:remove", "project:role:suspend", "hold:proposed", "hold:done", "hold:died"];

    /// Stop one's own account with the link of a notice (R13, R14, R19).
    NotMe on Site, "account:not-me", needs [], gates [],
        Tightens with No, at_most [MailLink], leaves ["account:contain", "account:contain:again"];
    /// Stop on one project what somebody else used there, for a day, with the link of a notice (R14).
    RaiseAlarm on Site, "project:raise-alarm", needs [], gates [],
        Tightens with No, at_most [MailLink], leaves ["project:alarm", "account:credential:pause", "project:release:withdraw", "project:release:file:withdraw"];
    /// Begin the way back into a stopped account by its name alone; nobody learns whether there is one.
    BeginTakeBack on Site, "account:begin-take-back", needs [], gates [],
        Neither with No, at_most [Nobody], leaves ["account:take-back:begun", "account:take-back:refused"];
    /// Take a stopped account back: with a settled mailbox and a settled factor at once, with one of them after a wait (R16).
    TakeBack on Site, "account:take-back", needs [], gates [],
        Grants with Itself, at_most [TakeBack], leaves ["account:take-back", "account:take-back:code-sent", "account:take-back:proved", "account:take-back:refused", "account:take-back:wait", "account:webauthn:counter-regression",
            "project:role:remove", "project:role:revoke_invite", "hold:died", "project:role:resume"];
    /// See what one's account gained, after one said that one was phished.
    SeePhished on AccountId, "account:see-phished", needs [Oneself], gates [],
        Neither with No, at_most [FreshSession, StepUp], ReadsOnly;
    /// Say that one was phished: other sessions and remembered browsers end, what was made since is paused, what was proposed stops (R15, R19).
    SayPhished on AccountId, "account:say-phished", needs [Oneself], gates [],
        Tightens with No, at_most [FreshSession, StepUp], leaves ["account:phished", "hold:died", "project:role:resume"];
    /// Keep what one's account gained, one by one; the rest ends (R16).
    DecidePhished on AccountId, "account:decide-phished", needs [Oneself], gates [],
        Grants with Act, at_most [FreshSession, StepUp], leaves ["account:phished:decided", "project:role:remove", "project:role:revoke_invite"];
    /// See how mail, jobs and the services around the index do.
    SeeHealth on Site, "staff:see-health", needs [Administrator], gates [Key],
        Neither with No, at_most [StepUp], ReadsOnly;

    /// See accounts, projects, changes that wait and cases, with what happened to them.
    SeeAsStaff on Site, "staff:see", needs [Administrator], gates [Key],
        Neither with No, at_most [StepUp], ReadsOnly;
    /// Stop an account, in a case; whoever stops a colleague is stopped too, until a third or the operator decides (R13, R21).
    FreezeAsStaff on StaffAccount, "staff:freeze-account", needs [Administrator], gates [Key],
        Tightens with No, at_most [StepUp], leaves ["account:freeze"];
    /// Take away the causes that administrators added in one case, or by one act of it (R13, R20).
    ThawAsStaff on StaffAccount, "staff:thaw-account", needs [Administrator], gates [Key],
        Grants with Act, at_most [StepUp], leaves ["account:thaw"];
    /// Hide a project from everybody but its owners and the staff, in a case; nothing of it is deleted.
    QuarantineAsStaff on StaffProject, "staff:quarantine-project", needs [Administrator], gates [Key],
        Tightens with No, at_most [StepUp], leaves ["project:quarantine:enter"];
    /// End the quarantine that administrators began in one case, or by one act of it (R20).
    ReleaseAsStaff on StaffProject, "staff:release-project", needs [Administrator], gates [Key],
        Grants with Act, at_most [StepUp], leaves ["project:quarantine:exit"];
    /// Stop a change that waits, in a case: whoever proposed it may not propose it again until the case is closed.
    StopHoldAsStaff on StaffHold, "staff:stop-hold", needs [Administrator], gates [Key],
        Tightens with No, at_most [StepUp], leaves ["hold:stopped", "hold:died", "project:role:resume"];
    /// Write something down in a case.
    NoteAsStaff on CaseId, "staff:note-case", needs [Administrator], gates [Key],
        Neither with No, at_most [StepUp], leaves ["case:note"];
    /// Close a case with a decision: what its vetoes barred may be proposed again (R10, R20).
    CloseAsStaff on CaseId, "staff:close-case", needs [Administrator], gates [Key],
        Grants with Act, at_most [StepUp], leaves ["case:close"];
    /// See the events of the audit trail, with networks and agents (R27).
    SeeEvents on Site, "staff:see-events", needs [Administrator], gates [Key],
        Neither with No, at_most [StepUp], ReadsOnly;
    /// Search and export the audit trail at the shell, with networks and agents (R27).
    ReadTrail on Site, "operator:read-trail", needs [Operator], gates [],
        Neither with No, at_most [Operator], ReadsOnly;

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
    /// Take away the causes that the operator added, or all that were added in one case (R13).
    ThawAccount on AccountId, "operator:thaw-account", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:thaw"];
    /// See cases from the shell.
    InspectCases on Site, "operator:inspect-cases", needs [Operator], gates [],
        Neither with No, at_most [Operator], ReadsOnly;
    /// Hide a project from everybody but its owners and the staff, in a case; nothing of it is deleted.
    QuarantineProject on StaffProject, "operator:quarantine-project", needs [Operator], gates [],
        Tightens with No, at_most [Operator], leaves ["project:quarantine:enter"];
    /// End the quarantine of a project that was begun in one case.
    ReleaseProject on StaffProject, "operator:release-project", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["project:quarantine:exit"];
    /// Write something down in a case, from the shell.
    NoteCase on CaseId, "operator:note-case", needs [Operator], gates [],
        Neither with No, at_most [Operator], leaves ["case:note"];
    /// Close a case with a decision, from the shell.
    CloseCase on CaseId, "operator:close-case", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["case:close"];
    /// Take the proof of an address away: its owner verifies it again before anything else.
    UnverifyAddress on AccountId, "operator:unverify-address", needs [Operator, Worker], gates [],
        Tightens with No, at_most [Operator, Worker], leaves ["account:email:unverified"];
    /// See what would be put back as it stood at a time, in the console.
    SeeRestore on Restorable, "staff:see-restore", needs [Administrator], gates [Key],
        Neither with No, at_most [StepUp], ReadsOnly;
    /// Put a project or an account back as it stood at a time, with a key's proof for exactly this list and reason (R18, R20).
    Restore on Restorable, "staff:restore", needs [Administrator], gates [Key],
        Grants with Act, at_most [StepUp], leaves ["account:restored", "project:restored", "project:role:restore:ended", "project:role:restore:returned", "hold:died", "project:role:resume"];
    /// See at the shell what would be put back as it stood at a time.
    PlanRestore on Restorable, "operator:plan-restore", needs [Operator], gates [],
        Neither with No, at_most [Operator], ReadsOnly;
    /// Put a project or an account back as it stood at a time, from the shell (R18).
    RestoreAtShell on Restorable, "operator:restore", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:restored", "project:restored", "project:role:restore:ended", "project:role:restore:returned", "hold:died", "project:role:resume"];
    /// Undo a restore, or an undo of one: credentials only shrink by it (R18).
    UndoRestore on BatchId, "operator:undo-restore", needs [Operator], gates [],
        Grants with Shell, at_most [Operator], leaves ["account:restore:undone", "project:restore:undone", "project:role:restore:ended", "project:role:restore:returned"];
    /// Undo in the console what an administrator put back, with a key's proof for this one act and reason (R18, R20).
    UndoRestoreAsStaff on BatchId, "staff:undo-restore", needs [Administrator], gates [Key],
        Grants with Act, at_most [StepUp], leaves ["account:restore:undone", "project:restore:undone", "project:role:restore:ended", "project:role:restore:returned"];
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
