//! `/metrics` in Prometheus's text format, on the listener that `server.admin_listen` names and nowhere else.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::StatusCode;
use index::measure;
use index::policy::SeeMeasures;
use index::work;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::gate::Ctx;
use crate::input::Input;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// The recorder of this process: there can be one.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Bounds of the histogram of waits, in seconds: from one that nobody notices to one that ends in a 429.
const WAITS: &[f64] = &[0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// How often samples are folded together, so that they take no room while nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// Begins to count in this process.
///
/// # Errors
/// Somebody else records already.
pub fn install() -> anyhow::Result<()> {
    if RECORDER.get().is_some() {
        return Ok(());
    }
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), WAITS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| anyhow::anyhow!("another recorder of measures is there already"))?;
    measure::describe();
    let _ = RECORDER.set(handle);
    Ok(())
}

/// Folds samples together until the process ends.
pub async fn keep_up() {
    loop {
        tokio::time::sleep(UPKEEP).await;
        if let Some(handle) = RECORDER.get() {
            handle.run_upkeep();
        }
    }
}

/// `GET /metrics`. What the database has to be asked for is left out while it does not answer.
///
/// # Errors
/// None.
pub async fn scrape(ctx: Ctx<SeeMeasures>, _: Input) -> Result<Reply, Refusal> {
    if let Err(e) = work::measure(ctx.env()).await {
        tracing::warn!(error = format!("{e:#}"), "the queue could not be counted");
    }
    let text = RECORDER.get().map(PrometheusHandle::render).unwrap_or_default();
    Ok(Reply::bytes(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
}
