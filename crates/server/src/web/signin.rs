//! Logging in and out.

use credentials::secret::Secret;
use index::policy::{Action, ConfirmSignIn, Denied, ProveFactor, ReadIndex, SignIn, SignOut};
use index::signin::attempt::{self, Opened, Outcome, Stage};
use index::signin::confirm::{self, Link};
use index::signin::devices::LIFETIME;
use index::signin::keys::{self, Held};
use index::signin::sessions::Whence;
use index::signin::{factor, recovery, session};
use serde::Deserialize;

use super::{HOME, Next, Token, link_dead, link_page, next, refused_form, when};
use crate::client;
use crate::gate::{Ctx, SITE};
use crate::input::{Form, Input, Nothing};
use crate::pages::account::{ConfirmLogin, Confirming, Login, Logout, PasswordDisabled, RecoveryCode, TwoFactor};
use crate::pages::{Action as Button, FormErrors};
use crate::refusal::Refusal;
use crate::reply::{CookieName, Reply};

/// One sentence for every wrong name and password.
const WRONG: &str = "The user name or the password is wrong.";
const CONFIRM: &str = "/account/confirm-login/";

/// What a checkbox sends when it is set.
pub(crate) fn checked(value: Option<&str>) -> bool {
    value == Some("y")
}

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
    match attempt::sign_in(ctx.env(), ctx.actor(), &username, password, next.clone()).await? {
        Outcome::Refused => {
            let errors = FormErrors::one("", WRONG);
            Ok(refused_form(&Login { frame: ctx.frame(), errors, username, next }))
        }
        Outcome::Breached { administrator } => Ok(refused_form(&PasswordDisabled { frame: ctx.frame(), administrator })),
        other => finished(&ctx, other, next.as_deref()),
    }
}

/// A reply that leaves the browser signed in: the session's cookie, and that of the trust where it began.
pub(crate) fn with_opened<A: Action>(ctx: &Ctx<A>, reply: Reply, opened: &Opened) -> Reply {
    let https = ctx.https();
    let reply = reply.with_cookie(CookieName::Session, opened.session.expose(), https).without_cookie(CookieName::Attempt, https);
    match &opened.device {
        Some(trust) => {
            let value = client::devices_with(ctx.headers(), https, trust);
            reply.with_lasting_cookie(CookieName::Devices, &value, https, LIFETIME)
        }
        None => reply,
    }
}

/// What all steps of a sign-in answer, once the value was not wrong.
pub(crate) fn finished<A: Action>(ctx: &Ctx<A>, outcome: Outcome, next: Option<&str>) -> Result<Reply, Refusal> {
    let half = |path: &str, token: &credentials::link::LinkToken| {
        Ok(Reply::see_other(&next::carried(path, next)).with_cookie(CookieName::Attempt, token.expose(), ctx.https()))
    };
    match outcome {
        Outcome::SignedIn(opened) => Ok(with_opened(ctx, Reply::see_other(next.unwrap_or(HOME)), &opened)),
        Outcome::NeedsFactor(token) => half("/account/two-factor/", &token),
        Outcome::NeedsMailbox(token) => half(CONFIRM, &token),
        Outcome::Contained(token) => {
            Ok(Reply::see_other("/account/take-back/").with_cookie(CookieName::TakeBack, token.expose(), ctx.https()))
        }
        Outcome::Deleted(token) => {
            Ok(Reply::see_other(super::deleting::UNDELETE).with_cookie(CookieName::TakeBack, token.expose(), ctx.https()))
        }
        Outcome::Stopped(state) => Err(Denied::Stopped(state).into()),
        Outcome::Over | Outcome::Refused | Outcome::Breached { .. } => {
            Ok(Reply::see_other(&next::carried("/account/login/", next)).without_cookie(CookieName::Attempt, ctx.https()))
        }
    }
}

/// The page of the mailbox, for a sign-in that waits for nothing else.
async fn elsewhere<A: Action<On = index::ids::Site>>(ctx: &Ctx<A>, next: Option<&str>) -> Result<Option<Reply>, Refusal> {
    let actor = ctx.actor().clone();
    let found = ctx.view(SITE, move |read, _| Box::pin(async move { attempt::waits_for(read, &actor).await })).await?;
    Ok(found.filter(|(stage, _)| *stage == Stage::Mailbox).map(|_| Reply::see_other(&next::carried(CONFIRM, next))))
}

/// What the step of a factor answers. Another press of the same button may have been in time and moved the sign-in on: the answer to
/// the late one leads there too, and leaves the cookie alone that the other has brought.
async fn went_on(ctx: &Ctx<ProveFactor>, outcome: Outcome, next: Option<&str>) -> Result<Reply, Refusal> {
    if matches!(outcome, Outcome::Over)
        && let Some(reply) = elsewhere(ctx, next).await?
    {
        return Ok(reply);
    }
    finished(ctx, outcome, next)
}

/// `GET /account/two-factor/`.
///
/// # Errors
/// The database.
pub async fn two_factor_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Next>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    if let Some(reply) = elsewhere(&ctx, next.as_deref()).await? {
        return Ok(reply);
    }
    let held = held(&ctx).await?;
    let page = TwoFactor { frame: ctx.frame(), errors: FormErrors::none(), totp: held.totp, key: held.key, next, remember: false };
    Ok(Reply::page(&page))
}

/// What kinds of factor the account of the half-open sign-in holds: its password was proved.
async fn held<A: Action<On = index::ids::Site>>(ctx: &Ctx<A>) -> Result<Held, Refusal> {
    let account = ctx.account()?;
    Ok(ctx.view(SITE, move |read, _| Box::pin(async move { keys::held(read, account).await })).await?)
}

/// The fields of `/account/two-factor/`.
#[derive(Deserialize)]
pub struct Totp {
    totp_value: Secret,
    remember_device: Option<String>,
    next: Option<String>,
}

/// `POST /account/two-factor/`.
///
/// # Errors
/// `Limited`; a sign-in that is over.
pub async fn two_factor(ctx: Ctx<ProveFactor>, input: Form<Totp>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.form.next.as_deref());
    if let Some(reply) = elsewhere(&ctx, next.as_deref()).await? {
        return Ok(reply);
    }
    let remember = checked(input.form.remember_device.as_deref());
    match factor::sign_in(ctx.env(), ctx.actor(), input.form.totp_value, remember).await? {
        Outcome::Refused => {
            let errors = FormErrors::one("totp_value", "This code is wrong, or was used already: wait for the next one.");
            let key = held(&ctx).await?.key;
            Ok(refused_form(&TwoFactor { frame: ctx.frame(), errors, totp: true, key, next, remember }))
        }
        other => went_on(&ctx, other, next.as_deref()).await,
    }
}

/// `GET /account/recovery-code/`.
///
/// # Errors
/// The database.
pub async fn recovery_code_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Next>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    if let Some(reply) = elsewhere(&ctx, next.as_deref()).await? {
        return Ok(reply);
    }
    Ok(Reply::page(&RecoveryCode { frame: ctx.frame(), errors: FormErrors::none(), next, remember: false }))
}

/// The fields of `/account/recovery-code/`.
#[derive(Deserialize)]
pub struct Code {
    recovery_code_value: Secret,
    remember_device: Option<String>,
    next: Option<String>,
}

/// `POST /account/recovery-code/`.
///
/// # Errors
/// `Limited`; a sign-in that is over.
pub async fn recovery_code(ctx: Ctx<ProveFactor>, input: Form<Code>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.form.next.as_deref());
    if let Some(reply) = elsewhere(&ctx, next.as_deref()).await? {
        return Ok(reply);
    }
    let remember = checked(input.form.remember_device.as_deref());
    match recovery::sign_in(ctx.env(), ctx.actor(), input.form.recovery_code_value, remember).await? {
        Outcome::Refused => {
            let errors = FormErrors::one("recovery_code_value", "This is no code of yours, or it was used already.");
            Ok(refused_form(&RecoveryCode { frame: ctx.frame(), errors, next, remember }))
        }
        other => went_on(&ctx, other, next.as_deref()).await,
    }
}

/// What stands in the address of `/account/confirm-login/`.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    token: String,
    next: Option<String>,
}

/// `GET /account/confirm-login/`: without a token it says "look in your mailbox"; with one it explains. It changes nothing.
///
/// # Errors
/// The database.
pub async fn confirm_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Asked>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    if !input.query.token.is_empty() {
        return page_of_link(&ctx, input.query.token, next).await;
    }
    let actor = ctx.actor().clone();
    let found = ctx.view(SITE, move |read, _| Box::pin(async move { confirm::waiting(read, &actor).await })).await?;
    let Some(waiting) = found else { return Ok(Reply::see_other(&next::carried("/account/login/", next.as_deref()))) };
    let next = next.or_else(|| next::checked(&ctx, waiting.next.as_deref()));
    let state = Confirming::Waiting { until: when(ctx.env(), waiting.until) };
    Ok(Reply::page(&ConfirmLogin { frame: ctx.frame(), state, next }))
}

/// The page of a link: it can be pressed where the sign-in began, and only explains elsewhere.
async fn page_of_link<A>(ctx: &Ctx<A>, token: String, next: Option<String>) -> Result<Reply, Refusal>
where
    A: Action<On = index::ids::Site>,
{
    let (env, actor) = (ctx.env().clone(), ctx.actor().clone());
    let link = match (Token { token: token.clone() }).read() {
        Some(link) => ctx.view(SITE, move |read, _| Box::pin(async move { confirm::look(&env, read, &actor, &link).await })).await?,
        None => Link::Dead,
    };
    let frame = ctx.frame();
    let reply = match link {
        Link::Here(waiting) => {
            // The mail does not know where the sign-in was to lead; the sign-in does.
            let next = next.or_else(|| next::checked(ctx, waiting.next.as_deref()));
            let state = Confirming::Here { token, until: when(ctx.env(), waiting.until), remember: waiting.remember };
            Reply::page(&ConfirmLogin { frame, state, next })
        }
        Link::Elsewhere(whence) => {
            let state = Confirming::Elsewhere { from: words(&whence) };
            Reply::page(&ConfirmLogin { frame, state, next })
        }
        Link::Dead => link_dead(frame, "confirm a sign-in", Some(Button::new("Log in", "/account/login/"))),
    };
    Ok(link_page(reply, ctx.env()))
}

/// "Firefox 128 on Linux, 192.0.2.7 (Delft, The Netherlands)".
pub(crate) fn words(whence: &Whence) -> String {
    let place = whence.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    let network = whence.network.as_ref().map(|network| format!("{network}{place}"));
    let browser = whence.browser.clone().unwrap_or_else(|| "a browser that does not say what it is".to_owned());
    network.map_or(browser.clone(), |network| format!("{browser}, {network}"))
}

/// The fields of `/account/confirm-login/`: without a token it has the mail sent again.
#[derive(Deserialize)]
pub struct Confirmed {
    #[serde(default)]
    token: String,
    remember_device: Option<String>,
    next: Option<String>,
}

/// `POST /account/confirm-login/`: continues the sign-in of this browser.
///
/// # Errors
/// `Limited`; a sign-in that is over.
pub async fn confirm(ctx: Ctx<ConfirmSignIn>, input: Form<Confirmed>) -> Result<Reply, Refusal> {
    let Confirmed { token, remember_device, next } = input.form;
    let next = next::checked(&ctx, next.as_deref());
    if token.is_empty() {
        return match confirm::send_again(ctx.env(), ctx.actor()).await {
            Ok(()) => Ok(Reply::see_other(&next::carried(CONFIRM, next.as_deref()))),
            Err(index::Refused::Denied(Denied::NotValid)) => finished(&ctx, Outcome::Over, next.as_deref()),
            Err(refused) => Err(refused.into()),
        };
    }
    let Some(link) = (Token { token: token.clone() }).read() else { return Err(Refusal::LinkDead) };
    match confirm::confirm(ctx.env(), ctx.actor(), &link, checked(remember_device.as_deref())).await? {
        Outcome::Refused => page_of_link(&ctx, token, next).await,
        other => finished(&ctx, other, next.as_deref()),
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
