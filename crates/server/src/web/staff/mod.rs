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
use index::db::Read;
use index::ids::{ActId, CaseId, EventId};
use index::policy::{Action, Permit, SeeAsStaff};
use index::signin::acts;
use index::staff::{Which, casework, overview as counted, timeline};
use index::{Env, Invalid, Refused, work};
use serde::Deserialize;
use serde_json::{Value, json};

use super::when;
use crate::gate::{Ctx, SITE};
use crate::health::QUEUE_LATE;
use crate::input::Input;
use crate::pages::admin::Part;
use crate::pages::parts::grouped;
use crate::pages::staff::{CaseLine, Choice, Counted, EventLine, Overview, Pressing};
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

/// Where a page of events begins, and the proof with which somebody comes back.
#[derive(Default, Deserialize)]
pub struct Shown {
    before: Option<i64>,
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
        let case = self.joins()?.ok_or_else(|| Invalid::new("", "Say in which case: use the form beside the cause."))?;
        Ok(Which { case, act: EventId::parse(self.of.trim()) })
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

/// The open cases that an act can join, and a new one.
fn choices(open: Vec<(CaseId, String)>, typed: &str) -> Vec<Choice> {
    let new = Choice { value: String::new(), label: "A new case".to_owned(), chosen: typed.is_empty() };
    let one = |(id, why): (CaseId, String)| {
        let (value, why): (String, String) = (id.to_string(), why.chars().take(80).collect());
        Choice { chosen: value == typed, label: why, value }
    };
    std::iter::once(new).chain(open.into_iter().map(one)).collect()
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
