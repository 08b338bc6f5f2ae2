//! A new password by mail: the same page, after the same time, for everyone who asks. The link never skips the factor and never
//! signs in. Administrators get none by mail: their password is not worth a mailbox. The operator makes theirs, with a reason.

use std::time::Duration;

use credentials::link::LinkToken;
use credentials::secret::Secret;

use crate::accounts::addresses::{self, AddressRow};
use crate::accounts::link::{self, NewLink, Purpose};
use crate::accounts::{self, Account, freeze};
use crate::act;
use crate::clock::Stopwatch;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, PasswordReset, PasswordResetAttempted, PasswordResetRequested, ResetLinkMade};
use crate::ids::Site;
use crate::limits::{self, Limit, Whom};
use crate::policy::{Actor, Denied, MakeResetLink, Permit, RequestPasswordReset, ResetPassword, State, standing};
use crate::queue::Enclosed;
use crate::refused::{Invalid, Refused};
use crate::signin::password::{self, Chosen};
use crate::signin::{devices, session};

/// How long the answer takes at least: what is written for a known name takes a little longer than for an unknown one, and all of
/// it less than this.
pub const ANSWER_AFTER: Duration = Duration::from_millis(200);

/// Sends a link, or does not: whoever asks cannot tell, not from the time either.
///
/// # Errors
/// `Limited` by what was typed or by network.
pub async fn request(env: &Env, actor: &Actor, typed: &str) -> Result<(), Refused> {
    let began = Stopwatch::start();
    let asked = ask(env, actor, typed).await;
    began.until(ANSWER_AFTER).await;
    asked
}

/// What was typed has a limit that everybody sees, known or not. The destination has one of its own that nobody sees: else the
/// limit of a name would tell which address belongs to it.
async fn ask(env: &Env, actor: &Actor, typed: &str) -> Result<(), Refused> {
    let typed: String = typed.trim().chars().take(256).collect();
    let whom = Whom { account: Some(format!("reset:{}", typed.to_lowercase())), network: actor.origin.network };
    drop(limits::take(env, Limit::Mail, &whom).await?);
    let found = {
        let typed = typed.clone();
        act::view::<RequestPasswordReset, _, _>(env, actor, Site, move |read, _| Box::pin(async move { find(read, &typed).await })).await?
    };
    let destination = found.map_or_else(|| format!("nobody:{}", typed.to_lowercase()), |(_, address)| address.id.to_string());
    let whom = Whom { account: Some(format!("reset-to:{destination}")), network: None };
    let may_mail = match limits::take(env, Limit::Mail, &whom).await {
        Ok(_counted) => true,
        Err(Refused::Limited(_)) => false,
        Err(other) => return Err(other),
    };
    let inner = env.clone();
    act::act::<RequestPasswordReset, _, _>(env, actor, Site, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { send(&env, tx, permit, &typed, may_mail).await })
    })
    .await
}

/// The account and the address that the mail would go to: the typed address, or the primary one of the typed name.
async fn find<R: Reading>(read: &R, typed: &str) -> Result<Option<(Account, AddressRow)>, Refused> {
    if typed.contains('@') {
        let Ok(typed) = addresses::Address::parse(typed) else { return Ok(None) };
        let Some(address) = addresses::by_folded(read, &typed.folded()).await? else { return Ok(None) };
        return Ok(accounts::by_id(read, address.account_id).await?.map(|account| (account, address)));
    }
    let Some(account) = accounts::by_username(read, typed).await? else { return Ok(None) };
    let address = addresses::primary(read, account.id).await?;
    Ok(address.map(|address| (account, address)))
}

async fn send(env: &Env, tx: &mut Tx, permit: &Permit<RequestPasswordReset>, typed: &str, may_mail: bool) -> Result<(), Refused> {
    let Some((account, address)) = find(tx, typed).await? else {
        // A row as well, so that it takes as long; all unknown names of one network share one bound.
        return attempt(env, tx, permit, None, "no account has this name or address").await;
    };
    if let Some(reason) = why_not(tx, &account, &address, may_mail).await? {
        return attempt(env, tx, permit, Some(&account), reason).await;
    }
    let new = NewLink {
        purpose: Purpose::ResetPassword,
        account: Some(account.id),
        address: Some(address.id),
        session: None,
        began_by: permit.event(),
    };
    let token = link::issue(env, tx, new).await?;
    let entry = Entry::of(PasswordResetRequested {}).about(account.id).with_address(&address.address);
    let entry = entry.addressed_to(address.id).enclosing(Enclosed(Secret::new(token.expose())));
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

async fn why_not<R: Reading>(read: &R, account: &Account, address: &AddressRow, may_mail: bool) -> Result<Option<&'static str>, Refused> {
    let standing = standing(read, account.id, None).await?;
    Ok(if standing.state != State::Active {
        Some("the account may not act")
    } else if standing.administrator {
        Some("administrators ask the operator")
    } else if address.verified_at.is_none() {
        Some("the address is not verified")
    } else if !addresses::may_have_links(read, address).await? {
        Some("the address is told without links")
    } else if !may_mail {
        Some("several were sent already")
    } else {
        None
    })
}

async fn attempt(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<RequestPasswordReset>,
    account: Option<&Account>,
    reason: &str,
) -> Result<(), Refused> {
    let mut entry = Entry::of(PasswordResetAttempted { reason: reason.to_owned() });
    let key = match account {
        Some(account) => {
            entry = entry.about(account.id);
            account.id.to_string()
        }
        None => permit.actor().origin.network.map(|n| n.to_string()).unwrap_or_default(),
    };
    events::record_failure(env, tx, permit, entry, key.as_bytes()).await?;
    Ok(())
}

/// The account whose password a link would set; changes nothing. `None` when the link is dead.
///
/// # Errors
/// The database.
pub async fn to_reset<R: Reading>(read: &R, token: &LinkToken) -> Result<Option<Account>, Refused> {
    let Some(link) = link::peek(read, token, Purpose::ResetPassword).await? else { return Ok(None) };
    let Some(account) = link.account_id else { return Ok(None) };
    accounts::by_id(read, account).await
}

/// What was typed into the form behind the link.
#[derive(Clone)]
pub struct Form {
    /// The new password.
    pub new_password: Secret,
    /// The same once more.
    pub password_confirm: Secret,
    /// Whether all API tokens end.
    pub revoke_tokens: bool,
}

/// Sets the password of the link that was posted; all sessions end, and the API tokens where that was asked for.
///
/// # Errors
/// `NotValid` when the link is dead; `Invalid` for a password that cannot be chosen.
pub async fn reset(env: &Env, actor: &Actor, token: &LinkToken, form: Form) -> Result<(), Refused> {
    let Form { new_password, password_confirm, revoke_tokens } = form;
    let found = {
        let token = token.clone();
        act::view::<ResetPassword, _, _>(env, actor, Site, move |read, _| {
            Box::pin(async move {
                let Some(account) = to_reset(read, &token).await? else { return Ok(None) };
                let addresses = addresses::of_account(read, account.id).await?;
                Ok(Some((account, addresses)))
            })
        })
        .await?
    };
    let (account, addresses) = found.ok_or(Denied::NotValid)?;
    let mut context = vec![account.username, account.display_name];
    context.extend(addresses.into_iter().map(|row| row.address));
    let hash = password::hash_chosen(env, Chosen { password: new_password, confirm: password_confirm, context }).await?;
    let inner = env.clone();
    act::act::<ResetPassword, _, _>(env, actor, Site, move |tx, permit| {
        let (env, hash) = (inner.clone(), hash.clone());
        Box::pin(async move { set(&env, tx, permit, &hash, revoke_tokens).await })
    })
    .await
}

async fn set(env: &Env, tx: &mut Tx, permit: &Permit<ResetPassword>, hash: &str, revoke_tokens: bool) -> Result<(), Refused> {
    let link = link::spend(tx, permit, Purpose::ResetPassword).await?;
    let account = link.account_id.ok_or(Denied::NotValid)?;
    // The row is locked before the sessions are ended: a sign-in with the old password comes before, and ends, or after, and fails.
    accounts::lock(tx, account).await?;
    let standing = standing(tx, account, None).await?;
    if standing.state != State::Active {
        return Err(Denied::Stopped(standing.state).into());
    }
    // The operator's link was mailed to nobody.
    if let Some(mailed_to) = link.address_id {
        let addresses = addresses::of_account(tx, account).await?;
        let verified = addresses.into_iter().any(|row| row.id == mailed_to && row.verified_at.is_some());
        if standing.administrator || !verified {
            return Err(Denied::NotValid.into());
        }
    }
    password::store(tx, account, hash).await?;
    let sessions_ended = session::end_all(tx, account, permit.event()).await?;
    devices::end_all(tx, account, permit.event()).await?;
    let tokens_ended = if revoke_tokens { password::end_tokens(tx, account, permit.event()).await? } else { 0 };
    events::record(env, tx, permit, Entry::of(PasswordReset { sessions_ended, tokens_ended }).about(account)).await?;
    Ok(())
}

/// Makes a link to choose a new password, for the operator to hand on: the only way for administrators, and for whoever lost the
/// mailbox. Older ones end. The account and the administrators are told.
///
/// # Errors
/// `Invalid` without a reason, for an account that was never completed, and for one that may not act.
pub async fn make_link(env: &Env, tx: &mut Tx, permit: &Permit<MakeResetLink>, reason: &str) -> Result<LinkToken, Refused> {
    let (account, reason) = (*permit.on(), freeze::check_reason(reason)?);
    let row = accounts::by_id(tx, account).await?.ok_or(Denied::Hidden)?;
    match standing(tx, account, None).await?.state {
        State::Active => {}
        State::Absent => {
            return Err(Invalid::new("", "Its owner has not completed it yet: `account setup-link` makes the link for that.").into());
        }
        state => return Err(Invalid::new("", format!("The account is {}: it can choose no password.", state.word())).into()),
    }
    let new = NewLink { purpose: Purpose::ResetPassword, account: Some(account), address: None, session: None, began_by: permit.event() };
    let token = link::issue(env, tx, new).await?;
    let event = ResetLinkMade { username: row.username, reason: reason.to_owned() };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    Ok(token)
}
