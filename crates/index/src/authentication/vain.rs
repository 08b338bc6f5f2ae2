//! Credentials that were presented in vain: cookies and links that are unknown, ended, used or expired, and sessions that do not open
//! what was asked for. Each leaves an event, bounded per credential or network (P4, R26).

use uuid::Uuid;

use crate::act::{Housekeeping, housekeeping};
use crate::clock::Time;
use crate::env::Env;
use crate::events::{self, AuthenticationRefused, Entry};
use crate::ids::AccountId;
use crate::policy::{ActionName, Actor, Credential, Denied, Origin};
use crate::refused::Refused;

/// What a credential turned out to be.
pub(super) type Presence<T> = Result<T, Dead>;

/// A credential that opens nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dead {
    credential: Credential,
    what: &'static str,
    id: Option<Uuid>,
    account: Option<AccountId>,
    /// Why.
    reason: &'static str,
}

impl Dead {
    const fn of((credential, what): (Credential, &'static str)) -> Self {
        Self { credential, what, id: None, account: None, reason: "there is no such one" }
    }
    /// Something that names no row.
    pub(super) const fn unknown<T>(what: (Credential, &'static str)) -> Presence<T> {
        Err(Self::of(what))
    }
    /// Something that cannot name one.
    pub(super) const fn shapeless<T>(what: (Credential, &'static str)) -> Presence<T> {
        Err(Self { reason: "it does not have the form of one", ..Self::of(what) })
    }
    /// Something that did open once.
    pub(super) const fn known<T>(
        what: (Credential, &'static str),
        (id, account): (Uuid, Option<AccountId>),
        reason: &'static str,
    ) -> Presence<T> {
        Err(Self { id: Some(id), account, reason, ..Self::of(what) })
    }
}

/// Why a row that is used once and for a while opens nothing any more.
pub(super) fn over(spent_at: Option<Time>, expires_at: Time, now: Time) -> Option<&'static str> {
    match spent_at {
        Some(_) => Some("it was used before"),
        None if expires_at <= now => Some("it has expired"),
        None => None,
    }
}

/// What one request presented in vain.
#[derive(Default)]
pub(super) struct InVain(Vec<Dead>);

impl InVain {
    /// What is alive, or nothing, and then it is remembered.
    pub(super) fn or<T>(&mut self, presence: Presence<T>) -> Option<T> {
        presence.map_err(|dead| self.0.push(dead)).ok()
    }

    /// Records it: about its account, where it names one, and never as that account's doing.
    pub(super) async fn record(self, env: &Env, action: ActionName, origin: &Origin) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (inner, origin) = (env.clone(), origin.clone());
        housekeeping(env, Housekeeping::Refusals, move |tx| {
            Box::pin(async move {
                for dead in self.0 {
                    let key = match dead.id {
                        Some(id) => format!("{}|{id}", dead.credential.wire()),
                        None => format!("{}|{:?}", dead.credential.wire(), origin.network),
                    };
                    let actor = Actor { credential: dead.credential, credential_id: dead.id, ..Actor::nobody(origin.clone()) };
                    let entry = Entry::of(AuthenticationRefused { what: dead.what.to_owned(), reason: dead.reason.to_owned() });
                    let entry = match dead.account {
                        Some(account) => entry.about(account),
                        None => entry,
                    };
                    events::record_stranger(&inner, tx, (&actor, action), entry, key.as_bytes()).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// Records that a good credential does not open this action, and hands the refusal back.
pub(super) async fn refuse(env: &Env, actor: Actor, action: ActionName, denied: Denied) -> Result<Denied, Refused> {
    let (inner, reason) = (env.clone(), denied.to_string());
    housekeeping(env, Housekeeping::Refusals, move |tx| {
        Box::pin(async move { events::record_refusal(&inner, tx, &actor, action, &reason).await })
    })
    .await?;
    Ok(denied)
}
