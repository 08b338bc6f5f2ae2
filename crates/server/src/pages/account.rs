//! Pages to come in by: registration, sign-in, proofs, links from mails.

use askama::Template;

use super::{Action, FormErrors, Frame, When};

/// `/account/register/`.
#[derive(Template)]
#[template(path = "account/register.html")]
pub struct Register {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// What was typed as `name`.
    pub name: String,
    /// What was typed as `email`.
    pub email: String,
    /// What was typed as `username`.
    pub username: String,
}

/// After a registration: the same page whether or not the address was known.
#[derive(Template)]
#[template(path = "account/check-mailbox.html")]
pub struct CheckMailbox {
    /// What surrounds the page.
    pub frame: Frame,
    /// The address as it was typed.
    pub email: String,
}

/// `/account/login/`.
#[derive(Template)]
#[template(path = "account/login.html")]
pub struct Login {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// What was typed as `username`.
    pub username: String,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
}

/// Instead of a sign-in: the password was right, and a list of stolen ones has it.
#[derive(Template)]
#[template(path = "account/password-disabled.html")]
pub struct PasswordDisabled {
    /// What surrounds the page.
    pub frame: Frame,
    /// Administrators get no link by mail.
    pub administrator: bool,
}

/// `/account/two-factor/`.
#[derive(Template)]
#[template(path = "account/two-factor.html")]
pub struct TwoFactor {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// Whether the account has an authenticator app.
    pub totp: bool,
    /// Whether the account has a security key or passkey.
    pub key: bool,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
    /// Whether this browser was asked to be remembered.
    pub remember: bool,
}

/// `/account/recovery-code/`.
#[derive(Template)]
#[template(path = "account/recovery-code.html")]
pub struct RecoveryCode {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
    /// Whether this browser was asked to be remembered.
    pub remember: bool,
}

/// `/account/confirm-login/`: a sign-in from an unknown browser waits for the mailbox.
#[derive(Template)]
#[template(path = "account/confirm-login.html")]
pub struct ConfirmLogin {
    /// What surrounds the page.
    pub frame: Frame,
    /// What the page is, in this browser.
    pub state: Confirming,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
}

/// What [`ConfirmLogin`] is, in the browser that looks.
pub enum Confirming {
    /// A mail was sent; nothing was opened yet.
    Waiting {
        /// Until when the sign-in waits.
        until: When,
    },
    /// The link was opened where the sign-in began.
    Here {
        /// The token of the link, sent back in the body.
        token: String,
        /// Until when it works.
        until: When,
        /// Whether this browser was asked to be remembered.
        remember: bool,
    },
    /// The link was opened in another browser.
    Elsewhere {
        /// Where the sign-in began: "Firefox 128 on Linux, 192.0.2.7".
        from: String,
    },
}

/// A form that waited for a proof, shown again as text: a new press sends it.
#[derive(Template)]
#[template(path = "account/kept-form.html")]
pub struct KeptForm {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where it is sent.
    pub path: String,
    /// Names and values as they were sent.
    pub fields: Vec<(String, String)>,
    /// Names of fields that are typed again.
    pub secrets: Vec<String>,
    /// The page that it stood on.
    pub next: String,
}

impl KeptForm {
    /// What a field is called on its own page.
    pub fn label(name: &str) -> String {
        match name {
            "password" => "Present password".into(),
            "new_password" => "New password".into(),
            "password_confirm" => "New password, once more".into(),
            "end_sessions" => "End all other sessions".into(),
            "revoke_tokens" => "Delete all API tokens".into(),
            other => other.replace('_', " "),
        }
    }

    /// What was chosen or typed; a box that is set says so.
    pub fn value(value: &str) -> &str {
        if value == "y" { "yes" } else { value }
    }
}

/// `/account/logout/`.
#[derive(Template)]
#[template(path = "account/logout.html")]
pub struct Logout {
    /// What surrounds the page.
    pub frame: Frame,
}

/// `/account/request-password-reset/`.
#[derive(Template)]
#[template(path = "account/request-password-reset.html")]
pub struct RequestPasswordReset {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// What was typed as `username_or_email`.
    pub username_or_email: String,
}

/// After a reset was asked for: the same page whether or not an account was found.
#[derive(Template)]
#[template(path = "account/reset-requested.html")]
pub struct ResetRequested {
    /// What surrounds the page.
    pub frame: Frame,
}

/// `/account/reset-password/?token=`.
#[derive(Template)]
#[template(path = "account/reset-password.html")]
pub struct ResetPassword {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The token of the link, sent back in the body.
    pub token: String,
    /// The account whose password it is; helps password managers.
    pub username: String,
    /// Whether all API tokens shall end.
    pub revoke_tokens: bool,
}

/// `/account/verify-email/?token=`: opening it changes nothing, its button does.
#[derive(Template)]
#[template(path = "account/verify-email.html")]
pub struct VerifyEmail {
    /// What surrounds the page.
    pub frame: Frame,
    /// The token of the link, sent back in the body.
    pub token: String,
    /// The address to verify.
    pub email: String,
    /// The account it belongs to.
    pub username: String,
}

/// After the button for an address that another account has verified since.
#[derive(Template)]
#[template(path = "account/address-taken.html")]
pub struct AddressTaken {
    /// What surrounds the page.
    pub frame: Frame,
}

/// `/account/verify-mailbox/`.
#[derive(Template)]
#[template(path = "account/verify-mailbox.html")]
pub struct VerifyMailbox {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The address that the code goes to.
    pub email: String,
    /// When the code that is open now ends; nothing while none was asked for.
    pub code_expires: Option<When>,
    /// How often a code may still be entered.
    pub tries_left: u32,
    /// Where to go afterwards, a path of this index.
    pub next: Option<String>,
}

/// `/account/reauthenticate/`.
#[derive(Template)]
#[template(path = "account/reauthenticate.html")]
pub struct Reauthenticate {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// Where to go afterwards, a path of this index.
    pub next: String,
    /// The form that waits for the proof, if one does.
    pub kept: Option<String>,
    /// The act that the proof is for, if it is for one.
    pub act: Option<Act>,
    /// Whether `password` counts here.
    pub password: bool,
    /// Whether `totp_value` counts here.
    pub totp: bool,
    /// Whether the account has a security key or passkey, which always counts.
    pub key: bool,
    /// Whether nobody was here for a while.
    pub idle: bool,
}

/// One act that wants its own proof (R2).
pub struct Act {
    /// Its id, sent as `act`.
    pub id: String,
    /// What it is: "Create the API token “ci” for the project spam."
    pub sentence: String,
}

/// `/setup/?token=`.
#[derive(Template)]
#[template(path = "account/setup.html")]
pub struct Setup {
    /// What surrounds the page.
    pub frame: Frame,
    /// What was refused.
    pub errors: FormErrors,
    /// The token of the link, sent back in the body.
    pub token: String,
    /// Whether the account will be an administrator.
    pub administrator: bool,
    /// What was typed as `name`.
    pub name: String,
    /// What was typed as `email`, or the address known already.
    pub email: String,
    /// Whether the address is known already and cannot be changed here.
    pub email_known: bool,
    /// What was typed as `username`, or the name known already.
    pub username: String,
    /// Whether the user name is known already and cannot be changed here.
    pub username_known: bool,
}

/// Shown instead of a page whose link no longer works.
#[derive(Template)]
#[template(path = "account/link-dead.html")]
pub struct LinkDead {
    /// What surrounds the page.
    pub frame: Frame,
    /// What the link was for: "verify an address".
    pub purpose: String,
    /// How to get a new one.
    pub action: Option<Action>,
}
