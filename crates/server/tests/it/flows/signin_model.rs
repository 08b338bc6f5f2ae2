//! Property 7 of the rules of power: whatever the order of passwords, codes, links, replays, clock jumps and resets, and whichever
//! browser they come from, a session opens exactly when one attempt in one browser has its full set of proofs, each spent once.
//!
//! A model of a few lines says after each step how many sessions there have ever been; the index must agree, in both directions.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::people::{Person, token_of};
use crate::seed;
use crate::world::{Browser, World, both_engines};

const LOGIN: &str = "/account/login/";
const TWO_FACTOR: &str = "/account/two-factor/";
const RECOVERY: &str = "/account/recovery-code/";
const CONFIRM: &str = "/account/confirm-login/";
const SESSION: &str = "__Host-strongroom_session";
/// The first is remembered by the account, the others are not.
const BROWSERS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Code {
    Right,
    Wrong,
    Replayed,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Password(usize, bool),
    Totp(usize, Code),
    /// The right code twice at the same moment.
    TotpTwice(usize),
    Recovery(usize, Code),
    /// The newest link of a browser's attempt, posted in a browser.
    Confirm(usize, usize),
    /// The same link twice at the same moment.
    ConfirmTwice(usize),
    Clock(u64),
    Reset,
}

fn op() -> impl Strategy<Value = Op> {
    let browser = 0..BROWSERS;
    let code = prop_oneof![4 => Just(Code::Right), 1 => Just(Code::Wrong), 2 => Just(Code::Replayed)];
    prop_oneof![
        6 => (browser.clone(), prop::bool::weighted(0.85)).prop_map(|(b, right)| Op::Password(b, right)),
        5 => (browser.clone(), code.clone()).prop_map(|(b, code)| Op::Totp(b, code)),
        1 => browser.clone().prop_map(Op::TotpTwice),
        2 => (browser.clone(), code).prop_map(|(b, code)| Op::Recovery(b, code)),
        4 => (browser.clone(), browser.clone()).prop_map(|(of, at)| Op::Confirm(of, at)),
        3 => browser.clone().prop_map(|b| Op::Confirm(b, b)),
        1 => browser.prop_map(Op::ConfirmTwice),
        2 => prop::sample::select(vec![1, 31, 240, 299, 300, 899, 900, 3601]).prop_map(Op::Clock),
        1 => Just(Op::Reset),
    ]
}

/// A half-open sign-in, as the model sees it.
#[derive(Clone, Debug)]
struct Half {
    waits_for_mailbox: bool,
    until: i64,
    failures: u32,
    link: Option<String>,
}

struct Model<'w> {
    world: &'w World,
    ada: Person<'w>,
    browsers: Vec<Browser<'w>>,
    halves: Vec<Option<Half>>,
    known: bool,
    resets: u32,
    /// The newest code that was accepted, of each kind.
    totp: String,
    recovery: Option<String>,
    /// How many sessions there have ever been.
    sessions: i64,
    /// The links that were mailed so far.
    links: BTreeSet<String>,
}

impl<'w> Model<'w> {
    async fn new(world: &'w World) -> Self {
        let ada = world.secured("ada").await;
        let browsers = vec![ada.known_browser(), world.browser(), world.browser()];
        let totp = ada.code_at(ada.step());
        let sessions = world.number("SELECT COUNT(*) AS n FROM sessions").await;
        Model {
            world,
            ada,
            browsers,
            halves: vec![None; BROWSERS],
            known: true,
            resets: 0,
            totp,
            recovery: None,
            sessions,
            links: BTreeSet::new(),
        }
    }

    fn now(&self) -> i64 {
        self.world.env.now().as_seconds()
    }

    /// The half-open sign-in of a browser, if it is alive at this stage.
    fn alive(&self, browser: usize, mailbox: bool) -> bool {
        let now = self.now();
        self.halves[browser].as_ref().is_some_and(|half| half.waits_for_mailbox == mailbox && half.until > now && half.failures < 5)
    }

    async fn post(&self, browser: usize, path: &str, fields: &[(&str, &str)]) {
        let browser = &self.browsers[browser];
        let csrf = browser.get(LOGIN).await.csrf_token();
        let fields = [&[("csrf_token", csrf.as_str())], fields].concat();
        browser.post(path, &fields).await;
    }

    /// The same form twice at the same moment.
    async fn post_twice(&self, browser: usize, path: &str, fields: &[(&str, &str)]) {
        let browser = &self.browsers[browser];
        let csrf = browser.get(LOGIN).await.csrf_token();
        let fields = [&[("csrf_token", csrf.as_str())], fields].concat();
        tokio::join!(browser.post(path, &fields), browser.post(path, &fields));
    }

    /// A proof of the factor stage was right: signed in, or on to the mailbox.
    async fn proved(&mut self, browser: usize) {
        if browser == 0 && self.known {
            self.signed_in(browser);
            return;
        }
        let until = self.now() + 900;
        let link = Some(self.unseen_link().await);
        self.halves[browser] = Some(Half { waits_for_mailbox: true, until, failures: 0, link });
    }

    /// The confirmation that was mailed just now. Mails of one moment have no order, so it is the one that was not there before.
    async fn unseen_link(&mut self) -> String {
        let mails = self.world.mail().await.into_iter().filter(|mail| mail.to.contains(&self.ada.email) && mail.text.contains(CONFIRM));
        let new: Vec<String> = mails.map(|mail| mail.link(CONFIRM)).filter(|link| !self.links.contains(link)).collect();
        self.links.extend(new.iter().cloned());
        new.into_iter().next_back().expect("a mail for a sign-in that waits")
    }

    fn signed_in(&mut self, browser: usize) {
        self.sessions += 1;
        self.halves[browser] = None;
        // Whoever is signed in is not shown the page of the login; the next try begins as a stranger.
        self.browsers[browser].set_cookie(SESSION, "");
    }

    fn failed(&mut self, browser: usize) {
        if self.alive(browser, false)
            && let Some(half) = &mut self.halves[browser]
        {
            half.failures += 1;
        }
    }

    async fn password(&mut self, browser: usize, right: bool) {
        let typed = if right { self.ada.password.clone() } else { "a-wrong-password".to_owned() };
        self.post(browser, LOGIN, &[("username", "ada"), ("password", &typed)]).await;
        if right {
            self.halves[browser] = Some(Half { waits_for_mailbox: false, until: self.now() + 300, failures: 0, link: None });
        }
    }

    async fn totp(&mut self, browser: usize, code: Code, twice: bool) {
        let typed = match code {
            Code::Right => self.ada.code(),
            Code::Wrong => "no code".to_owned(),
            Code::Replayed => self.totp.clone(),
        };
        let alive = self.alive(browser, false);
        let fields = [("totp_value", typed.as_str())];
        if twice {
            self.post_twice(browser, TWO_FACTOR, &fields).await
        } else {
            self.post(browser, TWO_FACTOR, &fields).await
        }
        match code {
            Code::Right if alive => {
                self.totp = typed;
                self.proved(browser).await;
            }
            Code::Right => {}
            Code::Wrong | Code::Replayed => self.failed(browser),
        }
    }

    async fn recovery(&mut self, browser: usize, code: Code) {
        let alive = self.alive(browser, false);
        let left = self.ada.codes.lock().expect("not poisoned").last().cloned();
        let (typed, right) = match code {
            Code::Right => (left.clone(), left.is_some()),
            Code::Wrong => (None, false),
            Code::Replayed => (self.recovery.clone(), false),
        };
        let typed = typed.unwrap_or_else(|| "none".to_owned());
        self.post(browser, RECOVERY, &[("recovery_code_value", &typed)]).await;
        if alive && right {
            self.ada.codes.lock().expect("not poisoned").pop();
            self.recovery = Some(typed);
            self.proved(browser).await;
        } else {
            self.failed(browser);
        }
    }

    async fn confirm(&mut self, of: usize, at: usize, twice: bool) {
        let Some(link) = self.halves[of].as_ref().and_then(|half| half.link.clone()) else { return };
        let token = token_of(&link);
        let alive = self.alive(at, true);
        let fields = [("token", token.as_str())];
        if twice {
            self.post_twice(at, CONFIRM, &fields).await
        } else {
            self.post(at, CONFIRM, &fields).await
        }
        if alive && of == at {
            self.signed_in(at);
        }
    }

    async fn reset(&mut self) {
        let page = "/account/request-password-reset/";
        self.world.browser().submit(page, page, &[("username_or_email", "ada")]).await;
        let link = self.world.newest_mail_with(&self.ada.email, "/account/reset-password/").await;
        self.resets += 1;
        let new = format!("harbour-quilt-saffron-{}", self.resets);
        let fields = [("token", token_of(&link)), ("new_password", new.clone()), ("password_confirm", new.clone())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let answer = self.world.browser().submit(&link, "/account/reset-password/", &fields).await;
        assert_eq!(answer.location(), LOGIN, "{}", answer.text());
        self.ada.password = new;
        self.halves = vec![None; BROWSERS];
        self.known = false;
    }

    async fn step(&mut self, op: Op) {
        // Limits have tests of their own; here they would only hide what lies behind them.
        self.world.run("DELETE FROM limit_windows").await;
        match op {
            Op::Password(browser, right) => self.password(browser, right).await,
            Op::Totp(browser, code) => self.totp(browser, code, false).await,
            Op::TotpTwice(browser) => self.totp(browser, Code::Right, true).await,
            Op::Recovery(browser, code) => self.recovery(browser, code).await,
            Op::Confirm(of, at) => self.confirm(of, at, false).await,
            Op::ConfirmTwice(browser) => self.confirm(browser, browser, true).await,
            Op::Clock(seconds) => self.world.advance(Duration::from_secs(seconds)),
            Op::Reset => self.reset().await,
        }
        let seen = self.world.number("SELECT COUNT(*) AS n FROM sessions").await;
        assert_eq!(seen, self.sessions, "sessions after {op:?}");
        let told = self.world.number("SELECT COUNT(*) AS n FROM events WHERE kind = 'account:login:success'").await;
        assert_eq!(told, seen, "each session has one sign-in, and each sign-in one session");
    }
}

/// Says how many sessions were opened on the way.
async fn retrace(world: World, ops: Vec<Op>) -> i64 {
    let mut model = Model::new(&world).await;
    let before = model.sessions;
    for op in ops {
        model.step(op).await;
    }
    let twice = "SELECT COUNT(*) AS n FROM (SELECT ended_by FROM recovery_codes WHERE ended_by IS NOT NULL GROUP BY ended_by HAVING COUNT(*) > 1) x";
    assert_eq!(world.number(twice).await, 0, "no act burned two codes");
    model.sessions - before
}

fn try_many(cases: u32, postgres: bool) {
    let runtime = Runtime::new().expect("a runtime");
    let (cases, mut runner) = seed::runner(cases, 40);
    let opened = Cell::new(0);
    // Each sequence begins with an honest sign-in, so that there is something to steal, to replay and to end.
    let honest = |b| vec![Op::Password(b, true), Op::Totp(b, Code::Right), Op::Confirm(b, b)];
    let sequences = (0..BROWSERS, prop::collection::vec(op(), 10..24)).prop_map(move |(b, more)| [honest(b), more].concat());
    let tried = runner.run(&sequences, |ops| {
        runtime.block_on(async {
            let world = if postgres { World::postgres(&[]).await } else { World::sqlite(&[]).await };
            opened.set(opened.get() + retrace(world, ops).await);
        });
        Ok(())
    });
    tried.expect("the index agrees with the model");
    assert!(opened.get() >= i64::from(cases) / 2, "only {} sign-ins came to an end: the sequences try nothing", opened.get());
}

#[test]
fn property_7_a_session_has_a_full_set_of_proofs_of_one_attempt_in_one_browser_on_sqlite() {
    try_many(16, false);
}

#[test]
fn property_7_a_session_has_a_full_set_of_proofs_of_one_attempt_in_one_browser_on_postgres() {
    try_many(4, true);
}

both_engines! {
    /// Property 7: what was red once, step by step. A code was pressed twice, and the late answer took the browser's half-open sign-in away.
    async fn property_7_a_code_pressed_twice_and_its_link(world: World) {
        let once = [Op::Password(1, true), Op::TotpTwice(1), Op::Confirm(2, 1), Op::Confirm(1, 1)];
        let known = [Op::Password(0, true), Op::TotpTwice(0)];
        let ops: Vec<Op> = std::iter::repeat_n([once.as_slice(), known.as_slice()].concat(), 6).flatten().collect();
        assert_eq!(retrace(world, ops).await, 12);
    }
}
