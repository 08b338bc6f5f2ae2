//! `strongroom check`: the database against the blobs. Changes nothing; fails when a row lacks its bytes.

use anyhow::{Context, bail};
use clap::Args;
use index::check::{Checked, Finding, check};
use serde_json::{Value, json};

use super::Common;

/// Flags of `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// Read every byte and compare digests, not only sizes.
    #[arg(long)]
    deep: bool,
    /// One JSON object a line: each finding, then what was checked.
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Compares and prints.
    ///
    /// # Errors
    /// Settings, database or folder; a row that lacks its bytes.
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let env = common.open(common.settings(std::collections::BTreeMap::new())?).await?;
        let print = if self.json { print_json } else { print_line };
        let checked = check(&env, self.deep, |finding| print(&finding)).await.context("the check did not end")?;
        let kept = checked.kept;
        let listed = env.breach.verify(self.deep);
        env.db.clone().close().await;
        self.print_end(checked);
        self.print_listed(listed?);
        if checked.wrong > 0 {
            bail!(
                "{} of {} files and {} metadata companions lack their bytes: put the blobs back from a backup, under the digests named above",
                checked.wrong,
                checked.files,
                checked.companions
            );
        }
        if kept > 0 {
            bail!("{kept} findings about what is deleted: see above, then look at why the job `erase` fails (`/admin/health/`)");
        }
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "what was found is what the command is for")]
    fn print_end(&self, checked: Checked) {
        let Checked { files, companions, wrong, orphans, kept } = checked;
        if self.json {
            println!("{}", json!({ "files": files, "companions": companions, "wrong": wrong, "orphans": orphans, "kept": kept }));
        } else {
            println!("checked {files} files and {companions} metadata companions: {wrong} lack their bytes; {orphans} blobs have no row");
            if kept == 0 {
                println!("what was deleted is whole until its time is over, and nothing personal is left after it");
            }
        }
    }
}

impl Check {
    /// The set of stolen passwords, if there is one.
    #[expect(clippy::print_stdout, reason = "what was found is what the command is for")]
    fn print_listed(&self, rows: Option<u64>) {
        if let Some(rows) = rows.filter(|_| !self.json) {
            println!("the list of stolen passwords is sound: {rows} passwords");
        }
    }
}

#[expect(clippy::print_stdout, reason = "what was found is what the command is for")]
fn print_json(finding: &Finding) {
    println!("{}", as_json(finding));
}

fn as_json(finding: &Finding) -> Value {
    match finding {
        Finding::Row { file, digest, wrong } => json!({ "finding": wrong.word(), "file": file, "digest": digest }),
        Finding::Orphan { digest } => json!({ "finding": "orphan", "digest": digest }),
        Finding::Personal { account, table } => json!({ "finding": "personal", "account": account, "table": table }),
        Finding::Overdue { id } => json!({ "finding": "overdue", "id": id }),
        Finding::Incomplete { account } => json!({ "finding": "incomplete", "account": account }),
    }
}

#[expect(clippy::print_stdout, reason = "what was found is what the command is for")]
fn print_line(finding: &Finding) {
    match finding {
        Finding::Row { file, digest, wrong } => println!("{}: {file} ({digest})", wrong.word()),
        Finding::Personal { account, table } => println!("personal data is left of the erased account {account}: {table}"),
        Finding::Overdue { id } => println!("should have been erased: {id}"),
        Finding::Incomplete { account } => println!("a deleted account lost what brings it back: {account}"),
        Finding::Orphan { digest } => println!("no row: {digest} (removed by itself when it is a day old)"),
    }
}
