//! Security keys and passkeys: the page where one is added, and what its script and those of the sign-in pages read and post.

use axum::http::StatusCode;
use index::Refused;
use index::ids::ActId;
use index::policy::{Actor, AddFactor, Denied, ReadIndex, UseKey};
use index::signin::attempt::Outcome;
use index::signin::keys::{self, Added, Answer, Answered, NewKey, Why};
use serde::Deserialize;
use serde_json::json;

use super::gates::frame;
use super::{holds, next, proofs, refused_form, signin};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::manage::WebauthnProvision;
use crate::refusal::Refusal;
use crate::reply::{CookieName, Reply};

/// Where a key is added.
const PROVISION: &str = "/manage/account/webauthn-provision";
/// Where a person looks at their factors.
const FACTORS: &str = "/manage/account/two-factor/";

/// What leads to the page of a new key.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    next: Option<String>,
    act: Option<String>,
}

/// `GET /manage/account/webauthn-provision`.
///
/// # Errors
/// A gate before it.
pub async fn provision_page(ctx: Ctx<AddFactor>, input: Input<Nothing, Wanted>) -> Result<Reply, Refusal> {
    let Wanted { next, act } = input.query;
    let next = next::checked(&ctx, next.as_deref());
    let act = act.as_deref().and_then(ActId::parse);
    show(&ctx, (String::new(), act, next), FormErrors::none()).await
}

async fn show(ctx: &Ctx<AddFactor>, form: (String, Option<ActId>, Option<String>), errors: FormErrors) -> Result<Reply, Refusal> {
    let (label, act, next) = form;
    let proved = keys::proved(ctx.env(), ctx.actor(), ctx.account()?, act).await?;
    let refused = !errors.is_empty();
    let page = WebauthnProvision {
        frame: frame(ctx, next.as_deref()),
        errors,
        ready: proved.ready,
        act: act.filter(|_| proved.label.is_some()).map(|act| act.to_string()),
        label: if label.is_empty() { proved.label.unwrap_or_default() } else { label },
        next,
    };
    Ok(if refused { refused_form(&page) } else { Reply::page(&page) })
}

/// The fields of `/manage/account/webauthn-provision`.
#[derive(Debug, Deserialize)]
pub struct Named {
    #[serde(default)]
    label: String,
    next: Option<String>,
    act: Option<String>,
}

/// `POST /manage/account/webauthn-provision`: the press before the ceremony, where a proof is needed first (R2). The ceremony itself
/// needs the page's script, which posts elsewhere.
///
/// # Errors
/// A gate before it; the way to the proof.
pub async fn provision(ctx: Ctx<AddFactor>, input: Form<Named>) -> Result<Reply, Refusal> {
    let Named { label, next, act } = input.form;
    let next = next::checked(&ctx, next.as_deref());
    let act = act.as_deref().and_then(ActId::parse);
    let proved = keys::proved(ctx.env(), ctx.actor(), ctx.account()?, act).await?;
    let (parameters, description) = match keys::to_prove(&label) {
        Ok(proof) => proof,
        Err(invalid) => return show(&ctx, (label, act, next), FormErrors::one(invalid.field, invalid.message)).await,
    };
    if proved.ready && proved.label.is_none_or(|of| of == label.trim()) {
        let message = "A key is added by the script of this page: allow JavaScript, or add an authenticator app.";
        return show(&ctx, (label, act, next), FormErrors::one("", message)).await;
    }
    match ctx.ask_proof(parameters, &description).await {
        Refusal::Prove(act) => {
            let back = next::carried(PROVISION, next.as_deref());
            Ok(Reply::see_other(&next::carried(&format!("/account/reauthenticate/?act={act}"), Some(&back))))
        }
        refusal => Err(refusal),
    }
}

/// The label that the new key shall have, so that one that cannot be taken is told before the ceremony.
#[derive(Debug, Deserialize)]
pub struct Labelled {
    label: Option<String>,
}

/// `GET /manage/account/webauthn-provision/options`.
///
/// # Errors
/// A gate before it.
pub async fn options_to_add(ctx: Ctx<AddFactor>, input: Input<Nothing, Labelled>) -> Result<Reply, Refusal> {
    match keys::options_to_add(ctx.env(), ctx.actor(), ctx.account()?, ctx.browser(), input.query.label).await {
        Ok(options) => Ok(Reply::json(StatusCode::OK, &options)),
        Err(refused) => failed_input(refused),
    }
}

/// The fields of `/manage/account/webauthn-provision/validate`.
#[derive(Debug, Deserialize)]
pub struct New {
    label: String,
    credential: String,
    next: Option<String>,
    act: Option<String>,
}

/// `POST /manage/account/webauthn-provision/validate`.
///
/// # Errors
/// A gate before it; a proof for this act where the account holds a factor (R2).
pub async fn add(ctx: Ctx<AddFactor>, input: Form<New>) -> Result<Reply, Refusal> {
    let New { label, credential, next, act } = input.form;
    let next = next::checked(&ctx, next.as_deref());
    let new = NewKey { browser: ctx.browser(), label: label.clone(), credential, act: act.as_deref().and_then(ActId::parse) };
    match keys::add(ctx.env(), ctx.actor(), ctx.account()?, new).await {
        Ok(Added::Added(token)) => {
            let reply = Reply::see_other(next.as_deref().unwrap_or(FACTORS)).told_to_script("The key was added.");
            Ok(reply.with_cookie(CookieName::Session, token.expose(), ctx.https()))
        }
        Ok(Added::Held(_)) => {
            Ok(Reply::see_other(holds::PAGE)
                .told_to_script("This waits for a day, because your device is new here: see the page that opens."))
        }
        Ok(Added::Refused(why)) => Ok(failed(&why)),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let (parameters, description) = keys::to_prove(&label)?;
            Err(ctx.ask_proof(parameters, &description).await)
        }
        Err(refused) => failed_input(refused),
    }
}

/// What the challenge is for.
#[derive(Debug, Deserialize)]
pub struct ForAct {
    act: Option<String>,
    alone: Option<String>,
}

/// Who uses the key. The button of the login page signs in alone, whatever else the browser holds: a sign-in that was left half open
/// in it is somebody's unfinished business, which the key of somebody else does not finish.
fn user(ctx: &Ctx<UseKey>, alone: Option<&str>) -> Actor {
    if signin::checked(alone) { ctx.actor().as_nobody() } else { ctx.actor().clone() }
}

fn act_of(act: Option<&str>) -> Result<Option<ActId>, Refusal> {
    act.filter(|act| !act.is_empty()).map(|act| ActId::parse(act).ok_or(Refusal::NotFound)).transpose()
}

/// `GET /account/webauthn-authenticate/options`.
///
/// # Errors
/// An act that is over is not found.
pub async fn options(ctx: Ctx<UseKey>, input: Input<Nothing, ForAct>) -> Result<Reply, Refusal> {
    let act = act_of(input.query.act.as_deref())?;
    match keys::options(ctx.env(), &user(&ctx, input.query.alone.as_deref()), ctx.browser(), act).await {
        Ok(options) => Ok(Reply::json(StatusCode::OK, &options)),
        Err(refused) => failed_input(refused),
    }
}

/// The fields of `/account/webauthn-authenticate/validate`.
#[derive(Debug, Deserialize)]
pub struct Used {
    credential: String,
    remember_device: Option<String>,
    alone: Option<String>,
    #[serde(flatten)]
    wanted: proofs::Wanted,
}

/// `POST /account/webauthn-authenticate/validate`: what the browser holds says what it does.
///
/// # Errors
/// An account that may not act; an act that is over.
pub async fn answer(ctx: Ctx<UseKey>, input: Form<Used>) -> Result<Reply, Refusal> {
    let Used { credential, remember_device, alone, wanted } = input.form;
    let remember = signin::checked(remember_device.as_deref());
    let answer = Answer { browser: ctx.browser(), credential, act: wanted.act()?, remember };
    match keys::answer(ctx.env(), &user(&ctx, alone.as_deref()), answer).await? {
        Answered::SignIn(Outcome::Over) => Err(Refusal::SignIn),
        Answered::SignIn(outcome) => {
            let next = next::checked(&ctx, wanted.next());
            Ok(signin::finished(&ctx, outcome, next.as_deref())?.told_to_script("You are signed in."))
        }
        Answered::Proved(token) => {
            let reply = Reply::see_other(&proofs::onwards(&ctx, &wanted)?).told_to_script("You are confirmed.");
            Ok(match token {
                Some(token) => reply.with_cookie(CookieName::Session, token.expose(), ctx.https()),
                None => reply,
            })
        }
        Answered::Gone => Err(Refusal::NotFound),
        Answered::Refused(why) => Ok(failed(&why)),
    }
}

/// What a script is told when an answer was not taken. A passkey that no account has is named, so that its keeper can drop it.
pub(super) fn failed(why: &Why) -> Reply {
    let mut fail = json!({ "errors": [why.says()] });
    if let Why::Unknown(id) = why {
        fail["unknown_credential"] = id.as_str().into();
    }
    Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "fail": fail }))
}

pub(super) fn failed_input(refused: Refused) -> Result<Reply, Refusal> {
    match refused {
        Refused::Invalid(invalid) => Ok(Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "fail": { "errors": [invalid.message] } }))),
        other => Err(other.into()),
    }
}

/// `GET /.well-known/passkey-endpoints`: where keepers of passkeys send people to add and to manage them.
///
/// # Errors
/// None.
pub async fn well_known(ctx: Ctx<ReadIndex>, _: Input) -> Result<Reply, Refusal> {
    let link = |path| ctx.env().config.link(path);
    Ok(Reply::json(StatusCode::OK, &json!({ "enroll": link("/manage/account/webauthn-provision"), "manage": link(FACTORS) })))
}
