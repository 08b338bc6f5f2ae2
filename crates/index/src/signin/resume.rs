//! A password proved again: it resumes an idle session. It makes nothing fresh once the account has a factor (R1).

use credentials::secret::Secret;

use crate::accounts;
use crate::act;
use crate::breach::Verdict;
use crate::db::Tx;
use crate::env::Env;
use crate::events::{self, Entry, Reauthenticated, ReauthenticationFailed};
use crate::ids::AccountId;
use crate::lane::For;
use crate::limits::{self, Limit};
use crate::measure;
use crate::policy::{Action, Actor, Credential, Denied, Permit, Reauthenticate};
use crate::refused::{Invalid, Refused};
use crate::signin::breached::{self, Meaning};
use crate::signin::devices;
use crate::signin::factor::Proved;
use crate::signin::password;
use crate::signin::session::{self, With};

/// The present password of an account, weighed: what an act compares again inside its transaction.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    right: bool,
    listed: Verdict,
    stored: Option<String>,
}

impl Present {
    /// Whether it was right when it was weighed: not yet a yes.
    pub(crate) const fn is_right_so_far(&self) -> bool {
        self.right
    }
    /// Whether it was right and still is; the account's row is locked from now on.
    pub(crate) async fn is_right(&self, tx: &Tx, account: AccountId) -> Result<bool, Refused> {
        accounts::lock(tx, account).await?;
        let now = accounts::by_id(tx, account).await?.and_then(|row| row.password_hash);
        Ok(self.right && now.is_some() && now == self.stored)
    }
}

/// Weighs the present password of whoever is signed in. The session has a budget of its own: wrong passwords at the login page are
/// anybody's, and must not keep the owner from changing it (R25).
pub(crate) async fn weigh<A: Action<On = AccountId>>(
    env: &Env,
    actor: &Actor,
    account: AccountId,
    typed: Secret,
) -> Result<(Present, limits::Taken), Refused> {
    let row =
        act::view::<A, _, _>(env, actor, account, move |read, _| Box::pin(async move { accounts::by_id(read, account).await })).await?;
    let row = row.ok_or(Denied::NotValid)?;
    let (taken, _) = devices::take(env, actor, Some(account), Limit::SignIn, &devices::within(actor)).await?;
    let weighed = password::weigh_for(env, For::Known, row.password_hash.clone(), typed).await?;
    Ok((Present { right: weighed.right, listed: weighed.listed, stored: row.password_hash }, taken))
}

/// Resumes the session with the password.
///
/// # Errors
/// `Limited`; `Invalid` where a factor is wanted instead.
pub async fn with_password(env: &Env, actor: &Actor, account: AccountId, typed: Secret) -> Result<Proved, Refused> {
    let (present, taken) = weigh::<Reauthenticate>(env, actor, account, typed).await?;
    let right = present.right;
    let inner = env.clone();
    let proved = act::act::<Reauthenticate, _, _>(env, actor, account, move |tx, permit| {
        let (env, present) = (inner.clone(), present.clone());
        Box::pin(async move { resume(&env, tx, permit, &present).await })
    })
    .await;
    if right {
        limits::give_back(env, taken).await?;
    }
    if matches!(proved, Ok(Proved::Breached { .. })) {
        measure::breach_disabled();
    }
    proved
}

async fn resume(env: &Env, tx: &mut Tx, permit: &Permit<Reauthenticate>, present: &Present) -> Result<Proved, Refused> {
    let account = *permit.on();
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let factor = permit.standing().factor;
    if factor && permit.actor().credential != Credential::IdleSession {
        return Err(Invalid::new("password", "Your account has a second factor: only that counts here.").into());
    }
    if !present.is_right(tx, account).await? {
        fail(env, tx, permit, account).await?;
        return Ok(Proved::Wrong);
    }
    // A session that a stolen password wakes is as good as a sign-in with it.
    let meaning = breached::weigh(env, tx, permit, account, present.listed).await?;
    if meaning == Meaning::Disabled {
        return Ok(Proved::Breached { administrator: permit.standing().administrator });
    }
    let token = if factor {
        session::renew(env, tx, account, session.id).await?
    } else {
        session::prove(env, tx, account, &session, With::Password).await?
    };
    let event = Reauthenticated { factor: With::Password.proof().wire().to_owned(), act: None };
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    if let Meaning::Doubted(Some(doubted)) = meaning {
        breached::tell(env, tx, permit, doubted).await?;
    }
    Ok(Proved::Right(Some(token)))
}

/// Records that the present password was wrong.
pub(crate) async fn fail<A: Action>(env: &Env, tx: &mut Tx, permit: &Permit<A>, account: AccountId) -> Result<(), Refused> {
    let entry = Entry::of(ReauthenticationFailed { reason: "the password was wrong".to_owned() }).about(account);
    events::record_failure(env, tx, permit, entry, account.0.as_bytes()).await?;
    Ok(())
}
