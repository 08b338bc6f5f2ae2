//! Mail addresses of accounts: whose each is, how it is verified, and what the proof of a mailbox is worth where.
//!
//! An address that was never verified keeps nobody out (R24): any number of accounts may claim it, one can verify it.

pub(crate) mod address;
mod change;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Value};

pub(crate) use address::domain_part;
pub use address::{Address, MOST_CHARACTERS};
pub use change::{Because, MOST_ADDRESSES, because_words, unverify_address, verified_after};
pub(crate) use change::{
    end, ever_verified, is_settled, is_settled_row, lock_rows, lost_all_proofs, make_primary, may_have_links, take_proof, trusted,
    unverify, was_settled,
};

use crate::accounts;
use crate::accounts::domains;
use crate::accounts::link::{self, NewLink, Purpose};
use crate::act;
use crate::db::entities::{addresses, links};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{
    self, AddressRemoved, AddressTaken, AddressVerified, Entry, PrimaryAddressChanged, VerificationSent, VerificationWithheld,
};
use crate::ids::{AccountId, AddressId, EventId, SessionId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Action, Actor, Denied, Permit, Resource, Role, SendVerification, Situation, State, VerifyAddress, standing};
use crate::queue::Enclosed;
use crate::refused::{Invalid, Refused};
use credentials::link::LinkToken;
use credentials::secret::Secret;

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

/// The address, in any case, with the account that verified it. Claims that were never verified are nobody's.
///
/// # Errors
/// The database.
pub async fn by_folded<R: Reading>(read: &R, folded: &str) -> Result<Option<AddressRow>, Refused> {
    Ok(addresses::Entity::find()
        .filter(addresses::Column::Folded.eq(folded))
        .filter(addresses::Column::UntilAt.is_null())
        .filter(addresses::Column::VerifiedAt.is_not_null())
        .one(read.connection())
        .await?)
}

/// The row of an address, open or ended.
pub(crate) async fn by_id<R: Reading>(read: &R, id: AddressId) -> Result<Option<AddressRow>, Refused> {
    Ok(addresses::Entity::find_by_id(id).one(read.connection()).await?)
}

/// Gives an account an address, not verified yet. The caller has made sure that the account does not have it.
pub(crate) async fn give(
    env: &Env,
    tx: &Tx,
    account: AccountId,
    (address, is_primary): (&Address, bool),
    began_by: EventId,
) -> Result<AddressId, Refused> {
    let id = AddressId::new(tx.now(), &*env.entropy);
    let row = addresses::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        address: Set(address.as_str().to_owned()),
        folded: Set(address.folded()),
        is_primary: Set(is_primary),
        verified_at: Set(None),
        from_at: Set(tx.now()),
        until_at: Set(None),
        began_by: Set(began_by),
        ended_by: Set(None),
        is_public: Set(false),
        unverified_because: Set(None),
    };
    addresses::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(id)
}

/// Counts a mail that a stranger causes to one address (R26); false when that address got enough of them.
///
/// # Errors
/// The database.
pub async fn may_mail_to(env: &Env, folded: &str) -> Result<bool, Refused> {
    let whom = Whom { account: Some(format!("to:{folded}")), network: None };
    match limits::take(env, Limit::MailTo, &whom).await {
        Ok(_counted) => Ok(true),
        Err(Refused::Limited(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

impl Resource for AddressId {
    async fn situation<R: Reading>(&self, read: &R, actor: &Actor) -> Result<Situation, Refused> {
        let open = addresses::Entity::find_by_id(*self).filter(addresses::Column::UntilAt.is_null());
        Ok(match open.one(read.connection()).await? {
            Some(row) if actor.account() == Some(row.account_id) => Situation::holding(vec![Role::Oneself]),
            _ => Situation::hidden(),
        })
    }

    /// All addresses of the account together: two changes at the same moment must not leave none.
    async fn lock(&self, tx: &Tx, _actor: &Actor) -> Result<(), Refused> {
        if let Some(row) = addresses::Entity::find_by_id(*self).one(tx.connection()).await? {
            change::lock_rows(tx, row.account_id).await?;
        }
        Ok(())
    }
}

/// Where a verification mail was asked for: only there its link counts as a fresh proof of the mailbox (R4).
#[derive(Clone, Copy)]
pub(crate) enum AskedIn<'a> {
    /// In a session.
    Session(SessionId),
    /// In a browser in which nobody was signed in, by the digest of its form cookie.
    Browser(&'a [u8]),
    /// Nowhere that would be known again.
    Nowhere,
}

/// A link that verifies an address, on its way into a mail.
pub(crate) async fn verification_link(
    env: &Env,
    tx: &Tx,
    (account, address): (AccountId, AddressId),
    asked: AskedIn<'_>,
    began_by: EventId,
) -> Result<Enclosed, Refused> {
    let session = if let AskedIn::Session(session) = asked { Some(session) } else { None };
    let new = NewLink { purpose: Purpose::VerifyEmail, account: Some(account), address: Some(address), session, began_by };
    let token = link::issue(env, tx, new).await?;
    if let AskedIn::Browser(browser) = asked {
        link::bind_to_browser(tx, &token, browser).await?;
    }
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
    /// The flag is set; the browser that pressed is not the one that asked, or nobody is signed in there yet.
    Flag,
    /// The flag is set, and the mailbox counts as proved in the session that asked and pressed (R4).
    AndProved(AccountId, SessionId),
    /// Another account has verified this address before; nothing changed (R24).
    Taken,
}

/// Verifies the address of the link that was posted; `browser` is the digest of the form cookie of whoever pressed.
///
/// # Errors
/// `NotValid` when the link is dead; `Stopped` when the account may not act.
pub async fn verify(env: &Env, tx: &mut Tx, permit: &Permit<VerifyAddress>, browser: &[u8]) -> Result<Verified, Refused> {
    let link = link::spend(tx, permit, Purpose::VerifyEmail).await?;
    // Locked, so that the name of a forgotten account is not freed while its address is verified.
    accounts::lock(tx, link.account_id.ok_or(Denied::NotValid)?).await?;
    let (account, address) = subject(tx, &link).await?.ok_or(Denied::NotValid)?;
    let state = standing(tx, account.id, None).await?.state;
    if state != State::Active {
        return Err(Denied::Stopped(state).into());
    }
    let first = !ever_verified(tx, account.id).await?;
    if !take_proof(tx, &address).await? {
        events::record(env, tx, permit, Entry::of(AddressTaken {}).about(account.id).with_address(&address.address)).await?;
        return Ok(Verified::Taken);
    }
    let leads = address.is_primary || first;
    if first {
        leave_no_other_claim(env, tx, permit, &address).await?;
    }
    let proved = match leads {
        true => prove_mailbox(tx, permit, &link, browser).await?,
        false => None,
    };
    events::record(env, tx, permit, Entry::of(AddressVerified {}).about(account.id).with_address(&address.address)).await?;
    Ok(proved.map_or(Verified::Flag, |session| Verified::AndProved(account.id, session)))
}

/// The first address that an account proves is the one it belongs to: it leads, and other claims end. Whoever registered the name with
/// somebody else's address would else leave a claim of his own behind, and verify it once its owner has made the account worth it.
async fn leave_no_other_claim(env: &Env, tx: &mut Tx, permit: &Permit<VerifyAddress>, first: &AddressRow) -> Result<(), Refused> {
    for row in of_account(tx, first.account_id).await?.into_iter().filter(|row| row.id != first.id) {
        end(tx, &row, permit.event()).await?;
        events::record(env, tx, permit, Entry::of(AddressRemoved {}).about(row.account_id).with_address(&row.address)).await?;
    }
    if !first.is_primary {
        let row = by_id(tx, first.id).await?.ok_or(Denied::NotValid)?;
        make_primary(env, tx, &row, permit.event()).await?;
        let entry = Entry::of(PrimaryAddressChanged {}).about(first.account_id).with_address(&first.address);
        events::record(env, tx, permit, entry).await?;
    }
    Ok(())
}

/// Whether the press counts as a fresh proof of the mailbox in a session: in the one that asked; or, where a browser asked before
/// anybody was signed in, in that browser, and then for whoever signs in there next. Pressed elsewhere a link only sets the flag.
async fn prove_mailbox(tx: &Tx, permit: &Permit<VerifyAddress>, link: &links::Model, browser: &[u8]) -> Result<Option<SessionId>, Refused> {
    const PROVE: &str = "UPDATE sessions SET mailbox_proved_at = $3 WHERE id = $1 AND account_id = $2 AND until_at IS NULL";
    const NOTE: &str = "UPDATE links SET proved_at = $2 WHERE id = $1";
    let session = permit.actor().session.map(|session| session.id);
    let asked_here = match (link.session_id, &link.browser_digest) {
        (Some(asked), _) => session == Some(asked),
        (None, Some(asked)) => asked == browser,
        (None, None) => false,
    };
    if !asked_here {
        return Ok(None);
    }
    if link.session_id.is_none() {
        tx.execute(NOTE, vec![Value::from(link.id), Value::from(tx.now())]).await?;
    }
    let Some(session) = session else { return Ok(None) };
    let values = vec![Value::from(session), Value::from(link.account_id), Value::from(tx.now())];
    Ok((tx.execute(PROVE, values).await? == 1).then_some(session))
}

/// Has the verification mail sent again: takes the limits of mails that somebody asks for.
///
/// # Errors
/// `Limited`; `Invalid` when the account has no such address, it is verified already, or its domain is refused.
pub async fn reverify(env: &Env, actor: &Actor, account: AccountId, typed: &str) -> Result<(), Refused> {
    let folded = typed.trim().to_ascii_lowercase();
    if let Ok(address) = Address::parse(typed) {
        domains::check(env, &address).await?;
    }
    count_mail(env, actor, account, &folded).await?;
    let inner = env.clone();
    act::act::<SendVerification, _, _>(env, actor, account, move |tx, permit| {
        let (env, folded) = (inner.clone(), folded.clone());
        Box::pin(async move { send_again(&env, tx, permit, &folded).await })
    })
    .await
}

/// Counts a verification mail that an account asks for: for the account, its network and the address (R26).
pub(crate) async fn count_mail(env: &Env, actor: &Actor, account: AccountId, folded: &str) -> Result<(), Refused> {
    let whom = Whom { account: Some(format!("verification:{account}:{folded}")), network: actor.origin.network };
    drop(limits::take(env, Limit::Mail, &whom).await?);
    let whom = Whom { account: Some(format!("to:{folded}")), network: None };
    drop(limits::take(env, Limit::MailTo, &whom).await?);
    Ok(())
}

async fn send_again(env: &Env, tx: &mut Tx, permit: &Permit<SendVerification>, folded: &str) -> Result<(), Refused> {
    let row = of_account(tx, *permit.on()).await?.into_iter().find(|row| row.folded == folded);
    let row = row.ok_or_else(|| Invalid::new("email", "Your account has no such address."))?;
    if row.verified_at.is_some() {
        return Err(Invalid::new("email", "This address is verified already.").into());
    }
    send_verification(env, tx, permit, &row).await.map(|_| ())
}

/// Sends the mail that verifies an address; older links of the account end. When another account has verified the address, nothing
/// is sent and the account sees no difference; then the row of the account that has it is returned.
pub(crate) async fn send_verification<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    row: &AddressRow,
) -> Result<Option<AddressRow>, Refused> {
    if let Some(known) = by_folded(tx, &row.folded).await? {
        events::record(env, tx, permit, Entry::of(VerificationWithheld {}).about(row.account_id)).await?;
        return Ok(Some(known));
    }
    let asked = permit.actor().session.map_or(AskedIn::Nowhere, |session| AskedIn::Session(session.id));
    let enclosed = verification_link(env, tx, (row.account_id, row.id), asked, permit.event()).await?;
    let entry = Entry::of(VerificationSent {}).about(row.account_id).with_address(&row.address).addressed_to(row.id).enclosing(enclosed);
    events::record(env, tx, permit, entry).await?;
    Ok(None)
}
