//! Adding an address, removing one, choosing the primary one: each with a proof made for that one act (R2).
//!
//! An account with a factor proves it for the act. One without holds no power: where it ever proved an address, it proves its mailbox
//! again; where it never did, there is nothing to prove, and a typing error of the registration can be mended. What is settled gives
//! way only after a hold (R7), and what R3 says waits as well.

use std::fmt::Display;
use std::time::Duration;

use sea_orm::Value;
use serde_json::json;

use crate::accounts;
use crate::accounts::addresses::{self, Address, AddressRow, MOST_ADDRESSES};
use crate::accounts::domains;
use crate::act;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AddressAdded, AddressRemoved, Entry, KnownAddressAdded, PrimaryAddressChanged};
use crate::holds::{self, Decision, Grant, Passed, Person, Proposal, Proven};
use crate::ids::{AccountId, ActId, AddressId, HoldId};
use crate::policy::{Action, Actor, AddAddress, ChangePrimaryAddress, Denied, Gate, Loosened, Permit, RemoveAddress, SeeAccount};
use crate::refused::{Invalid, Refused};
use crate::signin::acts;

/// What became of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Now,
    /// It waits as this hold.
    Held(HoldId),
}

/// What the proof of an act is bound to, and the form is filled with again after it.
#[must_use]
pub fn parameters(what: &str, email: &str) -> serde_json::Value {
    json!({ "what": what, "email": email.trim() })
}

/// The addresses of an account, primary first, and whether a change of each waits.
///
/// # Errors
/// `Denied` by policy; the database.
pub async fn listed(env: &Env, actor: &Actor, account: AccountId) -> Result<Vec<(AddressRow, bool)>, Refused> {
    const WAITING: &str = "SELECT subject FROM holds WHERE account_id = $1 AND state = 'waiting' \
        AND action IN ('account:remove-address', 'account:change-primary-address')";
    act::view::<SeeAccount, _, _>(env, actor, account, move |read, permit| {
        Box::pin(async move {
            let rows = read.rows(WAITING, vec![Value::from(*permit.on())]).await?;
            let waiting: Vec<String> = rows.iter().map(|row| row.try_get("", "subject")).collect::<Result<_, _>>()?;
            let rows = addresses::of_account(read, *permit.on()).await?;
            Ok(rows.into_iter().map(|row| (waiting.contains(&row.id.to_string()), row)).map(|(waits, row)| (row, waits)).collect())
        })
    })
    .await
}

/// The account's address that was typed.
///
/// # Errors
/// `Invalid` when the account has no such address.
pub async fn find(env: &Env, actor: &Actor, account: AccountId, typed: &str) -> Result<AddressRow, Refused> {
    let folded = typed.trim().to_ascii_lowercase();
    let row = listed(env, actor, account).await?.into_iter().find(|(row, _)| row.folded == folded);
    row.map(|(row, _)| row).ok_or_else(|| Invalid::new("email", "Your account has no such address.").into())
}

/// Adds an address, not verified yet, and has its mail sent. An address that another account verified is answered no differently.
///
/// # Errors
/// `Invalid` for what is no address, is refused, or is there already; `NeedsProof` or a gate; `Limited`.
pub async fn add(env: &Env, actor: &Actor, account: AccountId, typed: &str, act: Option<ActId>) -> Result<Changed, Refused> {
    let address = Address::parse(typed)?;
    domains::check(env, &address).await?;
    let bound = parameters("add", typed);
    may_add(env, actor, account, (&address, act)).await?;
    addresses::count_mail(env, actor, account, &address.folded()).await?;
    let inner = env.clone();
    act::act::<AddAddress, _, _>(env, actor, account, move |tx, permit| {
        let (env, address, bound) = (inner.clone(), address.clone(), bound.clone());
        Box::pin(async move {
            check_new(&addresses::lock_rows(tx, *permit.on()).await?, &address)?;
            if let Some(proof) = prove(&env, tx, permit, (*permit.on(), act), &bound).await? {
                let description = "Add another address to the account".to_owned();
                if let Passed::Held(hold) = holds::pass(&env, tx, permit, Grant { proof, parameters: bound, description }).await? {
                    return Ok(Changed::Held(hold));
                }
            }
            insert(&env, tx, permit, &address).await?;
            Ok(Changed::Now)
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

/// An address of an account, and all that it has.
async fn found<R: Reading>(read: &R, id: AddressId) -> Result<(AddressRow, Vec<AddressRow>), Refused> {
    let account = addresses::by_id(read, id).await?.ok_or(Denied::Hidden)?.account_id;
    let rows = addresses::of_account(read, account).await?;
    let row = rows.iter().find(|row| row.id == id).cloned();
    Ok((row.ok_or(Denied::Hidden)?, rows))
}

/// Removes an address that is not the primary one, nor the last one that is verified. It stays reachable for notices for 30 days.
///
/// # Errors
/// `Invalid` when it must stay; `NeedsProof` or a gate; `Barred` after a veto (R10).
pub async fn remove(env: &Env, actor: &Actor, address: AddressId, act: Option<ActId>) -> Result<Changed, Refused> {
    let inner = env.clone();
    holds::loosen::<RemoveAddress, _, _>(env, actor, address, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let (row, rows) = found(tx, *permit.on()).await?;
            check_may_go(&rows, &row)?;
            let proof = prove(&env, tx, permit, (row.account_id, act), &parameters("remove", &row.address)).await?;
            let waits = waits(&env, tx, permit.actor(), (&row, proof)).await?;
            let proposal = proposal(&row, "Remove one of the addresses of the account", (proof, waits));
            match holds::decide(&env, tx, permit, proposal).await? {
                Decision::Now(loosened) => take_away(&env, tx, &loosened).await.map(|()| Changed::Now),
                Decision::Held(hold) => Ok(Changed::Held(hold)),
            }
        })
    })
    .await
}

fn proposal(row: &AddressRow, what: &str, (proof, waits): (Option<Proven>, Option<Duration>)) -> Proposal {
    Proposal {
        account: row.account_id,
        project: None,
        payload: json!({}),
        // No address stands in it: events repeat it, and those hold nothing personal in the clear (R27).
        description: what.to_owned(),
        people: vec![Person::oneself(row.account_id)],
        proof,
        waits,
    }
}

/// How long a change waits that takes `row` from its place: what is settled for three days (R7), what R3 says for one.
async fn waits(env: &Env, tx: &Tx, actor: &Actor, (row, proof): (&AddressRow, Option<Proven>)) -> Result<Option<Duration>, Refused> {
    let account = accounts::by_id(tx, row.account_id).await?.ok_or(Denied::Hidden)?;
    if addresses::is_settled(env, tx.now(), row, account.created_at) || addresses::was_settled(env, tx, row, account.created_at).await? {
        return Ok(Some(env.config.hold_loosening.0));
    }
    let Some(proof) = proof else { return Ok(None) };
    let waits = holds::must_wait(env, tx, actor, row.account_id, proof.with).await?;
    Ok(waits.then_some(env.config.hold_grant.0))
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

/// Ends an address, now or when the hold was served.
///
/// # Errors
/// `Invalid` when it has become one that must stay.
pub(crate) async fn take_away(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, RemoveAddress>) -> Result<(), Refused> {
    let permit = loosened.permit();
    let (row, rows) = found(tx, *permit.on()).await?;
    check_may_go(&rows, &row)?;
    addresses::end(tx, &row, permit.event()).await?;
    events::record(env, tx, permit, Entry::of(AddressRemoved {}).about(row.account_id).with_address(&row.address)).await?;
    Ok(())
}

/// Makes an address the primary one: the one that codes and links go to.
///
/// # Errors
/// `Invalid` when it is not verified; `NeedsProof` or a gate; `Barred` after a veto (R10).
pub async fn make_primary(env: &Env, actor: &Actor, address: AddressId, act: Option<ActId>) -> Result<Changed, Refused> {
    let inner = env.clone();
    holds::loosen::<ChangePrimaryAddress, _, _>(env, actor, address, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let (row, rows) = found(tx, *permit.on()).await?;
            if row.is_primary {
                tx.leave_as_it_was();
                return Ok(Changed::Now);
            }
            check_may_lead(tx, &row).await?;
            let proof = prove(&env, tx, permit, (row.account_id, act), &parameters("primary", &row.address)).await?;
            let waits = match rows.iter().find(|row| row.is_primary) {
                Some(present) => waits(&env, tx, permit.actor(), (present, proof)).await?,
                None => None,
            };
            let proposal = proposal(&row, "Make another address the primary one of the account", (proof, waits));
            match holds::decide(&env, tx, permit, proposal).await? {
                Decision::Now(loosened) => lead(&env, tx, &loosened).await.map(|()| Changed::Now),
                Decision::Held(hold) => Ok(Changed::Held(hold)),
            }
        })
    })
    .await
}

async fn check_may_lead<R: Reading>(read: &R, row: &AddressRow) -> Result<(), Refused> {
    if row.verified_at.is_none() && addresses::ever_verified(read, row.account_id).await? {
        return Err(Invalid::new("email", "Verify this address first.").into());
    }
    Ok(())
}

/// Makes it the primary one, now or when the hold was served.
///
/// # Errors
/// `Invalid` when it is not verified any more.
pub(crate) async fn lead(env: &Env, tx: &mut Tx, loosened: &Loosened<'_, ChangePrimaryAddress>) -> Result<(), Refused> {
    let permit = loosened.permit();
    let (row, _) = found(tx, *permit.on()).await?;
    check_may_lead(tx, &row).await?;
    addresses::make_primary(env, tx, &row, permit.event()).await?;
    events::record(env, tx, permit, Entry::of(PrimaryAddressChanged {}).about(row.account_id).with_address(&row.address)).await?;
    Ok(())
}

/// The proof that an account can make for one act: its factor; else its mailbox; else nothing, where nothing was ever proved.
async fn prove<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    (account, act): (AccountId, Option<ActId>),
    parameters: &serde_json::Value,
) -> Result<Option<Proven>, Refused>
where
    A::On: Display,
{
    let standing = permit.standing();
    if standing.factor {
        return acts::spend(env, tx, permit, act, parameters).await.map(Some);
    }
    if !addresses::ever_verified(tx, account).await? {
        return Ok(None);
    }
    if !standing.verified {
        return Err(Denied::Gate(Gate::VerifiedAddress).into());
    }
    if standing.mailbox_fresh { Ok(None) } else { Err(Denied::Gate(Gate::MailboxProof).into()) }
}
