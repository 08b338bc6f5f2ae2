//! Sends a prepared page: encoding, validators, and the headers that let scripts of other origins read public data.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use index::Env;
use index::prepared::{Encoding, ReadyPage};

use crate::conditional::{self, Outcome};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The serial that a page shows, as mirrors read it.
pub const LAST_SERIAL: HeaderName = HeaderName::from_static("x-pypi-last-serial");

/// What stands in the headers besides what the page itself says.
#[derive(Clone, Copy, Debug)]
pub struct Dress {
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `Cache-Control`.
    pub cache_control: &'static str,
    /// What the choice of this representation depended on.
    pub vary: &'static str,
    /// The policy for a browser that opens it.
    pub policy: &'static str,
}

/// Sends the page in the encoding that the client likes best, or 304.
///
/// # Errors
/// `Fault` when compression fails.
pub async fn send(env: &Env, headers: &HeaderMap, page: &ReadyPage, dress: Dress) -> Result<Reply, Refusal> {
    let body = page.encoded(&env.prepared, conditional::encoding(headers)).await?;
    let (status, bytes) = match conditional::judge(headers, &body.etag, None) {
        Outcome::Send => (StatusCode::OK, Body::from(body.bytes.clone())),
        Outcome::NotModified => (StatusCode::NOT_MODIFIED, Body::empty()),
        Outcome::Failed => (StatusCode::PRECONDITION_FAILED, Body::empty()),
    };
    let mut response = Reply::bytes(status, dress.content_type, bytes).into_response();
    let out = response.headers_mut();
    if status != StatusCode::OK {
        out.remove(header::CONTENT_TYPE);
    } else if body.encoding != Encoding::Identity {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(body.encoding.name()));
    }
    if let Ok(etag) = HeaderValue::from_str(&body.etag) {
        out.insert(header::ETAG, etag);
    }
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(dress.cache_control));
    out.insert(header::VARY, HeaderValue::from_static(dress.vary));
    out.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(dress.policy));
    out.insert(LAST_SERIAL, HeaderValue::from(page.serial));
    Ok(for_other_origins(Reply::from(response)))
}

/// Lets scripts of any origin read the answer: it is public.
#[must_use]
pub fn for_other_origins(reply: Reply) -> Reply {
    let mut response = reply.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("X-PyPI-Last-Serial"));
    Reply::from(response)
}
