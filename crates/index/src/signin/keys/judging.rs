//! An assertion against the rows: whose key it is, whether it may be used so, and what a counter that does not grow means.

use webauthn_rs_core::proto::AuthenticationState;
use webauthn_rs_proto::PublicKeyCredential;

use data_encoding::BASE64URL_NOPAD;

use super::ceremony::{self, Bound, Purpose};
use super::library::{self, Read};
use super::{Why, rows};
use crate::cases::{self, NewCase, Opening};
use crate::db::Tx;
use crate::db::entities::factors;
use crate::env::Env;
use crate::events::{self, Entry, KeyCounterRegressed};
use crate::ids::{AccountId, FactorId};
use crate::policy::{Action, Permit};
use crate::refused::Refused;

/// A key that answered rightly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Right {
    pub account: AccountId,
    pub factor: FactorId,
}

/// Judges an answer, spends its challenge, and notes the use. A counter that did not grow is told, opens a case, and is refused.
pub(super) async fn judge<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    bound: Bound,
    read: &Read<PublicKeyCredential>,
) -> Result<Result<Right, Refusal>, Refused> {
    let answer = &read.answer;
    let Some(state) = ceremony::spend::<AuthenticationState>(env, tx, bound, &read.challenge).await? else {
        return Ok(Err(Why::Stale.into()));
    };
    let Some(row) = rows::with_id(tx, &answer.raw_id).await? else {
        return Ok(Err(Why::Unknown(BASE64URL_NOPAD.encode(&answer.raw_id)).into()));
    };
    if let Err(why) = belongs(bound, answer, &row) {
        return Ok(Err(Refusal { why, account: None }));
    }
    let key = rows::credential(env, &row)?;
    let verified = match library::verify_used(env, read, &state, &key)? {
        Ok(verified) => verified,
        Err(why) => {
            if why == Why::Cloned {
                tell_cloned(env, tx, permit, &row).await?;
            }
            return Ok(Err(Refusal { why, account: Some(row.account_id) }));
        }
    };
    // Whoever found a key without a PIN can give it one: alone it counts only if it verified its user when it was added, or since then
    // beside a password (WebAuthn L3 §7.2 step 26: `uvInitialized`).
    if bound.purpose == Purpose::SignIn && row.user_verified != Some(true) {
        return Ok(Err(Refusal { why: Why::NotVerified, account: Some(row.account_id) }));
    }
    rows::note_use(tx, &row, &verified, bound.purpose == Purpose::Factor).await?;
    Ok(Ok(Right { account: row.account_id, factor: row.id }))
}

/// Why an answer was refused, and whose key it was, where that is proved or known already.
pub(super) struct Refusal {
    pub why: Why,
    pub account: Option<AccountId>,
}

impl From<Why> for Refusal {
    fn from(why: Why) -> Self {
        Self { why, account: None }
    }
}

/// The user handle names the account of the key, both where the account was known before and where it is found by it.
fn belongs(bound: Bound, answer: &PublicKeyCredential, row: &factors::Model) -> Result<(), Why> {
    let handle = answer.response.user_handle.as_deref().filter(|handle| !handle.is_empty());
    let same = handle.map(|handle| handle == row.account_id.0.as_bytes());
    let whose = match bound.account {
        Some(account) => account == row.account_id && same != Some(false),
        None => same == Some(true),
    };
    if whose { Ok(()) } else { Err(Why::NotYours) }
}

/// Never silent: all addresses are told, and staff see one case for as long as it is open.
pub(super) async fn tell_cloned<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, row: &factors::Model) -> Result<(), Refused> {
    let account = row.account_id;
    let entry = Entry::of(KeyCounterRegressed { label: row.label.clone(), factor: row.id.to_string() }).about(account);
    let events::Recorded::Row(event) = events::record_failure(env, tx, permit, entry, row.id.0.as_bytes()).await? else {
        return Ok(());
    };
    let known = cases::open_of(tx, account).await?.iter().any(|case| case.kind == Opening::Cloned.wire());
    if !known {
        let why = format!("The security key “{}” answered with a counter that did not grow.", row.label);
        cases::open(env, tx, NewCase { opening: Opening::Cloned, account: Some(account), project: None, why, opened_by: event }).await?;
    }
    Ok(())
}
