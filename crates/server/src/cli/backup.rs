//! `strongroom backup` and `strongroom restore`: everything but key file and mail, out and in (R18, R29).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use index::act::act;
use index::backup;
use index::check::check;
use index::clock::{Clock, SystemClock};
use index::ids::Site;
use index::policy::{Actor, OpenEpoch};
use index::{Env, Refused};
use serde_json::json;

use super::{Common, account};

/// Flags of `backup`.
#[derive(Args, Debug)]
pub struct Backup {
    /// The folder to make: not there yet, or empty.
    folder: PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Backup {
    /// Backs up and prints.
    ///
    /// # Errors
    /// Settings, database or folder; bytes that are missing or wrong.
    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let env = common.open(common.settings(BTreeMap::new())?).await?;
        let made = backup::backup(&env, &self.folder).await;
        env.db.clone().close().await;
        let made = made.context("the backup was not made")?;
        if self.json {
            println!("{}", json!({ "rows": made.rows, "blobs": made.blobs, "at": made.at.rfc3339() }));
        } else {
            println!("{}: {} rows and {} blobs, as of {}", self.folder.display(), made.rows, made.blobs, made.at.in_words());
            println!("the key file is not in it: keep it elsewhere, secrets open with no other");
        }
        Ok(())
    }
}

/// Flags of `restore`.
#[derive(Args, Debug)]
pub struct Restore {
    /// The backup's folder; left out to open an index that was restored before.
    #[arg(required_unless_present = "open")]
    folder: Option<PathBuf>,
    /// Open the restored index: until then it reads and tightens.
    #[arg(long)]
    open: bool,
    /// The login name of the person who acts, for the record; the system's when it is not given.
    #[arg(long = "as", value_name = "NAME")]
    operator: Option<String>,
}

impl Restore {
    /// Restores, or opens what was restored.
    ///
    /// # Errors
    /// A place that is not empty, another key file, a backup that was not finished or was changed; settings, database or disk.
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let config = common.settings(BTreeMap::new())?;
        let loaded = match &self.folder {
            Some(folder) => {
                let clock: Arc<dyn Clock> = Arc::new(SystemClock { offset: common.clock_offset.unwrap_or_default() });
                Some(backup::load(&config, folder, &clock).await.context("the backup was not restored")?)
            }
            None => None,
        };
        let env = common.open(config).await?;
        let operator = account::operator(&env, self.operator.clone());
        common.note_shift(&env, &operator).await?;
        let done = self.finish(&env, &operator, loaded).await;
        env.db.clone().close().await;
        done
    }

    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    async fn finish(&self, env: &Env, operator: &Actor, loaded: Option<backup::Loaded>) -> anyhow::Result<()> {
        if let Some(loaded) = loaded {
            let begun = backup::begin(env, operator).await?;
            println!("{} rows and {} blobs, as of {}", loaded.rows, loaded.blobs, loaded.made_at.in_words());
            println!(
                "{} sessions ended; the recovery codes of {} accounts ended; {} API tokens are paused until their owners confirm them",
                begun.sessions_ended, begun.codes_ended, begun.tokens_paused
            );
            let checked = check(env, true, |_| {}).await?;
            if checked.wrong > 0 {
                bail!("{} of {} files lack their bytes or have wrong ones: run `strongroom check --deep`", checked.wrong, checked.files);
            }
            println!("checked {} files: every byte is there", checked.files);
        }
        if !self.open {
            println!("the index only reads until `strongroom restore --open`");
            return Ok(());
        }
        open(env, operator).await.map_err(|refused| match refused {
            Refused::Invalid(invalid) => anyhow!("{}", invalid.message),
            other => anyhow::Error::new(other),
        })?;
        println!("the index is open");
        Ok(())
    }
}

async fn open(env: &Env, operator: &Actor) -> Result<(), Refused> {
    let inner = env.clone();
    act::<OpenEpoch, _, _>(env, operator, Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { backup::open(&env, tx, permit).await })
    })
    .await
}
