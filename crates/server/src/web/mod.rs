//! Handlers of the pages for people: they read forms, call verbs, and show what came of it. No rules live here.

pub mod account;
pub mod addresses;
pub mod admin;
pub mod containing;
pub mod factors;
pub mod gates;
pub mod holds;
pub mod keys;
pub mod next;
pub mod phished;
pub mod profile;
pub mod projects;
pub mod proofs;
pub mod public;
pub mod registration;
pub mod reset;
pub mod restoring;
pub mod sessions;
pub mod signin;
mod tags;
pub mod tokens;

use axum::http::{HeaderValue, StatusCode, header};
use credentials::link::LinkToken;
use index::policy::Denied;
use index::{Env, Invalid, Refused};
use serde::Deserialize;

use crate::pages::account::LinkDead;
use crate::pages::{Action, FormErrors, Frame, When};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Where people are led when they wanted to go nowhere in particular.
pub const HOME: &str = "/manage/account/";

/// The part of a query or form that says where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub struct Next {
    /// As it was sent; not checked yet.
    #[serde(default)]
    pub next: Option<String>,
}

/// The token of a link, in a query.
#[derive(Deserialize)]
pub struct Token {
    /// As it was sent.
    #[serde(default)]
    pub token: String,
}

impl Token {
    /// The token, when it has the form of one.
    #[must_use]
    pub fn read(&self) -> Option<LinkToken> {
        LinkToken::parse(&self.token)
    }
}

/// A form that was refused is shown again: 422, with what was typed.
pub fn refused_form(page: &impl askama::Template) -> Reply {
    Reply::page_with(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// What stands beside the fields: an `Invalid` alone goes there, everything else is answered elsewhere.
pub(crate) fn field_error(refused: Refused) -> Result<FormErrors, Refusal> {
    match refused {
        Refused::Invalid(Invalid { field, message }) => Ok(FormErrors::one(field, message)),
        other => Err(other.into()),
    }
}

/// A link that was good at the gate may be dead inside the transaction: the page is the same.
pub(crate) fn dead_link(refused: Refused) -> Refusal {
    match refused {
        Refused::Denied(Denied::NotValid) => Refusal::LinkDead,
        other => other.into(),
    }
}

/// The page of a link of a mail: its address holds a token, so that no other page may learn it.
///
/// Over plain http browsers say where a form comes from only by its origin, which `no-referrer` blanks.
pub(crate) fn link_page(reply: Reply, env: &Env) -> Reply {
    let policy = if env.config.is_https() { "no-referrer" } else { "same-origin" };
    reply.with_header(header::REFERRER_POLICY, HeaderValue::from_static(policy))
}

/// What is shown instead of a page whose link is dead.
pub(crate) fn link_dead(frame: Frame, purpose: &str, action: Option<Action>) -> Reply {
    Reply::page_with(StatusCode::GONE, &LinkDead { frame, purpose: purpose.to_owned(), action })
}

/// A moment, seen from now.
pub(crate) fn when(env: &Env, at: index::clock::Time) -> When {
    When { unix_us: at.as_micros(), now_us: env.now().as_micros() }
}
