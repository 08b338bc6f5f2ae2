//! A Maildir: each mail is one file, written and synced in `tmp`, then renamed into `new`. A mail written twice is one file.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folder with `tmp`, `new` and `cur`; only its owner may read it, since mails carry links and codes.
#[derive(Clone, Debug)]
pub(super) struct Maildir {
    root: PathBuf,
}

impl Maildir {
    /// The folder is made with the first mail.
    pub(super) const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Writes a mail durably.
    pub(super) async fn write(&self, name: String, bytes: Vec<u8>) -> io::Result<()> {
        let root = self.root.clone();
        tokio::task::spawn_blocking(move || write(&root, &name, &bytes)).await.map_err(io::Error::other)?
    }
}

fn write(root: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    for folder in ["tmp", "new", "cur"] {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root.join(folder))?;
    }
    let tmp = root.join("tmp").join(name);
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&tmp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&tmp, root.join("new").join(name))?;
    fs::File::open(root.join("new"))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_mail_written_twice_is_one_file_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mail");
        write(&root, "1.eml", b"first").unwrap();
        write(&root, "1.eml", b"first").unwrap();
        let names: Vec<_> = fs::read_dir(root.join("new")).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(names, ["1.eml"]);
        assert_eq!(fs::read(root.join("new/1.eml")).unwrap(), b"first");
        assert_eq!(fs::metadata(root.join("new/1.eml")).unwrap().permissions().mode() & 0o077, 0);
        assert!(fs::read_dir(root.join("tmp")).unwrap().next().is_none(), "nothing half written stays");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_and_no_lost_mail() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mail"), b"a file in the way").unwrap();
        assert!(write(&folder.path().join("mail"), "1.eml", b"x").is_err());
    }
}
