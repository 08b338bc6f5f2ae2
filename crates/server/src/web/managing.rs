//! `/manage/project/{name}/`: what surrounds the pages of a project, its overview and its history.

use formats::name::ProjectName;
use index::policy::{Action, Role, SeeProject};
use index::projects::history;
use index::projects::managing::{self, Suspended};
use index::resources::ManagedProject;
use serde::Deserialize;

use super::{holds, when};
use crate::gate::Ctx;
use crate::input::Input;
use crate::pages::projects::{EventLine, History, Overview, Shell};
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The project in the path.
#[derive(Debug, Deserialize)]
pub struct Which {
    name: String,
}

impl Which {
    /// The project, when it is a name at all.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn read(&self) -> Result<ManagedProject, Refusal> {
        ProjectName::parse(&self.name).map(ManagedProject).map_err(|_| Refusal::NotFound)
    }
}

/// The word of a role, as forms and pages have it.
#[must_use]
pub fn role_word(role: Role) -> &'static str {
    if role == Role::Owner { "Owner" } else { "Maintainer" }
}

/// Why a role gives nothing, for whose it is.
fn suspended_words(why: Suspended) -> String {
    match why {
        Suspended::ByAct => "It gives nothing while the change below waits. If the change is stopped, your role is as it was.",
        Suspended::GiverDoubts => {
            "Who gave it to you said that they were phished. It works again when they have decided that they meant it."
        }
        Suspended::GiverStopped => {
            "The account that gave it to you within the last 30 days was stopped. It works again when that account is taken back and \
             keeps what it gave, or is thawed."
        }
    }
    .to_owned()
}

/// What all pages of a project show.
pub fn shell<A: Action>(ctx: &Ctx<A>, found: &managing::Overview) -> Shell {
    let own = found.own.as_ref();
    Shell {
        name: found.name.clone(),
        normalized: found.normalized.clone(),
        role: own.map_or("None", |own| role_word(own.role)).to_owned(),
        suspended: own.and_then(|own| own.suspended).map(suspended_words),
        waiting: found.waiting.iter().map(|line| holds::line(ctx.env(), line.clone())).collect(),
    }
}

/// GET `/manage/project/{name}/`.
///
/// # Errors
/// A project on which the account holds no role is not found.
pub async fn overview(ctx: Ctx<SeeProject>, input: Input<Which>) -> Result<Reply, Refusal> {
    let on = input.path.read()?;
    let found = ctx.view(on, |read, permit| Box::pin(async move { managing::overview(read, permit).await })).await?;
    let count = |role: Role| found.collaborators.iter().filter(|one| one.role == role).count();
    Ok(Reply::page(&Overview {
        frame: ctx.frame(),
        shell: shell(&ctx, &found),
        owners: count(Role::Owner),
        maintainers: count(Role::Maintainer),
        created: when(ctx.env(), found.created_at),
    }))
}

/// Where a page of the history begins.
#[derive(Debug, Deserialize)]
pub struct Before {
    before: Option<i64>,
}

/// GET `/manage/project/{name}/history/`.
///
/// # Errors
/// A project on which the account holds no role is not found.
pub async fn events(ctx: Ctx<SeeProject>, input: Input<Which, Before>) -> Result<Reply, Refusal> {
    let (on, before) = (input.path.read()?, input.query.before);
    let (found, page) = ctx
        .view(on, move |read, permit| {
            Box::pin(async move { Ok((managing::overview(read, permit).await?, history::page(read, permit, before).await?)) })
        })
        .await?;
    let line = |line: history::Line| EventLine {
        when: when(ctx.env(), line.at),
        sentence: line.sentence,
        username: line.username,
        actor: line.actor,
        about: line.about,
    };
    Ok(Reply::page(&History {
        frame: ctx.frame(),
        shell: shell(&ctx, &found),
        events: page.lines.into_iter().map(line).collect(),
        next_page: page.before.map(|seq| seq.to_string()),
    }))
}
