//! A case as the shell prints it: what opened it, whom it concerns, what was done when and by whom, and how that is undone.

use serde::Serialize;

use super::casework::{Act, Detail};
use crate::cases::Did;

/// A case, as `incident case` and `incident report` print it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its id.
    pub case: String,
    /// What opened it: `not-me`, `alarm`, `veto`, `cloned`, `staff`, `restore`, `take-back`, `phished`.
    pub kind: String,
    /// One sentence.
    pub why: String,
    /// `open` or `closed`.
    pub state: &'static str,
    /// RFC 3339.
    pub opened_at: String,
    /// A user name, or the operator.
    pub opened_by: String,
    /// What happened at that moment.
    pub opened_with: String,
    /// RFC 3339; nothing while it is open.
    pub closed_at: Option<String>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// What happened at that moment; the decision, where people took one.
    pub closed_with: Option<String>,
    /// User names.
    pub accounts: Vec<String>,
    /// Names of projects.
    pub projects: Vec<String>,
    /// What was done in it, oldest first.
    pub acts: Vec<Done>,
}

/// What was done in a case.
#[derive(Clone, Debug, Serialize)]
pub struct Done {
    /// RFC 3339.
    pub at: String,
    /// A user name, or the operator.
    pub by: String,
    /// `freeze`, `pause`, `thaw`, `quarantine`, `release`, `stop-hold`, `note`, `close`, `restore`, `undo`.
    pub did: &'static str,
    /// The account that it was done to.
    pub account: Option<String>,
    /// The project that it was done to.
    pub project: Option<String>,
    /// The reason, the note, or the decision.
    pub text: String,
    /// The event that recorded it.
    pub batch: String,
    /// Whether what it did can be undone, and was not.
    pub in_force: bool,
    /// The command that undoes it, while it is in force.
    pub undo: Option<String>,
}

impl Report {
    /// The report of a case.
    #[must_use]
    pub fn of(case: &Detail) -> Self {
        let closed = case.closed.clone();
        let (closed_at, closed_by, closed_with) = match closed {
            Some((at, by, with)) => (Some(at.rfc3339()), Some(by), Some(with)),
            None => (None, None, None),
        };
        let id = case.id.to_string();
        Self {
            state: if closed_at.is_some() { "closed" } else { "open" },
            kind: case.kind.clone(),
            why: case.why.clone(),
            opened_at: case.opened_at.rfc3339(),
            opened_by: case.opened_by.clone(),
            opened_with: case.opened_with.clone(),
            closed_at,
            closed_by,
            closed_with,
            accounts: case.accounts.clone(),
            projects: case.projects.clone(),
            acts: case.acts.iter().map(|act| done(&id, act)).collect(),
            case: id,
        }
    }
}

fn done(case: &str, act: &Act) -> Done {
    let undo = match (act.did, &act.account, &act.project) {
        _ if !act.in_force => None,
        (Did::Freeze | Did::Pause, Some(name), _) => Some(format!("strongroom incident thaw --account {name} --case {case} --reason TEXT")),
        (Did::Restore | Did::Undo, ..) => Some(format!("strongroom incident undo --batch {} --reason TEXT", act.event)),
        (Did::Quarantine, _, Some(name)) => Some(format!("strongroom incident release --project {name} --case {case} --reason TEXT")),
        _ => None,
    };
    Done {
        at: act.at.rfc3339(),
        by: act.by.clone(),
        did: act.did.wire(),
        account: act.account.clone(),
        project: act.project.clone(),
        text: act.text.clone(),
        batch: act.event.to_string(),
        in_force: act.in_force,
        undo,
    }
}
