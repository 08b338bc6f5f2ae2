//! Changes of the rows of addresses: the proof taken and lost, the primary one chosen, an end. Who may do it is decided above.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, Value};

use super::{AddressRow, by_folded, of_account};
use crate::accounts::{freeze, settled};
use crate::clock::Time;
use crate::db::entities::addresses;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AddressUnverified, Entry};
use crate::ids::{AccountId, AddressId, EventId};
use crate::policy::{Action, Permit, UnverifyAddress};
use crate::refused::{Invalid, Refused};

/// The most addresses of one account.
pub const MOST_ADDRESSES: usize = 10;

/// The addresses of an account, their rows locked until the transaction ends: two changes at once take turns.
pub(crate) async fn lock_rows(tx: &Tx, account: AccountId) -> Result<Vec<AddressRow>, Refused> {
    let sql = format!("SELECT id FROM addresses WHERE account_id = $1 AND until_at IS NULL ORDER BY id{}", tx.lock(true));
    tx.rows(&sql, vec![Value::from(account)]).await?;
    of_account(tx, account).await
}

/// Whether the account ever proved an address, one that is gone included.
pub(crate) async fn ever_verified<R: Reading>(read: &R, account: AccountId) -> Result<bool, Refused> {
    const EVER: &str = "SELECT 1 AS one FROM addresses WHERE account_id = $1 AND verified_at IS NOT NULL LIMIT 1";
    Ok(read.row(EVER, vec![Value::from(account)]).await?.is_some())
}

/// Whether an address is settled: proved, and either claimed within a day of the account's creation, or proved long enough ago.
pub(crate) fn is_settled(env: &Env, now: Time, row: &AddressRow, account_created_at: Time) -> bool {
    let Some(verified_at) = row.verified_at else { return false };
    settled::is_of_the_first_day(row.from_at, account_created_at) || settled::is_settled(env, now, verified_at, account_created_at)
}

/// Sets the flag unless another account has verified the address: of two at once one is second.
pub(crate) async fn take_proof(tx: &Tx, row: &AddressRow) -> Result<bool, Refused> {
    const TAKE: &str = "UPDATE addresses SET verified_at = COALESCE(verified_at, $2), unverified_because = NULL \
        WHERE id = $1 AND until_at IS NULL AND NOT EXISTS (SELECT 1 FROM addresses o \
        WHERE o.folded = addresses.folded AND o.until_at IS NULL AND o.verified_at IS NOT NULL AND o.id <> addresses.id)";
    // All claims of the address are locked, in one order, so that the second one sees what the first one did.
    let claims = format!("SELECT id FROM addresses WHERE folded = $1 AND until_at IS NULL ORDER BY id{}", tx.lock(true));
    tx.rows(&claims, vec![Value::from(row.folded.as_str())]).await?;
    Ok(tx.execute(TAKE, vec![Value::from(row.id), Value::from(tx.now())]).await? == 1)
}

/// Ends an address of an account.
pub(crate) async fn end(tx: &Tx, row: &AddressRow, by: EventId) -> Result<(), Refused> {
    const END: &str = "UPDATE addresses SET until_at = $2, ended_by = $3, is_public = FALSE WHERE id = $1 AND until_at IS NULL";
    tx.execute(END, vec![Value::from(row.id), Value::from(tx.now()), Value::from(by)]).await?;
    Ok(())
}

/// Makes an address the primary one; what was proved or sent for the other one ends. Both rows end and begin anew with their old age,
/// so that it can be told which one was the primary address at a time.
pub(crate) async fn make_primary(env: &Env, tx: &Tx, row: &AddressRow, by: EventId) -> Result<(), Refused> {
    let before: Vec<AddressRow> = of_account(tx, row.account_id).await?.into_iter().filter(|other| other.is_primary).collect();
    for (other, is_primary) in before.iter().map(|other| (other, false)).chain([(row, true)]) {
        renew(env, tx, other, is_primary, by).await?;
    }
    forget_proofs(tx, row.account_id).await
}

/// Ends a row and begins another one like it; links that were mailed to it stay good.
async fn renew(env: &Env, tx: &Tx, row: &AddressRow, is_primary: bool, by: EventId) -> Result<(), Refused> {
    const END: &str = "UPDATE addresses SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL";
    const LINKS: &str = "UPDATE links SET address_id = $2 WHERE account_id = $3 AND address_id = $1 AND spent_at IS NULL";
    let id = AddressId::new(tx.now(), &*env.entropy);
    tx.execute(END, vec![Value::from(row.id), Value::from(tx.now()), Value::from(by)]).await?;
    let mut next = row.clone().into_active_model().reset_all();
    next.id = Set(id);
    next.is_primary = Set(is_primary);
    next.until_at = Set(None);
    next.began_by = Set(by);
    next.ended_by = Set(None);
    addresses::Entity::insert(next).exec_without_returning(tx.connection()).await?;
    tx.execute(LINKS, vec![Value::from(row.id), Value::from(id), Value::from(row.account_id)]).await?;
    Ok(())
}

/// Codes that were sent, links to choose a password, and fresh proofs of the mailbox: all were about the primary address as it was.
pub(crate) async fn forget_proofs(tx: &Tx, account: AccountId) -> Result<(), Refused> {
    const CODES: &str = "UPDATE mailbox_codes SET spent_at = $2 WHERE account_id = $1 AND spent_at IS NULL";
    const LINKS: &str = "UPDATE links SET spent_at = $2 WHERE account_id = $1 AND purpose = 'reset-password' AND spent_at IS NULL";
    const SESSIONS: &str = "UPDATE sessions SET mailbox_proved_at = NULL WHERE account_id = $1 AND until_at IS NULL";
    const BROWSERS: &str = "UPDATE links SET proved_at = NULL WHERE account_id = $1 AND proved_at IS NOT NULL";
    for sql in [CODES, LINKS] {
        tx.execute(sql, vec![Value::from(account), Value::from(tx.now())]).await?;
    }
    for sql in [SESSIONS, BROWSERS] {
        tx.execute(sql, vec![Value::from(account)]).await?;
    }
    Ok(())
}

/// Why an address lost its proof: the word of the row, and the reason that people read.
#[derive(Clone, Debug)]
pub struct Because {
    /// `bounce`, `complaint`, `operator` or `lapsed`.
    pub word: &'static str,
    /// The sentence in the account's history.
    pub reason: String,
}

/// What the account's own page says of an address that lost its proof.
#[must_use]
pub fn because_words(word: &str) -> &'static str {
    match word {
        "bounce" => "mail to it came back",
        "complaint" => "its mail server said that our mail is not wanted there",
        "lapsed" => "its domain lapsed",
        _ => "the people who run this index asked for it",
    }
}

/// Takes the proof away: the row ends, another one without proof begins, so that the old one tells until when it was proved.
pub(crate) async fn unverify<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    row: &AddressRow,
    because: &Because,
) -> Result<(), Refused> {
    end(tx, row, permit.event()).await?;
    let next = addresses::ActiveModel {
        id: Set(AddressId::new(tx.now(), &*env.entropy)),
        account_id: Set(row.account_id),
        address: Set(row.address.clone()),
        folded: Set(row.folded.clone()),
        is_primary: Set(row.is_primary),
        verified_at: Set(None),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(permit.event()),
        ended_by: Set(None),
        is_public: Set(false),
        unverified_because: Set(Some(because.word.to_owned())),
    };
    addresses::Entity::insert(next).exec_without_returning(tx.connection()).await?;
    if row.is_primary {
        forget_proofs(tx, row.account_id).await?;
    }
    let entry = Entry::of(AddressUnverified { reason: because.reason.clone() }).about(row.account_id).with_address(&row.address);
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

/// Takes the proof of an account's address away, for the operator and for the list of lapsed domains.
///
/// # Errors
/// `Invalid` when the account has not verified this address, or the reason is empty or too long.
pub async fn unverify_address(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<UnverifyAddress>,
    folded: &str,
    because: &Because,
) -> Result<(), Refused> {
    freeze::check_reason(&because.reason)?;
    lock_rows(tx, *permit.on()).await?;
    let row = by_folded(tx, folded).await?.filter(|row| row.account_id == *permit.on());
    let row = row.ok_or_else(|| Invalid::new("email", "No account has verified this address."))?;
    unverify(env, tx, permit, &row, because).await
}

/// The next thousand verified addresses, by their ids: for the walk over lapsed domains.
///
/// # Errors
/// The database.
pub async fn verified_after<R: Reading>(read: &R, after: AddressId) -> Result<Vec<(AddressId, AccountId, String)>, Refused> {
    const NEXT: &str = "SELECT id, account_id, folded FROM addresses \
        WHERE until_at IS NULL AND verified_at IS NOT NULL AND id > $1 ORDER BY id LIMIT 1000";
    let rows = read.rows(NEXT, vec![Value::from(after)]).await?;
    rows.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "account_id")?, row.try_get("", "folded")?))).collect()
}
