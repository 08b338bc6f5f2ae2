//! `strongroom tables`: prints the six tables of the running version, and what each act ends; the reference pages are the same text.

use clap::{Args, ValueEnum};

use crate::reference;

/// Which table.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Which {
    /// Every door.
    Routes,
    /// Every action.
    Actions,
    /// Every kind of event.
    Events,
    /// Every kind of job.
    Jobs,
    /// Every setting.
    Settings,
    /// Every limit.
    Limits,
    /// What each act ends.
    Ends,
}

/// Flags of `tables`.
#[derive(Args, Debug)]
pub struct Tables {
    /// Which table.
    which: Which,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Tables {
    /// Prints it.
    ///
    /// # Errors
    /// None.
    #[expect(clippy::print_stdout, reason = "the table is what the command is for")]
    pub fn run(&self) -> anyhow::Result<()> {
        let rows = match self.which {
            Which::Routes => reference::routes(),
            Which::Actions => reference::actions(),
            Which::Events => reference::events(),
            Which::Jobs => reference::jobs(),
            Which::Settings => reference::settings(),
            Which::Limits => reference::limits(),
            Which::Ends => reference::ends(),
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&rows.json())?);
        } else {
            print!("{}", rows.markdown());
        }
        Ok(())
    }
}
