//! Taking a stopped account back (R16): a code to a settled mailbox and a settled factor, those removed in the last 30 days included;
//! with one of the two, a wait that every address is told of. Then all that was gained is kept one by one, or ends.
//!
//! A row without an account goes the same way and leads nowhere: by a name alone nobody learns whether there is such an account.

pub mod finish; // what is kept and what ends
pub mod key; //    a security key as the factor
pub mod gained; // what the account gained in 30 days
mod settled; //    which proofs count
pub mod steps; //  the proofs, and the wait
pub mod undelete; // the same proofs bring a deleted account back

use std::time::Duration;

use sea_orm::{EntityTrait, Value};

use credentials::link::LinkToken;

use crate::accounts::taking_back::{self, Begun};
use crate::accounts::{self, Account};
use crate::act;
use crate::clock::Time;
use crate::db::entities::{take_back_waits, take_backs};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, TakeBackBegun, TakeBackRefused};
use crate::ids::{Site, TakeBackId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Actor, BeginTakeBack, Credential, Denied, Permit};
use crate::refused::Refused;
use gained::Gained;

/// How long a take-back with one proof of the two waits (R16).
pub const WAIT: Duration = Duration::from_secs(72 * 3600);

/// How far the take-back of this browser came, for its page.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The account, once one of the proofs was given in this browser; until then nobody learns whether there is one.
    pub username: Option<String>,
    /// When the code that is open now ends, and how often one may still be entered.
    pub code: Option<(Time, u32)>,
    /// A settled mailbox was proved.
    pub mailbox: bool,
    /// A settled factor was proved.
    pub factor: bool,
    /// Whether the factor may be proved before the mailbox: the password was right.
    pub factor_first: bool,
    /// A settled authenticator app could prove it.
    pub totp: bool,
    /// A settled security key or passkey could prove it.
    pub key: bool,
    /// From when the one proof that was given is enough, once that was asked for.
    pub due: Option<Time>,
    /// What to decide, once the proofs are there or the wait is over.
    pub decide: Option<Gained>,
    /// Whether a freeze by staff stands beside it, which no take-back lifts.
    pub frozen: bool,
    /// Whether it brings a deleted account back.
    pub undeletes: bool,
    /// Until when a deleted account can be brought back, once a proof was given.
    pub until: Option<Time>,
}

/// The row of this browser's take-back.
fn id_of(actor: &Actor) -> Result<TakeBackId, Refused> {
    let id = actor.credential_id.filter(|_| actor.credential == Credential::TakeBack);
    id.map(TakeBackId).ok_or_else(|| Denied::NotValid.into())
}

/// The open row of this browser's take-back.
async fn row_of<R: Reading>(read: &R, actor: &Actor) -> Result<take_backs::Model, Refused> {
    let row = take_backs::Entity::find_by_id(id_of(actor)?).one(read.connection()).await?;
    row.filter(|row| row.spent_at.is_none() && row.expires_at > read.now()).ok_or_else(|| Denied::NotValid.into())
}

/// The account that is taken back while it is contained, or brought back while it is deleted.
async fn account_of<R: Reading>(read: &R, row: &take_backs::Model) -> Result<Option<Account>, Refused> {
    let Some(id) = row.account_id else { return Ok(None) };
    let open = match Begun::undeletes(&row.begun_with) {
        true => accounts::deleted::since(read, id).await?.is_some(),
        false => taking_back::is_contained(read, id).await?,
    };
    if open { accounts::by_id(read, id).await } else { Ok(None) }
}

/// Reads how far this browser's take-back came; nothing when it is over, or the account was taken back meanwhile.
///
/// # Errors
/// The database.
pub async fn progress<R: Reading>(env: &Env, read: &R, actor: &Actor) -> Result<Option<Progress>, Refused> {
    let row = match row_of(read, actor).await {
        Ok(row) => row,
        Err(Refused::Denied(_)) => return Ok(None),
        Err(other) => return Err(other),
    };
    let account = account_of(read, &row).await?;
    // Begun by a name and without a proof it goes on as one of nobody: that the account is free again is no stranger's business.
    let is_strangers = Begun::is_by_name(&row.begun_with) && row.address_proved_at.is_none() && row.factor_proved_at.is_none();
    if row.account_id.is_some() && account.is_none() && !is_strangers {
        return Ok(None);
    }
    let (mailbox, factor) = (row.address_proved_at.is_some(), row.factor_proved_at.is_some());
    let mut progress = Progress {
        username: None,
        code: steps::open_code(read, row.id).await?,
        mailbox,
        factor,
        factor_first: Begun::may_prove_the_factor_first(&row.begun_with),
        totp: false,
        key: false,
        due: None,
        decide: None,
        frozen: false,
        undeletes: Begun::undeletes(&row.begun_with),
        until: None,
    };
    let Some(account) = account else { return Ok(Some(progress)) };
    if mailbox || factor || progress.factor_first {
        let factors = settled::factors(env, read, &account).await?;
        progress.totp = factors.iter().any(|row| row.kind == "totp");
        progress.key = factors.iter().any(|row| row.kind == "webauthn");
    }
    if mailbox || factor {
        progress.until = accounts::deleted::since(read, account.id).await?.map(|at| at.plus(accounts::deleted::retention(env)));
        progress.frozen = accounts::taking_back::is_frozen(read, account.id).await?;
        progress.username = Some(account.username.clone());
        progress.due = open_wait(read, &row).await?.map(|wait| wait.due_at);
        if is_ready(read, &row).await? {
            progress.decide = Some(gained::of(env, read, &account, factor).await?);
        }
    }
    Ok(Some(progress))
}

/// Which single proof a row has; nothing when it has none or both.
const fn one_proof(row: &take_backs::Model) -> Option<&'static str> {
    match (row.address_proved_at.is_some(), row.factor_proved_at.is_some()) {
        (true, false) => Some("mailbox"),
        (false, true) => Some("factor"),
        _ => None,
    }
}

/// The wait of the one proof that a row has.
async fn open_wait<R: Reading>(read: &R, row: &take_backs::Model) -> Result<Option<take_back_waits::Model>, Refused> {
    use sea_orm::{ColumnTrait, QueryFilter};
    let (Some(account), Some(proof)) = (row.account_id, one_proof(row)) else { return Ok(None) };
    Ok(take_back_waits::Entity::find()
        .filter(take_back_waits::Column::AccountId.eq(account))
        .filter(take_back_waits::Column::Proof.eq(proof))
        .filter(take_back_waits::Column::UntilAt.is_null())
        .one(read.connection())
        .await?)
}

const TOLD: &str = "SELECT 1 AS one FROM deliveries WHERE event_id = $1 AND state = 'sent'";

/// Both proofs; or one, a wait for it that is over, and a mail about that wait which the mail server took (R9's spirit).
async fn is_ready<R: Reading>(read: &R, row: &take_backs::Model) -> Result<bool, Refused> {
    if row.address_proved_at.is_some() && row.factor_proved_at.is_some() {
        return Ok(true);
    }
    let wait = open_wait(read, row).await?.filter(|_| !Begun::undeletes(&row.begun_with));
    let Some(wait) = wait else { return Ok(false) };
    Ok(wait.due_at <= read.now() && read.row(TOLD, vec![Value::from(wait.began_by)]).await?.is_some())
}

/// Begins by a name alone. Known or not, contained or not: the same answer, and the same limits.
///
/// # Errors
/// `Limited` by the name or the network.
pub async fn begin_by_name(env: &Env, actor: &Actor, typed: &str) -> Result<LinkToken, Refused> {
    let typed: String = typed.trim().chars().take(256).collect();
    let whom = Whom { account: Some(format!("take-back-name:{}", typed.to_lowercase())), network: actor.origin.network };
    drop(limits::take(env, Limit::TakeBack, &whom).await?);
    let inner = env.clone();
    act::act::<BeginTakeBack, _, _>(env, actor, Site, move |tx, permit| {
        let (env, typed) = (inner.clone(), typed.clone());
        Box::pin(async move { begin(&env, tx, permit, &typed).await })
    })
    .await
}

async fn begin(env: &Env, tx: &mut Tx, permit: &Permit<BeginTakeBack>, typed: &str) -> Result<LinkToken, Refused> {
    let found = accounts::by_username(tx, typed).await?;
    let contained = match &found {
        Some(account) => taking_back::is_contained(tx, account.id).await?,
        None => false,
    };
    let network = permit.actor().origin.network.map(|n| n.to_string()).unwrap_or_default();
    let account = found.filter(|_| contained).map(|account| account.id);
    match account {
        Some(account) => {
            let entry = Entry::of(TakeBackBegun { begun_with: Begun::Name.words().to_owned() }).about(account);
            events::record_failure(env, tx, permit, entry, format!("{account}|{network}").as_bytes()).await?;
        }
        None => {
            let entry = Entry::of(TakeBackRefused { reason: "no stopped account has this name".to_owned() });
            events::record_failure(env, tx, permit, entry, network.as_bytes()).await?;
        }
    }
    taking_back::begin(env, tx, account, Begun::Name, permit.event()).await
}
