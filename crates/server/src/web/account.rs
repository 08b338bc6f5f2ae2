//! The account's own pages: what it is and has, its factors, its history.

use data_encoding::BASE64URL_NOPAD;
use index::accounts::history;
use index::accounts::show::{self, Factor, Overview};
use index::ids::{AccountId, ActId};
use index::policy::{Action, ChangeProfile, SeeAccount, Standing};
use index::signin::{keys, recovery};
use serde::Deserialize;

use super::gates::{self, frame};
use super::{addresses, refused_form, when};
use crate::gate::Ctx;
use crate::input::{Input, Nothing};
use crate::pages::manage::{AcceptedKeys, Account, EventLine, FactorLine, Profile, SecurityHistory, TwoFactor};
use crate::pages::{Action as Leading, Banner, FormErrors, Kind};
use crate::refusal::Refusal;
use crate::reply::Reply;

async fn overview_of<A: Action<On = AccountId>>(ctx: &Ctx<A>) -> Result<(Overview, Standing), Refusal> {
    let read =
        ctx.view(ctx.account()?, |read, permit| Box::pin(async move { Ok((show::overview(read, permit).await?, *permit.standing())) }));
    Ok(read.await?)
}

fn factor_lines<A: Action>(ctx: &Ctx<A>, factors: &[Factor]) -> Vec<FactorLine> {
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

/// `GET /manage/account/`.
///
/// # Errors
/// The database.
pub async fn overview(ctx: Ctx<SeeAccount>, _: Input) -> Result<Reply, Refusal> {
    let (overview, standing) = overview_of(&ctx).await?;
    Ok(Reply::page(&page(&ctx, overview, &standing, None)))
}

/// The page again, with what was wrong with the profile.
pub(super) async fn refused_profile(
    ctx: &Ctx<ChangeProfile>,
    errors: FormErrors,
    name: String,
    public_email: String,
) -> Result<Reply, Refusal> {
    let (overview, standing) = overview_of(ctx).await?;
    Ok(refused_form(&page(ctx, overview, &standing, Some((errors, name, public_email)))))
}

/// The page; `typed` is the profile as it was sent and refused.
fn page<A: Action>(ctx: &Ctx<A>, overview: Overview, standing: &Standing, typed: Option<(FormErrors, String, String)>) -> Account {
    let primary = overview.addresses.iter().find(|row| row.is_primary).map(|row| row.address.clone()).unwrap_or_default();
    let public = overview.addresses.iter().find(|row| row.is_public).map(|row| row.address.clone()).unwrap_or_default();
    let (errors, name, public_email) = typed.unwrap_or_else(|| (FormErrors::none(), overview.account.display_name.clone(), public));
    let choices = overview.addresses.iter().filter(|row| row.verified_at.is_some()).map(|row| row.address.clone()).collect();
    let mut surroundings = frame(ctx, None);
    surroundings.banners.extend(few_codes(overview.codes_left, standing.factor));
    Account {
        frame: surroundings,
        username: overview.account.username,
        name: overview.account.display_name,
        created: when(ctx.env(), overview.account.created_at),
        gates: gates::lines(standing, &primary, None),
        profile: Profile { csrf_token: ctx.frame().csrf_token, errors, name, public_email, choices },
        addresses: overview.addresses.into_iter().map(|row| addresses::line(ctx.env(), row, false)).collect(),
        factors: factor_lines(ctx, &overview.factors),
        phishable: standing.factor && !standing.key,
        codes_left: overview.codes_left,
        tokens: overview.tokens,
        projects: overview.projects,
        password: FormErrors::none(),
    }
}

/// The reminder that few recovery codes are left, or none: a take-back ends them, and the restore of a backup (R16, R18).
fn few_codes(left: Option<u32>, secured: bool) -> Option<Banner> {
    let text = match left {
        Some(left) if left > recovery::FEW => return None,
        Some(1) => "One recovery code is left.".to_owned(),
        Some(left) => format!("{left} recovery codes are left."),
        None if secured => "No recovery code of this account works any more.".to_owned(),
        None => return None,
    };
    let action = Leading::new("Make new recovery codes", "/manage/account/recovery-codes/regenerate");
    Some(Banner::new(Kind::Warning, text, Some(action)))
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
