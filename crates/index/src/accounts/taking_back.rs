//! The way back of a stopped account, begun: a row that a cookie's token opens. What it leads to is in `containment`.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, EntityTrait, Value};

use credentials::link::LinkToken;

use crate::db::entities::take_backs;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::ids::{AccountId, EventId, TakeBackId};
use crate::refused::Refused;

/// How long one lives.
pub const LIFETIME: Duration = Duration::from_secs(3600);

/// With what it was begun. Each has a budget of mails of its own, so that whoever has one of them cannot spend the others' (R25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The right password was typed.
    Password,
    /// A passkey answered.
    Key,
    /// "This was not me" was pressed in this browser.
    Link,
    /// A name was typed.
    Name,
}

impl Begun {
    /// The word in rows.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Key => "key",
            Self::Link => "link",
            Self::Name => "name",
        }
    }
    /// Whether somebody who begins so may prove the factor before the mailbox: nobody guesses at it who has nothing else.
    #[must_use]
    pub fn may_prove_the_factor_first(wire: &str) -> bool {
        wire == Self::Password.wire() || wire == Self::Key.wire()
    }
    /// In plain words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Password => "the password",
            Self::Key => "a passkey",
            Self::Link => "the link of a notice",
            Self::Name => "its name alone",
        }
    }
}

/// Begins one; without an account it leads nowhere, and looks the same.
pub(crate) async fn begin(env: &Env, tx: &Tx, account: Option<AccountId>, with: Begun, by: EventId) -> Result<LinkToken, Refused> {
    let token = LinkToken::generate(&*env.entropy);
    let row = take_backs::ActiveModel {
        id: Set(TakeBackId::new(tx.now(), &*env.entropy)),
        account_id: Set(account),
        begun_with: Set(with.wire().to_owned()),
        token_digest: Set(token.digest().to_vec()),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now().plus(LIFETIME)),
        address_id: Set(None),
        address_proved_at: Set(None),
        factor_id: Set(None),
        factor_proved_at: Set(None),
        proved_with: Set(None),
        spent_at: Set(None),
        began_by: Set(by),
    };
    take_backs::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    Ok(token)
}

/// Whether the account waits for its owner to take it back: a link of a notice stopped it, or it was put back after a theft. A freeze beside it changes nothing about that.
///
/// # Errors
/// The database.
pub async fn is_contained<R: Reading>(read: &R, account: AccountId) -> Result<bool, Refused> {
    const CONTAINED: &str = "SELECT 1 AS one FROM account_causes c JOIN cases o ON o.id = c.case_id \
        WHERE c.account_id = $1 AND c.kind = 'contained' AND c.until_at IS NULL AND o.kind IN ('not-me', 'take-back') LIMIT 1";
    Ok(read.row(CONTAINED, vec![Value::from(account)]).await?.is_some())
}

/// Whether a freeze stands, which no take-back lifts.
///
/// # Errors
/// The database.
pub async fn is_frozen<R: Reading>(read: &R, account: AccountId) -> Result<bool, Refused> {
    const FROZEN: &str = "SELECT 1 AS one FROM account_causes WHERE account_id = $1 AND kind = 'frozen' AND until_at IS NULL LIMIT 1";
    Ok(read.row(FROZEN, vec![Value::from(account)]).await?.is_some())
}
