//! `strongroom work`: jobs only, for a deployment that serves in other processes.

use std::collections::BTreeMap;

use clap::Args;
use index::{audit, backup, work};
use tokio::sync::watch;

use super::serve::{admin_listener, serve_admin, start_logging, until_told};
use super::{Common, account};

/// Flags of `work`.
#[derive(Args, Debug)]
pub struct Work {}

impl Work {
    /// Works jobs until SIGTERM or SIGINT; those in hand are finished.
    ///
    /// # Errors
    /// Settings or database.
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let config = common.settings(BTreeMap::new())?;
        start_logging(&config)?;
        let env = common.open(config).await?;
        backup::check_finished(&env).await?;
        audit::ship::check(&env.config)?;
        common.note_shift(&env, &account::operator(&env, None)).await?;
        // Beside a server on the same machine and with the same settings the address is taken: jobs go on without it.
        let admin = admin_listener(&env).await.unwrap_or_else(|e| {
            tracing::warn!(error = format!("{e:#}"), "measures are not to be had from this process");
            None
        });
        let (stop, stopped) = watch::channel(false);
        tracing::info!("working jobs");
        let trail = audit::run(env.clone(), stopped.clone());
        tokio::join!(work::run(env.clone(), stopped.clone()), trail, serve_admin(env.clone(), admin, stopped), until_told(stop));
        audit::seal(&env).await?;
        env.db.clone().close().await;
        tracing::info!("stopped");
        Ok(())
    }
}
