//! What an account gained in 30 days: factors, recovery codes, addresses, tokens; and what it gave to others: roles, invitations. Each
//! is kept one by one, or ends (R16).

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::accounts::addresses::is_settled as address_settled;
use crate::accounts::settled::is_settled;
use crate::accounts::{Account, history};
use crate::clock::Time;
use crate::containment::RECENT;
use crate::db::Reading;
use crate::db::entities::{addresses, api_tokens, factors, recovery_sets};
use crate::env::Env;
use crate::projects::collaboration::given;
use crate::refused::Refused;

/// Kinds of things that an account gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A second factor.
    Factor,
    /// A set of recovery codes.
    Codes,
    /// An e-mail address.
    Address,
    /// An API token.
    Token,
    /// A role that the account gave to somebody.
    Role,
    /// An invitation that it made.
    Invitation,
}

impl Sort {
    /// Ends its row; what was given to others ends with an event of its own.
    pub(in crate::containment) const fn end(self) -> Option<&'static str> {
        Some(match self {
            Self::Role | Self::Invitation => return None,
            Self::Factor => "UPDATE factors SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL",
            Self::Codes => "UPDATE recovery_sets SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL",
            Self::Address => "UPDATE addresses SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL",
            Self::Token => "UPDATE api_tokens SET until_at = $2, ended_by = $3 WHERE id = $1 AND until_at IS NULL",
        })
    }
}

/// One thing that was gained.
#[derive(Clone, Debug)]
pub struct Thing {
    /// Its row: what the form's `keep` names.
    pub id: Uuid,
    /// What sort of thing.
    pub sort: Sort,
    /// What it is, for the person who decides.
    pub what: String,
    /// Since when the account has it.
    pub from_at: Time,
}

/// Everything to decide about.
#[derive(Clone, Debug, Default)]
pub struct Gained {
    /// The things, newest first.
    pub things: Vec<Thing>,
    /// Every address that is still told, with its id: each can be told without links from now on (R17).
    pub told: Vec<(Uuid, String)>,
}

/// What the account gained and still has. What is settled is not in it: no thief of 30 days made it.
///
/// Without a proved factor the settled ones are to decide about too: whoever has lost them could not sign in afterwards.
///
/// # Errors
/// The database.
pub(in crate::containment) async fn of<R: Reading>(env: &Env, read: &R, account: &Account, factor_proved: bool) -> Result<Gained, Refused> {
    let mut things = factors_of(env, read, account, factor_proved).await?;
    things.extend(codes_of(env, read, account).await?);
    let (gained, told) = addresses_of(env, read, account).await?;
    things.extend(gained);
    things.extend(tokens_of(read, account).await?);
    things.extend(given_by(read, account).await?);
    things.sort_by_key(|thing| (std::cmp::Reverse(thing.from_at), thing.id));
    Ok(Gained { things, told })
}

fn is_new<R: Reading>(env: &Env, read: &R, from_at: Time, account: &Account) -> bool {
    !is_settled(env, read.now(), from_at, account.created_at)
}

async fn factors_of<R: Reading>(env: &Env, read: &R, account: &Account, proved: bool) -> Result<Vec<Thing>, Refused> {
    let open = factors::Entity::find().filter(factors::Column::AccountId.eq(account.id)).filter(factors::Column::UntilAt.is_null());
    let rows = open.all(read.connection()).await?;
    let what = |row: &factors::Model| match (row.kind.as_str(), row.label.as_str()) {
        ("webauthn", "") => "A security key or passkey".to_owned(),
        ("webauthn", label) => format!("The security key or passkey “{label}”"),
        (kind, _) => format!("The second factor: {}", history::words(kind)),
    };
    let rows = rows.into_iter().filter(|row| !proved || is_new(env, read, row.from_at, account));
    Ok(rows.map(|row| Thing { id: row.id.0, sort: Sort::Factor, what: what(&row), from_at: row.from_at }).collect())
}

async fn codes_of<R: Reading>(env: &Env, read: &R, account: &Account) -> Result<Vec<Thing>, Refused> {
    let open = recovery_sets::Entity::find()
        .filter(recovery_sets::Column::AccountId.eq(account.id))
        .filter(recovery_sets::Column::UntilAt.is_null());
    let rows = open.all(read.connection()).await?.into_iter().filter(|row| is_new(env, read, row.from_at, account));
    let thing = |row: recovery_sets::Model| Thing {
        id: row.id.0,
        sort: Sort::Codes,
        what: "A set of recovery codes".to_owned(),
        from_at: row.from_at,
    };
    Ok(rows.map(thing).collect())
}

async fn addresses_of<R: Reading>(env: &Env, read: &R, account: &Account) -> Result<(Vec<Thing>, Vec<(Uuid, String)>), Refused> {
    let rows = addresses::Entity::find()
        .filter(addresses::Column::AccountId.eq(account.id))
        .order_by_asc(addresses::Column::FromAt)
        .all(read.connection())
        .await?;
    let since = read.now().minus(RECENT);
    let is_told = |row: &&addresses::Model| row.verified_at.is_some() && row.until_at.is_none_or(|until| until > since);
    let told = rows.iter().filter(is_told).map(|row| (row.id.0, row.address.clone())).collect();
    let young = |row: &addresses::Model| row.verified_at.is_some() && !address_settled(env, read.now(), row, account.created_at);
    let new = rows.iter().filter(|row| row.until_at.is_none() && (is_new(env, read, row.from_at, account) || young(row)));
    let thing = |row: &addresses::Model| Thing {
        id: row.id.0,
        sort: Sort::Address,
        what: format!("The address {}", row.address),
        from_at: row.from_at,
    };
    Ok((new.map(thing).collect(), told))
}

async fn tokens_of<R: Reading>(read: &R, account: &Account) -> Result<Vec<Thing>, Refused> {
    let rows = api_tokens::Entity::find()
        .filter(api_tokens::Column::AccountId.eq(account.id))
        .filter(api_tokens::Column::UntilAt.is_null())
        .filter(api_tokens::Column::FromAt.gt(read.now().minus(RECENT)))
        .all(read.connection())
        .await?;
    let thing = |row: api_tokens::Model| Thing {
        id: row.id.0,
        sort: Sort::Token,
        what: format!("The API token “{}”", row.description),
        from_at: row.from_at,
    };
    Ok(rows.into_iter().map(thing).collect())
}

async fn given_by<R: Reading>(read: &R, account: &Account) -> Result<Vec<Thing>, Refused> {
    let since = read.now().minus(RECENT);
    let roles = given::roles(read, account.id, since).await?;
    let roles = roles.into_iter().map(|one| Thing { id: one.id.0, sort: Sort::Role, what: one.what, from_at: one.from_at });
    let invitations = given::invitations(read, account.id, since).await?;
    let invitations =
        invitations.into_iter().map(|one| Thing { id: one.id.0, sort: Sort::Invitation, what: one.what, from_at: one.from_at });
    Ok(roles.chain(invitations).collect())
}
