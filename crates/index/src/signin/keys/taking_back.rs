//! A security key as the factor of a take-back (R16): keys that were removed in the last 30 days count too, so that the rows are the
//! caller's choice.

use serde_json::Value;
use webauthn_rs_core::proto::AuthenticationState;

use super::ceremony::{self, Bound, Browser, Purpose};
use super::{Why, judging, library, rows};
use crate::db::Tx;
use crate::db::entities::factors;
use crate::env::Env;
use crate::ids::{AccountId, AttemptId, FactorId, TakeBackId};
use crate::policy::{Action, Permit};
use crate::refused::{Invalid, Refused};

/// A take-back in one browser: the challenge is bound to it.
#[derive(Clone, Copy, Debug)]
pub struct TakingBack {
    /// Which take-back.
    pub id: TakeBackId,
    /// The account that is taken back.
    pub account: AccountId,
    /// In which browser.
    pub browser: Browser,
}

impl TakingBack {
    const fn bound(self) -> Bound {
        Bound {
            browser: self.browser,
            purpose: Purpose::TakeBack,
            account: Some(self.account),
            session: None,
            attempt: Some(AttemptId(self.id.0)),
            act: None,
        }
    }
}

/// The challenge for these keys.
pub(crate) async fn options(env: &Env, of: TakingBack, keys: &[factors::Model]) -> Result<Value, Refused> {
    let keys = keys.iter().map(|row| rows::credential(env, row)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(Invalid::new("", "The account has no security key or passkey that counts here.").into());
    }
    let made = library::to_use(env, keys)?;
    ceremony::hand_out(env, of.bound(), made.bytes, made.state).await?;
    Ok(made.options)
}

/// Judges an answer against these keys, and spends its challenge. A counter that did not grow is told and refused, as everywhere.
pub(crate) async fn judge<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    of: TakingBack,
    (keys, credential): (&[factors::Model], &str),
) -> Result<Result<FactorId, Why>, Refused> {
    const USED: &str = "UPDATE factors SET sign_count = $2, backed_up = $3 WHERE id = $1";
    let read = match library::read_used(credential) {
        Ok(read) => read,
        Err(why) => return Ok(Err(why)),
    };
    let Some(state) = ceremony::spend::<AuthenticationState>(env, tx, of.bound(), &read.challenge).await? else {
        return Ok(Err(Why::Stale));
    };
    let Some(row) = keys.iter().find(|row| row.credential_id.as_deref() == Some(&*read.answer.raw_id)) else {
        return Ok(Err(Why::NotYours));
    };
    let key = rows::credential(env, row)?;
    let verified = match library::verify_used(env, &read, &state, &key)? {
        Ok(verified) => verified,
        Err(why) => {
            if why == Why::Cloned {
                judging::tell_cloned(env, tx, permit, row).await?;
            }
            return Ok(Err(why));
        }
    };
    let values =
        vec![sea_orm::Value::from(row.id), sea_orm::Value::from(i64::from(verified.counter)), sea_orm::Value::from(verified.backed_up)];
    tx.execute(USED, values).await?;
    Ok(Ok(row.id))
}
