//! A backup while the index serves, and the way back from one (R18, R29).
//!
//! A backup is a folder: the rows of every table as they stood at one moment, one JSON array a line; the bytes that these rows name; and a
//! manifest, written last, without which it is no backup. Key file and mail are not in it. It is made of nothing that only one engine has,
//! and needs no program besides this one ([0010](../../../docs/adr/0010-restore-copies-rows.md)).

mod bytes; //    blobs, linked or copied, their digests checked
mod epoch; //    what ends when a backup was restored, and opening the index again
mod restore; //  into an empty place
mod tables; //   the rows of all tables, out and in

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Context, bail};
use credentials::keys::InstanceKeys;
use sea_orm_migration::{MigrationName, MigratorTrait};
use serde::{Deserialize, Serialize};

pub use epoch::{Begun, begin, check_finished, open};
pub use restore::{Loaded, load};

use crate::clock::Time;
use crate::db::Migrator;
use crate::env::Env;

/// The name of the manifest in a backup's folder.
const MANIFEST: &str = "manifest.json";
/// The shape of the folder; another one is not read.
const FORMAT: u32 = 1;

/// What a backup is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The version of the program that made it.
    version: String,
    /// The moment that it shows, in microseconds since 1970, UTC.
    made_at: Time,
    /// The migrations of its schema, in order.
    migrations: Vec<String>,
    /// Tells the key file that belongs to it, and nothing about it.
    keys: String,
    /// Its tables.
    tables: Vec<Table>,
    /// How many blobs it holds.
    blobs: u64,
    /// A keyed hash of all the rest: without the key file nobody makes a manifest that fits what he changed.
    #[serde(default)]
    seal: String,
}

impl Manifest {
    /// What `seal` must be under these keys.
    fn sealed_by(&self, keys: &InstanceKeys) -> anyhow::Result<String> {
        let text = serde_json::to_vec(&Self { seal: String::new(), ..self.clone() })?;
        Ok(hex::encode(keys.keyed_hash("backup manifest", &text).to_bytes()))
    }
}

/// A table in a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Table {
    name: String,
    rows: u64,
    /// SHA-256 of its file.
    sha256: String,
}

/// What was backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Rows of all tables.
    pub rows: u64,
    /// Blobs.
    pub blobs: u64,
    /// The moment that it shows.
    pub at: Time,
}

/// What tells one key file from another.
fn mark_of(keys: &InstanceKeys) -> String {
    hex::encode(keys.keyed_hash("backup", b"which key file").to_bytes())
}

fn migrations() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| MigrationName::name(migration.as_ref()).to_owned()).collect()
}

/// Writes a backup into a folder that is not there or empty. The index may serve meanwhile: rows are read in one snapshot, and a row's
/// bytes are there before the row.
///
/// # Errors
/// A folder that holds something, bytes that are missing or wrong, the database or the disk; without its manifest the folder is no backup.
pub async fn backup(env: &Env, to: &Path) -> anyhow::Result<Made> {
    make_empty(to)?;
    // The snapshot's moment, and not that at which the last byte was copied, hours later perhaps.
    let made_at = env.now();
    let read = env.db.read(made_at).await.context("the database does not answer")?;
    let tables = tables::dump(&read, &to.join("tables")).await?;
    drop(read);
    let blobs = bytes::copy_named(env, &to.join("blobs")).await?;
    let rows = tables.iter().map(|table| table.rows).sum();
    let mut manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        migrations: migrations(),
        keys: mark_of(&env.keys),
        tables,
        blobs,
        seal: String::new(),
    };
    manifest.seal = manifest.sealed_by(&env.keys)?;
    write_whole(&to.join(MANIFEST), serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    Ok(Made { rows, blobs, at: made_at })
}

/// Makes a folder that only its owner reads; one that holds something is refused.
fn make_empty(folder: &Path) -> anyhow::Result<()> {
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty: name a folder that is not there yet", folder.display());
    }
    make(folder)
}

fn make(folder: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))
}

/// Writes a file under another name, syncs it, and gives it its name.
fn write_whole(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let aside = path.with_extension("part");
    let written = || -> std::io::Result<()> {
        fs::write(&aside, text)?;
        fs::File::open(&aside)?.sync_all()?;
        fs::rename(&aside, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}

fn read_manifest(from: &Path) -> anyhow::Result<Manifest> {
    let path = from.join(MANIFEST);
    let text =
        fs::read_to_string(&path).with_context(|| format!("{} is no backup, or one that was not finished: {MANIFEST}", from.display()))?;
    let manifest: Manifest = serde_json::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))?;
    if manifest.format != FORMAT {
        bail!("the backup has the shape {}, this version reads {FORMAT}", manifest.format);
    }
    let known = migrations();
    if manifest.migrations.len() > known.len() || manifest.migrations.iter().zip(&known).any(|(theirs, ours)| theirs != ours) {
        bail!("the backup was made by version {}, which this one does not know: restore it with that version", manifest.version);
    }
    Ok(manifest)
}
