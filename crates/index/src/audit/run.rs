//! The ticker beside the jobs: seals every second, and ships what is sealed. The two jobs of the same names do it where no process runs this.

use std::time::Duration;

use tokio::sync::watch;

use super::{seal, ship};
use crate::env::Env;

/// How often rows are sealed.
const EVERY: Duration = Duration::from_secs(1);
/// How long nothing is tried after a fault.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(3);

/// Seals and ships until told to stop.
pub async fn run(env: Env, stop: watch::Receiver<bool>) {
    tokio::join!(sealing(&env, stop.clone()), shipping(&env, stop));
}

async fn sealing(env: &Env, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let pause = match seal(env).await {
            Ok(_) => EVERY,
            Err(e) => {
                tracing::error!(error = format!("{e:#}"), "the audit trail is not sealed");
                PAUSE_AFTER_FAULT
            }
        };
        if !waited(pause, &mut stop).await {
            break;
        }
    }
}

async fn shipping(env: &Env, mut stop: watch::Receiver<bool>) {
    if !ship::is_configured(&env.config) {
        return;
    }
    while !*stop.borrow() {
        if let Err(e) = ship::ship(env).await {
            tracing::error!(error = format!("{e:#}"), "the audit trail is not shipped");
        }
        if !waited(EVERY, &mut stop).await {
            break;
        }
    }
}

/// Waits; false when whoever tells to stop is gone.
async fn waited(pause: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        told = stop.changed() => told.is_ok(),
    }
}
