//! `/manage/account/emails/`: one's addresses. What adds, removes or chooses one wants a proof for this one act (R2).

use index::accounts::addresses::{self, AddressRow, because_words};
use index::ids::{AccountId, ActId};
use index::policy::{Action, AddAddress, ChangePrimaryAddress, Denied, RemoveAddress, SeeAccount, SendVerification};
use index::signin::acts;
use index::signin::addresses as change;
use index::{Env, Refused};
use serde::Deserialize;

use super::gates::frame;
use super::{field_error, refused_form, when};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::manage::{AddressLine, Emails, Proved};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Where the page of addresses is.
const PAGE: &str = "/manage/account/emails/";

/// The proof that was made for a change, if the person comes back from making it.
#[derive(Deserialize)]
pub struct Back {
    act: Option<String>,
}

/// The form whose act was proved.
#[derive(Deserialize)]
struct Asked {
    what: String,
    email: String,
}

/// The lines of a list of addresses.
pub(super) fn lines(env: &Env, rows: Vec<AddressRow>) -> Vec<AddressLine> {
    let line = |row: AddressRow| AddressLine {
        email: row.address,
        primary: row.is_primary,
        public: row.is_public,
        added: when(env, row.from_at),
        verified: row.verified_at.map(|at| when(env, at)),
        lost_because: row.unverified_because.filter(|_| row.verified_at.is_none()).map(|word| because_words(&word)),
    };
    rows.into_iter().map(line).collect()
}

/// The page as any action on the account may show it.
async fn page<A: Action<On = AccountId>>(
    ctx: &Ctx<A>,
    errors: FormErrors,
    typed: String,
    proved: Option<Proved>,
) -> Result<Emails, Refusal> {
    let rows = ctx.view(ctx.account()?, |read, permit| Box::pin(addresses::of_account(read, *permit.on()))).await?;
    Ok(Emails { frame: frame(ctx, None), errors, addresses: lines(ctx.env(), rows), typed, proved })
}

/// `GET /manage/account/emails/`; with `act` the form whose proof was made carries it.
///
/// # Errors
/// The database.
pub async fn list(ctx: Ctx<SeeAccount>, input: Input<Nothing, Back>) -> Result<Reply, Refusal> {
    let (actor, account) = (ctx.actor().clone(), ctx.account()?);
    let act = input.query.act.as_deref().and_then(ActId::parse);
    let asked = match act {
        Some(act) => ctx.view(account, move |read, _| Box::pin(async move { acts::parameters(read, &actor, act).await })).await?,
        None => None,
    };
    let asked = asked.and_then(|json| serde_json::from_value::<Asked>(json).ok());
    let typed = asked.as_ref().filter(|asked| asked.what == "add").map(|asked| asked.email.clone()).unwrap_or_default();
    let proved = asked.zip(act).map(|(asked, act)| Proved { act: act.to_string(), what: asked.what, email: asked.email });
    Ok(Reply::page(&page(&ctx, FormErrors::none(), typed, proved).await?))
}

/// The fields of the forms on the page.
#[derive(Deserialize)]
pub struct Email {
    #[serde(default)]
    email: String,
    act: Option<String>,
}

impl Email {
    fn act(&self) -> Option<ActId> {
        self.act.as_deref().and_then(ActId::parse)
    }
}

/// What a change answers: the page again, the way to the proof, or what is wrong.
async fn answer<A: Action<On = AccountId>>(
    ctx: &Ctx<A>,
    done: Result<(), Refused>,
    what: &str,
    (email, describe): (&str, String),
) -> Result<Reply, Refusal> {
    match done {
        Ok(()) => Ok(Reply::see_other(PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => Err(ctx.ask_proof(change::parameters(what, email), &describe).await),
        Err(refused) => {
            let errors = field_error(refused)?;
            let typed = if what == "add" { email.to_owned() } else { String::new() };
            Ok(refused_form(&page(ctx, errors, typed, None).await?))
        }
    }
}

/// `POST /manage/account/emails/add/`.
///
/// # Errors
/// `Limited`; the way to a proof; what is wrong is shown on the page.
pub async fn add(ctx: Ctx<AddAddress>, input: Form<Email>) -> Result<Reply, Refusal> {
    let (form, account) = (input.form, ctx.account()?);
    let done = change::add(ctx.env(), ctx.actor(), account, &form.email, form.act()).await;
    answer(&ctx, done, "add", (&form.email, format!("Add the address {} to your account", form.email.trim()))).await
}

/// `POST /manage/account/emails/remove/`.
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn remove(ctx: Ctx<RemoveAddress>, input: Form<Email>) -> Result<Reply, Refusal> {
    let (form, account) = (input.form, ctx.account()?);
    let done = change::remove(ctx.env(), ctx.actor(), account, &form.email, form.act()).await;
    answer(&ctx, done, "remove", (&form.email, format!("Remove the address {} from your account", form.email.trim()))).await
}

/// `POST /manage/account/emails/primary/`.
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn primary(ctx: Ctx<ChangePrimaryAddress>, input: Form<Email>) -> Result<Reply, Refusal> {
    let (form, account) = (input.form, ctx.account()?);
    let done = change::make_primary(ctx.env(), ctx.actor(), account, &form.email, form.act()).await;
    answer(&ctx, done, "primary", (&form.email, format!("Make {} your primary address", form.email.trim()))).await
}

/// `POST /manage/account/emails/reverify/`.
///
/// # Errors
/// `Limited`; what is wrong is shown on the page.
pub async fn reverify(ctx: Ctx<SendVerification>, input: Form<Email>) -> Result<Reply, Refusal> {
    let (form, account) = (input.form, ctx.account()?);
    let done = addresses::reverify(ctx.env(), ctx.actor(), account, &form.email).await;
    answer(&ctx, done, "reverify", (&form.email, String::new())).await
}
