//! Cases: one incident each, opened by what somebody did, closed by staff or by the way back.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};

use crate::db::entities::cases;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, CaseId, EventId, ProjectId};
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
    let row = cases::ActiveModel {
        id: Set(id),
        kind: Set(new.opening.wire().to_owned()),
        account_id: Set(new.account),
        project_id: Set(new.project),
        why: Set(new.why),
        opened_at: Set(tx.now()),
        opened_by: Set(new.opened_by),
        closed_at: Set(None),
        closed_by: Set(None),
    };
    cases::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(id)
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
