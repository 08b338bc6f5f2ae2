//! Single-use links: made for a mail or for the shell, kept as SHA-256, spent by one POST.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};

use credentials::link::LinkToken;

use crate::db::entities::links;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, AddressId, EventId, LinkId, SessionId};
use crate::policy::{Action, Denied, Permit};
use crate::refused::Refused;

/// What a link does. One made for one purpose opens no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Verifies an address.
    VerifyEmail,
    /// Chooses a new password.
    ResetPassword,
    /// Makes the first administrator, or completes an account made at the shell.
    SetUp,
    /// Continues one sign-in in the browser where it began; it opens nothing elsewhere.
    ConfirmLogin,
    /// Contains the account that a notice went to (R13, R14).
    NotMe,
    /// Pauses the credential of somebody else's act on one project (R14).
    Alarm,
    /// Stops a change that waits.
    Veto,
}

impl Purpose {
    /// The word in rows.
    pub(crate) const fn wire(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::SetUp => "setup",
            Self::ConfirmLogin => "confirm-login",
            Self::NotMe => "not-me",
            Self::Alarm => "alarm",
            Self::Veto => "veto",
        }
    }

    /// How long it works.
    #[must_use]
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::from_secs(24 * 3600),
            Self::ResetPassword => Duration::from_secs(30 * 60),
            Self::SetUp => Duration::from_secs(3600),
            Self::ConfirmLogin => Duration::from_secs(15 * 60),
            Self::NotMe | Self::Alarm => Duration::from_secs(7 * 86_400),
            // Its hold may have to wait for its people; when it is over, so is the link.
            Self::Veto => Duration::from_secs(34 * 86_400),
        }
    }
}

/// A link to be made.
#[derive(Clone, Copy)]
pub(crate) struct NewLink {
    pub purpose: Purpose,
    pub account: Option<AccountId>,
    pub address: Option<AddressId>,
    pub session: Option<SessionId>,
    pub began_by: EventId,
}

/// Makes a link; older ones of the same purpose for the same account end.
pub(crate) async fn issue(env: &Env, tx: &Tx, new: NewLink) -> Result<LinkToken, Refused> {
    void(tx, new.account, new.purpose).await?;
    let token = LinkToken::generate(&*env.entropy);
    let row = row(env, tx, &token, new);
    links::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(token)
}

fn row(env: &Env, tx: &Tx, token: &LinkToken, new: NewLink) -> links::ActiveModel {
    links::ActiveModel {
        id: Set(LinkId::new(tx.now(), &*env.entropy)),
        purpose: Set(new.purpose.wire().to_owned()),
        account_id: Set(new.account),
        address_id: Set(new.address),
        session_id: Set(new.session),
        token_digest: Set(token.digest().to_vec()),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now().plus(new.purpose.lifetime())),
        spent_at: Set(None),
        began_by: Set(Some(new.began_by)),
        attempt_id: Set(None),
        hold_id: Set(None),
        event_id: Set(None),
    }
}

/// Keeps a link that a notice of an event carries. Several live side by side: each notice keeps its own (R14).
pub(crate) async fn keep_for_notice(env: &Env, tx: &Tx, token: &LinkToken, new: NewLink, event: EventId) -> Result<(), Refused> {
    let row = links::ActiveModel { event_id: Set(Some(event)), ..row(env, tx, token, new) };
    links::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Ends the open links of one purpose of an account, or those of no account.
pub(crate) async fn void(tx: &Tx, account: Option<AccountId>, purpose: Purpose) -> Result<(), Refused> {
    const OF_ACCOUNT: &str = "UPDATE links SET spent_at = $2 WHERE purpose = $1 AND account_id = $3 AND spent_at IS NULL";
    const OF_NOBODY: &str = "UPDATE links SET spent_at = $2 WHERE purpose = $1 AND account_id IS NULL AND spent_at IS NULL";
    let mut values = vec![Value::from(purpose.wire()), Value::from(tx.now())];
    let sql = if account.is_some() { OF_ACCOUNT } else { OF_NOBODY };
    values.extend(account.map(Value::from));
    tx.execute(sql, values).await?;
    Ok(())
}

/// Spends the link that was posted: once, for one purpose.
pub(crate) async fn spend<A: Action>(tx: &Tx, permit: &Permit<A>, purpose: Purpose) -> Result<links::Model, Refused> {
    const SPEND: &str = "UPDATE links SET spent_at = $3 WHERE id = $1 AND purpose = $2 AND spent_at IS NULL AND expires_at > $3";
    let id = permit.actor().credential_id.map(LinkId).ok_or(Denied::NotValid)?;
    let values = vec![Value::from(id), Value::from(purpose.wire()), Value::from(tx.now())];
    if tx.execute(SPEND, values).await? != 1 {
        return Err(Denied::NotValid.into());
    }
    let row = links::Entity::find_by_id(id).one(tx.connection()).await?;
    Ok(row.ok_or(Denied::NotValid)?)
}

/// The open link behind a token; changes nothing.
pub(crate) async fn peek<R: Reading>(read: &R, token: &LinkToken, purpose: Purpose) -> Result<Option<links::Model>, Refused> {
    Ok(links::Entity::find()
        .filter(links::Column::TokenDigest.eq(token.digest().to_vec()))
        .filter(links::Column::Purpose.eq(purpose.wire()))
        .filter(links::Column::SpentAt.is_null())
        .filter(links::Column::ExpiresAt.gt(read.now()))
        .one(read.connection())
        .await?)
}
