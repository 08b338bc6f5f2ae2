//! Whether the process lives, and whether everything it needs answers.

use std::time::Duration;

use axum::http::StatusCode;
use index::Env;
use index::breach::Health;
use index::policy::ReadIndex;
use index::work;

use crate::gate::Ctx;
use crate::input::Input;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The process lives.
///
/// # Errors
/// None.
pub async fn alive(_ctx: Ctx<ReadIndex>, _input: Input) -> Result<Reply, Refusal> {
    Ok(Reply::bytes(StatusCode::OK, "text/plain; charset=utf-8", "OK"))
}

/// How late the oldest job may be before the queue counts as stuck.
pub const QUEUE_LATE: Duration = Duration::from_secs(300);

/// Whether the lists of stolen passwords answer, where there are any. Sign-ins go on without them (P12), so that they make nothing
/// unready; what is wrong stands in the log.
fn breach(env: &Env) -> Option<&'static str> {
    let all = env.breach.health();
    let up = all.iter().all(|(_, health)| *health == Health::Up);
    (!all.is_empty()).then_some(if up { "ok" } else { "failing" })
}

/// Database, blobs and job queue answer; 503 with the part that fails.
///
/// # Errors
/// None: what fails is in the answer.
pub async fn ready(ctx: Ctx<ReadIndex>, _input: Input) -> Result<Reply, Refusal> {
    let parts = work::readiness(ctx.env(), QUEUE_LATE).await;
    let all = parts.iter().all(|(_, ok)| *ok);
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body: serde_json::Map<String, serde_json::Value> =
        parts.into_iter().map(|(part, ok)| (part.to_owned(), serde_json::Value::from(if ok { "ok" } else { "failing" }))).collect();
    body.extend(breach(ctx.env()).map(|word| ("breach".to_owned(), word.into())));
    Ok(Reply::json(status, &serde_json::Value::Object(body)))
}
