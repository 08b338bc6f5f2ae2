//! Epochs: a restored backup begins one. Until it is opened the index only reads and tightens (R18, R19); people sign in to do both.

use crate::db::Reading;
use crate::refused::Refused;

const CLOSED: &str = "SELECT 1 AS one FROM epochs WHERE opened_at IS NULL LIMIT 1";

/// Whether the index was restored from a backup and is not open yet.
///
/// # Errors
/// The database.
pub async fn is_read_only<R: Reading>(read: &R) -> Result<bool, Refused> {
    Ok(read.row(CLOSED, Vec::new()).await?.is_some())
}
