//! The command line: one binary, `strongroom`.
//!
//! Exit codes: 0 done, 1 refused or failed (one sentence on stderr), 2 wrong usage.

mod account;
mod backup;
mod audit;
mod check;
mod incident;
mod migrate;
mod passwords;
mod serve;
mod tables;
mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use credentials::entropy::SystemEntropy;
use credentials::password::Parameters;
use index::act::act;
use index::clock::SystemClock;
use index::config::Config;
use index::events::{self, ClockShifted, Entry};
use index::ids::Site;
use index::policy::{ActionName, Actor, ShiftClock};
use index::{Env, limits};

/// A Python package index whose reason to exist is account security and incident response.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, about = "A Python package index for account security and incident response")]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The configuration file; `strongroom.toml` in the present folder when it is there.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Shift the clock into the future, for drills: `73h`, `90m`, `3d`.
    #[arg(long, global = true, value_name = "DURATION", value_parser = humantime::parse_duration)]
    clock_offset: Option<Duration>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Web, API and jobs in one process.
    Serve(serve::Serve),
    /// Jobs only, for a deployment that serves in other processes.
    Work(work::Work),
    /// Bring the database up to date.
    Migrate(migrate::Migrate),
    /// Accounts: create, show, set-up and reset links, freeze and thaw.
    Account(account::Account),
    /// Back up everything but key file and mail into a new folder, while the index serves.
    Backup(backup::Backup),
    /// Restore a backup into an empty place, read-only until it is opened.
    Restore(backup::Restore),
    /// Incidents: stop and let go in a case, see cases, write in them, close them; put back as it stood at a time.
    Incident(incident::Incident),
    /// The audit trail: verify, export and search it; checkpoints for a second place.
    Audit(audit::Audit),
    /// Compare the database with the blobs.
    Check(check::Check),
    /// The list of stolen passwords: import it.
    Passwords(passwords::Passwords),
    /// Print a table of the running version.
    Tables(tables::Tables),
}

/// The commands that act on the index, and the action that each performs: their doors.
pub const COMMANDS: &[(&str, ActionName)] = &[
    ("account create", ActionName::CreateAccount),
    ("account show", ActionName::InspectAccount),
    ("account setup-link", ActionName::MakeSetupLink),
    ("account reset-link", ActionName::MakeResetLink),
    ("account freeze", ActionName::FreezeAccount),
    ("account thaw", ActionName::ThawAccount),
    ("account undelete", ActionName::UndeleteAccountAtShell),
    ("account unverify", ActionName::UnverifyAddress),
    ("incident freeze", ActionName::FreezeAccount),
    ("incident thaw", ActionName::ThawAccount),
    ("incident quarantine", ActionName::QuarantineProject),
    ("incident release", ActionName::ReleaseProject),
    ("incident cases", ActionName::InspectCases),
    ("incident case", ActionName::InspectCases),
    ("incident report", ActionName::InspectCases),
    ("incident note", ActionName::NoteCase),
    ("incident close", ActionName::CloseCase),
    ("incident restore", ActionName::PlanRestore),
    ("incident restore", ActionName::RestoreAtShell),
    ("incident undo", ActionName::UndoRestore),
    ("restore", ActionName::BeginEpoch),
    ("restore", ActionName::OpenEpoch),
    ("serve", ActionName::ShiftClock),
    ("audit export", ActionName::ReadTrail),
    ("audit query", ActionName::ReadTrail),
];

/// The command line as a whole, for tests and documentation.
#[must_use]
pub fn definition() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the command that was typed.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&anyhow::Error::new(e)),
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e),
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(serve) => serve.run(&cli.common).await,
        Command::Work(work) => work.run(&cli.common).await,
        Command::Migrate(migrate) => migrate.run(&cli.common).await,
        Command::Account(account) => account.run(&cli.common).await,
        Command::Backup(backup) => backup.run(&cli.common).await,
        Command::Restore(restore) => restore.run(&cli.common).await,
        Command::Incident(incident) => incident.run(&cli.common).await,
        Command::Audit(audit) => audit.run(&cli.common).await,
        Command::Check(check) => check.run(&cli.common).await,
        Command::Passwords(passwords) => passwords.run(&cli.common).await,
        Command::Tables(tables) => tables.run(),
    }
}

#[expect(clippy::print_stderr, reason = "the one sentence that a failed command says")]
fn fail(e: &anyhow::Error) -> ExitCode {
    eprintln!("strongroom: {e:#}");
    ExitCode::from(1)
}

impl Common {
    /// Reads the settings: file, environment, flags.
    ///
    /// # Errors
    /// What cannot be read, with the key.
    pub fn settings(&self, flags: BTreeMap<String, String>) -> anyhow::Result<Config> {
        let mut flags = flags;
        if let Some(data) = &self.data {
            flags.insert("data.dir".to_owned(), data.display().to_string());
        }
        let usual = PathBuf::from("strongroom.toml");
        let file = self.config.clone().or_else(|| usual.exists().then_some(usual));
        Ok(Config::load(file.as_deref(), std::env::vars(), flags, &limits::setting_keys())?)
    }

    /// Opens the index with a clock that runs as asked.
    ///
    /// # Errors
    /// What cannot be opened.
    pub async fn open(&self, config: Config) -> anyhow::Result<Env> {
        let offset = self.clock_offset.unwrap_or_default();
        if !offset.is_zero() && config.is_https() && !config.data_dir.join("drill").exists() {
            bail!(
                "--clock-offset is refused while the public address is https: a shifted clock ends holds early. In a copy made for drills, create the file `drill` in the data folder"
            );
        }
        index::open::open(config, Arc::new(SystemClock { offset }), Arc::new(SystemEntropy), Parameters::default())
            .await
            .context("the index cannot be opened")
    }

    /// Records that the clock is shifted, before anything is done by it (R32).
    ///
    /// # Errors
    /// The database.
    pub async fn note_shift(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let Some(by) = self.drill() else { return Ok(()) };
        let inner = env.clone();
        let noted = act::<ShiftClock, _, _>(env, operator, Site, move |tx, permit| {
            let (env, by) = (inner.clone(), by.clone());
            Box::pin(async move {
                events::record(&env, tx, permit, Entry::of(ClockShifted { by })).await?;
                Ok(())
            })
        });
        noted.await.context("that the clock is shifted cannot be recorded")
    }

    /// How far the clock is shifted, in words, if it is.
    #[must_use]
    pub fn drill(&self) -> Option<String> {
        self.clock_offset.filter(|offset| !offset.is_zero()).map(|offset| format!("+{}", lasting(offset)))
    }
}

/// A duration as the banner says it: `3 days 1 hour`.
fn lasting(span: Duration) -> String {
    let seconds = span.as_secs();
    let parts = [(seconds / 86_400, "day"), (seconds / 3600 % 24, "hour"), (seconds / 60 % 60, "minute"), (seconds % 60, "second")];
    let words = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}{}", if *n == 1 { "" } else { "s" }));
    words.collect::<Vec<_>>().join(" ")
}
