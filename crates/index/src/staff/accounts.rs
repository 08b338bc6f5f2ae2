//! Accounts: who is there, what stops them, and the two acts: freeze and thaw (R13, R20, R21).

use sea_orm::{EntityTrait, Value};

use super::bytewise::{self, Page, Wanted};
use super::{Done, Opened, STAFF_ONLY, Stop, Undone, Which, check_case, check_other, join, stop};
use crate::accounts as rooms;
use crate::accounts::freeze::{self, Cause, Frozen, check_reason};
use crate::accounts::names::folded;
use crate::accounts::show::{self, Overview};
use crate::cases::{self, Did, NewEntry};
use crate::clock::Time;
use crate::db::entities::accounts as rows;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountFrozen, AccountThawed, Entry};
use crate::ids::{AccountId, CaseId, EventId};
use crate::policy::{Action, Denied, Permit, SeeAsStaff, Standing, State, ThawAsStaff, standing};
use crate::refused::{Invalid, Refused};

/// Which accounts are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shown {
    /// All.
    #[default]
    All,
    /// Frozen by staff or the operator.
    Frozen,
    /// Stopped with the link of a notice.
    Contained,
    /// Deleted, within retention.
    Deleted,
    /// Those who administer the index.
    Administrators,
}

impl Shown {
    /// All choices.
    pub const ALL: [Self; 5] = [Self::All, Self::Frozen, Self::Contained, Self::Deleted, Self::Administrators];
    /// The word in addresses.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Frozen => "frozen",
            Self::Contained => "contained",
            Self::Deleted => "deleted",
            Self::Administrators => "administrators",
        }
    }
    /// The choice with this word; all for an unknown one.
    #[must_use]
    pub fn from_wire(wire: &str) -> Self {
        Self::ALL.into_iter().find(|shown| shown.wire() == wire).unwrap_or_default()
    }
    const fn filter(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Frozen => "AND a.id IN (SELECT account_id FROM account_causes WHERE kind = 'frozen' AND until_at IS NULL)",
            Self::Contained => "AND a.id IN (SELECT account_id FROM account_causes WHERE kind = 'contained' AND until_at IS NULL)",
            Self::Deleted => "AND a.id IN (SELECT account_id FROM account_causes WHERE kind = 'deleted' AND until_at IS NULL)",
            Self::Administrators => "AND a.id IN (SELECT account_id FROM staff_roles WHERE role = 'administrator' AND until_at IS NULL)",
        }
    }
}

/// A line of the list.
#[derive(Clone, Debug)]
pub struct Line {
    /// The user name.
    pub username: String,
    /// What it is at this moment.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Time,
    /// When it last signed in.
    pub last_login_at: Option<Time>,
}

const LIST: &str = "SELECT a.id AS id, a.username AS username, a.username_folded AS folded, a.created_at AS created_at, \
    a.last_login_at AS last_login_at FROM accounts a WHERE a.username_folded{c} >= $1 AND a.username_folded{c} < $2 \
    AND a.username_folded{c} > $3 {filter} ORDER BY a.username_folded{c} LIMIT $4";
const COUNT: &str = "SELECT COUNT(*) AS n FROM accounts a WHERE a.username_folded{c} >= $1 AND a.username_folded{c} < $2 {filter}";

/// Accounts by name, those whose name begins so; look-alikes are found together.
///
/// # Errors
/// The database.
pub async fn list<R: Reading>(
    read: &R,
    _permit: &Permit<SeeAsStaff>,
    shown: Shown,
    (begins, after): (&str, &str),
) -> Result<Page<Line>, Refused> {
    let wanted = Wanted::new(&folded(begins.trim()), after);
    let total = bytewise::count(read, &bytewise::sql(read, COUNT, shown.filter()), &wanted).await?;
    let (found, more) = bytewise::rows(read, &bytewise::sql(read, LIST, shown.filter()), &wanted).await?;
    let next = found.last().filter(|_| more).map(|row| row.try_get("", "folded")).transpose()?;
    let mut lines = Vec::with_capacity(found.len());
    for row in found {
        let id: AccountId = row.try_get("", "id")?;
        lines.push(Line {
            username: row.try_get("", "username")?,
            standing: standing(read, id, None).await?,
            created_at: row.try_get("", "created_at")?,
            last_login_at: row.try_get("", "last_login_at")?,
        });
    }
    Ok(Page { lines, total, next })
}

/// A role on a project.
#[derive(Clone, Debug)]
pub struct Held {
    /// The project's name.
    pub project: String,
    /// The role.
    pub role: String,
}

/// What staff see of an account.
#[derive(Clone, Debug)]
pub struct Detail {
    /// What its own pages show.
    pub overview: Overview,
    /// What it is at this moment.
    pub standing: Standing,
    /// Why it may not act.
    pub stops: Vec<Stop>,
    /// Its roles on projects, at most 100.
    pub roles: Vec<Held>,
    /// Whether it is the account that looks.
    pub own: bool,
}

const STOPS: &str = "SELECT c.kind AS kind, c.reason AS reason, c.from_at AS from_at, c.case_id AS case_id, c.began_by AS began_by, \
    e.actor AS actor, e.credential AS credential, a.username AS username FROM account_causes c LEFT JOIN events e ON e.id = c.began_by \
    LEFT JOIN accounts a ON a.id = e.actor_account_id WHERE c.account_id = $1 AND c.until_at IS NULL ORDER BY c.from_at, c.id";
const ROLES: &str = "SELECT p.name AS project, r.role AS role FROM roles r JOIN projects p ON p.id = r.project_id \
    WHERE r.account_id = $1 AND r.until_at IS NULL ORDER BY p.normalized LIMIT 100";

/// An account, with why it may not act.
///
/// # Errors
/// `Hidden` when there is none of this name.
pub async fn detail<R: Reading>(read: &R, permit: &Permit<SeeAsStaff>, name: &str) -> Result<(AccountId, Detail), Refused> {
    let account = rooms::by_username(read, name).await?.ok_or(Denied::Hidden)?;
    let id = account.id;
    let mut stops = Vec::new();
    for row in read.rows(STOPS, vec![Value::from(id)]).await? {
        stops.push(stop(&row, "the account", "frozen")?);
    }
    let mut roles = Vec::new();
    for row in read.rows(ROLES, vec![Value::from(id)]).await? {
        roles.push(Held { project: row.try_get("", "project")?, role: row.try_get("", "role")? });
    }
    let detail = Detail {
        overview: show::of_account(read, account).await?,
        standing: standing(read, id, None).await?,
        stops,
        roles,
        own: permit.actor().account() == Some(id),
    };
    Ok((id, detail))
}

/// Adds a cause, in a case.
///
/// # Errors
/// `OwnAffair`; `Invalid` for the reason or the case.
pub async fn freeze<A>(env: &Env, tx: &mut Tx, permit: &Permit<A>, reason: &str, case: Option<CaseId>) -> Result<Done, Refused>
where
    A: Action,
    A::On: Copy + Into<AccountId>,
{
    let (account, reason): (AccountId, _) = ((*permit.on()).into(), check_reason(reason)?);
    check_other(permit, account)?;
    let frozen = username(tx, account).await?;
    let opened = Opened { why: format!("{frozen} was frozen: {reason}"), account: Some(account), project: None };
    let case = join(env, tx, permit, case, opened).await?;
    let already = freeze::is_frozen(tx, account).await? == Frozen::Already;
    let colleague = standing(tx, account, None).await?.administrator;
    let batch = add(env, tx, permit, (account, case), (Did::Freeze, reason)).await?;
    let pauser = permit.actor().account().filter(|_| colleague);
    if let Some(pauser) = pauser {
        rooms::lock(tx, pauser).await?;
        let reason = format!("froze {frozen}, who administers the index too: another administrator or the operator decides ({reason})");
        let reason: String = reason.chars().take(500).collect();
        add(env, tx, permit, (pauser, case), (Did::Pause, &reason)).await?;
    }
    Ok(Done { case, batch, already, paused: pauser.is_some() })
}

/// One cause, its event and its entry.
async fn add<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    (account, case): (AccountId, CaseId),
    (did, reason): (Did, &str),
) -> Result<EventId, Refused> {
    let already = freeze::is_frozen(tx, account).await? == Frozen::Already;
    let event = AccountFrozen { reason: reason.to_owned(), already };
    let event = events::record(env, tx, permit, Entry::of(event).about(account).in_case(case)).await?;
    freeze::add_cause(env, tx, account, Cause { reason, case: Some(case), began_by: event }).await?;
    cases::enter(env, tx, NewEntry { account: Some(account), ..NewEntry::of(case, did, reason, event) }).await?;
    Ok(event)
}

async fn username<R: Reading>(read: &R, account: AccountId) -> Result<String, Refused> {
    let row = rows::Entity::find_by_id(account).one(read.connection()).await?;
    Ok(row.ok_or(Denied::Hidden)?.username)
}

const THAW: &str = "UPDATE account_causes SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND kind = 'frozen' AND until_at IS NULL \
    AND case_id = $4 AND (began_by = $5 OR $5 IS NULL)";
const BY_STAFF: &str = " AND NOT EXISTS (SELECT 1 FROM events e WHERE e.id = account_causes.began_by AND e.credential = 'operator')";

/// Ends the causes of one case, or of one act of it; others stay (R13). What the operator added only the operator takes away.
///
/// # Errors
/// `OwnAffair`; `Invalid` for the reason, or when there is nothing to end.
pub async fn thaw<A>(env: &Env, tx: &mut Tx, permit: &Permit<A>, which: Which, reason: &str) -> Result<Undone, Refused>
where
    A: Action,
    A::On: Copy + Into<AccountId>,
{
    let (account, reason): (AccountId, _) = ((*permit.on()).into(), check_reason(reason)?);
    check_other(permit, account)?;
    check_case(tx, which.case).await?;
    let by_staff = A::NAME == ThawAsStaff::NAME;
    let sql = if by_staff { format!("{THAW}{BY_STAFF}") } else { THAW.to_owned() };
    let values =
        vec![Value::from(account), Value::from(tx.now()), Value::from(permit.event()), Value::from(which.case), Value::from(which.act)];
    let causes = tx.execute(&sql, values).await?;
    if causes == 0 {
        let message = if by_staff { STAFF_ONLY } else { "Nothing of this case freezes the account." };
        return Err(Invalid::new("", message).into());
    }
    let event = AccountThawed { reason: reason.to_owned(), causes };
    let batch = events::record(env, tx, permit, Entry::of(event).about(account).in_case(which.case)).await?;
    cases::enter(env, tx, NewEntry { account: Some(account), ..NewEntry::of(which.case, Did::Thaw, reason, batch) }).await?;
    Ok(Undone { case: which.case, batch, causes })
}

/// The word for a state in lists.
#[must_use]
pub const fn word(state: State) -> &'static str {
    match state {
        State::Absent => "not set up",
        other => other.word(),
    }
}
