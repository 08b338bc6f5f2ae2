//! Adding an address, removing one, choosing the primary one: each with a proof made for that one act (R2).
//!
//! An account with a factor proves it for the act. One without holds no power: where it ever proved an address, it proves its mailbox
//! again; where it never did, there is nothing to prove, and a typing error of the registration can be mended.

use serde_json::json;

use crate::accounts;
use crate::accounts::addresses::{self, Address, AddressRow, MOST_ADDRESSES};
use crate::accounts::domains;
use crate::act;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AddressAdded, AddressRemoved, Entry, KnownAddressAdded, PrimaryAddressChanged};
use crate::ids::{AccountId, ActId};
use crate::policy::{Action, Actor, AddAddress, ChangePrimaryAddress, Denied, Gate, Permit, RemoveAddress};
use crate::refused::{Invalid, Refused};
use crate::signin::acts;

/// What the proof of an act is bound to, and the form is filled with again after it.
#[must_use]
pub fn parameters(what: &str, email: &str) -> serde_json::Value {
    json!({ "what": what, "email": email.trim() })
}

/// Adds an address, not verified yet, and has its mail sent. An address that another account verified is answered no differently.
///
/// # Errors
/// `Invalid` for what is no address, is refused, or is there already; `NeedsProof` or a gate; `Limited`.
pub async fn add(env: &Env, actor: &Actor, account: AccountId, typed: &str, act: Option<ActId>) -> Result<(), Refused> {
    let address = Address::parse(typed)?;
    domains::check(env, &address).await?;
    let bound = parameters("add", typed);
    may_add(env, actor, account, (&address, act)).await?;
    addresses::count_mail(env, actor, account, &address.folded()).await?;
    let inner = env.clone();
    act::act::<AddAddress, _, _>(env, actor, account, move |tx, permit| {
        let (env, address, bound) = (inner.clone(), address.clone(), bound.clone());
        Box::pin(async move {
            let rows = addresses::lock_rows(tx, *permit.on()).await?;
            check_new(&rows, &address)?;
            prove(&env, tx, permit, act, &bound).await?;
            insert(&env, tx, permit, &address).await
        })
    })
    .await
}

/// Asked before a mail is counted: what is refused anyway, or waits for its proof, spends nothing.
async fn may_add(env: &Env, actor: &Actor, account: AccountId, (address, act): (&Address, Option<ActId>)) -> Result<(), Refused> {
    let address = address.clone();
    act::view::<AddAddress, _, _>(env, actor, account, move |read, permit| {
        Box::pin(async move {
            check_new(&addresses::of_account(read, *permit.on()).await?, &address)?;
            let waits = permit.standing().factor && !acts::is_proved(read, permit.actor(), act).await?;
            if waits { Err(Denied::NeedsProof.into()) } else { Ok(()) }
        })
    })
    .await
}

fn check_new(rows: &[AddressRow], address: &Address) -> Result<(), Invalid> {
    if rows.iter().any(|row| row.folded == address.folded()) {
        return Err(Invalid::new("email", "Your account has this address already."));
    }
    if rows.len() >= MOST_ADDRESSES {
        return Err(Invalid::new("email", format!("An account has at most {MOST_ADDRESSES} addresses: remove one first.")));
    }
    Ok(())
}

async fn insert(env: &Env, tx: &mut Tx, permit: &Permit<AddAddress>, address: &Address) -> Result<(), Refused> {
    let account = *permit.on();
    let id = addresses::give(env, tx, account, (address, false), permit.event()).await?;
    events::record(env, tx, permit, Entry::of(AddressAdded {}).about(account).with_address(address.as_str())).await?;
    let row = addresses::of_account(tx, account).await?.into_iter().find(|row| row.id == id);
    let row = row.ok_or_else(|| anyhow::anyhow!("the address that was just added is not there"))?;
    let Some(known) = addresses::send_verification(env, tx, permit, &row).await? else { return Ok(()) };
    // The mail that was counted goes to whoever has the address: they are told, and the account is not.
    let entry = Entry::of(KnownAddressAdded {}).about(known.account_id).with_address(&known.address).addressed_to(known.id);
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

/// Removes an address that is not the primary one, nor the last one that is verified. It stays reachable for notices for 30 days.
///
/// # Errors
/// `Invalid` when it must stay; `NeedsProof` or a gate.
pub async fn remove(env: &Env, actor: &Actor, account: AccountId, typed: &str, act: Option<ActId>) -> Result<(), Refused> {
    let (inner, typed) = (env.clone(), typed.trim().to_owned());
    act::act::<RemoveAddress, _, _>(env, actor, account, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move {
            let rows = addresses::lock_rows(tx, *permit.on()).await?;
            let row = own(&rows, &typed)?;
            check_may_go(&rows, row)?;
            stands(&env, tx, row, "removed").await?;
            prove(&env, tx, permit, act, &parameters("remove", &typed)).await?;
            addresses::end(tx, row, permit.event()).await?;
            let entry = Entry::of(AddressRemoved {}).about(row.account_id).with_address(&row.address);
            events::record(&env, tx, permit, entry).await?;
            Ok(())
        })
    })
    .await
}

fn own<'r>(rows: &'r [AddressRow], typed: &str) -> Result<&'r AddressRow, Invalid> {
    let folded = typed.to_ascii_lowercase();
    rows.iter().find(|row| row.folded == folded).ok_or_else(|| Invalid::new("email", "Your account has no such address."))
}

fn check_may_go(rows: &[AddressRow], row: &AddressRow) -> Result<(), Invalid> {
    if row.is_primary {
        return Err(Invalid::new("email", "This is your primary address: make another one the primary one first."));
    }
    if row.verified_at.is_some() && rows.iter().filter(|row| row.verified_at.is_some()).count() == 1 {
        return Err(Invalid::new("email", "This is your only verified address: verify another one first."));
    }
    Ok(())
}

/// Makes an address the primary one: the one that codes and links go to.
///
/// # Errors
/// `Invalid` when it is not verified, or the present one is settled; `NeedsProof` or a gate.
pub async fn make_primary(env: &Env, actor: &Actor, account: AccountId, typed: &str, act: Option<ActId>) -> Result<(), Refused> {
    let (inner, typed) = (env.clone(), typed.trim().to_owned());
    act::act::<ChangePrimaryAddress, _, _>(env, actor, account, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move {
            let rows = addresses::lock_rows(tx, *permit.on()).await?;
            let row = own(&rows, &typed)?;
            if row.is_primary {
                tx.leave_as_it_was();
                return Ok(());
            }
            if row.verified_at.is_none() && addresses::ever_verified(tx, row.account_id).await? {
                return Err(Invalid::new("email", "Verify this address first.").into());
            }
            if let Some(present) = rows.iter().find(|row| row.is_primary) {
                stands(&env, tx, present, "replaced as the primary one").await?;
            }
            prove(&env, tx, permit, act, &parameters("primary", &typed)).await?;
            addresses::make_primary(tx, row).await?;
            let entry = Entry::of(PrimaryAddressChanged {}).about(row.account_id).with_address(&row.address);
            events::record(&env, tx, permit, entry).await?;
            Ok(())
        })
    })
    .await
}

/// What is settled does not give way at once: it confers power, and a thief would take it away first (R7).
async fn stands(env: &Env, tx: &Tx, row: &AddressRow, done: &str) -> Result<(), Refused> {
    let account = accounts::by_id(tx, row.account_id).await?.ok_or(Denied::Hidden)?;
    if !addresses::is_settled(env, tx.now(), row, account.created_at) {
        return Ok(());
    }
    let message = format!("This address is settled, and cannot be {done}: it has stood long enough that others rely on it.");
    Err(Invalid::new("email", message).into())
}

/// The proof that this account can make for one act: its factor; else its mailbox; else nothing, where nothing was ever proved.
async fn prove<A: Action<On = AccountId>>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    act: Option<ActId>,
    parameters: &serde_json::Value,
) -> Result<(), Refused> {
    let standing = permit.standing();
    if standing.factor {
        return acts::spend(env, tx, permit, act, parameters).await;
    }
    if !addresses::ever_verified(tx, *permit.on()).await? {
        return Ok(());
    }
    if !standing.verified {
        return Err(Denied::Gate(Gate::VerifiedAddress).into());
    }
    if standing.mailbox_fresh { Ok(()) } else { Err(Denied::Gate(Gate::MailboxProof).into()) }
}
