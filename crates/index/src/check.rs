//! The database against the blobs: every row has its bytes, and which bytes have no row. Changes nothing; the command `check` calls it.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use sea_orm::Value;
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

use crate::accounts::deleted;
use crate::blobs::{Blobs, folders};
use crate::db::Reading;
use crate::env::Env;
use crate::epochs;
use crate::refused::Refused;

/// What is wrong with the bytes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// They are not there.
    Missing,
    /// They are not as many as the row says.
    Size,
    /// They are others than the row says.
    Digest,
}

impl Wrong {
    /// The word that the command prints.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Size => "wrong size",
            Self::Digest => "wrong digest",
        }
    }
}

/// Something that the check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A row without its bytes.
    Row {
        /// The file name, with `.metadata` for the companion.
        file: String,
        /// The digest that names the blob.
        digest: String,
        /// What is wrong.
        wrong: Wrong,
    },
    /// A blob without a row: left by an upload that ended too early, and swept after a day.
    Orphan {
        /// The digest that names it.
        digest: String,
    },
    /// Personal data of an account that was erased (R27).
    Personal {
        /// The id of the account.
        account: String,
        /// The table.
        table: &'static str,
    },
    /// Something whose time to be erased was over more than two days ago.
    Overdue {
        /// The id of an account, or of the deletion of a project, release or file.
        id: String,
    },
    /// A deleted account that could not be brought back any more, though its time is not over (P7).
    Incomplete {
        /// The id of the account.
        account: String,
    },
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files that a row names.
    pub files: u64,
    /// Metadata companions that a row names.
    pub companions: u64,
    /// Rows without their bytes.
    pub wrong: u64,
    /// Blobs without a row.
    pub orphans: u64,
    /// Personal data that is left, things that should be erased, deleted accounts that are not whole.
    pub kept: u64,
}

const PAGE: &str = "SELECT id, filename, size_bytes, sha256, blake2_256, metadata_sha256, metadata_size_bytes FROM files \
    WHERE until_at IS NULL AND filename > $1 ORDER BY filename LIMIT 500";

/// Compares; `deep` reads every byte, otherwise sizes are compared. Findings are told as they come.
///
/// # Errors
/// The database, or a folder that cannot be read.
pub async fn check(env: &Env, deep: bool, mut tell: impl FnMut(Finding)) -> Result<Checked, Refused> {
    let mut checked = Checked::default();
    let mut after = String::new();
    loop {
        let read = env.db.read(env.now()).await?;
        let rows = read.rows(PAGE, vec![Value::from(after.as_str())]).await?;
        drop(read);
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let row = Row::read(&row)?;
            checked.files += 1;
            checked.companions += u64::from(row.companion.is_some());
            for finding in row.check(&env.blobs, deep).await? {
                checked.wrong += 1;
                tell(finding);
            }
            after = row.file.name;
        }
    }
    checked.orphans = orphans(env, &mut tell).await?;
    checked.kept = retention(env, &mut tell).await?;
    Ok(checked)
}

/// A blob as a row describes it.
struct Expected {
    name: String,
    digest: String,
    size: u64,
    sha256: String,
}

struct Row {
    file: Expected,
    companion: Option<Expected>,
}

impl Row {
    fn read(row: &sea_orm::QueryResult) -> Result<Self, Refused> {
        let name: String = row.try_get("", "filename")?;
        let size = |column: &str| row.try_get::<Option<i64>>("", column).map(|n| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0));
        let metadata: Option<String> = row.try_get("", "metadata_sha256")?;
        let metadata_size = size("metadata_size_bytes")?;
        let companion =
            metadata.map(|digest| Expected { name: format!("{name}.metadata"), sha256: digest.clone(), digest, size: metadata_size });
        let (digest, sha256) = (row.try_get("", "blake2_256")?, row.try_get("", "sha256")?);
        Ok(Self { file: Expected { digest, size: size("size_bytes")?, sha256, name }, companion })
    }

    async fn check(&self, blobs: &Blobs, deep: bool) -> Result<Vec<Finding>, Refused> {
        let mut findings = Vec::new();
        for expected in std::iter::once(&self.file).chain(&self.companion) {
            if let Some(wrong) = expected.check(blobs, deep).await? {
                findings.push(Finding::Row { file: expected.name.clone(), digest: expected.digest.clone(), wrong });
            }
        }
        Ok(findings)
    }
}

impl Expected {
    async fn check(&self, blobs: &Blobs, deep: bool) -> Result<Option<Wrong>, Refused> {
        let path = blobs.path(&self.digest);
        let found = match tokio::fs::metadata(&path).await {
            Ok(found) if found.is_file() => found,
            Ok(_) => return Ok(Some(Wrong::Missing)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Some(Wrong::Missing)),
            Err(e) => return Err(anyhow::Error::new(e).context(format!("the bytes of {}", self.name)).into()),
        };
        if found.len() != self.size {
            return Ok(Some(Wrong::Size));
        }
        if deep && sha256(&path).await.map_err(|e| anyhow::Error::new(e).context(format!("the bytes of {}", self.name)))? != self.sha256 {
            return Ok(Some(Wrong::Digest));
        }
        Ok(None)
    }
}

async fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

async fn orphans(env: &Env, tell: &mut impl FnMut(Finding)) -> Result<u64, Refused> {
    let unread = |e: std::io::Error| anyhow::Error::new(e).context("the folder of files");
    let mut found = 0;
    let mut walk = folders(env.blobs.root()).map_err(unread)?;
    while let Some(folder) = walk.pop() {
        for some in folder.digests().map_err(unread)?.chunks(200) {
            let read = env.db.read(env.now()).await?;
            let known = named(&read, some).await?;
            drop(read);
            for digest in some.iter().filter(|digest| !known.contains(*digest)) {
                found += 1;
                tell(Finding::Orphan { digest: digest.clone() });
            }
        }
    }
    Ok(found)
}

/// How long after its time something may still be there: the job runs four times an hour.
const GRACE: Duration = Duration::from_secs(2 * 86_400);

const LEFT: [(&str, &str); 12] = [
    (
        "addresses",
        "SELECT DISTINCT x.account_id AS id FROM addresses x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL",
    ),
    ("factors", "SELECT DISTINCT x.account_id AS id FROM factors x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL"),
    (
        "recovery_sets",
        "SELECT DISTINCT x.account_id AS id FROM recovery_sets x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL",
    ),
    ("devices", "SELECT DISTINCT x.account_id AS id FROM devices x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL"),
    ("sessions", "SELECT DISTINCT x.account_id AS id FROM sessions x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL"),
    ("links", "SELECT DISTINCT x.account_id AS id FROM links x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL"),
    (
        "api_tokens",
        "SELECT DISTINCT x.account_id AS id FROM api_tokens x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL",
    ),
    (
        "containments",
        "SELECT DISTINCT x.account_id AS id FROM containments x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL",
    ),
    (
        "quiet_addresses",
        "SELECT DISTINCT x.account_id AS id FROM quiet_addresses x JOIN accounts a ON a.id = x.account_id WHERE a.erased_at IS NOT NULL",
    ),
    (
        "event_private",
        "SELECT DISTINCT x.subject AS id FROM event_private x JOIN accounts a ON a.id = x.subject WHERE a.erased_at IS NOT NULL",
    ),
    ("subject_keys", "SELECT x.subject AS id FROM subject_keys x JOIN accounts a ON a.id = x.subject WHERE a.erased_at IS NOT NULL"),
    (
        "accounts",
        "SELECT id FROM accounts WHERE erased_at IS NOT NULL AND (display_name <> '' OR password_hash IS NOT NULL OR last_login_at IS NOT NULL)",
    ),
];
/// What is in quarantine is not erased, and so not late.
const OVERDUE: &str = "SELECT a.id AS id FROM account_causes c JOIN accounts a ON a.id = c.account_id \
    WHERE c.kind = 'deleted' AND c.until_at IS NULL AND c.from_at < $1 AND a.erased_at IS NULL \
    UNION SELECT k.id AS id FROM project_locks k WHERE k.kind = 'deleted' AND k.until_at IS NULL AND k.erased_at IS NULL \
    AND k.from_at < $1 AND NOT EXISTS (SELECT 1 FROM project_locks q WHERE q.project_id = k.project_id AND q.kind = 'quarantined' \
    AND (q.until_at IS NULL OR q.until_at > $2))";
/// A tilde begins the name of an account that was put away because it never proved an address.
const INCOMPLETE: &str = "SELECT a.id AS id FROM account_causes c JOIN accounts a ON a.id = c.account_id \
    WHERE c.kind = 'deleted' AND c.until_at IS NULL AND a.erased_at IS NULL AND a.username NOT LIKE '~%' \
    AND NOT EXISTS (SELECT 1 FROM addresses x WHERE x.account_id = a.id AND x.verified_at IS NOT NULL)";

/// Both halves of what retention promises: what is kept is whole, and nothing personal is left of what is not.
async fn retention(env: &Env, tell: &mut impl FnMut(Finding)) -> Result<u64, Refused> {
    let read = env.db.read(env.now()).await?;
    let id = |row: &sea_orm::QueryResult| Ok::<_, Refused>(row.try_get::<uuid::Uuid>("", "id")?.to_string());
    let mut found = 0;
    let mut say = |finding: Finding| {
        found += 1;
        tell(finding);
    };
    for (table, sql) in LEFT {
        for row in read.rows(sql, vec![]).await? {
            say(Finding::Personal { account: id(&row)?, table });
        }
    }
    for row in read.rows(INCOMPLETE, vec![]).await? {
        say(Finding::Incomplete { account: id(&row)? });
    }
    // Under a shifted clock (R32), and in a restored index that is closed (R18), nothing is erased, so that nothing is late.
    if !env.clock.is_shifted() && !epochs::is_read_only(&read).await? {
        let recently = env.now().minus(GRACE);
        let before = recently.minus(deleted::retention(env));
        for row in read.rows(OVERDUE, vec![Value::from(before), Value::from(recently)]).await? {
            say(Finding::Overdue { id: id(&row)? });
        }
    }
    Ok(found)
}

/// Which of these digests a row names, as a file or as a metadata companion; rows that were erased do not count.
///
/// # Errors
/// The database.
pub async fn named<R: Reading>(read: &R, digests: &[String]) -> Result<HashSet<String>, Refused> {
    use crate::db::entities::files::{Column, Entity};
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
    let mut known = HashSet::new();
    for column in [Column::Blake2256, Column::MetadataSha256] {
        let rows: Vec<Option<String>> = Entity::find()
            .select_only()
            .column(column)
            .filter(column.is_in(digests.iter().map(String::as_str)))
            .filter(Column::UntilAt.is_null())
            .into_tuple()
            .all(read.connection())
            .await?;
        known.extend(rows.into_iter().flatten());
    }
    Ok(known)
}
