//! What the mail server reports of mail that came back: a hard bounce or a complaint takes the proof of the address away.
//!
//! Reports are signed (`credentials::signed_call`); the gate has checked that before anything of one was read.

use std::time::Duration;

use sea_orm::Value;
use serde::Deserialize;

use credentials::signed_call::CallSignature;

use super::addresses::{self, AddressRow, Because};
use crate::clock::Time;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, MailBounced};
use crate::ids::AddressId;
use crate::policy::{Permit, TakeBounce};
use crate::refused::{Invalid, Refused};

/// How far the moment of a signature may lie from ours, to either side.
pub const SIGNED_WITHIN: Duration = Duration::from_secs(300);

/// How a mail came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// The address does not take mail.
    Hard,
    /// Not now; another mail may arrive.
    Soft,
    /// Its reader, or its server, said that it is not wanted.
    Complaint,
}

impl Sort {
    const fn wire(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Complaint => "complaint",
        }
    }

    fn because(self) -> Option<Because> {
        let (word, reason) = match self {
            Self::Hard => ("bounce", "mail to it came back"),
            Self::Complaint => ("complaint", "its mail server said that our mail is not wanted there"),
            Self::Soft => return None,
        };
        Some(Because { word, reason: reason.to_owned() })
    }
}

/// A report: which mail or which address, and how.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The Message-ID of the mail, with or without its angle brackets.
    #[serde(default)]
    pub message_id: Option<String>,
    /// The address, when the mail is not known.
    #[serde(default)]
    pub address: Option<String>,
    /// How.
    pub kind: Sort,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether the mail or the address is one of ours.
    pub known: bool,
    /// Whether an address lost its proof by it.
    pub unverified: bool,
}

/// Takes a report in, once: the same signature a second time changes nothing.
///
/// # Errors
/// `Invalid` when the report names neither a mail nor an address.
pub async fn take(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<TakeBounce>,
    report: &Report,
    signature: &CallSignature,
) -> Result<Taken, Refused> {
    if report.message_id.is_none() && report.address.is_none() {
        return Err(Invalid::new("message_id", "A report names a `message_id` or an `address`.").into());
    }
    if !is_first(tx, signature).await? {
        tx.leave_as_it_was();
        return Ok(Taken { known: false, unverified: false });
    }
    let found = find(tx, report).await?;
    let mut entry = Entry::of(MailBounced { sort: report.kind.wire().to_owned() });
    if let Some(found) = &found {
        entry = entry.about(found.row.account_id).with_address(&found.row.address);
    }
    events::record(env, tx, permit, entry).await?;
    let Some(found) = found else { return Ok(Taken { known: false, unverified: false }) };
    let Some(because) = report.kind.because().filter(|_| found.costs_the_proof()) else {
        return Ok(Taken { known: true, unverified: false });
    };
    addresses::lock_rows(tx, found.row.account_id).await?;
    addresses::unverify(env, tx, permit, &found.row, &because).await?;
    Ok(Taken { known: true, unverified: true })
}

/// A signature works once. Its row lies among those of limits, which are swept when it is far too old to be taken again.
async fn is_first(tx: &Tx, signature: &CallSignature) -> Result<bool, Refused> {
    const ONCE: &str = "INSERT INTO limit_windows (name, key, window_s, window_at, count) VALUES ('bounce', $1, 600, $2, 1) \
        ON CONFLICT (name, key, window_s, window_at) DO NOTHING";
    let values = vec![Value::from(signature.digest().to_vec()), Value::from(Time::from_seconds(signature.at_s))];
    Ok(tx.execute(ONCE, values).await? == 1)
}

/// The open row of the address that a report is about, and when the mail was written, where it is known.
struct Found {
    row: AddressRow,
    written_at: Option<Time>,
}

impl Found {
    /// A mail from before the address was proved says nothing about it now.
    fn costs_the_proof(&self) -> bool {
        self.row.verified_at.is_some_and(|proved| self.written_at.is_none_or(|written| written >= proved))
    }
}

async fn find(tx: &Tx, report: &Report) -> Result<Option<Found>, Refused> {
    if let Some(id) = &report.message_id
        && let Some((address, written_at)) = mark(tx, id, report.kind).await?
    {
        return Ok(open_row_of(tx, address).await?.map(|row| Found { row, written_at: Some(written_at) }));
    }
    let Some(address) = &report.address else { return Ok(None) };
    let Ok(address) = addresses::Address::parse(address) else { return Ok(None) };
    Ok(addresses::by_folded(tx, &address.folded()).await?.map(|row| Found { row, written_at: None }))
}

/// Marks the mail as come back; says to which address it went, and when it was written.
async fn mark(tx: &Tx, message_id: &str, sort: Sort) -> Result<Option<(AddressId, Time)>, Refused> {
    const MARK: &str = "UPDATE deliveries SET state = 'bounced', changed_at = $3, last_error = $4 \
        WHERE message_id IN ($1, $2) RETURNING address_id, created_at";
    let bare = message_id.trim().trim_start_matches('<').trim_end_matches('>');
    let local = bare.split('@').next().unwrap_or(bare);
    let values = vec![Value::from(bare), Value::from(local), Value::from(tx.now()), Value::from(format!("bounced: {}", sort.wire()))];
    let Some(row) = tx.row(MARK, values).await? else { return Ok(None) };
    Ok(Some((row.try_get("", "address_id")?, row.try_get("", "created_at")?)))
}

/// The row that stands for the address now: it may have been removed and added again since.
async fn open_row_of(tx: &Tx, address: AddressId) -> Result<Option<AddressRow>, Refused> {
    const OPEN: &str = "SELECT o.id AS id, o.account_id AS account_id FROM addresses a \
        JOIN addresses o ON o.account_id = a.account_id AND o.folded = a.folded AND o.until_at IS NULL WHERE a.id = $1";
    let Some(row) = tx.row(OPEN, vec![Value::from(address)]).await? else { return Ok(None) };
    let (id, account): (AddressId, _) = (row.try_get("", "id")?, row.try_get("", "account_id")?);
    Ok(addresses::of_account(tx, account).await?.into_iter().find(|row| row.id == id))
}
