//! Who sent a request, as far as headers and the connection tell: network address behind trusted proxies, agent, cookies, credentials.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cookie::Cookie;
use credentials::link::LinkToken;
use credentials::secret::Secret;
use index::policy::Denied;
use index::signin::devices::{MOST, Trust};
use ipnet::IpNet;

use crate::reply::CookieName;

/// The header in which another machine signs its call (`credentials::signed_call`).
pub const SIGNATURE: &str = "strongroom-signature";

/// The right-most hop that is no trusted proxy. Headers count only when the connection itself comes from a trusted proxy.
#[must_use]
pub fn network(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let peer = peer?.to_canonical();
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let hops: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).map(str::trim).collect();
    for hop in hops.iter().rev() {
        match hop.parse::<IpAddr>() {
            Ok(ip) if is_trusted(&ip.to_canonical()) => {}
            Ok(ip) => return Some(ip.to_canonical()),
            Err(_) => break,
        }
    }
    Some(peer)
}

/// The `User-Agent`, printable, at most 512 bytes.
#[must_use]
pub fn agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(512).collect())
}

/// A cookie of ours, when it has the form of a token.
#[must_use]
pub fn cookie(headers: &HeaderMap, name: CookieName, https: bool) -> Option<LinkToken> {
    LinkToken::parse(&raw_cookie(headers, name, https)?)
}

fn raw_cookie(headers: &HeaderMap, name: CookieName, https: bool) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let found = all.flat_map(Cookie::split_parse).filter_map(Result::ok).find(|c| c.name() == name.wire(https))?;
    Some(found.value().to_owned())
}

/// The tokens by which accounts trust this browser, newest first; what has not the form of one is left out.
#[must_use]
pub fn devices(headers: &HeaderMap, https: bool) -> Vec<LinkToken> {
    let all = raw_cookie(headers, CookieName::Devices, https).unwrap_or_default();
    all.split('.').filter_map(LinkToken::parse).take(MOST).collect()
}

/// The cookie's value when one more account trusts this browser: the newest first, the oldest dropped.
#[must_use]
pub fn devices_with(headers: &HeaderMap, https: bool, trust: &Trust) -> String {
    let kept = devices(headers, https).into_iter().filter(|token| Some(token.digest()) != trust.replaces);
    let all: Vec<String> = std::iter::once(trust.token.clone()).chain(kept).take(MOST).map(|token| token.expose().to_owned()).collect();
    all.join(".")
}

/// The API token in `Authorization`: `Basic` with the user name `__token__`, or `Bearer`/`token`.
///
/// The error tells a password from garbage, as PyPI's clients expect.
#[must_use]
pub fn api_token(headers: &HeaderMap) -> Option<Result<Secret, Denied>> {
    let value = headers.get(header::AUTHORIZATION)?;
    Some(value.to_str().map_or(Err(Denied::NotValid), parse_authorization))
}

fn parse_authorization(value: &str) -> Result<Secret, Denied> {
    let (scheme, rest) = value.trim().split_once(' ').ok_or(Denied::NotValid)?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Ok(Secret::new(rest.trim())),
        "basic" => {
            let bytes = STANDARD.decode(rest.trim()).map_err(|_| Denied::NotValid)?;
            let pair = Secret::new(String::from_utf8(bytes).map_err(|_| Denied::NotValid)?);
            let (user, token) = pair.expose().split_once(':').ok_or(Denied::NotValid)?;
            if user.trim() != "__token__" {
                return Err(Denied::WrongCredential);
            }
            Ok(Secret::new(token.trim()))
        }
        _ => Err(Denied::NotValid),
    }
}
