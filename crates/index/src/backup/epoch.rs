//! What ends when a backup was restored (R18): everything that a person or program could still hold from the time before. And opening again.

use anyhow::{Context, bail};
use sea_orm::{ActiveValue::Set, EntityTrait, Value};
use uuid::Uuid;

use super::restore::build_search;
use crate::act;
use crate::cases::{self, NewCase, Opening};
use crate::clock::Time;
use crate::db::entities::{epochs, suspensions};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, EpochBegun, EpochOpened};
use crate::ids::{CaseId, Site, SuspensionId};
use crate::policy::{Actor, BeginEpoch, OpenEpoch, Permit};
use crate::refused::{Invalid, Refused};

/// What the new epoch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its number.
    pub number: i64,
    /// The moment that the backup shows.
    pub made_at: Time,
    /// Sessions that ended.
    pub sessions_ended: u64,
    /// Sets of recovery codes that ended, one of an account.
    pub codes_ended: u64,
    /// API tokens that are paused until their owners confirm them.
    pub tokens_paused: u64,
}

/// When an epoch began whose restore is not finished: it never did.
const NOT_YET: Time = Time(0);
const NUMBER: &str = "SELECT COALESCE(MAX(number), 0) + 1 AS number FROM epochs";

/// Closes the index in the transaction that loads it: whoever serves what a restore left half done finds it read-only.
pub(super) async fn close(tx: &Tx, made_at: Time) -> Result<(), Refused> {
    let row = tx.row(NUMBER, Vec::new()).await?.ok_or_else(|| anyhow::anyhow!("a count is one row"))?;
    let number: i64 = row.try_get("", "number")?;
    let new = epochs::ActiveModel {
        number: Set(number),
        backup_made_at: Set(made_at),
        from_at: Set(NOT_YET),
        opened_at: Set(None),
        opened_by: Set(None),
    };
    epochs::Entity::insert(new).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Begins the epoch over what was just loaded, and builds the search index.
///
/// # Errors
/// `Invalid` when nothing was loaded that waits for it; the database.
pub async fn begin(env: &Env, operator: &Actor) -> anyhow::Result<Begun> {
    let inner = env.clone();
    let begun = act::act::<BeginEpoch, _, _>(env, operator, Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { end_what_was(&env, tx, permit).await })
    });
    let begun = begun.await?;
    build_search(env).await?;
    Ok(begun)
}

const UNFINISHED: &str = "SELECT 1 AS one FROM epochs WHERE opened_at IS NULL AND from_at = $1";
const CUT_OFF: &str = "the restore was cut off before it was finished: empty the place and restore the backup again";

async fn is_unfinished<R: Reading>(read: &R) -> Result<bool, Refused> {
    Ok(read.row(UNFINISHED, vec![Value::from(NOT_YET)]).await?.is_some())
}

/// That no restore was cut off in this place: its sessions and tokens would still be those of the backup.
///
/// # Errors
/// What to do when one was; the database.
pub async fn check_finished(env: &Env) -> anyhow::Result<()> {
    let read = env.db.read(env.now()).await.context("the database does not answer")?;
    if is_unfinished(&read).await? { bail!(CUT_OFF) } else { Ok(()) }
}

const SESSIONS: &str = "UPDATE sessions SET until_at = $1, ended_by = $2 WHERE until_at IS NULL";
/// Codes that were used since the backup would be good again, and nobody knows which: all of them end.
const RECOVERY_SETS: &str = "UPDATE recovery_sets SET until_at = $1, ended_by = $2 WHERE until_at IS NULL";
const DEVICES: &str = "UPDATE devices SET until_at = $1, ended_by = $2 WHERE until_at IS NULL";
/// Links that only stop something stay (R10, R14, R19).
const LINKS: &str = "UPDATE links SET spent_at = $1 WHERE spent_at IS NULL AND purpose NOT IN ('not-me', 'alarm', 'veto')";
const CODES: &str = "UPDATE mailbox_codes SET spent_at = $1 WHERE spent_at IS NULL";
const ACTS: &str = "UPDATE acts SET spent_at = $1 WHERE spent_at IS NULL";
const CEREMONIES: &str = "UPDATE ceremonies SET spent_at = $1 WHERE spent_at IS NULL";
const ATTEMPTS: &str = "UPDATE sign_in_attempts SET spent_at = $1 WHERE spent_at IS NULL";
const TAKE_BACKS: &str = "UPDATE take_backs SET spent_at = $1 WHERE spent_at IS NULL";
const DOORS: &str = "UPDATE holds SET used_at = $1 WHERE state = 'done' AND used_at IS NULL";
/// The clocks of holds and of take-backs with one proof begin anew.
const HOLDS: &str = "UPDATE holds SET due_at = $1 + (due_at - served_from), served_from = $1 WHERE state = 'waiting'";
const WAITS: &str = "UPDATE take_back_waits SET due_at = $1 + (due_at - from_at), from_at = $1 WHERE until_at IS NULL";
const BEGIN: &str = "UPDATE epochs SET from_at = $1 WHERE opened_at IS NULL AND from_at = $2 RETURNING number, backup_made_at";

async fn end_what_was(env: &Env, tx: &mut Tx, permit: &Permit<BeginEpoch>) -> Result<Begun, Refused> {
    let (now, by) = (tx.now(), permit.event());
    let row = tx.row(BEGIN, vec![Value::from(now), Value::from(NOT_YET)]).await?;
    let row = row.ok_or_else(|| Invalid::new("", "No backup was loaded here that waits."))?;
    let (number, made_at): (i64, Time) = (row.try_get("", "number")?, row.try_get("", "backup_made_at")?);
    let sessions_ended = tx.execute(SESSIONS, vec![Value::from(now), Value::from(by)]).await?;
    let codes_ended = tx.execute(RECOVERY_SETS, vec![Value::from(now), Value::from(by)]).await?;
    tx.execute(DEVICES, vec![Value::from(now), Value::from(by)]).await?;
    for sql in [LINKS, CODES, ACTS, CEREMONIES, ATTEMPTS, TAKE_BACKS, DOORS, HOLDS, WAITS] {
        tx.execute(sql, vec![Value::from(now)]).await?;
    }
    let why = format!("The index was restored from the backup of {}", made_at.in_words());
    let case = cases::open(env, tx, NewCase { opening: Opening::Restore, account: None, project: None, why, opened_by: by }).await?;
    let tokens_paused = pause_tokens(env, tx, permit, case).await?;
    let event = EpochBegun { made_at: made_at.in_words(), sessions_ended, codes_ended, tokens_paused };
    events::record(env, tx, permit, Entry::of(event).in_case(case)).await?;
    Ok(Begun { number, made_at, sessions_ended, codes_ended, tokens_paused })
}

/// API tokens do nothing until their owners confirm them, one by one.
async fn pause_tokens(env: &Env, tx: &Tx, permit: &Permit<BeginEpoch>, case: CaseId) -> Result<u64, Refused> {
    const NEXT: &str = "SELECT t.id AS id, t.account_id AS account_id FROM api_tokens t WHERE t.until_at IS NULL AND t.id > $1 \
        AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE s.what = 'token' AND s.what_id = t.id AND s.project_id IS NULL AND s.until_at IS NULL) \
        ORDER BY t.id LIMIT 500";
    let (mut after, mut paused) = (Uuid::nil(), 0);
    loop {
        let rows = tx.rows(NEXT, vec![Value::from(after)]).await?;
        if rows.is_empty() {
            return Ok(paused);
        }
        let mut new = Vec::with_capacity(rows.len());
        for row in rows {
            after = row.try_get("", "id")?;
            new.push(suspensions::ActiveModel {
                id: Set(SuspensionId::new(tx.now(), &*env.entropy)),
                what: Set("token".to_owned()),
                what_id: Set(after),
                account_id: Set(row.try_get("", "account_id")?),
                project_id: Set(None),
                hold_id: Set(None),
                case_id: Set(Some(case)),
                reason: Set("the index was restored from a backup".to_owned()),
                from_at: Set(tx.now()),
                until_at: Set(None),
                began_by: Set(permit.event()),
                ended_by: Set(None),
            });
        }
        paused += u64::try_from(new.len()).unwrap_or(u64::MAX);
        suspensions::Entity::insert_many(new).exec_without_returning(tx.connection()).await?;
    }
}

const OPEN: &str = "UPDATE epochs SET opened_at = $1, opened_by = $2 WHERE opened_at IS NULL";

/// The operator has looked, and the index does everything again. The clocks of holds begin once more: nobody could veto by signing in.
///
/// # Errors
/// `Invalid` when it is open, or the restore was cut off.
pub async fn open(env: &Env, tx: &mut Tx, permit: &Permit<OpenEpoch>) -> Result<(), Refused> {
    if is_unfinished(tx).await? {
        return Err(Invalid::new("", CUT_OFF).into());
    }
    let opened = tx.execute(OPEN, vec![Value::from(tx.now()), Value::from(permit.event())]).await?;
    if opened == 0 {
        return Err(Invalid::new("", "The index is open: nothing was restored that waits.").into());
    }
    for sql in [HOLDS, WAITS] {
        tx.execute(sql, vec![Value::from(tx.now())]).await?;
    }
    events::record(env, tx, permit, Entry::of(EpochOpened {})).await?;
    Ok(())
}
