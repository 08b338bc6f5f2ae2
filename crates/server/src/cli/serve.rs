//! `strongroom serve`: web, API and jobs in one process.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use anyhow::Context;
use clap::Args;
use index::audit;
use index::backup;
use index::config::Config;
use index::holds::serving;
use index::projects::watching;
use index::{Env, work};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::{Common, account};
use crate::gate::{App, router};
use crate::{listen, metrics, routes};

/// Flags of `serve`.
#[derive(Args, Debug)]
pub struct Serve {
    /// Where to listen.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// The address by which people reach the index.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT; running requests are finished.
    ///
    /// # Errors
    /// Settings, database or port.
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let mut flags = BTreeMap::new();
        flags.extend(self.listen.map(|v| ("server.listen".to_owned(), v)));
        flags.extend(self.public_url.map(|v| ("server.public_url".to_owned(), v)));
        let config = common.settings(flags)?;
        start_logging(&config)?;
        let env = common.open(config).await?;
        backup::check_finished(&env).await?;
        env.breach.must_be_readable()?;
        audit::ship::check(&env.config)?;
        common.note_shift(&env, &account::operator(&env, None)).await?;
        let listener = TcpListener::bind(env.config.listen).await.with_context(|| format!("cannot listen on {}", env.config.listen))?;
        let admin = admin_listener(&env).await?;
        serve(env, common.drill(), listener, admin).await
    }
}

/// The second listener, if the settings name one; measures are counted only then.
pub(super) async fn admin_listener(env: &Env) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = env.config.admin_listen else { return Ok(None) };
    metrics::install()?;
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} (`server.admin_listen`)"))?;
    Ok(Some(listener))
}

/// Answers on the second listener until told to stop.
pub(super) async fn serve_admin(env: Env, listener: Option<TcpListener>, mut stopped: watch::Receiver<bool>) {
    let Some(listener) = listener else { return };
    let stop = async move { drop(stopped.wait_for(|stop| *stop).await) };
    let served = listen::serve(listener, router(App::new(env, None), routes::admin()), stop);
    tokio::select! {
        () = served => {}
        () = metrics::keep_up() => {}
    }
}

async fn serve(env: Env, drill: Option<String>, listener: TcpListener, admin: Option<TcpListener>) -> anyhow::Result<()> {
    account::print_first_link(&env).await?;
    // Before anybody can propose or veto: what was not served is added to every hold (R9).
    serving::beat(&env).await?;
    let (stop, stopped) = watch::channel(false);
    let jobs = tokio::spawn(work::run(env.clone(), stopped.clone()));
    let trail = tokio::spawn(audit::run(env.clone(), stopped.clone()));
    let beating = tokio::spawn(beat(env.clone(), stopped.clone()));
    let watching = tokio::spawn(watching::run(env.clone(), stopped.clone()));
    let measures = tokio::spawn(serve_admin(env.clone(), admin, stopped.clone()));
    let app = router(App::new(env.clone(), drill), routes::table());
    tracing::info!(listen = %env.config.listen, public_url = %env.config.public_url, "accepting connections");
    listen::serve(listener, app, until_told(stop)).await;
    jobs.await.context("the jobs ended badly")?;
    watching.await.context("watching ended badly")?;
    measures.await.context("the second listener ended badly")?;
    beating.await.context("the heartbeat ended badly")?;
    trail.await.context("sealing ended badly")?;
    // What the last requests and jobs recorded.
    audit::seal(&env).await?;
    env.db.clone().close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Says every half minute that the index serves, until told to stop.
async fn beat(env: Env, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(serving::BEAT) => {
                if let Err(e) = serving::beat(&env).await {
                    tracing::error!(error = %e, "the heartbeat could not be written: the time will be added to every hold");
                }
            }
            told = stop.changed() => if told.is_err() { break },
        }
    }
}

/// Waits for SIGTERM or SIGINT, then tells the jobs too.
pub(super) async fn until_told(stop: watch::Sender<bool>) {
    let mut terminate = signal(SignalKind::terminate()).expect("a process may listen to its signals");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a process may listen to its signals");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: running requests are finished");
    let _ = stop.send(true);
}

/// Begins to log as the settings say.
pub(super) fn start_logging(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log_filter).context("the setting `log.filter` cannot be read")?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let started = if config.log_format == "json" { log.json().try_init() } else { log.try_init() };
    started.map_err(|e| anyhow::anyhow!("logging cannot start: {e}"))
}
