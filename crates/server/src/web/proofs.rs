//! Proving a factor again: for pages that want it fresh, for one act, or because nobody was here for a while (R1, R2).

use credentials::secret::Secret;
use index::ids::ActId;
use index::policy::{Action, Credential, Gate, Reauthenticate};
use index::signin::factor::{self, Proved};
use index::signin::kept::{self, Kept};
use index::signin::{acts, keys, resume};
use serde::Deserialize;

use super::{HOME, field_error, next, refused_form};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::account::{Act, KeptForm, PasswordDisabled, Reauthenticate as Page};
use crate::refusal::{Refusal, gate_page};
use crate::reply::{CookieName, Reply};

/// What a query or form says about the proof that is wanted.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    act: Option<String>,
    /// Anything: the page that asked wants a key.
    #[serde(default)]
    key: Option<String>,
    /// A form that waits for the proof.
    #[serde(default)]
    kept: Option<String>,
}

impl Wanted {
    /// The act that is named, if one is.
    pub(super) fn act(&self) -> Result<Option<ActId>, Refusal> {
        named(self.act.as_deref())
    }
    /// Where to go afterwards, as it was sent.
    pub(super) fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }
    /// The kept form that is named, if one is.
    fn kept(&self) -> Result<Option<ActId>, Refusal> {
        named(self.kept.as_deref())
    }
}

fn named(id: Option<&str>) -> Result<Option<ActId>, Refusal> {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => ActId::parse(id).map(Some).ok_or(Refusal::NotFound),
        None => Ok(None),
    }
}

/// `GET /account/reauthenticate/`.
///
/// # Errors
/// An act that is over, or of another session, is not found.
pub async fn page(ctx: Ctx<Reauthenticate>, input: Input<Nothing, Wanted>) -> Result<Reply, Refusal> {
    if let Some(id) = input.query.kept()?
        && let Some(kept) = find_kept(&ctx, id).await?
        && is_enough(&ctx, &kept)
    {
        let next = next::checked(&ctx, input.query.next.as_deref()).unwrap_or_else(|| HOME.to_owned());
        return Ok(Reply::page(&KeptForm { frame: ctx.frame(), path: kept.path, fields: kept.fields, secrets: kept.secrets, next }));
    }
    show(&ctx, &input.query, FormErrors::none()).await
}

async fn find_kept(ctx: &Ctx<Reauthenticate>, id: ActId) -> Result<Option<Kept>, Refusal> {
    let found = ctx.view(ctx.account()?, move |read, permit| Box::pin(async move { kept::of_session(read, permit.actor(), id).await }));
    Ok(found.await?)
}

/// Whether the session is now what the form wants.
fn is_enough(ctx: &Ctx<Reauthenticate>, kept: &Kept) -> bool {
    match ctx.actor().credential {
        Credential::StepUp => true,
        Credential::FreshSession => !kept.wants_key,
        Credential::Session => !kept.wants_fresh && !kept.wants_key,
        _ => false,
    }
}

async fn kept_wants_key(ctx: &Ctx<Reauthenticate>, wanted: &Wanted) -> Result<bool, Refusal> {
    let Some(id) = wanted.kept()? else { return Ok(false) };
    Ok(find_kept(ctx, id).await?.is_some_and(|kept| kept.wants_key))
}

async fn show(ctx: &Ctx<Reauthenticate>, wanted: &Wanted, errors: FormErrors) -> Result<Reply, Refusal> {
    let next = next::checked(ctx, wanted.next.as_deref());
    let factor = ctx.viewer().is_some_and(|viewer| viewer.standing.factor);
    let idle = ctx.actor().credential == Credential::IdleSession;
    let (act, any_factor) = match wanted.act()? {
        // A password is no factor: an account without one gets it first.
        Some(_) if !factor => return Ok(Reply::see_other(&next::carried("/manage/unverified-account/", next.as_deref()))),
        Some(act) => described(ctx, act).await.map(|(act, any_factor)| (Some(act), any_factor))?,
        None => (None, true),
    };
    let refused = !errors.is_empty();
    let account = ctx.account()?;
    let held = ctx.view(account, move |read, _| Box::pin(async move { keys::held(read, account).await })).await?;
    let wants_key = wanted.key.is_some() || kept_wants_key(ctx, wanted).await?;
    if wants_key && !held.key {
        // The page of a new key says why, in its banner, and leads on.
        return Ok(Reply::see_other(&next::carried(gate_page(Gate::Key), next.as_deref())));
    }
    let page = Page {
        frame: ctx.frame(),
        errors,
        next: next.unwrap_or_else(|| HOME.to_owned()),
        kept: wanted.kept()?.map(|id| id.to_string()),
        password: act.is_none() && !wants_key && (idle || !factor),
        // An act wants the strongest kind that the account holds (R2), except where ages decide (R12): a lost key is removed without it.
        totp: held.totp && !(held.key && (!any_factor || wants_key)),
        key: held.key,
        idle,
        act,
    };
    Ok(if refused { refused_form(&page) } else { Reply::page(&page) })
}

/// What the page says about an act, and whether any factor of the account proves it.
async fn described(ctx: &Ctx<Reauthenticate>, id: ActId) -> Result<(Act, bool), Refusal> {
    let found = ctx.view(ctx.account()?, move |read, permit| {
        Box::pin(async move {
            let sentence = acts::description(read, permit.actor(), id).await?;
            Ok((sentence, acts::takes_any_factor(read, permit.actor(), id).await?))
        })
    });
    let (sentence, any_factor) = found.await?;
    Ok((Act { id: id.to_string(), sentence: sentence.ok_or(Refusal::NotFound)? }, any_factor))
}

/// The fields of `/account/reauthenticate/`: one of the two proofs.
#[derive(Deserialize)]
pub struct Fields {
    totp_value: Option<Secret>,
    password: Option<Secret>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// `POST /account/reauthenticate/`: afterwards back to where the person was, with the id of the act, or with the form that waits.
///
/// # Errors
/// `Limited`.
pub async fn prove(ctx: Ctx<Reauthenticate>, input: Form<Fields>) -> Result<Reply, Refusal> {
    let Fields { totp_value, password, wanted } = input.form;
    let (env, account) = (ctx.env(), ctx.account()?);
    let filled = |secret: &Secret| !secret.expose().is_empty();
    let (field, proved) = match (totp_value.filter(filled), password) {
        (Some(code), _) => ("totp_value", factor::prove_again(env, ctx.actor(), account, wanted.act()?, code).await),
        (None, Some(password)) if wanted.act()?.is_none() => ("password", resume::with_password(env, ctx.actor(), account, password).await),
        (None, _) => return show(&ctx, &wanted, FormErrors::one("", "Type what the page asks for.")).await,
    };
    match proved {
        Ok(Proved::Right(token)) => {
            let reply = Reply::see_other(&onwards(&ctx, &wanted)?);
            Ok(match token {
                Some(token) => reply.with_cookie(CookieName::Session, token.expose(), ctx.https()),
                None => reply,
            })
        }
        Ok(Proved::TooWeak) => {
            let errors = FormErrors::one("", "Your account has a security key or passkey: for this act only that counts.");
            show(&ctx, &wanted, errors).await
        }
        Ok(Proved::Wrong) if field == "password" => {
            show(&ctx, &wanted, FormErrors::one(field, "This is not the password of your account.")).await
        }
        Ok(Proved::Wrong) => {
            let errors = FormErrors::one(field, "This code is wrong, or was used already: wait for the next one.");
            show(&ctx, &wanted, errors).await
        }
        Ok(Proved::Gone) => Err(Refusal::NotFound),
        Ok(Proved::Breached { administrator }) => {
            let page = PasswordDisabled { frame: ctx.stranger_frame(), administrator };
            Ok(refused_form(&page).without_cookie(CookieName::Session, ctx.https()))
        }
        Err(refused) => show(&ctx, &wanted, field_error(refused)?).await,
    }
}

/// Where a proof leads back to.
pub(super) fn onwards<A: Action>(ctx: &Ctx<A>, wanted: &Wanted) -> Result<String, Refusal> {
    let next = next::checked(ctx, wanted.next.as_deref()).unwrap_or_else(|| HOME.to_owned());
    Ok(match (wanted.act()?, wanted.kept()?) {
        (Some(act), _) => with_act(&next, act),
        (None, Some(kept)) => next::carried(&format!("/account/reauthenticate/?kept={kept}"), Some(&next)),
        (None, None) => next,
    })
}

/// The page that asked, with the act in its query instead of an older one.
fn with_act(next: &str, act: ActId) -> String {
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    let kept: Vec<&str> = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("act=")).collect();
    let act = format!("act={act}");
    let query = [kept.as_slice(), &[act.as_str()]].concat().join("&");
    format!("{path}?{query}")
}
