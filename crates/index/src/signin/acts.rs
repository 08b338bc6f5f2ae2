//! A proof made for one act (R2): bound to account, session, action, subject and parameters; good once, for ten minutes.
//!
//! The form's handler tries its act; `spend` refuses with `NeedsProof`; `ask` writes the row down; the person proves a factor for it
//! at `/account/reauthenticate/?act=ID`; the form is shown again with the field `act`, and its next press does it.

use std::fmt::Display;
use std::time::Duration;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, Value};
use sha2::{Digest, Sha256};

use crate::act;
use crate::db::entities::acts;
use crate::db::{Reading, Tx};
use crate::env::Env;
use crate::events::{self, ActAsked, Entry};
use crate::holds::Proven;
use crate::ids::{AccountId, ActId};
use crate::limits::{self, Limit, Whom};
use crate::policy::{Action, ActionName, Actor, Denied, Permit, Proof, Reauthenticate, SessionProof, standing};
use crate::refused::Refused;
use crate::signin::session::With;

/// How long an act waits for its proof, and the proof for its act.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// An act that waits for its proof.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which action.
    pub action: ActionName,
    /// What it is done to, as text.
    pub subject: String,
    /// The form, without secrets.
    pub parameters: serde_json::Value,
    /// What the page that asks for the proof says.
    pub description: String,
}

/// Writes an act down, to be proved in this session.
///
/// # Errors
/// `Denied` when nobody is signed in.
pub async fn ask(env: &Env, actor: &Actor, account: AccountId, asked: Asked) -> Result<ActId, Refused> {
    drop(limits::take(env, Limit::Act, &Whom::account(account, actor.origin.network)).await?);
    let inner = env.clone();
    act::act::<Reauthenticate, _, _>(env, actor, account, move |tx, permit| {
        let (env, asked) = (inner.clone(), asked.clone());
        Box::pin(async move { write(&env, tx, permit, &asked).await })
    })
    .await
}

async fn write(env: &Env, tx: &mut Tx, permit: &Permit<Reauthenticate>, asked: &Asked) -> Result<ActId, Refused> {
    let (account, id) = (*permit.on(), ActId::new(tx.now(), &*env.entropy));
    let session = permit.actor().session.ok_or(Denied::NotValid)?;
    let row = acts::ActiveModel {
        id: Set(id),
        account_id: Set(account),
        session_id: Set(session.id),
        action: Set(asked.action.wire().to_owned()),
        digest: Set(digest(asked.action, &asked.subject, &asked.parameters)),
        description: Set(asked.description.clone()),
        parameters: Set(asked.parameters.to_string()),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now().plus(LIFETIME)),
        proved_at: Set(None),
        proved_with: Set(None),
        spent_at: Set(None),
        factor_id: Set(None),
    };
    acts::Entity::insert(row).exec_without_returning(tx.connection()).await?;
    events::record(env, tx, permit, Entry::of(ActAsked { action: asked.action.wire().to_owned() }).about(account)).await?;
    Ok(id)
}

const PROVE: &str = "UPDATE acts SET proved_at = $3, proved_with = $4, factor_id = $5 \
    WHERE id = $1 AND session_id = $2 AND proved_at IS NULL AND spent_at IS NULL AND expires_at > $3";

/// Notes that a factor was proved for an act of this session; false when the act is over, proved already, or another session's.
pub(crate) async fn prove(tx: &Tx, act: ActId, session: &SessionProof, with: With) -> Result<bool, Refused> {
    let factor = with.factor().map(|id| id.0);
    let values =
        vec![Value::from(act), Value::from(session.id), Value::from(tx.now()), Value::from(with.proof().wire()), Value::from(factor)];
    Ok(tx.execute(PROVE, values).await? == 1)
}

/// R2: a proof counts by the strongest kind of factor that the account holds: where there is a key, only a key's. It dies with the
/// factor that made it.
const SPEND: &str = "UPDATE acts SET spent_at = $6 WHERE id = $1 AND account_id = $2 AND session_id = $3 AND action = $4 AND digest = $5 \
    AND proved_at IS NOT NULL AND spent_at IS NULL AND expires_at > $6 \
    AND (factor_id IS NULL OR EXISTS (SELECT 1 FROM factors f WHERE f.id = acts.factor_id AND f.until_at IS NULL)) \
    AND (proved_with = 'webauthn' OR action = 'account:remove-factor' OR NOT EXISTS ( \
    SELECT 1 FROM factors f WHERE f.account_id = $2 AND f.until_at IS NULL AND f.kind = 'webauthn')) RETURNING proved_with, factor_id";

/// Whether an act takes any factor of the account: which one removes which, and when, is a matter of their ages (R12).
///
/// # Errors
/// The database.
pub async fn takes_any_factor<R: Reading>(read: &R, actor: &Actor, act: ActId) -> Result<bool, Refused> {
    Ok(open(read, actor, act).await?.is_some_and(|row| row.action == ActionName::RemoveFactor.wire()))
}

/// Spends the proof that was made for exactly this act; says what was proved.
///
/// # Errors
/// `NeedsProof` unless there is one: for this account, session, action, subject and parameters, proved by the strongest kind of factor
/// that the account holds, unspent and not expired.
pub async fn spend<A>(
    _env: &Env,
    tx: &mut Tx,
    permit: &Permit<A>,
    act: Option<ActId>,
    parameters: &serde_json::Value,
) -> Result<Proven, Refused>
where
    A: Action,
    A::On: Display,
{
    let actor = permit.actor();
    let (Some(act), Some(account), Some(session)) = (act, actor.account(), actor.session) else { return Err(Denied::NeedsProof.into()) };
    let digest = digest(A::NAME, &permit.on().to_string(), parameters);
    let values = vec![
        Value::from(act),
        Value::from(account),
        Value::from(session.id),
        Value::from(A::NAME.wire()),
        Value::from(digest),
        Value::from(tx.now()),
    ];
    let row = tx.row(SPEND, values).await?.ok_or(Denied::NeedsProof)?;
    let with: Option<String> = row.try_get("", "proved_with")?;
    let with = with.as_deref().and_then(Proof::from_wire).ok_or(Denied::NeedsProof)?;
    Ok(Proven { with, factor: row.try_get("", "factor_id")? })
}

/// What the page that asks for the proof says; `None` when the act is not this session's, or is over.
///
/// # Errors
/// The database.
pub async fn description<R: Reading>(read: &R, actor: &Actor, act: ActId) -> Result<Option<String>, Refused> {
    Ok(open(read, actor, act).await?.filter(|row| !row.digest.is_empty()).map(|row| row.description))
}

/// Whether an act of this session is proved and waits to be done. Advisory: `spend` decides.
///
/// # Errors
/// The database.
pub(crate) async fn is_proved<R: Reading>(read: &R, actor: &Actor, act: Option<ActId>) -> Result<bool, Refused> {
    let (Some(act), Some(account)) = (act, actor.account()) else { return Ok(false) };
    let Some(with) = open(read, actor, act).await?.filter(|row| row.proved_at.is_some()).and_then(|row| row.proved_with) else {
        return Ok(false);
    };
    Ok(Proof::from_wire(&with) == Some(Proof::Key) || !standing(read, account, None).await?.key)
}

/// The form of an act of this session, for a page that belongs to no account.
///
/// # Errors
/// `Denied` when nobody is signed in; the database.
pub async fn asked(env: &Env, actor: &Actor, act: ActId) -> Result<Option<serde_json::Value>, Refused> {
    let (account, inner) = (actor.account().ok_or(Denied::NotValid)?, actor.clone());
    act::view::<Reauthenticate, _, _>(env, actor, account, move |read, _| Box::pin(async move { parameters(read, &inner, act).await }))
        .await
}

/// The form of an act, to be shown again after the detour; `None` when the act is not this session's, or is over.
///
/// # Errors
/// The database.
pub async fn parameters<R: Reading>(read: &R, actor: &Actor, act: ActId) -> Result<Option<serde_json::Value>, Refused> {
    let row = open(read, actor, act).await?;
    Ok(row.map(|row| serde_json::from_str(&row.parameters)).transpose()?)
}

pub(super) async fn open<R: Reading>(read: &R, actor: &Actor, act: ActId) -> Result<Option<acts::Model>, Refused> {
    let (Some(account), Some(session)) = (actor.account(), actor.session) else { return Ok(None) };
    Ok(acts::Entity::find_by_id(act)
        .filter(acts::Column::AccountId.eq(account))
        .filter(acts::Column::SessionId.eq(session.id))
        .filter(acts::Column::SpentAt.is_null())
        .filter(acts::Column::ExpiresAt.gt(read.now()))
        .one(read.connection())
        .await?)
}

/// SHA-256 over action, subject and parameters, each with its length, so that no two acts read the same.
fn digest(action: ActionName, subject: &str, parameters: &serde_json::Value) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [action.wire(), subject, &canonical(parameters)] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

/// JSON with the keys of every object in order.
fn canonical(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| key.as_str());
            let fields: Vec<String> =
                fields.into_iter().map(|(key, value)| format!("{}:{}", serde_json::Value::from(key.as_str()), canonical(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        serde_json::Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_fields_does_not_matter_and_everything_else_does() {
        let one = digest(ActionName::MintToken, "a", &json!({"x": 1, "y": ["p", "q"]}));
        assert_eq!(one, digest(ActionName::MintToken, "a", &json!({"y": ["p", "q"], "x": 1})));
        for other in [
            digest(ActionName::MakeRecoveryCodes, "a", &json!({"x": 1, "y": ["p", "q"]})),
            digest(ActionName::MintToken, "b", &json!({"x": 1, "y": ["p", "q"]})),
            digest(ActionName::MintToken, "a", &json!({"x": 2, "y": ["p", "q"]})),
            digest(ActionName::MintToken, "a", &json!({"x": 1, "y": ["q", "p"]})),
            digest(ActionName::MintToken, "a", &json!({"x": "1", "y": ["p", "q"]})),
        ] {
            assert_ne!(one, other);
        }
    }
}
