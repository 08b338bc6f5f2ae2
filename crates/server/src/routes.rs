//! TABLE 2: every door: method, path, face, accepted credentials, limit, handler. What is not here does not exist.
//!
//! Adding a row: `docs/how-to/add-a-route.md`.

use axum::http::Method;
use index::limits::Limit;
use index::policy::Credential::{self, ApiToken, FreshSession, Nobody, Session, StepUp};

use crate::gate::{Door, Route, route};
use crate::refusal::Face::{self, Html, Json, Plain};
use crate::{health, statics, upload, web};

/// Everybody, whoever they are: pages that show the viewer's name when there is one.
const EVERYBODY: &[Credential] = &[Nobody, Session, FreshSession, StepUp];
/// Whoever is signed in.
const SIGNED_IN: &[Credential] = &[Session, FreshSession, StepUp];

const fn door(face: Face, accepts: &'static [Credential], limit: Option<Limit>) -> Door {
    Door { face, accepts, limit }
}

/// The whole table.
#[must_use]
pub fn table() -> Vec<Route> {
    [public(), simple_api(), uploads(), account(), manage(), tokens()].into_iter().flatten().collect()
}

fn public() -> Vec<Route> {
    vec![
        route(Method::GET, "/static/{name}", door(Plain, &[Nobody], None), statics::serve),
        route(Method::GET, "/_health/", door(Plain, &[Nobody], None), health::alive),
        route(Method::GET, "/_ready/", door(Json, &[Nobody], None), health::ready),
    ]
}

fn simple_api() -> Vec<Route> {
    vec![]
}

fn uploads() -> Vec<Route> {
    vec![route(Method::POST, "/legacy/", door(Plain, &[ApiToken], Some(Limit::Upload)), upload::receive)]
}

fn account() -> Vec<Route> {
    vec![]
}

fn manage() -> Vec<Route> {
    vec![]
}

fn tokens() -> Vec<Route> {
    vec![
        route(Method::GET, "/manage/account/token/", door(Html, SIGNED_IN, None), web::tokens::list),
        route(Method::POST, "/manage/account/token/", door(Html, SIGNED_IN, None), web::tokens::mint),
        route(Method::POST, "/manage/account/token/delete/", door(Html, SIGNED_IN, None), web::tokens::delete),
        route(Method::GET, "/manage/projects/", door(Html, SIGNED_IN, None), web::projects::list),
    ]
}
