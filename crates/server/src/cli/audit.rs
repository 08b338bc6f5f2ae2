//! `strongroom audit`: the audit trail at the shell: is it whole, what stands in it, and what of it is kept in a second place.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use index::act::view;
use index::audit::{self, Checkpoint, Filter, Finding, Line, Understood, Verified};
use index::ids::Site;
use index::policy::{Actor, ReadTrail};
use index::{Env, Refused};
use serde_json::json;

use super::{Common, account};

/// Flags of `audit`.
#[derive(Args, Debug)]
pub struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Hold every row against its seal, and the seals against each other. Changes nothing.
    Verify {
        /// A checkpoint that was kept elsewhere: the trail must still hold its seal.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// One JSON object a line: each finding, then what was verified.
        #[arg(long)]
        json: bool,
    },
    /// Write the newest seal with its signature, to be kept where this machine cannot reach it.
    Checkpoint {
        /// Into this file; standard output when none is named.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print the public keys with which seals are checked.
    Key,
    /// Print rows as JSON, one a line, oldest first.
    Export {
        #[command(flatten)]
        filter: Typed,
        /// Rows after this place.
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: i64,
    },
    /// Print a page of rows for people, newest first.
    Query {
        #[command(flatten)]
        filter: Typed,
        /// Rows before this place.
        #[arg(long, value_name = "SEQ")]
        before: Option<i64>,
    },
}

/// What is looked for.
#[derive(Args, Debug)]
struct Typed {
    /// A user name or the id of an account: it acted, or the row is about it.
    #[arg(long, value_name = "NAME", default_value = "")]
    account: String,
    /// A project.
    #[arg(long, value_name = "NAME", default_value = "")]
    project: String,
    /// A kind of event; `account:login:*` is every kind that begins so.
    #[arg(long, value_name = "KIND", default_value = "")]
    kind: String,
    /// A kind of credential (`session`, `api_token`, …) or the id of one.
    #[arg(long, value_name = "KIND|ID", default_value = "")]
    credential: String,
    /// The number of a case: what opened it, and what was done in it.
    #[arg(long = "case", value_name = "ID", default_value = "")]
    case: String,
    /// A network address, or a network as in 192.0.2.0/24.
    #[arg(long, value_name = "CIDR", default_value = "")]
    network: String,
    /// From this moment on: a date, or RFC 3339.
    #[arg(long, value_name = "TIME", default_value = "")]
    since: String,
    /// Before this moment.
    #[arg(long, value_name = "TIME", default_value = "")]
    until: String,
}

impl From<Typed> for Filter {
    fn from(typed: Typed) -> Self {
        let Typed { account, project, kind, credential, case, network, since, until } = typed;
        Self { account, project, kind, credential, case, network, since, until }
    }
}

impl Audit {
    /// Does what was asked.
    ///
    /// # Errors
    /// One sentence: what cannot be opened or read, or that something was found.
    pub async fn run(self, common: &Common) -> anyhow::Result<()> {
        let env = common.open(common.settings(BTreeMap::new())?).await?;
        let done = match self.what {
            What::Verify { checkpoint, json } => verify(&env, checkpoint, json).await,
            What::Checkpoint { file } => checkpoint(&env, file).await,
            What::Key => {
                print_keys(&env);
                Ok(())
            }
            What::Export { filter, after } => Reader::new(&env, filter.into()).await?.export(after).await,
            What::Query { filter, before } => Reader::new(&env, filter.into()).await?.query(before).await,
        };
        env.db.clone().close().await;
        done
    }
}

async fn verify(env: &Env, file: Option<PathBuf>, json: bool) -> anyhow::Result<()> {
    let kept = file.map(|file| read_checkpoint(env, &file)).transpose()?;
    let print = if json { print_finding_json } else { print_finding };
    let done = audit::verify(env, kept.as_ref(), |finding| print(&finding)).await.context("the trail cannot be read")?;
    print_verified(&done, json);
    if done.wrong > 0 {
        let findings = if done.wrong == 1 { "finding" } else { "findings" };
        bail!(
            "the audit trail is not as it was sealed ({} {findings}): keep a copy of this database as it is, then look at each",
            done.wrong
        );
    }
    Ok(())
}

fn read_checkpoint(env: &Env, file: &std::path::Path) -> anyhow::Result<Checkpoint> {
    let text = std::fs::read_to_string(file).with_context(|| format!("the checkpoint {} cannot be read", file.display()))?;
    Checkpoint::read(&env.keys, &text).with_context(|| format!("{} is no checkpoint of this index", file.display()))
}

#[expect(clippy::print_stdout, reason = "what was found is what the command is for")]
fn print_finding(finding: &Finding) {
    println!("{}", finding.sentence());
}

#[expect(clippy::print_stdout, reason = "what was found is what the command is for")]
fn print_finding_json(finding: &Finding) {
    println!("{}", json!({ "finding": finding.word(), "row": finding.place(), "seal": finding.seal(), "why": finding.sentence() }));
}

#[expect(clippy::print_stdout, reason = "what was found is what the command is for")]
fn print_verified(done: &Verified, json: bool) {
    let Verified { seals, events, vouched_to, vouched_at, unsealed, wrong } = done;
    let at = vouched_at.map(|at| at.rfc3339());
    if json {
        let all =
            json!({ "seals": seals, "events": events, "vouched_to": vouched_to, "vouched_at": at, "unsealed": unsealed, "wrong": wrong });
        println!("{all}");
        return;
    }
    println!("{events} rows are as they were sealed, in {seals} seals");
    match (at, wrong) {
        (Some(at), 0) => println!("vouches for every row up to {vouched_to}, sealed at {at}"),
        (Some(at), _) => {
            println!("the chain of seals is whole up to row {vouched_to}, sealed at {at}; rows named above are not vouched for")
        }
        (None, _) => println!("vouches for no row"),
    }
    if *unsealed > 0 {
        println!("{unsealed} rows are newer than the newest seal");
    }
}

#[expect(clippy::print_stdout, reason = "the checkpoint is what the command is for")]
async fn checkpoint(env: &Env, file: Option<PathBuf>) -> anyhow::Result<()> {
    let newest = audit::newest_checkpoint(env).await?.ok_or_else(|| anyhow!("nothing is sealed yet: start the index first"))?;
    match file {
        None => print!("{}", newest.to_text()),
        Some(file) => {
            std::fs::write(&file, newest.to_text()).with_context(|| format!("{} cannot be written", file.display()))?;
            println!("seal {}, up to row {}: {}", newest.number, newest.max_seq, file.display());
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the keys are what the command is for")]
fn print_keys(env: &Env) {
    for key in env.keys.seal_keys() {
        println!("ed25519 {} {}", key.key_id, key.to_text());
    }
}

/// Reads rows by a filter that was understood.
struct Reader<'e> {
    env: &'e Env,
    operator: Actor,
    filter: Understood,
}

impl<'e> Reader<'e> {
    async fn new(env: &'e Env, filter: Filter) -> anyhow::Result<Self> {
        let operator = account::operator(env, None);
        let read = view::<ReadTrail, _, _>(env, &operator, Site, move |read, permit| {
            Box::pin(async move { audit::read_filter(read, permit, &filter).await })
        });
        let filter = read.await.map_err(said)?;
        Ok(Self { env, operator, filter })
    }

    #[expect(clippy::print_stdout, reason = "the rows are what the command is for")]
    async fn export(&self, after: i64) -> anyhow::Result<()> {
        let mut next = Some(after);
        while let Some(after) = next {
            let (env, filter) = (self.env.clone(), self.filter.clone());
            let page = view::<ReadTrail, _, _>(self.env, &self.operator, Site, move |read, permit| {
                Box::pin(async move { audit::export(&env, read, permit, (&filter, after)).await })
            });
            let page = page.await.map_err(said)?;
            for line in &page.lines {
                println!("{}", serde_json::to_string(line)?);
            }
            next = page.next;
        }
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "the rows are what the command is for")]
    async fn query(&self, before: Option<i64>) -> anyhow::Result<()> {
        let (env, filter) = (self.env.clone(), self.filter.clone());
        let page = view::<ReadTrail, _, _>(self.env, &self.operator, Site, move |read, permit| {
            Box::pin(async move { audit::page(&env, read, permit, (&filter, before)).await })
        });
        let page = page.await.map_err(said)?;
        for line in &page.lines {
            println!("{}", as_text(line));
        }
        match page.next {
            Some(next) => println!("older rows: --before {next}"),
            None if page.lines.is_empty() => println!("no row matches"),
            None => {}
        }
        Ok(())
    }
}

fn as_text(line: &Line) -> String {
    let about = line.account.as_ref().map(|account| format!(" about {account}")).unwrap_or_default();
    let project = line.project.as_ref().map(|project| format!(" on {project}")).unwrap_or_default();
    let from = line.ip.as_ref().map(|ip| format!(" from {ip}")).unwrap_or_default();
    format!("{} {} {} by {}{about}{project} with {}{from}: {}", line.seq, line.at, line.kind, line.actor, line.credential, line.sentence)
}

fn said(refused: Refused) -> anyhow::Error {
    match refused {
        Refused::Invalid(invalid) => anyhow!("--{}: {}", invalid.field, invalid.message),
        other => anyhow::Error::new(other),
    }
}
