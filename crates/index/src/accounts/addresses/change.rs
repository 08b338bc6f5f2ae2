//! Changes of the rows of addresses: the proof taken and lost, the primary one chosen, an end. Who may do it is decided above.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Value};

use super::{AddressRow, by_folded, by_id, of_account};
use crate::accounts::{self, freeze, settled};
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

/// Whether the account once proved an address and has none that is proved now: no mailbox can confirm anything then.
pub(crate) async fn lost_all_proofs<R: Reading>(read: &R, account: AccountId) -> Result<bool, Refused> {
    let open = of_account(read, account).await?;
    Ok(open.iter().all(|row| row.verified_at.is_none()) && ever_verified(read, account).await?)
}

/// Whether an address is settled: proved, and either claimed within a day of the account's creation, or proved long enough ago.
pub(crate) fn is_settled(env: &Env, now: Time, row: &AddressRow, account_created_at: Time) -> bool {
    let Some(verified_at) = row.verified_at else { return false };
    settled::is_of_the_first_day(row.from_at, account_created_at) || settled::is_settled(env, now, verified_at, account_created_at)
}

/// The same of a row, now or when it ended.
pub(crate) async fn is_settled_row<R: Reading>(env: &Env, read: &R, id: AddressId) -> Result<bool, Refused> {
    let Some(row) = by_id(read, id).await? else { return Ok(false) };
    let account = accounts::by_id(read, row.account_id).await?;
    Ok(account.is_some_and(|account| is_settled(env, row.until_at.unwrap_or(read.now()), &row, account.created_at)))
}

/// Whether an address that has no proof any more was settled when it lost it: then it gives way as a settled one does (R7). Whoever has the
/// password and a code would else make another one the primary address just while its owner has no mailbox to be told in.
pub(crate) async fn was_settled<R: Reading>(env: &Env, read: &R, row: &AddressRow, account_created_at: Time) -> Result<bool, Refused> {
    if row.verified_at.is_some() || row.unverified_because.is_none() {
        return Ok(false);
    }
    let before = addresses::Entity::find()
        .filter(addresses::Column::AccountId.eq(row.account_id))
        .filter(addresses::Column::Folded.eq(row.folded.as_str()))
        .filter(addresses::Column::UntilAt.is_not_null())
        .all(read.connection())
        .await?;
    Ok(before.iter().any(|old| is_settled(env, old.until_at.unwrap_or(row.from_at), old, account_created_at)))
}

/// Whether an ended row lost its proof because its mailbox may be in other hands: it proves nothing and stops nothing from then on.
pub(crate) fn is_disowned(row: &AddressRow) -> bool {
    row.until_at.is_some() && row.unverified_because.as_deref().is_some_and(disowns)
}

fn disowns(because: &str) -> bool {
    matches!(because, "operator" | "lapsed")
}

/// Whether an address is told without links (R17).
pub(crate) async fn is_quiet<R: Reading>(read: &R, account: AccountId, folded: &str) -> Result<bool, Refused> {
    const QUIET: &str = "SELECT 1 AS one FROM quiet_addresses WHERE account_id = $1 AND folded = $2";
    Ok(read.row(QUIET, vec![Value::from(account), Value::from(folded)]).await?.is_some())
}

/// Whether a mail to this row may carry a link that stops something.
pub(crate) async fn may_have_links<R: Reading>(read: &R, row: &AddressRow) -> Result<bool, Refused> {
    Ok(row.verified_at.is_some() && !is_disowned(row) && !is_quiet(read, row.account_id, &row.folded).await?)
}

/// Where a code or a confirmation goes: the verified addresses in their order, those that are told without links only where there is no
/// other one.
pub(crate) async fn trusted<R: Reading>(read: &R, rows: Vec<AddressRow>) -> Result<Vec<AddressRow>, Refused> {
    let verified: Vec<AddressRow> = rows.into_iter().filter(|row| row.verified_at.is_some() && !is_disowned(row)).collect();
    let mut loud = Vec::with_capacity(verified.len());
    for row in &verified {
        if !is_quiet(read, row.account_id, &row.folded).await? {
            loud.push(row.clone());
        }
    }
    Ok(if loud.is_empty() { verified } else { loud })
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
    if disowns(because.word) {
        disown(tx, row, because.word).await?;
    }
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

/// What was mailed to an address, and what was proved by it, ends: the mailbox may be somebody else's.
async fn disown(tx: &Tx, row: &AddressRow, because: &str) -> Result<(), Refused> {
    const MARK: &str = "UPDATE addresses SET unverified_because = $2 WHERE id = $1";
    const LINKS: &str = "UPDATE links SET spent_at = $3 WHERE account_id = $1 AND spent_at IS NULL \
        AND address_id IN (SELECT id FROM addresses WHERE account_id = $1 AND folded = $2)";
    const TAKE_BACKS: &str = "UPDATE take_backs SET spent_at = $3 WHERE account_id = $1 AND spent_at IS NULL \
        AND address_id IN (SELECT id FROM addresses WHERE account_id = $1 AND folded = $2)";
    tx.execute(MARK, vec![Value::from(row.id), Value::from(because)]).await?;
    for sql in [LINKS, TAKE_BACKS] {
        let values = vec![Value::from(row.account_id), Value::from(row.folded.as_str()), Value::from(tx.now())];
        tx.execute(sql, values).await?;
    }
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
