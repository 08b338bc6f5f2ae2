//! Cases from the shell: the list, one of them, its report, notes and the decision.

use std::fmt::Write;

use clap::{Args, ValueEnum};
use index::Env;
use index::act::{act, view};
use index::ids::{CaseId, Site};
use index::policy::{Actor, CloseCase, InspectCases, NoteCase};
use index::staff::casework::{self, Shown};
use index::staff::report::Report as Written;
use serde_json::json;

use super::acts::{case, said};

/// Which cases are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    /// Those that wait for a decision.
    Open,
    /// Those that have one.
    Closed,
    /// All.
    All,
}

/// What `cases` takes.
#[derive(Args, Debug)]
pub(super) struct List {
    /// Which cases.
    #[arg(long, value_enum, default_value = "open")]
    state: State,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let shown = match self.state {
            State::Open => Shown::Open,
            State::Closed => Shown::Closed,
            State::All => Shown::All,
        };
        let mut before = None;
        loop {
            let page = view::<InspectCases, _, _>(env, operator, Site, move |read, permit| {
                Box::pin(async move { casework::list(read, permit, shown, before).await })
            });
            let page = page.await?;
            page.lines.iter().for_each(|line| self.print(line));
            before = page.next;
            if before.is_none() {
                return Ok(());
            }
        }
    }

    #[expect(clippy::print_stdout, reason = "the list is what the command is for")]
    fn print(&self, line: &casework::Line) {
        let state = if line.closed_at.is_some() { "closed" } else { "open" };
        if self.json {
            let out = json!({
                "case": line.id.to_string(), "kind": line.kind, "why": line.why, "state": state,
                "opened_at": line.opened_at.rfc3339(), "closed_at": line.closed_at.map(index::clock::Time::rfc3339),
                "accounts": line.accounts, "projects": line.projects,
            });
            println!("{out}");
        } else {
            println!("{}  {}  {state}  {}", line.id, line.opened_at.rfc3339(), line.why);
        }
    }
}

/// What `case` takes.
#[derive(Args, Debug)]
pub(super) struct Show {
    /// The number of the case.
    #[arg(value_name = "ID")]
    case: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What `report` takes.
#[derive(Args, Debug)]
pub(super) struct Report {
    /// The number of the case.
    #[arg(long, value_name = "ID")]
    case: String,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

async fn read(env: &Env, operator: &Actor, case: CaseId) -> anyhow::Result<Written> {
    let found = view::<InspectCases, _, _>(env, operator, Site, move |read, permit| {
        Box::pin(async move { casework::whole(read, permit, case).await })
    });
    Ok(Written::of(&found.await.map_err(|refused| said(refused, &format!("case `{case}`")))?))
}

#[expect(clippy::print_stdout, reason = "the case is what the command is for")]
fn print(case: &Written, json: bool, text: fn(&Written) -> String) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(case)?);
    } else {
        println!("{}", text(case).trim_end());
    }
    Ok(())
}

impl Show {
    pub(super) async fn run(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        print(&read(env, operator, case(&self.case)?).await?, self.json, as_card)
    }
}

impl Report {
    pub(super) async fn run(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        print(&read(env, operator, case(&self.case)?).await?, self.json, as_story)
    }
}

fn names(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// What it is, whom it concerns, and what of it is in force with the command that ends it.
fn as_card(case: &Written) -> String {
    let mut lines = vec![
        format!("case: {}", case.case),
        format!("state: {}", case.state),
        format!("opened by: {} ({})", case.kind, case.why),
        format!("opened at: {}", case.opened_at),
        format!("accounts: {}", names(&case.accounts)),
        format!("projects: {}", names(&case.projects)),
    ];
    lines.extend(
        case.acts.iter().filter_map(|act| act.undo.as_ref().map(|undo| format!("in force: {} since {}; undo: {undo}", act.did, act.at))),
    );
    lines.join("\n")
}

/// From beginning to end, to be sent on.
fn as_story(case: &Written) -> String {
    let mut out =
        format!("# Case {}\n\n{}\n\nAccounts: {}. Projects: {}.\n\n", case.case, case.why, names(&case.accounts), names(&case.projects));
    let mut say = |line: String| writeln!(out, "{line}").expect("text grows");
    say(format!("- {}  opened by {}: {}", case.opened_at, case.opened_by, case.opened_with));
    for act in &case.acts {
        let on: Vec<&str> = act.account.iter().chain(&act.project).map(String::as_str).collect();
        let on = if on.is_empty() { String::new() } else { format!(" ({})", on.join(", ")) };
        say(format!("- {}  {} by {}{on}: {}", act.at, act.did, act.by, act.text.replace('\n', "\n  ")));
        if let Some(undo) = &act.undo {
            say(format!("  In force. Undo: {undo}"));
        }
    }
    if let (Some(at), Some(by), Some(with)) = (&case.closed_at, &case.closed_by, &case.closed_with) {
        say(format!("- {at}  closed by {by}: {with}"));
    } else {
        say("\nThe case is open.".to_owned());
    }
    out
}

/// What `note` takes.
#[derive(Args, Debug)]
pub(super) struct Note {
    /// The number of the case.
    #[arg(long, value_name = "ID")]
    case: String,
    /// The note.
    #[arg(long, value_name = "TEXT")]
    text: String,
}

/// What `close` takes.
#[derive(Args, Debug)]
pub(super) struct Close {
    /// The number of the case.
    #[arg(long, value_name = "ID")]
    case: String,
    /// The decision: what was found, and what follows.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Note {
    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    pub(super) async fn run(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let (case, inner, text) = (case(&self.case)?, env.clone(), self.text.clone());
        let done = act::<NoteCase, _, _>(env, operator, case, move |tx, permit| {
            let (env, text) = (inner.clone(), text.clone());
            Box::pin(async move { casework::note(&env, tx, permit, &text).await })
        });
        done.await.map_err(|refused| said(refused, &format!("case `{case}`")))?;
        println!("the note stands in the case {case}");
        Ok(())
    }
}

impl Close {
    #[expect(clippy::print_stdout, reason = "what was done is what the command says")]
    pub(super) async fn run(&self, env: &Env, operator: &Actor) -> anyhow::Result<()> {
        let (case, inner, reason) = (case(&self.case)?, env.clone(), self.reason.clone());
        let done = act::<CloseCase, _, _>(env, operator, case, move |tx, permit| {
            let (env, reason) = (inner.clone(), reason.clone());
            Box::pin(async move { casework::close(&env, tx, permit, &reason).await })
        });
        done.await.map_err(|refused| said(refused, &format!("case `{case}`")))?;
        println!("the case {case} is closed; what was stopped in it stays so until it is undone");
        Ok(())
    }
}
