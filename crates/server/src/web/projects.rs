//! `/manage/projects/`: the projects on which one holds a role, and those to which one is invited.

use index::clock::Time;
use index::policy::SeeProjects;
use index::projects::collaboration;
use index::projects::roles::{Mine, mine};
use serde::Deserialize;

use crate::gate::Ctx;
use crate::input::{Input, Nothing};
use crate::pages::When;
use crate::pages::manage::{MyInvitation, MyProject, Projects};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::web::releases::lock_word;

/// How many projects stand on a page.
const PAGE: usize = 100;

/// Where a page of the list begins.
#[derive(Debug, Deserialize)]
pub struct From {
    #[serde(default)]
    after: String,
}

/// GET `/manage/projects/`.
pub async fn list(ctx: Ctx<SeeProjects>, input: Input<Nothing, From>) -> Result<Reply, Refusal> {
    let after = input.query.after;
    let most = i64::try_from(PAGE + 1).expect("a page is short");
    let found = ctx.view(ctx.account()?, move |read, permit| {
        Box::pin(async move { Ok((mine(read, permit, &after, most).await?, collaboration::mine(read, permit).await?)) })
    });
    let (mut found, invitations) = found.await?;
    let next_page = (found.len() > PAGE).then(|| found[PAGE - 1].normalized.clone());
    found.truncate(PAGE);
    let now = ctx.env().now();
    let projects = found.into_iter().map(|project| line(project, now)).collect();
    let invitations = invitations.into_iter().map(|line| invitation(line, now)).collect();
    Ok(Reply::page(&Projects { frame: ctx.frame(), invitations, projects, next_page }))
}

fn invitation(line: collaboration::Mine, now: Time) -> MyInvitation {
    let when = |at: Time| When { unix_us: at.as_micros(), now_us: now.as_micros() };
    MyInvitation {
        token: line.id.to_string(),
        project: line.project,
        role: line.role,
        inviter: line.inviter,
        since: when(line.from_at),
        until: when(line.expires_at),
    }
}

fn line(project: Mine, now: Time) -> MyProject {
    MyProject {
        name: project.name,
        normalized_name: project.normalized,
        role: project.role,
        version: project.version,
        released: project.released_at.map(|at| When { unix_us: at.as_micros(), now_us: now.as_micros() }),
        states: project.locks.into_iter().map(lock_word).collect(),
    }
}
