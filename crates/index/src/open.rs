//! Opens an index: data folder, key file, database, blobs. The one place that turns settings into an `Env`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use credentials::entropy::Entropy;
use credentials::keys::InstanceKeys;
use credentials::password::Parameters;
use credentials::secret::Secret;

use crate::blobs::Blobs;
use crate::breach::Breach;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Database;
use crate::env::{Env, Inner};
use crate::lane::Lane;
use crate::mail::Mailer;
use crate::places::Places;
use crate::prepared::Prepared;

/// How many passwords are hashed at once: half the processors, so that reads keep theirs, and the memory that hashes use its bounds.
fn hashes_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2))
}

/// Opens the index that the settings describe, making what is missing.
///
/// # Errors
/// What cannot be read, written or reached, in one sentence.
pub async fn open(config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, hashing: Parameters) -> anyhow::Result<Env> {
    // The one source of TLS; a second call in the same process finds it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mailer = Mailer::open(&config)?;
    let breach = Breach::open(&config, &clock)?;
    let places = Places::open(&config.geoip_database)?;
    make_folder(&config.data_dir)?;
    let keys = Arc::new(read_or_make_keys(&key_file(&config), &*entropy)?);
    let url = database_url(&config)?;
    let db = Database::open(url.expose()).await.context("the database cannot be opened")?;
    let blobs = Blobs::open(blobs_folder(&config)?).await.context("the folder of files cannot be opened")?;
    Ok(Env::new(Inner {
        db,
        blobs,
        config,
        clock,
        entropy,
        keys,
        lane: Lane::new(hashes_at_once()),
        hashing,
        breach,
        mailer,
        places,
        prepared: Prepared::default(),
    }))
}

/// Brings the database that the settings name up to date; says how many migrations were applied.
///
/// # Errors
/// The data folder or the database, in one sentence.
pub async fn migrate(config: &Config) -> anyhow::Result<usize> {
    make_folder(&config.data_dir)?;
    let url = database_url(config)?;
    Database::migrate(url.expose()).await.context("the database cannot be brought up to date")
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).with_context(|| format!("the data folder {} cannot be made", path.display()))
}

fn key_file(config: &Config) -> PathBuf {
    if config.key_file.as_os_str().is_empty() { config.data_dir.join("instance.key") } else { config.key_file.clone() }
}

pub(crate) fn database_url(config: &Config) -> anyhow::Result<Secret> {
    let url = config.database_url.expose();
    if url.is_empty() {
        let path = config.data_dir.join("strongroom.sqlite");
        return Ok(Secret::new(format!("sqlite:{}", path.display())));
    }
    if ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(Secret::new(url));
    }
    bail!("the setting `database.url` must begin with `sqlite:` or `postgres:`")
}

pub(crate) fn blobs_folder(config: &Config) -> anyhow::Result<PathBuf> {
    match config.blobs_url.as_str() {
        "" => Ok(config.data_dir.join("blobs")),
        url => match url.strip_prefix("file:") {
            Some(path) => Ok(PathBuf::from(path)),
            None => bail!("the setting `blobs.url` must begin with `file:`"),
        },
    }
}

/// Reads the key file, which must be there.
///
/// # Errors
/// It is not there, cannot be read, or can be read by others.
pub(crate) fn read_keys(config: &Config) -> anyhow::Result<InstanceKeys> {
    let path = key_file(config);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("the key file {} cannot be read: put the one of the index that was backed up there", path.display()))?;
    check_private(&path)?;
    InstanceKeys::parse(&Secret::new(text)).with_context(|| format!("the key file {} cannot be used", path.display()))
}

/// Reads the key file, or makes one that only its owner can read.
fn read_or_make_keys(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<InstanceKeys> {
    match fs::read_to_string(path) {
        Ok(text) => {
            check_private(path)?;
            InstanceKeys::parse(&Secret::new(text)).with_context(|| format!("the key file {} cannot be used", path.display()))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => make_keys(path, entropy),
        Err(e) => Err(e).with_context(|| format!("the key file {} cannot be read", path.display())),
    }
}

fn check_private(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("the key file {} can be read by others: make it `chmod 600`", path.display());
    }
    Ok(())
}

fn make_keys(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<InstanceKeys> {
    let keys = InstanceKeys::generate(entropy);
    let written = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(keys.to_text().expose().as_bytes())?;
        file.sync_all()
    };
    written().with_context(|| format!("the key file {} cannot be made", path.display()))?;
    Ok(keys)
}
