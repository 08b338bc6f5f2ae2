//! `strongroom incident`: what is done about an incident from a shell. Acts record who did them.

mod restore;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

use super::{Common, account};

/// Flags of `incident`.
#[derive(Args, Debug)]
pub struct Incident {
    /// The login name of the person who acts, for the record; the system's when it is not given.
    #[arg(long = "as", global = true, value_name = "NAME")]
    operator: Option<String>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Put a project or an account back as it stood at a time, or show what would be put back.
    Restore(restore::Restore),
    /// Undo a restore, or an undo of one. Credentials only shrink by it.
    Undo(restore::Undo),
}

impl Incident {
    /// Does what was asked.
    ///
    /// # Errors
    /// One sentence: what was refused, or what cannot be opened.
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let env = common.open(common.settings(BTreeMap::new())?).await?;
        let operator = account::operator(&env, self.operator);
        common.note_shift(&env, &operator).await?;
        let done = match self.what {
            What::Restore(restore) => restore.run(&env, &operator).await,
            What::Undo(undo) => undo.run(&env, &operator).await,
        };
        env.db.clone().close().await;
        done
    }
}
