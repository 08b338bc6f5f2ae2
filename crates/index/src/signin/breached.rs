//! What a list of stolen passwords does to a sign-in, and to a session that a password wakes, after the typed one was right (R33).
//!
//! It disables the password: whoever typed it may be anybody. When more than one in twenty of a hundred or more checks within ten
//! minutes hit, the list is doubted and not the passwords: it disables none, and administrators are told. The counts are in the
//! database, so that all processes share them.

use std::time::Duration;

use sea_orm::Value;

use crate::breach::Verdict;
use crate::clock::Time;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, BreachDoubted, Entry, PasswordDisabled};
use crate::ids::AccountId;
use crate::measure;
use crate::policy::{Action, Permit};
use crate::refused::Refused;
use crate::signin::session;

/// Over which time checks and hits are counted.
const WINDOW: Duration = Duration::from_secs(600);
/// In which steps that window moves.
const STEP: Duration = Duration::from_secs(60);
/// Fewer checks than this say nothing about the list.
const CHECKS_LEAST: i64 = 100;
/// One hit in so many checks is the most that is believed.
const HITS_ONE_IN: i64 = 20;

const CHECKS: &str = "breach-checks";
const HITS: &str = "breach-hits";
const TOLD: &str = "breach-doubted";

/// What the verdict means for this sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing: it goes on.
    GoesOn,
    /// The password is disabled now, and all sessions have ended.
    Disabled,
    /// It goes on, though the password is listed; the first time in a while, with what administrators are told.
    Doubted(Option<BreachDoubted>),
}

/// Counts the check, and disables the password if it is listed and the list is believed.
pub(crate) async fn weigh<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    account: AccountId,
    verdict: Verdict,
) -> Result<Meaning, Refused> {
    if !matches!(verdict, Verdict::Listed | Verdict::NotListed) {
        return Ok(Meaning::GoesOn);
    }
    count(tx, CHECKS, STEP).await?;
    if verdict == Verdict::NotListed {
        return Ok(Meaning::GoesOn);
    }
    count(tx, HITS, STEP).await?;
    let (checks, hits) = (sum(tx, CHECKS).await?, sum(tx, HITS).await?);
    if checks >= CHECKS_LEAST && hits * HITS_ONE_IN > checks {
        measure::breach_spared();
        let first = count(tx, TOLD, WINDOW).await? == 1;
        return Ok(Meaning::Doubted(first.then_some(BreachDoubted { checks, hits })));
    }
    disable(env, tx, permit, account).await?;
    Ok(Meaning::Disabled)
}

/// Takes the password away: nobody signs in with it again, and whoever did is out.
async fn disable<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, account: AccountId) -> Result<(), Refused> {
    const DISABLE: &str = "UPDATE accounts SET password_hash = NULL, password_disabled_at = $2, password_disabled_by = $3 WHERE id = $1";
    tx.execute(DISABLE, vec![Value::from(account), Value::from(tx.now()), Value::from(permit.event())]).await?;
    let sessions_ended = session::end_all(tx, account, permit.event()).await?;
    events::record(env, tx, permit, Entry::of(PasswordDisabled { sessions_ended }).about(account)).await?;
    Ok(())
}

/// Counts one more in the present step of a name; says how many there are in it.
async fn count(tx: &Tx, name: &str, step: Duration) -> Result<i64, Refused> {
    const COUNT: &str = "INSERT INTO limit_windows (name, key, window_s, window_at, count) VALUES ($1, $2, $3, $4, 1) \
        ON CONFLICT (name, key, window_s, window_at) DO UPDATE SET count = limit_windows.count + 1 RETURNING count";
    let seconds = i64::try_from(step.as_secs()).unwrap_or(i64::MAX);
    let values = vec![Value::from(name), Value::from(Vec::<u8>::new()), Value::from(seconds), Value::from(tx.now().window(step))];
    let row = tx.row(COUNT, values).await?;
    Ok(row.map(|r| r.try_get("", "count")).transpose()?.unwrap_or(1))
}

/// How many there were in the window that ends now.
async fn sum(tx: &Tx, name: &str) -> Result<i64, Refused> {
    const SUM: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) AS n FROM limit_windows WHERE name = $1 AND window_at > $2";
    let since: Time = tx.now().minus(WINDOW);
    let row = tx.row(SUM, vec![Value::from(name), Value::from(since)]).await?;
    Ok(row.map(|r| r.try_get("", "n")).transpose()?.unwrap_or(0))
}

/// Tells the administrators that the list is doubted.
pub(crate) async fn tell<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, doubted: BreachDoubted) -> Result<(), Refused> {
    events::record(env, tx, permit, Entry::of(doubted)).await?;
    Ok(())
}
