//! Taking bytes in: onto disk and through the hashes as they come, never more than the limit, never the file in memory.

use formats::{Digests, Hasher};

use super::{disk, refuse};
use crate::act::crash_point;
use crate::blobs::{Staged, Staging};
use crate::env::Env;
use crate::ids::new_uuid;
use crate::refused::Refused;

/// How many bytes are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// A file on its way in. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    staging: Staging,
    hasher: Hasher,
    buffer: Vec<u8>,
    size_bytes: u64,
    most_bytes: u64,
}

/// A file that is here: complete, synced, without a name.
#[derive(Debug)]
pub struct Received {
    /// Its bytes.
    pub staged: Staged,
    /// Their digests.
    pub digests: Digests,
    /// Their number.
    pub size_bytes: u64,
}

impl Incoming {
    /// Begins a file.
    ///
    /// # Errors
    /// The disk.
    pub async fn begin(env: &Env) -> Result<Self, Refused> {
        let unique = new_uuid(env.now(), &*env.entropy).to_string();
        let staging = env.blobs.stage(&unique).await.map_err(disk("a file could not be begun"))?;
        let (buffer, most_bytes) = (Vec::with_capacity(BUFFER), env.config.file_max_size.0);
        Ok(Self { staging, hasher: Hasher::new(), buffer, size_bytes: 0, most_bytes })
    }

    /// Takes the next bytes. `project` is named in the refusal, when it is known.
    ///
    /// # Errors
    /// `Invalid` when the file grows too large; the disk.
    pub async fn take(&mut self, bytes: &[u8], project: Option<&str>) -> Result<(), Refused> {
        self.size_bytes += bytes.len() as u64;
        if self.size_bytes > self.most_bytes {
            return refuse(too_large(self.most_bytes, project));
        }
        for part in bytes.chunks(BUFFER) {
            if self.buffer.len() + part.len() > BUFFER {
                self.write_out().await?;
            }
            self.buffer.extend_from_slice(part);
        }
        Ok(())
    }

    async fn write_out(&mut self) -> Result<(), Refused> {
        self.hasher.update(&self.buffer);
        self.staging.write(&self.buffer).await.map_err(disk("a file could not be written"))?;
        self.buffer.clear();
        Ok(())
    }

    /// The file is complete.
    ///
    /// # Errors
    /// The disk.
    pub async fn finish(mut self) -> Result<Received, Refused> {
        self.write_out().await?;
        let staged = self.staging.finish().await.map_err(disk("a file could not be synced"))?;
        crash_point("staged");
        Ok(Received { staged, digests: self.hasher.finish(), size_bytes: self.size_bytes })
    }
}

fn too_large(most_bytes: u64, project: Option<&str>) -> String {
    let whose = project.map(|name| format!(" for project '{name}'")).unwrap_or_default();
    format!("File too large. Limit{whose} is {}. See /help/#file-size-limit for more information.", in_units(most_bytes))
}

/// A limit as Warehouse writes it: whole megabytes and gigabytes of 1024, under their short names.
pub(super) fn in_units(bytes: u64) -> String {
    match bytes {
        b if b >= 1 << 30 && b.is_multiple_of(1 << 30) => format!("{} GB", b >> 30),
        b if b >= 1 << 20 && b.is_multiple_of(1 << 20) => format!("{} MB", b >> 20),
        b => format!("{b} bytes"),
    }
}
