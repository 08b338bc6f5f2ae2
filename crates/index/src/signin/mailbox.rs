//! Fresh proof of a mailbox (R4, R5): six digits, ten minutes, five tries, good only in the session that asked for them.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use credentials::keys::KeyedHash;
use credentials::link::LinkToken;
use credentials::secret::Secret;
use credentials::short_code;

use crate::accounts::addresses::{self, Verified};
use crate::act;
use crate::clock::Time;
use crate::db::entities::mailbox_codes;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, MailboxCodeSent, MailboxProved, MailboxRefused};
use crate::ids::{AccountId, CodeId, SessionId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Actor, Denied, Gate, Permit, ProveMailbox, SessionProof, VerifyAddress};
use crate::queue::Enclosed;
use crate::refused::Refused;
use crate::signin::{devices, session};

/// How long a code works.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// How often one may be entered.
pub const TRIES: i64 = 5;

/// What the page shows.
#[derive(Clone)]
pub struct Asked {
    /// The address that codes go to.
    pub address: String,
    /// When the code that is open now ends, and how often it may still be entered.
    pub open: Option<(Time, u32)>,
}

fn session_of(permit: &Permit<ProveMailbox>) -> Result<SessionProof, Refused> {
    permit.actor().session.ok_or_else(|| Denied::NotValid.into())
}

/// Reads what the page shows.
///
/// # Errors
/// The database.
pub async fn asked<R: Reading>(read: &R, permit: &Permit<ProveMailbox>) -> Result<Asked, Refused> {
    let address = addresses::primary(read, *permit.on()).await?.ok_or(Denied::Gate(Gate::VerifiedAddress))?;
    let open = open_code(read, session_of(permit)?.id).await?;
    let open = open.map(|row| (row.expires_at, u32::try_from(TRIES - row.tries).unwrap_or(0)));
    Ok(Asked { address: address.address, open })
}

async fn open_code<R: Reading>(read: &R, session: SessionId) -> Result<Option<mailbox_codes::Model>, Refused> {
    Ok(mailbox_codes::Entity::find()
        .filter(mailbox_codes::Column::SessionId.eq(session))
        .filter(mailbox_codes::Column::SpentAt.is_null())
        .filter(mailbox_codes::Column::ExpiresAt.gt(read.now()))
        .filter(mailbox_codes::Column::Tries.lt(TRIES))
        .order_by_desc(mailbox_codes::Column::CreatedAt)
        .one(read.connection())
        .await?)
}

/// What the hash of a code is made over: a code of one session says nothing in another.
fn bound(session: SessionId, code: &str) -> Vec<u8> {
    [session.0.as_bytes(), code.as_bytes()].concat()
}

const PURPOSE: &str = "mailbox-code";

/// Sends a new code; the one before ends.
///
/// # Errors
/// `Limited`, or `Denied` by a gate.
pub async fn ask(env: &Env, actor: &Actor, account: AccountId) -> Result<(), Refused> {
    let whom = Whom { account: Some(format!("mailbox-code:{account}")), network: actor.origin.network };
    drop(limits::take(env, Limit::Mail, &whom).await?);
    let inner = env.clone();
    act::act::<ProveMailbox, _, _>(env, actor, account, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { send(&env, tx, permit).await })
    })
    .await
}

async fn send(env: &Env, tx: &mut Tx, permit: &Permit<ProveMailbox>) -> Result<(), Refused> {
    let (account, session) = (*permit.on(), session_of(permit)?.id);
    let address = addresses::primary(tx, account).await?.ok_or(Denied::Gate(Gate::VerifiedAddress))?;
    let end = "UPDATE mailbox_codes SET spent_at = $2 WHERE session_id = $1 AND spent_at IS NULL";
    tx.execute(end, vec![Value::from(session), Value::from(tx.now())]).await?;
    let code = short_code::generate(&*env.entropy);
    let row = mailbox_codes::ActiveModel {
        id: Set(CodeId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        session_id: Set(session),
        address_id: Set(address.id),
        code_hash: Set(env.keys.keyed_hash(PURPOSE, &bound(session, code.expose())).to_bytes()),
        tries: Set(0),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now().plus(LIFETIME)),
        spent_at: Set(None),
        began_by: Set(permit.event()),
    };
    mailbox_codes::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    let entry = Entry::of(MailboxCodeSent {}).about(account).with_address(&address.address);
    events::record(env, tx, permit, entry.addressed_to(address.id).enclosing(Enclosed(code))).await?;
    Ok(())
}

/// What became of a typed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It was right: the mailbox is proved in this session.
    Right,
    /// It was wrong.
    Wrong,
    /// No code is open in this session: expired, used, entered too often, or asked for elsewhere.
    NoneOpen,
}

/// Proves the mailbox with a code. A right one brings the session's new token: whoever copied the old one has proved nothing (R4).
///
/// # Errors
/// `Limited`, or `Denied` by a gate.
pub async fn prove(env: &Env, actor: &Actor, account: AccountId, typed: Secret) -> Result<(Typed, Option<LinkToken>), Refused> {
    let (taken, _) = devices::take(env, actor, Some(account), Limit::Factor, &devices::within(actor)).await?;
    let inner = env.clone();
    let outcome = act::act::<ProveMailbox, _, _>(env, actor, account, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { judge(&env, tx, permit, typed.expose()).await })
    })
    .await?;
    if outcome.0 == Typed::Right {
        limits::give_back(env, taken).await?;
    }
    Ok(outcome)
}

/// Verifies the address of a mail's link. Where that proves the mailbox in a session, the session gets a new token as well: whoever copied
/// the old one has proved nothing (R4).
///
/// # Errors
/// As `addresses::verify`.
pub async fn verify(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<VerifyAddress>,
    browser: &[u8],
) -> Result<(Verified, Option<LinkToken>), Refused> {
    let verified = addresses::verify(env, tx, permit, browser).await?;
    let renewed = match verified {
        Verified::AndProved(account, session) => Some(session::renew(env, tx, account, session).await?),
        Verified::Flag | Verified::Taken => None,
    };
    Ok((verified, renewed))
}

/// A try is counted by an UPDATE of its own, so that parallel ones cannot share it.
const TRY: &str = "UPDATE mailbox_codes SET tries = tries + 1 WHERE id = $1 AND tries < $2 AND spent_at IS NULL AND expires_at > $3";
const SPEND: &str = "UPDATE mailbox_codes SET spent_at = $2 WHERE id = $1 AND spent_at IS NULL";
const PROVE: &str = "UPDATE sessions SET mailbox_proved_at = $3 WHERE id = $1 AND account_id = $2 AND until_at IS NULL";

async fn judge(env: &Env, tx: &mut Tx, permit: &Permit<ProveMailbox>, typed: &str) -> Result<(Typed, Option<LinkToken>), Refused> {
    let (account, own) = (*permit.on(), session_of(permit)?.id);
    let open = open_code(tx, own).await?;
    let counted = match &open {
        Some(row) => tx.execute(TRY, vec![Value::from(row.id), Value::from(TRIES), Value::from(tx.now())]).await? == 1,
        None => false,
    };
    let Some(row) = open.filter(|_| counted) else {
        refuse(env, tx, permit, "no code was open in this session").await?;
        return Ok((Typed::NoneOpen, None));
    };
    let code = short_code::normalize(typed).unwrap_or_default();
    let expected = KeyedHash::from_bytes(&row.code_hash);
    let right = expected.is_some_and(|hash| env.keys.check_keyed_hash(PURPOSE, &bound(own, &code), &hash));
    if !right || tx.execute(SPEND, vec![Value::from(row.id), Value::from(tx.now())]).await? != 1 {
        refuse(env, tx, permit, "the code was wrong").await?;
        return Ok((Typed::Wrong, None));
    }
    let proved = tx.execute(PROVE, vec![Value::from(own), Value::from(account), Value::from(tx.now())]).await?;
    if proved != 1 {
        return Err(Denied::NotValid.into());
    }
    let token = session::renew(env, tx, account, own).await?;
    events::record(env, tx, permit, Entry::of(MailboxProved {}).about(account)).await?;
    Ok((Typed::Right, Some(token)))
}

async fn refuse(env: &Env, tx: &mut Tx, permit: &Permit<ProveMailbox>, reason: &str) -> Result<(), Refused> {
    let account = *permit.on();
    let entry = Entry::of(MailboxRefused { reason: reason.to_owned() }).about(account);
    events::record_failure(env, tx, permit, entry, account.0.as_bytes()).await?;
    Ok(())
}
