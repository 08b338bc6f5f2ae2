//! Who may take a name that nobody holds yet: not Python's own, not a prohibited one, none that looks like another.

use formats::name::{ProjectName, is_stdlib_module, look_alike};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Value};

use crate::db::entities::{prohibited_names, projects};
use crate::db::{Engine, Reading, Tx};
use crate::refused::{Invalid, Refused};

const HELP: &str = "See /help/#project-name for more information.";

/// Refuses a new project's name that must not be taken.
///
/// # Errors
/// `Invalid` in the words that clients know; the database.
pub(super) async fn check_new<R: Reading>(read: &R, name: &ProjectName) -> Result<(), Refused> {
    let (shown, normalized) = (name.as_str(), name.normalized());
    if is_stdlib_module(&normalized) {
        return refuse(format!("The name '{shown}' isn't allowed (conflict with Python Standard Library module name). {HELP}"));
    }
    if prohibited_names::Entity::find_by_id(normalized.as_str()).one(read.connection()).await?.is_some() {
        return refuse(format!("The name '{shown}' isn't allowed. {HELP}"));
    }
    let twin = projects::Entity::find().filter(projects::Column::LookAlike.eq(look_alike(shown))).one(read.connection()).await?;
    if twin.is_some() {
        return refuse(format!("The name '{shown}' is too similar to an existing project. {HELP}"));
    }
    Ok(())
}

fn refuse(message: String) -> Result<(), Refused> {
    Err(Invalid::new("name", message).into())
}

/// Makes all who would change or create projects of names that look alike wait for each other, whether a row is there or not.
pub(super) async fn lock(tx: &Tx, name: &ProjectName) -> Result<(), Refused> {
    if tx.engine() == Engine::Postgres {
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))::text AS one";
        tx.row(sql, vec![Value::from(format!("project|{}", look_alike(name.as_str())))]).await?;
    }
    let sql = format!("SELECT 1 AS one FROM projects WHERE normalized = $1{}", tx.lock(true));
    tx.row(&sql, vec![Value::from(name.normalized().as_str())]).await?;
    Ok(())
}
