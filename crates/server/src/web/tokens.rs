//! `/manage/account/token/`: one's API tokens, a new one, and the end of one. A new one needs a proof for this one act (R2).

use axum::http::StatusCode;
use index::clock::Time;
use index::ids::{AccountId, ActId, TokenId};
use index::policy::{Action, ConfirmToken, Denied, MintToken, RevokeToken, SeeTokens};
use index::signin::acts;
use index::tokens::{self, Asked, Asking, Line, Minted, NewToken, Scope, paused};
use index::{Invalid, Refused};
use serde::{Deserialize, Serialize};

use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::manage::{LastUsed, ScopeChoice, TokenLine, TokenScope, TokenShown, Tokens};
use crate::pages::{FormErrors, When};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::web::holds;

/// Where the page of tokens is.
const PAGE: &str = "/manage/account/token/";

/// The proof that was made for a new token, if the person comes back from making it.
#[derive(Debug, Deserialize)]
pub struct Back {
    act: Option<String>,
}

/// What was typed, as it is bound to the proof and shown again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Typed {
    #[serde(default)]
    description: String,
    #[serde(default)]
    token_scope: String,
    #[serde(default)]
    expires_in_days: String,
    /// The paused token that was to be confirmed instead.
    #[serde(default, skip_serializing)]
    confirm: Option<String>,
}

/// The form of a new token.
#[derive(Debug, Deserialize)]
pub struct Mint {
    #[serde(flatten)]
    typed: Typed,
    #[serde(default)]
    token_actions: String,
    act: Option<String>,
}

/// The form that ends a token.
#[derive(Debug, Deserialize)]
pub struct Delete {
    #[serde(default)]
    token_id: String,
}

/// GET `/manage/account/token/`.
pub async fn list(ctx: Ctx<SeeTokens>, input: Input<Nothing, Back>) -> Result<Reply, Refusal> {
    let act = input.query.act.as_deref().and_then(ActId::parse);
    let (actor, account) = (ctx.actor().clone(), ctx.account()?);
    let typed = match act {
        Some(act) => {
            let asked = ctx.view(account, move |read, _| Box::pin(async move { acts::parameters(read, &actor, act).await })).await?;
            asked.and_then(|json| serde_json::from_value::<Typed>(json).ok())
        }
        None => None,
    };
    let act = act.filter(|_| typed.is_some());
    let confirming = act.zip(typed.as_ref().and_then(|typed| typed.confirm.clone()));
    let act = act.filter(|_| confirming.is_none());
    let mut page = page(&ctx, typed.unwrap_or_default(), FormErrors::none(), act).await?;
    page.confirming = confirming.map(|(act, token)| (token, act.to_string()));
    Ok(Reply::page(&page))
}

/// The form that confirms a paused token.
#[derive(Debug, Deserialize)]
pub struct Confirm {
    #[serde(default)]
    token_id: String,
    act: Option<String>,
}

/// POST `/manage/account/token/confirm/`: with a proof for this token alone (R2, R18).
pub async fn confirm(ctx: Ctx<ConfirmToken>, input: Form<Confirm>) -> Result<Reply, Refusal> {
    let token = TokenId::parse(&input.form.token_id).ok_or(Refusal::NotFound)?;
    let act = input.form.act.as_deref().and_then(ActId::parse);
    let env = ctx.env().clone();
    let done = ctx.act(token, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { paused::confirm(&env, tx, permit, act).await })
    });
    match done.await {
        Ok(()) => Ok(Reply::see_other(PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let account = ctx.account()?;
            let name = ctx.env().clone();
            let what = tokens::description(&name, account, token).await?;
            let says = format!("Confirm the paused API token “{what}”: it works again");
            Err(ctx.ask_proof_on(&token.to_string(), paused::parameters(token), &says).await)
        }
        Err(other) => Err(other.into()),
    }
}

/// POST `/manage/account/token/`: the answer to the second press, after the proof, shows the token once.
pub async fn mint(ctx: Ctx<MintToken>, input: Form<Mint>) -> Result<Reply, Refusal> {
    let Mint { typed, token_actions, act } = input.form;
    let act = act.as_deref().and_then(ActId::parse);
    let new = match read(&typed, &token_actions) {
        Ok(new) => new,
        Err(invalid) => return refused(&ctx, typed, &invalid, act).await,
    };
    let parameters = serde_json::json!(typed);
    match attempt(&ctx, new.clone(), act, parameters.clone()).await {
        Ok(Asked::Now(minted)) => Ok(Reply::page(&shown(&ctx, &new, &minted))),
        Ok(Asked::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(Refused::Invalid(invalid)) => refused(&ctx, typed, &invalid, act).await,
        Err(Refused::Denied(Denied::NeedsProof)) => Err(ctx.ask_proof(parameters, &describe(&new)).await),
        Err(other) => Err(other.into()),
    }
}

fn read(typed: &Typed, token_actions: &str) -> Result<NewToken, Invalid> {
    if !matches!(token_actions, "" | "upload") {
        return Err(Invalid::new("", "A token opens uploads and nothing else; leave `token_actions` out."));
    }
    NewToken::read(&typed.description, &typed.token_scope, &typed.expires_in_days)
}

async fn attempt(ctx: &Ctx<MintToken>, new: NewToken, act: Option<ActId>, parameters: serde_json::Value) -> Result<Asked, Refused> {
    let env = ctx.env().clone();
    let account = ctx.actor().account().ok_or(Denied::NotValid)?;
    ctx.act(account, move |tx, permit| {
        let (env, new) = (env.clone(), new.clone());
        let asking = Asking { act, parameters: parameters.clone(), description: describe(&new) };
        Box::pin(async move { tokens::ask(&env, tx, permit, &new, asking).await })
    })
    .await
}

/// What the page that asks for the proof says.
fn describe(new: &NewToken) -> String {
    let opens = match &new.scope {
        Scope::User => "that uploads to all your projects".to_owned(),
        Scope::Project(name) => format!("that uploads to the project {}", name.as_str()),
    };
    let ends = new.expires_in_days.map(|days| format!(" for {days} days")).unwrap_or_default();
    format!("Create the API token “{}” {opens}{ends}", new.description)
}

fn shown(ctx: &Ctx<MintToken>, new: &NewToken, minted: &Minted) -> TokenShown {
    let now = ctx.env().now();
    TokenShown {
        frame: ctx.frame(),
        public_url: ctx.env().config.link(""),
        token: minted.text.expose().to_owned(),
        description: new.description.clone(),
        scope: scope(minted.project.clone()),
        expires: minted.expires_at.map(|at| when(at, now)),
    }
}

async fn refused(ctx: &Ctx<MintToken>, typed: Typed, invalid: &Invalid, act: Option<ActId>) -> Result<Reply, Refusal> {
    let page = page(ctx, typed, FormErrors::one(invalid.field, &invalid.message), act).await?;
    Ok(Reply::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// The list and the form, as any action on the account may show it.
async fn page<A: Action<On = AccountId>>(ctx: &Ctx<A>, typed: Typed, errors: FormErrors, act: Option<ActId>) -> Result<Tokens, Refusal> {
    let env = ctx.env().clone();
    let found = ctx.view(ctx.account()?, move |read, permit| {
        Box::pin(async move { Ok((tokens::list(&env, read, permit).await?, tokens::scopes(read, permit).await?)) })
    });
    let (lines, names) = found.await?;
    let now = ctx.env().now();
    let whole = ScopeChoice { value: "scope:user".to_owned(), label: "All your projects, those to come included".to_owned() };
    let one = |name: String| ScopeChoice { value: format!("scope:project:{name}"), label: format!("Only {name}") };
    Ok(Tokens {
        frame: ctx.frame(),
        errors,
        tokens: lines.into_iter().map(|token| line(token, now)).collect(),
        scopes: std::iter::once(whole).chain(names.into_iter().map(one)).collect(),
        description: typed.description,
        token_scope: typed.token_scope,
        expires_in_days: typed.expires_in_days,
        act: act.map(|act| act.to_string()),
        confirming: None,
    })
}

fn line(token: Line, now: Time) -> TokenLine {
    TokenLine {
        id: token.id.to_string(),
        description: token.description,
        scope: scope(token.project),
        created: when(token.created_at, now),
        last_used: token.last_used_at.map(|at| LastUsed { when: when(at, now), network: token.last_network }),
        expires: token.expires_at.map(|at| when(at, now)),
        paused: token.paused,
    }
}

fn scope(project: Option<String>) -> TokenScope {
    project.map_or(TokenScope::Account, TokenScope::Project)
}

fn when(at: Time, now: Time) -> When {
    When { unix_us: at.as_micros(), now_us: now.as_micros() }
}

/// POST `/manage/account/token/delete/`: always possible (R19).
pub async fn delete(ctx: Ctx<RevokeToken>, input: Form<Delete>) -> Result<Reply, Refusal> {
    let token = TokenId::parse(&input.form.token_id).ok_or(Refusal::NotFound)?;
    let env = ctx.env().clone();
    ctx.act(token, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { tokens::revoke(&env, tx, permit).await })
    })
    .await?;
    Ok(Reply::see_other(PAGE))
}
