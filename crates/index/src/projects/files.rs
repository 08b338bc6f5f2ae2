//! Files as they are downloaded: an address holds digest and name, and both must be those of a file that is shown.

use sea_orm::{QueryResult, Value};

use crate::clock::Time;
use crate::db::Reading;
use crate::refused::Refused;

const FILE: &str = "SELECT f.blake2_256, f.sha256, f.uploaded_at, f.metadata_sha256 \
                    FROM shown_files f JOIN releases r ON r.id = f.release_id \
                    WHERE f.blake2_256 = $1 AND f.filename = $2 AND r.until_at IS NULL";

/// What a download serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// The digest that names the blob.
    pub blob: String,
    /// Lower-case hex, of the served bytes.
    pub sha256: String,
    /// When the file was uploaded.
    pub uploaded_at: Time,
}

/// The path of a file, from a slash: digest in three parts, then the name.
#[must_use]
pub fn path(blake2_256: &str, filename: &str) -> String {
    let (a, rest) = blake2_256.split_at_checked(2).unwrap_or((blake2_256, ""));
    let (b, rest) = rest.split_at_checked(2).unwrap_or((rest, ""));
    let mut out = format!("/files/{a}/{b}/{rest}/");
    for byte in filename.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' | b'!' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// The file with this BLAKE2b-256 digest and this name; with `.metadata` after the name, its metadata alone.
///
/// # Errors
/// The database.
pub async fn find<R: Reading>(read: &R, blake2_256: &str, filename: &str) -> Result<Option<Download>, Refused> {
    if let Some(row) = open_row(read, blake2_256, filename).await? {
        return Ok(Some(Download {
            blob: row.try_get("", "blake2_256")?,
            sha256: row.try_get("", "sha256")?,
            uploaded_at: row.try_get("", "uploaded_at")?,
        }));
    }
    let Some(of) = filename.strip_suffix(".metadata") else { return Ok(None) };
    let Some(row) = open_row(read, blake2_256, of).await? else { return Ok(None) };
    let sha256: Option<String> = row.try_get("", "metadata_sha256")?;
    let uploaded_at = row.try_get("", "uploaded_at")?;
    Ok(sha256.map(|sha256| Download { blob: sha256.clone(), sha256, uploaded_at }))
}

async fn open_row<R: Reading>(read: &R, blake2_256: &str, filename: &str) -> Result<Option<QueryResult>, Refused> {
    // No file has such a name, and PostgreSQL takes no NUL.
    if blake2_256.contains('\0') || filename.contains('\0') {
        return Ok(None);
    }
    Ok(read.row(FILE, vec![Value::from(blake2_256), Value::from(filename)]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_digest_and_name_and_cannot_be_left() {
        let digest = "ab".repeat(32);
        let rest = "ab".repeat(30);
        assert_eq!(path(&digest, "a-1.0+x.whl"), format!("/files/ab/ab/{rest}/a-1.0+x.whl"));
        assert_eq!(path(&digest, "../é?#"), format!("/files/ab/ab/{rest}/..%2F%C3%A9%3F%23"));
    }
}
