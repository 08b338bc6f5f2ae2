//! Browsers that an account trusts (R33): a random cookie per account and browser, never a network address. Trust spares the mailbox
//! confirmation, never the factor; and gives the browser a budget and a lane of its own, so that strangers cannot lock its owner out (R25).
//!
//! Rows are history: ending one sets `until_at`. Each new trust has a fresh token; the row keeps its SHA-256.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};

use credentials::link::LinkToken;

use crate::clock::Time;
use crate::db::entities::devices;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, DeviceForgotten, Entry, open_private};
use crate::ids::{AccountId, DeviceId, EventId};
use crate::lane::For;
use crate::limits::{self, Limit, Taken, Whom};
use crate::policy::{Actor, Denied, ForgetDevice, Origin, Permit, Proof, Resource, Role, SeeSessions, Situation};
use crate::refused::Refused;
use crate::signin::sessions::Whence;

/// How long a browser is trusted.
pub const LIFETIME: Duration = Duration::from_secs(180 * 86_400);
/// How many tokens a browser's cookie holds at most, one for each account.
pub const MOST: usize = 8;

/// A browser that an account begins to trust: what its cookie gets, and what that takes the place of.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The token for the cookie.
    pub token: LinkToken,
    /// SHA-256 of the token that it replaces in the cookie, if this browser was trusted already.
    pub replaces: Option<[u8; 32]>,
}

fn open(account: AccountId, now: Time) -> sea_orm::Select<devices::Entity> {
    devices::Entity::find()
        .filter(devices::Column::AccountId.eq(account))
        .filter(devices::Column::UntilAt.is_null())
        .filter(devices::Column::FromAt.gt(now.minus(LIFETIME)))
}

/// The trusted browser that a request came from, if this account trusts it.
///
/// # Errors
/// The database.
pub async fn known<R: Reading>(read: &R, account: AccountId, origin: &Origin) -> Result<Option<DeviceId>, Refused> {
    if origin.devices.is_empty() {
        return Ok(None);
    }
    let digests = origin.devices.iter().take(MOST).map(|digest| digest.to_vec());
    let row = open(account, read.now()).filter(devices::Column::TokenDigest.is_in(digests)).one(read.connection()).await?;
    Ok(row.map(|row| row.id))
}

/// The same, outside a transaction.
pub(crate) async fn known_now(env: &Env, account: AccountId, origin: &Origin) -> Result<Option<DeviceId>, Refused> {
    if origin.devices.is_empty() {
        return Ok(None);
    }
    let read = env.db.read(env.now()).await?;
    known(&read, account, origin).await
}

/// Counts a try against the budget of the trusted browser that it comes from, else against those of account, network and index.
/// Says which side of the hashing lane it belongs to.
pub(crate) async fn take(env: &Env, actor: &Actor, account: Option<AccountId>, limit: Limit, whom: &Whom) -> Result<(Taken, For), Refused> {
    let device = match account {
        Some(account) => known_now(env, account, &actor.origin).await?,
        None => None,
    };
    match device {
        Some(device) => Ok((limits::take_known(env, limit, device).await?, For::Known)),
        None => Ok((limits::take(env, limit, whom).await?, For::Strangers)),
    }
}

/// Whom the tries of whoever is signed in are counted for.
pub(crate) fn within(actor: &Actor) -> Whom {
    Whom::session(actor.session.map(|session| session.id), actor.origin.network)
}

const SEEN: &str = "UPDATE devices SET last_seen_at = $2 WHERE id = $1";

/// Notes that a sign-in came from a trusted browser.
pub(crate) async fn note_seen(tx: &Tx, device: DeviceId) -> Result<(), Refused> {
    tx.execute(SEEN, vec![Value::from(device), Value::from(tx.now())]).await?;
    Ok(())
}

/// Trusts the browser that a request came from; the trust that it had ends, and its token with it. The browser is no younger for it:
/// its age counts (R3), unless `with` is a recovery code, which somebody may have copied together with the cookie.
pub(crate) async fn trust(
    env: &Env,
    tx: &Tx,
    (account, with): (AccountId, Proof),
    origin: &Origin,
    by: EventId,
) -> Result<(DeviceId, Trust), Refused> {
    let (mut replaces, mut since) = (None, None);
    if let Some(known) = known(tx, account, origin).await? {
        let row = devices::Entity::find_by_id(known).one(tx.connection()).await?;
        since = row.as_ref().map(|row| row.known_since.unwrap_or(row.from_at)).filter(|_| with != Proof::RecoveryCode);
        replaces = row.and_then(|row| <[u8; 32]>::try_from(row.token_digest).ok());
        tx.execute(END, vec![Value::from(known), Value::from(tx.now()), Value::from(by)]).await?;
    }
    let (id, token) = (DeviceId::new(tx.now(), &*env.entropy), LinkToken::generate(&*env.entropy));
    let row = devices::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        token_digest: Set(token.digest().to_vec()),
        last_seen_at: Set(tx.now()),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(by),
        ended_by: Set(None),
        known_since: Set(since),
    };
    devices::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok((id, Trust { token, replaces }))
}

const END: &str = "UPDATE devices SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
const END_ALL: &str = "UPDATE devices SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL";
const END_OTHERS: &str = "UPDATE devices SET until_at = $2, ended_by = $3 WHERE account_id = $1 AND until_at IS NULL AND id <> $4";

/// Ends the trust in all browsers of an account; says how many there were.
pub(crate) async fn end_all(tx: &Tx, account: AccountId, by: EventId) -> Result<u64, Refused> {
    Ok(tx.execute(END_ALL, vec![Value::from(account), Value::from(tx.now()), Value::from(by)]).await?)
}

/// The same, except for one browser.
pub(crate) async fn end_others(tx: &Tx, account: AccountId, keep: Option<DeviceId>, by: EventId) -> Result<u64, Refused> {
    let Some(keep) = keep else { return end_all(tx, account, by).await };
    Ok(tx.execute(END_OTHERS, vec![Value::from(account), Value::from(tx.now()), Value::from(by), Value::from(keep)]).await?)
}

/// A trusted browser, as its account sees it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which one.
    pub id: DeviceId,
    /// Since when it is trusted.
    pub since: Time,
    /// When it was last seen at a sign-in.
    pub last_seen: Time,
    /// When the trust ends by itself.
    pub until: Time,
    /// Whether the request that asks came from it.
    pub here: bool,
    /// Where from and with what it was when the trust began.
    pub whence: Whence,
}

/// How many trusted browsers are shown: the newest; those that nobody uses end by themselves.
const SHOWN: u64 = 100;

/// The browsers that an account trusts, newest first.
///
/// # Errors
/// The database, or a sealed field that does not open.
pub async fn list<R: Reading>(env: &Env, read: &R, permit: &Permit<SeeSessions>) -> Result<Vec<Line>, Refused> {
    let here = known(read, *permit.on(), &permit.actor().origin).await?;
    let rows = open(*permit.on(), read.now()).order_by_desc(devices::Column::Id).limit(SHOWN).all(read.connection()).await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let whence = Whence::of(env, open_private(env, read, row.began_by).await?);
        let until = row.from_at.plus(LIFETIME);
        lines.push(Line { id: row.id, since: row.from_at, last_seen: row.last_seen_at, until, here: here == Some(row.id), whence });
    }
    Ok(lines)
}

/// Forgets a browser: the next sign-in from it is one from an unknown browser.
///
/// # Errors
/// The database.
pub async fn forget(env: &Env, tx: &mut Tx, permit: &Permit<ForgetDevice>) -> Result<(), Refused> {
    let ended = tx.execute(END, vec![Value::from(*permit.on()), Value::from(tx.now()), Value::from(permit.event())]).await?;
    if ended == 0 {
        tx.leave_as_it_was();
        return Ok(());
    }
    let account = permit.actor().account().ok_or(Denied::NotValid)?;
    events::record(env, tx, permit, Entry::of(DeviceForgotten {}).about(account)).await?;
    Ok(())
}

impl Resource for DeviceId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let row = devices::Entity::find_by_id(*self).one(read.connection()).await?;
        Ok(match row {
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }
}
