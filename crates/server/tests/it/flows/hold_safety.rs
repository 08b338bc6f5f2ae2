//! Property tests 3 and 4 of the rules of power: whatever is done in whatever order, a settled factor goes only when its hold was
//! served, and a veto works in every state.

use std::time::Duration;

use index::db::entities::{hold_people, holds};
use index::holds::serving;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::given::{self, all};
use crate::holding::{HOUR, key, newest, old_account, press, raw, seat, stands, veto_link};
use crate::seed;
use crate::world::World;

/// What can happen while a change waits.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The index serves for so many hours.
    Serve(u8),
    /// It is down for so many hours, or its clock jumps.
    Down(u8),
    /// The mail server takes what is queued, and jobs run.
    Work,
    /// Four workers at once.
    Crowd,
    /// The job dies after its effect was begun.
    Crash,
    Freeze,
    Thaw,
    /// The owner presses the link.
    Veto,
    /// The proposing session is ended from elsewhere.
    Disown,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u8..40).prop_map(Step::Serve),
        2 => (1_u8..90).prop_map(Step::Down),
        3 => Just(Step::Work),
        1 => Just(Step::Crowd),
        1 => Just(Step::Crash),
        1 => Just(Step::Freeze),
        1 => Just(Step::Thaw),
        1 => Just(Step::Veto),
        1 => Just(Step::Disown),
    ]
}

/// What the test knows of the story.
#[derive(Default)]
struct Known {
    /// When the mail was taken.
    told: bool,
    /// For how long the index has served since, at most.
    served: Duration,
    frozen: bool,
    stopped: bool,
}

struct Story<'w> {
    world: &'w World,
    account: index::ids::AccountId,
    app: index::ids::FactorId,
    session: index::ids::SessionId,
    known: Known,
}

impl Story<'_> {
    async fn take(&mut self, step: Step) {
        let world = self.world;
        let before = stands(world, self.app).await;
        match step {
            Step::Serve(hours) => {
                world.advance(u32::from(hours) * HOUR);
                if self.known.told {
                    self.known.served += u32::from(hours) * HOUR;
                }
            }
            Step::Down(hours) => world.clock.pass(u32::from(hours) * HOUR),
            Step::Work => world.work().await,
            Step::Crowd => {
                serving::beat(&world.env).await.expect("the database answers");
                let workers: Vec<_> = (0..4).map(|_| tokio::spawn(one_worker(world.env.clone()))).collect();
                for worker in workers {
                    worker.await.expect("it ends");
                }
            }
            Step::Crash => {
                // The transaction of the effect breaks off: the table that it ends with is not there.
                world.run("ALTER TABLE factors RENAME TO factors_gone").await;
                let _ = index::work::step(&world.env).await;
                world.run("ALTER TABLE factors_gone RENAME TO factors").await;
            }
            Step::Freeze => {
                given::freeze(&world.env, self.account).await;
                self.known.frozen = true;
            }
            Step::Thaw => {
                world.run(&format!("UPDATE account_causes SET until_at = {} WHERE until_at IS NULL", world.env.now().as_micros())).await;
                self.known.frozen = false;
            }
            Step::Veto => self.veto().await,
            Step::Disown => {
                let at = world.env.now().as_micros();
                let (id, by) = (raw(world, self.session.0), raw(world, self.account.0));
                world.run(&format!("UPDATE sessions SET until_at = {at}, ended_by = {by} WHERE id = {id} AND until_at IS NULL")).await;
                if newest(world).await.state == "waiting" {
                    self.known.stopped = true;
                }
            }
        }
        self.known.told = all::<hold_people::Entity>(world).await.iter().all(|person| person.told_at.is_some());
        if before && !stands(world, self.app).await {
            assert!(!self.known.stopped, "it was stopped");
            assert!(!self.known.frozen, "somebody concerned is contained");
            assert!(self.known.told && self.known.served >= 72 * HOUR, "served for {:?}", self.known.served);
        }
    }

    /// R19: in every state, as long as the change waits and the mail has come.
    async fn veto(&mut self) {
        if !self.known.told || newest(self.world).await.state != "waiting" {
            return;
        }
        // Reading the mail lets no job run.
        let link = veto_link_as_it_lies(self.world);
        let answer = press(self.world, &link).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(newest(self.world).await.state, "vetoed");
        self.known.stopped = true;
    }
}

fn veto_link_as_it_lies(world: &World) -> String {
    let mails = world.mail_as_it_lies();
    let mail = mails.iter().rev().find(|mail| mail.text.contains("/account/veto/")).expect("it was sent");
    mail.link("/account/veto/")
}

async fn one_worker(env: index::Env) {
    while index::work::step(&env).await.expect("the queue answers") {}
}

async fn holds_are_safe(world: World, steps: Vec<Step>) {
    let (ada, app) = old_account(&world, "ada").await;
    let young = key(&world, ada, "new key", HOUR).await;
    let thief = seat(&world, ada, young).await;
    thief.remove(app).await;
    let mut story = Story { world: &world, account: ada, app, session: thief.session, known: Known::default() };
    for step in steps {
        story.take(step).await;
    }
    let hold = newest(&world).await;
    assert_eq!(hold.state == "done", !stands(&world, app).await, "the hold and its effect are one");
    assert_eq!(all::<holds::Entity>(&world).await.len(), 1);
}

fn check(cases: u32, postgres: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (_, mut runner) = seed::runner(cases, 8);
    let outcome = runner.run(&proptest::collection::vec(step(), 1..14), |steps| {
        let run = runtime.spawn(async move {
            let world = if postgres { World::postgres(&[]).await } else { World::sqlite(&[]).await };
            holds_are_safe(world, steps).await;
        });
        runtime.block_on(run).map_err(|e| TestCaseError::fail(e.to_string()))
    });
    if let Err(e) = outcome {
        panic!("{e}");
    }
}

/// Property 3 (R9, R10) through duplicate jobs, crashes, outages, clock jumps and freezes; property 4: the veto works in each of them.
#[test]
fn property_3_hold_safety_on_sqlite() {
    check(16, false);
}

#[test]
fn property_3_hold_safety_on_postgres() {
    check(6, true);
}

/// Property 4 (R19): the veto of a mail's link works in every state of the account, with every limit spent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn property_4_a_veto_works_in_every_state() {
    for kind in ["", "frozen", "contained", "deleted", "frozen contained deleted"] {
        let world = World::sqlite(&[("limits.link.network", "1/1h"), ("limits.sign_in.network", "1/1h")]).await;
        let (ada, app) = old_account(&world, "ada").await;
        let young = key(&world, ada, "new key", HOUR).await;
        let thief = seat(&world, ada, young).await;
        thief.remove(app).await;
        let link = veto_link(&world, "ada@example.org").await;
        for (n, kind) in kind.split_whitespace().enumerate() {
            let (id, ada) = (raw(&world, index::ids::new_uuid(world.env.now(), &*world.env.entropy)), raw(&world, ada.0));
            let at = world.env.now().as_micros() + i64::try_from(n).expect("small");
            world.run(&format!("INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) VALUES ({id}, {ada}, '{kind}', 'drill', {at}, {ada})")).await;
        }
        let stranger = world.browser();
        for _ in 0..5 {
            let token = stranger.get("/account/login/").await.csrf_token();
            stranger.post("/account/veto/", &[("csrf_token", token.as_str()), ("token", &"x".repeat(43))]).await;
        }
        let answer = press(&world, &link).await;
        assert_eq!(answer.status(), 200, "{kind}: {}", answer.text());
        assert_eq!(newest(&world).await.state, "vetoed", "{kind}");
    }
}
