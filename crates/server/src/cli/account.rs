//! `strongroom account`: what the operator does at the shell. Acts record who did it; passwords and factors are never chosen here.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use index::accounts::addresses::{self, Address, Because};
use index::accounts::deleted;
use index::accounts::freeze::{self, Frozen};
use index::accounts::names::UserName;
use index::accounts::setup;
use index::accounts::show::{self, Shown};
use index::act::{act, view};
use index::audit;
use index::ids::{AccountId, EventId, Site};
use index::policy::{
    Actor, CreateAccount, Denied, FreezeAccount, InspectAccount, MakeResetLink, MakeSetupLink, ThawAccount, UndeleteAccountAtShell,
    UnverifyAddress,
};
use index::signin::reset;
use index::{Env, Refused};

use super::Common;

/// Flags of `account`.
#[derive(Args, Debug)]
pub struct Account {
    /// The login name of the person who acts, for the record; the system's when it is not given.
    #[arg(long = "as", global = true, value_name = "NAME")]
    operator: Option<String>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Create an account and print the link with which its owner completes it.
    Create {
        /// The user name.
        name: String,
        /// The owner's mail address.
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// A role of the staff.
        #[arg(long, value_enum)]
        role: Option<StaffRole>,
    },
    /// Show what an account is and has.
    Show {
        /// The user name.
        name: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a new set-up link for an account that was never completed; the one before ends.
    SetupLink {
        /// The user name.
        name: String,
    },
    /// Print a link to choose a new password, good once and for half an hour: administrators get none by mail.
    ResetLink(Stop),
    /// Stop an account: its sessions, tokens and running uploads. Nothing is deleted.
    Freeze(Stop),
    /// Let an account go again: exactly as it was, except for causes that others added.
    Thaw(Stop),
    /// Bring a deleted account back, within its time: exactly as it was.
    Undelete(Stop),
    /// Take the proof of an address away: its owner verifies it again before anything else.
    Unverify {
        /// The mail address.
        address: String,
        /// Why: it stands in the account's history and in the mail to its owner.
        #[arg(long, value_name = "TEXT", default_value = "the people who run this index asked for it")]
        reason: String,
    },
}

/// What `freeze`, `thaw`, `undelete` and `reset-link` take.
#[derive(Args, Debug)]
struct Stop {
    /// The user name.
    name: String,
    /// Why: it stands in the account's history and in the mail about it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// A role of the staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StaffRole {
    /// Administers the index.
    Administrator,
}

impl Account {
    /// Does what was asked.
    ///
    /// # Errors
    /// One sentence: what was refused, or what cannot be opened.
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let env = common.open(common.settings(BTreeMap::new())?).await?;
        let operator = operator(&env, self.operator);
        common.note_shift(&env, &operator).await?;
        let done = Shell { env: env.clone(), operator }.run(self.what).await;
        // Nothing else may be running that seals what was done.
        audit::seal(&env).await?;
        env.db.clone().close().await;
        done
    }
}

/// The operator at the shell, by the name that was given, else by the system's login name (R32).
pub(super) fn operator(env: &Env, name: Option<String>) -> Actor {
    let request_id = EventId::new(env.now(), &*env.entropy).to_string();
    Actor::operator(&name.unwrap_or_else(login_name), request_id)
}

/// Who stands at the shell: behind `sudo` the person, not root.
fn login_name() -> String {
    let from = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let known = ["SUDO_USER", "LOGNAME", "USER"].into_iter().find_map(from);
    known.or_else(|| Some(format!("uid {}", uid()?))).unwrap_or_else(|| "unknown".to_owned())
}

/// The user id of this process, as its own folder in `/proc` has it.
fn uid() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|own| std::os::unix::fs::MetadataExt::uid(&own))
}

struct Shell {
    env: Env,
    operator: Actor,
}

impl Shell {
    async fn run(&self, what: What) -> anyhow::Result<()> {
        match what {
            What::Create { name, email, role } => self.create(&name, &email, role).await,
            What::Show { name, json } => self.show(&name, json).await,
            What::SetupLink { name } => {
                let account = self.find(&name).await?;
                self.print_link(account, &name).await
            }
            What::ResetLink(stop) => self.reset_link(&stop).await,
            What::Freeze(stop) => self.freeze(&stop).await,
            What::Thaw(stop) => self.thaw(&stop).await,
            What::Undelete(stop) => self.undelete(&stop).await,
            What::Unverify { address, reason } => self.unverify(&address, reason).await,
        }
    }

    async fn create(&self, name: &str, email: &str, role: Option<StaffRole>) -> anyhow::Result<()> {
        let username = UserName::parse(name).map_err(anyhow::Error::new)?;
        let address = Address::parse(email).map_err(anyhow::Error::new)?;
        let administrator = role == Some(StaffRole::Administrator);
        let env = self.env.clone();
        let created = act::<CreateAccount, _, _>(&self.env, &self.operator, Site, move |tx, permit| {
            let (env, username, address) = (env.clone(), username.clone(), address.clone());
            Box::pin(async move { setup::create(&env, tx, permit, (&username, &address), administrator).await })
        });
        let account = created.await.map_err(|refused| said(refused, name))?;
        self.print_link(account, name).await
    }

    #[expect(clippy::print_stdout, reason = "the link is what the command is for")]
    async fn print_link(&self, account: AccountId, name: &str) -> anyhow::Result<()> {
        let link = setup_link(&self.env, &self.operator, Some(account)).await.map_err(|refused| said(refused, name))?;
        println!("{link}");
        Ok(())
    }

    async fn find(&self, name: &str) -> anyhow::Result<AccountId> {
        let typed = name.to_owned();
        let found = view::<InspectAccount, _, _>(&self.env, &self.operator, Site, move |read, permit| {
            Box::pin(async move { show::find(read, permit, &typed).await })
        });
        found.await.map_err(|refused| said(refused, name))
    }

    #[expect(clippy::print_stdout, reason = "the account is what the command is for")]
    async fn show(&self, name: &str, json: bool) -> anyhow::Result<()> {
        let typed = name.to_owned();
        let found = view::<InspectAccount, _, _>(&self.env, &self.operator, Site, move |read, permit| {
            Box::pin(async move { show::inspect(read, permit, &typed).await })
        });
        let shown = found.await.map_err(|refused| said(refused, name))?;
        if json {
            println!("{}", serde_json::to_string_pretty(&shown)?);
        } else {
            println!("{}", as_text(&shown));
        }
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "the link is what the command is for")]
    async fn reset_link(&self, stop: &Stop) -> anyhow::Result<()> {
        let account = self.find(&stop.name).await?;
        let (env, reason) = (self.env.clone(), stop.reason.clone());
        let made = act::<MakeResetLink, _, _>(&self.env, &self.operator, account, move |tx, permit| {
            let (env, reason) = (env.clone(), reason.clone());
            Box::pin(async move { reset::make_link(&env, tx, permit, &reason).await })
        });
        let token = made.await.map_err(|refused| said(refused, &stop.name))?;
        println!("{}", self.env.config.link(&format!("/account/reset-password/?token={}", token.expose())));
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    async fn freeze(&self, stop: &Stop) -> anyhow::Result<()> {
        let account = self.find(&stop.name).await?;
        let (env, reason) = (self.env.clone(), stop.reason.clone());
        let frozen = act::<FreezeAccount, _, _>(&self.env, &self.operator, account, move |tx, permit| {
            let (env, reason) = (env.clone(), reason.clone());
            Box::pin(async move { freeze::freeze(&env, tx, permit, &reason).await })
        });
        match frozen.await.map_err(|refused| said(refused, &stop.name))? {
            Frozen::Now => println!("{} is frozen: its sessions, tokens and uploads stop now", stop.name),
            Frozen::Already => println!("{} was frozen already; this cause was added to the others", stop.name),
        }
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    async fn thaw(&self, stop: &Stop) -> anyhow::Result<()> {
        let account = self.find(&stop.name).await?;
        let (env, reason) = (self.env.clone(), stop.reason.clone());
        let thawed = act::<ThawAccount, _, _>(&self.env, &self.operator, account, move |tx, permit| {
            let (env, reason) = (env.clone(), reason.clone());
            Box::pin(async move { freeze::thaw(&env, tx, permit, &reason).await })
        });
        let causes = thawed.await.map_err(|refused| said(refused, &stop.name))?;
        println!("{}: {causes} {} ended", stop.name, if causes == 1 { "cause" } else { "causes" });
        Ok(())
    }
}

impl Shell {
    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    async fn unverify(&self, typed: &str, reason: String) -> anyhow::Result<()> {
        let address = typed.to_owned();
        let found = view::<InspectAccount, _, _>(&self.env, &self.operator, Site, move |read, permit| {
            Box::pin(async move { show::find_by_address(read, permit, &address).await })
        });
        let account = found.await.map_err(|refused| said(refused, typed))?;
        let folded = Address::parse(typed)?.folded();
        let (env, because) = (self.env.clone(), Because { word: "operator", reason });
        let done = act::<UnverifyAddress, _, _>(&self.env, &self.operator, account.id, move |tx, permit| {
            let (env, folded, because) = (env.clone(), folded.clone(), because.clone());
            Box::pin(async move { addresses::unverify_address(&env, tx, permit, &folded, &because).await })
        });
        done.await.map_err(|refused| said(refused, typed))?;
        println!("{typed} is no longer verified: {} verifies it again before anything else", account.username);
        Ok(())
    }
}

impl Shell {
    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    async fn undelete(&self, stop: &Stop) -> anyhow::Result<()> {
        let account = self.find(&stop.name).await?;
        let (env, reason) = (self.env.clone(), stop.reason.clone());
        let done = act::<UndeleteAccountAtShell, _, _>(&self.env, &self.operator, account, move |tx, permit| {
            let (env, reason) = (env.clone(), reason.clone());
            Box::pin(async move { deleted::undelete(&env, tx, permit, &reason).await })
        });
        done.await.map_err(|refused| said(refused, &stop.name))?;
        println!("{} is no longer deleted: its roles and API tokens are as they were, and its owner signs in again", stop.name);
        Ok(())
    }
}

/// Makes a set-up link and writes it out whole.
pub(super) async fn setup_link(env: &Env, actor: &Actor, account: Option<AccountId>) -> Result<String, Refused> {
    let inner = env.clone();
    let token = act::<MakeSetupLink, _, _>(env, actor, Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { setup::link(&env, tx, permit, account).await })
    });
    Ok(env.config.link(&format!("/setup/?token={}", token.await?.expose())))
}

/// A refusal as the one sentence of the command.
fn said(refused: Refused, name: &str) -> anyhow::Error {
    match refused {
        Refused::Denied(Denied::Hidden) => anyhow!("no account has the user name `{name}`"),
        Refused::Invalid(invalid) => anyhow!("{name}: {}", invalid.message),
        other => anyhow::Error::new(other),
    }
}

fn as_text(shown: &Shown) -> String {
    let mut lines = vec![format!("name: {}", shown.name), format!("state: {}", shown.state), format!("created: {}", shown.created)];
    for address in &shown.addresses {
        let marks = [(address.primary, "primary"), (address.verified, "verified"), (!address.verified, "not verified")];
        let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
        lines.push(format!("address: {} ({})", address.address, marks.join(", ")));
    }
    lines.extend(shown.factors.iter().map(|kind| format!("factor: {kind}")));
    for role in &shown.roles {
        let on = role.project.as_ref().map(|project| format!(" of {project}")).unwrap_or_default();
        lines.push(format!("role: {}{on}", role.role));
    }
    lines.join("\n")
}

/// On a start with no administrator: the link for the first one. A new start ends the links before it.
///
/// # Errors
/// The database.
#[expect(clippy::print_stdout, reason = "the link goes to the person who started the index, and nowhere else")]
pub(super) async fn print_first_link(env: &Env) -> anyhow::Result<()> {
    let request_id = EventId::new(env.now(), &*env.entropy).to_string();
    let actor = Actor::worker("serve", request_id);
    match setup_link(env, &actor, None).await {
        Ok(link) => println!("No administrator yet. This link makes the first one; it works once, for an hour:\n{link}"),
        // Somebody administers the index: nothing to print.
        Err(Refused::Invalid(_)) => {}
        Err(other) => bail!(other),
    }
    Ok(())
}
