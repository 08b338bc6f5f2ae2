//! Stopping one account or project and letting it go again, in a case.

use anyhow::anyhow;
use clap::Args;
use index::accounts::show;
use index::act::{act, view};
use index::ids::{CaseId, Site};
use index::policy::{Actor, Denied, FreezeAccount, InspectAccount, InspectCases, QuarantineProject, ReleaseProject, ThawAccount};
use index::resources::StaffProject;
use index::staff::{Done, Undone, Which, accounts, casework, projects};
use index::{Env, Refused};
use serde_json::json;

/// What an act in a case takes.
#[derive(Args, Debug)]
struct Order {
    /// The case, by its number: an open one to join, or the one whose act is taken back. Left out: a new one, or the only one there is.
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    /// Why: it stands in the history and in the mail to those concerned.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What `freeze` and `thaw` take.
#[derive(Args, Debug)]
pub(super) struct OnAccount {
    /// The user name.
    #[arg(long, value_name = "NAME")]
    account: String,
    #[command(flatten)]
    order: Order,
}

/// What `quarantine` and `release` take.
#[derive(Args, Debug)]
pub(super) struct OnProject {
    /// The project's name.
    #[arg(long, value_name = "NAME")]
    project: String,
    #[command(flatten)]
    order: Order,
}

/// A refusal as the one sentence of the command.
pub(super) fn said(refused: Refused, what: &str) -> anyhow::Error {
    match refused {
        Refused::Denied(Denied::Hidden) => anyhow!("there is no {what}"),
        Refused::Invalid(invalid) => anyhow!("{what}: {}", invalid.message),
        other => anyhow::Error::new(other),
    }
}

/// The case that was named.
pub(super) fn case(typed: &str) -> anyhow::Result<CaseId> {
    CaseId::parse(typed).ok_or_else(|| anyhow!("`{typed}` is no number of a case: `strongroom incident cases` lists them"))
}

impl Order {
    fn joins(&self) -> anyhow::Result<Option<CaseId>> {
        self.case.as_deref().map(case).transpose()
    }

    /// The case that was named, else the only one that stops this account or project.
    async fn takes_back(&self, env: &Env, operator: &Actor, subject: uuid::Uuid, what: &str) -> anyhow::Result<Which> {
        if let Some(case) = self.joins()? {
            return Ok(Which { case, act: None });
        }
        let only = view::<InspectCases, _, _>(env, operator, Site, move |read, permit| {
            Box::pin(async move { casework::only_one(read, permit, subject).await })
        });
        Ok(Which { case: only.await.map_err(|refused| said(refused, what))?, act: None })
    }

    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    fn print_done(&self, done: Done, (key, what, says): (&str, &str, &str)) {
        if self.json {
            let (now, already) = if done.already { (0, 1) } else { (1, 0) };
            let out = json!({ "case": done.case.to_string(), "batch": done.batch.to_string(), key: now, "already": already, "excluded_count": 0 });
            println!("{out}");
        } else if done.already {
            println!("{what} was so already; this cause was added to the others, in the case {}", done.case);
        } else {
            println!("{what} {says}, in the case {}", done.case);
        }
    }

    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    fn print_undone(&self, undone: Undone, (key, what): (&str, &str)) {
        if self.json {
            let out =
                json!({ "case": undone.case.to_string(), "batch": undone.batch.to_string(), key: 1, "already": 0, "excluded_count": 0 });
            println!("{out}");
        } else {
            println!("{what}: {} {} ended", undone.causes, if undone.causes == 1 { "cause" } else { "causes" });
        }
    }
}

impl OnAccount {
    fn what(&self) -> String {
        format!("account `{}`", self.account)
    }

    async fn find(&self, env: &Env, operator: &Actor) -> anyhow::Result<index::ids::AccountId> {
        let name = self.account.clone();
        let found = view::<InspectAccount, _, _>(env, operator, Site, move |read, permit| {
            Box::pin(async move { show::find(read, permit, &name).await })
        });
        found.await.map_err(|refused| said(refused, &self.what()))
    }

    pub(super) async fn freeze(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let (account, case) = (self.find(env, operator).await?, self.order.joins()?);
        let (inner, reason) = (env.clone(), self.order.reason.clone());
        let done = act::<FreezeAccount, _, _>(env, operator, account, move |tx, permit| {
            let (env, reason) = (inner.clone(), reason.clone());
            Box::pin(async move { accounts::freeze(&env, tx, permit, &reason, case).await })
        });
        let done = done.await.map_err(|refused| said(refused, &self.what()))?;
        self.order.print_done(done, ("frozen", &self.what(), "is frozen: its sessions, tokens and uploads stop now"));
        Ok(())
    }

    pub(super) async fn thaw(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let account = self.find(env, operator).await?;
        let which = self.order.takes_back(env, operator, account.0, &self.what()).await?;
        let (inner, reason) = (env.clone(), self.order.reason.clone());
        let done = act::<ThawAccount, _, _>(env, operator, account, move |tx, permit| {
            let (env, reason) = (inner.clone(), reason.clone());
            Box::pin(async move { accounts::thaw(&env, tx, permit, which, &reason).await })
        });
        let undone = done.await.map_err(|refused| said(refused, &self.what()))?;
        self.order.print_undone(undone, ("thawed", &self.what()));
        Ok(())
    }
}

impl OnProject {
    fn what(&self) -> String {
        format!("project `{}`", self.project)
    }

    async fn find(&self, env: &Env, operator: &Actor) -> anyhow::Result<StaffProject> {
        let name = self.project.clone();
        let found = view::<InspectCases, _, _>(env, operator, Site, move |read, permit| {
            Box::pin(async move { projects::find(read, permit, &name).await })
        });
        Ok(StaffProject(found.await.map_err(|refused| said(refused, &self.what()))?))
    }

    pub(super) async fn quarantine(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let (project, case) = (self.find(env, operator).await?, self.order.joins()?);
        let (inner, reason) = (env.clone(), self.order.reason.clone());
        let done = act::<QuarantineProject, _, _>(env, operator, project, move |tx, permit| {
            let (env, reason) = (inner.clone(), reason.clone());
            Box::pin(async move { projects::quarantine(&env, tx, permit, &reason, case).await })
        });
        let done = done.await.map_err(|refused| said(refused, &self.what()))?;
        self.order.print_done(done, ("quarantined", &self.what(), "is in quarantine: nobody finds or installs it now"));
        Ok(())
    }

    pub(super) async fn release(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let project = self.find(env, operator).await?;
        let which = self.order.takes_back(env, operator, project.0.0, &self.what()).await?;
        let (inner, reason) = (env.clone(), self.order.reason.clone());
        let done = act::<ReleaseProject, _, _>(env, operator, project, move |tx, permit| {
            let (env, reason) = (inner.clone(), reason.clone());
            Box::pin(async move { projects::release(&env, tx, permit, which, &reason).await })
        });
        let undone = done.await.map_err(|refused| said(refused, &self.what()))?;
        self.order.print_undone(undone, ("released", &self.what()));
        Ok(())
    }
}
