//! A small index for one test: a clock that stands still, its own database, and browsers that keep cookies.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use credentials::entropy::SystemEntropy;
use credentials::password::Parameters;
use index::act::{Housekeeping, housekeeping};
use index::clock::{HandClock, Time};
use index::config::Config;
use index::db::Reading;
use index::holds::serving;
use index::{Env, limits, open, work};
use sea_orm::{ConnectionTrait, Database};
use server::gate::{App, router};
use server::routes;
use tower::ServiceExt;

/// Monday, 23 November 2026, 08:00:00 UTC.
const START: Time = Time::from_seconds(1_795_420_800);

/// Writes each test twice: on SQLite and on PostgreSQL.
macro_rules! both_engines { ($($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block)*) => { $(
    $(#[$meta])*
    mod $name {
        #[allow(unused_imports)]
        use super::*;
        async fn run($world: World) $body
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn sqlite() { run(World::sqlite(&[]).await).await; }
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn postgres() { run(World::postgres(&[]).await).await; }
    }
)* } }
pub(crate) use both_engines;

/// One index under test.
pub struct World {
    pub env: Env,
    pub clock: Arc<HandClock>,
    router: Router,
    folder: Option<tempfile::TempDir>,
}

impl World {
    /// On the embedded engine, with these settings besides the usual ones.
    pub async fn sqlite(settings: &[(&str, &str)]) -> Self {
        Self::open(None, settings).await
    }

    /// On PostgreSQL, in a database of its own.
    pub async fn postgres(settings: &[(&str, &str)]) -> Self {
        let server = std::env::var("STRONGROOM_TEST_POSTGRES").expect(
            "STRONGROOM_TEST_POSTGRES must name a PostgreSQL server where databases may be made: run `scripts/test`, which starts one",
        );
        let server = server.trim_end_matches('/').trim_end_matches("/postgres").to_owned();
        let name = format!("strongroom_{}", index::ids::new_uuid(START, &SystemEntropy).simple());
        let admin = Database::connect(format!("{server}/postgres")).await.expect("the test server answers");
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("databases may be made");
        admin.close().await.expect("a connection closes");
        Self::open(Some(format!("{server}/{name}")), settings).await
    }

    async fn open(database: Option<String>, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut values = BTreeMap::from([
            ("data.dir".to_owned(), folder.path().display().to_string()),
            ("server.public_url".to_owned(), "https://index.example.org".to_owned()),
        ]);
        values.extend(database.map(|url| ("database.url".to_owned(), url)));
        values.extend(settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let config = Config::from_values(&values, &limits::setting_keys()).expect("settings of the test are right");
        let mut world = Self::over(config, Arc::new(HandClock::new(START))).await;
        world.folder = Some(folder);
        world
    }

    /// Over a place that is there already, with a clock that others share.
    pub async fn over(config: Config, clock: Arc<HandClock>) -> Self {
        let cheap = Parameters { memory_kib: 64, passes: 1, lanes: 1 };
        let env = open::open(config, clock.clone(), Arc::new(SystemEntropy), cheap).await.expect("the index opens");
        let router = router(App::new(env.clone(), None), routes::table());
        Self { env, clock, router, folder: None }
    }

    /// A browser without cookies, from 192.0.2.7.
    pub fn browser(&self) -> Browser<'_> {
        self.browser_from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)))
    }

    /// A browser without cookies, from a network address.
    pub fn browser_from(&self, network: IpAddr) -> Browser<'_> {
        Browser { world: self, network, cookies: Mutex::default() }
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Works all jobs that are due, while the index serves.
    pub async fn work(&self) {
        serving::beat(&self.env).await.expect("the database answers");
        while work::step(&self.env).await.expect("the queue answers") {}
    }

    /// All mail so far, oldest first, after working the jobs that are due.
    pub async fn mail(&self) -> Vec<Mail> {
        self.work().await;
        self.mail_as_it_lies()
    }

    /// The mail that was sent so far: no job runs for it.
    pub fn mail_as_it_lies(&self) -> Vec<Mail> {
        let folder = self.env.config.data_dir.join("mail/new");
        let mut files: Vec<_> = std::fs::read_dir(folder).map(|d| d.map(|f| f.expect("readable").path()).collect()).unwrap_or_default();
        files.sort();
        files.iter().map(|f| Mail::read(&std::fs::read_to_string(f).expect("mail is text"))).collect()
    }

    /// The newest mail to an address.
    pub async fn newest_mail_to(&self, address: &str) -> Mail {
        let all = self.mail().await;
        let mail = all.into_iter().rev().find(|m| m.to.contains(address));
        mail.unwrap_or_else(|| panic!("no mail to {address}"))
    }

    /// The first link whose path begins so, in the newest mail to an address that has one.
    pub async fn newest_mail_with(&self, address: &str, path: &str) -> String {
        let all = self.mail().await;
        let mail = all.into_iter().rev().find(|m| m.to.contains(address) && m.text.contains(path));
        mail.unwrap_or_else(|| panic!("no mail to {address} has a link to {path}")).link(path)
    }

    /// Whether it stands on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.env.db.engine == index::db::Engine::Postgres
    }

    /// How many jobs there are for which the condition holds.
    pub async fn jobs(&self, condition: &str) -> i64 {
        self.number(&format!("SELECT COUNT(*) AS n FROM jobs WHERE {condition}")).await
    }

    /// The number `n` of a query.
    pub async fn number(&self, sql: &str) -> i64 {
        let sql = sql.to_owned();
        let asked = housekeeping(&self.env, Housekeeping::Queue, move |tx| {
            Box::pin(async move {
                let row = tx.row(&sql, Vec::new()).await?;
                Ok(row.expect("a count is one row").try_get::<i64>("", "n")?)
            })
        });
        asked.await.expect("the query is right")
    }

    /// Changes the database behind the index's back, as an accident would.
    pub async fn run(&self, sql: &str) {
        let sql = sql.to_owned();
        let done = housekeeping(&self.env, Housekeeping::Queue, move |tx| {
            Box::pin(async move {
                tx.connection().execute_unprepared(&sql).await?;
                Ok(())
            })
        });
        done.await.expect("the statement is right");
    }

    /// Sends a request as it is.
    pub async fn send(&self, network: IpAddr, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(network, 40000)));
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let reason = parts.extensions.get::<hyper::ext::ReasonPhrase>().map(|r| String::from_utf8_lossy(r.as_bytes()).into_owned());
        let bytes = to_bytes(body, usize::MAX).await.expect("the body ends").to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes, reason }
    }
}

/// A mail that was sent.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub message_id: String,
}

impl Mail {
    fn read(raw: &str) -> Self {
        let parsed = mailparse::parse_mail(raw.as_bytes()).expect("mail is well-formed");
        let of = |name: &str| mailparse::MailHeaderMap::get_first_value(parsed.headers.as_slice(), name).unwrap_or_default();
        let part = parsed.subparts.first().unwrap_or(&parsed);
        let text = part.get_body().expect("the body decodes");
        Self { to: of("To"), subject: of("Subject"), text, message_id: of("Message-ID") }
    }

    /// The first link in it whose path begins so.
    pub fn link(&self, path: &str) -> String {
        let start = self.text.find(path).unwrap_or_else(|| panic!("no link to {path} in {}", self.text));
        self.text[start..].split_whitespace().next().expect("a link ends").to_owned()
    }

    /// The six digits in it.
    pub fn code(&self) -> String {
        let digits = |w: &&str| w.len() == 6 && w.chars().all(|c| c.is_ascii_digit());
        self.text.split_whitespace().find(digits).unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub reason: Option<String>,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
    /// Whether this word stands in the text, with no letter or digit around it: a random token holds any three letters now and then.
    pub fn says(&self, word: &str) -> bool {
        self.text().split(|c: char| !c.is_alphanumeric()).any(|one| one == word)
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
    /// Where it leads; panics when it leads nowhere.
    pub fn location(&self) -> String {
        self.header("location").unwrap_or_else(|| panic!("{} leads nowhere: {}", self.status, self.text())).to_owned()
    }
    /// The value of the hidden field `csrf_token`.
    pub fn csrf_token(&self) -> String {
        let text = self.text();
        let at = text.find("name=\"csrf_token\"").unwrap_or_else(|| panic!("no form in {text}"));
        attribute(&text[at..], "value")
    }
    /// What stands between two texts.
    pub fn between(&self, before: &str, after: &str) -> String {
        let text = self.text();
        let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
        let length = text[start..].find(after).unwrap_or_else(|| panic!("no {after} after {before}"));
        text[start..start + length].to_owned()
    }
}

fn attribute(html: &str, name: &str) -> String {
    let before = format!("{name}=\"");
    let start = html.find(&before).unwrap_or_else(|| panic!("no {name} in {html}")) + before.len();
    html[start..].split('"').next().expect("attributes end").to_owned()
}

/// A browser: it keeps cookies, sends the origin, and fills in the form token of the page that it last opened.
pub struct Browser<'w> {
    pub world: &'w World,
    network: IpAddr,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser<'_> {
    /// Opens a page; redirects are not followed.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, Body::empty(), &[]).await
    }

    /// Opens a page with headers of one's own.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.request(Method::GET, path, Body::empty(), headers).await
    }

    /// Opens the page at `page`, then posts the form at `path` with its token.
    pub async fn submit(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(page).await.csrf_token();
        let mut all: Vec<(&str, &str)> = vec![("csrf_token", &token)];
        all.extend_from_slice(fields);
        self.post(path, &all).await
    }

    /// Posts a form as it is, from the index's own origin.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).expect("fields are text");
        let headers = [("origin", "https://index.example.org"), ("content-type", "application/x-www-form-urlencoded")];
        self.request(Method::POST, path, Body::from(body), &headers).await
    }

    /// Sends anything.
    pub async fn request(&self, method: Method, path: &str, body: Body, headers: &[(&str, &str)]) -> Answer {
        let path = path.strip_prefix("https://index.example.org").unwrap_or(path);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies = self.cookies();
        if !cookies.is_empty() {
            let line: Vec<String> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            request = request.header(header::COOKIE, line.join("; "));
        }
        let answer = self.world.send(self.network, request.body(body).expect("a well-formed request")).await;
        self.keep_cookies(&answer.headers);
        answer
    }

    /// The cookies, by name.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().expect("not poisoned").clone()
    }

    /// Puts a cookie in, as a thief would.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().expect("not poisoned").insert(name.to_owned(), value.to_owned());
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().expect("not poisoned");
        for value in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie::Cookie::parse(value.to_str().expect("cookies are text").to_owned()).expect("cookies parse");
            let gone = cookie.max_age().is_some_and(|age| age.is_zero());
            if gone {
                cookies.remove(cookie.name());
            } else {
                cookies.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
    }
}
