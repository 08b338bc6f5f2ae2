//! Which roles a restore or its undo changes: an event for each, told to whose role it is; and the list that the Owners read in their mail.

use crate::db::entities::roles;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, RoleEndedByRestore, RoleReturnedByRestore};
use crate::ids::{AccountId, CaseId, ProjectId};
use crate::policy::{Action, Permit};
use crate::refused::Refused;

use super::deeds::Deed;
use super::project::{by_id, username};

/// How many changes a list names; the events name them all.
const LISTED: usize = 50;

/// One role that ends or comes back.
#[derive(Clone, Debug)]
pub(super) struct Change {
    project: ProjectId,
    name: String,
    account: AccountId,
    username: String,
    role: String,
    returns: bool,
}

impl Change {
    /// A role that comes back, or ends.
    pub(super) async fn of<R: Reading>(read: &R, row: &roles::Model, returns: bool) -> Result<Self, Refused> {
        let name = by_id(read, row.project_id).await?.map(|project| project.name).unwrap_or_default();
        let username = username(read, row.account_id).await?;
        Ok(Self { project: row.project_id, name, account: row.account_id, username, role: row.role.clone(), returns })
    }

    fn says(&self) -> String {
        if self.returns {
            format!("{} is {} again", self.username, self.role)
        } else {
            format!("{} is no longer {}", self.username, self.role)
        }
    }
}

/// What a restore does to roles. Who has the same role again, with its old age, has lost none.
pub(super) async fn changes<R: Reading>(read: &R, deeds: &[Deed]) -> Result<Vec<Change>, Refused> {
    let mut found = Vec::new();
    for deed in deeds {
        match deed {
            Deed::EndRole(row) if !deeds.iter().any(|other| returns(other, row)) => found.push(Change::of(read, row, false).await?),
            Deed::ReturnRole(row) => found.push(Change::of(read, row, true).await?),
            _ => {}
        }
    }
    Ok(found)
}

fn returns(deed: &Deed, ended: &roles::Model) -> bool {
    matches!(deed, Deed::ReturnRole(row) if (row.project_id, row.account_id, &row.role) == (ended.project_id, ended.account_id, &ended.role))
}

/// The changes of one project, for its Owners: parts of a list with `; ` between them.
pub(super) fn list(changes: &[Change], project: ProjectId) -> String {
    let all: Vec<String> = changes.iter().filter(|change| change.project == project).map(Change::says).collect();
    let mut listed = all.iter().take(LISTED).cloned().collect::<Vec<_>>();
    if all.len() > LISTED {
        listed.push(format!("and {} more, in the history of the project", all.len() - LISTED));
    }
    listed.join("; ")
}

/// An event for each, after the one that names the batch.
pub(super) async fn record<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    changes: Vec<Change>,
    (case, reason): (CaseId, &str),
) -> Result<(), Refused> {
    for change in changes {
        let Change { project, name, account, username, role, returns } = change;
        let reason = reason.to_owned();
        if returns {
            let event = RoleReturnedByRestore { username, role, project: name, reason };
            events::record(env, tx, permit, Entry::of(event).about(account).on_project(project).in_case(case)).await?;
        } else {
            let event = RoleEndedByRestore { username, role, project: name, reason };
            events::record(env, tx, permit, Entry::of(event).about(account).on_project(project).in_case(case)).await?;
        }
    }
    Ok(())
}
