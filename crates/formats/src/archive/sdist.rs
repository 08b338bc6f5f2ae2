//! A source distribution: a gzipped tar with one top directory and PKG-INFO in it.

use std::collections::HashMap;
use std::fs::File;

use super::gzip::{Unpacked, refusal};
use super::tar_walk::{Kind, Member, Walk};
use super::{ArchiveError, Inspected, METADATA_LIMIT, paths};
use crate::metadata::CoreMetadata;

/// The longest sum of all member paths and link targets, in bytes.
const NAMES_LIMIT: usize = 16 << 20;

/// What has been seen of the archive.
#[derive(Default)]
struct Tree {
    top: Option<String>,
    kinds: HashMap<String, Kind>,
    links: Vec<(String, Kind, String)>,
    names_bytes: usize,
    pkg_info: Option<Vec<u8>>,
}

/// Inspects a source distribution.
pub(super) fn inspect(file: File, size: u64, filename: &str) -> Result<Inspected, ArchiveError> {
    let mut walk = Walk::new(Unpacked::new(file, size));
    let mut tree = Tree::default();
    while let Some(member) = walk.next()? {
        tree.add(&mut walk, member)?;
    }
    let entries = walk.count();
    walk.finish()?;
    let top = tree.top.clone().ok_or_else(one_top)?;
    tree.check_parents()?;
    tree.check_links(&top)?;
    let Some(metadata_bytes) = tree.pkg_info.take() else {
        return Err(ArchiveError::invalid(format!("PKG-INFO not found at {top}/PKG-INFO")));
    };
    let metadata = CoreMetadata::from_headers(&metadata_bytes)?;
    for license in &metadata.license_file {
        let path = format!("{top}/{license}");
        if !tree.kinds.get(&path).is_some_and(|kind| *kind != Kind::Directory) {
            return Err(ArchiveError::Refused(format!("License-File {license} does not exist in distribution file {filename} at {path}")));
        }
    }
    Ok(Inspected { metadata_bytes, metadata, entries })
}

fn one_top() -> ArchiveError {
    ArchiveError::invalid("Incorrect number of top-level directories in sdist")
}

fn refuse_member(path: &str, why: &str) -> ArchiveError {
    refusal(&format!("{why}: {}", crate::quoted(&crate::shortened(path))))
}

impl Tree {
    fn add(&mut self, walk: &mut Walk, member: Member) -> Result<(), ArchiveError> {
        let path = member.path.trim_start_matches("./").trim_end_matches('/').to_owned();
        if member.kind == Kind::Directory && matches!(member.path.as_str(), "." | "./") {
            return Ok(());
        }
        // Trimmed is only what every reader ignores; the rest is judged as it was written.
        let judged = member.path.strip_prefix("./").unwrap_or(&member.path);
        if let Some(why) = paths::complaint(judged) {
            return Err(refuse_member(&member.path, why));
        }
        self.names_bytes += path.len() + member.target.len();
        if self.names_bytes > NAMES_LIMIT {
            return Err(refusal("The names of the members are too long"));
        }
        self.check_top(&path, member.kind)?;
        let earlier = self.kinds.insert(path.clone(), member.kind);
        let is_same_directory = earlier == Some(Kind::Directory) && member.kind == Kind::Directory;
        if earlier.is_some() && !is_same_directory {
            return Err(refuse_member(&path, "A member is there twice"));
        }
        if matches!(member.kind, Kind::Symlink | Kind::Hardlink) {
            self.links.push((path, member.kind, member.target));
        } else if member.kind == Kind::Regular && self.is_pkg_info(&path) {
            if member.size > METADATA_LIMIT {
                return Err(ArchiveError::invalid(format!("PKG-INFO is larger than {METADATA_LIMIT} bytes")));
            }
            let mut bytes = Vec::new();
            walk.read(&mut |chunk| bytes.extend_from_slice(chunk))?;
            self.pkg_info = Some(bytes);
        }
        Ok(())
    }

    fn is_pkg_info(&self, path: &str) -> bool {
        let top = self.top.as_deref().unwrap_or_default();
        path.strip_prefix(top).is_some_and(|rest| rest == "/PKG-INFO")
    }

    /// Everything is inside one directory.
    fn check_top(&mut self, path: &str, kind: Kind) -> Result<(), ArchiveError> {
        let top = path.split('/').next().unwrap_or_default();
        if top == path && kind != Kind::Directory {
            return Err(one_top());
        }
        match &self.top {
            Some(known) if known != top => Err(one_top()),
            Some(_) => Ok(()),
            None => {
                self.top = Some(top.to_owned());
                Ok(())
            }
        }
    }

    /// No member lies below a file or a link: unpacking it would follow the link.
    fn check_parents(&self) -> Result<(), ArchiveError> {
        for path in self.kinds.keys() {
            let mut parents = path.match_indices('/').map(|(at, _)| &path[..at]);
            if parents.any(|parent| self.kinds.get(parent).is_some_and(|kind| *kind != Kind::Directory)) {
                return Err(refuse_member(path, "A member lies below a file or a link"));
            }
        }
        Ok(())
    }

    fn check_links(&self, top: &str) -> Result<(), ArchiveError> {
        for (path, kind, target) in &self.links {
            let fits = match kind {
                // A hard link names a member from the root of the archive; Python's tarfile needs it to be there.
                Kind::Hardlink => {
                    let target = target.strip_prefix("./").unwrap_or(target);
                    target != path && matches!(self.kinds.get(target), Some(Kind::Regular | Kind::Hardlink))
                }
                _ => self.stays_inside(path, target, top),
            };
            if !fits {
                return Err(refuse_member(path, "A link leads out of the archive"));
            }
        }
        Ok(())
    }

    /// Follows a symbolic link's target by its text. Passing through another link is refused: what `..` means after
    /// it cannot be said from the text.
    fn stays_inside(&self, path: &str, target: &str, top: &str) -> bool {
        let odd = target.is_empty() || target.starts_with('/') || target.contains('\\') || target.chars().any(char::is_control);
        if odd {
            return false;
        }
        let mut place: Vec<&str> = path.split('/').collect();
        place.pop();
        let parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        for (index, part) in parts.iter().enumerate() {
            if *part == ".." {
                place.pop();
            } else {
                place.push(part);
            }
            if place.first() != Some(&top) {
                return false;
            }
            let is_last = index + 1 == parts.len();
            if !is_last && self.kinds.get(&place.join("/")) == Some(&Kind::Symlink) {
                return false;
            }
        }
        true
    }
}
