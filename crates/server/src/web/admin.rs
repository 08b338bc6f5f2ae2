//! Pages of the staff.

use index::ids::DeliveryId;
use index::notices::deliveries::{self, State};
use index::policy::SeeHealth;
use index::{breach, queue, work};
use serde::Deserialize;

use super::when;
use crate::gate::{Ctx, SITE};
use crate::health::QUEUE_LATE;
use crate::input::{Input, Nothing};
use crate::pages::admin::{Count, Health, JobLine, List, MailLine, Part};
use crate::pages::parts::grouped;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// Which mails are shown.
#[derive(Deserialize)]
pub struct Shown {
    #[serde(default)]
    state: String,
    #[serde(default)]
    before: String,
}

/// `GET /admin/health/`: mail by state, jobs, and which parts answer.
///
/// # Errors
/// The database.
pub async fn health(ctx: Ctx<SeeHealth>, input: Input<Nothing, Shown>) -> Result<Reply, Refusal> {
    let state = State::from_wire(&input.query.state);
    let before = DeliveryId::parse(&input.query.before);
    let env = ctx.env().clone();
    let read = ctx.view(SITE, move |read, permit| {
        Box::pin(async move {
            let counts = deliveries::counts(read, permit).await?;
            let page = deliveries::page(&env, read, permit, (state, before)).await?;
            Ok((counts, page, queue::waiting(read).await?))
        })
    });
    let (counts, page, jobs) = read.await?;
    let parts = work::readiness(ctx.env(), QUEUE_LATE).await;
    let list = |(source, health): (&str, breach::Health)| List {
        name: if source == "file" { "the set in a file" } else { "the range endpoint" },
        wrong: match health {
            breach::Health::Up => None,
            breach::Health::Down(why) => Some(why),
        },
    };
    let lists = ctx.env().breach.health().into_iter().map(list).collect();
    let mail = |line: deliveries::Line| MailLine {
        what: line.what,
        username: line.username,
        state: line.state.wire(),
        bad: matches!(line.state, State::Failed | State::Bounced),
        tries: line.tries,
        queued: when(ctx.env(), line.created_at),
        changed: when(ctx.env(), line.changed_at),
        error: line.last_error,
        message_id: line.message_id,
    };
    let job = |job: queue::Waiting| JobLine {
        kind: job.kind,
        state: job.state,
        count: job.count,
        tries: job.tries,
        oldest: when(ctx.env(), job.oldest),
    };
    Ok(Reply::page(&Health {
        frame: ctx.frame(),
        parts: parts.into_iter().map(|(name, answers)| Part { name: name.to_owned(), answers }).collect(),
        lists,
        counts: counts.into_iter().map(|(state, n)| Count { state: state.wire(), count: grouped(n) }).collect(),
        state: state.map_or("", State::wire),
        mails: page.lines.into_iter().map(mail).collect(),
        next_page: page.before.map(|id| id.to_string()),
        jobs: jobs.into_iter().map(job).collect(),
    }))
}
