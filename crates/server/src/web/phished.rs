//! "I was phished": one press in a fresh session, then what the account gained is kept one by one (R15, R16, R19).

use index::Refused;
use index::clock::Time;
use index::containment::phished;
use index::ids::ActId;
use index::policy::{DecidePhished, Denied, SayPhished, SeePhished};
use index::signin::acts;
use serde::Deserialize;
use uuid::Uuid;

use super::{field_error, refused_form, when};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::restoring::{Phished, Thing};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Where the page is.
const PAGE: &str = "/manage/account/phished/";
/// How far back the form reaches unless another time is typed.
const USUAL: std::time::Duration = std::time::Duration::from_secs(86_400);

/// The proof with which somebody comes back.
#[derive(Deserialize)]
pub struct Back {
    act: Option<String>,
}

/// A moment as people type it: to the minute, in UTC.
pub(super) fn typed(at: Time) -> String {
    at.rfc3339().get(..16).unwrap_or_default().replace('T', " ")
}

/// Reads a moment: RFC 3339, or date and time in UTC.
pub(super) fn read_time(text: &str) -> Option<Time> {
    let text = text.trim();
    let bare = || Time::parse_rfc3339(&format!("{}Z", text.replace(' ', "T")));
    Time::parse_rfc3339(text).or_else(bare).or_else(|| Time::parse_rfc3339(&format!("{}:00Z", text.replace(' ', "T"))))
}

/// `GET /manage/account/phished/`.
///
/// # Errors
/// The database.
pub async fn page(ctx: Ctx<SeePhished>, input: Input<Nothing, Back>) -> Result<Reply, Refusal> {
    let act = input.query.act.as_deref().and_then(ActId::parse);
    let (env, actor) = (ctx.env().clone(), ctx.actor().clone());
    let (gained, kept) = ctx
        .view(ctx.account()?, move |read, permit| {
            Box::pin(async move {
                let kept = match act {
                    Some(act) => acts::parameters(read, &actor, act).await?,
                    None => None,
                };
                Ok((phished::to_decide(&env, read, permit).await?, kept))
            })
        })
        .await?;
    let marked: Vec<String> = kept.as_ref().and_then(|json| serde_json::from_value(json["keep"].clone()).ok()).unwrap_or_default();
    let things = gained.map(|gained| {
        let thing = |thing: index::containment::take_back::gained::Thing| Thing {
            kept: marked.contains(&thing.id.to_string()),
            id: thing.id.to_string(),
            what: thing.what,
            from: when(ctx.env(), thing.from_at),
        };
        gained.things.into_iter().map(thing).collect()
    });
    let since = typed(ctx.env().now().minus(USUAL));
    let act = act.filter(|_| kept.is_some()).map(|act| act.to_string());
    Ok(Reply::page(&Phished { frame: ctx.frame(), errors: FormErrors::none(), since, things, act }))
}

/// The form that says it.
#[derive(Deserialize)]
pub struct Since {
    #[serde(default)]
    since: String,
}

/// `POST /manage/account/phished/`: at once (R19).
///
/// # Errors
/// What is wrong is shown on the form.
pub async fn say(ctx: Ctx<SayPhished>, input: Form<Since>) -> Result<Reply, Refusal> {
    let refused = |errors: FormErrors| {
        refused_form(&Phished { frame: ctx.frame(), errors, since: input.form.since.clone(), things: None, act: None })
    };
    let Some(since) = read_time(&input.form.since) else {
        return Ok(refused(FormErrors::one("since", "Write a date and a time in UTC, like 2026-11-23 08:00.")));
    };
    let env = ctx.env().clone();
    let said = ctx.act(ctx.account()?, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { phished::say(&env, tx, permit, since).await })
    });
    match said.await {
        Ok(_) => Ok(Reply::see_other(PAGE)),
        Err(other) => Ok(refused(field_error(other)?)),
    }
}

/// The form of the decision: fields `keep`, one for each thing, and `act`.
#[derive(Deserialize)]
#[serde(from = "Vec<(String, String)>")]
pub struct Decision {
    keep: Vec<Uuid>,
    act: Option<ActId>,
}

impl From<Vec<(String, String)>> for Decision {
    fn from(fields: Vec<(String, String)>) -> Self {
        let of = |name: &str| fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.clone()).collect::<Vec<_>>();
        let keep = of("keep").iter().filter_map(|id| Uuid::parse_str(id).ok()).collect();
        Self { keep, act: of("act").iter().find_map(|id| ActId::parse(id)) }
    }
}

/// `POST /manage/account/phished/decide/`: with a proof for exactly this decision.
///
/// # Errors
/// `NeedsProof` leads to the proof; what cannot be decided is said.
pub async fn decide(ctx: Ctx<DecidePhished>, input: Form<Decision>) -> Result<Reply, Refusal> {
    let Decision { keep, act } = input.form;
    let (env, kept) = (ctx.env().clone(), keep.clone());
    let done = ctx.act(ctx.account()?, move |tx, permit| {
        let (env, keep) = (env.clone(), kept.clone());
        Box::pin(async move { phished::decide(&env, tx, permit, &keep, act).await })
    });
    match done.await {
        Ok(()) => Ok(Reply::see_other("/manage/account/security-history/")),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let says = format!("Keep {} of the things that your account gained, and end the rest", keep.len());
            Err(ctx.ask_proof(phished::parameters(&keep), &says).await)
        }
        Err(other) => Err(other.into()),
    }
}
