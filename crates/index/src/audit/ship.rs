//! Shipping: sealed rows go to another machine, seal after seal, as signed posts. A seal is sent until it is taken, and no later one
//! before it: at least once, in order.
//!
//! The seal travels with its rows, so that the other machine holds checkpoints by itself. Where it may lie is `egress`'s business (R31).

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};
use serde_json::json;
use url::Url;

use credentials::signed_call::CallSignature;

use super::query::lines;
use super::seals::{by_places, kept_leaves};
use crate::act::{Housekeeping, housekeeping};
use crate::clock::Time;
use crate::config::Config;
use crate::db::Reading;
use crate::db::entities::{event_seals, event_shipping};
use crate::egress;
use crate::env::Env;
use crate::refused::Refused;

/// How long the other machine may take for one post.
pub const WITHIN: Duration = Duration::from_secs(5);
/// How long one process has the shipping for itself after each step.
const LEASE: Duration = Duration::from_secs(60);
/// The longest pause between two tries.
const PAUSE_MOST: Duration = Duration::from_secs(600);
/// The row of `event_shipping`.
const NAME: &str = "webhook";
/// The header of the signature, as the reports of bounces have it.
const SIGNATURE: &str = "Strongroom-Signature";

/// Whether anything is to be shipped.
#[must_use]
pub fn is_configured(config: &Config) -> bool {
    !config.audit_webhook_url.is_empty()
}

/// Refuses settings with which nothing could be shipped, before the index serves.
///
/// # Errors
/// Which setting, and what it should be.
pub fn check(config: &Config) -> anyhow::Result<()> {
    if !is_configured(config) {
        return Ok(());
    }
    address(config)?;
    ensure!(
        !config.audit_webhook_secret.expose().is_empty(),
        "the setting `audit.webhook_secret` is empty: the posts to `audit.webhook_url` would not be signed"
    );
    Ok(())
}

fn address(config: &Config) -> anyhow::Result<Url> {
    egress::configured(&config.audit_webhook_url).map_err(|why| anyhow::anyhow!("the setting `audit.webhook_url` cannot be used: {why}"))
}

/// Ships every seal that was not taken yet, until one is refused; says how many were taken.
///
/// # Errors
/// The database. What the other machine does is no error: it is tried again later.
pub async fn ship(env: &Env) -> Result<u64, Refused> {
    if !is_configured(&env.config) || !is_due(env).await? || !lease(env).await? {
        return Ok(0);
    }
    let mut taken = 0;
    let ended = loop {
        let Some(seal) = next(env).await? else { break Ok(()) };
        let number = seal.number;
        if let Err(e) = send(env, seal).await {
            break Err(e);
        }
        note(env, TAKEN, vec![Value::from(NAME), Value::from(number), Value::from(env.now().plus(LEASE))]).await?;
        taken += 1;
    };
    match ended {
        Ok(()) => note(env, RELEASE, vec![Value::from(NAME)]).await?,
        Err(e) => put_off(env, &e).await?,
    }
    Ok(taken)
}

const DUE: &str = "SELECT 1 AS one FROM event_seals s LEFT JOIN event_shipping p ON p.name = $1 WHERE s.number > COALESCE(p.seal, 0) \
    AND COALESCE(p.run_at, 0) <= $2 AND COALESCE(p.leased_until, 0) <= $2 LIMIT 1";
const CLAIM: &str = "UPDATE event_shipping SET leased_until = $3 WHERE name = $1 AND run_at <= $2 AND COALESCE(leased_until, 0) <= $2";
const TAKEN: &str = "UPDATE event_shipping SET seal = $2, failures = 0, last_error = NULL, leased_until = $3 WHERE name = $1";
const RELEASE: &str = "UPDATE event_shipping SET leased_until = NULL WHERE name = $1";
const PUT_OFF: &str =
    "UPDATE event_shipping SET failures = failures + 1, run_at = $2, last_error = $3, leased_until = NULL WHERE name = $1";

async fn is_due(env: &Env) -> Result<bool, Refused> {
    let read = env.db.read(env.now()).await?;
    Ok(read.row(DUE, vec![Value::from(NAME), Value::from(env.now())]).await?.is_some())
}

/// Takes the shipping for this process; false when another one has it.
async fn lease(env: &Env) -> Result<bool, Refused> {
    let until = env.now().plus(LEASE);
    housekeeping(env, Housekeeping::Seals, move |tx| {
        Box::pin(async move {
            let first = event_shipping::ActiveModel {
                name: Set(NAME.to_owned()),
                seal: Set(0),
                failures: Set(0),
                run_at: Set(Time(0)),
                leased_until: Set(None),
                last_error: Set(None),
            };
            if event_shipping::Entity::find_by_id(NAME).one(tx.connection()).await?.is_none() {
                first.insert(tx.connection()).await?;
            }
            Ok(tx.execute(CLAIM, vec![Value::from(NAME), Value::from(tx.now()), Value::from(until)]).await? == 1)
        })
    })
    .await
}

async fn note(env: &Env, sql: &'static str, values: Vec<Value>) -> Result<(), Refused> {
    housekeeping(env, Housekeeping::Seals, move |tx| {
        Box::pin(async move {
            tx.execute(sql, values).await?;
            Ok(())
        })
    })
    .await
}

/// The other machine did not take it: after 1, 2, 4 … seconds again, at most ten minutes apart.
async fn put_off(env: &Env, e: &anyhow::Error) -> Result<(), Refused> {
    let failures = progress(env).await?.map_or(0, |row| row.failures);
    let pause = Duration::from_secs(1 << failures.clamp(0, 10)).min(PAUSE_MOST);
    let why = format!("{e:#}");
    tracing::warn!(error = why, pause_s = pause.as_secs(), "the audit trail was not taken by the other machine; it is sent again");
    note(env, PUT_OFF, vec![Value::from(NAME), Value::from(env.now().plus(pause)), Value::from(why)]).await
}

/// How far it is; `None` before the first try.
///
/// # Errors
/// The database.
pub async fn progress(env: &Env) -> Result<Option<event_shipping::Model>, Refused> {
    let read = env.db.read(env.now()).await?;
    Ok(event_shipping::Entity::find_by_id(NAME).one(read.connection()).await?)
}

async fn next(env: &Env) -> Result<Option<event_seals::Model>, Refused> {
    let taken = progress(env).await?.map_or(0, |row| row.seal);
    let read = env.db.read(env.now()).await?;
    let after = event_seals::Entity::find().filter(event_seals::Column::Number.gt(taken));
    Ok(after.order_by_asc(event_seals::Column::Number).one(read.connection()).await?)
}

async fn send(env: &Env, seal: event_seals::Model) -> anyhow::Result<()> {
    let body = body(env, &seal).await?;
    let signature = CallSignature::make(&env.config.audit_webhook_secret, env.now().as_seconds(), &body);
    let client = egress::client(&env.config.audit_webhook_networks, WITHIN).context("no client can be made")?;
    let request = client
        .post(address(&env.config)?)
        .header("Content-Type", "application/json")
        .header(SIGNATURE, signature.to_header())
        .header("Strongroom-Seal", seal.number.to_string())
        .body(body);
    // The client's own limit begins with the connection; this one holds for everything.
    let answer = match tokio::time::timeout(WITHIN, request.send()).await {
        Ok(answer) => answer.map_err(reqwest::Error::without_url).context("no answer")?,
        Err(_) => bail!("no answer within {} seconds", WITHIN.as_secs()),
    };
    ensure!(answer.status().is_success(), "the answer was {}", answer.status().as_u16());
    Ok(())
}

/// The seal, and its rows in the order of its leaves. A row that was removed since is missing; the seal shows that it was there.
async fn body(env: &Env, seal: &event_seals::Model) -> anyhow::Result<Vec<u8>> {
    let leaves = kept_leaves(seal).with_context(|| format!("the leaves of seal {} do not have their form", seal.number))?;
    let places: Vec<i64> = leaves.iter().map(|(place, _)| *place).collect();
    let read = env.db.read(env.now()).await?;
    let rows = by_places(&read, &places).await.map_err(anyhow::Error::new)?;
    let rows = lines(env, &read, rows).await.map_err(anyhow::Error::new)?;
    let checkpoint = super::Checkpoint::of(seal).to_text();
    let seal = json!({ "number": seal.number, "at": seal.at.rfc3339(), "root": hex::encode(&seal.root), "checkpoint": checkpoint });
    Ok(serde_json::to_vec(&json!({ "seal": seal, "events": rows }))?)
}
