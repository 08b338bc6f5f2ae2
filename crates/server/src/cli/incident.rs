//! `strongroom incident`: what is done about an incident from a shell. Acts record who did them.

mod acts;
mod cases;
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
    /// Stop an account, in a case: its sessions, tokens and running uploads. Nothing is deleted.
    Freeze(acts::OnAccount),
    /// Take away what one case stopped an account with; other causes stay.
    Thaw(acts::OnAccount),
    /// Hide a project from everybody but its owners, in a case. Nothing is deleted.
    Quarantine(acts::OnProject),
    /// End the quarantine that one case put a project into; other locks stay.
    Release(acts::OnProject),
    /// List cases, newest first.
    Cases(cases::List),
    /// Show a case: whom it concerns, and what of it is in force.
    Case(cases::Show),
    /// Write a case down from beginning to end: what opened it, who did what when, and how it is undone.
    Report(cases::Report),
    /// Write something down in a case.
    Note(cases::Note),
    /// Close a case with a decision.
    Close(cases::Close),
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
            What::Freeze(on) => on.freeze(&env, &operator).await,
            What::Thaw(on) => on.thaw(&env, &operator).await,
            What::Quarantine(on) => on.quarantine(&env, &operator).await,
            What::Release(on) => on.release(&env, &operator).await,
            What::Cases(list) => list.run(&env, &operator).await,
            What::Case(show) => show.run(&env, &operator).await,
            What::Report(report) => report.run(&env, &operator).await,
            What::Note(note) => note.run(&env, &operator).await,
            What::Close(close) => close.run(&env, &operator).await,
            What::Restore(restore) => restore.run(&env, &operator).await,
            What::Undo(undo) => undo.run(&env, &operator).await,
        };
        env.db.clone().close().await;
        done
    }
}
