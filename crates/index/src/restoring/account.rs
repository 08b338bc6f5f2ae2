//! What differs about an account: its deletion, addresses, factors, recovery codes, tokens, roles; and the projects that it owned. A
//! freeze, a containment and a quarantine stand: whoever added them lifts them.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use super::deeds::Deed;
use super::history::{Past, split};
use super::project::{self, OWNER};
use super::{Does, Plan, given};
use crate::accounts::{Account, addresses, taking_back};
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::{account_causes, addresses as address_rows, api_tokens, factors, invitations, recovery_sets, roles};
use crate::env::Env;
use crate::ids::ProjectId;
use crate::refused::{Invalid, Refused};

/// Everything that differs about one account.
pub(super) async fn plan<R: Reading>(env: &Env, read: &R, account: &Account, at: Time) -> Result<Plan, Refused> {
    if account.created_at > at {
        return Err(Invalid::new("at", format!("The account {} did not exist at that time.", account.username)).into());
    }
    if project::is_erased(env, read, account.id).await? {
        return Err(Invalid::new("", format!("The account {} was erased: nothing is left to put back.", account.username)).into());
    }
    let mut plan = Plan::default();
    deletion(read, account, at, &mut plan).await?;
    emails(read, account, at, &mut plan).await?;
    let proofs = proofs(read, account, at, &mut plan).await?;
    tokens(read, account, at, &mut plan).await?;
    projects(env, read, account, at, &mut plan).await?;
    given::roles_of(env, read, account, at, &mut plan).await?;
    offers(read, account, at, &mut plan).await?;
    ends(read, account, &mut plan).await?;
    let stolen = proofs || account.password_changed_at.is_some_and(|changed| changed > at);
    if stolen && !taking_back::is_contained(read, account.id).await? {
        let what = format!("{} waits for its owner, who takes it back with a settled mailbox and a settled factor", account.username);
        plan.does(("account", None), what, Does::Stops, Deed::Contain(account.id));
    }
    Ok(plan)
}

async fn deletion<R: Reading>(read: &R, account: &Account, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    let rows = account_causes::Entity::find()
        .filter(account_causes::Column::AccountId.eq(account.id))
        .filter(account_causes::Column::Kind.eq(project::DELETED));
    let (then, now) = split(read, rows.all(read.connection()).await?, at).await?;
    for cause in now {
        if then.iter().any(|other| other.from_at == cause.from_at) {
            plan.already += 1;
        } else {
            let what = format!("{} is deleted", account.username);
            plan.does(("deletion", Some(cause.id.0)), what, Does::Ends, Deed::EndCause(cause.id));
        }
    }
    Ok(())
}

/// Verified addresses, and which one is the primary one. An address that lost its proof is verified by its owner.
async fn emails<R: Reading>(read: &R, account: &Account, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    let rows = address_rows::Entity::find().filter(address_rows::Column::AccountId.eq(account.id)).all(read.connection()).await?;
    let (then, now) = split(read, rows, at).await?;
    let verified_then = |row: &&address_rows::Model| row.verified_at.is_some_and(|verified| verified <= at);
    let mut keeps_one = false;
    for row in then.iter().filter(verified_then) {
        keeps_one |= match now.iter().find(|other| other.folded == row.folded) {
            Some(open) => open.verified_at.is_some(),
            None => addresses::by_folded(read, &row.folded).await?.is_none(),
        };
    }
    for row in &now {
        let key = ("address", Some(row.id.0));
        if then.iter().any(|other| other.folded == row.folded) {
            plan.already += 1;
        } else if keeps_one || row.verified_at.is_none() {
            plan.does(key, row.address.clone(), Does::Ends, Deed::EndAddress(row.clone()));
        } else {
            plan.stays(key, row.address.clone(), "no other address of the account would be verified");
        }
    }
    let mut primary = None;
    for row in then.iter().filter(verified_then) {
        let key = ("address", Some(row.id.0));
        match now.iter().find(|other| other.folded == row.folded) {
            Some(open) if open.verified_at.is_none() => {
                plan.stays(key, row.address.clone(), "it lost its proof; its owner verifies it again")
            }
            Some(open) if row.is_primary && !open.is_primary => primary = Some(row),
            Some(_) => {}
            None if addresses::by_folded(read, &row.folded).await?.is_some() => {
                plan.stays(key, row.address.clone(), "another account has verified it");
            }
            None => {
                plan.does(key, row.address.clone(), Does::Returns, Deed::ReturnAddress(row.clone()));
                primary = primary.or_else(|| Some(row).filter(|row| row.is_primary));
            }
        }
    }
    if let Some(row) = primary {
        let what = format!("{} is the primary address", row.address);
        plan.does(("address", None), what, Does::Returns, Deed::MakePrimary(account.id, row.folded.clone()));
    }
    Ok(())
}

/// Factors and recovery codes: what came since ends, what is gone does not come back here. Says whether any of that is so.
async fn proofs<R: Reading>(read: &R, account: &Account, at: Time, plan: &mut Plan) -> Result<bool, Refused> {
    let before = plan.items.len();
    let rows = factors::Entity::find().filter(factors::Column::AccountId.eq(account.id)).all(read.connection()).await?;
    let (mut then, now) = split(read, rows, at).await?;
    for row in now {
        let is_this = |other: &factors::Model| other.id == row.id || (&other.kind, other.from_at) == (&row.kind, row.from_at);
        if let Some(found) = then.iter().position(is_this) {
            then.swap_remove(found);
            plan.already += 1;
        } else {
            plan.does(("factor", Some(row.id.0)), factor_says(&row), Does::Ends, Deed::EndFactor(row.id));
        }
    }
    for row in then {
        plan.stays(("factor", Some(row.id.0)), factor_says(&row), "it was removed; it comes back only by the owner's take-back");
    }
    let rows = recovery_sets::Entity::find().filter(recovery_sets::Column::AccountId.eq(account.id)).all(read.connection()).await?;
    let (mut then, now) = split(read, rows, at).await?;
    for row in now {
        if let Some(found) = then.iter().position(|other| other.id == row.id) {
            then.swap_remove(found);
            plan.already += 1;
        } else {
            plan.does(("codes", Some(row.id.0)), "A set of recovery codes".to_owned(), Does::Ends, Deed::EndCodes(row.id));
        }
    }
    for row in then {
        plan.stays(("codes", Some(row.id.0)), "A set of recovery codes".to_owned(), "it was replaced; the owner makes new ones");
    }
    Ok(plan.items.len() > before)
}

fn factor_says(row: &factors::Model) -> String {
    match (row.kind.as_str(), row.label.as_str()) {
        ("totp", _) => "An authenticator app".to_owned(),
        (_, "") => "A security key or passkey".to_owned(),
        (_, label) => format!("The security key or passkey “{label}”"),
    }
}

/// API tokens: what came since ends, what was deleted comes back paused.
async fn tokens<R: Reading>(read: &R, account: &Account, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    let rows = api_tokens::Entity::find().filter(api_tokens::Column::AccountId.eq(account.id)).all(read.connection()).await?;
    let (then, now) = split(read, rows, at).await?;
    let presented = |row: &api_tokens::Model| row.stands_for.unwrap_or(row.id);
    for row in &now {
        if then.iter().any(|other| presented(other) == presented(row)) {
            plan.already += 1;
        } else {
            plan.does(("token", Some(row.id())), token_says(row), Does::Ends, Deed::EndToken(row.id));
        }
    }
    for row in then.into_iter().filter(|row| now.iter().all(|other| presented(other) != presented(row))) {
        let key = ("token", Some(row.id()));
        if row.expires_at.is_some_and(|end| end <= read.now()) {
            plan.stays(key, token_says(&row), "it is expired");
        } else {
            plan.does(key, token_says(&row), Does::ReturnsPaused, Deed::ReturnToken(Box::new(row)));
        }
    }
    Ok(())
}

fn token_says(row: &api_tokens::Model) -> String {
    format!("The API token “{}”", row.description)
}

/// Its roles. A project that it owned and lost a role on comes back whole; where it still is the Owner that it was, only the locks do.
async fn projects<R: Reading>(env: &Env, read: &R, account: &Account, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    let rows = roles::Entity::find().filter(roles::Column::AccountId.eq(account.id)).all(read.connection()).await?;
    let (then, now) = split(read, rows, at).await?;
    let mut on: Vec<ProjectId> = then.iter().chain(&now).map(|row| row.project_id).collect();
    on.sort_unstable();
    on.dedup();
    for id in on {
        let Some(project) = project::by_id(read, id).await? else { continue };
        let of = |rows: &[roles::Model]| rows.iter().find(|row| row.project_id == id).cloned();
        let (was, is) = (of(&then), of(&now));
        let owned = was.as_ref().is_some_and(|row| row.role == OWNER);
        let same = was.as_ref().zip(is.as_ref()).is_some_and(|(was, is)| project::is_same(was, is));
        if owned {
            project::locks_of(env, read, &project, at, plan).await?;
        }
        match (owned, same) {
            (_, true) => plan.already += 1,
            (true, false) => {
                project::roles_of(env, read, &project, at, plan).await?;
                project::invitations_of(read, &project, at, plan).await?;
                project::holds_of(read, &project, at, plan).await?;
            }
            (false, false) => own_role(read, &project, (was, is), plan).await?,
        }
    }
    Ok(())
}

const OTHERS: &str =
    "SELECT 1 AS one FROM roles WHERE project_id = $1 AND account_id <> $2 AND role = 'Owner' AND until_at IS NULL LIMIT 1";

/// A role on a project that the account did not own then.
async fn own_role<R: Reading>(
    read: &R,
    project: &crate::db::entities::projects::Model,
    (was, is): (Option<roles::Model>, Option<roles::Model>),
    plan: &mut Plan,
) -> Result<(), Refused> {
    if let Some(is) = is {
        let (key, what) = (("role", Some(is.id.0)), project::says(read, project, &is).await?);
        let alone = read.row(OTHERS, vec![Value::from(project.id), Value::from(is.account_id)]).await?.is_none();
        if is.role == OWNER && alone {
            plan.stays(key, what, "nobody else would own the project");
            return Ok(());
        }
        plan.does(key, what, Does::Ends, Deed::EndRole(is));
    }
    if let Some(was) = was {
        let (key, what) = (("role", Some(was.id.0)), project::says(read, project, &was).await?);
        plan.does(key, what, Does::Returns, Deed::ReturnRole(was));
    }
    Ok(())
}

/// Offers that it made or got since, and changes that it proposed or that are about it.
async fn offers<R: Reading>(read: &R, account: &Account, at: Time, plan: &mut Plan) -> Result<(), Refused> {
    const PROPOSED: &str =
        "SELECT id, subject, description FROM holds WHERE proposer_id = $1 AND state = 'waiting' AND created_at > $2 ORDER BY id";
    const ABOUT: &str =
        "SELECT id, subject, description FROM holds WHERE account_id = $1 AND state = 'waiting' AND created_at > $2 ORDER BY id";
    for column in [invitations::Column::AccountId, invitations::Column::InviterId] {
        let open = invitations::Entity::find()
            .filter(column.eq(account.id))
            .filter(invitations::Column::UntilAt.is_null())
            .filter(invitations::Column::FromAt.gt(at));
        for row in open.all(read.connection()).await? {
            let listed = plan.items.iter().any(|item| item.difference.id == Some(row.id.0));
            if let Some(project) = project::by_id(read, row.project_id).await?.filter(|_| !listed) {
                project::invitation(read, &project, row, plan).await?;
            }
        }
    }
    for sql in [PROPOSED, ABOUT] {
        project::holds_by(read, sql, (Value::from(account.id), at), plan).await?;
    }
    Ok(())
}

/// What somebody could still hold or sit in. A session is ended whether it has expired by itself or not; of the rest nothing is listed
/// that has.
const HELD: [&str; 8] = [
    "SELECT 1 AS one FROM sessions WHERE account_id = $1 AND until_at IS NULL AND created_at <= $2 LIMIT 1",
    "SELECT 1 AS one FROM devices WHERE account_id = $1 AND until_at IS NULL AND from_at <= $2 LIMIT 1",
    "SELECT 1 AS one FROM sign_in_attempts WHERE account_id = $1 AND spent_at IS NULL AND expires_at > $2 LIMIT 1",
    "SELECT 1 AS one FROM links WHERE account_id = $1 AND spent_at IS NULL AND expires_at > $2 \
     AND purpose NOT IN ('not-me', 'alarm', 'veto') LIMIT 1",
    "SELECT 1 AS one FROM mailbox_codes WHERE account_id = $1 AND spent_at IS NULL AND expires_at > $2 LIMIT 1",
    "SELECT 1 AS one FROM acts WHERE account_id = $1 AND spent_at IS NULL AND expires_at > $2 LIMIT 1",
    "SELECT 1 AS one FROM take_backs WHERE account_id = $1 AND spent_at IS NULL AND expires_at > $2 LIMIT 1",
    "SELECT 1 AS one FROM take_back_waits WHERE account_id = $1 AND until_at IS NULL AND from_at <= $2 LIMIT 1",
];

/// Sessions never come back; those that are open end, whatever their age, and with them everything else that somebody could hold: nobody
/// can say who sits in it.
async fn ends<R: Reading>(read: &R, account: &Account, plan: &mut Plan) -> Result<(), Refused> {
    let mut any = false;
    for sql in HELD {
        any |= read.row(sql, vec![Value::from(account.id), Value::from(read.now())]).await?.is_some();
    }
    if any {
        let what = format!("{}: every session, remembered browser, link and code", account.username);
        plan.does(("sessions", None), what, Does::Ends, Deed::EndEverything(account.id));
    }
    Ok(())
}
