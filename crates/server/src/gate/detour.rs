//! The detour of a form that wants a fresher session: what was typed is kept beside the session, without its secrets, and shown again
//! as text after the proof; a new press sends it (INTERFACES section 6).

use axum::body::Bytes;
use index::authentication::identify;
use index::policy::{ActionName, Credential, Credentials};
use index::signin::kept::{self, Kept};

use super::{App, Door, Seen, presented};
use crate::refusal::Refusal;

/// Every kind of session: whose form it is.
const ANY: &[Credential] = &[Credential::IdleSession, Credential::Session, Credential::FreshSession, Credential::StepUp];

/// Keeps the form, and leads to the proof; `None` where it cannot be kept.
pub(super) async fn keep(app: &App, (door, action): (Door, ActionName), seen: &Seen, posted: &Bytes) -> Option<Refusal> {
    let accepts = Credentials::of(door.accepts);
    // The steps of a sign-in are no forms of a session.
    if !accepts.contains(Credential::StepUp) {
        return None;
    }
    let identified = identify(&app.env, (Credentials::of(ANY), action), presented(app, seen), seen.origin()).await.ok()?;
    let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(posted).ok()?;
    let wants_fresh = !accepts.contains(Credential::Session);
    let wants_key = !accepts.contains(Credential::FreshSession);
    let kept = Kept { wants_key, ..Kept::of(&seen.target, fields, wants_fresh) };
    let id = kept::keep(&app.env, &identified.actor, (action, &kept)).await.ok()?;
    Some(Refusal::ReauthenticateFor(id))
}
