//! A new password by mail. Whoever asks sees the same page, whether or not there is such an account.

use axum::http::StatusCode;
use credentials::secret::Secret;
use index::policy::{ReadIndex, RequestPasswordReset, ResetPassword};
use index::signin::reset;
use serde::Deserialize;

use super::signin::checked;
use super::{Token, dead_link, link_dead, link_page, refused_form};
use crate::gate::{Ctx, SITE};
use crate::input::{Form, Input, Nothing};
use crate::pages::account::{RequestPasswordReset as RequestPage, ResetPassword as ResetPage, ResetRequested};
use crate::pages::{Action, FormErrors};
use crate::refusal::Refusal;
use crate::reply::{CookieName, Reply};

const PAGE: &str = "/account/request-password-reset/";

/// `GET /.well-known/change-password`: where password managers look.
///
/// # Errors
/// None.
pub async fn well_known(ctx: Ctx<ReadIndex>, _: Input) -> Result<Reply, Refusal> {
    let page = if ctx.viewer().is_some() { "/manage/account/change-password/" } else { PAGE };
    Ok(Reply::redirect(StatusCode::FOUND, page))
}

/// `GET /account/request-password-reset/`.
///
/// # Errors
/// None.
pub async fn request_page(ctx: Ctx<ReadIndex>, _: Input) -> Result<Reply, Refusal> {
    Ok(Reply::page(&RequestPage { frame: ctx.frame(), errors: FormErrors::none(), username_or_email: String::new() }))
}

/// The field of `/account/request-password-reset/`.
#[derive(Deserialize)]
pub struct Asked {
    username_or_email: String,
}

/// `POST /account/request-password-reset/`.
///
/// # Errors
/// `Limited`, by what was typed or by network: known or not.
pub async fn request(ctx: Ctx<RequestPasswordReset>, input: Form<Asked>) -> Result<Reply, Refusal> {
    let username_or_email = input.form.username_or_email;
    if username_or_email.trim().is_empty() {
        let errors = FormErrors::one("username_or_email", "Type your user name or a mail address.");
        return Ok(refused_form(&RequestPage { frame: ctx.frame(), errors, username_or_email }));
    }
    reset::request(ctx.env(), ctx.actor(), &username_or_email).await?;
    Ok(Reply::page(&ResetRequested { frame: ctx.frame() }))
}

/// `GET /account/reset-password/?token=`.
///
/// # Errors
/// The database.
pub async fn reset_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Token>) -> Result<Reply, Refusal> {
    let found = match input.query.read() {
        Some(token) => ctx.view(SITE, move |read, _| Box::pin(async move { reset::to_reset(read, &token).await })).await?,
        None => None,
    };
    let frame = ctx.frame();
    let reply = match found {
        Some(account) => Reply::page(&ResetPage {
            frame,
            errors: FormErrors::none(),
            token: input.query.token,
            username: account.username,
            revoke_tokens: false,
        }),
        None => link_dead(frame, "set a new password", Some(Action::new("Ask for a new link", PAGE))),
    };
    Ok(link_page(reply, ctx.env()))
}

/// The fields of `/account/reset-password/`.
#[derive(Deserialize)]
pub struct Chosen {
    token: String,
    new_password: Secret,
    password_confirm: Secret,
    revoke_tokens: Option<String>,
}

/// `POST /account/reset-password/`: nobody is signed in by it; the factor is asked for at the next login.
///
/// # Errors
/// `LinkDead`; what is wrong with the password is shown on the form.
pub async fn reset(ctx: Ctx<ResetPassword>, input: Form<Chosen>) -> Result<Reply, Refusal> {
    let Chosen { token, new_password, password_confirm, revoke_tokens } = input.form;
    let revoke_tokens = checked(revoke_tokens.as_deref());
    let link = Token { token: token.clone() }.read().ok_or(Refusal::LinkDead)?;
    let form = reset::Form { new_password, password_confirm, revoke_tokens };
    match reset::reset(ctx.env(), ctx.actor(), &link, form).await {
        Ok(()) => Ok(Reply::see_other("/account/login/").without_cookie(CookieName::Session, ctx.https())),
        Err(index::Refused::Invalid(invalid)) => {
            let found = ctx.view(SITE, move |read, _| Box::pin(async move { reset::to_reset(read, &link).await })).await?;
            let username = found.ok_or(Refusal::LinkDead)?.username;
            let errors = FormErrors::one(invalid.field, invalid.message);
            Ok(link_page(refused_form(&ResetPage { frame: ctx.frame(), errors, token, username, revoke_tokens }), ctx.env()))
        }
        Err(refused) => Err(dead_link(refused)),
    }
}
