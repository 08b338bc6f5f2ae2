//! Property test 9 of the rules of power: what stood at a time can be told at any later time, through every restore and undo in between;
//! an undo after an act is the identity.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use index::clock::Time;
use index::db::entities::{events, project_locks, roles};
use index::ids::{AccountId, BatchId};
use index::resources::Restorable;

use super::restoring::{end, lock, of, project, restore, undo};
use crate::dist::wheel;
use crate::given::{self, Has, account, all, publisher, upload};
use crate::holding::HOUR;
use crate::world::World;

const PEOPLE: [&str; 4] = ["ada", "bob", "carol", "mallory"];
const LOCKS: [&str; 3] = ["archived", "deleted", "withdrawn"];

/// What can happen to a project.
#[derive(Clone, Copy, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    Lock(usize),
    Unlock(usize),
    /// Back to one of the moments so far.
    Restore(usize),
    /// One of the batches so far, undone.
    Undo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Join),
        3 => (0..4_usize).prop_map(Step::Leave),
        2 => (0..3_usize).prop_map(Step::Lock),
        1 => (0..3_usize).prop_map(Step::Unlock),
        3 => (0..20_usize).prop_map(Step::Restore),
        2 => (0..20_usize).prop_map(Step::Undo),
    ]
}

/// Roles with their ages, and locks: everything that a restore of a project must bring back.
type Stood = (Vec<(AccountId, String, bool, Time)>, Vec<String>);

async fn stands(world: &World) -> Stood {
    let rows = all::<roles::Entity>(world).await.into_iter().filter(|row| row.until_at.is_none());
    let mut people: Vec<_> = rows.map(|row| (row.account_id, row.role, row.founding, row.from_at)).collect();
    people.sort();
    let rows = all::<project_locks::Entity>(world).await.into_iter().filter(|row| row.until_at.is_none());
    let mut locks: Vec<String> = rows.map(|row| row.kind).collect();
    locks.sort();
    (people, locks)
}

struct Story<'w> {
    world: &'w World,
    on: Restorable,
    /// Every moment so far, and what stood then.
    moments: Vec<(Time, Stood)>,
    /// Batches, what stood before each, and how long the list of moments was when it was made.
    batches: Vec<(BatchId, Stood, usize)>,
}

impl Story<'_> {
    async fn take(&mut self, step: Step) {
        let world = self.world;
        world.advance(HOUR);
        let before = stands(world).await;
        let holds = |name: usize, ids: &[AccountId]| before.0.iter().any(|row| row.0 == ids[name]);
        let mut ids = Vec::new();
        for name in PEOPLE {
            ids.push(given::account_id(world, name).await);
        }
        match step {
            Step::Join(who) if !holds(who, &ids) => given::owner(world, "spam", ids[who]).await,
            Step::Leave(who) if holds(who, &ids) && before.0.len() > 1 => end(world, "roles", &of(PEOPLE[who])).await,
            Step::Lock(kind) if !before.1.contains(&LOCKS[kind].to_owned()) => lock(world, LOCKS[kind]).await,
            Step::Unlock(kind) => end(world, "project_locks", &format!("kind = '{}'", LOCKS[kind])).await,
            Step::Restore(which) => {
                let (at, stood) = self.moments[which % self.moments.len()].clone();
                let restored = restore(world, self.on, at).await;
                assert_eq!(stands(world).await, stood, "as it stood at {at}");
                if let Some((batch, _)) = restored.done {
                    self.batches.push((batch, before, self.moments.len()));
                }
            }
            Step::Undo(which) if !self.batches.is_empty() => {
                let (batch, stood, made) = self.batches.swap_remove(which % self.batches.len());
                let untouched = self.moments.len() == made + 1;
                let undone = undo(world, batch).await;
                if untouched {
                    undone.expect("nothing came between");
                    assert_eq!(stands(world).await, stood, "the undo is the identity");
                }
            }
            _ => {}
        }
        assert!(!stands(world).await.0.is_empty(), "property 8: somebody owns it");
        self.moments.push((world.env.now(), stands(world).await));
    }
}

async fn the_ledger_holds(world: World, steps: Vec<Step>) {
    let (_, token) = publisher(&world, "ada").await;
    assert_eq!(upload(&world, &token, &wheel("spam", "1.0").build()).await.status(), 200);
    for name in &PEOPLE[1..] {
        account(&world, name, Has::AddressAndFactor).await;
    }
    let on = project(&world, "spam").await;
    let first = (world.env.now(), stands(&world).await);
    let mut story = Story { world: &world, on, moments: vec![first], batches: Vec::new() };
    for step in steps {
        story.take(step).await;
    }
    // P10: each of the acts was told to each owner of before and after once.
    world.work().await;
    let mails = world.mail().await;
    let acts = all::<events::Entity>(&world).await.into_iter().filter(|row| row.kind.starts_with("project:restore")).count();
    let mut told: Vec<String> = mails.iter().map(|mail| mail.message_id.clone()).collect();
    let sent = told.len();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), sent, "nobody is told twice");
    assert!(acts == 0 || mails.iter().any(|mail| mail.text.contains("put back")), "those concerned are told");
}

fn check(cases: u32, postgres: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let config = Config { cases, max_shrink_iters: 8, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&proptest::collection::vec(step(), 4..16), |steps| {
        let run = runtime.spawn(async move {
            let world = if postgres { World::postgres(&[]).await } else { World::sqlite(&[]).await };
            the_ledger_holds(world, steps).await;
        });
        runtime.block_on(run).map_err(|e| TestCaseError::fail(e.to_string()))
    });
    if let Err(e) = outcome {
        panic!("{e}");
    }
}

/// Property 9.
#[test]
fn property_9_the_ledger_on_sqlite() {
    check(16, false);
}

#[test]
fn property_9_the_ledger_on_postgres() {
    check(5, true);
}
