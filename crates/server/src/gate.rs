//! From a request to an actor, and from a table of routes to a router. The only caller of `Router::route`.
//!
//! Only the gate makes a `Ctx`, after it has checked credential, account state, origin, form token and limit.

use std::future::Future;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use credentials::link::LinkToken;
use futures_util::future::BoxFuture;
use index::authentication::{Identified, Presented, SignedCall, Viewer, identify};
use index::db::{Read, Tx};
use index::ids::{AccountId, EventId, Site};
use index::limits::{self, Limit, Whom};
use index::policy::{Action, ActionName, Actor, Credential, Credentials, Denied, Origin, Permit};
use index::signin::acts::{self, Asked};
use index::signin::keys::Browser;
use index::{Env, Refused, act};

use crate::client;
use crate::input::{Reads, small};
use crate::pages::{self, Frame};
use crate::refusal::{self, Face, Refusal, answer};
use crate::reply::{CookieName, Reply};

/// What all handlers share.
#[derive(Clone, Debug)]
pub struct App {
    env: Env,
    drill: Option<Arc<str>>,
    /// The paths of pages that a signed-in person can open, as patterns: where `next` may lead (R30).
    pages: Arc<[&'static str]>,
}

impl App {
    /// The faces of one index. `drill` says by how much the clock is shifted, if it is (R32).
    #[must_use]
    pub fn new(env: Env, drill: Option<String>) -> Self {
        Self { env, drill: drill.map(Arc::from), pages: Arc::from([]) }
    }
}

/// What a handler is handed: who calls, and the ways in for exactly one action.
#[derive(Debug)]
pub struct Ctx<A: Action> {
    app: App,
    identified: Identified,
    form: FormGuard,
    /// The path and query that were asked for.
    target: String,
    headers: HeaderMap,
    action: PhantomData<fn() -> A>,
}

impl<A: Action> Ctx<A> {
    /// The surroundings: settings, clock, and what the verbs need.
    pub const fn env(&self) -> &Env {
        &self.app.env
    }
    /// Who calls, with what.
    pub const fn actor(&self) -> &Actor {
        &self.identified.actor
    }
    /// Who looks at the page, if somebody is signed in.
    pub const fn viewer(&self) -> Option<&Viewer> {
        self.identified.viewer.as_ref()
    }
    /// The account that calls.
    ///
    /// # Errors
    /// `SignIn` when none does.
    pub fn account(&self) -> Result<AccountId, Refusal> {
        self.actor().account().ok_or(Refusal::SignIn)
    }
    /// The headers of the request.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
    /// The path and query that were asked for.
    pub fn target(&self) -> &str {
        &self.target
    }
    /// The paths of pages that can be opened, as patterns.
    pub fn pages(&self) -> &[&'static str] {
        &self.app.pages
    }
    /// The browser, known by the cookie that its forms are bound to; only pages and their scripts have one.
    pub const fn browser(&self) -> Browser {
        Browser(self.form.digest)
    }
    /// Whether cookies are for https only.
    pub fn https(&self) -> bool {
        self.env().config.is_https()
    }
    /// What surrounds every page.
    pub fn frame(&self) -> Frame {
        frame(&self.app, self.viewer(), &self.form.token, &self.actor().origin.request_id)
    }
    /// The same for somebody who is signed in no more.
    pub fn stranger_frame(&self) -> Frame {
        frame(&self.app, None, &self.form.token, &self.actor().origin.request_id)
    }
    /// Asks early, before a large body is read.
    ///
    /// # Errors
    /// As policy decides.
    pub async fn may(&self, on: A::On) -> Result<(), Refused> {
        act::may::<A>(self.env(), self.actor(), on).await
    }
    /// Reads what is not public.
    ///
    /// # Errors
    /// As policy decides, or the work.
    pub async fn view<T, F>(&self, on: A::On, work: F) -> Result<T, Refused>
    where
        F: for<'t> FnOnce(&'t Read, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>>,
    {
        act::view::<A, T, F>(self.env(), self.actor(), on, work).await
    }
    /// Changes something.
    ///
    /// # Errors
    /// As policy decides, or the work.
    pub async fn act<T, F>(&self, on: A::On, work: F) -> Result<T, Refused>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>> + Send + Sync + 'static,
    {
        act::act::<A, T, F>(self.env(), self.actor(), on, work).await
    }
}

impl<A: Action> Ctx<A> {
    /// Writes down what was asked on something of one's own, and leads to the page where a factor is proved for it (R2).
    ///
    /// `subject` is the text of what it is done to, `parameters` are those that `signin::acts::spend` is given.
    pub async fn ask_proof_on(&self, subject: &str, parameters: serde_json::Value, description: &str) -> Refusal {
        self.ask_proof_of::<A>(subject, parameters, description).await
    }

    /// The same for another action that the form at hand leads to.
    pub async fn ask_proof_of<B: Action>(&self, subject: &str, parameters: serde_json::Value, description: &str) -> Refusal {
        let account = match self.account() {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        let asked = Asked { action: B::NAME, subject: subject.to_owned(), parameters, description: description.to_owned() };
        match acts::ask(self.env(), self.actor(), account, asked).await {
            Ok(act) => Refusal::Prove(act),
            Err(refused) => refused.into(),
        }
    }
}

impl<A: Action<On = AccountId>> Ctx<A> {
    /// Writes down what was asked, on one's own account, and leads to the page where a factor is proved for it (R2).
    ///
    /// `parameters` are those that `signin::acts::spend` is given; `description` is what the page says.
    pub async fn ask_proof(&self, parameters: serde_json::Value, description: &str) -> Refusal {
        self.ask_proof_for::<A>(parameters, description).await
    }

    /// The same for another action that the page at hand leads to.
    pub async fn ask_proof_for<B: Action<On = AccountId>>(&self, parameters: serde_json::Value, description: &str) -> Refusal {
        let account = match self.account() {
            Ok(account) => account,
            Err(refusal) => return refusal,
        };
        let asked = Asked { action: B::NAME, subject: account.to_string(), parameters, description: description.to_owned() };
        match acts::ask(self.env(), self.actor(), account, asked).await {
            Ok(act) => Refusal::Prove(act),
            Err(refused) => refused.into(),
        }
    }
}

/// A row of the routes table, with its handler.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with parameters as `{name}`.
    pub path: &'static str,
    /// In which language it speaks.
    pub face: Face,
    /// Which kinds of credential it accepts.
    pub accepts: Credentials,
    /// The limit that guards it, if one does.
    pub limit: Option<Limit>,
    /// The action, from the handler's type.
    pub action: ActionName,
    mount: MethodRouter<App>,
}

/// What stands in a row besides the handler.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// In which language it speaks.
    pub face: Face,
    /// Which kinds of credential it accepts.
    pub accepts: &'static [Credential],
    /// The limit that guards it, if one does.
    pub limit: Option<Limit>,
}

/// Makes a row: the action comes from the handler's type, so that table and handler cannot disagree.
pub fn route<A, I, F, Fut>(method: Method, path: &'static str, door: Door, handler: F) -> Route
where
    A: Action,
    I: Reads,
    F: Fn(Ctx<A>, I) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Refusal>> + Send,
{
    let accepts = Credentials::of(door.accepts);
    let run = move |State(app): State<App>, request: Request| {
        let handler = handler.clone();
        async move { serve::<A, I, F, Fut>(app, door, request, handler).await }
    };
    let filter = MethodFilter::try_from(method.clone()).expect("the table names ordinary methods");
    Route { mount: on(filter, run), method, path, face: door.face, accepts, limit: door.limit, action: A::NAME }
}

async fn serve<A, I, F, Fut>(app: App, door: Door, request: Request, handler: F) -> Response
where
    A: Action,
    I: Reads,
    F: Fn(Ctx<A>, I) -> Fut,
    Fut: Future<Output = Result<Reply, Refusal>> + Send,
{
    let seen = Seen::of(&app, &request);
    // Only pages have forms; what tools read is not slowed by one.
    let (form, made_cookie) = if door.face.has_forms() { FormGuard::of(&app, &seen.headers) } else { (FormGuard::NONE, false) };
    let mut viewer = None;
    let done = async {
        let (identified, request) = admit(&app, (door, A::NAME), &seen, &form, request).await?;
        viewer.clone_from(&identified.viewer);
        let input = I::read(request).await?;
        let ctx = Ctx {
            app: app.clone(),
            identified,
            form: form.clone(),
            target: seen.target.clone(),
            headers: seen.headers.clone(),
            action: PhantomData,
        };
        handler(ctx, input).await
    }
    .await;
    let asked = refusal::Asked { target: &seen.target, is_get: seen.method == Method::GET, accept: seen.accept() };
    let mut response = match done {
        Ok(reply) => reply.into_response(),
        Err(refusal) => {
            let frame = || frame(&app, viewer.as_ref(), &form.token, &seen.request_id);
            answer(refusal, door.face, &asked, frame, &seen.request_id)
        }
    };
    match door.face {
        Face::Html => guard_page(&app, &mut response, made_cookie.then_some(&form)),
        Face::Script => guard_script(&app, &mut response, made_cookie.then_some(&form)),
        Face::Json | Face::Plain => {}
    }
    stamp(&app, &mut response, &seen);
    response
}

/// What the gate sees of a request before it knows who calls.
struct Seen {
    method: Method,
    target: String,
    headers: HeaderMap,
    network: Option<IpAddr>,
    devices: Vec<[u8; 32]>,
    request_id: String,
}

impl Seen {
    fn of(app: &App, request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let headers = request.headers().clone();
        let env = &app.env;
        Self {
            method: request.method().clone(),
            target: request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            network: client::network(peer, &headers, &env.config.trusted_proxies),
            devices: client::devices(&headers, env.config.is_https()).iter().map(LinkToken::digest).collect(),
            headers,
            request_id: EventId::new(env.now(), &*env.entropy).to_string(),
        }
    }
    fn accept(&self) -> Option<&str> {
        self.headers.get(header::ACCEPT).and_then(|v| v.to_str().ok())
    }
    fn origin(&self) -> Origin {
        Origin {
            network: self.network,
            agent: client::agent(&self.headers),
            request_id: self.request_id.clone(),
            devices: self.devices.clone(),
        }
    }
}

/// Checks the form, the credential and the limit, in this order.
async fn admit(
    app: &App,
    (door, action): (Door, ActionName),
    seen: &Seen,
    form: &FormGuard,
    request: Request,
) -> Result<(Identified, Request), Refusal> {
    let env = &app.env;
    let accepts = Credentials::of(door.accepts);
    let mut presented = presented(app, seen);
    let mut request = request;
    if accepts.contains(Credential::Signature) {
        (presented.signed, request) = signed_call(seen, request).await?;
    }
    let mut posted = None;
    if door.face.has_forms() && !seen.method.is_safe() {
        let fields;
        (fields, request) = form.check(app, seen, request).await?;
        presented.link = fields.link;
        // A script sends its post again by itself.
        posted = (door.face == Face::Html).then_some(fields.bytes);
    }
    let (had_session, had_attempt) = (presented.session.is_some(), presented.attempt.is_some());
    let identified = match identify(env, (accepts, action), presented, seen.origin()).await {
        Ok(identified) => identified,
        Err(refused) => {
            let refusal = turn_away(refused, door, had_session, had_attempt);
            return Err(match (refusal, posted) {
                (refusal @ (Refusal::Reauthenticate | Refusal::StepUp), Some(posted)) => {
                    detour::keep(app, (door, action), seen, &posted).await.unwrap_or(refusal)
                }
                (refusal, _) => refusal,
            });
        }
    };
    if let Some(limit) = door.limit.filter(|limit| limit.counts_every()) {
        let whom = match identified.actor.account() {
            Some(account) => Whom::account(account, seen.network),
            None => Whom::network(seen.network),
        };
        drop(limits::take(env, limit, &whom).await?);
    }
    Ok((identified, request))
}

/// What a request carries, besides what its body holds.
fn presented(app: &App, seen: &Seen) -> Presented {
    let https = app.env.config.is_https();
    Presented {
        session: client::cookie(&seen.headers, CookieName::Session, https),
        attempt: client::cookie(&seen.headers, CookieName::Attempt, https),
        take_back: client::cookie(&seen.headers, CookieName::TakeBack, https),
        link: None,
        api_token: client::api_token(&seen.headers),
        browser: client::cookie(&seen.headers, CookieName::Form, https),
        signed: None,
    }
}

/// The body of a call that claims to be signed, read whole and looked into by nobody yet.
async fn signed_call(seen: &Seen, request: Request) -> Result<(Option<SignedCall>, Request), Refusal> {
    let Some(signature) = seen.headers.get(client::SIGNATURE).and_then(|value| value.to_str().ok()) else { return Ok((None, request)) };
    let (parts, body) = request.into_parts();
    let body = small(body).await?;
    let call = SignedCall { signature: signature.to_owned(), body: body.clone() };
    Ok((Some(call), Request::from_parts(parts, Body::from(body))))
}

/// What an unaccepted credential is answered: pages lead to where the right one is had.
fn turn_away(refused: Refused, door: Door, had_session: bool, had_attempt: bool) -> Refusal {
    let accepts = Credentials::of(door.accepts);
    let Refused::Denied(denied @ (Denied::NotValid | Denied::WrongCredential)) = refused else { return refused.into() };
    if !door.face.has_forms() {
        return denied.into();
    }
    if accepts.contains(Credential::MailLink) {
        return Refusal::LinkDead;
    }
    // What no session opens, a fresher one does not open either: the page of the login leads whoever is signed in onwards.
    if denied == Denied::WrongCredential && had_session && accepts.contains(Credential::StepUp) {
        let wants_key = accepts.contains(Credential::StepUp) && !accepts.contains(Credential::FreshSession);
        return if wants_key { Refusal::StepUp } else { Refusal::Reauthenticate };
    }
    if had_attempt && !accepts.contains(Credential::HalfSession) {
        return Refusal::FinishSignIn;
    }
    Refusal::SignIn
}

/// Binds forms to a cookie of this browser, signed in or not (R30).
#[derive(Clone, Debug)]
struct FormGuard {
    cookie: String,
    token: String,
    /// SHA-256 of the cookie.
    digest: [u8; 32],
}

/// What the gate itself reads of a posted form.
#[derive(Debug, Default, serde::Deserialize)]
struct GateFields {
    #[serde(default)]
    csrf_token: String,
    #[serde(default)]
    token: String,
}

struct Checked {
    link: Option<LinkToken>,
    bytes: Bytes,
}

impl FormGuard {
    /// Where there is no form: it is never compared with one.
    const NONE: Self = Self { cookie: String::new(), token: String::new(), digest: [0; 32] };

    /// The guard of this browser, and whether its cookie was made just now.
    fn of(app: &App, headers: &HeaderMap) -> (Self, bool) {
        let env = &app.env;
        let https = env.config.is_https();
        let found = client::cookie(headers, CookieName::Form, https);
        let made = found.is_none();
        let cookie = found.unwrap_or_else(|| LinkToken::generate(&*env.entropy));
        let session = client::cookie(headers, CookieName::Session, https);
        let mut bound = cookie.digest().to_vec();
        bound.extend(session.map(|s| s.digest().to_vec()).unwrap_or_default());
        let token = data_encoding::BASE64URL_NOPAD.encode(&env.keys.keyed_hash("form-token", &bound).to_bytes());
        (Self { cookie: cookie.expose().to_owned(), token, digest: cookie.digest() }, made)
    }

    /// Checks origin and form token; hands the body on.
    async fn check(&self, app: &App, seen: &Seen, request: Request) -> Result<(Checked, Request), Refusal> {
        if !is_same_origin(app, &seen.headers) {
            return Err(Refusal::Foreign("The form was sent from another site, or by a browser that does not say from where."));
        }
        let (parts, body) = request.into_parts();
        let bytes = small(body).await?;
        let fields: GateFields = serde_urlencoded::from_bytes(&bytes).unwrap_or_default();
        let sent = data_encoding::BASE64URL_NOPAD.decode(fields.csrf_token.as_bytes()).ok();
        let ours = data_encoding::BASE64URL_NOPAD.decode(self.token.as_bytes()).ok();
        if sent.is_none() || !equal(sent.as_deref(), ours.as_deref()) {
            return Err(Refusal::Foreign("The form's token is missing or belongs to another browser or an ended session."));
        }
        let link = LinkToken::parse(&fields.token);
        Ok((Checked { link, bytes: bytes.clone() }, Request::from_parts(parts, Body::from(bytes))))
    }
}

/// Compares without telling where two values differ.
fn equal(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y)) == 0
}

/// `Sec-Fetch-Site` where the browser sends it, else `Origin`; one of them must say that the form is ours.
fn is_same_origin(app: &App, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let ours = app.env.config.public_url.origin().ascii_serialization();
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes() == ours.as_bytes())
}

fn frame(app: &App, viewer: Option<&Viewer>, form_token: &str, request_id: &str) -> Frame {
    Frame {
        index_name: app.env.config.name.clone(),
        viewer: viewer.map(|v| pages::Viewer { username: v.username.clone(), is_staff: v.standing.administrator }),
        csrf_token: form_token.to_owned(),
        banners: viewer.map(|v| [closed(v.read_only), in_case(v.cases), held(v.holds)].into_iter().flatten().collect()).unwrap_or_default(),
        flash: None,
        clock_shifted: app.drill.as_deref().map(str::to_owned),
        search: String::new(),
        request_id: request_id.to_owned(),
    }
}

/// What everybody who is signed in sees until a restored index is opened (R18).
fn closed(read_only: bool) -> Option<pages::Banner> {
    let text = "The index was restored from a backup and is not open yet: you can look, and stop what must not happen. \
        Everything else, confirming your API tokens too, works once the people who run it have opened it.";
    read_only.then(|| pages::Banner::new(pages::Kind::Warning, text.to_owned(), None))
}

/// What whoever a case concerns sees wherever he looks, until people have decided.
fn in_case(cases: u64) -> Option<pages::Banner> {
    let text = match cases {
        0 => return None,
        1 => "A case is open that concerns your account: the people who run this index look at what happened.".to_owned(),
        more => format!("{more} cases are open that concern your account: the people who run this index look at what happened."),
    };
    Some(pages::Banner::new(pages::Kind::Info, text, Some(pages::Action::new("See what happened", "/manage/account/security-history/"))))
}

/// What everybody concerned sees wherever he looks, while changes wait (R9).
fn held(holds: u64) -> Option<pages::Banner> {
    let text = match holds {
        0 => return None,
        1 => "A change waits that concerns you. If you do not know of it, stop it.".to_owned(),
        more => format!("{more} changes wait that concern you. Stop those that you do not know of."),
    };
    Some(pages::Banner::new(pages::Kind::Warning, text, Some(pages::Action::new("Look at changes that wait", "/manage/holds/"))))
}

/// No inline code, nothing from elsewhere, no frames.
const PAGE_POLICY: &str = "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; img-src 'self'; script-src 'self'; style-src 'self'";

fn guard_page(app: &App, response: &mut Response, made: Option<&FormGuard>) {
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    give_cookie(app, response, made);
}

/// What a script of ours reads is for this moment alone.
fn guard_script(app: &App, response: &mut Response, made: Option<&FormGuard>) {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    give_cookie(app, response, made);
}

fn give_cookie(app: &App, response: &mut Response, made: Option<&FormGuard>) {
    if let Some(form) = made {
        let set = Reply::from(std::mem::take(response)).with_cookie(CookieName::Form, &form.cookie, app.env.config.is_https());
        *response = set.into_response();
    }
}

/// What every answer carries.
fn stamp(app: &App, response: &mut Response, seen: &Seen) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&seen.request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    if app.env.config.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    let path = seen.target.split('?').next().unwrap_or_default();
    tracing::info!(request_id = seen.request_id, method = %seen.method, path, status = response.status().as_u16(), "answered");
}

/// The paths of pages that a signed-in person can open. Pages for half-open sign-ins are steps on the way, never an end.
#[must_use]
pub fn pages_of(table: &[Route]) -> Vec<&'static str> {
    let is_page = |row: &&Route| row.method == Method::GET && row.face == Face::Html && row.accepts.contains(Credential::StepUp);
    table.iter().filter(is_page).map(|row| row.path).collect()
}

/// Builds the router: the rows, and what is answered where no row is.
pub fn router(app: App, table: Vec<Route>) -> Router {
    let app = App { pages: Arc::from(pages_of(&table)), ..app };
    #[expect(clippy::disallowed_methods, reason = "the gate alone builds the router")]
    let router = table.into_iter().fold(Router::new(), |router, row| router.route(row.path, row.mount));
    #[expect(clippy::disallowed_methods, reason = "the gate alone builds the router")]
    let router = router.fallback(nothing_here).method_not_allowed_fallback(not_so);
    router.with_state(app)
}

async fn nothing_here(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path();
    if !path.ends_with('/') && !path.contains('\\') && may_lack_slash(path) {
        return with_slash(&request);
    }
    outside(&app, &request, Refusal::NotFound)
}

async fn not_so(State(app): State<App>, request: Request) -> Response {
    outside(&app, &request, Refusal::Method)
}

/// A dot in the last part makes it a file's name, except where names of projects, versions and people stand, which have dots.
fn may_lack_slash(path: &str) -> bool {
    // It is another listener's, whose address has no slash: here it is nothing.
    if path == "/metrics" {
        return false;
    }
    let is_name = ["/simple/", "/project/", "/user/", "/manage/project/", "/admin/accounts/", "/admin/projects/"]
        .iter()
        .any(|before| path.starts_with(before));
    !path.starts_with("/files/") && (is_name || !path.rsplit('/').next().unwrap_or_default().contains('.'))
}

/// Paths end with a slash: a page moves there for good, a posted form is sent again (308).
fn with_slash(request: &Request) -> Response {
    let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
    let to = format!("{}/{query}", request.uri().path());
    let status = if request.method().is_safe() { StatusCode::MOVED_PERMANENTLY } else { StatusCode::PERMANENT_REDIRECT };
    // A path that begins with two slashes would be read as another host.
    let to = format!("/{}", to.trim_start_matches('/'));
    Reply::redirect(status, &to).into_response()
}

fn outside(app: &App, request: &Request, refusal: Refusal) -> Response {
    let seen = Seen::of(app, request);
    let (form, _) = FormGuard::of(app, &seen.headers);
    let html = seen.accept().is_some_and(|accept| accept.contains("text/html"));
    let face = if html { Face::Html } else { Face::Plain };
    let asked = refusal::Asked { target: &seen.target, is_get: seen.method == Method::GET, accept: seen.accept() };
    let mut response = answer(refusal, face, &asked, || frame(app, None, &form.token, &seen.request_id), &seen.request_id);
    if html {
        guard_page(app, &mut response, None);
    }
    stamp(app, &mut response, &seen);
    response
}

mod detour;

/// The index as a whole: what public pages are about.
pub const SITE: Site = Site;
