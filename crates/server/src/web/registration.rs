//! Coming in: registration, the link that verifies an address, set-up.

use axum::http::StatusCode;
use credentials::secret::Secret;
use index::accounts::addresses::{self, Verified};
use index::accounts::setup;
use index::policy::{Gate, ReadIndex, Register, SetUp, VerifyAddress};
use index::signin::{joining, mailbox};
use serde::Deserialize;

use super::{Token, dead_link, field_error, link_dead, link_page, next, refused_form};
use crate::gate::{Ctx, SITE};
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::account::{AddressTaken, CheckMailbox, Register as RegisterPage, Setup, VerifyEmail};
use crate::refusal::{Refusal, gate_page};
use crate::reply::{CookieName, Reply};

/// The fields of `/account/register/` and `/setup/`.
#[derive(Deserialize)]
pub struct Joining {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    username: String,
    new_password: Secret,
    password_confirm: Secret,
    #[serde(default)]
    token: String,
}

impl Joining {
    fn form(&self, browser: Vec<u8>) -> joining::Form {
        joining::Form {
            name: self.name.clone(),
            email: self.email.clone(),
            username: self.username.clone(),
            new_password: self.new_password.clone(),
            password_confirm: self.password_confirm.clone(),
            browser: Some(browser),
        }
    }
}

/// `GET /account/register/`.
///
/// # Errors
/// None.
pub async fn register_page(ctx: Ctx<ReadIndex>, _: Input) -> Result<Reply, Refusal> {
    let (name, email, username) = (String::new(), String::new(), String::new());
    Ok(Reply::page(&RegisterPage { frame: ctx.frame(), errors: FormErrors::none(), name, email, username }))
}

/// `POST /account/register/`.
///
/// # Errors
/// What is wrong with the form is shown on it; limits and faults are answered elsewhere.
pub async fn register(ctx: Ctx<Register>, input: Form<Joining>) -> Result<Reply, Refusal> {
    let typed = input.form;
    match joining::register(ctx.env(), ctx.actor(), &typed.form(ctx.browser().0.to_vec())).await {
        Ok(()) => Ok(Reply::page(&CheckMailbox { frame: ctx.frame(), email: typed.email.trim().to_owned() })),
        Err(refused) => {
            let errors = field_error(refused)?;
            let Joining { name, email, username, .. } = typed;
            Ok(refused_form(&RegisterPage { frame: ctx.frame(), errors, name, email, username }))
        }
    }
}

/// `GET /account/verify-email/?token=`: shows what the button would do.
///
/// # Errors
/// The database.
pub async fn verify_email_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Token>) -> Result<Reply, Refusal> {
    let found = match input.query.read() {
        Some(token) => ctx.view(SITE, move |read, _| Box::pin(async move { addresses::to_verify(read, &token).await })).await?,
        None => None,
    };
    let frame = ctx.frame();
    let reply = match found {
        Some(found) => {
            let page = VerifyEmail { frame, token: input.query.token, email: found.address, username: found.username };
            Reply::page(&page)
        }
        None => link_dead(frame, "verify an address", None),
    };
    Ok(link_page(reply, ctx.env()))
}

/// `POST /account/verify-email/`: in the browser session that asked for the link it is a fresh proof of the mailbox too (R4).
///
/// # Errors
/// `LinkDead`; a frozen account.
pub async fn verify_email(ctx: Ctx<VerifyAddress>, _: Form<Token>) -> Result<Reply, Refusal> {
    let (env, browser) = (ctx.env().clone(), ctx.browser().0);
    let verified = ctx.act(SITE, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { mailbox::verify(&env, tx, permit, &browser).await })
    });
    let (verified, renewed) = verified.await.map_err(dead_link)?;
    let to = match verified {
        Verified::AndProved(..) => gate_page(Gate::VerifiedAddress).to_owned(),
        Verified::Flag => next::carried("/account/login/", None),
        Verified::Taken => return Ok(Reply::page_with(StatusCode::CONFLICT, &AddressTaken { frame: ctx.frame() })),
    };
    let reply = Reply::see_other(&to);
    Ok(match renewed {
        Some(token) => reply.with_cookie(CookieName::Session, token.expose(), ctx.https()),
        None => reply,
    })
}

/// `GET /setup/?token=`.
///
/// # Errors
/// The database.
pub async fn setup_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Token>) -> Result<Reply, Refusal> {
    let found = match input.query.read() {
        Some(token) => ctx.view(SITE, move |read, _| Box::pin(async move { setup::to_set_up(read, &token).await })).await?,
        None => None,
    };
    let reply = match found {
        Some(found) => Reply::page(&setup_form(&ctx, &input.query.token, &found, None)),
        None => link_dead(ctx.frame(), "set up an account", None),
    };
    Ok(link_page(reply, ctx.env()))
}

fn setup_form<A: index::policy::Action>(
    ctx: &Ctx<A>,
    token: &str,
    found: &setup::ToSetUp,
    refused: Option<(FormErrors, &Joining)>,
) -> Setup {
    let typed = refused.as_ref().map(|(_, typed)| *typed);
    let or_typed = |known: Option<&str>, typed: Option<&String>| known.map_or_else(|| typed.cloned().unwrap_or_default(), str::to_owned);
    let known = found.account.as_ref();
    Setup {
        frame: ctx.frame(),
        token: token.to_owned(),
        administrator: found.administrator,
        name: typed.map(|t| t.name.clone()).unwrap_or_default(),
        email: or_typed(known.map(|(_, address)| address.as_str()), typed.map(|t| &t.email)),
        email_known: known.is_some(),
        username: or_typed(known.map(|(account, _)| account.username.as_str()), typed.map(|t| &t.username)),
        username_known: known.is_some(),
        errors: refused.map(|(errors, _)| errors).unwrap_or_default(),
    }
}

/// `POST /setup/`: then the address is verified, and the way leads through the gates.
///
/// # Errors
/// `LinkDead`; what is wrong with the form is shown on it.
pub async fn set_up(ctx: Ctx<SetUp>, input: Form<Joining>) -> Result<Reply, Refusal> {
    let typed = input.form;
    let link = Token { token: typed.token.clone() };
    let token = link.read().ok_or(Refusal::LinkDead)?;
    match joining::set_up(ctx.env(), ctx.actor(), &token, &typed.form(ctx.browser().0.to_vec())).await {
        Ok(()) => Ok(Reply::see_other("/account/login/")),
        Err(index::Refused::Invalid(invalid)) => {
            let again = ctx.view(SITE, move |read, _| Box::pin(async move { setup::to_set_up(read, &token).await })).await?;
            let found = again.ok_or(Refusal::LinkDead)?;
            let errors = FormErrors::one(invalid.field, invalid.message);
            let reply = refused_form(&setup_form(&ctx, &typed.token, &found, Some((errors, &typed))));
            Ok(link_page(reply, ctx.env()))
        }
        Err(refused) => Err(dead_link(refused)),
    }
}
