//! The rows: every kind of event with its fields, the sentence that people read, and who is told.
//!
//! Kinds are named after PyPI's audit tags where one exists. Adding a row: `docs/how-to/add-an-event.md`.

use serde::Serialize;

use super::Event;

/// Who is told about an event, by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Nobody, for this reason.
    Nobody(&'static str),
    /// Only the one address that the event is addressed to.
    Addressee,
    /// Every address of the account that was verified at any time in the last 30 days (P10).
    Account,
    /// All owners of the project (P10).
    Owners,
    /// All owners of the project, and the account that it is about (P10).
    OwnersAndSubject,
    /// All administrators of the index.
    Administrators,
    /// Everybody concerned by the hold that the field `hold` names (R9).
    Concerned,
}

impl Kind {
    /// Whether the administrators are told as well, whoever else is: of everything that an operator did (R32).
    #[must_use]
    pub fn tells_administrators(self, actor: &str) -> bool {
        // Each role of a restore stands in the list of the restore, which is told.
        let is_told_otherwise = matches!(self, Self::AuthorizationRefused | Self::RoleEndedByRestore | Self::RoleReturnedByRestore);
        actor.starts_with("operator:") && !is_told_otherwise
    }
}

macro_rules! events { ($(
    $(#[doc = $doc:literal])* $Name:ident { $($field:ident: $ty:ty),* $(,)? } = $wire:literal, $says:literal, $audience:ident $(($why:literal))?;
)*) => {
    /// The name of every kind of event.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
    pub enum Kind { $($(#[doc = $doc])* $Name),* }
    impl Kind {
        /// All kinds, in the order of the table.
        pub const ALL: &'static [Self] = &[$(Self::$Name),*];
        /// The kind as stored, exported and replayed.
        #[must_use]
        pub const fn wire(self) -> &'static str { match self { $(Self::$Name => $wire),* } }
        /// The name of the type.
        #[must_use]
        pub const fn name(self) -> &'static str { match self { $(Self::$Name => stringify!($Name)),* } }
        /// The fields, with their types.
        #[must_use]
        pub const fn fields(self) -> &'static [(&'static str, &'static str)] { match self { $(Self::$Name => &[$((stringify!($field), stringify!($ty))),*]),* } }
        /// The sentence that a person reads, with `{field}` where a field goes.
        #[must_use]
        pub const fn says(self) -> &'static str { match self { $(Self::$Name => $says),* } }
        /// Who is told.
        #[must_use]
        pub const fn audience(self) -> Audience { match self { $(Self::$Name => Audience::$audience $(($why))?),* } }
        /// The sentence of its row.
        #[must_use]
        pub fn sentence(self) -> &'static str { match self { $(Self::$Name => concat!($($doc),*).trim_ascii()),* } }
        /// The kind with this stored name.
        #[must_use]
        pub fn from_wire(wire: &str) -> Option<Self> { Self::ALL.iter().copied().find(|kind| kind.wire() == wire) }
    }
    $($(#[doc = $doc])* #[derive(Clone, Debug, PartialEq, Eq, Serialize)] #[allow(missing_docs, reason = "fields are named in the table")] pub struct $Name { $(pub $field: $ty),* }
    impl Event for $Name { const KIND: Kind = Kind::$Name; })*
} }

events! {
    /// An account was created, by its owner or an operator.
    AccountCreated { username: String } = "account:create", "The account was created.", Addressee;
    /// An account was created and no link sent, because another one has verified its address, or the address was sent enough mail; nobody can tell.
    AccountWithheld { username: String } = "account:create:known-address", "The account was created.", Nobody("the owner of a known address gets a mail of its own");
    /// Somebody tried to register with an address that an account has verified.
    KnownAddressRegistered {} = "account:register:known-address", "Somebody tried to register another account with this address.", Addressee;
    /// A single-use set-up link was made.
    SetupLinkMade { username: Option<String> } = "account:setup-link", "A set-up link was made.", Nobody("it is printed at the shell, to the person who asked");
    /// The account was completed with its set-up link.
    AccountSetUp { username: String, administrator: bool } = "account:set-up", "The account was set up.", Account;

    /// A password was right and a factor is outstanding.
    PasswordProved {} = "account:login:password-proved", "The password was entered; the second factor was asked for.", Nobody("the sign-in goes on, and its end is told");
    /// Signed in; the browser was `known` to the account or `new`.
    SignedIn { factor: String, device: String, remembered: bool } = "account:login:success", "Signed in with {factor}.", Nobody("a new browser and failures before it are told by events of their own");
    /// Signed in from a browser that the account did not know.
    SignedInNewDevice { factor: String } = "account:login:new-device", "Signed in with {factor}, in a browser that was not known.", Account;
    /// Signed in after many failures.
    SignedInAfterFailures { failures: i64 } = "account:login:after-failures", "Signed in after {failures} failed attempts.", Account;
    /// A sign-in waits for its confirmation in the mailbox.
    ConfirmationSent { factor: String } = "account:login:confirm-sent", "A sign-in with {factor}, in a browser that is not known, waits for your confirmation.", Addressee;
    /// The password was right and the second factor was wrong.
    WrongFactor {} = "account:login:wrong-factor", "Somebody entered your password rightly, and a second factor wrongly.", Account;
    /// A sign-in failed.
    SignInFailed { reason: String, username: Option<String> } = "account:login:failure", "A sign-in failed: {reason}.", Nobody("strangers could make us send mail without end; the account's own history shows it");
    /// Signed out.
    SignedOut {} = "account:logout", "Signed out.", Nobody("its own doing, and it gives nothing away");
    /// A session was ended from the list of sessions.
    SessionEnded {} = "account:session:ended", "One of your sessions was ended.", Account;
    /// All sessions but the one that asked were ended.
    OtherSessionsEnded { sessions: u64 } = "account:session:ended-others", "Your other sessions were ended: {sessions}.", Account;
    /// A remembered browser was forgotten.
    DeviceForgotten {} = "account:device:forgotten", "A remembered browser was forgotten.", Nobody("it takes trust away and gives nothing; the account's own history shows it");
    /// The password was changed.
    PasswordChanged { sessions_ended: u64, tokens_ended: u64 } = "account:password:change", "The password was changed.", Account;

    /// A link to choose a new password was asked for.
    PasswordResetRequested {} = "account:password:reset:request", "A link to choose a new password was sent.", Addressee;
    /// A new password was asked for, and no link was sent.
    PasswordResetAttempted { reason: String } = "account:password:reset:attempt", "Somebody asked for a new password; no link was sent: {reason}.", Nobody("nothing changed, and strangers could make us send mail without end");
    /// A new password was chosen with a link.
    PasswordReset { sessions_ended: u64, tokens_ended: u64 } = "account:password:reset", "A new password was chosen with a link from your mailbox.", Account;

    /// A link to choose a new password was made at the shell.
    ResetLinkMade { username: String, reason: String } = "account:password:reset:link", "A link to choose a new password for {username} was made at the shell: {reason}.", Account;
    /// A password that had been typed rightly is in a list of stolen ones, and was disabled.
    PasswordDisabled { sessions_ended: u64 } = "account:password:disabled", "The password was disabled: it appears in a public list of stolen passwords.", Account;
    /// So many passwords are in a list of stolen ones that the list is doubted: it disables none for now.
    BreachDoubted { checks: i64, hits: i64 } = "index:breach:doubted", "The list of stolen passwords is doubted: {hits} of {checks} passwords that were typed rightly within ten minutes are in it. It disables none for now.", Administrators;

    /// An address was verified.
    AddressVerified {} = "account:email:verified", "The address was verified.", Nobody("the person who did it is looking at the page");
    /// The verification mail was asked for again.
    VerificationSent {} = "account:email:reverify", "The verification mail was sent again.", Addressee;
    /// The verification mail was asked for, for an address that another account has verified: none was sent.
    VerificationWithheld {} = "account:email:reverify:known-address", "The verification mail was sent again.", Nobody("the owner of the address was told when it was claimed");
    /// A link was pressed for an address that another account has verified since.
    AddressTaken {} = "account:email:verify:refused", "The address was not verified: another account verified it first.", Nobody("the person who pressed is looking at the page");
    /// An address was added to the account, not verified yet.
    AddressAdded {} = "account:email:add", "An address was added to the account.", Account;
    /// Somebody tried to add an address that another account has verified.
    KnownAddressAdded {} = "account:email:add:known-address", "Somebody tried to add this address to another account.", Addressee;
    /// An address was removed from the account.
    AddressRemoved {} = "account:email:remove", "An address was removed from the account.", Account;
    /// Another address became the primary one.
    PrimaryAddressChanged {} = "account:email:primary:change", "Another address became the primary one.", Account;
    /// An address lost its proof.
    AddressUnverified { reason: String } = "account:email:unverified", "An address is no longer verified: {reason}.", Account;
    /// The name of the profile was changed, or which address others see.
    ProfileChanged { renamed: bool, shows_mailbox: bool } = "account:profile:change", "The profile was changed.", Nobody("it gives no power, and everybody can see it");
    /// The user name of an account that never verified an address was freed, because somebody else asked for it.
    NameFreed { username: String } = "account:name:freed", "The user name was freed: no address of the account was ever verified.", Nobody("no address of the account was ever verified");
    /// The mail server reported that a mail came back.
    MailBounced { sort: String } = "mail:bounced", "A mail to the account came back ({sort}).", Nobody("where it costs an address its proof, that is told");
    /// A report of the mail server was not signed by it.
    BounceRefused { reason: String } = "mail:bounce:refused", "A report of a mail that came back was refused: {reason}.", Nobody("strangers could make us send mail without end");
    /// A six-digit code was sent to the mailbox.
    MailboxCodeSent {} = "account:mailbox:code-sent", "A six-digit code was sent to the mailbox.", Addressee;
    /// The mailbox was proved.
    MailboxProved {} = "account:mailbox:proved", "The mailbox was proved with a code.", Nobody("a step of an act that is told");
    /// A code of the mailbox was wrong.
    MailboxRefused { reason: String } = "account:mailbox:refused", "A code of the mailbox was refused: {reason}.", Nobody("it opens nothing");
    /// Recovery codes were made.
    RecoveryCodesGenerated { count: usize } = "account:recovery_codes:generated", "{count} recovery codes were made.", Account;
    /// A recovery code was entered back.
    RecoveryCodesProved {} = "account:recovery_codes:proved", "A recovery code was entered back, so they were saved.", Nobody("a step of an act that is told");
    /// A recovery code that was entered back was wrong.
    RecoveryCodesRefused {} = "account:recovery_codes:refused", "A recovery code was entered back wrongly.", Nobody("it opens nothing");
    /// A factor was added.
    FactorAdded { method: String, label: String } = "account:two_factor:method_added", "The second factor “{label}” ({method}) was added.", Account;
    /// A security key answered with a counter that did not grow: a copy of it may exist. It was refused, and a case is open.
    KeyCounterRegressed { label: String, factor: String } = "account:webauthn:counter-regression", "The security key “{label}” was refused: its counter did not grow, so that a copy of it may exist.", Account;
    /// The code that should prove a new factor was wrong.
    FactorRefused { reason: String } = "account:two_factor:refused", "A new second factor was not added: {reason}.", Nobody("it opens nothing");
    /// A factor was removed.
    FactorRemoved { method: String, sessions_ended: u64 } = "account:two_factor:method_removed", "The second factor “{method}” was removed; {sessions_ended} sessions ended with it.", Account;
    /// A code was sent again that had been accepted before.
    CodeReplayed {} = "account:two_factor:replayed", "A code of the authenticator app was sent a second time, and refused: somebody may have read it over your shoulder or on a false page.", Account;
    /// A recovery code finished a sign-in or brought the account back.
    RecoveryCodeUsed { left: u32 } = "account:recovery_codes:used", "A recovery code was used to get in; {left} are left.", Account;
    /// Only few recovery codes are left.
    RecoveryCodesLow { left: u32 } = "account:recovery_codes:low", "A recovery code was used; {left} are left.", Account;

    /// A change waits that concerns several people, or that could be a thief's.
    HoldProposed { hold: String, what: String, due: String } = "hold:proposed", "This was proposed, and takes effect at {due} unless somebody concerned stops it: {what}.", Concerned;
    /// A change that waits was approved by somebody concerned.
    HoldApproved { hold: String, what: String } = "hold:approved", "This was approved by somebody concerned: {what}.", Concerned;
    /// A change that waited was stopped by somebody concerned.
    HoldVetoed { hold: String, what: String, by_mail: bool } = "hold:vetoed", "This was stopped and will not happen: {what}.", Concerned;
    /// A change that waited took effect, or may now be made.
    HoldDone { hold: String, what: String } = "hold:done", "This has waited its time and is let through: {what}.", Concerned;
    /// A change that waited can never take effect.
    HoldDied { hold: String, what: String, because: String } = "hold:died", "This will not happen: {what} ({because}).", Concerned;
    /// The roles of an account woke.
    RolesWoken {} = "account:roles:woken", "The roles of the account on its projects work again.", Nobody("the end of the hold is told to everybody concerned");

    /// A factor was proved again.
    Reauthenticated { factor: String, act: Option<String> } = "account:reauthenticate:success", "Proved again with {factor}.", Nobody("the act that it is for is told");
    /// A factor was not proved again.
    ReauthenticationFailed { reason: String } = "account:reauthenticate:failure", "Proving again failed: {reason}.", Nobody("the account's own history shows it");
    /// A proof for one act was asked for.
    ActAsked { action: String } = "account:act:asked", "A proof was asked for before “{action}”.", Nobody("the act that it is for is told");

    /// An API token was minted.
    TokenAdded { token: String, description: String, scope: String } = "account:api_token:added", "The API token “{description}” ({scope}) was created.", Account;
    /// An API token was deleted.
    TokenRemoved { token: String, description: String } = "account:api_token:removed", "The API token “{description}” was deleted.", Account;
    /// A paused token was confirmed by its owner.
    TokenConfirmed { token: String, description: String } = "account:api_token:confirmed", "The paused API token “{description}” was confirmed, and works again.", Account;
    /// An API token ends in a week, or in a day.
    TokenEndsSoon { token: String, description: String, ends: String } = "account:api_token:ends-soon", "The API token “{description}” ends at {ends}.", Account;
    /// A token was presented and refused.
    TokenRefused { reason: String } = "account:api_token:refused", "An API token was refused: {reason}.", Nobody("strangers could make us send mail without end; the account's own history shows it");

    /// An account was frozen.
    AccountFrozen { reason: String, already: bool } = "account:freeze", "The account was frozen: {reason}.", Account;
    /// An account was thawed.
    AccountThawed { reason: String, causes: u64 } = "account:thaw", "The account was thawed: {reason}.", Account;

    /// A project was hidden from everybody but its owners and the staff.
    ProjectQuarantined { reason: String, already: bool } = "project:quarantine:enter", "The project was put into quarantine: {reason}.", Owners;
    /// A project came out of quarantine.
    ProjectReleased { reason: String, causes: u64 } = "project:quarantine:exit", "The quarantine of the project was ended: {reason}.", Owners;
    /// A change that waited was stopped by those who run the index.
    HoldStopped { hold: String, what: String, reason: String } = "hold:stopped", "This was stopped by those who run the index, and will not happen: {what} ({reason}).", Concerned;
    /// Something was written down in a case.
    CaseNoted { case: String, entry: String } = "case:note", "A note was added to a case.", Nobody("it changes nothing; who works on the case reads it there");
    /// A case was closed with a decision.
    CaseClosed { case: String, decision: String } = "case:close", "A case was closed: {decision}.", Administrators;

    /// An account was stopped with the link of a notice: its owner said that it was not them.
    AccountContained { case: String, sessions_ended: u64 } = "account:contain", "The account was stopped with the link of a notice; {sessions_ended} sessions were ended.", Account;
    /// The link of a notice was used a second time from one mailbox within 30 days: sessions ended, and the account was not stopped again (R17).
    ContainedAgain { case: String, sessions_ended: u64 } = "account:contain:again", "“This was not me” was pressed again from the same mailbox within 30 days: {sessions_ended} sessions were ended; the account was not stopped a second time.", Account;
    /// The way back into a stopped account was begun.
    TakeBackBegun { begun_with: String } = "account:take-back:begun", "The way back into the stopped account was begun, with {begun_with}.", Nobody("it opens nothing, and the code that it needs is mailed");
    /// A code to take the account back was sent to the mailbox.
    TakeBackCodeSent {} = "account:take-back:code-sent", "A six-digit code to take the account back was sent to the mailbox.", Addressee;
    /// One of the two proofs of a take-back was given.
    TakeBackProved { proof: String } = "account:take-back:proved", "For the take-back {proof} was proved.", Nobody("a step of an act that is told");
    /// A proof of a take-back was wrong, or there was nothing to take back.
    TakeBackRefused { reason: String } = "account:take-back:refused", "A step of a take-back was refused: {reason}.", Nobody("it opens nothing; the account's own history shows it");
    /// Somebody takes the account back with one proof of the two, which waits.
    TakeBackWaits { proof: String, from: String } = "account:take-back:wait", "The account can be taken back with {proof} alone from {from} on.", Account;
    /// The account was taken back by its owner.
    AccountTakenBack { kept: u64, ended: u64, sessions_ended: u64 } = "account:take-back", "The account was taken back: of what it had gained in 30 days {kept} things were kept and {ended} ended.", Account;
    /// An owner raised the alarm about somebody else's act on the project.
    AlarmRaised { by: String, whose: String, about: String, case: String, paused: bool } = "project:alarm", "{by} raised the alarm about what {whose} did: “{about}”.", Owners;
    /// What an account used on a project was stopped there for a day.
    CredentialPaused { by: String, case: String } = "account:credential:pause", "{by} raised the alarm: what you used was stopped on this project for a day.", Account;

    /// Somebody was invited to a project.
    RoleInvited { invitation: String, username: String, role: String, project: String } = "project:role:invite", "{username} was invited to {project} as {role}.", OwnersAndSubject;
    /// An invitation to a project was accepted.
    RoleAdded { username: String, role: String, project: String } = "project:role:add", "{username} accepted the invitation and is {role} of {project}.", OwnersAndSubject;
    /// An invitation to a project was declined.
    InvitationDeclined { username: String, role: String, project: String } = "project:role:decline_invite", "{username} declined the invitation to {project} as {role}.", OwnersAndSubject;
    /// Nobody answered an invitation in time: it opens nothing any more.
    InvitationExpired { username: String, role: String, project: String } = "project:role:expire_invite", "The invitation of {username} to {project} as {role} ended, because nobody answered it in time.", Nobody("nothing was given; the mail that invited names the day, and the project's history shows it");
    /// An invitation to a project was taken back.
    InvitationRevoked { username: String, role: String, project: String } = "project:role:revoke_invite", "The invitation of {username} to {project} as {role} was taken back.", OwnersAndSubject;
    /// A role on a project was changed.
    RoleChanged { username: String, before: String, role: String, project: String } = "project:role:change", "{username}, who was {before} of {project}, is {role} now.", OwnersAndSubject;
    /// A role on a project was suspended.
    RoleSuspended { username: String, role: String, project: String, because: String } = "project:role:suspend", "The role of {username} as {role} of {project} was suspended: {because}.", OwnersAndSubject;
    /// A role on a project that was suspended works again.
    RoleResumed { username: String, role: String, project: String, because: String, by_staff: bool } = "project:role:resume", "The role of {username} as {role} of {project}, which was suspended, works again: {because}.", OwnersAndSubject;
    /// A role on a project was ended.
    RoleRemoved { username: String, role: String, project: String } = "project:role:remove", "{username} is no longer {role} of {project}.", OwnersAndSubject;
    /// The owner of an account said that they were phished.
    AccountPhished { case: String, since: String, sessions_ended: u64, paused: u64 } = "account:phished", "You said that you were phished: {sessions_ended} other sessions ended, and {paused} tokens, roles and invitations made or given since {since} are paused.", Account;
    /// What the account gained was kept or ended, after its owner said that they were phished.
    PhishedDecided { kept: u64, ended: u64 } = "account:phished:decided", "After the phishing {kept} things that the account had gained were kept and {ended} ended.", Account;
    /// An account was put back as it stood at a time.
    AccountRestored { batch: String, reason: String, as_of: String, changed: u64 } = "account:restored", "The account was put back as it stood on {as_of}: {reason}.", Account;
    /// A project was put back as it stood at a time, alone or with an account that owned it.
    ProjectRestored { batch: String, reason: String, as_of: String, roles: String } = "project:restored", "The project was put back as it stood on {as_of}: {reason}.", Owners;
    /// A role that had come since was ended by a restore or its undo.
    RoleEndedByRestore { username: String, role: String, project: String, reason: String } = "project:role:restore:ended", "{username} is no longer {role} of {project}, because roles were put back: {reason}.", Account;
    /// A role came back by a restore or its undo.
    RoleReturnedByRestore { username: String, role: String, project: String, reason: String } = "project:role:restore:returned", "{username} is {role} of {project} again, because roles were put back: {reason}.", Account;
    /// A restore of an account was undone.
    AccountRestoreUndone { batch: String, reason: String } = "account:restore:undone", "What was put back about the account was undone: {reason}.", Account;
    /// A restore of a project was undone.
    ProjectRestoreUndone { batch: String, reason: String, roles: String } = "project:restore:undone", "What was put back about the project was undone: {reason}.", Owners;

    /// A file was added to a release, which may be the first of a new project.
    FileUploaded { filename: String, sha256: String, version: String, new_project: bool, new_release: bool } = "project:release:file:add", "{filename} was uploaded.", Owners;

    /// A project was deleted by an Owner, after its hold: it is hidden and kept until then.
    ProjectDeleted { until: String } = "project:delete", "The project was deleted. Any Owner can undo that until {until}; nothing of it is lost before.", Owners;
    /// A release was deleted by an Owner, after its hold.
    ReleaseDeleted { version: String, until: String } = "project:release:remove", "The release {version} was deleted. Any Owner can undo that until {until}.", Owners;
    /// A file was deleted by an Owner, after its hold.
    FileDeleted { filename: String, until: String } = "project:release:file:remove", "The file {filename} was deleted. Any Owner can undo that until {until}.", Owners;
    /// A release was taken from serving by an Owner.
    ReleaseWithdrawn { version: String, reason: String } = "project:release:withdraw", "The release {version} was taken from serving. Any Owner can put it back.", Owners;
    /// A file was taken from serving by an Owner.
    FileWithdrawn { filename: String, reason: String } = "project:release:file:withdraw", "The file {filename} was taken from serving. Any Owner can put it back.", Owners;
    /// A release was yanked.
    ReleaseYanked { version: String, reason: String } = "project:release:yank", "The release {version} was yanked: installers pass it over.", Owners;
    /// A yank was taken back.
    ReleaseUnyanked { version: String } = "project:release:unyank", "The release {version} is no longer yanked.", Owners;
    /// A project was archived: it takes no upload.
    ProjectArchived {} = "project:archive:enter", "The project was archived: it is shown and takes no upload.", Owners;
    /// A deletion, a withdrawal or an archiving was undone by an Owner.
    PutBack { what: String, was: String } = "project:put-back", "Put back, after it was {was}: {what}.", Owners;
    /// What was deleted was erased after its time.
    ProjectErased { what: String, files: u64 } = "project:erase", "This was erased, {files} files with it, because its deletion was not undone in time: {what}. Its names stay taken.", Owners;
    /// An Owner or Maintainer of the project deleted their account.
    CollaboratorDeleted { username: String } = "project:role:account-deleted", "The account {username}, which holds a role on the project, was deleted.", Owners;
    /// The deleted account of an Owner or Maintainer came back.
    CollaboratorUndeleted { username: String } = "project:role:account-undeleted", "The account {username}, which holds a role on the project, is no longer deleted.", Owners;
    /// An account was deleted by its owner, after its hold.
    AccountDeleted { until: String } = "account:delete", "The account was deleted. Its owner can undo that until {until}; nothing of it is lost before.", Account;
    /// A deleted account was brought back, by its owner or the operator.
    AccountUndeleted { reason: String } = "account:undelete", "The account was brought back after its deletion: {reason}.", Account;
    /// The personal data of a deleted account was erased.
    AccountErased {} = "account:erase", "The personal data of the account was erased.", Nobody("no address of the account is left to tell");

    /// The index was restored from a backup; until it is opened it reads and tightens (R18).
    EpochBegun { made_at: String, sessions_ended: u64, codes_ended: u64, tokens_paused: u64 } = "index:restored", "The index was restored from the backup of {made_at}: {sessions_ended} sessions ended, the recovery codes of {codes_ended} accounts ended, {tokens_paused} API tokens are paused until their owners confirm them. Until it is opened, the index only reads.", Administrators;
    /// A restored index was opened.
    EpochOpened {} = "index:opened", "The restored index was opened: it changes things again.", Administrators;
    /// The index was started with its clock ahead of the true time (R32).
    ClockShifted { by: String } = "index:clock:shifted", "The index was started with its clock shifted by {by}.", Nobody("what the operator does is told to the administrators in any case");
    /// Policy refused an act.
    AuthorizationRefused { action: String, reason: String } = "authorization:refused", "“{action}” was refused: {reason}.", Nobody("nothing came of it");
    /// A good token was presented, and nothing came of it: the upload was refused, or the file was there already.
    TokenUsed { outcome: String } = "account:api_token:used", "An API token was presented, and nothing was uploaded: {outcome}.", Nobody("nothing came of it; the account's own history shows it");
    /// A credential was presented and did not open anything: it is unknown, was ended, was used, or has expired.
    AuthenticationRefused { what: String, reason: String } = "authentication:refused", "{what} was refused: {reason}.", Nobody("strangers could make us send mail without end; the account's own history shows it");
    /// How many failures, or passwords proved, were counted instead of recorded, in a window that is over.
    FailuresCounted { kind: String, counted: i64 } = "events:failures:counted", "{counted} more events of the kind {kind} were counted.", Nobody("detection reads it");
}
