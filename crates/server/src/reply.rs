//! What a handler answers: a page, a redirect, JSON, bytes; with cookies.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use cookie::{Cookie, SameSite};

/// An answer on its way out.
#[derive(Debug)]
pub struct Reply(Response);

/// A cookie of ours: always HttpOnly; `__Host-` and Secure when the public address is https.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieName {
    /// The session's token.
    Session,
    /// The half-open sign-in's token.
    Attempt,
    /// The token of a take-back.
    TakeBack,
    /// What form tokens are bound to before and beside a session (R30).
    Form,
    /// The tokens by which accounts trust this browser, joined by dots (R33). It outlives the browser's run.
    Devices,
}

impl CookieName {
    /// The name on the wire.
    #[must_use]
    pub const fn wire(self, https: bool) -> &'static str {
        match (self, https) {
            (Self::Session, true) => "__Host-strongroom_session",
            (Self::Session, false) => "strongroom_session",
            (Self::Attempt, true) => "__Host-strongroom_attempt",
            (Self::Attempt, false) => "strongroom_attempt",
            (Self::TakeBack, true) => "__Host-strongroom_take_back",
            (Self::TakeBack, false) => "strongroom_take_back",
            (Self::Form, true) => "__Host-strongroom_form",
            (Self::Form, false) => "strongroom_form",
            (Self::Devices, true) => "__Host-strongroom_devices",
            (Self::Devices, false) => "strongroom_devices",
        }
    }
}

impl Reply {
    /// A page.
    #[must_use]
    pub fn page(page: &impl askama::Template) -> Self {
        Self::page_with(StatusCode::OK, page)
    }
    /// A page with a status of its own: a form that was refused is 422.
    #[must_use]
    pub fn page_with(status: StatusCode, page: &impl askama::Template) -> Self {
        Self::bytes(status, "text/html; charset=utf-8", crate::pages::html(page))
    }
    /// Bytes of a type.
    #[must_use]
    pub fn bytes(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self(response)
    }
    /// JSON.
    #[must_use]
    pub fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        Self::bytes(status, "application/json", value.to_string())
    }
    /// 303 to a path of this index: what a form that worked answers.
    #[must_use]
    pub fn see_other(path: &str) -> Self {
        Self::redirect(StatusCode::SEE_OTHER, path)
    }
    /// A redirect of another kind.
    #[must_use]
    pub fn redirect(status: StatusCode, path: &str) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let to = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
        response.headers_mut().insert(header::LOCATION, to);
        Self(response)
    }
    /// The same with a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }
    /// The same, setting a cookie that lasts as long as the browser runs.
    #[must_use]
    pub fn with_cookie(self, name: CookieName, value: &str, https: bool) -> Self {
        let cookie =
            Cookie::build((name.wire(https), value.to_owned())).path("/").http_only(true).secure(https).same_site(SameSite::Lax).build();
        self.append_cookie(&cookie)
    }
    /// The same, setting a cookie that stays for so long.
    #[must_use]
    pub fn with_lasting_cookie(self, name: CookieName, value: &str, https: bool, lasts: Duration) -> Self {
        let lasts = cookie::time::Duration::seconds(i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX));
        let cookie = Cookie::build((name.wire(https), value.to_owned())).path("/").http_only(true).secure(https);
        self.append_cookie(&cookie.same_site(SameSite::Lax).max_age(lasts).build())
    }
    /// The same, removing a cookie.
    #[must_use]
    pub fn without_cookie(self, name: CookieName, https: bool) -> Self {
        let mut cookie =
            Cookie::build((name.wire(https), String::new())).path("/").http_only(true).secure(https).same_site(SameSite::Lax).build();
        cookie.make_removal();
        self.append_cookie(&cookie)
    }
    fn append_cookie(mut self, cookie: &Cookie<'_>) -> Self {
        if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
            self.0.headers_mut().append(header::SET_COOKIE, value);
        }
        self
    }
    /// A redirect as a script reads it: cookies stay, the place stands in the body.
    #[must_use]
    pub fn told_to_script(mut self, message: &str) -> Self {
        let to = self.0.headers_mut().remove(header::LOCATION);
        let to = to.as_ref().and_then(|to| to.to_str().ok()).unwrap_or("/");
        let body = serde_json::json!({ "success": { "message": message, "redirect_to": to } });
        self.0.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *self.0.status_mut() = StatusCode::OK;
        *self.0.body_mut() = Body::from(body.to_string());
        self
    }
    /// The response itself.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.0
    }
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self(response)
    }
}
