//! The simple API: `/simple/` and `/simple/{name}/`, in the form and encoding that the client likes best.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use formats::simple::{Format, negotiate};
use formats::{NormalizedName, ProjectName};
use index::policy::ReadIndex;
use index::projects::listing;
use serde::Deserialize;

use crate::gate::Ctx;
use crate::input::Input;
use crate::ready::{Dress, for_other_origins, send};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The name in the address.
#[derive(Debug, Deserialize)]
pub struct Name {
    name: String,
}

const TEXT: &str = "text/plain; charset=utf-8";

const fn dress(format: Format) -> Dress {
    let content_type = match format {
        Format::Html => "text/html; charset=UTF-8",
        Format::HtmlV1 => "application/vnd.pypi.simple.v1+html",
        Format::JsonV1 => "application/vnd.pypi.simple.v1+json",
    };
    Dress {
        content_type,
        cache_control: "max-age=600, public",
        vary: "Accept, Accept-Encoding",
        policy: "default-src 'none'; sandbox allow-top-navigation",
    }
}

/// The form that the client accepts, if it accepts one of ours.
fn form(headers: &HeaderMap) -> Option<Format> {
    let lines: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    negotiate(Some(lines.join(",").as_str()))
}

fn not_acceptable() -> Reply {
    let body = "406 Not Acceptable: the forms are application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html and text/html";
    let vary = HeaderValue::from_static("Accept, Accept-Encoding");
    for_other_origins(Reply::bytes(StatusCode::NOT_ACCEPTABLE, TEXT, body).with_header(header::VARY, vary))
}

/// All projects.
///
/// # Errors
/// The database.
pub async fn index(ctx: Ctx<ReadIndex>, _input: Input) -> Result<Reply, Refusal> {
    let Some(format) = form(ctx.headers()) else { return Ok(not_acceptable()) };
    let page = listing::index_page(ctx.env(), format).await?;
    send(ctx.env(), ctx.headers(), &page, dress(format)).await
}

/// The files of a project.
///
/// # Errors
/// The database.
pub async fn project(ctx: Ctx<ReadIndex>, input: Input<Name>) -> Result<Reply, Refusal> {
    let name = match spelled(&input.path.name) {
        Spelled::Normalized(name) => name,
        Spelled::Otherwise(name) => return Ok(moved(&format!("/simple/{name}/"))),
        Spelled::NoName => return Ok(nothing()),
    };
    let Some(format) = form(ctx.headers()) else { return Ok(not_acceptable()) };
    match listing::project_page(ctx.env(), &name, format).await? {
        Some(page) => send(ctx.env(), ctx.headers(), &page, dress(format)).await,
        None => Ok(nothing()),
    }
}

fn nothing() -> Reply {
    for_other_origins(Reply::bytes(StatusCode::NOT_FOUND, TEXT, "404 Not Found"))
}

/// For good, for scripts of any origin too.
#[must_use]
pub fn moved(path: &str) -> Reply {
    for_other_origins(Reply::redirect(StatusCode::MOVED_PERMANENTLY, path))
}

/// How a name in an address is spelled.
#[derive(Debug, PartialEq, Eq)]
pub enum Spelled {
    /// As it should be.
    Normalized(NormalizedName),
    /// Another spelling of this name.
    Otherwise(NormalizedName),
    /// No project can have this name.
    NoName,
}

/// Reads a name in an address.
#[must_use]
pub fn spelled(name: &str) -> Spelled {
    match ProjectName::parse(name).map(|parsed| parsed.normalized()) {
        Ok(normalized) if normalized.as_str() == name => Spelled::Normalized(normalized),
        Ok(normalized) => Spelled::Otherwise(normalized),
        Err(_) => Spelled::NoName,
    }
}
