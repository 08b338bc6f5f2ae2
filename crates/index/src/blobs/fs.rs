//! Blobs in a folder: `aa/bb/REST` under the lower-case hex digest that names them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

/// The folder of blobs.
#[derive(Clone, Debug)]
pub struct Blobs {
    root: Arc<PathBuf>,
}

/// A blob on its way in; dropped without `keep`, it is removed.
#[derive(Debug)]
pub struct Staging {
    file: File,
    path: TempPath,
}

/// A complete, synced blob that has no name yet. It can be inspected as a file.
#[derive(Debug)]
pub struct Staged {
    path: TempPath,
}

#[derive(Debug)]
struct TempPath(Option<PathBuf>);

impl TempPath {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }
}

impl Drop for TempPath {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Blobs {
    /// Opens the folder, making it where missing.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub async fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(root.join("staging")).await?;
        Ok(Self { root: Arc::new(root) })
    }

    /// Where a blob lies.
    #[must_use]
    pub fn path(&self, digest: &str) -> PathBuf {
        let (a, rest) = digest.split_at(digest.len().min(2));
        let (b, rest) = rest.split_at(rest.len().min(2));
        self.root.join(a).join(b).join(rest)
    }

    /// Begins a blob under a name that nobody else uses (`unique`: letters, digits, dashes).
    ///
    /// # Errors
    /// The file cannot be made.
    pub async fn stage(&self, unique: &str) -> io::Result<Staging> {
        let path = self.root.join("staging").join(unique);
        let file = fs::OpenOptions::new().write(true).create_new(true).open(&path).await?;
        Ok(Staging { file, path: TempPath(Some(path)) })
    }

    /// Gives a staged blob its digest as its name, durably. The same bytes twice are one blob.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub async fn keep(&self, mut staged: Staged, digest: &str) -> io::Result<()> {
        let to = self.path(digest);
        let folder = to.parent().map_or_else(|| (*self.root).clone(), Path::to_path_buf);
        fs::create_dir_all(&folder).await?;
        let from = staged.path.path().to_path_buf();
        fs::rename(&from, &to).await?;
        staged.path.0 = None;
        sync_folders(&self.root, &folder).await
    }

    /// Writes small bytes (metadata files) under their digest.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub async fn put(&self, unique: &str, digest: &str, bytes: &[u8]) -> io::Result<()> {
        let mut staging = self.stage(unique).await?;
        staging.write(bytes).await?;
        let staged = staging.finish().await?;
        self.keep(staged, digest).await
    }

    /// Opens a blob for reading, with its size in bytes.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn get(&self, digest: &str) -> io::Result<(File, u64)> {
        let file = File::open(self.path(digest)).await?;
        let size = file.metadata().await?.len();
        Ok((file, size))
    }

    /// Removes a blob; removing what is not there is no error.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub async fn delete(&self, digest: &str) -> io::Result<()> {
        match fs::remove_file(self.path(digest)).await {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// The folder itself, for the sweep and the check, which walk it.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Staging {
    /// Appends bytes.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Syncs everything to disk.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub async fn finish(mut self) -> io::Result<Staged> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        Ok(Staged { path: self.path })
    }
}

impl Staged {
    /// Where its bytes can be inspected.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.path.path()
    }
}

/// A rename lasts once its folder is synced; a new folder once its parents are.
async fn sync_folders(root: &Path, folder: &Path) -> io::Result<()> {
    let mut at = Some(folder);
    while let Some(path) = at {
        File::open(path).await?.sync_all().await?;
        if path == root {
            break;
        }
        at = path.parent();
    }
    Ok(())
}
