//! The gates (P3): each page meets one of them and leads on to where the person wanted to go.

use credentials::secret::Secret;
use index::accounts::show;
use index::ids::ActId;
use index::policy::{AddFactor, AddFirstFactor, Denied, Gate, MakeRecoveryCodes, ProveMailbox, ProveRecoveryCodes, SeeAccount, Standing};
use index::signin::factor::{self, Enrolled, Pending};
use index::signin::mailbox::{self, Typed};
use index::signin::recovery::{self, EnteredBack, Made};
use index::{Refused, accounts};
use serde::Deserialize;

use super::{HOME, Next, holds, next, refused_form, when};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::account::VerifyMailbox;
use crate::pages::manage::{Gate as Line, GateState, GateStep, RecoveryCodesBurn, RecoveryCodesGenerate, TotpProvision, UnverifiedAccount};
use crate::pages::{Action, Banner, FormErrors, Frame, qr};
use crate::refusal::{Refusal, gate_page};
use crate::reply::{CookieName, Reply};

/// The first gate that an account has not met, on the way to a secured account.
#[must_use]
pub fn first_missing(standing: &Standing) -> Option<Gate> {
    if !standing.verified {
        return Some(Gate::VerifiedAddress);
    }
    if standing.factor {
        return (standing.administrator && !standing.key).then_some(Gate::Key);
    }
    let steps = [
        (Gate::MailboxProof, standing.mailbox_fresh),
        (Gate::RecoveryCodes, standing.codes),
        (Gate::RecoveryCodesProved, standing.codes_proved),
    ];
    Some(steps.into_iter().find(|(_, met)| !met).map_or(Gate::Factor, |(gate, _)| gate))
}

/// What is missing, and what the button says.
const fn words(gate: Gate) -> (&'static str, &'static str) {
    match gate {
        Gate::VerifiedAddress => ("Your address is not verified yet.", "Verify your address"),
        Gate::MailboxProof => ("A second factor is missing; before it, prove that you read your mail.", "Prove your mailbox"),
        Gate::RecoveryCodes => ("A second factor is missing; before it, save recovery codes.", "Make recovery codes"),
        Gate::RecoveryCodesProved => ("A second factor is missing; before it, enter one recovery code back.", "Enter a recovery code"),
        Gate::Factor => ("A second factor is missing.", "Add an authenticator app"),
        Gate::Key => ("Administrators need a security key or passkey.", "Add a security key"),
    }
}

/// The red banner of what is missing, with the way to the page that fixes it and back.
#[must_use]
pub fn banner(standing: &Standing, next: Option<&str>) -> Option<Banner> {
    let gate = first_missing(standing)?;
    let (missing, label) = words(gate);
    Some(Banner::gate(missing, Action::new(label, next::carried(gate_page(gate), next))))
}

/// The frame of a page, with the banner of what is missing.
pub fn frame<A: index::policy::Action>(ctx: &Ctx<A>, next: Option<&str>) -> Frame {
    let mut frame = ctx.frame();
    frame.banners.extend(ctx.viewer().and_then(|viewer| banner(&viewer.standing, next)));
    frame
}

/// Where to go when a step is done: where the person wanted to go (which leads to the next step), else to the next step itself.
fn onwards(standing: &Standing, next: Option<&str>) -> String {
    match (first_missing(standing), next) {
        (Some(gate), next) => next::carried(gate_page(gate), next),
        (None, next) => next.unwrap_or(HOME).to_owned(),
    }
}

/// The gates as lines of a list.
#[must_use]
pub fn lines(standing: &Standing, primary: &str, next: Option<&str>) -> Vec<Line> {
    let missing = first_missing(standing);
    let at = |gates: &[Gate]| match missing {
        None => GateState::Done,
        Some(gate) if gates.contains(&gate) => GateState::Now,
        Some(gate) if gates.iter().all(|g| order(*g) < order(gate)) => GateState::Done,
        Some(_) => GateState::Later,
    };
    let go = |gate: Gate| GateStep::Go(Action::new(words(gate).1, next::carried(gate_page(gate), next)));
    let codes = if missing == Some(Gate::RecoveryCodesProved) { Gate::RecoveryCodesProved } else { Gate::RecoveryCodes };
    let line = |title: &str, explanation: &str, state, step| Line { title: title.into(), explanation: explanation.into(), state, step };
    let mut lines = vec![
        line(
            "Verify your address",
            "Open the link in the mail that we sent you, and press the button there.",
            at(&[Gate::VerifiedAddress]),
            GateStep::Mail(primary.to_owned()),
        ),
        line(
            "Prove your mailbox",
            "Type the six digits that we mail you, here in this browser.",
            at(&[Gate::MailboxProof]),
            go(Gate::MailboxProof),
        ),
        line(
            "Save recovery codes",
            "They let you in when your phone is lost. Enter one back to prove that you saved them.",
            at(&[Gate::RecoveryCodes, Gate::RecoveryCodesProved]),
            go(codes),
        ),
        line(
            "Add a second factor",
            "An authenticator app, or a security key or passkey, so that a stolen password alone opens nothing.",
            at(&[Gate::Factor]),
            go(Gate::Factor),
        ),
    ];
    if standing.administrator {
        let why = "Whoever administers the index proves it with a key that no imitated page can use.";
        lines.push(line("Add a security key or passkey", why, at(&[Gate::Key]), go(Gate::Key)));
    }
    lines
}

const fn order(gate: Gate) -> u8 {
    match gate {
        Gate::VerifiedAddress => 0,
        Gate::MailboxProof => 1,
        Gate::RecoveryCodes => 2,
        Gate::RecoveryCodesProved => 3,
        Gate::Factor => 4,
        Gate::Key => 5,
    }
}

/// `GET /manage/unverified-account/`: the steps to a secured account.
///
/// # Errors
/// The database.
pub async fn unverified_account(ctx: Ctx<SeeAccount>, input: Input<Nothing, Next>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    let (standing, primary) = ctx
        .view(ctx.account()?, |read, permit| {
            Box::pin(async move {
                let primary = accounts::addresses::of_account(read, *permit.on()).await?.into_iter().find(|row| row.is_primary);
                Ok((*permit.standing(), primary.map(|row| row.address).unwrap_or_default()))
            })
        })
        .await?;
    if first_missing(&standing).is_none() {
        return Ok(Reply::see_other(next.as_deref().unwrap_or(HOME)));
    }
    let gates = lines(&standing, &primary, next.as_deref());
    Ok(Reply::page(&UnverifiedAccount { frame: frame(&ctx, next.as_deref()), gates, next }))
}

/// `GET /account/verify-mailbox/`.
///
/// # Errors
/// A gate before it.
pub async fn verify_mailbox_page(ctx: Ctx<ProveMailbox>, input: Input<Nothing, Next>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    show_mailbox(&ctx, next, FormErrors::none()).await
}

async fn show_mailbox(ctx: &Ctx<ProveMailbox>, next: Option<String>, errors: FormErrors) -> Result<Reply, Refusal> {
    let asked = ctx.view(ctx.account()?, |read, permit| Box::pin(mailbox::asked(read, permit))).await?;
    let refused = !errors.is_empty();
    let page = VerifyMailbox {
        frame: frame(ctx, next.as_deref()),
        errors,
        email: asked.address,
        code_expires: asked.open.map(|(at, _)| when(ctx.env(), at)),
        tries_left: asked.open.map_or(0, |(_, tries)| tries),
        next,
    };
    Ok(if refused { refused_form(&page) } else { Reply::page(&page) })
}

/// The fields of `/account/verify-mailbox/`: without a code it asks for one.
#[derive(Deserialize)]
pub struct MailboxCode {
    mailbox_code: Option<Secret>,
    next: Option<String>,
}

/// `POST /account/verify-mailbox/`.
///
/// # Errors
/// `Limited`; a gate before it.
pub async fn verify_mailbox(ctx: Ctx<ProveMailbox>, input: Form<MailboxCode>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.form.next.as_deref());
    let account = ctx.account()?;
    let Some(code) = input.form.mailbox_code else {
        mailbox::ask(ctx.env(), ctx.actor(), account).await?;
        return Ok(Reply::see_other(&next::carried("/account/verify-mailbox/", next.as_deref())));
    };
    let (typed, renewed) = mailbox::prove(ctx.env(), ctx.actor(), account, code).await?;
    match typed {
        Typed::Right => {
            let standing = ctx.viewer().map(|viewer| Standing { mailbox_fresh: true, ..viewer.standing });
            let standing = standing.ok_or(Refusal::SignIn)?;
            // An account that has its factor came here for one act: it goes back to it.
            let to = if standing.factor { next.unwrap_or_else(|| HOME.to_owned()) } else { onwards(&standing, next.as_deref()) };
            let reply = Reply::see_other(&to);
            Ok(match renewed {
                Some(token) => reply.with_cookie(CookieName::Session, token.expose(), ctx.https()),
                None => reply,
            })
        }
        Typed::Wrong => show_mailbox(&ctx, next, FormErrors::one("mailbox_code", "This is not the code of the newest mail.")).await,
        Typed::NoneOpen => {
            let message = "No code works in this browser now: it expired, was used, or was typed wrongly too often. Have a new one sent.";
            show_mailbox(&ctx, next, FormErrors::one("", message)).await
        }
    }
}

/// What leads to the page of recovery codes: where to go afterwards, and the proof of the act.
#[derive(Deserialize)]
pub struct Codes {
    next: Option<String>,
    act: Option<String>,
}

/// `GET /manage/account/recovery-codes/generate`.
///
/// # Errors
/// A gate before it.
pub async fn generate_page(ctx: Ctx<MakeRecoveryCodes>, input: Input<Nothing, Codes>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    let left = ctx.view(ctx.account()?, |read, permit| Box::pin(async move { show::codes_left(read, *permit.on()).await })).await?;
    let frame = frame(&ctx, next.as_deref());
    Ok(Reply::page(&codes_page(&ctx, frame, Vec::new(), (left.unwrap_or(0), input.query.act, next))))
}

fn codes_page(
    ctx: &Ctx<MakeRecoveryCodes>,
    frame: Frame,
    codes: Vec<String>,
    form: (u32, Option<String>, Option<String>),
) -> RecoveryCodesGenerate {
    let username = ctx.viewer().map(|viewer| viewer.username.clone()).unwrap_or_default();
    let (replaces, act, next) = form;
    RecoveryCodesGenerate { frame, username, codes, replaces, act, next }
}

/// `POST /manage/account/recovery-codes/generate`: the only page that shows the codes.
///
/// # Errors
/// A gate before it; a proof for this act where the account has a factor (R2).
pub async fn generate(ctx: Ctx<MakeRecoveryCodes>, input: Form<Codes>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.form.next.as_deref());
    let act = input.form.act.as_deref().and_then(ActId::parse);
    match recovery::generate(ctx.env(), ctx.actor(), ctx.account()?, act).await {
        Ok(Made::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Ok(Made::Now(codes)) => {
            let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
            Ok(Reply::page(&codes_page(&ctx, ctx.frame(), codes, (0, None, next))))
        }
        Err(Refused::Denied(Denied::NeedsProof)) => {
            Err(ctx.ask_proof(serde_json::Value::Null, &format!("{}.", recovery::DESCRIPTION)).await)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// `GET /manage/account/recovery-codes/burn`.
///
/// # Errors
/// A gate before it.
pub async fn burn_page(ctx: Ctx<ProveRecoveryCodes>, input: Input<Nothing, Next>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    ctx.may(ctx.account()?).await?;
    Ok(Reply::page(&RecoveryCodesBurn { frame: frame(&ctx, next.as_deref()), errors: FormErrors::none(), next }))
}

/// The fields of `/manage/account/recovery-codes/burn`.
#[derive(Deserialize)]
pub struct Burned {
    recovery_code_value: Secret,
    next: Option<String>,
}

/// `POST /manage/account/recovery-codes/burn`.
///
/// # Errors
/// `Limited`; a gate before it.
pub async fn burn(ctx: Ctx<ProveRecoveryCodes>, input: Form<Burned>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.form.next.as_deref());
    match recovery::enter_back(ctx.env(), ctx.actor(), ctx.account()?, input.form.recovery_code_value).await? {
        EnteredBack::Right => {
            let standing = ctx.viewer().map(|viewer| Standing { codes_proved: true, ..viewer.standing }).ok_or(Refusal::SignIn)?;
            Ok(Reply::see_other(&onwards(&standing, next.as_deref())))
        }
        EnteredBack::Wrong => {
            let errors = FormErrors::one("recovery_code_value", "This is none of your newest codes, or it was used already.");
            Ok(refused_form(&RecoveryCodesBurn { frame: frame(&ctx, next.as_deref()), errors, next }))
        }
    }
}

/// What leads to the page of a new app: where to go afterwards, and the proof of the act.
#[derive(Deserialize)]
pub struct NewApp {
    next: Option<String>,
    act: Option<String>,
}

/// `GET /manage/account/totp-provision`.
///
/// # Errors
/// A gate before it; an account that has an app.
pub async fn totp_page(ctx: Ctx<AddFirstFactor>, input: Input<Nothing, NewApp>) -> Result<Reply, Refusal> {
    let next = next::checked(&ctx, input.query.next.as_deref());
    show_totp(&ctx, next, input.query.act, FormErrors::none()).await
}

async fn show_totp(ctx: &Ctx<AddFirstFactor>, next: Option<String>, act: Option<String>, errors: FormErrors) -> Result<Reply, Refusal> {
    let pending: Pending = factor::pending(ctx.env(), ctx.actor(), ctx.account()?).await?;
    let username = ctx.viewer().map(|viewer| viewer.username.as_str()).unwrap_or_default();
    let otpauth = pending.otpauth(ctx.env(), username).expose().to_owned();
    let refused = !errors.is_empty();
    let page = TotpProvision {
        frame: frame(ctx, next.as_deref()),
        errors,
        qr_svg: qr::svg(&otpauth).unwrap_or_default(),
        secret: pending.base32().expose().to_owned(),
        otpauth,
        key: ctx.viewer().is_some_and(|viewer| viewer.standing.key),
        act,
        next,
    };
    Ok(if refused { refused_form(&page) } else { Reply::page(&page) })
}

/// The fields of `/manage/account/totp-provision`.
#[derive(Deserialize)]
pub struct Totp {
    totp_value: Secret,
    next: Option<String>,
    act: Option<String>,
}

/// `POST /manage/account/totp-provision`: the last gate, then the person is where they wanted to be; or a further factor.
///
/// # Errors
/// `Limited`; a gate before it; a proof for this act where the account holds a factor (R2).
pub async fn totp(ctx: Ctx<AddFirstFactor>, input: Form<Totp>) -> Result<Reply, Refusal> {
    let Totp { totp_value, next, act } = input.form;
    let next = next::checked(&ctx, next.as_deref());
    let spent = act.as_deref().and_then(ActId::parse);
    let wrong = match factor::enrol(ctx.env(), ctx.actor(), ctx.account()?, totp_value, spent).await {
        Ok(Enrolled::Added(token)) => {
            let reply = Reply::see_other(next.as_deref().unwrap_or(HOME));
            return Ok(reply.with_cookie(CookieName::Session, token.expose(), ctx.https()));
        }
        Ok(Enrolled::Held(_)) => return Ok(Reply::see_other(holds::PAGE)),
        Ok(Enrolled::Wrong) => "This is not the code that the app shows for this secret.".to_owned(),
        Ok(Enrolled::Drifted(steps)) => factor::drift_words(steps),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let (parameters, description) = factor::to_prove();
            return Err(ctx.ask_proof_for::<AddFactor>(parameters, description).await);
        }
        Err(refused) => return Err(refused.into()),
    };
    show_totp(&ctx, next, act, FormErrors::one("totp_value", wrong)).await
}
