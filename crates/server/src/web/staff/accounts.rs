//! Accounts: the list, one of them, freeze and thaw.

use index::Env;
use index::accounts::show::{Factor as Known, Overview};
use index::policy::{Action, FreezeAsStaff, SeeAsStaff, State, ThawAsStaff};
use index::resources::StaffAccount;
use index::staff::account_named;
use index::staff::accounts::{self as verbs, Detail, word};
use index::staff::timeline::Of;

use super::super::when;
use super::{Around, Asked, Asks, Named, Order, Shown, answered, give_back, look, pressing, states, stop, stop_line};
use crate::gate::{Ctx, SITE};
use crate::input::{Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::parts::grouped;
use crate::pages::staff::{Account, AccountLine, Accounts, Factor, Tag};
use crate::refusal::Refusal;
use crate::reply::Reply;

fn tag(state: State) -> Tag {
    let class = match state {
        State::Active => "success",
        State::Frozen | State::Contained => "danger",
        State::Deleted => "warning",
        State::Absent => "",
    };
    Tag { word: word(state).to_owned(), class }
}

/// `GET /admin/accounts/`.
///
/// # Errors
/// The database.
pub async fn list(ctx: Ctx<SeeAsStaff>, input: Input<Nothing, Asked>) -> Result<Reply, Refusal> {
    let shown = verbs::Shown::from_wire(input.query.state.as_deref().unwrap_or_default());
    let (q, after) = (input.query.q.clone(), input.query.after);
    let page = ctx.view(SITE, move |read, permit| Box::pin(async move { verbs::list(read, permit, shown, (&q, &after)).await }));
    let page = page.await?;
    let line = |line: verbs::Line| AccountLine {
        state: tag(line.standing.state),
        staff: line.standing.administrator,
        factor: match (line.standing.key, line.standing.factor) {
            (true, _) => "a key",
            (false, true) => "an app",
            (false, false) => "none",
        },
        verified: line.standing.verified,
        created: when(ctx.env(), line.created_at),
        last_login: line.last_login_at.map(|at| when(ctx.env(), at)),
        username: line.username,
    };
    Ok(Reply::page(&Accounts {
        frame: ctx.frame(),
        q: input.query.q.trim().to_owned(),
        states: states(verbs::Shown::ALL.map(verbs::Shown::wire), shown.wire()),
        state: shown.wire().to_owned(),
        total: grouped(page.total),
        lines: page.lines.into_iter().map(line).collect(),
        next_page: page.next,
    }))
}

/// `GET /admin/accounts/{name}/`.
///
/// # Errors
/// An account that is not there is not found.
pub async fn detail(ctx: Ctx<SeeAsStaff>, input: Input<Named, Shown>) -> Result<Reply, Refusal> {
    Ok(Reply::page(&page(&ctx, &input.path.name, &input.query, (FormErrors::none(), Order::default())).await?))
}

/// The page, as any act on the account may show it again with what was refused.
async fn page<A: Action>(ctx: &Ctx<A>, name: &str, shown: &Shown, (errors, order): (FormErrors, Order)) -> Result<Account, Refusal> {
    let (env, typed, before) = (ctx.env().clone(), name.to_owned(), shown.before);
    let read = look(ctx, move |read, permit| {
        Box::pin(async move {
            let (id, detail) = verbs::detail(read, permit, &typed).await?;
            Ok((detail, Around::read(&env, read, permit, (Of::Account(id), before)).await?))
        })
    });
    let (detail, around) = read.await?;
    let env = ctx.env();
    let username = detail.overview.account.username.clone();
    let place = |does: &str| (does == "thaw").then(|| (format!("/admin/accounts/{username}/thaw/"), "Thaw the account"));
    let pressing = pressing(ctx, shown, place).await?;
    let Detail { overview, standing, stops, roles, own } = detail;
    let (cases, order, events, next_page) = around.shown(env, &order);
    Ok(Account {
        frame: ctx.frame(),
        errors,
        state: tag(standing.state),
        staff: standing.administrator,
        own,
        created: when(env, overview.account.created_at),
        last_login: overview.account.last_login_at.map(|at| when(env, at)),
        addresses: addresses(&overview),
        factors: overview.factors.iter().map(|factor| factor_line(env, factor)).collect(),
        tokens: overview.tokens,
        roles: roles.into_iter().map(|held| (held.project, held.role)).collect(),
        stops: stops.into_iter().map(|stop| stop_line(env, stop)).collect(),
        cases,
        order,
        pressing,
        events,
        next_page,
        username,
    })
}

fn addresses(overview: &Overview) -> Vec<(String, &'static str)> {
    let said = |primary: bool, verified: bool| match (primary, verified) {
        (true, true) => "primary, verified",
        (true, false) => "primary, not verified",
        (false, true) => "verified",
        (false, false) => "not verified",
    };
    overview.addresses.iter().map(|row| (row.address.clone(), said(row.is_primary, row.verified_at.is_some()))).collect()
}

fn factor_line(env: &Env, factor: &Known) -> Factor {
    let kind = if factor.kind == "totp" { "Authenticator app" } else { "Security key or passkey" };
    Factor { kind, label: factor.label.clone(), added: when(env, factor.added) }
}

/// `POST /admin/accounts/{name}/freeze/`: always possible, in one request (R19).
///
/// # Errors
/// One's own account; a reason that is missing.
pub async fn freeze(ctx: Ctx<FreezeAsStaff>, input: Input<Named, Nothing, Order>) -> Result<Reply, Refusal> {
    let (name, order) = (input.path.name, input.form);
    let account = StaffAccount(account_named(ctx.env(), ctx.actor(), &name).await?);
    let done = stop(&ctx, account, &order, |env, tx, permit, reason, case| Box::pin(verbs::freeze(env, tx, permit, reason, case)));
    let (done, ctx, name) = (done.await, &ctx, &name);
    answered(done, |errors| async move { page(ctx, name, &Shown::default(), (errors, order)).await }).await
}

/// `POST /admin/accounts/{name}/thaw/`: proved by a key for this one act (R20).
///
/// # Errors
/// One's own account; nothing that an administrator could end.
pub async fn thaw(ctx: Ctx<ThawAsStaff>, input: Input<Named, Nothing, Order>) -> Result<Reply, Refusal> {
    let (name, order) = (input.path.name, input.form);
    let account = StaffAccount(account_named(ctx.env(), ctx.actor(), &name).await?);
    let asks = Asks { does: "thaw", says: format!("Thaw the account {name}") };
    let done = give_back(&ctx, account, (&order, asks), |env, tx, permit, order| {
        Box::pin(async move { Ok(verbs::thaw(env, tx, permit, order.which()?, &order.reason).await?.case) })
    });
    let (done, ctx, name) = (done.await, &ctx, &name);
    answered(done, |errors| async move { page(ctx, name, &Shown::default(), (errors, order)).await }).await
}
