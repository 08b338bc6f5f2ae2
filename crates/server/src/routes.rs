//! TABLE 2: every door: method, path, face, accepted credentials, limit, handler. What is not here does not exist.
//!
//! Adding a row: `docs/how-to/add-a-route.md`.

use axum::http::Method;
use index::limits::Limit;
use index::policy::Credential::{self, ApiToken, FreshSession, Nobody, Session, StepUp};

use crate::api::{json, rss};
use crate::gate::{Door, Route, route};
use crate::refusal::Face::{self, Html, Json, Plain};
use crate::{files, health, simple, statics, upload, web};

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
        route(Method::GET, "/", door(Html, EVERYBODY, None), web::public::home),
        route(Method::GET, "/search/", door(Html, EVERYBODY, Some(Limit::Search)), web::public::search),
        route(Method::GET, "/project/{name}/", door(Html, EVERYBODY, None), web::public::project),
        route(Method::GET, "/project/{name}/{version}/", door(Html, EVERYBODY, None), web::public::release),
        route(Method::GET, "/user/{name}/", door(Html, EVERYBODY, None), web::public::user),
        route(Method::GET, "/help/", door(Html, EVERYBODY, None), web::public::help),
        route(Method::GET, "/static/{name}", door(Plain, &[Nobody], None), statics::serve),
        route(Method::GET, "/_health/", door(Plain, &[Nobody], None), health::alive),
        route(Method::GET, "/_ready/", door(Json, &[Nobody], None), health::ready),
    ]
}

fn simple_api() -> Vec<Route> {
    vec![
        route(Method::GET, "/simple/", door(Plain, &[Nobody], None), simple::index),
        route(Method::GET, "/simple/{name}/", door(Plain, &[Nobody], None), simple::project),
        route(Method::GET, "/files/{a}/{b}/{rest}/{filename}", door(Plain, &[Nobody], None), files::download),
        route(Method::GET, "/pypi/{name}/json", door(Json, &[Nobody], None), json::project),
        route(Method::GET, "/pypi/{name}/json/", door(Json, &[Nobody], None), json::project),
        route(Method::GET, "/pypi/{name}/{version}/json", door(Json, &[Nobody], None), json::release),
        route(Method::GET, "/pypi/{name}/{version}/json/", door(Json, &[Nobody], None), json::release),
        route(Method::GET, "/rss/updates.xml", door(Plain, &[Nobody], None), rss::updates),
        route(Method::GET, "/rss/packages.xml", door(Plain, &[Nobody], None), rss::packages),
        route(Method::GET, "/rss/project/{name}/releases.xml", door(Plain, &[Nobody], None), rss::releases),
    ]
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
    vec![]
}
