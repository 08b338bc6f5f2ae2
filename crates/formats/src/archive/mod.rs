//! Looks into an uploaded distribution and refuses what a reader could be fooled with: bombs, paths that lead out,
//! records that lie, framing that two readers understand differently. Reads each byte once or twice, in constant
//! memory; nothing is unpacked or run. Blocking: call it off the async threads.

mod entry_points;
mod gzip;
mod paths;
mod record;
mod sdist;
mod tar_walk;
mod wheel;
mod zip_central;
mod zip_framing;

use std::fs::File;
use std::io;
use std::path::Path;

use thiserror::Error;

use crate::filename::FileKind;
use crate::metadata::{CoreMetadata, MetadataError};

/// The most members an archive may have.
pub const MEMBER_LIMIT: u32 = 100_000;

/// The largest METADATA or PKG-INFO read, in bytes.
const METADATA_LIMIT: u64 = 4 << 20;

/// Below this unpacked size, in bytes, no archive is called a bomb.
const BOMB_FLOOR: u64 = 64 << 20;

/// How often an archive above the floor may unpack to its own size.
const BOMB_RATIO: u64 = 50;

/// What an accepted archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// METADATA or PKG-INFO, byte for byte: what `.metadata` serves.
    pub metadata_bytes: Vec<u8>,
    /// The same, read but not validated.
    pub metadata: CoreMetadata,
    /// The number of members, directories included.
    pub entries: u32,
}

/// Why an archive is not accepted.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The uploader's: the text is the whole answer.
    #[error("{0}")]
    Refused(String),
    /// Ours: the stored file could not be read.
    #[error("the archive could not be read: {0}")]
    Unreadable(#[from] io::Error),
}

impl ArchiveError {
    fn invalid(why: impl AsRef<str>) -> Self {
        Self::Refused(format!("Invalid distribution file. {}", why.as_ref()))
    }
}

impl From<MetadataError> for ArchiveError {
    fn from(error: MetadataError) -> Self {
        Self::invalid(error.message)
    }
}

/// Inspects the file at `path`, which was uploaded as `filename`.
///
/// The metadata is read, not validated: that is [`crate::validate`], and [`crate::disagreement`] with the form.
///
/// # Errors
/// [`ArchiveError::Refused`] for what is in the file, [`ArchiveError::Unreadable`] when reading it fails.
pub fn inspect(path: &Path, filename: &str, kind: FileKind) -> Result<Inspected, ArchiveError> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    match kind {
        FileKind::Wheel => wheel::inspect(file, size, filename),
        FileKind::Sdist => sdist::inspect(file, size, filename),
    }
}

fn is_bomb(unpacked: u64, packed: u64) -> bool {
    unpacked > BOMB_FLOOR && unpacked / BOMB_RATIO >= packed.max(1)
}

fn bomb() -> ArchiveError {
    ArchiveError::invalid(format!("File exceeds compression ratio of {BOMB_RATIO}"))
}

#[cfg(test)]
mod tests;
