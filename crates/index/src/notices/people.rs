//! Who is told: by the audience that the events table names.

use std::time::Duration;

use sea_orm::Value;
use sha2::{Digest, Sha256};

use super::NoLetter;
use crate::clock::Time;
use crate::db::Reading;
use crate::db::entities::events;
use crate::events::{Audience, Kind};
use crate::ids::{AccountId, AddressId, HoldId};

/// An address that is told, and what stands for it in keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub address: AddressId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// The first 16 hex digits of the SHA-256 of the folded address: two rows of one address are one recipient.
    pub mark: String,
    /// Told as an administrator, of what the operator did (R32): no secret of the mail is theirs.
    pub as_staff: bool,
}

/// How long an address that was removed or lost its proof is still told (P10): whoever takes an account over cannot silence it.
const TOLD_AFTER_END: Duration = Duration::from_secs(30 * 86_400);

/// What stands for an address in job keys and Message-IDs.
pub(super) fn mark(folded: &str) -> String {
    let mut mark = hex::encode(Sha256::digest(folded.as_bytes()));
    mark.truncate(16);
    mark
}

const ONE: &str = "SELECT id, folded, account_id FROM addresses WHERE id = $1";

/// An address that loses its proof ends its row and begins another, so that an ended row tells until when it was proved.
const OF_ACCOUNT: &str = "SELECT id, folded, account_id FROM addresses WHERE account_id = $1 \
    AND verified_at IS NOT NULL AND verified_at <= $2 AND (until_at IS NULL OR until_at >= $3) ORDER BY id";

/// Owners of the moment: those whom the event itself made or ended are among them.
const OF_OWNERS: &str = "SELECT a.id AS id, a.folded AS folded, a.account_id AS account_id FROM addresses a JOIN roles r ON r.account_id = a.account_id \
    WHERE r.project_id = $1 AND r.role = 'Owner' AND r.from_at <= $2 AND (r.until_at IS NULL OR r.until_at >= $2) \
    AND a.verified_at IS NOT NULL AND a.verified_at <= $2 AND (a.until_at IS NULL OR a.until_at >= $3) ORDER BY a.id";

/// Administrators of the moment, who are told of what the operator does (R32).
const OF_STAFF: &str = "SELECT a.id AS id, a.folded AS folded, a.account_id AS account_id FROM addresses a \
    JOIN staff_roles r ON r.account_id = a.account_id \
    WHERE r.role = 'administrator' AND r.from_at <= $1 AND (r.until_at IS NULL OR r.until_at >= $1) \
    AND a.verified_at IS NOT NULL AND a.verified_at <= $1 AND (a.until_at IS NULL OR a.until_at >= $2) ORDER BY a.id";

/// Everybody concerned by a hold, however the hold ended.
const OF_HOLD: &str = "SELECT a.id AS id, a.folded AS folded, a.account_id AS account_id FROM addresses a \
    JOIN hold_people p ON p.account_id = a.account_id WHERE p.hold_id = $1 \
    AND a.verified_at IS NOT NULL AND a.verified_at <= $2 AND (a.until_at IS NULL OR a.until_at >= $3) ORDER BY a.id";

/// The hold that an event is about.
pub(crate) fn hold_of(event: &events::Model) -> Option<HoldId> {
    let detail: serde_json::Value = serde_json::from_str(&event.detail).ok()?;
    HoldId::parse(detail["hold"].as_str()?)
}

/// Everybody who is told about an event, once each; `to` is the one address of an event that has an addressee.
///
/// # Errors
/// `Gone` when the event names nobody whom its kind says should be told; `Fault` for the database.
pub async fn recipients<R: Reading>(
    read: &R,
    kind: Kind,
    event: &events::Model,
    to: Option<AddressId>,
) -> Result<Vec<Recipient>, NoLetter> {
    let gone = |what: &str| NoLetter::Gone(format!("event {} of the kind {} names no {what}", event.id, kind.wire()));
    let since: Time = event.at.minus(TOLD_AFTER_END);
    let times = || [Value::from(event.at), Value::from(since)];
    let account = || {
        let account = Value::from(event.account_id.ok_or_else(|| gone("account"))?);
        Ok::<_, NoLetter>((OF_ACCOUNT, [account].into_iter().chain(times()).collect::<Vec<_>>(), false))
    };
    let owners = || {
        let project = Value::from(event.project_id.ok_or_else(|| gone("project"))?);
        Ok::<_, NoLetter>((OF_OWNERS, [project].into_iter().chain(times()).collect::<Vec<_>>(), false))
    };
    let administrators = || (OF_STAFF, times().to_vec(), true);
    let queries = match kind.audience() {
        Audience::Nobody(_) => Vec::new(),
        Audience::Addressee => vec![(ONE, vec![Value::from(to.ok_or_else(|| gone("address"))?)], false)],
        Audience::Account => vec![account()?],
        Audience::Owners => vec![owners()?],
        Audience::OwnersAndSubject => vec![owners()?, account()?],
        Audience::Administrators => vec![administrators()],
        Audience::Concerned => {
            let hold = Value::from(hold_of(event).ok_or_else(|| gone("hold"))?);
            vec![(OF_HOLD, [hold].into_iter().chain(times()).collect(), false)]
        }
    };
    let mut found: Vec<Recipient> = Vec::new();
    for (sql, values, as_staff) in queries {
        add(read, &mut found, (sql, values), as_staff).await?;
    }
    if kind.tells_administrators(&event.actor) {
        add(read, &mut found, (OF_STAFF, times().into()), true).await?;
    }
    Ok(found)
}

async fn add<R: Reading>(read: &R, found: &mut Vec<Recipient>, (sql, values): (&str, Vec<Value>), as_staff: bool) -> Result<(), NoLetter> {
    for row in read.rows(sql, values).await? {
        let folded: String = row.try_get("", "folded")?;
        let recipient =
            Recipient { address: row.try_get("", "id")?, account: row.try_get("", "account_id")?, mark: mark(&folded), as_staff };
        if found.iter().all(|other| other.mark != recipient.mark) {
            found.push(recipient);
        }
    }
    Ok(())
}
