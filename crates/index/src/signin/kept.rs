//! Forms on a detour: sent with a session that was not fresh enough, kept beside it without their secrets, shown again after the proof.
//!
//! A kept form is no proof and does nothing by itself: its owner presses it again, and it is judged like any other.

use sea_orm::{ActiveValue::Set, EntityTrait};
use serde::{Deserialize, Serialize};

use crate::act::{Housekeeping, housekeeping};
use crate::db::Reading;
use crate::db::entities::acts;
use crate::env::Env;
use crate::ids::ActId;
use crate::limits::{self, Limit, Whom};
use crate::policy::{ActionName, Actor, Denied};
use crate::refused::Refused;
use crate::signin::acts::LIFETIME;

/// A form that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Where it was sent: the path and query of a row of the routes table.
    pub path: String,
    /// Names and values, in their order.
    pub fields: Vec<(String, String)>,
    /// The names of fields that are typed again, because they held secrets.
    pub secrets: Vec<String>,
    /// Whether the form wants a fresh session, not only one that is awake.
    pub wants_fresh: bool,
    /// Whether the form wants a session in which a key was proved.
    #[serde(default)]
    pub wants_key: bool,
}

/// What every form carries and nobody typed.
const UNTOUCHED: &str = "csrf_token";

/// Whether a field of this name holds something that must not be kept.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "code", "totp", "token", "secret", "credential"].iter().any(|word| name.contains(word))
        // What a token is to open is no secret, and neither is which one.
        && !matches!(name.as_str(), "token_scope" | "token_actions" | "token_id" | "revoke_tokens")
}

impl Kept {
    /// The form without its secrets.
    #[must_use]
    pub fn of(path: &str, fields: Vec<(String, String)>, wants_fresh: bool) -> Self {
        let mut kept = Self { path: path.to_owned(), fields: Vec::new(), secrets: Vec::new(), wants_fresh, wants_key: false };
        for (name, value) in fields {
            if is_secret(&name) {
                kept.secrets.extend((name != UNTOUCHED).then_some(name));
            } else {
                kept.fields.push((name, value));
            }
        }
        kept
    }
}

/// Keeps a form beside the session that sent it. It was refused, so that there is no permit and no event: only the record.
///
/// # Errors
/// `Limited`; `NotValid` when nobody is signed in.
pub async fn keep(env: &Env, actor: &Actor, (action, kept): (ActionName, &Kept)) -> Result<ActId, Refused> {
    let (Some(account), Some(session)) = (actor.account(), actor.session) else { return Err(Denied::NotValid.into()) };
    drop(limits::take(env, Limit::Act, &Whom::account(account, actor.origin.network)).await?);
    let (id, now) = (ActId::new(env.now(), &*env.entropy), env.now());
    let row = acts::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        session_id: Set(session.id),
        action: Set(action.wire().to_owned()),
        // No act has an empty digest: this row proves nothing, whatever is proved.
        digest: Set(Vec::new()),
        description: Set(String::new()),
        parameters: Set(serde_json::to_string(kept)?),
        created_at: Set(now),
        expires_at: Set(now.plus(LIFETIME)),
        proved_at: Set(None),
        proved_with: Set(None),
        spent_at: Set(None),
        factor_id: Set(None),
    };
    housekeeping(env, Housekeeping::Refusals, move |tx| {
        Box::pin(async move {
            acts::Entity::insert(row).exec_without_returning(tx.connection()).await?;
            Ok(id)
        })
    })
    .await
}

/// The form that was kept in this session; `None` when it is not this session's, or too old.
///
/// # Errors
/// The database.
pub async fn of_session<R: Reading>(read: &R, actor: &Actor, id: ActId) -> Result<Option<Kept>, Refused> {
    let row = super::acts::open(read, actor, id).await?;
    Ok(row.filter(|row| row.digest.is_empty()).map(|row| serde_json::from_str(&row.parameters)).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_kept_and_everything_else_is() {
        let sent = [
            ("csrf_token", "t"),
            ("password", "hunter2"),
            ("new_password", "hunter3"),
            ("totp_value", "123456"),
            ("recovery_code_value", "abcd"),
            ("mailbox_code", "042117"),
            ("token", "link"),
            ("end_sessions", "y"),
            ("revoke_tokens", "y"),
            ("token_scope", "scope:user"),
            ("act", "0190"),
        ];
        let fields = sent.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let kept = Kept::of("/manage/account/change-password/", fields, true);
        let names: Vec<&str> = kept.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["end_sessions", "revoke_tokens", "token_scope", "act"]);
        assert_eq!(kept.secrets, ["password", "new_password", "totp_value", "recovery_code_value", "mailbox_code", "token"]);
        assert!(!serde_json::to_string(&kept).unwrap().contains("hunter"));
    }
}
