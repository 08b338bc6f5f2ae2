//! `strongroom migrate`: brings the database up to date and says what was done. `serve` does the same when it starts.

use std::collections::BTreeMap;

use clap::Args;
use index::open;

use super::Common;

/// Flags of `migrate`.
#[derive(Args, Debug)]
pub struct Migrate {}

impl Migrate {
    /// Migrates and prints.
    ///
    /// # Errors
    /// Settings or database.
    #[expect(clippy::print_stdout, reason = "what was done is what the command is for")]
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let done = open::migrate(&common.settings(BTreeMap::new())?).await?;
        match done {
            0 => println!("the database is up to date"),
            1 => println!("the database is up to date: 1 migration was applied"),
            n => println!("the database is up to date: {n} migrations were applied"),
        }
        Ok(())
    }
}
