//! The steps of a take-back: a code to every settled mailbox, a settled factor, and the wait with one proof of the two.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use credentials::keys::{KeyedHash, Place};
use credentials::secret::Secret;
use credentials::short_code;
use credentials::totp::{TotpSecret, TotpVerdict, check};
use uuid::Uuid;

use super::{WAIT, account_of, one_proof, open_wait, row_of, settled};
use crate::accounts::Account;
use crate::accounts::taking_back::Begun;
use crate::act;
use crate::clock::Time;
use crate::db::entities::{factors, mailbox_codes, take_back_waits, take_backs};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, TakeBackCodeSent, TakeBackProved, TakeBackRefused, TakeBackWaits};
use crate::ids::{AccountId, AddressId, CodeId, FactorId, HoldId, SessionId, Site, TakeBackId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Actor, Denied, Permit, Proof, TakeBack};
use crate::queue::Enclosed;
use crate::refused::{Invalid, Refused};
use crate::signin::mailbox::{LIFETIME, TRIES, Typed};

/// How often one take-back may ask for codes.
const ASKS: i64 = 3;
/// What the hash of a code is for.
const PURPOSE: &str = "take-back-code";

/// Codes stand in the table of mailbox codes; the take-back is what they are bound to.
const fn bound_to(id: TakeBackId) -> SessionId {
    SessionId(id.0)
}

fn hashed(id: TakeBackId, code: &str) -> Vec<u8> {
    [id.0.as_bytes(), code.as_bytes()].concat()
}

async fn open_codes<R: Reading>(read: &R, id: TakeBackId) -> Result<Vec<mailbox_codes::Model>, Refused> {
    Ok(mailbox_codes::Entity::find()
        .filter(mailbox_codes::Column::SessionId.eq(bound_to(id)))
        .filter(mailbox_codes::Column::SpentAt.is_null())
        .filter(mailbox_codes::Column::ExpiresAt.gt(read.now()))
        .filter(mailbox_codes::Column::Tries.lt(TRIES))
        .order_by_asc(mailbox_codes::Column::Id)
        .all(read.connection())
        .await?)
}

/// When the codes that are open end, and how often one may still be entered.
pub(super) async fn open_code<R: Reading>(read: &R, id: TakeBackId) -> Result<Option<(Time, u32)>, Refused> {
    let open = open_codes(read, id).await?;
    Ok(open.first().map(|row| (row.expires_at, u32::try_from(TRIES - row.tries).unwrap_or(0))))
}

pub(super) async fn seen(env: &Env, actor: &Actor) -> Result<take_backs::Model, Refused> {
    let inner = actor.clone();
    act::view::<TakeBack, _, _>(env, actor, Site, move |read, _| Box::pin(async move { row_of(read, &inner).await })).await
}

/// Sends a code to every settled mailbox of the account; codes before end. Each mailbox gets one of its own.
///
/// # Errors
/// `Limited`; `NotValid` when the take-back is over; `Invalid` when it asked often enough.
pub async fn ask(env: &Env, actor: &Actor) -> Result<(), Refused> {
    let row = seen(env, actor).await?;
    // By a name alone, beginning was counted; the other ways each have a budget of their own, that strangers cannot spend.
    if let Some(account) = row.account_id.filter(|_| !Begun::is_by_name(&row.begun_with)) {
        let whom = Whom { account: Some(format!("take-back-{}:{account}", row.begun_with)), network: None };
        drop(limits::take(env, Limit::TakeBack, &whom).await?);
    }
    let inner = env.clone();
    act::act::<TakeBack, _, _>(env, actor, Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { send(&env, tx, permit).await })
    })
    .await
}

async fn send(env: &Env, tx: &mut Tx, permit: &Permit<TakeBack>) -> Result<(), Refused> {
    const ASKED: &str = "SELECT COUNT(DISTINCT created_at) AS n FROM mailbox_codes WHERE session_id = $1";
    const END: &str = "UPDATE mailbox_codes SET spent_at = $2 WHERE session_id = $1 AND spent_at IS NULL";
    let row = held(tx, permit).await?;
    let asked = tx.row(ASKED, vec![Value::from(bound_to(row.id))]).await?;
    if asked.map(|r| r.try_get::<i64>("", "n")).transpose()?.unwrap_or(0) >= ASKS {
        return Err(Invalid::new("", "Codes were sent often enough: begin the take-back again.").into());
    }
    tx.execute(END, vec![Value::from(bound_to(row.id)), Value::from(tx.now())]).await?;
    let account = account_of(tx, &row).await?;
    let addresses = match &account {
        Some(account) => settled::addresses(env, tx, account).await?,
        None => Vec::new(),
    };
    if addresses.is_empty() {
        // A code that nobody gets, so that the page is the same.
        keep_code(env, tx, permit, &row, (AccountId(Uuid::nil()), AddressId(Uuid::nil()))).await?;
        return refuse(env, tx, permit, &row, "there is no settled mailbox to send a code to").await;
    }
    for address in addresses {
        let code = keep_code(env, tx, permit, &row, (address.account_id, address.id)).await?;
        let entry = Entry::of(TakeBackCodeSent {}).about(address.account_id).with_address(&address.address);
        events::record(env, tx, permit, entry.addressed_to(address.id).enclosing(Enclosed(code))).await?;
    }
    Ok(())
}

async fn keep_code(
    env: &Env,
    tx: &Tx,
    permit: &Permit<TakeBack>,
    row: &take_backs::Model,
    (account, address): (AccountId, AddressId),
) -> Result<Secret, Refused> {
    let code = short_code::generate(&*env.entropy);
    let kept = mailbox_codes::ActiveModel {
        id: Set(CodeId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        session_id: Set(bound_to(row.id)),
        address_id: Set(address),
        code_hash: Set(env.keys.keyed_hash(PURPOSE, &hashed(row.id, code.expose())).to_bytes()),
        tries: Set(0),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now().plus(LIFETIME)),
        spent_at: Set(None),
        began_by: Set(permit.event()),
    };
    mailbox_codes::Entity::insert(kept).exec_without_returning(tx.connection()).await?;
    Ok(code)
}

/// The row of the take-back, locked until the transaction ends, so that two tries at the same moment take turns.
pub(super) async fn held(tx: &Tx, permit: &Permit<TakeBack>) -> Result<take_backs::Model, Refused> {
    let row = row_of(tx, permit.actor()).await?;
    let sql = format!("SELECT 1 AS one FROM take_backs WHERE id = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(row.id)]).await?;
    row_of(tx, permit.actor()).await
}

pub(super) async fn refuse(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<TakeBack>,
    row: &take_backs::Model,
    reason: &str,
) -> Result<(), Refused> {
    let mut entry = Entry::of(TakeBackRefused { reason: reason.to_owned() });
    if let Some(account) = row.account_id {
        entry = entry.about(account);
    }
    events::record_failure(env, tx, permit, entry, row.id.0.as_bytes()).await?;
    Ok(())
}

/// Proves a settled mailbox with a code.
///
/// # Errors
/// `Limited`; `NotValid` when the take-back is over.
pub async fn prove_mailbox(env: &Env, actor: &Actor, typed: Secret) -> Result<Typed, Refused> {
    let row = seen(env, actor).await?;
    let whom = Whom { account: Some(format!("take-back-code:{}", row.id)), network: actor.origin.network };
    let taken = limits::take(env, Limit::Factor, &whom).await?;
    let inner = env.clone();
    let outcome = act::act::<TakeBack, _, _>(env, actor, Site, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { judge_code(&env, tx, permit, typed.expose()).await })
    })
    .await?;
    if outcome == Typed::Right {
        limits::give_back(env, taken).await?;
    }
    Ok(outcome)
}

async fn judge_code(env: &Env, tx: &mut Tx, permit: &Permit<TakeBack>, typed: &str) -> Result<Typed, Refused> {
    const TRY: &str = "UPDATE mailbox_codes SET tries = tries + 1 WHERE session_id = $1 AND spent_at IS NULL AND expires_at > $2";
    const SPEND: &str = "UPDATE mailbox_codes SET spent_at = $2 WHERE session_id = $1 AND spent_at IS NULL";
    const PROVE: &str = "UPDATE take_backs SET address_id = $2, address_proved_at = $3 WHERE id = $1 AND spent_at IS NULL";
    let row = held(tx, permit).await?;
    let open = open_codes(tx, row.id).await?;
    if open.is_empty() {
        refuse(env, tx, permit, &row, "no code was open").await?;
        return Ok(Typed::NoneOpen);
    }
    // One try for all codes together: several mailboxes are no more guesses.
    tx.execute(TRY, vec![Value::from(bound_to(row.id)), Value::from(tx.now())]).await?;
    let code = short_code::normalize(typed).unwrap_or_default();
    let is_right = |kept: &&mailbox_codes::Model| {
        let hash = KeyedHash::from_bytes(&kept.code_hash);
        hash.is_some_and(|hash| env.keys.check_keyed_hash(PURPOSE, &hashed(row.id, &code), &hash))
    };
    let right = open.iter().find(is_right).filter(|kept| Some(kept.account_id) == row.account_id);
    let Some(right) = right else {
        refuse(env, tx, permit, &row, "the code was wrong").await?;
        return Ok(Typed::Wrong);
    };
    tx.execute(SPEND, vec![Value::from(bound_to(row.id)), Value::from(tx.now())]).await?;
    tx.execute(PROVE, vec![Value::from(row.id), Value::from(right.address_id), Value::from(tx.now())]).await?;
    let entry = Entry::of(TakeBackProved { proof: "a settled mailbox".to_owned() }).about(right.account_id);
    events::record(env, tx, permit, entry).await?;
    Ok(Typed::Right)
}

/// What became of a factor that was shown for a take-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It counts.
    Right,
    /// It is wrong, was used, or is not settled.
    Wrong,
}

/// Whose tries they are: those of whoever proved this mailbox, or knows the password. Nobody can spend another's (R25).
pub(super) fn tries_of(row: &take_backs::Model) -> Result<String, Refused> {
    let account = row.account_id.map_or_else(|| format!("nobody:{}", row.id), |id| id.to_string());
    match row.address_id.filter(|_| row.address_proved_at.is_some()) {
        Some(address) => Ok(format!("take-back:{account}:{address}")),
        None if Begun::may_prove_the_factor_first(&row.begun_with) => Ok(format!("take-back:{account}:{}", row.begun_with)),
        // A factor is not guessed at by somebody who has nothing else.
        None => Err(Denied::NotValid.into()),
    }
}

/// Proves a settled factor with a TOTP code.
///
/// # Errors
/// `Limited`; `NotValid` when the take-back is over, or nothing was proved before.
pub async fn prove_totp(env: &Env, actor: &Actor, typed: Secret) -> Result<Shown, Refused> {
    let row = seen(env, actor).await?;
    let whom = Whom { account: Some(tries_of(&row)?), network: actor.origin.network };
    let taken = limits::take(env, Limit::Factor, &whom).await?;
    let inner = env.clone();
    let shown = act::act::<TakeBack, _, _>(env, actor, Site, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { judge_totp(&env, tx, permit, typed.expose()).await })
    })
    .await?;
    if shown == Shown::Right {
        limits::give_back(env, taken).await?;
    }
    Ok(shown)
}

async fn judge_totp(env: &Env, tx: &mut Tx, permit: &Permit<TakeBack>, typed: &str) -> Result<Shown, Refused> {
    let row = held(tx, permit).await?;
    tries_of(&row)?;
    let account = account_of(tx, &row).await?;
    let accepted = match &account {
        Some(account) => accepted(env, tx, account, typed).await?,
        None => None,
    };
    let Some((account, factor)) = account.zip(accepted) else {
        refuse(env, tx, permit, &row, "the code of the second factor was wrong, used, or not of a settled one").await?;
        return Ok(Shown::Wrong);
    };
    note_factor(env, tx, permit, &row, (&account, factor, Proof::Totp)).await?;
    Ok(Shown::Right)
}

/// Writes down that a settled factor was proved.
pub(super) async fn note_factor(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<TakeBack>,
    row: &take_backs::Model,
    (account, factor, proof): (&Account, FactorId, Proof),
) -> Result<(), Refused> {
    const PROVE: &str = "UPDATE take_backs SET factor_id = $2, factor_proved_at = $3, proved_with = $4 WHERE id = $1 AND spent_at IS NULL";
    let values = vec![Value::from(row.id), Value::from(factor), Value::from(tx.now()), Value::from(proof.wire())];
    tx.execute(PROVE, values).await?;
    let entry = Entry::of(TakeBackProved { proof: "a settled second factor".to_owned() }).about(account.id);
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

/// The settled app whose code it is; its step is taken, whether it was removed or not.
async fn accepted(env: &Env, tx: &Tx, account: &Account, typed: &str) -> Result<Option<FactorId>, Refused> {
    const TAKE_STEP: &str = "UPDATE factors SET last_step = $2 WHERE id = $1 AND (last_step IS NULL OR last_step < $2)";
    for factor in settled::factors(env, tx, account).await?.into_iter().filter(|factor| factor.kind == "totp") {
        let secret = unseal(env, &factor)?;
        if let TotpVerdict::Accepted { step } = check(&secret, typed, tx.now().as_seconds(), factor.last_step)
            && tx.execute(TAKE_STEP, vec![Value::from(factor.id), Value::from(step)]).await? == 1
        {
            return Ok(Some(factor.id));
        }
    }
    Ok(None)
}

fn unseal(env: &Env, row: &factors::Model) -> Result<TotpSecret, Refused> {
    let place = Place { table: "factors", row: row.id.0.as_bytes(), account: row.account_id.0.as_bytes() };
    let plain = env.keys.open(&place, &row.secret_sealed).map_err(|e| anyhow::anyhow!("the secret of factor {}: {e}", row.id))?;
    TotpSecret::from_bytes(plain.expose()).ok_or_else(|| anyhow::anyhow!("the secret of factor {} is not 20 bytes", row.id).into())
}

/// Asks for the take-back with the one proof that was given: it waits, and every address is told (R16).
///
/// # Errors
/// `Invalid` unless exactly one proof was given; `NotValid` when the take-back is over.
pub async fn wait(env: &Env, actor: &Actor) -> Result<(), Refused> {
    let inner = env.clone();
    act::act::<TakeBack, _, _>(env, actor, Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move { begin_wait(&env, tx, permit).await })
    })
    .await
}

async fn begin_wait(env: &Env, tx: &mut Tx, permit: &Permit<TakeBack>) -> Result<(), Refused> {
    let row = held(tx, permit).await?;
    let account = account_of(tx, &row).await?.ok_or(Denied::NotValid)?;
    if Begun::undeletes(&row.begun_with) {
        return Err(Invalid::new("", "To bring a deleted account back, both proofs are needed.").into());
    }
    let proof = one_proof(&row).ok_or_else(|| Invalid::new("", "Prove your mailbox or your second factor first."))?;
    if open_wait(tx, &row).await?.is_some() {
        tx.leave_as_it_was();
        return Ok(());
    }
    let due = tx.now().plus(WAIT);
    let wait = take_back_waits::ActiveModel {
        id: Set(HoldId::new(tx.now(), &*env.entropy)),
        account_id: Set(account.id),
        proof: Set(proof.to_owned()),
        from_at: Set(tx.now()),
        due_at: Set(due),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
    };
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    let rows = take_back_waits::Entity::insert(wait).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    if rows != 1 {
        tx.leave_as_it_was();
        return Ok(());
    }
    let words = if proof == "mailbox" { "the mailbox" } else { "the second factor" };
    let event = TakeBackWaits { proof: words.to_owned(), from: due.in_words() };
    events::record(env, tx, permit, Entry::of(event).about(account.id)).await?;
    Ok(())
}
