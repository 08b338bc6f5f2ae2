//! Logging in and out.

use credentials::link::LinkToken;
use credentials::secret::Secret;
use index::policy::{Denied, ProveFactor, ReadIndex, SignIn, SignOut};
use index::signin::attempt::{self, Outcome};
use index::signin::keys::{self, Held};
use index::signin::{factor, recovery, session};
use serde::Deserialize;

use super::{HOME, Next, next, refused_form};
use crate::gate::{Ctx, SITE};
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::account::{Login, Logout, RecoveryCode, TwoFactor};
use crate::refusal::Refusal;
use crate::reply::{CookieName, Reply};

/// One sentence for every wrong name and password.
const WRONG: &str = "The user name or the password is wrong.";

/// `GET /account/login/`.
///
/// # Errors
/// None.
pub async fn login_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Next>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    if ctx.viewer().is_some() {
        return Ok(Reply::see_other(next.as_deref().unwrap_or(HOME)));
    }
    Ok(Reply::page(&Login { frame: ctx.frame(), errors: FormErrors::none(), username: String::new(), next }))
}

/// The fields of `/account/login/`.
#[derive(Deserialize)]
pub struct Credentials {
    username: String,
    password: Secret,
    next: Option<String>,
}

/// `POST /account/login/`.
///
/// # Errors
/// `Limited`; an account that may not act.
pub async fn login(ctx: Ctx<SignIn>, input: Form<Credentials>) -> Result<Reply, Refusal> {
    let Credentials { username, password, next } = input.form;
    let next = next::checked(&ctx, next.as_deref());
    match attempt::sign_in(ctx.env(), ctx.actor(), &username, password).await? {
        Outcome::Refused => {
            let errors = FormErrors::one("", WRONG);
            Ok(refused_form(&Login { frame: ctx.frame(), errors, username, next }))
        }
        Outcome::NeedsFactor(token) => {
            let reply = Reply::see_other(&next::carried("/account/two-factor/", next.as_deref()));
            Ok(reply.with_cookie(CookieName::Attempt, token.expose(), ctx.https()))
        }
        other => finished(other, next.as_deref(), ctx.https()),
    }
}

fn signed_in(token: &LinkToken, next: Option<&str>, https: bool) -> Reply {
    let reply = Reply::see_other(next.unwrap_or(HOME));
    reply.with_cookie(CookieName::Session, token.expose(), https).without_cookie(CookieName::Attempt, https)
}

/// `GET /account/two-factor/`.
///
/// # Errors
/// None.
pub async fn two_factor_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Next>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    let held = held(&ctx).await?;
    Ok(Reply::page(&TwoFactor { frame: ctx.frame(), errors: FormErrors::none(), totp: held.totp, key: held.key, next }))
}

/// What kinds of factor the account of the half-open sign-in holds: its password was proved.
async fn held(ctx: &Ctx<ReadIndex>) -> Result<Held, Refusal> {
    let account = ctx.account()?;
    Ok(ctx.view(SITE, move |read, _| Box::pin(async move { keys::held(read, account).await })).await?)
}

/// The fields of `/account/two-factor/`.
#[derive(Deserialize)]
pub struct Totp {
    totp_value: Secret,
    next: Option<String>,
}

/// `POST /account/two-factor/`.
///
/// # Errors
/// `Limited`; a sign-in that is over.
pub async fn two_factor(ctx: Ctx<ProveFactor>, input: Form<Totp>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.form.next.as_deref());
    match factor::sign_in(ctx.env(), ctx.actor(), input.form.totp_value).await? {
        Outcome::Refused => {
            let errors = FormErrors::one("totp_value", "This code is wrong, or was used already: wait for the next one.");
            let account = ctx.account()?;
            let held = ctx.view(SITE, move |read, _| Box::pin(async move { keys::held(read, account).await })).await?;
            Ok(refused_form(&TwoFactor { frame: ctx.frame(), errors, totp: true, key: held.key, next }))
        }
        other => finished(other, next.as_deref(), ctx.https()),
    }
}

/// What all ways to finish a sign-in answer, once the value was not wrong.
pub(super) fn finished(outcome: Outcome, next: Option<&str>, https: bool) -> Result<Reply, Refusal> {
    match outcome {
        Outcome::Contained(token) => Ok(Reply::see_other("/account/take-back/").with_cookie(CookieName::TakeBack, token.expose(), https)),
        Outcome::SignedIn(token) => Ok(signed_in(&token, next, https)),
        Outcome::Stopped(state) => Err(Denied::Stopped(state).into()),
        Outcome::Over | Outcome::Refused | Outcome::NeedsFactor(_) => {
            Ok(Reply::see_other(&next::carried("/account/login/", next)).without_cookie(CookieName::Attempt, https))
        }
    }
}

/// `GET /account/recovery-code/`.
///
/// # Errors
/// None.
pub async fn recovery_code_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Next>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    Ok(Reply::page(&RecoveryCode { frame: ctx.frame(), errors: FormErrors::none(), next }))
}

/// The fields of `/account/recovery-code/`.
#[derive(Deserialize)]
pub struct Code {
    recovery_code_value: Secret,
    next: Option<String>,
}

/// `POST /account/recovery-code/`.
///
/// # Errors
/// `Limited`; a sign-in that is over.
pub async fn recovery_code(ctx: Ctx<ProveFactor>, input: Form<Code>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.form.next.as_deref());
    match recovery::sign_in(ctx.env(), ctx.actor(), input.form.recovery_code_value).await? {
        Outcome::Refused => {
            let errors = FormErrors::one("recovery_code_value", "This is no code of yours, or it was used already.");
            Ok(refused_form(&RecoveryCode { frame: ctx.frame(), errors, next }))
        }
        other => finished(other, next.as_deref(), ctx.https()),
    }
}

/// `GET /account/logout/`.
///
/// # Errors
/// None.
pub async fn logout_page(ctx: Ctx<ReadIndex>, _: Input) -> Result<Reply, Refusal> {
    Ok(Reply::page(&Logout { frame: ctx.frame() }))
}

/// `POST /account/logout/`.
///
/// # Errors
/// `SignIn` when nobody is signed in.
pub async fn logout(ctx: Ctx<SignOut>, _: Form<Nothing>) -> Result<Reply, Refusal> {
    let session = ctx.actor().session.ok_or(Refusal::SignIn)?;
    let env = ctx.env().clone();
    ctx.act(session.id, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { session::sign_out(&env, tx, permit).await })
    })
    .await?;
    Ok(Reply::see_other("/").without_cookie(CookieName::Session, ctx.https()))
}
