//! `/manage/project/{name}/collaboration/` and `/account/verify-project-role/`: who holds which role, and how that changes.

use axum::http::StatusCode;
use formats::name::ProjectName;
use index::act;
use index::clock::Time;
use index::ids::{AccountId, ActId, InvitationId, RoleId};
use index::policy::{
    AcceptInvitation, Action, DeclineInvitation, DemoteOwner, Denied, InviteCollaborator, PromoteMaintainer, RemoveMaintainer, RemoveOwner,
    RevokeInvitation, Role, SeeInvitation, SeeProject,
};
use index::projects::collaboration::{self, Accepted, Changed, Invited, Mine, Removed};
use index::projects::managing::{self, Collaborator, Suspended};
use index::resources::{Invitee, ManagedProject};
use index::signin::acts;
use index::{Env, Invalid, Refused};
use serde::Deserialize;

use super::managing::{Which, shell};
use super::{holds, when};
use crate::gate::Ctx;
use crate::input::{Form, Input, Nothing};
use crate::pages::projects::{Collaboration, InvitationLine, Person, Ready, VerifyProjectRole};
use crate::pages::{FormErrors, When};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Where one's own projects and invitations are.
const PROJECTS: &str = "/manage/projects/";

/// The proof with which somebody comes back.
#[derive(Debug, Default, Deserialize)]
pub struct Back {
    act: Option<String>,
}

fn act_of(text: Option<&str>) -> Option<ActId> {
    text.and_then(ActId::parse)
}

fn page_of(name: &ProjectName) -> String {
    format!("/manage/project/{}/collaboration/", name.normalized().as_str())
}

/// What was typed into the form of an invitation.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    #[serde(default)]
    username: String,
    #[serde(default)]
    role_name: String,
}

/// GET `/manage/project/{name}/collaboration/`.
///
/// # Errors
/// A project on which the account holds no role is not found.
pub async fn page(ctx: Ctx<SeeProject>, input: Input<Which, Back>) -> Result<Reply, Refusal> {
    let act = act_of(input.query.act.as_deref());
    Ok(Reply::page(&show(&ctx, input.path.read()?, Typed::default(), (FormErrors::none(), act)).await?))
}

/// What the page shows besides what every page of the project shows.
struct Found {
    overview: managing::Overview,
    invitations: Vec<collaboration::Invitation>,
    asked: Option<(String, serde_json::Value)>,
}

async fn find<A: Action>(ctx: &Ctx<A>, on: ManagedProject, act: Option<ActId>) -> Result<Found, Refusal> {
    let actor = ctx.actor().clone();
    let found = act::view::<SeeProject, _, _>(ctx.env(), ctx.actor(), on, move |read, permit| {
        Box::pin(async move {
            let overview = managing::overview(read, permit).await?;
            let invitations = collaboration::pending(read, overview.id).await?;
            let asked = match act {
                Some(act) => acts::description(read, &actor, act).await?.zip(acts::parameters(read, &actor, act).await?),
                None => None,
            };
            Ok(Found { overview, invitations, asked })
        })
    });
    Ok(found.await?)
}

async fn show<A: Action>(
    ctx: &Ctx<A>,
    on: ManagedProject,
    typed: Typed,
    (errors, act): (FormErrors, Option<ActId>),
) -> Result<Collaboration, Refusal> {
    let found = find(ctx, on, act).await?;
    let overview = &found.overview;
    let own = overview.own.as_ref();
    let is_owner = own.is_some_and(|own| own.role == Role::Owner && own.suspended.is_none());
    let viewer = ctx.account()?;
    let invited = |line: collaboration::Invitation| InvitationLine {
        account: line.account.to_string(),
        username: line.username,
        role: line.role,
        inviter: line.inviter,
        since: when(ctx.env(), line.from_at),
        until: when(ctx.env(), line.expires_at),
        expired: line.expires_at <= ctx.env().now(),
    };
    let ready = found.asked.and_then(|(sentence, parameters)| ready(sentence, &parameters));
    let field =
        |name: &str| ready.as_ref().and_then(|ready| ready.fields.iter().find(|field| field.0 == name)).map(|field| field.1.clone());
    let (username, role_name) = match ready.as_ref().filter(|ready| ready.path.is_empty()) {
        Some(_) => (field("username").unwrap_or_default(), field("role_name").unwrap_or_default()),
        None => (typed.username, typed.role_name),
    };
    Ok(Collaboration {
        frame: ctx.frame(),
        errors,
        shell: shell(ctx, overview),
        is_owner,
        people: overview.collaborators.iter().map(|one| person(ctx.env(), one, (viewer, is_owner))).collect(),
        invitations: found.invitations.into_iter().map(invited).collect(),
        wait: lasting(ctx.env()),
        username,
        role_name,
        act: act.filter(|_| ready.is_some()).map(|act| act.to_string()),
        ready,
    })
}

/// How long a change of an Owner waits, in words.
fn lasting(env: &Env) -> String {
    let hours = env.config.hold_loosening.0.as_secs() / 3600;
    if hours.is_multiple_of(24) && hours > 24 { format!("{} days", hours / 24) } else { format!("{hours} hours") }
}

/// The form that a proof was made for, as the parameters of the proof name it.
fn ready(sentence: String, parameters: &serde_json::Value) -> Option<Ready> {
    let path = match parameters["form"].as_str()? {
        "invite" => "",
        "change" => "change/",
        "delete" => "delete/",
        _ => return None,
    };
    let text = |name: &str| match &parameters[name] {
        serde_json::Value::String(text) => Some((name.to_owned(), text.clone())),
        serde_json::Value::Bool(true) => Some((name.to_owned(), "y".to_owned())),
        _ => None,
    };
    let fields = ["username", "role_name", "role_id", "drop_rights"].into_iter().filter_map(text).collect();
    Some(Ready { sentence, path, fields })
}

fn person(env: &Env, one: &Collaborator, (viewer, is_owner): (AccountId, bool)) -> Person {
    let own = one.account == viewer;
    let suspended = |why: Suspended| match why {
        Suspended::ByAct => "until the change that waits is decided",
        Suspended::GiverDoubts => "who gave it was phished and decides about it",
        Suspended::GiverStopped => "the account that gave it was stopped",
    };
    Person {
        id: one.id.to_string(),
        username: one.username.clone(),
        role: collaboration::word(one.role),
        since: when(env, one.from_at),
        own,
        suspended: one.suspended.map(suspended),
        may_change: is_owner,
        may_remove: is_owner || own,
    }
}

/// The form of an invitation.
#[derive(Debug, Deserialize)]
pub struct Invite {
    #[serde(flatten)]
    typed: Typed,
    act: Option<String>,
}

/// POST `/manage/project/{name}/collaboration/`: invites.
///
/// # Errors
/// A proof for this act is asked for first.
pub async fn invite(ctx: Ctx<InviteCollaborator>, input: Input<Which, Nothing, Invite>) -> Result<Reply, Refusal> {
    let on = input.path.read()?;
    let typed = Typed { username: input.form.typed.username.trim().to_owned(), ..input.form.typed };
    let act = act_of(input.form.act.as_deref());
    let role = match collaboration::read_role(&typed.role_name) {
        Ok(role) => role,
        Err(invalid) => return refused(&ctx, on, typed, (&invalid, act)).await,
    };
    let invitee = Invitee(on.0.clone(), typed.username.clone());
    match collaboration::invite(ctx.env(), ctx.actor(), invitee.clone(), role, act).await {
        Ok(Invited::Now) => Ok(Reply::see_other(&page_of(&on.0))),
        Ok(Invited::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(Refused::Invalid(invalid)) => refused(&ctx, on, typed, (&invalid, act)).await,
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let (bound, sentence) = (collaboration::inviting(&typed.username, role), collaboration::invite_sentence(&invitee, role));
            Err(ctx.ask_proof_on(&invitee.to_string(), bound, &sentence).await)
        }
        Err(other) => Err(other.into()),
    }
}

async fn refused(
    ctx: &Ctx<InviteCollaborator>,
    on: ManagedProject,
    typed: Typed,
    (invalid, act): (&Invalid, Option<ActId>),
) -> Result<Reply, Refusal> {
    let page = show(ctx, on, typed, (FormErrors::one(invalid.field, &invalid.message), act)).await?;
    Ok(Reply::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// The form that takes an invitation back.
#[derive(Debug, Deserialize)]
pub struct Revoke {
    #[serde(default)]
    user_id: String,
}

/// POST `/manage/project/{name}/collaboration/revoke_invite/`: always possible (R19).
///
/// # Errors
/// Whoever is not invited is not found.
pub async fn revoke(ctx: Ctx<RevokeInvitation>, input: Input<Which, Nothing, Revoke>) -> Result<Reply, Refusal> {
    let on = input.path.read()?;
    let invitee = AccountId::parse(&input.form.user_id).ok_or(Refusal::NotFound)?;
    collaboration::revoke(ctx.env(), ctx.actor(), on.clone(), invitee).await?;
    Ok(Reply::see_other(&page_of(&on.0)))
}

/// The forms that change and end a role.
#[derive(Debug, Deserialize)]
pub struct Change {
    #[serde(default)]
    role_id: String,
    #[serde(default)]
    role_name: String,
    drop_rights: Option<String>,
    act: Option<String>,
}

/// POST `/manage/project/{name}/collaboration/change/`.
///
/// # Errors
/// A role of another project is not found; a proof for this act is asked for first.
pub async fn change(ctx: Ctx<PromoteMaintainer>, input: Input<Which, Nothing, Change>) -> Result<Reply, Refusal> {
    let on = input.path.read()?;
    let to = collaboration::read_role(&input.form.role_name)?;
    let (role, username) = find_role(&ctx, &on, &input.form.role_id).await?;
    match collaboration::change(ctx.env(), ctx.actor(), role, to, act_of(input.form.act.as_deref())).await {
        Ok(Changed::Now) => Ok(Reply::see_other(&page_of(&on.0))),
        Ok(Changed::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let (bound, sentence) = (collaboration::changing(role, to), collaboration::change_sentence(&username, to));
            Err(match to {
                Role::Owner => ctx.ask_proof_on(&role.to_string(), bound, &sentence).await,
                _ => ctx.ask_proof_of::<DemoteOwner>(&role.to_string(), bound, &sentence).await,
            })
        }
        Err(other) => Err(other.into()),
    }
}

/// POST `/manage/project/{name}/collaboration/delete/`: a Maintainer at once (R19), an Owner through a hold.
///
/// # Errors
/// A role of another project is not found; for an Owner a proof for this act is asked for first.
pub async fn remove(ctx: Ctx<RemoveMaintainer>, input: Input<Which, Nothing, Change>) -> Result<Reply, Refusal> {
    let on = input.path.read()?;
    let drop_rights = input.form.drop_rights.as_deref() == Some("y");
    let (role, username) = find_role(&ctx, &on, &input.form.role_id).await?;
    match collaboration::remove(ctx.env(), ctx.actor(), role, act_of(input.form.act.as_deref()), drop_rights).await {
        Ok(Removed::Now) if ctx.viewer().is_some_and(|viewer| viewer.username == username) => Ok(Reply::see_other(PROJECTS)),
        Ok(Removed::Now) => Ok(Reply::see_other(&page_of(&on.0))),
        Ok(Removed::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let (bound, sentence) = (collaboration::removing(role, drop_rights), collaboration::remove_sentence(&username));
            Err(ctx.ask_proof_of::<RemoveOwner>(&role.to_string(), bound, &sentence).await)
        }
        Err(other) => Err(other.into()),
    }
}

/// The role that a form names, when it is one of the project in the path; and whose it is.
async fn find_role<A: Action>(ctx: &Ctx<A>, on: &ManagedProject, id: &str) -> Result<(RoleId, String), Refusal> {
    let role = RoleId::parse(id).ok_or(Refusal::NotFound)?;
    let found = collaboration::of_project(ctx.env(), &on.0, role).await?;
    Ok((role, found.ok_or(Refusal::NotFound)?))
}

/// The link of a mail, or the proof with which somebody comes back.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    token: String,
    act: Option<String>,
}

/// GET `/account/verify-project-role/?token=`: explains, and changes nothing.
///
/// # Errors
/// An invitation of somebody else is not found.
pub async fn invitation(ctx: Ctx<SeeInvitation>, input: Input<Nothing, Asked>) -> Result<Reply, Refusal> {
    let act = act_of(input.query.act.as_deref());
    let named = match act {
        Some(act) if input.query.token.is_empty() => collaboration::asked(ctx.env(), ctx.actor(), act).await?,
        _ => InvitationId::parse(&input.query.token),
    };
    Ok(Reply::page(&explain(&ctx, named.ok_or(Refusal::NotFound)?, (FormErrors::none(), act)).await?))
}

async fn explain<A: Action>(
    ctx: &Ctx<A>,
    id: InvitationId,
    (errors, act): (FormErrors, Option<ActId>),
) -> Result<VerifyProjectRole, Refusal> {
    let found: Mine = act::view::<SeeInvitation, _, _>(ctx.env(), ctx.actor(), id, |read, permit| {
        Box::pin(async move { collaboration::invitation(read, permit).await })
    })
    .await?;
    let when = |at: Time| -> When { when(ctx.env(), at) };
    Ok(VerifyProjectRole {
        frame: ctx.frame(),
        errors,
        token: id.to_string(),
        project: found.project,
        normalized: found.normalized,
        role: found.role,
        inviter: found.inviter,
        since: when(found.from_at),
        until: when(found.expires_at),
        over: found.over,
        act: act.map(|act| act.to_string()),
    })
}

/// The answer to an invitation.
#[derive(Debug, Deserialize)]
pub struct Answer {
    #[serde(default)]
    token: String,
    decline: Option<String>,
    act: Option<String>,
}

/// POST `/account/verify-project-role/`: accepts; or declines, where the form says so.
///
/// # Errors
/// An invitation of somebody else is not found; accepting asks for a proof first.
pub async fn accept(ctx: Ctx<AcceptInvitation>, input: Form<Answer>) -> Result<Reply, Refusal> {
    let id = InvitationId::parse(&input.form.token).ok_or(Refusal::NotFound)?;
    if input.form.decline.is_some() {
        collaboration::decline(ctx.env(), ctx.actor(), id).await?;
        return Ok(Reply::see_other(PROJECTS));
    }
    let act = act_of(input.form.act.as_deref());
    match collaboration::accept(ctx.env(), ctx.actor(), id, act).await {
        Ok(Accepted::Now(_)) => Ok(Reply::see_other(PROJECTS)),
        Ok(Accepted::Held(_)) => Ok(Reply::see_other(holds::PAGE)),
        Err(Refused::Denied(Denied::NeedsProof)) => {
            let found = explain(&ctx, id, (FormErrors::none(), None)).await?;
            let sentence = format!("Accept the invitation to {} as {}", found.project, found.role);
            Err(ctx.ask_proof_on(&id.to_string(), collaboration::accepting(id), &sentence).await)
        }
        Err(Refused::Invalid(invalid)) => {
            let page = explain(&ctx, id, (FormErrors::one(invalid.field, &invalid.message), act)).await?;
            Ok(Reply::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(other) => Err(other.into()),
    }
}

/// POST `/account/verify-project-role/decline/`.
///
/// # Errors
/// An invitation of somebody else is not found.
pub async fn decline(ctx: Ctx<DeclineInvitation>, input: Form<Answer>) -> Result<Reply, Refusal> {
    let id = InvitationId::parse(&input.form.token).ok_or(Refusal::NotFound)?;
    collaboration::decline(ctx.env(), ctx.actor(), id).await?;
    Ok(Reply::see_other(PROJECTS))
}
