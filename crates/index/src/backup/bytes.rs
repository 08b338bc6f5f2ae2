//! The bytes of a backup: a hard link where both folders lie on one disk, else a copy; read whole and compared with their digest either way.
//! A link is as good as a copy, because a blob is never written again under its name.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sea_orm::Value;
use sha2::{Digest, Sha256};

use crate::blobs::{Blobs, folders};
use crate::db::Reading;
use crate::env::Env;

/// Bytes that a row names.
struct Named {
    what: String,
    digest: String,
    sha256: String,
    /// Whether the row is open: then they must be there.
    open: bool,
}

const PAGE: &str =
    "SELECT filename, sha256, blake2_256, metadata_sha256, until_at FROM files WHERE filename > $1 ORDER BY filename LIMIT 500";
const OPEN: &str = "SELECT 1 AS one FROM files WHERE filename = $1 AND until_at IS NULL";

/// Copies the bytes of all files; says how many blobs. Rows that came after the snapshot bring bytes along that nobody misses.
pub(super) async fn copy_named(env: &Env, to: &Path) -> anyhow::Result<u64> {
    super::make(to)?;
    let (target, mut after, mut copied) = (Blobs::open(to.to_path_buf()).await?, String::new(), 0);
    loop {
        let read = env.db.read(env.now()).await?;
        let rows = read.rows(PAGE, vec![Value::from(after.as_str())]).await?;
        drop(read);
        if rows.is_empty() {
            return Ok(copied);
        }
        for row in rows {
            let (what, sha256): (String, String) = (row.try_get("", "filename")?, row.try_get("", "sha256")?);
            let open = row.try_get::<Option<i64>>("", "until_at")?.is_none();
            let file = Named { what: what.clone(), digest: row.try_get("", "blake2_256")?, sha256, open };
            let companion: Option<String> = row.try_get("", "metadata_sha256")?;
            let companion = companion.map(|digest| Named { what: format!("{what}.metadata"), sha256: digest.clone(), digest, open });
            for named in std::iter::once(file).chain(companion) {
                copied += u64::from(copy(env, &target, named).await?);
            }
            after = what;
        }
    }
}

async fn copy(env: &Env, target: &Blobs, named: Named) -> anyhow::Result<bool> {
    let (from, to) = (env.blobs.path(&named.digest), target.path(&named.digest));
    if to.exists() {
        return Ok(false);
    }
    let sha256 = named.sha256.clone();
    let done = tokio::task::spawn_blocking(move || bring(&from, &to, &sha256)).await?;
    let Err(e) = done else { return Ok(true) };
    if is_missing(&e) && !(named.open && is_still_open(env, &named.what).await?) {
        return Ok(false);
    }
    Err(e.context(format!("the bytes of {}: run `strongroom check`", named.what)))
}

fn is_missing(e: &anyhow::Error) -> bool {
    e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::NotFound)
}

/// A file may have been erased while the backup ran.
async fn is_still_open(env: &Env, what: &str) -> anyhow::Result<bool> {
    let filename = what.strip_suffix(".metadata").unwrap_or(what);
    let read = env.db.read(env.now()).await?;
    Ok(read.row(OPEN, vec![Value::from(filename)]).await?.is_some())
}

fn bring(from: &Path, to: &Path, sha256: &str) -> anyhow::Result<()> {
    if !from.is_file() {
        return Err(std::io::Error::from(ErrorKind::NotFound).into());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to)?;
        fs::File::open(to)?.sync_all()?;
    }
    let found = digest(to)?;
    if found != sha256 {
        fs::remove_file(to)?;
        bail!("they have the SHA-256 {found} and should have {sha256}");
    }
    Ok(())
}

fn digest(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hash, mut buffer) = (fs::File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

/// Brings all blobs of a backup into an empty folder; each is compared with its row when the rows are there (`strongroom check --deep`),
/// and that none is cut short is seen from its size here.
pub(super) async fn bring_all(from: PathBuf, to: PathBuf) -> anyhow::Result<u64> {
    let done = tokio::task::spawn_blocking(move || -> anyhow::Result<u64> {
        let (mut brought, mut walk) = (0, folders(&from)?);
        while let Some(folder) = walk.pop() {
            for digest in folder.digests()? {
                let (source, target) = (place(&from, &digest), place(&to, &digest));
                fs::create_dir_all(target.parent().unwrap_or(&to))?;
                // The restored index must not share its bytes with the backup: what spoils one would spoil both.
                let copied = fs::copy(&source, &target).with_context(|| format!("the blob {digest}"))?;
                if copied != fs::metadata(&source)?.len() {
                    bail!("the blob {digest} was cut short");
                }
                fs::File::open(&target)?.sync_all()?;
                brought += 1;
            }
        }
        Ok(brought)
    });
    done.await?
}

fn place(root: &Path, digest: &str) -> PathBuf {
    let (a, rest) = digest.split_at(digest.len().min(2));
    let (b, rest) = rest.split_at(rest.len().min(2));
    root.join(a).join(b).join(rest)
}
