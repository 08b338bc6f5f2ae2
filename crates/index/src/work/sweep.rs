//! Removing bytes that no row names: staged uploads that nobody finished, and blobs whose transaction never came.
//!
//! A blob is moved aside before it is judged for good, so that an upload of the same bytes at the same moment loses nothing:
//! it either finds no file and writes its own, or its fresh file is found aside and put back.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;

use super::Failed;
use crate::blobs::{Folder, folders};
use crate::check::named;
use crate::clock::Time;
use crate::env::Env;
use crate::refused::Refused;

/// How old bytes without a row must be: no upload lasts so long.
const ORPHAN_AFTER: Duration = Duration::from_secs(86_400);
/// What a blob is called in `staging` while it is judged, before its digest.
const ASIDE: &str = "orphan-";

/// Removes them. Under a shifted clock nothing is (R32); files carry the true time.
pub(super) async fn blobs(env: &Env) -> Result<(), Failed> {
    if env.clock.is_shifted() {
        return Ok(());
    }
    let root = env.blobs.root().to_path_buf();
    let staging = root.join("staging");
    let now = env.now();
    // What a sweep that was cut off had moved aside.
    for digest in blocking(move || aside(&staging)).await? {
        judge(env, &digest, now).await?;
    }
    let staging = root.join("staging");
    let staged = blocking(move || remove_staged(&staging, now)).await?;
    let mut removed = 0;
    let mut walk = blocking(move || folders(&root)).await?;
    while let Some(folder) = walk.pop() {
        removed += sweep_folder(env, folder, now).await?;
    }
    tracing::info!(staged, blobs = removed, "bytes without a row were removed");
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Failed> {
    let done = tokio::task::spawn_blocking(work).await.context("walking the folder of files").map_err(Failed::Retry)?;
    done.context("the folder of files").map_err(Failed::Retry)
}

/// Whether a file is old enough; one that is gone, or from the future, is not.
fn is_old(path: &Path, now: Time) -> bool {
    let Ok(changed) = fs::metadata(path).and_then(|m| m.modified()) else { return false };
    let micros = changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    now.since(Time(i64::try_from(micros).unwrap_or(i64::MAX))) > ORPHAN_AFTER
}

fn remove_staged(staging: &Path, now: Time) -> io::Result<u64> {
    let mut removed = 0;
    for entry in fs::read_dir(staging)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(ASIDE) && is_old(&entry.path(), now) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn aside(staging: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(staging)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: io::Result<Vec<String>> = names.collect();
    Ok(names?.iter().filter_map(|name| name.strip_prefix(ASIDE)).map(str::to_owned).collect())
}

async fn sweep_folder(env: &Env, folder: Folder, now: Time) -> Result<u64, Failed> {
    let digests = blocking(move || folder.digests()).await?;
    let blobs = env.blobs.clone();
    let old = blocking(move || Ok(digests.into_iter().filter(|digest| is_old(&blobs.path(digest), now)).collect::<Vec<_>>())).await?;
    let mut removed = 0;
    for some in old.chunks(200) {
        let known: HashSet<String> = named_now(env, some).await?;
        for digest in some.iter().filter(|digest| !known.contains(*digest)) {
            move_aside(env, digest)?;
            removed += u64::from(judge(env, digest, now).await?);
        }
    }
    Ok(removed)
}

async fn named_now(env: &Env, digests: &[String]) -> Result<HashSet<String>, Failed> {
    let read = env.db.read(env.now()).await.map_err(Refused::from)?;
    Ok(named(&read, digests).await?)
}

fn aside_path(env: &Env, digest: &str) -> PathBuf {
    env.blobs.root().join("staging").join(format!("{ASIDE}{digest}"))
}

fn move_aside(env: &Env, digest: &str) -> Result<(), Failed> {
    match fs::rename(env.blobs.path(digest), aside_path(env, digest)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Failed::Retry(anyhow::Error::new(e).context("the folder of files"))),
        _ => Ok(()),
    }
}

/// Removes what lies aside, or puts it back when it is fresh or has got a row; true when it was removed.
async fn judge(env: &Env, digest: &str, now: Time) -> Result<bool, Failed> {
    let (aside, home) = (aside_path(env, digest), env.blobs.path(digest));
    let wanted = !named_now(env, &[digest.to_owned()]).await?.is_empty() || !is_old(&aside, now);
    let done = if wanted && !home.exists() { fs::rename(&aside, &home) } else { fs::remove_file(&aside) };
    match done {
        Ok(()) => Ok(!wanted),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Failed::Retry(anyhow::Error::new(e).context("the folder of files"))),
    }
}
