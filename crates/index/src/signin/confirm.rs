//! The mailbox confirms a sign-in from a browser that the account does not know, by a factor that can be phished or by a password alone.
//!
//! The link of the mail continues that one sign-in, in the browser where it began, once, for fifteen minutes. It is never a login link:
//! opened elsewhere it only explains. Whoever phishes password and code still lacks the mailbox.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};

use credentials::link::LinkToken;
use credentials::secret::Secret;

use crate::accounts::addresses::{self, AddressRow};
use crate::accounts::link::Purpose;
use crate::act;
use crate::clock::Time;
use crate::db::entities::{links, sign_in_attempts};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, ConfirmationSent, Entry, open_private};
use crate::ids::{AccountId, AttemptId, LinkId, Site};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Action, Actor, ConfirmSignIn, Credential, Denied, Permit, Proof, State};
use crate::queue::Enclosed;
use crate::refused::Refused;
use crate::signin::devices;
use crate::signin::session::With;
use crate::signin::sessions::Whence;
use crate::signin::stages::{self, Finished, MAILBOX, Outcome, Stage, waits_for};

/// The address that a sign-in must be confirmed at; `None` when it need not be.
///
/// An account without any verified address has no mailbox that it proved, so nothing could be confirmed there; it signs in without, is not
/// remembered where it once had one, and can do nothing until an address is verified: every gate begins with that.
pub(crate) async fn wanted<R: Reading>(
    env: &Env,
    read: &R,
    actor: &Actor,
    account: AccountId,
    with: With,
) -> Result<Option<AddressRow>, Refused> {
    if !env.config.confirm_unknown_device || !with.proof().is_phishable() || devices::known(read, account, &actor.origin).await?.is_some() {
        return Ok(None);
    }
    confirming(read, account).await
}

/// The address that is asked: the primary one first.
async fn confirming<R: Reading>(read: &R, account: AccountId) -> Result<Option<AddressRow>, Refused> {
    let rows = addresses::of_account(read, account).await?;
    Ok(addresses::trusted(read, rows).await?.into_iter().next())
}

const VOID: &str = "UPDATE links SET spent_at = $2 WHERE attempt_id = $1 AND purpose = $3 AND spent_at IS NULL";

/// Sends the mail for a sign-in that waits; an older link of the same sign-in ends. Links of other sign-ins stay: somebody else who has
/// the password cannot end the one that its owner is about to open.
pub(crate) async fn send<A: Action>(
    env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    attempt: &sign_in_attempts::Model,
    address: &AddressRow,
) -> Result<(), Refused> {
    let whom = Whom { account: Some(format!("confirm-login:{}", attempt.account_id)), network: permit.actor().origin.network };
    limits::take_in(env, tx, Limit::ConfirmLogin, &whom).await?;
    let purpose = Purpose::ConfirmLogin.wire();
    tx.execute(VOID, vec![Value::from(attempt.id), Value::from(tx.now()), Value::from(purpose)]).await?;
    let token = LinkToken::generate(&*env.entropy);
    let row = links::ActiveModel {
        id: Set(LinkId::new(tx.now(), &*env.entropy)),
        purpose: Set(purpose.to_owned()),
        account_id: Set(Some(attempt.account_id)),
        address_id: Set(Some(address.id)),
        session_id: Set(None),
        token_digest: Set(token.digest().to_vec()),
        created_at: Set(tx.now()),
        // A link outlives its sign-in by nothing.
        expires_at: Set(attempt.expires_at),
        spent_at: Set(None),
        began_by: Set(Some(permit.event())),
        attempt_id: Set(Some(attempt.id)),
        hold_id: Set(None),
        event_id: Set(None),
        browser_digest: Set(None),
        proved_at: Set(None),
    };
    links::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    let factor = attempt.proved_with.clone().unwrap_or_default();
    let entry = Entry::of(ConfirmationSent { factor }).about(attempt.account_id).with_address(&address.address);
    let entry = entry.addressed_to(address.id).enclosing(Enclosed(Secret::new(token.expose())));
    events::record(env, tx, permit, entry).await?;
    Ok(())
}

/// Has the mail sent again, for the sign-in of this browser.
///
/// # Errors
/// `Limited`; `NotValid` when nothing waits for the mailbox here.
pub async fn send_again(env: &Env, actor: &Actor) -> Result<(), Refused> {
    let inner = env.clone();
    act::act::<ConfirmSignIn, _, _>(env, actor, Site, move |tx, permit| {
        let env = inner.clone();
        Box::pin(async move {
            let state = permit.standing().state;
            if state != State::Active {
                return Err(Denied::Stopped(state).into());
            }
            let attempt = stages::hold(tx, permit, Stage::Mailbox).await?.ok_or(Denied::NotValid)?;
            let address = confirming(tx, attempt.account_id).await?;
            send(&env, tx, permit, &attempt, &address.ok_or(Denied::NotValid)?).await
        })
    })
    .await
}

/// What the page says about the link or the sign-in that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Until when.
    pub until: Time,
    /// Whether the person asked for this browser to be remembered.
    pub remember: bool,
    /// Where the sign-in was to lead, as it was asked for.
    pub next: Option<String>,
}

/// The sign-in of this browser that waits for the mailbox.
///
/// # Errors
/// The database.
pub async fn waiting<R: Reading>(read: &R, actor: &Actor) -> Result<Option<Waiting>, Refused> {
    let found = waits_for(read, actor).await?.filter(|(stage, _)| *stage == Stage::Mailbox);
    Ok(found.map(|(_, row)| Waiting { until: row.expires_at, remember: row.remember_device, next: row.next }))
}

/// What a link of a mail means in the browser in which it was opened.
#[derive(Clone, Debug)]
pub enum Link {
    /// The sign-in began here: a press of the button continues it.
    Here(Waiting),
    /// It began in another browser: from where it was asked for.
    Elsewhere(Whence),
    /// It was used, is too old, or the sign-in is over.
    Dead,
}

async fn find<R: Reading>(read: &R, token: &LinkToken) -> Result<Option<links::Model>, Refused> {
    Ok(links::Entity::find()
        .filter(links::Column::TokenDigest.eq(token.digest().to_vec()))
        .filter(links::Column::Purpose.eq(Purpose::ConfirmLogin.wire()))
        .filter(links::Column::SpentAt.is_null())
        .filter(links::Column::ExpiresAt.gt(read.now()))
        .one(read.connection())
        .await?)
}

/// Reads what a link means here; changes nothing.
///
/// # Errors
/// The database, or a sealed field that does not open.
pub async fn look<R: Reading>(env: &Env, read: &R, actor: &Actor, token: &LinkToken) -> Result<Link, Refused> {
    let Some(link) = find(read, token).await? else { return Ok(Link::Dead) };
    let Some(attempt) = link.attempt_id else { return Ok(Link::Dead) };
    let row = sign_in_attempts::Entity::find_by_id(attempt).one(read.connection()).await?;
    let Some(row) = row.filter(|row| row.spent_at.is_none() && row.expires_at > read.now()) else { return Ok(Link::Dead) };
    if is_of(actor, attempt) {
        return Ok(Link::Here(Waiting { until: row.expires_at, remember: row.remember_device, next: row.next }));
    }
    let private = match link.began_by {
        Some(event) => open_private(env, read, event).await?,
        None => None,
    };
    Ok(Link::Elsewhere(Whence::of(env, private)))
}

fn is_of(actor: &Actor, attempt: AttemptId) -> bool {
    actor.credential == Credential::HalfSession && actor.credential_id == Some(attempt.0)
}

/// Continues the sign-in of this browser with the link that was posted: `Refused` when the link belongs to another one, which is left
/// as it is.
///
/// # Errors
/// `Limited` when links that are not valid are posted without end.
pub async fn confirm(env: &Env, actor: &Actor, token: &LinkToken, remember: bool) -> Result<Outcome, Refused> {
    let (inner, token) = (env.clone(), token.clone());
    let outcome = act::act::<ConfirmSignIn, _, _>(env, actor, Site, move |tx, permit| {
        let (env, token) = (inner.clone(), token.clone());
        Box::pin(async move { decide(&env, tx, permit, &token, remember).await })
    })
    .await?;
    outcome.count();
    if matches!(outcome, Outcome::Refused) {
        drop(limits::take(env, Limit::Link, &Whom::network(actor.origin.network)).await?);
    }
    Ok(outcome)
}

async fn decide(env: &Env, tx: &mut Tx, permit: &Permit<ConfirmSignIn>, token: &LinkToken, remember: bool) -> Result<Outcome, Refused> {
    let account = permit.actor().account().ok_or(Denied::NotValid)?;
    let state = permit.standing().state;
    if state != State::Active {
        stages::fail_step(env, tx, permit, account, "the account may not act").await?;
        return Ok(Outcome::Stopped(state));
    }
    let Some(attempt) = stages::hold(tx, permit, Stage::Mailbox).await? else {
        stages::fail_step(env, tx, permit, account, "the sign-in was over").await?;
        return Ok(Outcome::Over);
    };
    if !spend_link(tx, token, attempt.id).await? {
        stages::fail_step(env, tx, permit, account, "the link was not of this sign-in").await?;
        return Ok(Outcome::Refused);
    }
    let proof = attempt.proved_with.as_deref().and_then(Proof::from_wire);
    let with = proof.and_then(|proof| With::of(proof, attempt.factor_id));
    stages::spend(tx, attempt.id).await?;
    // A password that was all there was is not enough any more where a factor was added meanwhile.
    let Some(with) = with.filter(|with| *with != With::Password || !permit.standing().factor) else {
        stages::fail_step(env, tx, permit, account, "a second factor was added meanwhile").await?;
        return Ok(Outcome::Over);
    };
    let proved_at = attempt.expires_at.minus(MAILBOX);
    let finished = Finished { account, with, proved_at, remember: remember || attempt.remember_device };
    Ok(Outcome::SignedIn(stages::open(env, tx, permit, finished).await?))
}

const SPEND: &str = "UPDATE links SET spent_at = $4 WHERE token_digest = $1 AND purpose = $2 AND attempt_id = $3 \
    AND spent_at IS NULL AND expires_at > $4";

async fn spend_link(tx: &Tx, token: &LinkToken, attempt: AttemptId) -> Result<bool, Refused> {
    let values =
        vec![Value::from(token.digest().to_vec()), Value::from(Purpose::ConfirmLogin.wire()), Value::from(attempt), Value::from(tx.now())];
    Ok(tx.execute(SPEND, values).await? == 1)
}
