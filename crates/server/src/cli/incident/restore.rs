//! `incident restore` and `incident undo`: as it stood at a time, with the list of differences first.

use anyhow::{anyhow, bail};
use clap::Args;
use formats::name::ProjectName;
use index::act::{act, view};
use index::clock::Time;
use index::ids::{BatchId, CaseId, Site};
use index::policy::{Actor, Denied, InspectAccount, PlanRestore, RestoreAtShell, UndoRestore};
use index::resources::Restorable;
use index::restoring::{self, Difference, Does, Order, Restored};
use index::{Env, Refused};
use serde_json::{Value, json};

/// Flags of `incident restore`.
#[derive(Args, Debug)]
pub(super) struct Restore {
    /// The project: its roles, and what hides or stops it.
    #[arg(long, value_name = "NAME", required_unless_present = "account", conflicts_with = "account")]
    project: Option<String>,
    /// The account, and the projects that it owned.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// As it stood then: `2026-11-23T08:00:00Z`.
    #[arg(long, value_name = "RFC3339")]
    at: String,
    /// Why: it stands in the histories and in the mail about it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Join this case instead of opening one.
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    /// Only show what would be done.
    #[arg(long)]
    dry_run: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Flags of `incident undo`.
#[derive(Args, Debug)]
pub(super) struct Undo {
    /// What `incident restore` printed as the batch.
    #[arg(long, value_name = "ID")]
    batch: String,
    /// Why: it stands in the histories and in the mail about it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(super) async fn run(self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let at = Time::parse_rfc3339(&self.at).ok_or_else(|| anyhow!("`{}` is no time: write it like 2026-11-23T08:00:00Z", self.at))?;
        let case = match &self.case {
            Some(id) => Some(CaseId::parse(id).ok_or_else(|| anyhow!("no open case has the id `{id}`"))?),
            None => None,
        };
        let name = self.project.clone().or_else(|| self.account.clone()).unwrap_or_default();
        let said = |refused| said(refused, &name);
        let on = self.find(env, operator).await.map_err(said)?;
        if self.dry_run {
            let own = env.clone();
            let seen = view::<PlanRestore, _, _>(env, operator, on, move |read, permit| {
                Box::pin(async move { restoring::by_operator(&own, read, permit, at).await })
            });
            let seen = seen.await.map_err(said)?;
            let restored = Restored { done: None, restored: 0, already: seen.already, differences: seen.differences };
            return self.print(&restored, &name);
        }
        let (own, order) = (env.clone(), Order { at, reason: self.reason.clone(), case, digest: None });
        let done = act::<RestoreAtShell, _, _>(env, operator, on, move |tx, permit| {
            let (env, order) = (own.clone(), order.clone());
            Box::pin(async move { restoring::restore(&env, tx, permit, &order).await })
        });
        self.print(&done.await.map_err(said)?, &name)
    }

    async fn find(&self, env: &Env, operator: &Actor) -> Result<Restorable, Refused> {
        let (project, account) = (self.project.clone(), self.account.clone());
        view::<InspectAccount, _, _>(env, operator, Site, move |read, _| {
            Box::pin(async move {
                match (project, account) {
                    (Some(project), _) => {
                        let name = ProjectName::parse(&project).map_err(|_| Denied::Hidden)?;
                        restoring::find_project(read, name.normalized().as_str()).await
                    }
                    (None, account) => restoring::find_account(read, &account.unwrap_or_default()).await,
                }
            })
        })
        .await
    }

    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    fn print(&self, restored: &Restored, name: &str) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(&as_json(restored, self.dry_run))?);
            return Ok(());
        }
        for difference in &restored.differences {
            println!("{}", as_line(difference));
        }
        let (n, already) = (restored.differences.iter().filter(|one| one.does != Does::Stays).count(), restored.already);
        match restored.done {
            Some((batch, case)) => println!("{name}: {n} changed, {already} stood already; batch {batch}, case {case}"),
            None if self.dry_run => println!("{name}: {n} would change, {already} stand already; nothing was done"),
            None => println!("{name}: nothing differs that could be put back; {already} stand already"),
        }
        Ok(())
    }
}

impl Undo {
    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    pub(super) async fn run(self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let Some(batch) = BatchId::parse(&self.batch) else { bail!("no batch has the id `{}`", self.batch) };
        let (own, reason) = (env.clone(), self.reason.clone());
        let undone = act::<UndoRestore, _, _>(env, operator, batch, move |tx, permit| {
            let (env, reason) = (own.clone(), reason.clone());
            Box::pin(async move { restoring::undo(&env, tx, permit, &reason).await })
        });
        let undone = undone.await.map_err(|refused| match refused {
            Refused::Denied(Denied::Hidden) => anyhow!("no batch has the id `{}`", self.batch),
            other => said(other, &self.batch),
        })?;
        let (batch, case) = (undone.batch.to_string(), undone.case.to_string());
        if self.json {
            let text = json!({ "case": case, "batch": batch, "restored": undone.undone, "already": undone.already, "excluded_count": 0 });
            println!("{}", serde_json::to_string_pretty(&text)?);
        } else {
            println!("{} changed back, {} changed by others since; batch {batch}, case {case}", undone.undone, undone.already);
        }
        Ok(())
    }
}

fn as_json(restored: &Restored, dry_run: bool) -> Value {
    let (batch, case) = restored.done.unzip();
    json!({
        "case": case.map(|id| id.to_string()),
        "batch": batch.map(|id| id.to_string()),
        "restored": restored.restored,
        "already": restored.already,
        "excluded_count": 0,
        "dry_run": dry_run,
        "differences": restored.differences,
    })
}

fn as_line(difference: &Difference) -> String {
    let does = match difference.does {
        Does::Returns => "comes back",
        Does::ReturnsPaused => "comes back paused",
        Does::Ends => "ends",
        Does::Stops => "stopped",
        Does::Stays => "stays as it is",
    };
    let why = difference.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{does}: {}{why}", difference.what)
}

/// A refusal as the one sentence of the command.
fn said(refused: Refused, name: &str) -> anyhow::Error {
    match refused {
        Refused::Denied(Denied::Hidden) => anyhow!("there is no `{name}`"),
        Refused::Invalid(invalid) => anyhow!("{name}: {}", invalid.message),
        other => anyhow::Error::new(other),
    }
}
