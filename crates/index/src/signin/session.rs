//! Sessions: rows that a cookie's token opens; kept as SHA-256, ended at once when ended.
//!
//! The row lives from sign-in to its end; its token is a new one after each rise of privilege.

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use credentials::link::LinkToken;

use crate::accounts::link::{self, Purpose};
use crate::clock::Time;
use crate::db::entities::sessions;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, SignedOut};
use crate::ids::{AccountId, DeviceId, EventId, FactorId, SessionId};
use crate::policy::{Denied, Permit, Proof, SessionProof, SignOut, standing};
use crate::refused::Refused;

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// A password alone: the account has no factor.
    Password,
    /// A password and a TOTP code of this factor.
    Totp(FactorId),
    /// A security key or passkey, with a password or without.
    Key(FactorId),
    /// A password and a recovery code: a way back, never a factor (R5), so that it makes nothing fresh.
    RecoveryCode,
}

impl With {
    /// What was proved.
    #[must_use]
    pub const fn proof(self) -> Proof {
        match self {
            Self::Password => Proof::Password,
            Self::Totp(_) => Proof::Totp,
            Self::Key(_) => Proof::Key,
            Self::RecoveryCode => Proof::RecoveryCode,
        }
    }
    /// The factor, where it was one.
    #[must_use]
    pub const fn factor(self) -> Option<FactorId> {
        match self {
            Self::Totp(factor) | Self::Key(factor) => Some(factor),
            Self::Password | Self::RecoveryCode => None,
        }
    }
    /// What was proved, as a row keeps it; `None` when the two do not belong together.
    #[must_use]
    pub const fn of(proof: Proof, factor: Option<FactorId>) -> Option<Self> {
        match (proof, factor) {
            (Proof::Password, None) => Some(Self::Password),
            (Proof::RecoveryCode, None) => Some(Self::RecoveryCode),
            (Proof::Totp, Some(factor)) => Some(Self::Totp(factor)),
            (Proof::Key, Some(factor)) => Some(Self::Key(factor)),
            _ => None,
        }
    }
}

/// A session to be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub account: AccountId,
    pub with: With,
    /// When that was proved: a sign-in that waited for the mailbox is no fresher than its factor.
    pub proved_at: Time,
    pub device: Option<DeviceId>,
    pub began_by: EventId,
}

/// Opens a session; links to choose a new password end, because whoever has them did not need them.
pub(crate) async fn open(env: &Env, tx: &Tx, opening: Opening) -> Result<LinkToken, Refused> {
    let Opening { account, with, proved_at, device, began_by } = opening;
    let token = LinkToken::generate(&*env.entropy);
    let length = env.config.session_length(standing(tx, account, None).await?.administrator);
    let factor = with.factor();
    let row = sessions::ActiveModel {
        id: Set(SessionId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        token_digest: Set(token.digest().to_vec()),
        factor_id: Set(factor),
        created_at: Set(tx.now()),
        last_seen_at: Set(tx.now()),
        expires_at: Set(tx.now().plus(length)),
        // A recovery code makes nothing fresh (R5); a password does where it is all that the account has (R1).
        proved_at: Set((with != With::RecoveryCode).then_some(proved_at)),
        proved_with: Set(Some(with.proof().wire().to_owned())),
        mailbox_proved_at: Set(None),
        until_at: Set(None),
        began_by: Set(began_by),
        ended_by: Set(None),
        device_id: Set(device),
    };
    sessions::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    let sql = "UPDATE accounts SET last_login_at = $2 WHERE id = $1";
    tx.execute(sql, vec![Value::from(account), Value::from(tx.now())]).await?;
    link::void(tx, Some(account), Purpose::ResetPassword).await?;
    Ok(token)
}

const RENEW: &str =
    "UPDATE sessions SET token_digest = $2, last_seen_at = $3 WHERE id = $1 AND account_id = $4 AND until_at IS NULL AND expires_at > $3";

/// Gives the session a new token, because its power rises; the old one opens nothing from now on. An idle session is awake again.
///
/// # Errors
/// `NotValid` when it ended meanwhile.
pub(crate) async fn renew(env: &Env, tx: &Tx, account: AccountId, session: SessionId) -> Result<LinkToken, Refused> {
    let token = LinkToken::generate(&*env.entropy);
    let values = vec![Value::from(session), Value::from(token.digest().to_vec()), Value::from(tx.now()), Value::from(account)];
    if tx.execute(RENEW, values).await? == 1 { Ok(token) } else { Err(Denied::NotValid.into()) }
}

const PROVE: &str =
    "UPDATE sessions SET proved_at = $2, proved_with = $3, factor_id = $4 WHERE id = $1 AND until_at IS NULL AND expires_at > $2";

/// Makes the session fresh with what was proved in it just now, and renews its token.
///
/// # Errors
/// `NotValid` when it ended meanwhile.
pub(crate) async fn prove(env: &Env, tx: &Tx, account: AccountId, session: &SessionProof, with: With) -> Result<LinkToken, Refused> {
    let values =
        vec![Value::from(session.id), Value::from(tx.now()), Value::from(with.proof().wire()), Value::from(with.factor().map(|id| id.0))];
    if tx.execute(PROVE, values).await? != 1 {
        return Err(Denied::NotValid.into());
    }
    renew(env, tx, account, session.id).await
}

const END: &str = "UPDATE sessions SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
const END_ALL: &str = "UPDATE sessions SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL";
const END_OTHERS: &str = "UPDATE sessions SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL AND id <> $4";

/// Ends the session that asks.
///
/// # Errors
/// The database.
pub async fn sign_out(env: &Env, tx: &mut Tx, permit: &Permit<SignOut>) -> Result<(), Refused> {
    if !end(tx, *permit.on(), permit.event()).await? {
        tx.leave_as_it_was();
        return Ok(());
    }
    let account = permit.actor().account();
    let mut entry = Entry::of(SignedOut {});
    if let Some(account) = account {
        entry = entry.about(account);
    }
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

/// Ends one session; false when it was over already.
pub(crate) async fn end(tx: &Tx, session: SessionId, by: EventId) -> Result<bool, Refused> {
    Ok(tx.execute(END, vec![Value::from(session), Value::from(tx.now()), Value::from(by)]).await? == 1)
}

/// Ends all half-open sign-ins of an account, and with them the links that would continue them.
pub(crate) async fn end_attempts(tx: &Tx, account: AccountId) -> Result<(), Refused> {
    let sql = "UPDATE sign_in_attempts SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL";
    tx.execute(sql, vec![Value::from(account), Value::from(tx.now())]).await?;
    link::void(tx, Some(account), Purpose::ConfirmLogin).await
}

/// Ends all sessions of an account and its half-open sign-ins; says how many sessions.
pub(crate) async fn end_all(tx: &Tx, account: AccountId, by: EventId) -> Result<u64, Refused> {
    end_attempts(tx, account).await?;
    Ok(tx.execute(END_ALL, vec![Value::from(account), Value::from(tx.now()), Value::from(by)]).await?)
}

/// Ends all sessions of an account but one, and its half-open sign-ins; says how many sessions.
pub(crate) async fn end_others(tx: &Tx, account: AccountId, keep: Option<SessionId>, by: EventId) -> Result<u64, Refused> {
    let Some(keep) = keep else { return end_all(tx, account, by).await };
    end_attempts(tx, account).await?;
    Ok(tx.execute(END_OTHERS, vec![Value::from(account), Value::from(tx.now()), Value::from(by), Value::from(keep)]).await?)
}
