//! Removing what has expired, in small transactions, so that nobody waits long for the writer.

use std::time::Duration;

use sea_orm::Value;

use super::Failed;
use crate::act::{Housekeeping, housekeeping};
use crate::clock::Time;
use crate::env::Env;

/// How long a session is kept once it has ended: it is part of the account's history.
const SESSIONS_FOR: Duration = Duration::from_secs(30 * 86_400);
/// How long codes, links, acts and half-open sign-ins are kept once they have expired: their page can still say so.
const TRACES_FOR: Duration = Duration::from_secs(86_400);
/// How long a pause is kept once it is over: one alarm a week (R14).
const PAUSES_FOR: Duration = Duration::from_secs(30 * 86_400);
/// How long a challenge for a security key is kept once it has expired.
const CHALLENGES_FOR: Duration = Duration::from_secs(3600);
/// How long a window of a limit is kept, and at least as long as twice its length.
const LIMITS_FOR: Duration = Duration::from_secs(2 * 86_400);
/// How long a window of counted failures is kept once an event says how many they were.
const COUNTS_FOR: Duration = Duration::from_secs(30 * 86_400);
/// How long it is kept what became of a mail.
const DELIVERIES_FOR: Duration = Duration::from_secs(90 * 86_400);
/// How long a job is kept that is done.
const DONE_FOR: Duration = Duration::from_secs(14 * 86_400);
/// How long a job is kept that failed for good.
const FAILED_FOR: Duration = Duration::from_secs(90 * 86_400);

/// Each statement removes at most a thousand rows that are older than `$1`; `$2` is the present.
const SWEEPS: &[(&str, Duration)] = &[
    (
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE COALESCE(until_at, expires_at) < $1 AND expires_at < $2 LIMIT 1000)",
        SESSIONS_FOR,
    ),
    (
        "DELETE FROM sign_in_attempts WHERE id IN (SELECT id FROM sign_in_attempts WHERE expires_at < $1 AND expires_at < $2 LIMIT 1000)",
        TRACES_FOR,
    ),
    (
        "DELETE FROM mailbox_codes WHERE id IN (SELECT id FROM mailbox_codes WHERE expires_at < $1 AND expires_at < $2 LIMIT 1000)",
        TRACES_FOR,
    ),
    ("DELETE FROM links WHERE id IN (SELECT id FROM links WHERE expires_at < $1 AND expires_at < $2 LIMIT 1000)", TRACES_FOR),
    ("DELETE FROM acts WHERE id IN (SELECT id FROM acts WHERE expires_at < $1 AND expires_at < $2 LIMIT 1000)", TRACES_FOR),
    ("DELETE FROM take_backs WHERE id IN (SELECT id FROM take_backs WHERE expires_at < $1 AND expires_at < $2 LIMIT 1000)", TRACES_FOR),
    ("DELETE FROM pauses WHERE id IN (SELECT id FROM pauses WHERE expires_at < $1 AND expires_at < $2 LIMIT 1000)", PAUSES_FOR),
    ("DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE changed_at < $1 AND changed_at < $2 LIMIT 1000)", DELIVERIES_FOR),
    ("DELETE FROM ceremonies WHERE id IN (SELECT id FROM ceremonies WHERE expires_at < $1 AND expires_at < $2 LIMIT 1000)", CHALLENGES_FOR),
    ("DELETE FROM limit_windows WHERE window_at < $1 AND window_at + 2000000 * window_s < $2", LIMITS_FOR),
    ("DELETE FROM event_counts WHERE closed_by IS NOT NULL AND window_at < $1 AND window_at < $2", COUNTS_FOR),
    (
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 'done' AND finished_at < $1 AND finished_at < $2 LIMIT 1000)",
        DONE_FOR,
    ),
    (
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 'failed' AND finished_at < $1 AND finished_at < $2 LIMIT 1000)",
        FAILED_FOR,
    ),
];

/// Removes everything that has expired.
pub(super) async fn sweep(env: &Env) -> Result<(), Failed> {
    let now = env.now();
    let mut removed = 0;
    for (sql, kept_for) in SWEEPS {
        loop {
            let some = remove(env, sql, now.minus(*kept_for), now).await?;
            removed += some;
            if some < 1000 || !sql.contains("LIMIT") {
                break;
            }
        }
    }
    tracing::info!(removed, "expired rows were removed");
    Ok(())
}

async fn remove(env: &Env, sql: &'static str, before: Time, now: Time) -> Result<u64, Failed> {
    let removed = housekeeping(env, Housekeeping::Expiry, move |tx| {
        Box::pin(async move { Ok(tx.execute(sql, vec![Value::from(before), Value::from(now)]).await?) })
    });
    Ok(removed.await?)
}
