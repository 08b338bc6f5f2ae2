//! Pages to manage one's account with.

use askama::Template;
use askama::filters::HtmlSafe;

use super::parts::{Side, SidePage};
use super::{Action, FormErrors, Frame, When};

/// `/manage/account/`.
#[derive(Template)]
#[template(path = "manage/account.html")]
pub struct Account {
    /// What surrounds the page.
    pub frame: Frame,
    /// The account's user name.
    pub username: String,
    /// The name its holder gave, possibly empty.
    pub name: String,
    /// When it was made.
    pub created: When,
    /// The gates in their order.
    pub gates: Vec<Gate>,
    /// The form of what others see.
    pub profile: Profile,
    /// Its addresses, primary first.
    pub addresses: Vec<AddressLine>,
    /// Its factors, oldest first.
    pub factors: Vec<FactorLine>,
    /// Whether all its factors can be phished.
    pub phishable: bool,
    /// How many recovery codes are unused; nothing while there are none.
    pub codes_left: Option<u32>,
    /// How many API tokens it has.
    pub tokens: u64,
    /// On how many projects it has a role.
    pub projects: u64,
    /// The fields of the form that changes the password; what was refused is shown on its own page.
    pub password: FormErrors,
}

/// One condition that an account must meet before it can manage anything.
pub struct Gate {
    /// What to do: "Verify your address".
    pub title: String,
    /// Why, and how, in a sentence.
    pub explanation: String,
    /// Where the account stands.
    pub state: GateState,
    /// What to do now; only of use in the state `Now`.
    pub step: GateStep,
}

/// Where an account stands with a gate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum GateState {
    /// Met.
    Done,
    /// The one to meet now.
    Now,
    /// Opens when those before it are met.
    Later,
}

/// How a gate is met.
pub enum GateStep {
    /// Nothing to press here.
    None,
    /// On another page.
    Go(Action),
    /// With a mail to this address, which a button asks for again.
    Mail(String),
}

/// An address of an account.
pub struct AddressLine {
    /// The address.
    pub email: String,
    /// Whether it is the primary one.
    pub primary: bool,
    /// Whether others see it.
    pub public: bool,
    /// When it was added.
    pub added: When,
    /// When it was last verified; nothing while it is not.
    pub verified: Option<When>,
    /// Why it lost its proof: "its domain lapsed"; nothing while it is verified, or never was.
    pub lost_because: Option<&'static str>,
    /// Whether a change of it waits.
    pub waits: bool,
}

/// The form of `/manage/account/profile/`: what others see.
#[derive(Template)]
#[template(path = "manage/profile.html")]
pub struct Profile {
    /// The token of the form.
    pub csrf_token: String,
    /// What was refused.
    pub errors: FormErrors,
    /// What was typed as `name`, or the name there is.
    pub name: String,
    /// What was chosen as `public_email`; empty for none.
    pub public_email: String,
    /// The verified addresses.
    pub choices: Vec<String>,
}

impl HtmlSafe for Profile {}

/// A form whose proof was made: its next press does it.
pub struct Proved {
    /// The proof.
    pub act: String,
    /// Which form: `add`, `remove` or `primary`.
    pub what: String,
    /// The address in it.
    pub email: String,
}

/// A factor of an account.
pub struct FactorLine {
    /// Its id, sent as `device_id`.
    pub id: String,
    /// Whether it is an authenticator app.
    pub is_totp: bool,
    /// What it is: "Authenticator app (TOTP)".
    pub kind: String,
    /// What its owner calls it; nothing for an app.
    pub label: Option<String>,
    /// Of a key: whether copies of it are kept by a provider.
    pub synced: Option<bool>,
    /// When it was added.
    pub added: When,
    /// When it was last used.
    pub last_used: Option<When>,
}

/// `/manage/unverified-account/`: the steps to a secured account.
#[derive(Template)]
#[template(path = "manage/unverified-account.html")]
pub struct UnverifiedAccount {
    /// What surrounds the page.
    pub frame: Frame,
    /// The gates in their order.
    pub gates: Vec<Gate>,
    /// Where the person wanted to go, a path of this index.
    pub next: Option<String>,
}

/// `/manage/account/emails/`.
#[derive(Template)]
#[template(path = "manage/emails.html")]
pub struct Emails {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The account's addresses, primary first.
    pub addresses: Vec<AddressLine>,
    /// What was typed as `email` to be added.
    pub typed: String,
    /// The form whose proof was made, if one was.
    pub proved: Option<Proved>,
}

impl Emails {
    /// The proof that the form `what` for `email` carries.
    fn act(&self, what: &str, email: &str) -> Option<&str> {
        let proved = self.proved.as_ref()?;
        let same = proved.what == what && (what == "add" || proved.email.eq_ignore_ascii_case(email));
        same.then_some(proved.act.as_str())
    }

    /// Whether the address may be removed, as far as the page can tell.
    fn removable(&self, line: &AddressLine) -> bool {
        !line.primary && (line.verified.is_none() || self.addresses.iter().filter(|line| line.verified.is_some()).count() > 1)
    }
}

/// `/manage/account/two-factor/`.
#[derive(Template)]
#[template(path = "manage/two-factor.html")]
pub struct TwoFactor {
    /// What surrounds the page.
    pub frame: Frame,
    /// The account's factors, oldest first.
    pub factors: Vec<FactorLine>,
    /// Whether it has an authenticator app.
    pub totp: bool,
    /// Whether all its factors can be phished.
    pub phishable: bool,
    /// Its keys, for the browser's keeper of passkeys.
    pub accepted: AcceptedKeys,
    /// How many recovery codes are unused; nothing while there are none.
    pub codes_left: Option<u32>,
    /// The proof that was made for a form of the page.
    pub act: Option<String>,
}

/// The keys that an account has, as `signalAllAcceptedCredentials` takes them.
pub struct AcceptedKeys {
    /// The relying party: the host of the public address.
    pub party: String,
    /// The account's id, base64url.
    pub user: String,
    /// The identifiers of all its keys, base64url, with spaces between.
    pub ids: String,
}

/// `/manage/account/webauthn-provision`.
#[derive(Template)]
#[template(path = "manage/webauthn-provision.html")]
pub struct WebauthnProvision {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// What was typed as `label`, or what the proof is bound to.
    pub label: String,
    /// Whether the ceremony can begin: no proof is needed, or it was made for this label.
    pub ready: bool,
    /// The proof that was made for this act.
    pub act: Option<String>,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
}

/// `/manage/account/totp-provision`.
#[derive(Template)]
#[template(path = "manage/totp-provision.html")]
pub struct TotpProvision {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The picture of `otpauth`, as `super::qr::svg` draws it.
    pub qr_svg: String,
    /// The secret in base32.
    pub secret: String,
    /// The `otpauth:` address.
    pub otpauth: String,
    /// Whether the account has a security key or passkey already.
    pub key: bool,
    /// The proof that was made for this act.
    pub act: Option<String>,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
}

/// `/manage/account/recovery-codes/generate`: what codes are for, or the codes themselves, once.
#[derive(Template)]
#[template(path = "manage/recovery-codes-generate.html")]
pub struct RecoveryCodesGenerate {
    /// What surrounds the page.
    pub frame: Frame,
    /// The account's user name, for the file that is downloaded.
    pub username: String,
    /// The codes just made; empty before the button is pressed.
    pub codes: Vec<String>,
    /// How many older codes stop working when new ones are made.
    pub replaces: u32,
    /// The proof that was made for this act.
    pub act: Option<String>,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
}

/// `/manage/account/recovery-codes/burn`.
#[derive(Template)]
#[template(path = "manage/recovery-codes-burn.html")]
pub struct RecoveryCodesBurn {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
}

/// `/manage/account/token/`.
#[derive(Template)]
#[template(path = "manage/tokens.html")]
pub struct Tokens {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The account's tokens, newest first.
    pub tokens: Vec<TokenLine>,
    /// The scopes on offer.
    pub scopes: Vec<ScopeChoice>,
    /// What was typed as `description`.
    pub description: String,
    /// What was chosen as `token_scope`.
    pub token_scope: String,
    /// What was typed as `expires_in_days`.
    pub expires_in_days: String,
    /// The proof that was made for this act.
    pub act: Option<String>,
    /// The paused token that the proof was made for, and the proof.
    pub confirming: Option<(String, String)>,
}

/// An API token in the list.
pub struct TokenLine {
    /// Its id.
    pub id: String,
    /// What its maker called it.
    pub description: String,
    /// What it opens.
    pub scope: TokenScope,
    /// When it was made.
    pub created: When,
    /// When and where from it was last used.
    pub last_used: Option<LastUsed>,
    /// When it ends, if it does.
    pub expires: Option<When>,
    /// Whether it opens nothing until its owner confirms it.
    pub paused: bool,
}

/// What an API token opens.
#[derive(Clone)]
pub enum TokenScope {
    /// Every project of the account.
    Account,
    /// One project, by its name.
    Project(String),
}

/// The last use of a token.
pub struct LastUsed {
    /// When.
    pub when: When,
    /// The network address it came from, with its place if known.
    pub network: Option<String>,
}

/// A choice of `token_scope`.
pub struct ScopeChoice {
    /// `scope:user` or `scope:project:NAME`.
    pub value: String,
    /// What it says to people.
    pub label: String,
}

/// After a token was made: the only page that shows it.
#[derive(Template)]
#[template(path = "manage/token-shown.html")]
pub struct TokenShown {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where this index is reached, without a slash at the end.
    pub public_url: String,
    /// The token's text.
    pub token: String,
    /// What its maker called it.
    pub description: String,
    /// What it opens.
    pub scope: TokenScope,
    /// When it ends, if it does.
    pub expires: Option<When>,
}

/// `/manage/account/security-history/`.
#[derive(Template)]
#[template(path = "manage/security-history.html")]
pub struct SecurityHistory {
    /// What surrounds the page.
    pub frame: Frame,
    /// The events, newest first.
    pub events: Vec<EventLine>,
    /// The key (`before`) of the next page.
    pub next_page: Option<String>,
}

/// An event in plain words.
pub struct EventLine {
    /// When it happened.
    pub when: When,
    /// What happened: "Signed in with a password."
    pub sentence: String,
    /// The network address it came from, with its place if known.
    pub network: Option<String>,
    /// The browser or tool.
    pub agent: Option<String>,
    /// What was shown for it: "password and authenticator app".
    pub credential: Option<String>,
    /// Whether it was refused.
    pub refused: bool,
}

/// `/manage/account/sessions/`.
#[derive(Template)]
#[template(path = "manage/sessions.html")]
pub struct Sessions {
    /// What surrounds the page.
    pub frame: Frame,
    /// The open sessions, newest first.
    pub sessions: Vec<SessionLine>,
    /// The remembered browsers, newest first.
    pub devices: Vec<DeviceLine>,
    /// The key (`before`) of the next page of sessions.
    pub next_page: Option<String>,
}

/// An open session.
pub struct SessionLine {
    /// Its id.
    pub id: String,
    /// The browser in words: "Firefox 128 on Linux".
    pub browser: String,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// The network address from which it was opened.
    pub network: Option<String>,
    /// The place of that network, if known.
    pub place: Option<String>,
    /// When it was opened.
    pub first_seen: When,
    /// When it was last used.
    pub last_seen: When,
    /// When it ends by itself.
    pub ends: When,
    /// What was proved in it: "an authenticator app".
    pub proved: String,
    /// Whether the browser is remembered.
    pub remembered: bool,
    /// Whether it rests until a password or a factor resumes it.
    pub idle: bool,
    /// Whether it is the one that looks.
    pub here: bool,
}

/// A remembered browser.
pub struct DeviceLine {
    /// Its id.
    pub id: String,
    /// The browser in words.
    pub browser: String,
    /// Where from it was when it was remembered.
    pub from: String,
    /// Since when.
    pub since: When,
    /// When it last signed in.
    pub last_seen: When,
    /// When it is forgotten by itself.
    pub ends: When,
    /// Whether it is the one that looks.
    pub here: bool,
}

/// `/manage/account/change-password/`.
#[derive(Template)]
#[template(path = "manage/change-password.html")]
pub struct ChangePassword {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The account's user name; helps password managers.
    pub username: String,
    /// Whether all other sessions are to end.
    pub end_sessions: bool,
    /// Whether all API tokens are to end.
    pub revoke_tokens: bool,
}

/// `/manage/projects/`.
#[derive(Template)]
#[template(path = "manage/projects.html")]
pub struct Projects {
    /// What surrounds the page.
    pub frame: Frame,
    /// The invitations that wait for an answer.
    pub invitations: Vec<MyInvitation>,
    /// The projects of the account, by name.
    pub projects: Vec<MyProject>,
    /// The key (`after`) of the next page.
    pub next_page: Option<String>,
}

/// An invitation to a project.
pub struct MyInvitation {
    /// Which one, as its page names it.
    pub token: String,
    /// The project.
    pub project: String,
    /// `Owner` or `Maintainer`.
    pub role: String,
    /// Who invited.
    pub inviter: String,
    /// When.
    pub since: When,
    /// Until when it can be accepted.
    pub until: When,
}

/// A project of the account that looks.
pub struct MyProject {
    /// Its name as its owners write it.
    pub name: String,
    /// Its normalized name, for the link.
    pub normalized_name: String,
    /// The role held on it.
    pub role: String,
    /// Its newest version, if it has a release.
    pub version: Option<String>,
    /// When that version was released.
    pub released: Option<When>,
    /// What is on it: `Deleted`, `Quarantined`, `Archived`.
    pub states: Vec<&'static str>,
}

/// The list of management pages, with `here` marked as open.
pub fn nav(here: &str) -> Side<'_> {
    const PAGES: &[SidePage] = &[
        ("account", "/manage/account/", "Overview"),
        ("projects", "/manage/projects/", "Projects"),
        ("token", "/manage/account/token/", "API tokens"),
        ("two-factor", "/manage/account/two-factor/", "Two factors"),
        ("sessions", "/manage/account/sessions/", "Sessions"),
        ("emails", "/manage/account/emails/", "Addresses"),
        ("holds", "/manage/holds/", "Changes that wait"),
        ("history", "/manage/account/security-history/", "Security history"),
    ];
    Side::new("Your account", PAGES, here)
}

impl TotpProvision {
    /// The secret in groups of four, as people read it aloud.
    pub fn secret_groups(&self) -> String {
        let letters: Vec<char> = self.secret.chars().collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }
}

impl GateState {
    /// The word that says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Now => "Now",
            Self::Later => "Later",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Done => "success",
            Self::Now => "info",
            Self::Later => "later",
        }
    }

    fn is_now(self) -> bool {
        self == Self::Now
    }

    fn is_done(self) -> bool {
        self == Self::Done
    }
}

impl Account {
    fn secured(&self) -> bool {
        self.gates.iter().all(|gate| gate.state.is_done())
    }
}
