//! Challenges that were handed to a browser: bound to what they are for, good for five minutes, spent by one answer.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use credentials::keys::Place;

use crate::act::{Housekeeping, housekeeping};
use crate::db::entities::ceremonies;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, ActId, AttemptId, CeremonyId, SessionId};
use crate::refused::Refused;

/// How long a challenge waits for its answer (WebAuthn L3: 300 to 600 seconds).
pub const LIFETIME: Duration = Duration::from_secs(300);

/// How many open challenges of one browser and purpose are looked at: as many as windows can be open.
const OPEN_MOST: u64 = 16;

/// The browser that asks: SHA-256 of the cookie that its forms are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Browser(pub [u8; 32]);

/// What a challenge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new key.
    Add,
    /// Signing in with a passkey alone.
    SignIn,
    /// The second factor of a half-open sign-in.
    Factor,
    /// Proving again, for a fresh session or for one act.
    Prove,
    /// The factor of a take-back.
    TakeBack,
}

impl Purpose {
    const fn wire(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::SignIn => "sign-in",
            Self::Factor => "factor",
            Self::Prove => "prove",
            Self::TakeBack => "take-back",
        }
    }
}

/// What a challenge is bound to: an answer counts only where all of it is the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub browser: Browser,
    pub purpose: Purpose,
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    pub attempt: Option<AttemptId>,
    pub act: Option<ActId>,
}

impl Bound {
    fn place<'a>(&'a self, id: &'a CeremonyId) -> Place<'a> {
        let account = self.account.as_ref().map_or(&[][..], |account| account.0.as_bytes());
        Place { table: "ceremonies", row: id.0.as_bytes(), account }
    }
}

/// What is sealed: the challenge, and what the library must see again.
#[derive(Serialize, Deserialize)]
struct Sealed<S> {
    challenge: Vec<u8>,
    state: S,
}

/// Writes a challenge down.
pub(super) async fn hand_out<S: Serialize>(env: &Env, bound: Bound, challenge: Vec<u8>, state: S) -> Result<(), Refused> {
    let id = CeremonyId::new(env.now(), &*env.entropy);
    let plain = serde_json::to_vec(&Sealed { challenge, state })?;
    let sealed = env.keys.seal(&*env.entropy, &bound.place(&id), &plain);
    housekeeping(env, Housekeeping::Challenges, move |tx| {
        Box::pin(async move {
            let row = ceremonies::ActiveModel {
                id: Set(id),
                purpose: Set(bound.purpose.wire().to_owned()),
                account_id: Set(bound.account),
                session_id: Set(bound.session),
                attempt_id: Set(bound.attempt),
                act_id: Set(bound.act),
                browser_digest: Set(bound.browser.0.to_vec()),
                state_sealed: Set(sealed),
                created_at: Set(tx.now()),
                expires_at: Set(tx.now().plus(LIFETIME)),
                spent_at: Set(None),
            };
            ceremonies::Entity::insert(row).exec_without_returning(tx.connection()).await?;
            Ok(())
        })
    })
    .await
}

const SPEND: &str = "UPDATE ceremonies SET spent_at = $2 WHERE id = $1 AND spent_at IS NULL AND expires_at > $2";

/// Spends the challenge that an answer names, whatever comes of the answer; `None` when none is open that is bound so.
pub(super) async fn spend<S: DeserializeOwned>(env: &Env, tx: &Tx, bound: Bound, challenge: &[u8]) -> Result<Option<S>, Refused> {
    for row in open(tx, bound).await? {
        let plain = env.keys.open(&bound.place(&row.id), &row.state_sealed);
        let plain = plain.map_err(|e| anyhow::anyhow!("the state of ceremony {}: {e}", row.id))?;
        let sealed: Sealed<S> = serde_json::from_slice(plain.expose())?;
        if sealed.challenge == challenge {
            let spent = tx.execute(SPEND, vec![Value::from(row.id), Value::from(tx.now())]).await? == 1;
            return Ok(spent.then_some(sealed.state));
        }
    }
    Ok(None)
}

async fn open(tx: &Tx, bound: Bound) -> Result<Vec<ceremonies::Model>, Refused> {
    use ceremonies::Column as C;
    let rows = ceremonies::Entity::find()
        .filter(C::BrowserDigest.eq(bound.browser.0.to_vec()))
        .filter(C::Purpose.eq(bound.purpose.wire()))
        .filter(C::SpentAt.is_null())
        .filter(C::ExpiresAt.gt(tx.now()))
        .order_by_desc(C::CreatedAt)
        .limit(OPEN_MOST)
        .all(tx.connection())
        .await?;
    let same = |row: &ceremonies::Model| {
        row.account_id == bound.account && row.session_id == bound.session && row.attempt_id == bound.attempt && row.act_id == bound.act
    };
    Ok(rows.into_iter().filter(same).collect())
}
