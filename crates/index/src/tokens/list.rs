//! What an account sees of its tokens, and deleting one.

use std::collections::HashMap;

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Value};

use crate::clock::Time;
use crate::db::entities::{api_tokens, projects};
use crate::db::{Read, Reading, Tx};
use crate::env::Env;
use crate::events::{self, Entry, TokenRemoved, open_private};
use crate::ids::{AccountId, ProjectId, TokenId};
use crate::policy::{Action, Permit, RevokeToken};
use crate::refused::Refused;

/// A token as its owner sees it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its row.
    pub id: TokenId,
    /// What its maker called it.
    pub description: String,
    /// The one project that it opens, by its display name; `None`: all of the account.
    pub project: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it ends, if it does.
    pub expires_at: Option<Time>,
    /// Whether it opens nothing until its owner confirms it (R18).
    pub paused: bool,
    /// When it last uploaded something.
    pub last_used_at: Option<Time>,
    /// From where.
    pub last_network: Option<String>,
}

/// The account's open tokens, newest first.
///
/// # Errors
/// The database.
pub async fn list<A: Action<On = AccountId>>(env: &Env, read: &Read, permit: &Permit<A>) -> Result<Vec<Line>, Refused> {
    let rows = api_tokens::Entity::find()
        .filter(api_tokens::Column::AccountId.eq(*permit.on()))
        .filter(api_tokens::Column::UntilAt.is_null())
        .order_by_desc(api_tokens::Column::FromAt)
        .order_by_desc(api_tokens::Column::Id)
        .all(read.connection())
        .await?;
    let names = project_names(read, &rows).await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let private = match row.last_used_event {
            Some(event) => open_private(env, read, event).await?,
            None => None,
        };
        lines.push(Line {
            paused: super::paused::is_paused(read, row.id).await?,
            id: row.id,
            description: row.description,
            project: row.project_id.and_then(|id| names.get(&id).cloned()),
            created_at: row.from_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            last_network: private.and_then(|p| p.network),
        });
    }
    Ok(lines)
}

async fn project_names(read: &Read, tokens: &[api_tokens::Model]) -> Result<HashMap<ProjectId, String>, Refused> {
    let ids: Vec<ProjectId> = tokens.iter().filter_map(|token| token.project_id).collect();
    let rows = projects::Entity::find().filter(projects::Column::Id.is_in(ids)).all(read.connection()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// What the account calls one of its tokens; nothing for somebody else's.
///
/// # Errors
/// The database.
pub async fn description(env: &Env, account: AccountId, token: TokenId) -> Result<String, Refused> {
    let read = env.db.read(env.now()).await?;
    let row = api_tokens::Entity::find_by_id(token).filter(api_tokens::Column::AccountId.eq(account)).one(read.connection()).await?;
    Ok(row.map(|row| row.description).unwrap_or_default())
}

const SCOPES: &str = "SELECT p.name AS name FROM roles r JOIN projects p ON p.id = r.project_id \
    WHERE r.account_id = $1 AND r.until_at IS NULL ORDER BY p.normalized";

/// The projects that a token of the account can be limited to, by their display names.
///
/// # Errors
/// The database.
pub async fn scopes<A: Action<On = AccountId>>(read: &Read, permit: &Permit<A>) -> Result<Vec<String>, Refused> {
    let rows = read.rows(SCOPES, vec![Value::from(*permit.on())]).await?;
    Ok(rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>()?)
}

/// Deletes a token: no upload with it commits after this. Deleting it twice changes nothing.
///
/// # Errors
/// The database.
pub async fn revoke(env: &Env, tx: &mut Tx, permit: &Permit<RevokeToken>) -> Result<(), Refused> {
    let open = api_tokens::Entity::find_by_id(*permit.on()).filter(api_tokens::Column::UntilAt.is_null());
    let Some(row) = open.one(tx.connection()).await? else {
        tx.leave_as_it_was();
        return Ok(());
    };
    let (account, event) = (row.account_id, TokenRemoved { token: row.id.to_string(), description: row.description.clone() });
    let mut row = row.into_active_model();
    row.until_at = Set(Some(tx.now()));
    row.ended_by = Set(Some(permit.event()));
    row.update(tx.connection()).await?;
    events::record(env, tx, permit, Entry::of(event).about(account)).await?;
    Ok(())
}
