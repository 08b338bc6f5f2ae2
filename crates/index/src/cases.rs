//! Cases: one incident each, opened by what somebody did, closed by staff or by the way back. Whom they concern, and what was done in them.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};

use crate::db::entities::{case_entries, cases};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, CaseId, EntryId, EventId, HoldId, ProjectId};
use crate::policy::{Actor, Denied};
use crate::refused::Refused;

/// What opened a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Somebody said that it was not them (R13, R14).
    NotMe,
    /// Somebody raised the alarm about somebody else's act (R14).
    Alarm,
    /// Somebody vetoed a hold (R10).
    Veto,
    /// A security key showed a counter that does not grow.
    Cloned,
    /// An administrator or the operator acted.
    Staff,
    /// Something was put back as it stood at a time (P7).
    Restore,
    /// An account was put back and waits for its owner, whose take-back closes it (R16, R18).
    TakeBack,
    /// Somebody said that they were phished.
    Phished,
}

impl Opening {
    /// The word in rows.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::NotMe => "not-me",
            Self::Alarm => "alarm",
            Self::Veto => "veto",
            Self::Cloned => "cloned",
            Self::Staff => "staff",
            Self::Restore => "restore",
            Self::TakeBack => "take-back",
            Self::Phished => "phished",
        }
    }

    /// Whether a case of this kind is over once its account's owner has taken the account back.
    #[must_use]
    pub fn is_closed_by_take_back(kind: &str) -> bool {
        kind == Self::NotMe.wire() || kind == Self::TakeBack.wire()
    }
}

/// A case to be opened.
#[derive(Clone, Debug)]
pub(crate) struct NewCase {
    pub opening: Opening,
    pub account: Option<AccountId>,
    pub project: Option<ProjectId>,
    /// One sentence for whoever looks at it.
    pub why: String,
    pub opened_by: EventId,
}

/// Opens a case.
pub(crate) async fn open(env: &Env, tx: &Tx, new: NewCase) -> Result<CaseId, Refused> {
    let id = CaseId::new(tx.now(), &*env.entropy);
    let (account, project, opened_by) = (new.account, new.project, new.opened_by);
    let row = cases::ActiveModel {
        id: Set(id),
        kind: Set(new.opening.wire().to_owned()),
        account_id: Set(account),
        project_id: Set(project),
        why: Set(new.why),
        opened_at: Set(tx.now()),
        opened_by: Set(opened_by),
        closed_at: Set(None),
        closed_by: Set(None),
    };
    cases::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    concern(tx, id, (account, project), opened_by).await?;
    Ok(id)
}

const CONCERN: &str = "INSERT INTO case_subjects (case_id, what, what_id, at, began_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

/// Notes whom a case concerns; each account and project once.
pub(crate) async fn concern(
    tx: &Tx,
    case: CaseId,
    (account, project): (Option<AccountId>, Option<ProjectId>),
    by: EventId,
) -> Result<(), Refused> {
    let subjects = [("account", account.map(|id| id.0)), ("project", project.map(|id| id.0))];
    for (what, id) in subjects.into_iter().filter_map(|(what, id)| Some((what, id?))) {
        let values = vec![Value::from(case), Value::from(what), Value::from(id), Value::from(tx.now()), Value::from(by)];
        tx.execute(CONCERN, values).await?;
    }
    Ok(())
}

/// Closes a case; false when it was closed already.
pub(crate) async fn close(tx: &Tx, case: CaseId, by: EventId) -> Result<bool, Refused> {
    const CLOSE: &str = "UPDATE cases SET closed_at = $2, closed_by = $3 WHERE id = $1 AND closed_at IS NULL";
    Ok(tx.execute(CLOSE, vec![Value::from(case), Value::from(tx.now()), Value::from(by)]).await? == 1)
}

/// The open cases of an account, oldest first.
///
/// # Errors
/// The database.
pub async fn open_of<R: Reading>(read: &R, account: AccountId) -> Result<Vec<cases::Model>, Refused> {
    let rows = cases::Entity::find().filter(cases::Column::AccountId.eq(account)).filter(cases::Column::ClosedAt.is_null());
    Ok(rows.all(read.connection()).await?)
}

const OPEN_ON: &str = "SELECT COUNT(*) AS n FROM case_subjects s JOIN cases c ON c.id = s.case_id \
    WHERE s.what_id = $1 AND s.what = 'account' AND c.closed_at IS NULL";

/// How many open cases concern an account, for the banner of its pages.
///
/// # Errors
/// The database.
pub async fn open_on<R: Reading>(read: &R, account: AccountId) -> Result<u64, Refused> {
    let row = read.row(OPEN_ON, vec![Value::from(account)]).await?;
    let n: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(n).unwrap_or(0))
}

const PAUSED: &str = "SELECT p.normalized AS normalized FROM pauses x JOIN projects p ON p.id = x.project_id \
    WHERE x.credential_id = $1 AND x.project_id = $2 AND x.expires_at > $3 LIMIT 1";

/// What an alarm stopped on this project does nothing there until its day is over (R14): neither an upload, nor a proposal, nor a word for
/// one. What tightens does not ask.
pub(crate) async fn check_pause<R: Reading>(read: &R, actor: &Actor, project: ProjectId) -> Result<(), Refused> {
    let Some(credential) = actor.credential_id else { return Ok(()) };
    let values = vec![Value::from(credential), Value::from(project), Value::from(read.now())];
    let Some(row) = read.row(PAUSED, values).await? else { return Ok(()) };
    let normalized: String = row.try_get("", "normalized")?;
    Err(Denied::Token(format!("an owner raised the alarm: token is paused on project '{normalized}'")).into())
}

/// What somebody did in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// Froze an account.
    Freeze,
    /// Was stopped for having frozen a colleague (R21).
    Pause,
    /// Thawed an account.
    Thaw,
    /// Put a project into quarantine.
    Quarantine,
    /// Ended a quarantine.
    Release,
    /// Stopped a change that waited.
    StopHold,
    /// Wrote something down.
    Note,
    /// Closed it.
    Close,
    /// Put an account or a project back as it stood at a time.
    Restore,
    /// Undid that, or undid the undoing.
    Undo,
}

impl Did {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Freeze,
        Self::Pause,
        Self::Thaw,
        Self::Quarantine,
        Self::Release,
        Self::StopHold,
        Self::Note,
        Self::Close,
        Self::Restore,
        Self::Undo,
    ];
    /// The word in rows and reports.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Pause => "pause",
            Self::Thaw => "thaw",
            Self::Quarantine => "quarantine",
            Self::Release => "release",
            Self::StopHold => "stop-hold",
            Self::Note => "note",
            Self::Close => "close",
            Self::Restore => "restore",
            Self::Undo => "undo",
        }
    }
    /// The one with this word.
    #[must_use]
    pub fn from_wire(wire: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|did| did.wire() == wire)
    }
}

/// Something that was done in a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEntry<'a> {
    pub case: CaseId,
    pub did: Did,
    pub account: Option<AccountId>,
    pub project: Option<ProjectId>,
    pub hold: Option<HoldId>,
    /// The reason, the note, or the decision.
    pub text: &'a str,
    /// The event that records it; what it began carries the same id.
    pub event: EventId,
}

impl<'a> NewEntry<'a> {
    /// About nobody in particular.
    pub(crate) const fn of(case: CaseId, did: Did, text: &'a str, event: EventId) -> Self {
        Self { case, did, account: None, project: None, hold: None, text, event }
    }
}

/// Writes down what was done, and whom the case concerns by it.
pub(crate) async fn enter(env: &Env, tx: &Tx, new: NewEntry<'_>) -> Result<EntryId, Refused> {
    let id = EntryId::new(tx.now(), &*env.entropy);
    let row = case_entries::ActiveModel {
        id: Set(id),
        case_id: Set(new.case),
        kind: Set(new.did.wire().to_owned()),
        account_id: Set(new.account),
        project_id: Set(new.project),
        hold_id: Set(new.hold),
        text: Set(new.text.to_owned()),
        at: Set(tx.now()),
        event_id: Set(new.event),
    };
    case_entries::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    concern(tx, new.case, (new.account, new.project), new.event).await?;
    Ok(id)
}
