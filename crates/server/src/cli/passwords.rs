//! `strongroom passwords`: the public list of stolen passwords becomes the offline set. It opens neither database nor key file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use index::breach;

use super::Common;

/// Flags of `passwords`.
#[derive(Args, Debug)]
pub struct Passwords {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Turn the public list (SHA-1 in hex and a count, a line each, sorted by hash) into the offline set. A server that runs picks it
    /// up within a minute.
    Import {
        /// The list.
        file: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Passwords {
    /// Does what was asked.
    ///
    /// # Errors
    /// A line of the list, with its number; a file that cannot be read or written.
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let What::Import { file, json } = self.what;
        let to = breach::file_of(&common.settings(BTreeMap::new())?);
        let imported = tokio::task::spawn_blocking(move || breach::import(&file, &to)).await.context("the import did not end")??;
        print(&imported, json)
    }
}

#[expect(clippy::print_stdout, reason = "what was made is what the command says")]
fn print(imported: &breach::Imported, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(imported)?);
    } else {
        let breach::Imported { file, rows, left_out, bytes } = imported;
        println!("{}: {rows} passwords, {bytes} bytes; {left_out} lines left out", file.display());
    }
    Ok(())
}
