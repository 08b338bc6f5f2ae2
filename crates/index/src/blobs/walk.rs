//! Walking all blobs, one folder after the other, so that memory stays flat however many there are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One of the innermost folders, `aa/bb`.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    head: String,
}

impl Folder {
    /// The digests of the blobs in it, in order.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn digests(&self) -> io::Result<Vec<String>> {
        Ok(names(&self.path, |_| true)?.into_iter().map(|rest| format!("{}{rest}", self.head)).collect())
    }
}

/// All innermost folders, the last one first.
///
/// # Errors
/// The folder cannot be read.
pub fn folders(root: &Path) -> io::Result<Vec<Folder>> {
    let mut found = Vec::new();
    for first in names(root, is_part)? {
        for second in names(&root.join(&first), is_part)? {
            found.push(Folder { path: root.join(&first).join(&second), head: format!("{first}{second}") });
        }
    }
    found.reverse();
    Ok(found)
}

/// Two hex digits: `staging` and what others left in the folder is none.
fn is_part(name: &str) -> bool {
    name.len() == 2 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

fn names(folder: &Path, wanted: fn(&str) -> bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if wanted(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
