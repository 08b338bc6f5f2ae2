//! Property tests 2 and 8 of the rules of power: whatever owners, maintainers and strangers do to each other's roles, in whatever order,
//! nothing unsettled removes or stops what is settled, the project keeps an Owner who can be reached, and nobody has more than his role.

use index::db::entities::{events, hold_people, holds, role_grants, roles, suspensions};
use index::ids::RoleId;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::people::project;
use crate::given::{self, all};
use crate::holding::{DAY, HOLDS, HOUR, raw, serve};
use crate::team::{Member, answer, invitation, members, page, remove, username};
use crate::world::World;

const SPAM: &str = "spam";

/// What somebody does; the numbers choose among the people.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The index serves for so many hours.
    Pass(u32),
    Invite(usize, usize, bool),
    Accept(usize),
    Decline(usize),
    Promote(usize, usize),
    Demote(usize, usize),
    Remove(usize, usize, bool),
    Veto(usize, usize),
    Approve(usize, usize),
    Freeze(usize),
    Thaw,
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..5_usize;
    prop_oneof![
        6 => (1_u32..80).prop_map(Step::Pass),
        1 => (500_u32..800).prop_map(Step::Pass),
        3 => (who(), who(), any::<bool>()).prop_map(|(by, whom, owner)| Step::Invite(by, whom, owner)),
        3 => who().prop_map(Step::Accept),
        1 => who().prop_map(Step::Decline),
        2 => (who(), who()).prop_map(|(by, whom)| Step::Promote(by, whom)),
        2 => (who(), who()).prop_map(|(by, whom)| Step::Demote(by, whom)),
        6 => (who(), who(), any::<bool>()).prop_map(|(by, whom, drop)| Step::Remove(by, whom, drop)),
        2 => (who(), 0..3_usize).prop_map(|(by, which)| Step::Veto(by, which)),
        3 => (who(), 0..3_usize).prop_map(|(by, which)| Step::Approve(by, which)),
        1 => who().prop_map(Step::Freeze),
        2 => Just(Step::Thaw),
    ]
}

struct Story<'w> {
    world: &'w World,
    people: [Member; 5],
}

impl Story<'_> {
    async fn take(&self, step: Step) {
        let (world, people) = (self.world, &self.people);
        match step {
            Step::Pass(hours) => serve(world, hours * HOUR).await,
            Step::Invite(by, whom, owner) => {
                let name = username(world, people[whom].account).await;
                let page = page(SPAM);
                let fields = [("username", name.as_str()), ("role_name", if owner { "Owner" } else { "Maintainer" })];
                // Strangers have no page to send it from: they send it all the same.
                people[by].seat(world).await.proved("/manage/account/", &page, &fields).await;
            }
            Step::Accept(who) => self.answer(who, "accept").await,
            Step::Decline(who) => self.answer(who, "decline").await,
            Step::Promote(by, whom) => self.change(by, whom, "Owner").await,
            Step::Demote(by, whom) => self.change(by, whom, "Maintainer").await,
            Step::Remove(by, whom, drop) => {
                let Some(role) = people[whom].role(world).await else { return };
                let more = [("drop_rights", "y")];
                remove(&people[by].seat(world).await, SPAM, role.id, if drop { &more } else { &[] }).await;
            }
            Step::Veto(by, which) => {
                let Some(hold) = self.waiting(which).await else { return };
                // Who suspended somebody is asked for a proof; nobody else is.
                people[by].seat(world).await.proved(HOLDS, &format!("{HOLDS}{}/veto/", hold.id), &[]).await;
                // People look at it and close the case, so that the story goes on.
                world.run(&format!("UPDATE cases SET closed_at = {}", world.env.now().as_micros())).await;
            }
            Step::Approve(by, which) => {
                let Some(hold) = self.waiting(which).await else { return };
                people[by].seat(world).await.proved(HOLDS, &format!("{HOLDS}{}/approve/", hold.id), &[]).await;
                world.work().await;
            }
            Step::Freeze(who) => given::freeze(&world.env, people[who].account).await,
            Step::Thaw => {
                world.run(&format!("UPDATE account_causes SET until_at = {} WHERE until_at IS NULL", world.env.now().as_micros())).await;
            }
        }
    }

    async fn answer(&self, who: usize, word: &str) {
        if let Some(id) = invitation(self.world, self.people[who].account).await {
            answer(&self.people[who].seat(self.world).await, id, word).await;
        }
    }

    async fn change(&self, by: usize, whom: usize, to: &str) {
        let Some(role) = self.people[whom].role(self.world).await else { return };
        let (id, path) = (role.id.to_string(), format!("{}change/", page(SPAM)));
        self.people[by].seat(self.world).await.proved("/manage/account/", &path, &[("role_id", &id), ("role_name", to)]).await;
    }

    async fn waiting(&self, which: usize) -> Option<holds::Model> {
        let mut open: Vec<_> = all::<holds::Entity>(self.world).await.into_iter().filter(|row| row.state == "waiting").collect();
        open.sort_by_key(|row| row.id);
        if open.is_empty() { None } else { Some(open.swap_remove(which % open.len())) }
    }

    /// What must be true after every step.
    async fn check(&self, before: &[roles::Model]) {
        let world = self.world;
        let after = all::<roles::Entity>(world).await;
        let (holds, people) = (all::<holds::Entity>(world).await, all::<hold_people::Entity>(world).await);
        assert!(after.iter().any(|row| row.role == "Owner" && row.until_at.is_none()), "property 8: an Owner is left");
        for was in before.iter().filter(|row| row.until_at.is_none()) {
            let row = after.iter().find(|row| row.id == was.id).expect("rows are never deleted");
            if row.until_at.is_some() {
                self.check_end(row, &holds, &people).await;
            }
        }
        self.check_givers(&after).await;
        self.check_suspensions(&after, &holds).await;
        self.check_vetoes(&holds, &people).await;
        self.check_rights().await;
    }

    /// An Owner goes only by a hold that was served or that everybody approved; a Maintainer by himself, or by what is not younger.
    async fn check_end(&self, row: &roles::Model, holds: &[holds::Model], people: &[hold_people::Model]) {
        let at = row.until_at.expect("it has ended");
        let event = self.event(row.ended_by.expect("an event ended it")).await;
        if row.role == "Owner" {
            let hold = holds.iter().find(|hold| hold.state == "done" && hold.subject == row.id.to_string()).expect("a hold has ended it");
            let served = at.since(hold.created_at) >= 72 * HOUR;
            let mut concerned = people.iter().filter(|person| person.hold_id == hold.id);
            let senior = concerned.clone().any(|p| p.settled && p.approved_at.is_some() && p.account_id != hold.proposer_id);
            assert!(served || (senior && concerned.all(|p| p.approved_at.is_some())), "R7: {hold:?}");
            return;
        }
        let by = event.actor_account_id.expect("an account did it");
        let promoted = event.kind == "project:role:change";
        if by != row.account_id && !promoted {
            assert!(at.since(row.from_at) < 30 * DAY || self.was_settled(by, at).await, "R11: {row:?} by {by}");
        }
    }

    /// R15: who was made less is still what somebody made of him.
    async fn check_givers(&self, roles: &[roles::Model]) {
        let grants = all::<role_grants::Entity>(self.world).await;
        let grant = |role: RoleId| grants.iter().find(|row| row.role_id == role).map(|row| (row.account_id, row.from_at));
        for is in roles.iter().filter(|row| row.role == "Maintainer") {
            if let Some(was) = roles.iter().find(|row| row.ended_by == Some(is.began_by) && row.account_id == is.account_id) {
                assert_eq!(grant(is.id), grant(was.id), "R15: {is:?}");
            }
        }
    }

    async fn event(&self, id: index::ids::EventId) -> events::Model {
        all::<events::Entity>(self.world).await.into_iter().find(|event| event.id == id).expect("it is recorded")
    }

    /// Whether an account held a settled Owner role at a moment.
    async fn was_settled(&self, account: index::ids::AccountId, at: index::clock::Time) -> bool {
        all::<roles::Entity>(self.world).await.iter().any(|row| {
            let stood = row.from_at <= at && row.until_at.is_none_or(|until| until >= at);
            row.account_id == account && row.role == "Owner" && stood && (row.founding || at.since(row.from_at) >= 30 * DAY)
        })
    }

    /// R8, R11: suspended is who leaves and asked for it, and who is unsettled and removed by a settled Owner; and only while that waits.
    async fn check_suspensions(&self, roles: &[roles::Model], holds: &[holds::Model]) {
        for row in all::<suspensions::Entity>(self.world).await {
            let hold = holds.iter().find(|hold| Some(hold.id) == row.hold_id).expect("a hold goes with it");
            assert_eq!(row.until_at.is_none(), hold.state == "waiting", "{row:?}");
            let role = roles.iter().find(|role| role.id == RoleId(row.what_id)).expect("the role is there");
            let own = hold.proposer_id == row.account_id;
            let unsettled = !role.founding && row.from_at.since(role.from_at) < 30 * DAY;
            assert!(own || (unsettled && self.was_settled(hold.proposer_id, row.from_at).await), "R11: {row:?}");
        }
    }

    /// R11: nothing unsettled stops what a settled Owner proposed.
    async fn check_vetoes(&self, holds: &[holds::Model], people: &[hold_people::Model]) {
        for hold in holds.iter().filter(|hold| hold.state == "vetoed") {
            let by = self.event(hold.ended_by.expect("somebody stopped it")).await.actor_account_id.expect("an account");
            let settled = |account| people.iter().any(|p| p.hold_id == hold.id && p.account_id == account && p.settled);
            assert!(settled(by) || !settled(hold.proposer_id), "R11: {hold:?} stopped by {by}");
        }
    }

    /// Nobody has more than his role: what a page offers is what the rows say.
    async fn check_rights(&self) {
        for person in &self.people {
            let is = person.is(self.world).await;
            let answer = person.seat(self.world).await.browser.get(&page(SPAM)).await;
            let id = raw(self.world, person.account.0);
            let stopped = format!("SELECT COUNT(*) AS n FROM account_causes WHERE account_id = {id} AND until_at IS NULL");
            if self.world.number(&stopped).await > 0 {
                assert_ne!(answer.status(), 200, "stopped");
                continue;
            }
            assert_eq!(answer.status() == 200, !is.is_empty(), "{is}");
            assert!(!answer.text().contains("Invite somebody") || is == "Owner", "{is}");
        }
    }
}

async fn ownership_is_safe(world: World, steps: Vec<Step>) {
    let people = members(&world, ["ada", "bob", "carol", "dave", "eve"]).await;
    project(&world, SPAM, &[people[0].account, people[1].account]).await;
    given::owner(&world, SPAM, people[2].account).await;
    let story = Story { world: &world, people };
    for step in steps {
        let before = all::<roles::Entity>(&world).await;
        story.take(step).await;
        story.check(&before).await;
    }
}

/// Always the same stories, so that what fails can be seen again.
fn check(cases: u32, postgres: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let config = Config { cases, max_shrink_iters: 12, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&proptest::collection::vec(step(), 6..22), |steps| {
        let told = format!("{steps:?}");
        let run = runtime.spawn(async move {
            let settings = [("limits.invite.account", "off"), ("limits.act.account", "off")];
            let world = if postgres { World::postgres(&settings).await } else { World::sqlite(&settings).await };
            ownership_is_safe(world, steps).await;
        });
        runtime.block_on(run).map_err(|e| TestCaseError::fail(format!("{e}: {told}")))
    });
    if let Err(e) = outcome {
        panic!("{e}");
    }
}

/// Property 2 (R11) and property 8, on the embedded engine.
#[test]
fn property_2_and_8_ownership_on_sqlite() {
    check(10, false);
}

#[test]
fn property_2_and_8_ownership_on_postgres() {
    check(3, true);
}

/// The first weeks of a team, told by hand: what the stories above begin from is what it seems.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stories_reach_every_kind_of_end() {
    let world = World::sqlite(&[]).await;
    let steps = vec![
        Step::Remove(0, 2, false),
        Step::Veto(2, 0),
        Step::Veto(1, 0),
        Step::Invite(2, 3, true),
        Step::Accept(3),
        Step::Remove(3, 0, false),
        Step::Approve(0, 0),
        Step::Approve(1, 0),
        Step::Remove(1, 1, true),
        Step::Pass(80),
        Step::Pass(700),
        Step::Remove(3, 2, false),
        Step::Pass(80),
        Step::Remove(3, 3, false),
    ];
    ownership_is_safe(world, steps).await;
}
