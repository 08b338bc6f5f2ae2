//! Property 5: an account may act exactly while it has no causes; a thaw of one case touches no other; whatever the order.

use std::collections::BTreeMap;

use index::accounts::freeze as operators;
use index::act::act;
use index::ids::{AccountId, CaseId};
use index::policy::{Actor, FreezeAccount, ThawAccount};
use index::staff::{Which, accounts};

use super::staff::{administrator, freeze, proved};
use crate::given::{self, Has, all};
use crate::holding::{Seat, raw};
use crate::world::{World, both_engines};

/// What can happen to an account.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// An administrator freezes it, in a new case or in one of the first three.
    Freeze(usize),
    /// The operator does, in a case or in none.
    Operator(Option<usize>),
    /// Its owner says that it was not them.
    Contain,
    /// An administrator thaws a case.
    Thaw(usize),
    /// The operator thaws a case, or what he froze without one.
    OperatorThaws(Option<usize>),
}

/// The causes that the model says are open: by administrators and by the operator, of each case; without one; by the owner.
#[derive(Default)]
struct Model {
    staff: BTreeMap<String, u64>,
    operator: BTreeMap<String, u64>,
    alone: u64,
    contained: u64,
}

impl Model {
    fn open(&self) -> u64 {
        self.staff.values().sum::<u64>() + self.operator.values().sum::<u64>() + self.alone + self.contained
    }
}

/// Steps of a sequence that is told by its number: a small generator with a state of its own.
fn steps(mut seed: u64, how_many: usize) -> Vec<Step> {
    let mut next = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut out = Vec::new();
    for _ in 0..how_many {
        let which = usize::try_from(next(4)).expect("small");
        let named = (which > 0).then(|| which - 1);
        out.push(match next(9) {
            0..=2 => Step::Freeze(which),
            3 => Step::Operator(named),
            4 => Step::Contain,
            5..=6 => Step::Thaw(which),
            _ => Step::OperatorThaws(named),
        });
    }
    out
}

fn operator() -> Actor {
    Actor::operator("olga", "a-request".to_owned())
}

/// What `strongroom account freeze` does, or `incident freeze` in a case.
pub async fn operator_freezes(world: &World, account: AccountId, case: Option<CaseId>) {
    let (env, operator) = (world.env.clone(), operator());
    let done = act::<FreezeAccount, _, _>(&world.env, &operator, account, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move {
            match case {
                Some(case) => accounts::freeze(&env, tx, permit, "by the operator", Some(case)).await.map(|_| ()),
                None => operators::freeze(&env, tx, permit, "by the operator").await.map(|_| ()),
            }
        })
    });
    done.await.expect("freezing always works");
}

/// How many causes the operator's thaw ended.
async fn operator_thaws(world: &World, account: AccountId, case: Option<CaseId>) -> u64 {
    let (env, operator) = (world.env.clone(), operator());
    let done = act::<ThawAccount, _, _>(&world.env, &operator, account, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move {
            match case {
                Some(case) => Ok(accounts::thaw(&env, tx, permit, Which { case, act: None }, "over").await?.causes),
                None => operators::thaw(&env, tx, permit, "over").await,
            }
        })
    });
    done.await.unwrap_or(0)
}

async fn take(world: &World, grace: &Seat<'_>, (account, cases): (AccountId, &mut Vec<String>), step: Step, model: &mut Model) {
    let known = |at: usize| cases.get(at).cloned();
    match step {
        Step::Freeze(at) => {
            let joins = at.checked_sub(1).and_then(known).unwrap_or_default();
            let case = freeze(grace, "ada", "a drill", &joins).await;
            *model.staff.entry(case.clone()).or_default() += 1;
            if joins.is_empty() {
                cases.push(case);
            }
        }
        Step::Operator(at) => {
            let case = at.and_then(known);
            operator_freezes(world, account, case.as_deref().and_then(CaseId::parse)).await;
            match case {
                Some(case) => *model.operator.entry(case).or_default() += 1,
                // Where the case is not there yet, he freezes without one.
                None => model.alone += 1,
            }
        }
        Step::Contain => {
            let cause = raw(world, index::ids::CauseId::new(world.env.now(), &*world.env.entropy).0);
            let id = raw(world, account.0);
            world.run(&format!("INSERT INTO account_causes (id, account_id, kind, reason, from_at, began_by) VALUES ({cause}, {id}, 'contained', 'x', 0, {id})")).await;
            model.contained += 1;
        }
        Step::Thaw(at) => {
            let Some(case) = known(at) else { return };
            let answer = proved(grace, "/admin/accounts/ada/thaw/", &[("reason", "over"), ("case", &case), ("of", "")]).await;
            let ended = model.staff.remove(&case).unwrap_or(0);
            assert_eq!(answer.status(), if ended > 0 { 303 } else { 422 }, "{}", answer.text());
        }
        Step::OperatorThaws(at) => {
            let case = at.and_then(known);
            let ended = operator_thaws(world, account, case.as_deref().and_then(CaseId::parse)).await;
            let expected = match case {
                Some(case) => model.staff.remove(&case).unwrap_or(0) + model.operator.remove(&case).unwrap_or(0),
                None => std::mem::take(&mut model.alone),
            };
            assert_eq!(ended, expected, "{step:?}");
        }
    }
}

both_engines! {
    /// R13, property 5.
    async fn r13_an_account_acts_exactly_while_it_has_no_causes_whatever_the_order(world: World) {
        let ada = given::account(&world, "ada", Has::AddressAndFactor).await;
        let own = given::browser(&world, ada).await;
        let (_, grace) = administrator(&world, "grace").await;
        let mut stopped = 0;
        for seed in [3, 0x5eed, 0xbeef_cafe] {
            let (mut cases, mut model) = (Vec::new(), Model::default());
            for step in steps(seed, 24) {
                take(&world, &grace, (ada, &mut cases), step, &mut model).await;
                let rows = all::<index::db::entities::account_causes::Entity>(&world).await;
                let open = rows.iter().filter(|row| row.account_id == ada && row.until_at.is_none()).count();
                assert_eq!(u64::try_from(open).expect("few"), model.open(), "seed {seed}: after {step:?}");
                let acts = own.get("/manage/account/").await.status() == 200;
                assert_eq!(acts, model.open() == 0, "seed {seed}: after {step:?}");
                stopped += u32::from(!acts);
            }
            world.run("UPDATE account_causes SET until_at = 1 WHERE until_at IS NULL").await;
        }
        assert!(stopped > 20, "the sequences stop it often: {stopped}");
    }
}
