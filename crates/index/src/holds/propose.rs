//! Asking: what must wait is written down as a hold, and everybody concerned is told.

use std::fmt::Display;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use super::answer::BY_CO_OWNER;
use super::{Proven, state};
use crate::act;
use crate::db::entities::{hold_people, holds};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, HoldProposed};
use crate::ids::{AccountId, HoldId, HoldPersonId, ProjectId};
use crate::policy::{Action, ActionName, Actor, Denied, Loosened, Permit};
use crate::refused::{Invalid, Refused};

/// Somebody whom a change concerns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub account: AccountId,
    /// Whether what ties the account to the subject is settled: its role; for its own factors and addresses, always.
    pub settled: bool,
    /// Whether he may stop it, as far as his role goes (R11).
    pub may_veto: bool,
}

impl Person {
    /// The account whose own power changes.
    pub(crate) const fn oneself(account: AccountId) -> Self {
        Self { account, settled: true, may_veto: true }
    }
}

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    /// The account whose power changes.
    pub account: AccountId,
    /// The project that it is about.
    pub project: Option<ProjectId>,
    /// What the effect needs to know besides its subject; never a secret.
    pub payload: serde_json::Value,
    /// What it is, in one sentence that people read.
    pub description: String,
    /// Everybody concerned; the proposer is added where he is missing.
    pub people: Vec<Person>,
    /// What was proved for it.
    pub proof: Option<Proven>,
    /// How long it waits; `None` when a rule of its room says that it need not (R12).
    pub waits: Option<Duration>,
}

/// Now, or later.
#[derive(Debug)]
pub(crate) enum Decision<'p, A: Action> {
    /// It may take effect in this transaction.
    Now(Loosened<'p, A>),
    /// It waits as this hold.
    Held(HoldId),
}

/// The way in for actions that take protection away: what the verb does with the permit is to ask `decide`.
///
/// # Errors
/// As `act`.
pub(crate) async fn loosen<A, T, F>(env: &Env, actor: &Actor, on: A::On, work: F) -> Result<T, Refused>
where
    A: Action,
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t Permit<A>) -> BoxFuture<'t, Result<T, Refused>> + Send + Sync + 'static,
{
    act::loosening::<A, T, F>(env, actor, on, work).await
}

/// Says whether a change takes effect now; one that waits is written down.
///
/// # Errors
/// `Barred` after a veto whose case is open (R10); `Invalid` when the same change waits already.
pub(crate) async fn decide<'p, A>(env: &Env, tx: &mut Tx, permit: &'p Permit<A>, proposal: Proposal) -> Result<Decision<'p, A>, Refused>
where
    A: Action,
    A::On: Display,
{
    let Some(wait) = proposal.waits else { return Ok(Decision::Now(Loosened::of(permit))) };
    let what = What { action: A::NAME, subject: permit.on().to_string(), wait, proposer: None };
    Ok(Decision::Held(propose(env, tx, permit, what, proposal).await?))
}

/// The same for what suspends somebody who is not settled, at once: no veto of another change bars a settled Owner from that (R11), and
/// to stop it once more takes another settled Owner.
///
/// # Errors
/// `Invalid` when the same change waits already.
pub(crate) async fn suspending<A>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    (proposal, wait): (Proposal, Duration),
) -> Result<HoldId, Refused>
where
    A: Action,
    A::On: Display,
{
    let what = What { action: A::NAME, subject: permit.on().to_string(), wait, proposer: None };
    write(env, tx, permit, what, proposal).await
}

/// Which action, on what, for how long.
pub(super) struct What {
    pub action: ActionName,
    pub subject: String,
    pub wait: Duration,
    /// Who asks, where it is not who acts.
    pub proposer: Option<AccountId>,
}

/// What a co-owner stopped bars the same once more, and nothing else that the account does with what is its own.
const BARRED: &str = "SELECT 1 AS one FROM holds h JOIN cases c ON c.id = h.case_id WHERE h.proposer_id = $1 AND h.state = 'vetoed' \
    AND c.closed_at IS NULL AND (h.ended_because <> $5 OR h.action = $4) \
    AND (h.project_id = $2 OR ($2 IS NULL AND h.project_id IS NULL AND h.account_id = $3)) LIMIT 1";

/// Writes a hold down, in the act of whoever proposes.
pub(super) async fn propose<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    what: What,
    proposal: Proposal,
) -> Result<HoldId, Refused> {
    let proposer = what.proposer.or(permit.actor().account()).ok_or(Denied::NotValid)?;
    let mut values = vec![Value::from(proposer), Value::from(proposal.project), Value::from(proposal.account)];
    values.extend([Value::from(what.action.wire()), Value::from(BY_CO_OWNER)]);
    if tx.row(BARRED, values).await?.is_some() {
        return Err(Denied::Barred.into());
    }
    write(env, tx, permit, what, proposal).await
}

async fn write<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, what: What, proposal: Proposal) -> Result<HoldId, Refused> {
    let proposer = what.proposer.or(permit.actor().account()).ok_or(Denied::NotValid)?;
    let id = HoldId::new(tx.now(), &*env.entropy);
    let (action, due_at) = (what.action.wire().to_owned(), tx.now().plus(what.wait));
    let row = holds::ActiveModel {
        id: Set(id),
        action: Set(action),
        account_id: Set(proposal.account),
        project_id: Set(proposal.project),
        subject: Set(what.subject),
        payload: Set(proposal.payload.to_string()),
        description: Set(proposal.description.clone()),
        proposer_id: Set(proposer),
        session_id: Set(permit.actor().session.filter(|_| proposal.proof.is_some()).map(|session| session.id)),
        proved_with: Set(proposal.proof.map(|proof| proof.with.wire().to_owned())),
        factor_id: Set(proposal.proof.and_then(|proof| proof.factor)),
        state: Set(state::WAITING.to_owned()),
        created_at: Set(tx.now()),
        served_from: Set(tx.now()),
        due_at: Set(due_at),
        closed_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
        case_id: Set(None),
        ended_because: Set(None),
        used_at: Set(None),
        veto_mailbox: Set(None),
    };
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    if holds::Entity::insert(row).on_conflict(nothing).exec_without_returning(tx.connection()).await? != 1 {
        return Err(Invalid::new("", "This change waits already: it stands on the page of changes that wait.").into());
    }
    write_people(env, tx, id, proposer, &proposal.people).await?;
    let event = HoldProposed { hold: id.to_string(), what: proposal.description, due: due_at.rfc3339() };
    events::record(env, tx, permit, Entry::of(event).about(proposal.account)).await?;
    Ok(id)
}

/// Each person once; who proposes has approved by the proof that he made for it.
async fn write_people(env: &Env, tx: &Tx, hold: HoldId, proposer: AccountId, people: &[Person]) -> Result<(), Refused> {
    let mut all: Vec<Person> = Vec::with_capacity(people.len() + 1);
    for person in people.iter().copied().chain([Person::oneself(proposer)]) {
        if all.iter().all(|known| known.account != person.account) {
            all.push(person);
        }
    }
    let rows = all.into_iter().map(|person| hold_people::ActiveModel {
        id: Set(HoldPersonId::new(tx.now(), &*env.entropy)),
        hold_id: Set(hold),
        account_id: Set(person.account),
        settled: Set(person.settled),
        may_veto: Set(person.may_veto),
        told_at: Set(None),
        approved_at: Set((person.account == proposer).then(|| tx.now())),
    });
    hold_people::Entity::insert_many(rows).exec_without_returning(tx.connection()).await?;
    Ok(())
}
