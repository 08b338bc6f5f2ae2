//! TABLE 6: rate limits: what, per whom, how much, in which window. Counted in the database, so that restarts and processes share them;
//! when it cannot answer, credentials are not accepted (P12).
//!
//! A try is taken before it is made and given back when it was right, so that parallel guesses cannot pass a limit (R25).

use std::net::IpAddr;
use std::time::Duration;

use sea_orm::Value;

use crate::act::{Housekeeping, housekeeping};
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, DeviceId, SessionId};
use crate::rates::{Rate, parse_rates};
use crate::refused::Refused;

macro_rules! limits { ($($(#[doc = $doc:literal])* $Name:ident = $wire:literal, account $account:literal, network $network:literal, index $index:literal;)*) => {
    /// The name of every limit.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
    pub enum Limit { $($(#[doc = $doc])* $Name),* }
    impl Limit {
        /// All limits, in the order of the table.
        pub const ALL: &'static [Self] = &[$(Self::$Name),*];
        /// The name in settings: `limits.NAME.account`.
        #[must_use]
        pub const fn wire(self) -> &'static str { match self { $(Self::$Name => $wire),* } }
        /// The default of one scope, as a setting is written; empty when the scope has no limit.
        #[must_use]
        pub const fn default(self, scope: Scope) -> &'static str {
            match (self, scope) { $((Self::$Name, Scope::Account) => $account, (Self::$Name, Scope::Network) => $network, (Self::$Name, Scope::Index) => $index),* }
        }
        /// The sentence of its row.
        #[must_use]
        pub fn sentence(self) -> &'static str { match self { $(Self::$Name => concat!($($doc),*).trim_ascii()),* } }
    }
} }

limits! {
    /// Failed passwords.
    SignIn = "sign_in", account "10/5m", network "10/5m", index "1000/5m";
    /// Failed second factors, recovery codes and mailbox codes.
    Factor = "factor", account "5/5m 20/1h 50/1d", network "10/5m 50/1h", index "";
    /// Mails that confirm a sign-in from an unknown browser: only after the right password.
    ConfirmLogin = "confirm_login", account "10/1h", network "20/1h", index "2000/1h";
    /// Mails that somebody asks for, of one kind, per account and destination; never notices.
    Mail = "mail", account "3/6h", network "20/1h", index "2000/1h";
    /// Mails that strangers and claims of an address cause to one address, counted for the address.
    MailTo = "mail_to", account "20/1d", network "", index "";
    /// Registrations.
    Registration = "registration", account "", network "10/1h", index "1000/1h";
    /// Links of mails that were posted and are not valid.
    Link = "link", account "", network "30/5m", index "";
    /// API tokens that were presented and are not valid.
    Token = "token", account "", network "100/5m", index "";
    /// Signed calls of other machines whose signature is wrong.
    Signature = "signature", account "", network "30/5m", index "";
    /// Uploads.
    Upload = "upload", account "600/1h", network "", index "";
    /// Projects that come into being with an upload.
    NewProject = "new_project", account "20/1h", network "40/1h", index "";
    /// Acts that somebody asks a proof for, sets of recovery codes included.
    Act = "act", account "30/10m", network "", index "";
    /// Invitations to projects.
    Invite = "invite", account "20/1h 60/1d", network "", index "";
    /// Challenges for security keys and passkeys, asked for or answered; an answer is no guess (R25), this bounds rows.
    Challenge = "challenge", account "", network "240/5m", index "20000/5m";
    /// Take-backs that are begun with a name alone, and the codes that they ask for; each way to begin has a budget of its own.
    TakeBack = "take_back", account "6/6h", network "20/1h", index "";
    /// Searches.
    Search = "search", account "", network "60/1m", index "";
}

/// Per whom a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Per account.
    Account,
    /// Per network address; IPv6 by /64.
    Network,
    /// For all strangers together.
    Index,
}

impl Limit {
    /// Whether every request counts, so that the gate takes it; the others count failures, and verbs take them.
    #[must_use]
    pub const fn counts_every(self) -> bool {
        matches!(self, Self::Registration | Self::Search | Self::Upload | Self::Challenge)
    }
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Account, Self::Network, Self::Index];
    /// The last part of the setting's key.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Network => "network",
            Self::Index => "index",
        }
    }
}

/// The settings' keys of all limits: `limits.NAME.SCOPE`.
#[must_use]
pub fn setting_keys() -> Vec<String> {
    Limit::ALL.iter().flat_map(|limit| Scope::ALL.map(|scope| format!("limits.{}.{}", limit.wire(), scope.wire()))).collect()
}

/// Whom a try is counted for.
#[derive(Clone, Debug, Default)]
pub struct Whom {
    /// The account, or what stands for an unknown one (R25: unknown names meet the same limits).
    pub account: Option<String>,
    /// The network address.
    pub network: Option<IpAddr>,
}

impl Whom {
    /// An account and the network it comes from.
    #[must_use]
    pub fn account(account: AccountId, network: Option<IpAddr>) -> Self {
        Self { account: Some(account.to_string()), network }
    }
    /// Whoever acts in a session: no stranger, and nobody in another session, spends what it may still guess (R25).
    #[must_use]
    pub fn session(session: Option<SessionId>, network: Option<IpAddr>) -> Self {
        Self { account: session.map(|id| format!("session:{id}")), network }
    }
    /// A stranger from a network.
    #[must_use]
    pub const fn network(network: Option<IpAddr>) -> Self {
        Self { account: None, network }
    }
    /// A name that somebody typed, known or not, and the network it comes from.
    #[must_use]
    pub fn name(name: &str, network: Option<IpAddr>) -> Self {
        Self { account: Some(format!("name:{}", name.to_lowercase())), network }
    }

    fn key(&self, scope: Scope) -> Option<String> {
        match scope {
            Scope::Account => self.account.as_ref().map(|a| format!("account:{a}")),
            Scope::Network => self.network.map(|n| format!("network:{}", network_key(n))),
            Scope::Index => Some("index".to_owned()),
        }
    }
}

/// IPv6 counts by /64: a subscriber has that many addresses.
fn network_key(network: IpAddr) -> String {
    match network {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| format!("{:x?}", &v6.segments()[..4]), |v4| v4.to_string()),
    }
}

/// A try that was counted; give it back when it was right.
#[derive(Debug)]
#[must_use = "a limit that counts failures gives the try back when it was right"]
pub struct Taken {
    limit: Limit,
    cells: Vec<Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    key: Vec<u8>,
    rate: Rate,
    window_at: crate::clock::Time,
}

/// Counts one try against all scopes of a limit.
///
/// # Errors
/// `Limited` with the time to wait; then nothing was counted. `Fault` when the database does not answer: fail closed.
pub async fn take(env: &Env, limit: Limit, whom: &Whom) -> Result<Taken, Refused> {
    count_all(env, limit, cells(env, limit, whom)).await
}

async fn count_all(env: &Env, limit: Limit, cells: Vec<Cell>) -> Result<Taken, Refused> {
    if cells.is_empty() {
        return Ok(Taken { limit, cells });
    }
    let counted = cells.clone();
    housekeeping(env, Housekeeping::Limits, move |tx| {
        Box::pin(async move {
            for cell in &counted {
                count(tx, limit, cell).await?;
            }
            Ok(())
        })
    })
    .await?;
    Ok(Taken { limit, cells })
}

/// Counts one try of a browser that the account trusts: a budget of its own, as large as the account's. What strangers do to the
/// account, the network or the index does not shrink it (R25).
///
/// # Errors
/// As [`take`].
pub async fn take_known(env: &Env, limit: Limit, device: DeviceId) -> Result<Taken, Refused> {
    let cells = cells_of(env, limit, Scope::Account, &format!("device:{device}"));
    count_all(env, limit, cells).await
}

/// Counts one try inside the transaction that acts: when the act is undone, so is the try.
///
/// # Errors
/// As [`take`].
pub(crate) async fn take_in(env: &Env, tx: &Tx, limit: Limit, whom: &Whom) -> Result<(), Refused> {
    for cell in cells(env, limit, whom) {
        count(tx, limit, &cell).await?;
    }
    Ok(())
}

fn cells(env: &Env, limit: Limit, whom: &Whom) -> Vec<Cell> {
    let keys = Scope::ALL.into_iter().filter_map(|scope| Some((scope, whom.key(scope)?)));
    keys.flat_map(|(scope, key)| cells_of(env, limit, scope, &key)).collect()
}

fn cells_of(env: &Env, limit: Limit, scope: Scope, key: &str) -> Vec<Cell> {
    let now = env.now();
    let key = env.keys.keyed_hash("limit", key.as_bytes()).to_bytes();
    let rates = env.config.rates(limit.wire(), scope.wire()).unwrap_or_else(|| default_rates(limit, scope));
    rates.into_iter().map(|rate| Cell { key: key.clone(), rate, window_at: now.window(rate.window) }).collect()
}

fn default_rates(limit: Limit, scope: Scope) -> Vec<Rate> {
    parse_rates(limit.default(scope)).expect("a test reads every default of the table")
}

const COUNT: &str = "INSERT INTO limit_windows (name, key, window_s, window_at, count) VALUES ($1, $2, $3, $4, 1) \
    ON CONFLICT (name, key, window_s, window_at) DO UPDATE SET count = limit_windows.count + 1 RETURNING count";
const BEFORE: &str = "SELECT count FROM limit_windows WHERE name = $1 AND key = $2 AND window_s = $3 AND window_at = $4";

/// Counts in the present window; the one before counts in part, as far as a moving window still covers it.
async fn count(tx: &Tx, limit: Limit, cell: &Cell) -> Result<(), Refused> {
    let window_s = i64::try_from(cell.rate.window.as_secs()).unwrap_or(i64::MAX);
    let values = |at| vec![Value::from(limit.wire()), Value::from(cell.key.clone()), Value::from(window_s), Value::from(at)];
    let row = tx.row(COUNT, values(cell.window_at)).await?;
    let present: i64 = row.map(|r| r.try_get("", "count")).transpose()?.unwrap_or(1);
    let row = tx.row(BEFORE, values(cell.window_at.minus(cell.rate.window))).await?;
    let before: i64 = row.map(|r| r.try_get("", "count")).transpose()?.unwrap_or(0);
    let elapsed = tx.now().since(cell.window_at);
    let left = cell.rate.window.saturating_sub(elapsed);
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate over small counts")]
    let covered = (before as f64 * left.as_secs_f64() / cell.rate.window.as_secs_f64()).floor() as i64;
    if present + covered > i64::from(cell.rate.most) {
        return Err(Refused::Limited(left.max(Duration::from_secs(1))));
    }
    Ok(())
}

const GIVE_BACK: &str = "UPDATE limit_windows SET count = count - 1 \
    WHERE name = $1 AND key = $2 AND window_s = $3 AND window_at = $4 AND count > 0";

/// The try was right: limits that count failures forget it.
///
/// # Errors
/// The database.
pub async fn give_back(env: &Env, taken: Taken) -> Result<(), Refused> {
    if taken.cells.is_empty() {
        return Ok(());
    }
    housekeeping(env, Housekeeping::Limits, move |tx| {
        Box::pin(async move {
            for cell in taken.cells {
                let window_s = i64::try_from(cell.rate.window.as_secs()).unwrap_or(i64::MAX);
                let values =
                    vec![Value::from(taken.limit.wire()), Value::from(cell.key), Value::from(window_s), Value::from(cell.window_at)];
                tx.execute(GIVE_BACK, values).await?;
            }
            Ok(())
        })
    })
    .await
}
