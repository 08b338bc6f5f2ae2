//! Registration: a user name that is taken is told, because names are public; an address that is taken is never told.

use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::accounts::addresses::{self, Address, AddressRow, AskedIn};
use crate::accounts::forgotten;
use crate::accounts::names::UserName;
use crate::db::entities::accounts;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AccountCreated, AccountWithheld, Entry, KnownAddressRegistered};
use crate::ids::{AccountId, EventId};
use crate::policy::{Permit, Register};
use crate::refused::{Invalid, Refused};

/// What somebody registers, read and weighed; the password is hashed already, outside any transaction.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The name the person gave, possibly empty.
    pub display_name: String,
    /// The user name.
    pub username: UserName,
    /// The address.
    pub address: Address,
    /// The hash of the password.
    pub password_hash: String,
    /// Whether the address may be sent one more mail (R26); strangers see no difference.
    pub may_mail: bool,
    /// The digest of the form cookie of the browser that registers (R4).
    pub browser: Option<Vec<u8>>,
}

/// Creates the account, and tells the owner of the address when it is known. The caller sees no difference, now or later.
///
/// # Errors
/// `Invalid` when the user name is taken.
pub async fn register(env: &Env, tx: &mut Tx, permit: &Permit<Register>, new: &Registration) -> Result<(), Refused> {
    let freed = forgotten::free(env, tx, permit.event(), &new.username).await?;
    check_free(tx, &new.username).await?;
    let account = AccountId::new(tx.now(), &*env.entropy);
    let created = NewAccount { username: &new.username, display_name: &new.display_name, password_hash: Some(&new.password_hash) };
    insert(tx, account, created, permit.event()).await?;
    let address = addresses::give(env, tx, account, (&new.address, true), permit.event()).await?;
    let known = addresses::by_folded(tx, &new.address.folded()).await?;
    if known.is_some() || !new.may_mail {
        withhold(env, tx, permit, (account, new), known).await?;
    } else {
        let asked = new.browser.as_deref().map_or(AskedIn::Nowhere, AskedIn::Browser);
        let enclosed = addresses::verification_link(env, tx, (account, address), asked, permit.event()).await?;
        let event = AccountCreated { username: new.username.as_str().to_owned() };
        let entry = Entry::of(event).about(account).with_address(new.address.as_str()).addressed_to(address).enclosing(enclosed);
        events::record(env, tx, permit, entry).await?;
    }
    forgotten::record(env, tx, permit, freed).await
}

/// The account stands like any other that is not verified, and gets no link: its address is verified elsewhere, or was sent enough
/// mail. Else the user name, or a login with it, would tell whether the address is known. The owner of a known one is told.
async fn withhold(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<Register>,
    (account, new): (AccountId, &Registration),
    known: Option<AddressRow>,
) -> Result<(), Refused> {
    let event = AccountWithheld { username: new.username.as_str().to_owned() };
    events::record(env, tx, permit, Entry::of(event).about(account).with_address(new.address.as_str())).await?;
    let Some(known) = known.filter(|_| new.may_mail) else { return Ok(()) };
    let entry = Entry::of(KnownAddressRegistered {}).about(known.account_id).with_address(&known.address).addressed_to(known.id);
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

/// What a new row of the table of accounts holds.
pub(crate) struct NewAccount<'a> {
    pub username: &'a UserName,
    pub display_name: &'a str,
    pub password_hash: Option<&'a str>,
}

fn taken() -> Refused {
    Invalid::new("username", "This user name is taken, or looks like one that is.").into()
}

/// Refuses a user name that somebody has or that looks like one.
pub(crate) async fn check_free<R: Reading>(read: &R, username: &UserName) -> Result<(), Refused> {
    use sea_orm::{ColumnTrait, QueryFilter};
    let found = accounts::Entity::find().filter(accounts::Column::UsernameFolded.eq(username.folded())).one(read.connection()).await?;
    if found.is_some() { Err(taken()) } else { Ok(()) }
}

/// Writes the row; the unique index decides between two at once.
pub(crate) async fn insert(tx: &Tx, id: AccountId, new: NewAccount<'_>, began_by: EventId) -> Result<(), Refused> {
    let row = accounts::ActiveModel {
        id: Set(id),
        username: Set(new.username.as_str().to_owned()),
        username_folded: Set(new.username.folded()),
        display_name: Set(new.display_name.to_owned()),
        password_hash: Set(new.password_hash.map(str::to_owned)),
        password_changed_at: Set(new.password_hash.map(|_| tx.now())),
        created_at: Set(tx.now()),
        began_by: Set(began_by),
        last_login_at: Set(None),
        erased_at: Set(None),
        password_disabled_at: Set(None),
        password_disabled_by: Set(None),
    };
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    let rows = accounts::Entity::insert(row).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    if rows == 1 { Ok(()) } else { Err(taken()) }
}
