//! Changing the password, with the present one, in a fresh session. What ends with it stands in `ends`.

use credentials::link::LinkToken;
use credentials::secret::Secret;

use crate::accounts::{self, addresses};
use crate::act;
use crate::db::Tx;
use crate::env::Env;
use crate::events::{self, Entry, PasswordChanged};
use crate::ids::AccountId;
use crate::limits;
use crate::policy::{Actor, ChangePassword, Denied, Permit};
use crate::refused::{Invalid, Refused};
use crate::signin::password::{self, Chosen};
use crate::signin::resume::{self, Present};
use crate::signin::{devices, session};

/// What was typed into the form.
#[derive(Clone)]
pub struct Form {
    /// The present password.
    pub password: Secret,
    /// The new one.
    pub new_password: Secret,
    /// The same once more.
    pub password_confirm: Secret,
    /// Whether all other sessions end, and the trust in all other browsers.
    pub end_sessions: bool,
    /// Whether all API tokens end.
    pub revoke_tokens: bool,
}

/// What a change did.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The new token of the session that asked.
    pub session: LinkToken,
    /// How many other sessions ended.
    pub sessions_ended: u64,
    /// How many API tokens ended.
    pub tokens_ended: u64,
}

/// Changes the password.
///
/// # Errors
/// `Limited`; `Invalid` with the field that is wrong.
pub async fn change(env: &Env, actor: &Actor, account: AccountId, form: Form) -> Result<Changed, Refused> {
    let Form { password, new_password, password_confirm, end_sessions, revoke_tokens } = form;
    let (present, taken) = resume::weigh::<ChangePassword>(env, actor, account, password.clone()).await?;
    let right = present.is_right_so_far();
    if right {
        limits::give_back(env, taken).await?;
        if password.expose() == new_password.expose() {
            return Err(Invalid::new("new_password", "This is the password that you have: choose another one.").into());
        }
    }
    // What is wrong with a new password is said to whoever knows the present one only.
    let hash = if right { Some(hash(env, actor, account, (new_password, password_confirm)).await?) } else { None };
    let inner = env.clone();
    let changed = act::act::<ChangePassword, _, _>(env, actor, account, move |tx, permit| {
        let (env, new) = (inner.clone(), New { present: present.clone(), hash: hash.clone(), end_sessions, revoke_tokens });
        Box::pin(async move { set(&env, tx, permit, &new).await })
    })
    .await?;
    changed.ok_or_else(|| Invalid::new("password", "This is not your present password.").into())
}

async fn hash(env: &Env, actor: &Actor, account: AccountId, (password, confirm): (Secret, Secret)) -> Result<String, Refused> {
    let read = act::view::<ChangePassword, _, _>(env, actor, account, move |read, _| {
        Box::pin(async move { Ok((accounts::by_id(read, account).await?, addresses::of_account(read, account).await?)) })
    });
    let (row, addresses) = read.await?;
    let row = row.ok_or(Denied::NotValid)?;
    let mut context = vec![row.username, row.display_name];
    context.extend(addresses.into_iter().map(|row| row.address));
    password::hash_chosen(env, Chosen { password, confirm, context }).await
}

struct New {
    present: Present,
    hash: Option<String>,
    end_sessions: bool,
    revoke_tokens: bool,
}

async fn set(env: &Env, tx: &mut Tx, permit: &Permit<ChangePassword>, new: &New) -> Result<Option<Changed>, Refused> {
    let (account, by) = (*permit.on(), permit.event());
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let Some(hash) = new.hash.as_deref() else {
        resume::fail(env, tx, permit, account).await?;
        return Ok(None);
    };
    if !new.present.is_right(tx, account).await? {
        resume::fail(env, tx, permit, account).await?;
        return Ok(None);
    }
    password::store(tx, account, hash).await?;
    let token = session::renew(env, tx, account, session.id).await?;
    session::end_attempts(tx, account).await?;
    let mut sessions_ended = 0;
    if new.end_sessions {
        sessions_ended = session::end_others(tx, account, Some(session.id), by).await?;
        let here = devices::known(tx, account, &permit.actor().origin).await?;
        devices::end_others(tx, account, here, by).await?;
    }
    let mut tokens_ended = 0;
    if new.revoke_tokens {
        tokens_ended = password::end_tokens(tx, account, by).await?;
    }
    events::record(env, tx, permit, Entry::of(PasswordChanged { sessions_ended, tokens_ended }).about(account)).await?;
    Ok(Some(Changed { session: token, sessions_ended, tokens_ended }))
}
