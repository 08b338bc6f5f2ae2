//! Where one is signed in, which browsers are remembered, and the password.

use credentials::secret::Secret;
use index::ids::{DeviceId, SessionId};
use index::policy::{ChangePassword, EndOtherSessions, EndSession, ForgetDevice, Proof, SeeSessions};
use index::signin::change;
use index::signin::devices;
use index::signin::sessions::{self, Line, Page};
use serde::Deserialize;

use super::gates::frame;
use super::signin::{checked, words};
use super::{HOME, field_error, refused_form, when};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::manage::{ChangePassword as ChangePage, DeviceLine, SessionLine, Sessions};
use crate::refusal::Refusal;
use crate::reply::{CookieName, Reply};

const PAGE: &str = "/manage/account/sessions/";

/// Where a page of the list begins.
#[derive(Deserialize)]
pub struct Before {
    before: Option<String>,
}

/// `GET /manage/account/sessions/`.
///
/// # Errors
/// The database.
pub async fn list(ctx: Ctx<SeeSessions>, input: Input<Nothing, Before>) -> Result<Reply, Refusal> {
    let env = ctx.env().clone();
    let before = input.query.before.as_deref().and_then(SessionId::parse);
    let (page, devices) = ctx
        .view(ctx.account()?, move |read, permit| {
            Box::pin(async move { Ok((sessions::page(&env, read, permit, before).await?, devices::list(&env, read, permit).await?)) })
        })
        .await?;
    let Page { lines, before } = page;
    let sessions = lines.into_iter().map(|line| session_line(&ctx, line)).collect();
    let devices = devices.into_iter().map(|line| device_line(&ctx, line)).collect();
    Ok(Reply::page(&Sessions { frame: frame(&ctx, None), sessions, devices, next_page: before.map(|id| id.to_string()) }))
}

fn session_line(ctx: &Ctx<SeeSessions>, line: Line) -> SessionLine {
    let proved = match line.proved_with {
        Some(Proof::Password) | None => "a password alone",
        Some(Proof::RecoveryCode) => "a recovery code",
        Some(Proof::Totp) => "an authenticator app",
        Some(Proof::Key) => "a security key or passkey",
    };
    SessionLine {
        id: line.id.to_string(),
        browser: line.whence.browser.unwrap_or_else(|| "Unknown browser".to_owned()),
        agent: line.whence.agent,
        network: line.whence.network,
        place: line.whence.place,
        first_seen: when(ctx.env(), line.since),
        last_seen: when(ctx.env(), line.last_seen),
        ends: when(ctx.env(), line.until),
        proved: proved.to_owned(),
        remembered: line.remembered,
        idle: line.idle,
        here: line.here,
    }
}

fn device_line(ctx: &Ctx<SeeSessions>, line: devices::Line) -> DeviceLine {
    DeviceLine {
        id: line.id.to_string(),
        browser: line.whence.browser.clone().unwrap_or_else(|| "Unknown browser".to_owned()),
        from: words(&line.whence),
        since: when(ctx.env(), line.since),
        last_seen: when(ctx.env(), line.last_seen),
        ends: when(ctx.env(), line.until),
        here: line.here,
    }
}

/// The field of `end/`.
#[derive(Deserialize)]
pub struct One {
    session_id: String,
}

/// `POST /manage/account/sessions/end/`.
///
/// # Errors
/// A session that is not the account's own is not found.
pub async fn end(ctx: Ctx<EndSession>, input: Form<One>) -> Result<Reply, Refusal> {
    let session = SessionId::parse(&input.form.session_id).ok_or(Refusal::NotFound)?;
    let env = ctx.env().clone();
    ctx.act(session, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { sessions::end(&env, tx, permit).await })
    })
    .await?;
    if ctx.actor().session.is_some_and(|own| own.id == session) {
        return Ok(Reply::see_other("/").without_cookie(CookieName::Session, ctx.https()));
    }
    Ok(Reply::see_other(PAGE))
}

/// `POST /manage/account/sessions/end-others/`.
///
/// # Errors
/// The database.
pub async fn end_others(ctx: Ctx<EndOtherSessions>, _: Form<Nothing>) -> Result<Reply, Refusal> {
    let env = ctx.env().clone();
    let token = ctx.act(ctx.account()?, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { sessions::end_others(&env, tx, permit).await })
    });
    Ok(Reply::see_other(PAGE).with_cookie(CookieName::Session, token.await?.expose(), ctx.https()))
}

/// The field of `forget-device/`.
#[derive(Deserialize)]
pub struct Device {
    device_id: String,
}

/// `POST /manage/account/sessions/forget-device/`.
///
/// # Errors
/// A browser that the account does not trust is not found.
pub async fn forget_device(ctx: Ctx<ForgetDevice>, input: Form<Device>) -> Result<Reply, Refusal> {
    let device = DeviceId::parse(&input.form.device_id).ok_or(Refusal::NotFound)?;
    let env = ctx.env().clone();
    ctx.act(device, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { devices::forget(&env, tx, permit).await })
    })
    .await?;
    Ok(Reply::see_other(PAGE))
}

/// `GET /manage/account/change-password/`.
///
/// # Errors
/// None.
pub async fn change_password_page(ctx: Ctx<ChangePassword>, _: Input) -> Result<Reply, Refusal> {
    Ok(show_change(&ctx, FormErrors::none(), (true, false)))
}

fn show_change(ctx: &Ctx<ChangePassword>, errors: FormErrors, (end_sessions, revoke_tokens): (bool, bool)) -> Reply {
    let username = ctx.viewer().map(|viewer| viewer.username.clone()).unwrap_or_default();
    let refused = !errors.is_empty();
    let page = ChangePage { frame: frame(ctx, None), errors, username, end_sessions, revoke_tokens };
    if refused { refused_form(&page) } else { Reply::page(&page) }
}

/// The fields of `/manage/account/change-password/`.
#[derive(Deserialize)]
pub struct Change {
    password: Secret,
    new_password: Secret,
    password_confirm: Secret,
    end_sessions: Option<String>,
    revoke_tokens: Option<String>,
}

/// `POST /manage/account/change-password/`.
///
/// # Errors
/// `Limited`; what is wrong is shown on the form.
pub async fn change_password(ctx: Ctx<ChangePassword>, input: Form<Change>) -> Result<Reply, Refusal> {
    let Change { password, new_password, password_confirm, end_sessions, revoke_tokens } = input.form;
    let (end_sessions, revoke_tokens) = (checked(end_sessions.as_deref()), checked(revoke_tokens.as_deref()));
    let form = change::Form { password, new_password, password_confirm, end_sessions, revoke_tokens };
    match change::change(ctx.env(), ctx.actor(), ctx.account()?, form).await {
        Ok(changed) => Ok(Reply::see_other(HOME).with_cookie(CookieName::Session, changed.session.expose(), ctx.https())),
        Err(refused) => Ok(show_change(&ctx, field_error(refused)?, (end_sessions, revoke_tokens))),
    }
}
