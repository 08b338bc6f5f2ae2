//! What administrators look at and do. They read forms, call verbs, and show what came of it; no rule lives here.
//!
//! What tightens is one request. What gives power back is proved by a key for this one act first: the form comes back with `act`, and
//! its next press does it (R20).

pub mod accounts;
pub mod cases;
pub mod holds;
pub mod projects;

use futures_util::future::BoxFuture;
use index::act;
use index::db::{Read, Tx};
use index::ids::{ActId, CaseId, EventId};
use index::policy::{Action, Denied, Permit, SeeAsStaff};
use index::signin::acts;
use index::staff::{Done, Stop, Which, casework, overview as counted, timeline};
use index::{Env, Invalid, Refused, work};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{field_error, refused_form, when};
use crate::gate::{Ctx, SITE};
use crate::health::QUEUE_LATE;
use crate::input::Input;
use crate::pages::FormErrors;
use crate::pages::admin::Part;
use crate::pages::parts::grouped;
use crate::pages::staff::{CaseLine, Choice, Counted, EventLine, Order as Form, Overview, Pressing, Stop as StopLine};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// What a list is asked for.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    after: String,
    #[serde(default)]
    before: String,
}

/// Where a page of events or of acts begins, and the proof with which somebody comes back.
#[derive(Default, Deserialize)]
pub struct Shown {
    before: Option<i64>,
    after: Option<String>,
    act: Option<String>,
}

/// The name in the path.
#[derive(Deserialize)]
pub struct Named {
    name: String,
}

/// The fields of a form that acts.
#[derive(Clone, Default, Deserialize)]
pub struct Order {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    case: String,
    /// The event of the one act that is undone.
    #[serde(default)]
    of: String,
    #[serde(default)]
    act: Option<String>,
}

impl Order {
    /// The case to join, if one is named.
    fn joins(&self) -> Result<Option<CaseId>, Invalid> {
        match self.case.trim() {
            "" => Ok(None),
            typed => CaseId::parse(typed).map(Some).ok_or_else(|| Invalid::new("case", "There is no such case.")),
        }
    }
    /// Which causes are taken away.
    fn which(&self) -> Result<Which, Invalid> {
        const FORM: &str = "Say in which case, and which act of it: use the form beside the cause.";
        let wrong = || Invalid::new("", FORM);
        let case = self.joins()?.ok_or_else(wrong)?;
        // One that cannot be read must not stand for all of them.
        let act = match self.of.trim() {
            "" => None,
            typed => Some(EventId::parse(typed).ok_or_else(wrong)?),
        };
        Ok(Which { case, act })
    }
    fn act(&self) -> Option<ActId> {
        self.act.as_deref().and_then(ActId::parse)
    }
    /// What the proof of an act is bound to, besides action and subject.
    fn parameters(&self, does: &str) -> Value {
        json!({ "do": does, "case": self.case.trim(), "of": self.of.trim(), "reason": self.reason.trim() })
    }
    /// The order that the parameters of an act say.
    fn of_parameters(parameters: &Value) -> Self {
        let text = |key: &str| parameters[key].as_str().unwrap_or_default().to_owned();
        Self { reason: text("reason"), case: text("case"), of: text("of"), act: None }
    }
}

/// Reads as staff, whichever action the page at hand has.
async fn look<A: Action, T, F>(ctx: &Ctx<A>, work: F) -> Result<T, Refused>
where
    F: for<'t> FnOnce(&'t Read, &'t Permit<SeeAsStaff>) -> BoxFuture<'t, Result<T, Refused>>,
{
    act::view::<SeeAsStaff, T, F>(ctx.env(), ctx.actor(), SITE, work).await
}

/// The form of an act that was asked for, to be pressed once more. `place` says where the form of what is done goes, and its button.
async fn pressing<A: Action>(
    ctx: &Ctx<A>,
    shown: &Shown,
    place: impl Fn(&str) -> Option<(String, &'static str)>,
) -> Result<Option<Pressing>, Refusal> {
    let Some(act) = shown.act.as_deref().and_then(ActId::parse) else { return Ok(None) };
    let actor = ctx.actor().clone();
    let found = look(ctx, move |read, _| {
        Box::pin(async move { Ok((acts::description(read, &actor, act).await?, acts::parameters(read, &actor, act).await?)) })
    });
    let (Some(sentence), Some(parameters)) = found.await? else { return Ok(None) };
    let Some((action, button)) = place(parameters["do"].as_str().unwrap_or_default()) else { return Ok(None) };
    let order = Order::of_parameters(&parameters);
    let fields = vec![("reason", order.reason), ("case", order.case), ("of", order.of), ("act", act.to_string())];
    Ok(Some(Pressing { sentence, action, fields, button }))
}

/// A verb that stops something for a reason, in a case.
type Stops<A> = for<'t> fn(&'t Env, &'t mut Tx, &'t Permit<A>, &'t str, Option<CaseId>) -> BoxFuture<'t, Result<Done, Refused>>;

/// Stops something: one press, always possible (R19). The page of the case says what was done.
async fn stop<A: Action>(ctx: &Ctx<A>, on: A::On, order: &Order, verb: Stops<A>) -> Result<Reply, Refusal> {
    let case = order.joins().map_err(Refused::from)?;
    let (env, reason) = (ctx.env().clone(), order.reason.clone());
    let done = ctx.act(on, move |tx, permit| {
        let (env, reason) = (env.clone(), reason.clone());
        Box::pin(async move { verb(&env, tx, permit, &reason, case).await })
    });
    Ok(Reply::see_other(&format!("/admin/cases/{}/", done.await?.case)))
}

/// A verb that gives something back; it says in which case. What its proof is bound to comes with the order.
type GivesBack<A> = for<'t> fn(&'t Env, &'t mut Tx, &'t Permit<A>, &'t Order) -> BoxFuture<'t, Result<CaseId, Refused>>;

/// What an act is called in its parameters, and what the page says that asks for a key.
struct Asks {
    does: &'static str,
    says: String,
}

/// Gives something back: a key is touched for this one act, with this reason (R20). What cannot be done is said before a key is asked
/// for; without its proof nothing of it stays.
async fn give_back<A>(ctx: &Ctx<A>, on: A::On, (order, asks): (&Order, Asks), verb: GivesBack<A>) -> Result<Reply, Refusal>
where
    A: Action,
    A::On: std::fmt::Display,
{
    let subject = on.to_string();
    let (env, asked, parameters) = (ctx.env().clone(), order.clone(), order.parameters(asks.does));
    let bound = parameters.clone();
    let done = ctx.act(on, move |tx, permit| {
        let (env, asked, bound) = (env.clone(), asked.clone(), bound.clone());
        Box::pin(async move {
            let case = verb(&env, tx, permit, &asked).await?;
            acts::spend(&env, tx, permit, asked.act(), &bound).await?;
            Ok(case)
        })
    });
    match done.await {
        Ok(case) => Ok(Reply::see_other(&format!("/admin/cases/{case}/"))),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            Err(ctx.ask_proof_on(&subject, parameters, &format!("{}: {}", asks.says, order.reason.trim())).await)
        }
        Err(no) => Err(no.into()),
    }
}

/// What came of an act: its page again with what was wrong, where something was typed that cannot be used.
async fn answered<P, F>(done: Result<Reply, Refusal>, again: impl FnOnce(FormErrors) -> F) -> Result<Reply, Refusal>
where
    P: askama::Template,
    F: Future<Output = Result<P, Refusal>>,
{
    let Err(Refusal::Refused(no)) = done else { return done };
    Ok(refused_form(&again(field_error(no)?).await?))
}

fn stop_line(env: &Env, stop: Stop) -> StopLine {
    StopLine {
        kind: stop.kind,
        on: stop.on,
        reason: stop.reason,
        since: when(env, stop.since),
        by: stop.by,
        case: stop.case.map(|case| case.to_string()),
        event: stop.event.to_string(),
        can_end: stop.can_end,
    }
}

/// What stands below everything else on the page of an account or a project.
struct Around {
    cases: Vec<casework::Line>,
    open: Vec<(CaseId, String)>,
    events: timeline::Page,
}

impl Around {
    async fn read(env: &Env, read: &Read, permit: &Permit<SeeAsStaff>, (of, before): (timeline::Of, Option<i64>)) -> Result<Self, Refused> {
        Ok(Self {
            cases: casework::of_subject(read, permit, of.id()).await?,
            open: casework::to_join(read, permit).await?,
            events: timeline::page(env, read, permit, of, before).await?,
        })
    }

    /// The cases, the form that stops something as it was typed, the events, and the key of the next page of these.
    fn shown(self, env: &Env, order: &Order) -> (Vec<CaseLine>, Form, Vec<EventLine>, Option<String>) {
        let form = Form { reason: order.reason.clone(), cases: choices(self.open, order.case.trim()) };
        let events = self.events.lines.into_iter().map(|line| event_line(env, line)).collect();
        let cases = self.cases.into_iter().map(|line| case_line(env, line)).collect();
        (cases, form, events, self.events.before.map(|seq| seq.to_string()))
    }
}

/// The open cases that an act can join, and a new one.
fn choices(open: Vec<(CaseId, String)>, typed: &str) -> Vec<Choice> {
    let new = Choice { value: String::new(), label: "A new case".to_owned(), chosen: typed.is_empty() };
    let one = |(id, why): (CaseId, String)| {
        let (value, why): (String, String) = (id.to_string(), why.chars().take(80).collect());
        Choice { chosen: value == typed, label: why, value }
    };
    std::iter::once(new).chain(open.into_iter().map(one)).collect()
}

/// What was wrong, said above a page on which many forms have the same field.
fn unnamed(errors: &FormErrors) -> FormErrors {
    let mut above = FormErrors::none();
    for error in errors.all() {
        above.add("", error.message.clone());
    }
    above
}

/// The choices of a filter.
fn states<'a>(known: impl IntoIterator<Item = &'a str>, chosen: &str) -> Vec<Choice> {
    let label = |value: &str| match value {
        "" => "All".to_owned(),
        "vetoed" => "Stopped".to_owned(),
        "done" => "Let through".to_owned(),
        "died" => "Will not happen".to_owned(),
        other => {
            let mut letters = other.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    };
    known.into_iter().map(|value| Choice { label: label(value), chosen: value == chosen, value: value.to_owned() }).collect()
}

/// What opened a case, in the words of its page.
fn opening(kind: &str) -> &'static str {
    match kind {
        "not-me" => "“This was not me”",
        "alarm" => "An alarm",
        "veto" => "A veto",
        "cloned" => "A key that may be copied",
        "staff" => "An act of the staff",
        "restore" => "Something put back as it stood",
        "take-back" => "An account that waits for its owner",
        "phished" => "“I was phished”",
        _ => "A case",
    }
}

fn case_line(env: &Env, line: casework::Line) -> CaseLine {
    CaseLine {
        id: line.id.to_string(),
        kind: opening(&line.kind),
        why: line.why,
        opened: when(env, line.opened_at),
        closed: line.closed_at.map(|at| when(env, at)),
        accounts: line.accounts,
        projects: line.projects,
    }
}

fn event_line(env: &Env, line: timeline::Line) -> EventLine {
    let private = line.private.unwrap_or_default();
    EventLine {
        when: when(env, line.at),
        kind: line.kind,
        sentence: line.sentence,
        by: line.by,
        by_account: line.by_account,
        credential: line.credential,
        network: private.network,
        agent: private.agent,
        project: line.project,
        case: line.case.map(|case| case.to_string()),
    }
}

/// `GET /admin/`.
///
/// # Errors
/// The database.
pub async fn overview(ctx: Ctx<SeeAsStaff>, _: Input) -> Result<Reply, Refusal> {
    let read = ctx.view(SITE, |read, permit| {
        Box::pin(async move {
            let counts = counted::overview(read, permit).await?;
            Ok((counts, casework::list(read, permit, casework::Shown::Open, None).await?))
        })
    });
    let (counts, cases) = read.await?;
    let parts = work::readiness(ctx.env(), QUEUE_LATE).await;
    let count = |what, n, href| Counted { what, count: grouped(n), href };
    Ok(Reply::page(&Overview {
        frame: ctx.frame(),
        counts: vec![
            count("open cases", counts.open_cases, "/admin/cases/"),
            count("changes that wait", counts.waiting_holds, "/admin/holds/"),
            count("frozen accounts", counts.frozen, "/admin/accounts/?state=frozen"),
            count("contained accounts", counts.contained, "/admin/accounts/?state=contained"),
            count("projects in quarantine", counts.quarantined, "/admin/projects/?state=quarantined"),
        ],
        parts: parts.into_iter().map(|(name, answers)| Part { name: name.to_owned(), answers }).collect(),
        alone: counts.administrators < 2,
        cases: cases.lines.into_iter().take(10).map(|line| case_line(ctx.env(), line)).collect(),
    }))
}
