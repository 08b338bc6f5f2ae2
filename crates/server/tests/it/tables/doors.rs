//! P1 through the assembled router: every route refuses every kind of credential that it does not list.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use index::db::entities::accounts;
use index::policy::Credential;
use server::gate::Route;
use server::refusal::Face;
use server::routes;

use crate::authenticator::Key;
use crate::flows::take_back::begin;
use crate::given;
use crate::people::token_of;
use crate::world::{Answer, Browser, World};

/// Somebody who holds exactly one kind of credential, and how requests carry it.
struct Holder<'w> {
    kind: Credential,
    browser: Browser<'w>,
    /// The token of forms in this browser.
    form_token: String,
    /// Posted in the body.
    link: Option<String>,
    /// Sent in `Authorization`.
    header: Option<String>,
}

/// The kinds that a request can present; `Operator` and `Worker` cannot be sent over HTTP in this version.
const PRESENTABLE: [Credential; 10] = [
    Credential::Nobody,
    Credential::MailLink,
    Credential::HalfSession,
    Credential::Session,
    Credential::FreshSession,
    Credential::StepUp,
    Credential::ApiToken,
    Credential::IdleSession,
    Credential::StoppedSession,
    Credential::TakeBack,
];

/// Hundreds of requests from one network in one minute: limits have tests of their own.
const NO_LIMITS: &[(&str, &str)] = &[
    ("limits.registration.network", "off"),
    ("limits.sign_in.network", "off"),
    ("limits.factor.network", "off"),
    ("limits.mail.network", "off"),
    ("limits.mail.account", "off"),
    ("limits.link.network", "off"),
    ("limits.token.network", "off"),
    ("limits.search.network", "off"),
    ("limits.take_back.network", "off"),
    ("limits.take_back.account", "off"),
    ("limits.challenge.network", "off"),
];

/// ASVS-6.3.4, ASVS-6.1.3.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_every_credential_that_it_does_not_list_on_sqlite() {
    try_every_door(World::sqlite(NO_LIMITS).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_refuses_every_credential_that_it_does_not_list_on_postgres() {
    try_every_door(World::postgres(NO_LIMITS).await).await;
}

async fn try_every_door(world: World) {
    let holders = holders(&world).await;
    assert_eq!(holders.iter().map(|h| h.kind).collect::<Vec<_>>(), PRESENTABLE);
    let mut tried = 0;
    for row in routes::table() {
        let as_stranger = send(&holders[0], &row).await;
        for holder in holders.iter().filter(|h| !row.accepts.contains(h.kind)) {
            let before = changes(&world).await;
            let answer = send(holder, &row).await;
            let what = format!("{} {} with {}: {} {}", row.method, row.path, holder.kind.name(), answer.status(), answer.text());
            if row.accepts.contains(Credential::Nobody) {
                assert_eq!(answer.status(), as_stranger.status(), "not treated as a stranger: {what}");
                assert!(!answer.text().contains("grace"), "knows who it is: {what}");
            } else {
                assert!(is_refusal(&answer, &row), "not refused: {what}");
            }
            assert_eq!(changes(&world).await, before, "something changed: {what}");
            tried += 1;
        }
    }
    assert!(tried > 100, "only {tried} doors were tried");
}

async fn holders(world: &World) -> Vec<Holder<'_>> {
    let idle = world.secured("grace0").await;
    world.advance(Duration::from_secs(61 * 60));
    let ada = world.secured("ada").await;
    let (_, token) = given::publisher(world, "tokenowner").await;
    let stale = world.secured("grace").await;
    world.advance(Duration::from_secs(20 * 60));
    let half = world.browser();
    assert_eq!(ada.send_password(&half).await.location(), "/account/two-factor/");
    let fresh = world.secured("grace2").await;
    let (stepped, _) = world.secured_with_key("grace3", Key::usb()).await;
    let waiting = world.registered("edsger").await;
    let link = token_of(&waiting.verification_link().await);
    let stopped = world.secured("grace4").await;
    let taking_back = world.browser();
    begin(&taking_back, "nobody-has-this").await;
    let mut holders = Vec::new();
    for (kind, browser) in [
        (Credential::Nobody, world.browser()),
        (Credential::MailLink, world.browser()),
        (Credential::HalfSession, half),
        (Credential::Session, stale.browser),
        (Credential::FreshSession, fresh.browser),
        (Credential::StepUp, stepped.browser),
        (Credential::ApiToken, world.browser()),
        (Credential::IdleSession, idle.browser),
        (Credential::StoppedSession, stopped.browser),
        (Credential::TakeBack, taking_back),
    ] {
        let signed_in =
            [Credential::Session, Credential::FreshSession, Credential::StepUp, Credential::IdleSession, Credential::StoppedSession];
        let page = if signed_in.contains(&kind) { "/account/logout/" } else { "/account/login/" };
        let form_token = browser.get(page).await.csrf_token();
        holders.push(Holder {
            kind,
            browser,
            form_token,
            link: (kind == Credential::MailLink).then(|| link.clone()),
            header: (kind == Credential::ApiToken).then(|| format!("Bearer {token}")),
        });
    }
    let accounts = given::all::<accounts::Entity>(world).await;
    let stopped = accounts.iter().find(|row| row.username == "grace4").expect("she registered").id;
    given::freeze(&world.env, stopped).await;
    holders
}

/// Sends what an honest form of this row would, with the holder's credential.
async fn send(holder: &Holder<'_>, row: &Route) -> Answer {
    let path = path_of(row);
    let mut headers = vec![("origin", "https://index.example.org")];
    if let Some(header) = &holder.header {
        headers.push(("authorization", header));
    }
    let body = if row.method == Method::GET {
        Body::empty()
    } else {
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        let mut fields = BTreeMap::from([("csrf_token", holder.form_token.as_str())]);
        if let Some(link) = &holder.link {
            fields.insert("token", link);
        }
        Body::from(serde_urlencoded::to_string(fields).expect("fields are text"))
    };
    holder.browser.request(row.method.clone(), &path, body, &headers).await
}

/// The row's path with something in the place of its parameters.
fn path_of(row: &Route) -> String {
    let mut path = String::new();
    for part in row.path.split('/').skip(1) {
        path.push('/');
        path.push_str(if part.starts_with('{') { "spam" } else { part });
    }
    path
}

/// 401, 403, 410, or a page that leads to where the right credential is had.
fn is_refusal(answer: &Answer, row: &Route) -> bool {
    match answer.status() {
        401 | 403 | 410 => true,
        303 if row.face == Face::Html => {
            let to = answer.location();
            ["/account/login/", "/account/two-factor/", "/account/reauthenticate/"].iter().any(|page| to.starts_with(page))
        }
        _ => false,
    }
}

/// How many events say that something happened, refusals apart.
async fn changes(world: &World) -> i64 {
    let refusals = "'authorization:refused', 'authentication:refused', 'account:api_token:refused', 'account:api_token:used'";
    world.number(&format!("SELECT COUNT(*) AS n FROM events WHERE kind NOT IN ({refusals})")).await
}
