//! `/manage/account/emails/`: one's addresses. What adds, removes or chooses one wants a proof for this one act (R2).

use index::accounts::addresses::{self, AddressRow, because_words};
use index::ids::ActId;
use index::policy::{Action, AddAddress, ChangePrimaryAddress, Denied, RemoveAddress, SeeAccount, SendVerification};
use index::signin::acts;
use index::signin::addresses::{self as change, Changed};
use index::{Env, Refused};
use serde::Deserialize;

use super::gates::frame;
use super::{field_error, holds, refused_form, when};
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

/// The line of an address; `waits` says that a change of it waits.
pub(super) fn line(env: &Env, row: AddressRow, waits: bool) -> AddressLine {
    AddressLine {
        email: row.address,
        primary: row.is_primary,
        public: row.is_public,
        added: when(env, row.from_at),
        verified: row.verified_at.map(|at| when(env, at)),
        lost_because: row.unverified_because.filter(|_| row.verified_at.is_none()).map(|word| because_words(&word)),
        waits,
    }
}

/// The page as any action may show it.
async fn page<A: Action>(ctx: &Ctx<A>, errors: FormErrors, typed: String, proved: Option<Proved>) -> Result<Emails, Refusal> {
    let rows = change::listed(ctx.env(), ctx.actor(), ctx.account()?).await?;
    let addresses = rows.into_iter().map(|(row, waits)| line(ctx.env(), row, waits)).collect();
    Ok(Emails { frame: frame(ctx, None), errors, addresses, typed, proved })
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

/// What a change answers: the page again, the page of changes that wait, or what is wrong.
async fn answer<A: Action>(ctx: &Ctx<A>, done: Result<Changed, Refused>, typed: &str) -> Result<Reply, Refusal> {
    match done {
        Ok(Changed::Now) => Ok(Reply::see_other(PAGE)),
        Ok(Changed::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(refused) => {
            let errors = field_error(refused)?;
            Ok(refused_form(&page(ctx, errors, typed.to_owned(), None).await?))
        }
    }
}

/// `POST /manage/account/emails/add/`.
///
/// # Errors
/// `Limited`; the way to a proof; what is wrong is shown on the page.
pub async fn add(ctx: Ctx<AddAddress>, input: Form<Email>) -> Result<Reply, Refusal> {
    let (form, account) = (input.form, ctx.account()?);
    match change::add(ctx.env(), ctx.actor(), account, &form.email, form.act()).await {
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let description = format!("Add the address {} to your account", form.email.trim());
            Err(ctx.ask_proof(change::parameters("add", &form.email), &description).await)
        }
        done => answer(&ctx, done, &form.email).await,
    }
}

/// The account's address that a form names.
async fn named<A: Action>(ctx: &Ctx<A>, form: &Email) -> Result<Result<AddressRow, Refused>, Refusal> {
    Ok(change::find(ctx.env(), ctx.actor(), ctx.account()?, &form.email).await)
}

/// `POST /manage/account/emails/remove/`: at once, or as a change that waits where the address is settled (R7).
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn remove(ctx: Ctx<RemoveAddress>, input: Form<Email>) -> Result<Reply, Refusal> {
    let form = input.form;
    let row = match named(&ctx, &form).await? {
        Ok(row) => row,
        Err(refused) => return answer(&ctx, Err(refused), "").await,
    };
    match change::remove(ctx.env(), ctx.actor(), row.id, form.act()).await {
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let description = format!("Remove the address {} from your account", row.address);
            Err(ctx.ask_proof_on(&row.id.to_string(), change::parameters("remove", &row.address), &description).await)
        }
        done => answer(&ctx, done, "").await,
    }
}

/// `POST /manage/account/emails/primary/`: at once, or as a change that waits where the present one is settled (R7).
///
/// # Errors
/// The way to a proof; what is wrong is shown on the page.
pub async fn primary(ctx: Ctx<ChangePrimaryAddress>, input: Form<Email>) -> Result<Reply, Refusal> {
    let form = input.form;
    let row = match named(&ctx, &form).await? {
        Ok(row) => row,
        Err(refused) => return answer(&ctx, Err(refused), "").await,
    };
    match change::make_primary(ctx.env(), ctx.actor(), row.id, form.act()).await {
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let description = format!("Make {} your primary address", row.address);
            Err(ctx.ask_proof_on(&row.id.to_string(), change::parameters("primary", &row.address), &description).await)
        }
        done => answer(&ctx, done, "").await,
    }
}

/// `POST /manage/account/emails/reverify/`.
///
/// # Errors
/// `Limited`; what is wrong is shown on the page.
pub async fn reverify(ctx: Ctx<SendVerification>, input: Form<Email>) -> Result<Reply, Refusal> {
    let (form, account) = (input.form, ctx.account()?);
    let done = addresses::reverify(ctx.env(), ctx.actor(), account, &form.email).await;
    answer(&ctx, done.map(|()| Changed::Now), "").await
}
