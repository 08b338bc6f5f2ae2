//! Mail addresses: what may be one, whose it is, and how it is verified.

use std::str::FromStr;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

use crate::accounts;
use crate::accounts::link::{self, NewLink, Purpose};
use crate::act;
use crate::db::entities::{addresses, links};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, AddressVerified, Entry, VerificationSent, VerificationWithheld};
use crate::ids::{AccountId, AddressId, EventId, SessionId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Actor, Denied, Permit, SendVerification, State, VerifyAddress, standing};
use crate::queue::Enclosed;
use crate::refused::{Invalid, Refused};
use credentials::link::LinkToken;
use credentials::secret::Secret;

/// The most characters of an address.
pub const MOST_CHARACTERS: usize = 254;

/// A mail address that mail can be sent to: an ASCII mailbox, the domain in lower-case ASCII (IDNA).
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl std::fmt::Debug for Address {
    /// Addresses are personal and not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address")
    }
}

impl Address {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A sentence for the field `email`.
    pub fn parse(typed: &str) -> Result<Self, Invalid> {
        let wrong = |message: &str| Invalid::new("email", message);
        let typed = typed.trim();
        let malformed = || wrong("That is not a mail address: write it as in ada@example.org.");
        let (mailbox, domain) = typed.rsplit_once('@').ok_or_else(malformed)?;
        if !mailbox.is_ascii() || domain.ends_with('.') || domain.starts_with('[') {
            return Err(malformed());
        }
        let url::Host::Domain(domain) = url::Host::parse(domain).map_err(|_| malformed())? else { return Err(malformed()) };
        let address = format!("{mailbox}@{domain}");
        if address.len() > MOST_CHARACTERS {
            return Err(wrong("A mail address has at most 254 characters."));
        }
        lettre::Address::from_str(&address).map_err(|_| malformed())?;
        Ok(Self(address))
    }

    /// The address as mail is sent to it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lower case: the key of uniqueness.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// A row of the table of addresses.
pub type AddressRow = addresses::Model;

/// The addresses of an account, primary first, then by age.
///
/// # Errors
/// The database.
pub async fn of_account<R: Reading>(read: &R, account: AccountId) -> Result<Vec<AddressRow>, Refused> {
    Ok(addresses::Entity::find()
        .filter(addresses::Column::AccountId.eq(account))
        .filter(addresses::Column::UntilAt.is_null())
        .order_by_desc(addresses::Column::IsPrimary)
        .order_by_asc(addresses::Column::FromAt)
        .all(read.connection())
        .await?)
}

/// The primary address of an account.
///
/// # Errors
/// The database.
pub async fn primary<R: Reading>(read: &R, account: AccountId) -> Result<Option<AddressRow>, Refused> {
    Ok(of_account(read, account).await?.into_iter().find(|row| row.is_primary))
}

/// What the account's own pages show: its addresses, or the one that it was registered with and that belongs to another account.
///
/// # Errors
/// The database.
pub async fn shown<R: Reading>(read: &R, account: AccountId) -> Result<Vec<AddressRow>, Refused> {
    let open = of_account(read, account).await?;
    if !open.is_empty() {
        return Ok(open);
    }
    Ok(withheld(read, account).await?.into_iter().collect())
}

async fn withheld<R: Reading>(read: &R, account: AccountId) -> Result<Option<AddressRow>, Refused> {
    let ended = addresses::Entity::find().filter(addresses::Column::AccountId.eq(account)).filter(addresses::Column::UntilAt.is_not_null());
    let rows = ended.all(read.connection()).await?;
    Ok(rows.into_iter().find(|row| row.ended_by == Some(row.began_by)))
}

/// The account's address that was typed, in any case.
///
/// # Errors
/// The database.
pub async fn by_folded<R: Reading>(read: &R, folded: &str) -> Result<Option<AddressRow>, Refused> {
    Ok(addresses::Entity::find()
        .filter(addresses::Column::Folded.eq(folded))
        .filter(addresses::Column::UntilAt.is_null())
        .one(read.connection())
        .await?)
}

/// Gives an account its first address, not verified yet. `None` when another account has it, which is no error: nobody is told.
pub(crate) async fn give(
    env: &Env,
    tx: &Tx,
    account: AccountId,
    address: &Address,
    began_by: EventId,
) -> Result<Option<AddressId>, Refused> {
    let id = AddressId::new(tx.now(), &*env.entropy);
    let row = first_row(tx, id, (account, address), began_by);
    // The unique index decides, so that two registrations at once cannot both have it.
    let nothing = sea_orm::sea_query::OnConflict::new().do_nothing().to_owned();
    let rows = addresses::Entity::insert(row).on_conflict(nothing).exec_without_returning(tx.connection()).await?;
    Ok((rows == 1).then_some(id))
}

fn first_row(tx: &Tx, id: AddressId, (account, address): (AccountId, &Address), began_by: EventId) -> addresses::ActiveModel {
    addresses::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        address: Set(address.as_str().to_owned()),
        folded: Set(address.folded()),
        is_primary: Set(true),
        verified_at: Set(None),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(began_by),
        ended_by: Set(None),
        is_public: Set(false),
        unverified_because: Set(None),
    }
}

/// Notes which address an account was registered with that belongs to another one: the row ends with the event that began it.
pub(crate) async fn withhold(env: &Env, tx: &Tx, account: AccountId, address: &Address, began_by: EventId) -> Result<(), Refused> {
    let id = AddressId::new(tx.now(), &*env.entropy);
    let mut row = first_row(tx, id, (account, address), began_by);
    row.until_at = Set(Some(tx.now()));
    row.ended_by = Set(Some(began_by));
    addresses::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// A link that verifies an address, on its way into a mail.
pub(crate) async fn verification_link(
    env: &Env,
    tx: &Tx,
    account: AccountId,
    address: AddressId,
    session: Option<SessionId>,
    began_by: EventId,
) -> Result<Enclosed, Refused> {
    let new = NewLink { purpose: Purpose::VerifyEmail, account: Some(account), address: Some(address), session, began_by };
    let token = link::issue(env, tx, new).await?;
    Ok(Enclosed(Secret::new(token.expose())))
}

/// What a link of a verification mail is about, for the page with its button.
#[derive(Clone)]
pub struct ToVerify {
    /// The address.
    pub address: String,
    /// The user name of its account.
    pub username: String,
}

/// Reads what a link would verify; changes nothing. `None` when the link is dead.
///
/// # Errors
/// The database.
pub async fn to_verify<R: Reading>(read: &R, token: &LinkToken) -> Result<Option<ToVerify>, Refused> {
    let Some(link) = link::peek(read, token, Purpose::VerifyEmail).await? else { return Ok(None) };
    let Some((account, address)) = subject(read, &link).await? else { return Ok(None) };
    Ok(Some(ToVerify { address: address.address, username: account.username }))
}

async fn subject<R: Reading>(read: &R, link: &links::Model) -> Result<Option<(accounts::Account, AddressRow)>, Refused> {
    let (Some(account), Some(address)) = (link.account_id, link.address_id) else { return Ok(None) };
    let open = addresses::Entity::find_by_id(address).filter(addresses::Column::UntilAt.is_null());
    let address = open.one(read.connection()).await?;
    let account = accounts::by_id(read, account).await?;
    Ok(account.zip(address))
}

/// What became of a pressed link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The flag is set; whoever pressed it is not signed in to that account.
    Flag,
    /// The flag is set, and the mailbox counts as proved in the session that pressed it (R4).
    AndProved,
}

/// Verifies the address of the link that was posted.
///
/// # Errors
/// `NotValid` when the link is dead; `Stopped` when the account may not act.
pub async fn verify(env: &Env, tx: &mut Tx, permit: &Permit<VerifyAddress>) -> Result<Verified, Refused> {
    let link = link::spend(tx, permit, Purpose::VerifyEmail).await?;
    let (account, address) = subject(tx, &link).await?.ok_or(Denied::NotValid)?;
    let state = standing(tx, account.id, None).await?.state;
    if state != State::Active {
        return Err(Denied::Stopped(state).into());
    }
    let sql = "UPDATE addresses SET verified_at = COALESCE(verified_at, $2) WHERE id = $1 AND until_at IS NULL";
    tx.execute(sql, vec![Value::from(address.id), Value::from(tx.now())]).await?;
    let mut done = Verified::Flag;
    if let Some(session) = permit.actor().session {
        let sql = "UPDATE sessions SET mailbox_proved_at = $3 WHERE id = $1 AND account_id = $2 AND until_at IS NULL";
        let values = vec![Value::from(session.id), Value::from(account.id), Value::from(tx.now())];
        if tx.execute(sql, values).await? == 1 {
            done = Verified::AndProved;
        }
    }
    events::record(env, tx, permit, Entry::of(AddressVerified {}).about(account.id).with_address(&address.address)).await?;
    Ok(done)
}

/// Has the verification mail sent again: takes the limit of mails that somebody asks for.
///
/// # Errors
/// `Limited`; `Invalid` when the account has no such address, or it is verified already.
pub async fn reverify(env: &Env, actor: &Actor, account: AccountId, typed: &str) -> Result<(), Refused> {
    let whom = Whom { account: Some(format!("verification:{account}")), network: actor.origin.network };
    drop(limits::take(env, Limit::Mail, &whom).await?);
    let (inner, typed) = (env.clone(), typed.to_owned());
    act::act::<SendVerification, _, _>(env, actor, account, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { send_verification(&env, tx, permit, &typed).await })
    })
    .await
}

/// Sends the verification mail again; older links to the address end.
async fn send_verification(env: &Env, tx: &mut Tx, permit: &Permit<SendVerification>, typed: &str) -> Result<(), Refused> {
    let account = *permit.on();
    let folded = typed.trim().to_ascii_lowercase();
    let row = shown(tx, account).await?.into_iter().find(|row| row.folded == folded);
    let row = row.ok_or_else(|| Invalid::new("email", "Your account has no such address."))?;
    if row.verified_at.is_some() {
        return Err(Invalid::new("email", "This address is verified already.").into());
    }
    if row.until_at.is_some() {
        events::record(env, tx, permit, Entry::of(VerificationWithheld {}).about(account)).await?;
        return Ok(());
    }
    let session = permit.actor().session.map(|s| s.id);
    let enclosed = verification_link(env, tx, account, row.id, session, permit.event()).await?;
    let entry = Entry::of(VerificationSent {}).about(account).with_address(&row.address).addressed_to(row.id).enclosing(enclosed);
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mail_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(260));
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@@example.org",
            "ada lovelace@example.org",
            "ada@[192.0.2.1]",
            "ada@192.0.2.1",
            "ada@example.org.",
            "ada@exa mple.org",
            "ada@example.org\nBcc: eve@example.org",
            "ada@example.org>",
            "ädä@example.org",
            long.as_str(),
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_domain_becomes_lower_case_ascii_and_the_mailbox_stays() {
        let address = Address::parse(" Ada@BÜCHER.example ").unwrap();
        assert_eq!(address.as_str(), "Ada@xn--bcher-kva.example");
        assert_eq!(address.folded(), "ada@xn--bcher-kva.example");
    }

    #[test]
    fn an_address_never_prints_itself() {
        assert_eq!(format!("{:?}", Address::parse("ada@example.org").unwrap()), "Address");
    }
}
