//! `/manage/account/delete/`, and the way back at `/account/undelete/`.

use std::time::Duration;

use credentials::secret::Secret;
use index::Refused;
use index::containment::take_back::steps::{self, Shown};
use index::containment::take_back::{self, undelete};
use index::deletion::Asked;
use index::deletion::account;
use index::ids::ActId;
use index::policy::{Action, BeginUndelete, Credential, DeleteAccount, Denied, ReadIndex, SeeAccount, UndeleteAccount};
use index::signin::mailbox::Typed;
use serde::Deserialize;

use super::{field_error, holds, refused_form, when};
use crate::gate::{Ctx, SITE};
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::deleting::{DeleteAccount as Page, Undelete, UndeleteBegin, Undeleted};
use crate::refusal::Refusal;
use crate::reply::{CookieName, Reply};

/// Where the way back is.
pub(super) const UNDELETE: &str = "/account/undelete/";

/// "72 hours".
pub(super) fn lasting(time: Duration) -> String {
    format!("{} hours", time.as_secs() / 3600)
}

async fn page<A: Action>(ctx: &Ctx<A>, errors: FormErrors, typed: String, act: Option<String>) -> Result<Page, Refusal> {
    let found = account::page(ctx.env(), ctx.actor(), ctx.account()?).await?;
    let config = &ctx.env().config;
    Ok(Page {
        frame: ctx.frame(),
        errors,
        typed: if act.is_some() { found.username.clone() } else { typed },
        username: found.username,
        in_the_way: found.in_the_way,
        waits: found.waits,
        act,
        days: config.retention_days,
        wait: lasting(config.hold_loosening.0),
    })
}

/// The proof with which somebody comes back.
#[derive(Deserialize)]
pub struct Back {
    act: Option<String>,
}

/// GET `/manage/account/delete/`.
///
/// # Errors
/// The database.
pub async fn delete_page(ctx: Ctx<SeeAccount>, input: Input<Nothing, Back>) -> Result<Reply, Refusal> {
    let act = input.query.act.as_deref().and_then(ActId::parse).map(|act| act.to_string());
    Ok(Reply::page(&page(&ctx, FormErrors::none(), String::new(), act).await?))
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Delete {
    #[serde(default)]
    confirm_username: String,
    act: Option<String>,
}

/// POST `/manage/account/delete/`: it always waits.
///
/// # Errors
/// The way to a proof; what stands in the way is shown on the page.
pub async fn delete(ctx: Ctx<DeleteAccount>, input: Form<Delete>) -> Result<Reply, Refusal> {
    let Delete { confirm_username, act } = input.form;
    let act = act.as_deref().and_then(ActId::parse);
    match account::delete(ctx.env(), ctx.actor(), ctx.account()?, (&confirm_username, act)).await {
        Ok(Asked::Held(_) | Asked::Now) => Ok(Reply::see_other(holds::PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => Err(ctx.ask_proof(account::parameters(), "Delete your account.").await),
        Err(refused) => {
            let errors = field_error(refused)?;
            Ok(refused_form(&page(&ctx, errors, confirm_username, None).await?))
        }
    }
}

/// GET `/account/undelete/`: how far this browser came, or the form to begin.
///
/// # Errors
/// The database.
pub async fn undelete_page(ctx: Ctx<ReadIndex>, _: Input) -> Result<Reply, Refusal> {
    let begin = UndeleteBegin { frame: ctx.frame(), errors: FormErrors::none(), username: String::new() };
    if ctx.actor().credential != Credential::TakeBack {
        return Ok(Reply::page(&begin));
    }
    let found = progress(&ctx, FormErrors::none()).await?;
    Ok(found.map_or_else(|| Reply::page(&begin), |page| Reply::page(&page)))
}

async fn progress<A: Action<On = index::ids::Site>>(ctx: &Ctx<A>, errors: FormErrors) -> Result<Option<Undelete>, Refusal> {
    let (env, actor) = (ctx.env().clone(), ctx.actor().clone());
    let found = ctx.view(SITE, move |read, _| Box::pin(async move { take_back::progress(&env, read, &actor).await })).await?;
    let Some(progress) = found.filter(|progress| progress.undeletes) else { return Ok(None) };
    let (expires, tries_left) = progress.code.unzip();
    Ok(Some(Undelete {
        frame: ctx.frame(),
        errors,
        username: progress.username,
        code_expires: expires.map(|at| when(ctx.env(), at)),
        tries_left: tries_left.unwrap_or(0),
        mailbox: progress.mailbox,
        factor: progress.factor,
        factor_first: progress.factor_first,
        totp: progress.totp,
        key: progress.key,
        until: progress.until.map(|at| when(ctx.env(), at)),
    }))
}

/// The field of `/account/undelete/begin/`.
#[derive(Deserialize)]
pub struct Begin {
    username: String,
}

/// POST `/account/undelete/begin/`: the same answer for every name.
///
/// # Errors
/// `Limited`, by the name or the network: known or not.
pub async fn begin(ctx: Ctx<BeginUndelete>, input: Form<Begin>) -> Result<Reply, Refusal> {
    let username = input.form.username;
    if username.trim().is_empty() {
        let errors = FormErrors::one("username", "Type the user name of the account.");
        return Ok(refused_form(&UndeleteBegin { frame: ctx.frame(), errors, username }));
    }
    let token = undelete::begin_by_name(ctx.env(), ctx.actor(), &username).await?;
    Ok(Reply::see_other(UNDELETE).with_cookie(CookieName::TakeBack, token.expose(), ctx.https()))
}

/// The fields of `/account/undelete/`, one of which is there; without any, codes are mailed.
#[derive(Deserialize)]
pub struct Step {
    mailbox_code: Option<Secret>,
    totp_value: Option<Secret>,
    recovery_code_value: Option<Secret>,
    confirm: Option<String>,
}

/// POST `/account/undelete/`: the step that the fields are for.
///
/// # Errors
/// `Limited`; what is wrong is shown on the page; a way back that is over leads to its beginning.
pub async fn step(ctx: Ctx<UndeleteAccount>, input: Form<Step>) -> Result<Reply, Refusal> {
    let form = input.form;
    if form.confirm.is_some() {
        return confirm(&ctx).await;
    }
    let (env, actor) = (ctx.env(), ctx.actor());
    let wrong = |field: &str, message: &str| Some(FormErrors::one(field, message));
    let done: Result<Option<FormErrors>, Refused> = if let Some(code) = form.mailbox_code {
        steps::prove_mailbox(env, actor, code).await.map(|typed| match typed {
            Typed::Right => None,
            Typed::Wrong => wrong("mailbox_code", "This code is wrong. Type the six digits of the newest mail."),
            Typed::NoneOpen => wrong("", "No code is open: it expired, or was entered too often. Ask for new ones."),
        })
    } else if let Some(code) = form.totp_value {
        steps::prove_totp(env, actor, code).await.map(|shown| match shown {
            Shown::Right => None,
            Shown::Wrong => {
                wrong("totp_value", "This code is wrong, was used already, or is not of a factor that the account has had long enough.")
            }
        })
    } else if let Some(code) = form.recovery_code_value {
        undelete::prove_recovery_code(env, actor, code).await.map(|shown| match shown {
            Shown::Right => None,
            Shown::Wrong => wrong("recovery_code_value", "This is no code of the account, or it was used already."),
        })
    } else {
        steps::ask(env, actor).await.map(|()| None)
    };
    match done {
        Ok(None) => Ok(Reply::see_other(UNDELETE)),
        Ok(Some(errors)) => again(&ctx, errors).await,
        Err(refused) => over(&ctx, refused).await,
    }
}

async fn confirm(ctx: &Ctx<UndeleteAccount>) -> Result<Reply, Refusal> {
    match undelete::finish(ctx.env(), ctx.actor()).await {
        Ok(username) => Ok(Reply::page(&Undeleted { frame: ctx.frame(), username }).without_cookie(CookieName::TakeBack, ctx.https())),
        Err(refused) => over(ctx, refused).await,
    }
}

/// What is wrong with a field stands beside it; a way back that is over begins again.
async fn over(ctx: &Ctx<UndeleteAccount>, refused: Refused) -> Result<Reply, Refusal> {
    if matches!(refused, Refused::Denied(Denied::NotValid)) {
        return Ok(Reply::see_other(UNDELETE));
    }
    again(ctx, field_error(refused)?).await
}

async fn again(ctx: &Ctx<UndeleteAccount>, errors: FormErrors) -> Result<Reply, Refusal> {
    let found = progress(ctx, errors).await?;
    Ok(found.map_or_else(|| Reply::see_other(UNDELETE), |page| refused_form(&page)))
}
