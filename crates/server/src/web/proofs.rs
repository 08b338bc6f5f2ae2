//! Proving a factor again: for pages that want it fresh, or for one act (R1, R2).

use credentials::secret::Secret;
use index::ids::ActId;
use index::policy::{Action, Gate, Reauthenticate};
use index::signin::acts;
use index::signin::factor::{self, Proved};
use index::signin::keys;
use serde::Deserialize;

use super::{HOME, next, refused_form};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::account::{Act, Proof, Reauthenticate as Page};
use crate::refusal::{Refusal, gate_page};
use crate::reply::{CookieName, Reply};

/// What a query or form says about the proof that is wanted.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    act: Option<String>,
    /// Anything: the page that asked wants a key.
    #[serde(default)]
    key: Option<String>,
}

/// `GET /account/reauthenticate/`.
///
/// # Errors
/// An act that is over, or of another session, is not found.
pub async fn page(ctx: Ctx<Reauthenticate>, input: Input<Nothing, Wanted>) -> Result<Reply, Refusal> {
    show(&ctx, &input.query, FormErrors::none()).await
}

async fn show(ctx: &Ctx<Reauthenticate>, wanted: &Wanted, errors: FormErrors) -> Result<Reply, Refusal> {
    let next = next::checked(ctx, wanted.next.as_deref());
    if ctx.viewer().is_some_and(|viewer| !viewer.standing.factor) {
        return Ok(Reply::see_other(&next::carried("/manage/unverified-account/", next.as_deref())));
    }
    let act = match wanted.act.as_deref().filter(|act| !act.is_empty()) {
        Some(act) => Some(described(ctx, act).await?),
        None => None,
    };
    let refused = !errors.is_empty();
    let account = ctx.account()?;
    let held = ctx.view(account, move |read, _| Box::pin(async move { keys::held(read, account).await })).await?;
    if wanted.key.is_some() && !held.key {
        // The page of a new key says why, in its banner, and leads on.
        return Ok(Reply::see_other(&next::carried(gate_page(Gate::Key), next.as_deref())));
    }
    // An act wants the strongest kind that the account holds (R2).
    let proof = if held.totp && !(held.key && (act.is_some() || wanted.key.is_some())) { Proof::Totp } else { Proof::Key };
    let page = Page { frame: ctx.frame(), errors, next: next.unwrap_or_else(|| HOME.to_owned()), act, proof, key: held.key };
    Ok(if refused { refused_form(&page) } else { Reply::page(&page) })
}

async fn described(ctx: &Ctx<Reauthenticate>, act: &str) -> Result<Act, Refusal> {
    let id = ActId::parse(act).ok_or(Refusal::NotFound)?;
    let sentence =
        ctx.view(ctx.account()?, move |read, permit| Box::pin(async move { acts::description(read, permit.actor(), id).await })).await?;
    Ok(Act { id: id.to_string(), sentence: sentence.ok_or(Refusal::NotFound)? })
}

/// The fields of `/account/reauthenticate/`.
#[derive(Deserialize)]
pub struct Fields {
    totp_value: Secret,
    #[serde(flatten)]
    wanted: Wanted,
}

/// `POST /account/reauthenticate/`: afterwards back to where the person was, with the id of the act.
///
/// # Errors
/// `Limited`.
pub async fn prove(ctx: Ctx<Reauthenticate>, input: Form<Fields>) -> Result<Reply, Refusal> {
    let Fields { totp_value, wanted } = input.form;
    let act = match wanted.act.as_deref().filter(|act| !act.is_empty()) {
        Some(act) => Some(ActId::parse(act).ok_or(Refusal::NotFound)?),
        None => None,
    };
    match factor::prove_again(ctx.env(), ctx.actor(), ctx.account()?, act, totp_value).await? {
        Proved::Right(token) => {
            let reply = Reply::see_other(&back(&ctx, wanted.next.as_deref(), act));
            Ok(match token {
                Some(token) => reply.with_cookie(CookieName::Session, token.expose(), ctx.https()),
                None => reply,
            })
        }
        Proved::TooWeak => {
            let errors = FormErrors::one("", "Your account has a security key or passkey: for this act only that counts.");
            show(&ctx, &wanted, errors).await
        }
        Proved::Wrong => {
            let errors = FormErrors::one("totp_value", "This code is wrong, or was used already: wait for the next one.");
            show(&ctx, &wanted, errors).await
        }
        Proved::Gone => Err(Refusal::NotFound),
    }
}

/// Where a proof leads back to.
pub(super) fn back<A: Action>(ctx: &Ctx<A>, next: Option<&str>, act: Option<ActId>) -> String {
    let next = next::checked(ctx, next).unwrap_or_else(|| HOME.to_owned());
    act.map_or_else(|| next.clone(), |act| with_act(&next, act))
}

/// The page that asked, with the act in its query instead of an older one.
fn with_act(next: &str, act: ActId) -> String {
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    let kept: Vec<&str> = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("act=")).collect();
    let act = format!("act={act}");
    let query = [kept.as_slice(), &[act.as_str()]].concat().join("&");
    format!("{path}?{query}")
}
