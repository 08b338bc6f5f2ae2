//! Bytes by digest. A blob is written, synced and renamed into place before the row that names it; a crash leaves an orphan, never a row without bytes.

mod fs;
mod walk;

pub use fs::{Blobs, Staged, Staging};
pub use walk::{Folder, folders};
