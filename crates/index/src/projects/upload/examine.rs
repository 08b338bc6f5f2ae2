//! Looking into a file that is here: its name, its digests, what is in it, and whether the form says the same. No database.

use formats::filename::{SdistFilename, WheelFilename, check_filename_for, check_sdist, check_wheel};
use formats::metadata::{CoreMetadata, UploadForm, disagreement, validate};
use formats::{ArchiveError, Digests, FileKind, Inspected, ProjectName, Version, inspect};
use sha2::{Digest, Sha256};

use super::receive::Received;
use super::{disk, refuse};
use crate::act::crash_point;
use crate::blobs::Staged;
use crate::env::Env;
use crate::ids::new_uuid;
use crate::refused::Refused;

/// A file that may be published, as far as it alone decides.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// The project, as the form spells it.
    pub project: ProjectName,
    /// The version.
    pub version: Version,
    /// The name of the file.
    pub filename: String,
    /// Its kind.
    pub kind: FileKind,
    /// The field `pyversion`.
    pub python_version: String,
    /// The field `comment`.
    pub comment: Option<String>,
    /// Its digests.
    pub digests: Digests,
    /// Its size.
    pub size_bytes: u64,
    /// What the archive says about itself: this is published, not the form.
    pub metadata: CoreMetadata,
    /// SHA-256 and size of the `.metadata` companion, if it has one.
    pub companion: Option<(String, u64)>,
}

/// The bytes of a file that may be published, not yet under their digest.
#[derive(Debug)]
pub struct Keeper {
    staged: Staged,
    blob: String,
    companion: Option<(String, Vec<u8>)>,
}

/// Checks the form, the file's name, its digests, and what is in it.
///
/// # Errors
/// `Invalid` in the words that clients know; the disk.
pub async fn examine(form: UploadForm, filename: &str, received: Received) -> Result<(Distribution, Keeper), Refused> {
    validate(&form.metadata).or_else(|e| refuse(e.message))?;
    let (project, version) = subject(&form)?;
    check_filename_for(filename, form.filetype).or_else(|e| refuse(e.to_string()))?;
    received.digests.check(&form.digests).or_else(|e| refuse(e.to_string()))?;
    check_name(filename, form.filetype, &project, &version)?;
    let (inspected, staged) = look_inside(received.staged, filename, form.filetype).await?;
    validate(&inspected.metadata).or_else(|e| refuse(format!("Invalid distribution file. {}", e.message)))?;
    if let Some(difference) = disagreement(&form.metadata, &inspected.metadata) {
        return refuse(difference.message);
    }
    let companion = companion(form.filetype, &inspected);
    let distribution = Distribution {
        project,
        version,
        filename: filename.to_owned(),
        kind: form.filetype,
        python_version: form.pyversion,
        comment: form.comment,
        size_bytes: received.size_bytes,
        companion: companion.as_ref().map(|(sha256, bytes)| (sha256.clone(), bytes.len() as u64)),
        metadata: inspected.metadata,
        digests: received.digests,
    };
    let keeper = Keeper { staged, blob: distribution.digests.blake2_256.clone(), companion };
    Ok((distribution, keeper))
}

fn subject(form: &UploadForm) -> Result<(ProjectName, Version), Refused> {
    let project = ProjectName::parse(&form.metadata.name).or_else(|e| refuse(e.to_string()))?;
    let version = Version::parse(&form.metadata.version).or_else(|e| refuse(e.to_string()))?;
    Ok((project, version))
}

fn check_name(filename: &str, kind: FileKind, project: &ProjectName, version: &Version) -> Result<(), Refused> {
    let fits = match kind {
        FileKind::Wheel => WheelFilename::parse(filename).and_then(|name| check_wheel(&name, project, version)),
        FileKind::Sdist => SdistFilename::parse(filename).and_then(|name| check_sdist(&name, project, version)),
    };
    fits.or_else(|e| refuse(e.to_string()))
}

/// Off the async threads: an archive is read whole.
async fn look_inside(staged: Staged, filename: &str, kind: FileKind) -> Result<(Inspected, Staged), Refused> {
    let filename = filename.to_owned();
    let looked = tokio::task::spawn_blocking(move || (inspect(staged.path(), &filename, kind), staged)).await;
    let (found, staged) = looked.map_err(|e| anyhow::anyhow!("the inspection of an archive did not end: {e}"))?;
    match found {
        Ok(inspected) => Ok((inspected, staged)),
        Err(ArchiveError::Refused(why)) => refuse(why),
        Err(e @ ArchiveError::Unreadable(_)) => Err(Refused::Fault(e.into())),
    }
}

/// Wheels always, source distributions from metadata 2.2 on, where PKG-INFO can be relied on (PEP 643).
fn companion(kind: FileKind, inspected: &Inspected) -> Option<(String, Vec<u8>)> {
    let reliable = kind == FileKind::Wheel || inspected.metadata.is_at_least("2.2");
    reliable.then(|| (hex::encode(Sha256::digest(&inspected.metadata_bytes)), inspected.metadata_bytes.clone()))
}

impl Keeper {
    /// Puts the bytes under their digests, durably. Call it before the rows are written, outside their transaction.
    ///
    /// # Errors
    /// The disk.
    pub async fn keep(self, env: &Env) -> Result<(), Refused> {
        env.blobs.keep(self.staged, &self.blob).await.map_err(disk("a file could not be kept"))?;
        if let Some((sha256, bytes)) = self.companion {
            let unique = new_uuid(env.now(), &*env.entropy).to_string();
            env.blobs.put(&unique, &sha256, &bytes).await.map_err(disk("the metadata of a file could not be kept"))?;
        }
        crash_point("blob_synced");
        Ok(())
    }
}
