//! Behind the links of notices: "this was not me", the alarm, and the way back into a stopped account (R13-R17).

use axum::http::StatusCode;
use credentials::secret::Secret;
use index::Refused;
use index::containment::alarm;
use index::containment::not_me;
use index::containment::take_back::finish::{self, Decision};
use index::containment::take_back::gained::Gained;
use index::containment::take_back::steps::{self, Shown};
use index::containment::take_back::{self, key};
use index::ids::LinkId;
use index::policy::{BeginTakeBack, Credential, NotMe, RaiseAlarm, ReadIndex, TakeBack};
use index::signin::mailbox::Typed;
use serde::Deserialize;

use super::{Token, dead_link, field_error, keys, link_dead, link_page, refused_form, when};
use crate::gate::{Ctx, SITE};
use crate::input::{Form, Input, Nothing};
use crate::pages::FormErrors;
use crate::pages::containing::{self as pages, Contained, Decide, TakeBackBegin, TakenBack, Thing, Told};
use crate::refusal::Refusal;
use crate::reply::{CookieName, Reply};

/// Where the way back is.
const TAKE_BACK: &str = "/account/take-back/";

/// The field that says which link it is; the gate has read it.
#[derive(Deserialize)]
pub struct Pressed {
    #[serde(rename = "token")]
    _token: String,
}

/// `GET /account/not-me/?token=`: says exactly what the button does, and changes nothing.
///
/// # Errors
/// The database.
pub async fn not_me_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Token>) -> Result<Reply, Refusal> {
    let found = match input.query.read() {
        Some(token) => ctx.view(SITE, move |read, _| Box::pin(async move { not_me::explained(read, &token).await })).await?,
        None => None,
    };
    let frame = ctx.frame();
    let reply = match found {
        Some(found) => Reply::page(&pages::NotMe {
            frame,
            token: input.query.token,
            username: found.username,
            what: found.what,
            at: when(ctx.env(), found.at),
            again: found.again,
        }),
        None => link_dead(frame, "stop an account", None),
    };
    Ok(link_page(reply, ctx.env()))
}

/// `POST /account/not-me/`: stops the account, in one request, signed in or not.
///
/// # Errors
/// `LinkDead`.
pub async fn not_me(ctx: Ctx<NotMe>, _: Form<Pressed>) -> Result<Reply, Refusal> {
    let env = ctx.env().clone();
    let done = ctx.act(SITE, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { not_me::contain(&env, tx, permit).await })
    });
    let done = done.await.map_err(dead_link)?;
    let page = Contained { frame: ctx.frame(), username: done.username, sessions_ended: done.sessions_ended, stopped: done.stopped };
    let reply = Reply::page(&page).with_cookie(CookieName::TakeBack, done.take_back.expose(), ctx.https());
    Ok(link_page(reply, ctx.env()))
}

/// `GET /account/alarm/?token=`: says exactly what the button does, and changes nothing.
///
/// # Errors
/// The database.
pub async fn alarm_page(ctx: Ctx<ReadIndex>, input: Input<Nothing, Token>) -> Result<Reply, Refusal> {
    let found = match input.query.read() {
        Some(token) => ctx.view(SITE, move |read, _| Box::pin(async move { alarm::explained(read, &token).await })).await?,
        None => None,
    };
    let frame = ctx.frame();
    let reply = match found {
        Some(found) => Reply::page(&pages::Alarm {
            frame,
            token: input.query.token,
            project: found.project,
            whose: found.whose,
            what: found.what,
            at: when(ctx.env(), found.at),
            again: found.again,
            pauses: found.pauses,
            withdraws: found.withdraws,
        }),
        None => link_dead(frame, "raise an alarm", None),
    };
    Ok(link_page(reply, ctx.env()))
}

/// `POST /account/alarm/`.
///
/// # Errors
/// `LinkDead`.
pub async fn alarm(ctx: Ctx<RaiseAlarm>, _: Form<Pressed>) -> Result<Reply, Refusal> {
    let env = ctx.env().clone();
    let raised = ctx.act(SITE, move |tx, permit| {
        let env = env.clone();
        Box::pin(async move { alarm::raise(&env, tx, permit).await })
    });
    let raised = raised.await.map_err(dead_link)?;
    let until = raised.until.map(|until| when(ctx.env(), until));
    let page = pages::AlarmRaised { frame: ctx.frame(), until, again: raised.again, withdrawn: raised.withdrawn };
    Ok(link_page(Reply::page(&page), ctx.env()))
}

/// `GET /account/take-back/`: how far this browser came, or the form to begin.
///
/// # Errors
/// The database.
pub async fn take_back_page(ctx: Ctx<ReadIndex>, _: Input) -> Result<Reply, Refusal> {
    if ctx.actor().credential == Credential::TakeBack {
        let (env, actor) = (ctx.env().clone(), ctx.actor().clone());
        let found = ctx.view(SITE, move |read, _| Box::pin(async move { take_back::progress(&env, read, &actor).await })).await?;
        if let Some(progress) = found {
            // A key is proved at the addresses of the take-back, for a deleted account too.
            if progress.undeletes {
                return Ok(Reply::see_other(super::deleting::UNDELETE));
            }
            return Ok(Reply::page(&progress_page(&ctx, progress, FormErrors::none(), &[])));
        }
    }
    Ok(Reply::page(&TakeBackBegin { frame: ctx.frame(), errors: FormErrors::none(), username: String::new() }))
}

/// The page; `typed` is the form that was refused: what was marked in it stays marked.
fn progress_page<A: index::policy::Action>(
    ctx: &Ctx<A>,
    progress: take_back::Progress,
    errors: FormErrors,
    typed: &[(String, String)],
) -> pages::TakeBack {
    let (expires, tries_left) = progress.code.unzip();
    pages::TakeBack {
        frame: ctx.frame(),
        errors,
        username: progress.username,
        code_expires: expires.map(|at| when(ctx.env(), at)),
        tries_left: tries_left.unwrap_or(0),
        mailbox: progress.mailbox,
        factor: progress.factor,
        factor_first: progress.factor_first,
        totp: progress.totp,
        key: progress.key,
        due: progress.due.map(|at| when(ctx.env(), at)),
        decide: progress.decide.map(|gained| decide(ctx, gained, typed)),
        frozen: progress.frozen,
    }
}

fn decide<A: index::policy::Action>(ctx: &Ctx<A>, gained: Gained, typed: &[(String, String)]) -> Decide {
    let marked = |name: &str, id: &str| typed.iter().any(|(field, value)| field == name && value == id);
    let thing = |thing: take_back::gained::Thing| {
        let id = thing.id.to_string();
        Thing { marked: marked("keep", &id), id, what: thing.what, from: when(ctx.env(), thing.from_at) }
    };
    let told = |(id, email): (uuid::Uuid, String)| {
        let id = id.to_string();
        Told { marked: marked("without_links", &id), id, email }
    };
    Decide { things: gained.things.into_iter().map(thing).collect(), told: gained.told.into_iter().map(told).collect() }
}

/// The field of `/account/take-back/begin/`.
#[derive(Deserialize)]
pub struct Begin {
    username: String,
}

/// `POST /account/take-back/begin/`: the same answer for every name.
///
/// # Errors
/// `Limited`, by the name or the network: known or not.
pub async fn begin(ctx: Ctx<BeginTakeBack>, input: Form<Begin>) -> Result<Reply, Refusal> {
    let username = input.form.username;
    if username.trim().is_empty() {
        let errors = FormErrors::one("username", "Type the user name of the account.");
        return Ok(refused_form(&TakeBackBegin { frame: ctx.frame(), errors, username }));
    }
    let token = take_back::begin_by_name(ctx.env(), ctx.actor(), &username).await?;
    Ok(Reply::see_other(TAKE_BACK).with_cookie(CookieName::TakeBack, token.expose(), ctx.https()))
}

/// The form of a step, as it was sent: `keep` and `without_links` stand in it several times.
type Fields = Vec<(String, String)>;

/// `POST /account/take-back/`: the step that the fields are for. Without any, codes are mailed.
///
/// # Errors
/// `Limited`; what is wrong is shown on the page; a take-back that is over leads to its beginning.
pub async fn step(ctx: Ctx<TakeBack>, input: Form<Fields>) -> Result<Reply, Refusal> {
    let fields = input.form;
    let value = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    let done = if let Some(code) = value("mailbox_code") {
        mailbox(&ctx, code).await
    } else if let Some(code) = value("totp_value") {
        totp(&ctx, code).await
    } else if value("confirm").is_some() {
        return confirm(&ctx, &fields).await;
    } else if value("wait").is_some() {
        steps::wait(ctx.env(), ctx.actor()).await.map(|()| None)
    } else {
        steps::ask(ctx.env(), ctx.actor()).await.map(|()| None)
    };
    match done {
        Ok(None) => Ok(Reply::see_other(TAKE_BACK)),
        Ok(Some(errors)) => again(&ctx, errors, &[]).await,
        Err(refused) => over(&ctx, refused, &[]).await,
    }
}

async fn mailbox(ctx: &Ctx<TakeBack>, code: String) -> Result<Option<FormErrors>, Refused> {
    let wrong = |message: &str| Some(FormErrors::one("mailbox_code", message));
    Ok(match steps::prove_mailbox(ctx.env(), ctx.actor(), Secret::new(code)).await? {
        Typed::Right => None,
        Typed::Wrong => wrong("This code is wrong. Type the six digits of the newest mail."),
        Typed::NoneOpen => Some(FormErrors::one("", "No code is open: it expired, or was entered too often. Ask for new ones.")),
    })
}

async fn totp(ctx: &Ctx<TakeBack>, code: String) -> Result<Option<FormErrors>, Refused> {
    let message = "This code is wrong, was used already, or is not of a factor that the account has had long enough.";
    Ok(match steps::prove_totp(ctx.env(), ctx.actor(), Secret::new(code)).await? {
        Shown::Right => None,
        Shown::Wrong => Some(FormErrors::one("totp_value", message)),
    })
}

async fn confirm(ctx: &Ctx<TakeBack>, fields: &Fields) -> Result<Reply, Refusal> {
    let ids = |name: &str| {
        let of = fields.iter().filter(|(field, _)| field == name);
        of.filter_map(|(_, value)| LinkId::parse(value)).map(|id| id.0).collect()
    };
    let secret = |name: &str| Secret::new(fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str()));
    let decision = Decision {
        keep: ids("keep"),
        quiet: ids("without_links"),
        new_password: secret("new_password"),
        password_confirm: secret("password_confirm"),
    };
    match finish::finish(ctx.env(), ctx.actor(), decision).await {
        Ok(done) => {
            let reply = Reply::page(&TakenBack { frame: ctx.frame(), username: done.username, frozen: done.frozen });
            let reply = reply.without_cookie(CookieName::TakeBack, ctx.https()).without_cookie(CookieName::Session, ctx.https());
            Ok(reply.without_cookie(CookieName::Attempt, ctx.https()))
        }
        Err(refused) => over(ctx, refused, fields).await,
    }
}

/// `GET /account/take-back/options`: the challenge for the keys that count.
///
/// # Errors
/// A take-back that is over.
pub async fn options(ctx: Ctx<TakeBack>, _: Input) -> Result<Reply, Refusal> {
    match key::options(ctx.env(), ctx.actor(), ctx.browser()).await {
        Ok(options) => Ok(Reply::json(StatusCode::OK, &options)),
        Err(refused) => keys::failed_input(refused),
    }
}

/// The field of `/account/take-back/validate`.
#[derive(Deserialize)]
pub struct Used {
    credential: String,
}

/// `POST /account/take-back/validate`.
///
/// # Errors
/// A take-back that is over.
pub async fn validate(ctx: Ctx<TakeBack>, input: Form<Used>) -> Result<Reply, Refusal> {
    match key::answer(ctx.env(), ctx.actor(), ctx.browser(), &input.form.credential).await? {
        Ok(()) => Ok(Reply::see_other(TAKE_BACK).told_to_script("Your key is proved.")),
        Err(why) => Ok(keys::failed(&why)),
    }
}

/// What is wrong with a field stands beside it; a take-back that is over begins again.
async fn over(ctx: &Ctx<TakeBack>, refused: Refused, typed: &[(String, String)]) -> Result<Reply, Refusal> {
    if matches!(refused, Refused::Denied(index::policy::Denied::NotValid)) {
        return Ok(Reply::see_other(TAKE_BACK));
    }
    again(ctx, field_error(refused)?, typed).await
}

async fn again(ctx: &Ctx<TakeBack>, errors: FormErrors, typed: &[(String, String)]) -> Result<Reply, Refusal> {
    let (env, actor) = (ctx.env().clone(), ctx.actor().clone());
    let found = ctx.view(SITE, move |read, _| Box::pin(async move { take_back::progress(&env, read, &actor).await })).await?;
    Ok(match found {
        Some(progress) => refused_form(&progress_page(ctx, progress, errors, typed)),
        None => Reply::see_other(TAKE_BACK),
    })
}
