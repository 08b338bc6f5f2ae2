//! Set-up: a single-use link makes the first administrator, or completes an account that the operator made (R32).

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use credentials::link::LinkToken;

use crate::accounts::addresses::{self, Address};
use crate::accounts::link::{self, NewLink, Purpose};
use crate::accounts::names::UserName;
use crate::accounts::register::{self, NewAccount};
use crate::accounts::{self, Account};
use crate::db::entities::staff_roles;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountCreated, AccountSetUp, Entry, SetupLinkMade, VerificationSent};
use crate::ids::{AccountId, AddressId, EventId, RoleId};
use crate::policy::{CreateAccount, Denied, MakeSetupLink, Permit, SetUp, State, standing};
use crate::refused::{Invalid, Refused};

/// Whether somebody who completed set-up administers the index.
///
/// # Errors
/// The database.
pub async fn has_administrator<R: Reading>(read: &R) -> Result<bool, Refused> {
    let sql = "SELECT 1 AS one FROM staff_roles r JOIN accounts a ON a.id = r.account_id \
               WHERE r.role = 'administrator' AND r.until_at IS NULL AND (a.password_hash IS NOT NULL OR a.password_disabled_at IS NOT NULL) LIMIT 1";
    Ok(read.row(sql, vec![]).await?.is_some())
}

/// Makes a single-use link, good for an hour: for an account that was never completed, or for the first administrator. Older ones end.
///
/// # Errors
/// `Invalid` when the account is complete, or an administrator exists.
pub async fn link(env: &Env, tx: &mut Tx, permit: &Permit<MakeSetupLink>, account: Option<AccountId>) -> Result<LinkToken, Refused> {
    let mut username = None;
    match account {
        Some(id) => {
            let row = accounts::by_id(tx, id).await?.ok_or(Denied::Hidden)?;
            if accounts::is_complete(&row) {
                return Err(Invalid::new("", "The account was set up already: its owner signs in, or resets the password.").into());
            }
            username = Some(row.username);
        }
        None if has_administrator(tx).await? => {
            return Err(Invalid::new("", "An administrator exists already.").into());
        }
        None => {}
    }
    let new = NewLink { purpose: Purpose::SetUp, account, address: None, session: None, began_by: permit.event() };
    let token = link::issue(env, tx, new).await?;
    let mut entry = Entry::of(SetupLinkMade { username });
    if let Some(id) = account {
        entry = entry.about(id);
    }
    events::record(env, tx, permit, entry).await?;
    Ok(token)
}

/// Creates an account from the shell; its owner completes it with a set-up link.
///
/// # Errors
/// `Invalid` when the user name or the address is taken: the operator may know.
pub async fn create(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<CreateAccount>,
    new: (&UserName, &Address),
    administrator: bool,
) -> Result<AccountId, Refused> {
    let (username, address) = new;
    let account = AccountId::new(tx.now(), &*env.entropy);
    register::check_free(tx, username).await?;
    let at = give_address(env, tx, account, address, permit.event()).await?;
    register::insert(tx, account, NewAccount { username, display_name: "", password_hash: None }, permit.event()).await?;
    if administrator {
        make_administrator(env, tx, account, permit.event()).await?;
    }
    let event = AccountCreated { username: username.as_str().to_owned() };
    events::record(env, tx, permit, Entry::of(event).about(account).with_address(address.as_str()).addressed_to(at)).await?;
    Ok(account)
}

async fn give_address(env: &Env, tx: &Tx, account: AccountId, address: &Address, by: EventId) -> Result<AddressId, Refused> {
    let given = addresses::give(env, tx, account, address, by).await?;
    given.ok_or_else(|| Invalid::new("email", "Another account has this address.").into())
}

async fn make_administrator(env: &Env, tx: &Tx, account: AccountId, began_by: EventId) -> Result<(), Refused> {
    let row = staff_roles::ActiveModel {
        id: Set(RoleId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        role: Set("administrator".to_owned()),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(began_by),
        ended_by: Set(None),
    };
    staff_roles::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// What a set-up link is for, for its page.
#[derive(Clone, Debug)]
pub struct ToSetUp {
    /// The account that the operator made, with its address; `None` for the first administrator.
    pub account: Option<(Account, String)>,
    /// Whether the account will be an administrator.
    pub administrator: bool,
}

/// Reads what a set-up link is for; changes nothing. `None` when it is dead.
///
/// # Errors
/// The database.
pub async fn to_set_up<R: Reading>(read: &R, token: &LinkToken) -> Result<Option<ToSetUp>, Refused> {
    let Some(link) = link::peek(read, token, Purpose::SetUp).await? else { return Ok(None) };
    let Some(id) = link.account_id else {
        let open = !has_administrator(read).await?;
        return Ok(open.then_some(ToSetUp { account: None, administrator: true }));
    };
    let Some(account) = accounts::by_id(read, id).await?.filter(|account| !accounts::is_complete(account)) else { return Ok(None) };
    let administrator = standing(read, id, None).await?.administrator;
    let address = addresses::primary(read, id).await?.map(|row| row.address).unwrap_or_default();
    Ok(Some(ToSetUp { account: Some((account, address)), administrator }))
}

/// What completes an account; the password is hashed already.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The name the person gave, possibly empty.
    pub display_name: String,
    /// The user name, for the first administrator; an account that exists keeps its own.
    pub username: UserName,
    /// The address, for the first administrator; an account that exists keeps its own.
    pub address: Address,
    /// The hash of the password.
    pub password_hash: String,
}

/// Completes the account of the link that was posted. Its address is verified next: nobody mailed this link.
///
/// # Errors
/// `NotValid` when the link is dead; `Stopped` when the account is frozen; `Invalid` when the name or address is taken.
pub async fn complete(env: &Env, tx: &mut Tx, permit: &Permit<SetUp>, with: &Completion) -> Result<(), Refused> {
    let link = link::spend(tx, permit, Purpose::SetUp).await?;
    let by = permit.event();
    let account = match link.account_id {
        Some(id) => complete_made(tx, id, with).await?,
        None => {
            if has_administrator(tx).await? {
                return Err(Denied::NotValid.into());
            }
            let id = AccountId::new(tx.now(), &*env.entropy);
            register::check_free(tx, &with.username).await?;
            give_address(env, tx, id, &with.address, by).await?;
            let hash = Some(with.password_hash.as_str());
            register::insert(tx, id, NewAccount { username: &with.username, display_name: &with.display_name, password_hash: hash }, by)
                .await?;
            make_administrator(env, tx, id, by).await?;
            id
        }
    };
    let administrator = standing(tx, account, None).await?.administrator;
    let row = accounts::by_id(tx, account).await?.ok_or(Denied::Hidden)?;
    events::record(env, tx, permit, Entry::of(AccountSetUp { username: row.username, administrator }).about(account)).await?;
    if let Some(address) = addresses::primary(tx, account).await?.filter(|row| row.verified_at.is_none()) {
        let enclosed = addresses::verification_link(env, tx, account, address.id, None, by).await?;
        let entry = Entry::of(VerificationSent {}).about(account).with_address(&address.address);
        events::record(env, tx, permit, entry.addressed_to(address.id).enclosing(enclosed)).await?;
    }
    Ok(())
}

async fn complete_made(tx: &Tx, id: AccountId, with: &Completion) -> Result<AccountId, Refused> {
    accounts::lock(tx, id).await?;
    let state = standing(tx, id, None).await?.state;
    if state != State::Absent {
        return Err(if state == State::Active { Denied::NotValid.into() } else { Denied::Stopped(state).into() });
    }
    let sql = "UPDATE accounts SET password_hash = $2, password_changed_at = $3, display_name = $4 WHERE id = $1 AND password_hash IS NULL";
    let values =
        vec![Value::from(id), Value::from(with.password_hash.as_str()), Value::from(tx.now()), Value::from(with.display_name.as_str())];
    if tx.execute(sql, values).await? == 1 { Ok(id) } else { Err(Denied::NotValid.into()) }
}
