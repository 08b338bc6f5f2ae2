//! The one place that turns a no into an answer: HTML, JSON or plain text with a reason phrase.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use index::ids::ActId;
use index::policy::{Denied, Gate, State};
use index::{Invalid, Refused};

use crate::pages::{self, Frame};
use crate::reply::Reply;

/// In which language a row speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// Pages for people.
    Html,
    /// What scripts of our own pages read and post: forms as pages have them, answers in JSON.
    Script,
    /// JSON.
    Json,
    /// What packaging clients expect: the message in the reason phrase and in the body.
    Plain,
}

impl Face {
    /// The name in the routes table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "Html",
            Self::Script => "Script",
            Self::Json => "Json",
            Self::Plain => "Plain",
        }
    }
    /// Whether its doors stand behind forms of ours, which the gate checks.
    #[must_use]
    pub const fn has_forms(self) -> bool {
        matches!(self, Self::Html | Self::Script)
    }
}

/// Why a request was not done.
#[derive(Debug)]
pub enum Refusal {
    /// Policy, limits, input or a fault, from a verb.
    Refused(Refused),
    /// Nobody is signed in; sign in and come back.
    SignIn,
    /// The password was proved; the factor is outstanding.
    FinishSignIn,
    /// A factor must be proved again first.
    Reauthenticate,
    /// A key must be proved again first.
    StepUp,
    /// The same, and the form that was sent is kept under this id, to be pressed again.
    ReauthenticateFor(ActId),
    /// A factor must be proved for this one act first (R2).
    Prove(ActId),
    /// The link of a mail is used, expired or wrong.
    LinkDead,
    /// Nothing is there.
    NotFound,
    /// Not with this method.
    Method,
    /// The form did not come from a page of this index (R30).
    Foreign(&'static str),
    /// A status and a message that clients know.
    Exactly(StatusCode, String),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::Refused(Refused::Denied(denied))
    }
}
impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Refused(Refused::Invalid(invalid))
    }
}

/// What the answer needs to know about the request.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The path and query that were asked for.
    pub target: &'a str,
    /// Whether a form was posted: its `next` is the page it stands on.
    pub is_get: bool,
    /// The `Accept` header.
    pub accept: Option<&'a str>,
}

/// What the page says: status, heading, what happened, what to do, and a link.
struct Words {
    status: StatusCode,
    heading: &'static str,
    happened: String,
    todo: String,
    link: Option<(&'static str, String)>,
}

/// Answers on the row's face.
pub fn answer(refusal: Refusal, face: Face, asked: &Asked<'_>, frame: impl FnOnce() -> Frame, request_id: &str) -> Response {
    if let Refusal::Refused(Refused::Fault(fault)) = &refusal {
        tracing::error!(request_id, fault = format!("{fault:#}"), "a request met a fault");
    }
    let retry = match &refusal {
        Refusal::Refused(Refused::Limited(wait)) => Some(*wait),
        _ => None,
    };
    let mut response = match face {
        Face::Html => html(&refusal, asked, frame, request_id),
        Face::Script => script(&refusal, asked, request_id),
        Face::Json => json(&refusal, request_id),
        Face::Plain => plain(&refusal, asked, request_id),
    };
    if let Some(wait) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    response
}

fn html(refusal: &Refusal, asked: &Asked<'_>, frame: impl FnOnce() -> Frame, request_id: &str) -> Response {
    if let Some(path) = leads_to(refusal, asked) {
        return Reply::see_other(&path).into_response();
    }
    let words = words(refusal, request_id);
    let page = pages::errors::Error {
        frame: frame(),
        status: words.status.as_u16(),
        heading: words.heading.to_owned(),
        what_happened: words.happened,
        what_to_do: words.todo,
        action: words.link.map(|(label, href)| pages::Action::new(label, href)),
    };
    Reply::page_with(words.status, &page).into_response()
}

/// The page that fixes what is missing, with the way back.
fn leads_to(refusal: &Refusal, asked: &Asked<'_>) -> Option<String> {
    let to = match refusal {
        Refusal::SignIn => "/account/login/",
        Refusal::FinishSignIn => "/account/two-factor/",
        Refusal::Reauthenticate => "/account/reauthenticate/",
        // Said at the end, so that the address begins as it does for every proof.
        Refusal::StepUp => return Some(with_next("/account/reauthenticate/", asked) + "&key=y"),
        Refusal::ReauthenticateFor(kept) => return Some(with_next(&format!("/account/reauthenticate/?kept={kept}"), asked)),
        Refusal::Prove(act) => return Some(with_next(&format!("/account/reauthenticate/?act={act}"), asked)),
        Refusal::Refused(Refused::Denied(Denied::Gate(gate))) => gate_page(*gate),
        _ => return None,
    };
    Some(with_next(to, asked))
}

/// Where a gate is met (INTERFACES section 6).
#[must_use]
pub const fn gate_page(gate: Gate) -> &'static str {
    match gate {
        Gate::VerifiedAddress => "/manage/unverified-account/",
        Gate::MailboxProof => "/account/verify-mailbox/",
        Gate::RecoveryCodes => "/manage/account/recovery-codes/generate",
        Gate::RecoveryCodesProved => "/manage/account/recovery-codes/burn",
        Gate::Factor => "/manage/account/totp-provision",
        Gate::Key => "/manage/account/webauthn-provision",
    }
}

fn with_next(path: &str, asked: &Asked<'_>) -> String {
    let next = if asked.is_get { behind(asked.target) } else { page_of(asked.target) };
    let separator = if path.contains('?') { '&' } else { '?' };
    let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
    format!("{path}{separator}{query}")
}

/// Where a step of a sign-in was to lead: the steps themselves are never an end.
fn behind(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !["/account/two-factor/", "/account/recovery-code/", "/account/confirm-login/"].contains(&path) {
        return target.to_owned();
    }
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    fields.into_iter().find(|(name, _)| name == "next").map_or_else(|| target.to_owned(), |(_, next)| next)
}

/// The page that a form's own path belongs to: the nearest one above it that is not a form's.
fn page_of(target: &str) -> String {
    let path = target.split('?').next().unwrap_or(target);
    if path.starts_with("/manage/holds/") {
        return "/manage/holds/".to_owned();
    }
    if path.starts_with("/admin/holds/") {
        return "/admin/holds/".to_owned();
    }
    if path.starts_with("/manage/account/two-factor/") || path == "/manage/account/webauthn-provision/delete" {
        return "/manage/account/two-factor/".to_owned();
    }
    if path == "/manage/account/delete/" {
        return path.to_owned();
    }
    for form in [
        "delete/",
        "delete-file/",
        "put-back/",
        "unarchive/",
        "change/",
        "revoke_invite/",
        "decline/",
        "reverify/",
        "add/",
        "remove/",
        "primary/",
        "profile/",
        "end/",
        "end-others/",
        "forget-device/",
        "freeze/",
        "thaw/",
        "quarantine/",
        "release/",
        "note/",
        "close/",
        "confirm/",
        "decide/",
        "/options",
        "/validate",
    ] {
        if let Some(page) = path.strip_suffix(form) {
            return page.to_owned();
        }
    }
    path.to_owned()
}

/// What went wrong in the words of the page, and the page that fixes it, if one does.
fn script(refusal: &Refusal, asked: &Asked<'_>, request_id: &str) -> Response {
    let words = words(refusal, request_id);
    let mut fail = serde_json::json!({ "errors": [words.happened] });
    if let Some(page) = leads_to(refusal, &Asked { is_get: false, ..*asked }) {
        fail["redirect_to"] = page.into();
    }
    Reply::json(words.status, &serde_json::json!({ "fail": fail })).into_response()
}

fn json(refusal: &Refusal, request_id: &str) -> Response {
    let words = words(refusal, request_id);
    let message = if words.status == StatusCode::NOT_FOUND { "Not Found".to_owned() } else { words.happened };
    Reply::json(words.status, &serde_json::json!({ "message": message })).into_response()
}

/// Upload errors: the message stands in the reason phrase and in the body, in the form that the client asked for.
fn plain(refusal: &Refusal, asked: &Asked<'_>, request_id: &str) -> Response {
    let (status, message) = match refusal {
        Refusal::Exactly(status, message) => (*status, message.clone()),
        Refusal::Refused(Refused::Denied(Denied::WrongCredential)) => (
            StatusCode::FORBIDDEN,
            "Username/Password authentication is not supported. Use an API token: user name __token__, password the token. See /help/#invalid-auth for more information.".to_owned(),
        ),
        Refusal::Refused(Refused::Denied(Denied::ReadOnly)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The index only reads at the moment: it was restored from a backup and is not open yet. Try again later.".to_owned(),
        ),
        Refusal::Refused(Refused::Denied(Denied::Asleep)) => (
            StatusCode::FORBIDDEN,
            "The roles of this account sleep, because its first factor was added a short while ago. See /manage/holds/ for when they wake.".to_owned(),
        ),
        Refusal::Refused(Refused::Denied(Denied::Token(reason))) => (StatusCode::FORBIDDEN, format!("Invalid API Token: {reason}")),
        Refusal::Refused(Refused::Denied(_)) | Refusal::SignIn => (
            StatusCode::FORBIDDEN,
            "Invalid or non-existent authentication information. See /help/#invalid-auth for more information.".to_owned(),
        ),
        Refusal::Refused(Refused::Invalid(invalid)) => (StatusCode::BAD_REQUEST, invalid.message.clone()),
        other => {
            let words = words(other, request_id);
            (words.status, words.happened)
        }
    };
    exactly(status, &message, asked.accept)
}

/// A status with a message: reason phrase and body say the same (HTTP/2 has no reason phrase).
#[must_use]
pub fn exactly(status: StatusCode, message: &str, accept: Option<&str>) -> Response {
    let line = format!("{} {message}", status.as_u16());
    let title = status.canonical_reason().unwrap_or("Error");
    let (content_type, body) = match preferred(accept) {
        Body3::Json => {
            let json = serde_json::json!({ "message": message, "code": line, "title": title });
            ("application/json", json.to_string())
        }
        Body3::Html => {
            ("text/html; charset=utf-8", format!("<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{}</p>\n", escape(message)))
        }
        Body3::Text => ("text/plain; charset=utf-8", format!("{line}\n\n{message}\n")),
    };
    let mut response = Reply::bytes(status, content_type, Body::from(body)).into_response();
    let phrase: Vec<u8> = message.chars().map(|c| if c == '\t' || (' '..='~').contains(&c) { c as u8 } else { b'?' }).collect();
    if let Ok(phrase) = hyper::ext::ReasonPhrase::try_from(phrase) {
        response.extensions_mut().insert(phrase);
    }
    response
}

enum Body3 {
    Html,
    Json,
    Text,
}

/// HTML for `*/*`, else what has the highest weight, else plain text.
fn preferred(accept: Option<&str>) -> Body3 {
    let Some(accept) = accept else { return Body3::Text };
    let weight = |wanted: &str| {
        let parts = accept.split(',').filter_map(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let kind = pieces.next()?;
            let q = pieces.find_map(|p| p.strip_prefix("q=")).and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0);
            (kind == wanted || kind == "*/*").then_some(q)
        });
        parts.fold(0.0_f32, f32::max)
    };
    let (html, json, text) = (weight("text/html"), weight("application/json"), weight("text/plain"));
    if html > 0.0 && html >= json && html >= text {
        Body3::Html
    } else if json > 0.0 && json >= text {
        Body3::Json
    } else {
        Body3::Text
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn words(refusal: &Refusal, request_id: &str) -> Words {
    match refusal {
        Refusal::Refused(Refused::Denied(denied)) => denied_words(denied),
        Refusal::Refused(Refused::Invalid(invalid)) => {
            say(StatusCode::BAD_REQUEST, "That cannot be used", &invalid.message, "Go back, correct it and send it again.")
        }
        Refusal::Refused(Refused::Limited(wait)) => limited(*wait),
        Refusal::Refused(Refused::Fault(_)) => fault(request_id),
        Refusal::SignIn
        | Refusal::FinishSignIn
        | Refusal::Reauthenticate
        | Refusal::ReauthenticateFor(_)
        | Refusal::StepUp
        | Refusal::Prove(_) => say(StatusCode::UNAUTHORIZED, "Sign in first", "This needs a signed-in account.", "Sign in and try again."),
        Refusal::LinkDead => Words {
            link: Some(("Go to the start page", "/".to_owned())),
            ..say(
                StatusCode::GONE,
                "This link no longer works",
                "It was used already, it has expired, or it is not complete.",
                "Ask for a new one where you asked for this one.",
            )
        },
        Refusal::NotFound => say(
            StatusCode::NOT_FOUND,
            "Page not found",
            "Nothing is at this address, or it is not yours to see.",
            "Check the address, or search for a project.",
        ),
        Refusal::Method => say(
            StatusCode::METHOD_NOT_ALLOWED,
            "Not with this method",
            "This address does not answer to that method.",
            "Open it as a page.",
        ),
        Refusal::Foreign(why) => say(
            StatusCode::FORBIDDEN,
            "This form cannot be accepted",
            why,
            "Open the page again here and send the form from there. Cookies must be allowed.",
        ),
        Refusal::Exactly(status, message) => say(*status, "That cannot be done", message, "Go back and try again."),
    }
}

/// A restored index that is not open yet (R18).
fn read_only() -> Words {
    say(
        StatusCode::SERVICE_UNAVAILABLE,
        "The index only reads at the moment",
        "It was restored from a backup, and the people who run it have not opened it yet. Nothing was changed.",
        "Signing in and reading work, and so does everything that stops something: the links of notices, vetoes. Try the rest again later.",
    )
}

/// An account that may not act, and what its owner does about it.
fn stopped(state: State) -> Words {
    match state {
        State::Frozen => Words {
            link: Some(("Look at changes that wait", "/manage/holds/".to_owned())),
            ..say(
                StatusCode::FORBIDDEN,
                "This account is frozen",
                "The people who run this index stopped the account; the mail about it says why. Nothing was deleted: its sessions and tokens work again when it is thawed. Reading, downloading, and stopping changes that wait still work.",
                "Write to the people who run this index, and answer what their mail asks.",
            )
        },
        State::Contained => Words {
            link: Some(("Take the account back", "/account/take-back/".to_owned())),
            ..say(
                StatusCode::FORBIDDEN,
                "This account is stopped",
                "Somebody pressed “This was not me” in a notice about this account. Nothing was deleted.",
                "Take the account back with a code to your mailbox and your second factor.",
            )
        },
        state => say(
            StatusCode::FORBIDDEN,
            "This account cannot act",
            &format!("The account is {}.", state.word()),
            "Write to the people who run this index.",
        ),
    }
}

fn denied_words(denied: &Denied) -> Words {
    match denied {
        Denied::Hidden => words(&Refusal::NotFound, ""),
        Denied::Stopped(state) => stopped(*state),
        Denied::Gate(_) => say(
            StatusCode::FORBIDDEN,
            "Secure your account first",
            "The account is not secured yet.",
            "Open your account page: it leads through the steps.",
        ),
        Denied::WrongCredential | Denied::NotValid => say(
            StatusCode::FORBIDDEN,
            "This does not open that",
            "What you are signed in with does not open this page.",
            "Sign in and try again.",
        ),
        Denied::Unsettled => say(
            StatusCode::FORBIDDEN,
            "Too young for this",
            "What you came with (a factor, an address or a role) has not stood long enough to stop or remove what has.",
            "Sign in with an older factor, use the link of a mail to an older address, or write to the people who run this index.",
        ),
        Denied::OwnAffair => say(
            StatusCode::FORBIDDEN,
            "This is your own affair",
            "It concerns your own account, a project on which you hold a role, or a change that you are told of.",
            "Ask another administrator, or the operator at the shell.",
        ),
        Denied::Barred => say(
            StatusCode::FORBIDDEN,
            "This was stopped before",
            "Somebody concerned stopped such a change, and people have not finished looking at it.",
            "Write to the people who run this index.",
        ),
        Denied::Asleep => say(
            StatusCode::FORBIDDEN,
            "The roles of your account sleep",
            "A first second factor was added to an account that already held roles: they work again 72 hours later, or as soon as a settled co-owner approves.",
            "Look at the changes that wait, at /manage/holds/.",
        ),
        Denied::ReadOnly => read_only(),
        Denied::LinkSpent => say(
            StatusCode::FORBIDDEN,
            "This mailbox has stopped it once",
            "A link of a mail to this mailbox stopped a change of the same thing within the last 30 days.",
            "Sign in and stop it at /manage/holds/, or write to the people who run this index.",
        ),
        Denied::Shut(shut) => say(
            StatusCode::FORBIDDEN,
            "It takes nothing new",
            &format!("What you wanted to add to is {}.", shut.word()),
            "An owner looks at it in the settings of the project.",
        ),
        Denied::Token(_) => say(
            StatusCode::FORBIDDEN,
            "Paused by an alarm",
            "An Owner raised the alarm about what was done in this session: on this project it does nothing for a day but stop things.",
            "Stopping, withdrawing and taking back still work. Talk to the Owner who raised it.",
        ),
        Denied::NoRole | Denied::NeedsProof => say(
            StatusCode::FORBIDDEN,
            "You may not do this",
            "Your account does not have the role that this needs.",
            "Ask an owner of the project.",
        ),
    }
}

fn limited(wait: Duration) -> Words {
    let seconds = wait.as_secs().max(1);
    let time = if seconds < 120 { format!("{seconds} seconds") } else { format!("{} minutes", seconds.div_ceil(60)) };
    say(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many attempts",
        "There were too many attempts in a short time.",
        &format!("Try again in {time}."),
    )
}

fn fault(request_id: &str) -> Words {
    let happened = format!("Something failed on our side. It was logged as {request_id}.");
    say(
        StatusCode::INTERNAL_SERVER_ERROR,
        "That did not work",
        &happened,
        "Try again; if it fails again, tell the people who run this index and quote the number.",
    )
}

fn say(status: StatusCode, heading: &'static str, happened: &str, todo: &str) -> Words {
    Words { status, heading, happened: happened.to_owned(), todo: todo.to_owned(), link: None }
}
