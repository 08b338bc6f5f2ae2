//! The account's own pages: what it is and has, its addresses, its factors, its history.

use data_encoding::BASE64URL_NOPAD;
use index::accounts::addresses::{self, AddressRow};
use index::accounts::history;
use index::accounts::show::{self, Factor, Overview};
use index::ids::ActId;
use index::policy::{SeeAccount, SendVerification, Standing};
use index::signin::{keys, recovery};
use serde::Deserialize;

use super::gates::{self, frame};
use super::{field_error, refused_form, when};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::manage::{AcceptedKeys, Account, AddressLine, Emails, EventLine, FactorLine, SecurityHistory, TwoFactor};
use crate::pages::{Action, Banner, FormErrors, Kind};
use crate::refusal::Refusal;
use crate::reply::Reply;

async fn overview_of(ctx: &Ctx<SeeAccount>) -> Result<(Overview, Standing), Refusal> {
    let read =
        ctx.view(ctx.account()?, |read, permit| Box::pin(async move { Ok((show::overview(read, permit).await?, *permit.standing())) }));
    Ok(read.await?)
}

fn factor_lines(ctx: &Ctx<SeeAccount>, factors: &[Factor]) -> Vec<FactorLine> {
    let line = |factor: &Factor| FactorLine {
        id: factor.id.to_string(),
        is_totp: factor.kind == "totp",
        kind: kind_words(factor).to_owned(),
        label: (!factor.label.is_empty()).then(|| factor.label.clone()),
        synced: factor.synced,
        added: when(ctx.env(), factor.added),
        last_used: factor.last_used.map(|at| when(ctx.env(), at)),
    };
    factors.iter().map(line).collect()
}

/// What a factor is, in the words that its owner knows.
fn kind_words(factor: &Factor) -> &'static str {
    match (factor.kind.as_str(), factor.alone) {
        ("totp", _) => "Authenticator app (TOTP)",
        (_, true) => "Passkey",
        (_, false) => "Security key",
    }
}

fn address_lines(env: &index::Env, rows: Vec<AddressRow>) -> Vec<AddressLine> {
    let line =
        |row: AddressRow| AddressLine { email: row.address, primary: row.is_primary, verified: row.verified_at.map(|at| when(env, at)) };
    rows.into_iter().map(line).collect()
}

/// `GET /manage/account/`.
///
/// # Errors
/// The database.
pub async fn overview(ctx: Ctx<SeeAccount>, _: Input) -> Result<Reply, Refusal> {
    let (overview, standing) = overview_of(&ctx).await?;
    let primary = overview.addresses.iter().find(|row| row.is_primary).map(|row| row.address.clone()).unwrap_or_default();
    let mut surroundings = frame(&ctx, None);
    surroundings.banners.extend(few_codes(overview.codes_left));
    let page = Account {
        frame: surroundings,
        username: overview.account.username,
        name: overview.account.display_name,
        created: when(ctx.env(), overview.account.created_at),
        gates: gates::lines(&standing, &primary, None),
        addresses: address_lines(ctx.env(), overview.addresses),
        factors: factor_lines(&ctx, &overview.factors),
        phishable: standing.factor && !standing.key,
        codes_left: overview.codes_left,
        tokens: overview.tokens,
        projects: overview.projects,
        password: FormErrors::none(),
    };
    Ok(Reply::page(&page))
}

/// The reminder that few recovery codes are left.
fn few_codes(left: Option<u32>) -> Option<Banner> {
    let left = left.filter(|left| *left <= recovery::FEW)?;
    let text = if left == 1 { "One recovery code is left.".to_owned() } else { format!("{left} recovery codes are left.") };
    let action = Action::new("Make new recovery codes", "/manage/account/recovery-codes/regenerate");
    Some(Banner::new(Kind::Warning, text, Some(action)))
}

/// `GET /manage/account/emails/`.
///
/// # Errors
/// The database.
pub async fn emails(ctx: Ctx<SeeAccount>, _: Input) -> Result<Reply, Refusal> {
    let (overview, _) = overview_of(&ctx).await?;
    let addresses = address_lines(ctx.env(), overview.addresses);
    Ok(Reply::page(&Emails { frame: frame(&ctx, None), errors: FormErrors::none(), addresses }))
}

/// The field of the forms on `/manage/account/emails/`.
#[derive(Deserialize)]
pub struct Email {
    email: String,
}

/// `POST /manage/account/emails/reverify/`.
///
/// # Errors
/// `Limited`; what is wrong is shown on the page.
pub async fn reverify(ctx: Ctx<SendVerification>, input: Form<Email>) -> Result<Reply, Refusal> {
    let account = ctx.account()?;
    match addresses::reverify(ctx.env(), ctx.actor(), account, &input.form.email).await {
        Ok(()) => Ok(Reply::see_other("/manage/account/emails/")),
        Err(refused) => {
            let errors = field_error(refused)?;
            let rows = ctx.view(account, move |read, permit| Box::pin(addresses::shown(read, *permit.on()))).await?;
            let addresses = address_lines(ctx.env(), rows);
            Ok(refused_form(&Emails { frame: frame(&ctx, None), errors, addresses }))
        }
    }
}

/// `GET /manage/account/two-factor/`.
///
/// # Errors
/// The database.
pub async fn two_factor(ctx: Ctx<SeeAccount>, input: Input<Nothing, Back>) -> Result<Reply, Refusal> {
    let (overview, standing) = overview_of(&ctx).await?;
    let factors = factor_lines(&ctx, &overview.factors);
    let account = ctx.account()?;
    let ids = ctx.view(account, move |read, _| Box::pin(async move { keys::accepted(read, account).await })).await?.join(" ");
    let party = ctx.env().config.public_url.host_str().unwrap_or("localhost").to_owned();
    let page = TwoFactor {
        frame: frame(&ctx, None),
        factors,
        totp: overview.factors.iter().any(|factor| factor.kind == "totp"),
        phishable: standing.factor && !standing.key,
        accepted: AcceptedKeys { party, user: BASE64URL_NOPAD.encode(account.0.as_bytes()), ids },
        codes_left: overview.codes_left,
        act: input.query.act.as_deref().and_then(ActId::parse).map(|act| act.to_string()),
    };
    Ok(Reply::page(&page))
}

/// The proof with which somebody comes back to a form of the page.
#[derive(Deserialize)]
pub struct Back {
    act: Option<String>,
}

/// Where a page of the history begins.
#[derive(Deserialize)]
pub struct Before {
    before: Option<i64>,
}

/// `GET /manage/account/security-history/`.
///
/// # Errors
/// The database.
pub async fn security_history(ctx: Ctx<SeeAccount>, input: Input<Nothing, Before>) -> Result<Reply, Refusal> {
    let (env, before) = (ctx.env().clone(), input.query.before);
    let page =
        ctx.view(ctx.account()?, move |read, permit| Box::pin(async move { history::page(&env, read, permit, before).await })).await?;
    let line = |line: history::Line| {
        let private = line.private.unwrap_or_default();
        EventLine {
            when: when(ctx.env(), line.at),
            sentence: line.sentence,
            network: private.network,
            agent: private.agent,
            credential: line.credential.map(str::to_owned),
            refused: line.refused,
        }
    };
    let events = page.lines.into_iter().map(line).collect();
    let next_page = page.before.map(|seq| seq.to_string());
    Ok(Reply::page(&SecurityHistory { frame: frame(&ctx, None), events, next_page }))
}
