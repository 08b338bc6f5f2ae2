//! Walks a tar stream member by member. Reads what Python's tarfile and GNU tar write, and refuses what two readers
//! could read differently: sizes or names given twice, sparse members, data after links.

use std::collections::BTreeMap;

use super::gzip::{Unpacked, refusal};
use super::{ArchiveError, MEMBER_LIMIT};

const BLOCK: usize = 512;

/// The largest extended header or long name read, in bytes.
const HEADER_LIMIT: u64 = 1 << 20;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Regular,
    Directory,
    Symlink,
    Hardlink,
}

/// A member, its data still unread.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) path: String,
    pub(super) kind: Kind,
    /// Where a link leads; empty for the rest.
    pub(super) target: String,
    pub(super) size: u64,
}

/// What extended headers said about the member that follows them.
#[derive(Debug, Default)]
struct Pending {
    path: Option<String>,
    target: Option<String>,
    size: Option<u64>,
    is_pax: bool,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.path.is_none() && self.target.is_none() && !self.is_pax
    }
}

/// The walk itself.
#[derive(Debug)]
pub(super) struct Walk {
    stream: Unpacked,
    /// Data and padding of the present member that nobody has read.
    unread: u64,
    padding: u64,
    count: u32,
}

impl Walk {
    pub(super) fn new(stream: Unpacked) -> Self {
        Self { stream, unread: 0, padding: 0, count: 0 }
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The next member, or `None` at the end of the archive; what follows the end is checked by `finish`.
    pub(super) fn next(&mut self) -> Result<Option<Member>, ArchiveError> {
        let mut pending = Pending::default();
        loop {
            self.skip()?;
            let mut block = [0; BLOCK];
            if self.stream.fill(&mut block)? < BLOCK {
                let untouched = self.count == 0 && pending.is_empty();
                return Err(if untouched { not_a_tar() } else { refusal("The archive is truncated") });
            }
            if block.iter().all(|byte| *byte == 0) {
                return if pending.is_empty() { Ok(None) } else { Err(refusal("An extended header describes no member")) };
            }
            self.count += 1;
            if self.count > MEMBER_LIMIT {
                return Err(refusal("Too many members"));
            }
            let header = Header(&block);
            header.check(self.count == 1)?;
            let size = header.number(124, 12)?;
            self.unread = size;
            self.padding = size.next_multiple_of(BLOCK as u64) - size;
            match header.0[156] {
                b'L' => set_once(&mut pending.path, self.long_text()?)?,
                b'K' => set_once(&mut pending.target, self.long_text()?)?,
                b'x' => self.read_pax(&mut pending)?,
                b'g' => self.read_global(&pending)?,
                kind => return self.member(&header, kind, pending).map(Some),
            }
        }
    }

    /// Feeds the present member's data to `sink`.
    pub(super) fn read(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), ArchiveError> {
        let mut chunk = vec![0; 64 << 10];
        while self.unread > 0 {
            let wanted = chunk.len().min(usize::try_from(self.unread).unwrap_or(usize::MAX));
            if self.stream.fill(&mut chunk[..wanted])? < wanted {
                return Err(refusal("The archive is truncated"));
            }
            self.unread -= wanted as u64;
            sink(&chunk[..wanted]);
        }
        Ok(())
    }

    /// Requires nothing but zeros after the end of the archive.
    pub(super) fn finish(self) -> Result<(), ArchiveError> {
        self.stream.finish()
    }

    fn skip(&mut self) -> Result<(), ArchiveError> {
        self.read(&mut |_| {})?;
        self.unread = std::mem::take(&mut self.padding);
        self.read(&mut |_| {})
    }

    fn small(&mut self) -> Result<Vec<u8>, ArchiveError> {
        if self.unread > HEADER_LIMIT {
            return Err(refusal("An extended header is too large"));
        }
        let mut bytes = Vec::new();
        self.read(&mut |chunk| bytes.extend_from_slice(chunk))?;
        Ok(bytes)
    }

    /// GNU's long name: ended by a NUL.
    fn long_text(&mut self) -> Result<String, ArchiveError> {
        let bytes = self.small()?;
        text(until_nul(&bytes))
    }

    /// # Source
    /// POSIX.1-2024 pax, "pax Extended Header".
    fn read_pax(&mut self, pending: &mut Pending) -> Result<(), ArchiveError> {
        if std::mem::replace(&mut pending.is_pax, true) {
            return Err(refusal("Two extended headers describe one member"));
        }
        for (key, value) in parse_pax(&self.small()?)? {
            match key.as_str() {
                "path" => set_once(&mut pending.path, value)?,
                "linkpath" => set_once(&mut pending.target, value)?,
                "size" => set_once(&mut pending.size, value.parse().map_err(|_| refusal("Malformed extended header"))?)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A header for all members: git writes its commit there. What would rename or resize all of them is refused.
    fn read_global(&mut self, pending: &Pending) -> Result<(), ArchiveError> {
        let keys = parse_pax(&self.small()?)?;
        let rewrites = ["path", "linkpath", "size"].iter().any(|key| keys.contains_key(*key));
        if rewrites || !pending.is_empty() {
            return Err(refusal("A global header describes members"));
        }
        Ok(())
    }

    fn member(&self, header: &Header<'_>, kind: u8, pending: Pending) -> Result<Member, ArchiveError> {
        if pending.size.is_some_and(|size| size != self.unread) {
            return Err(refusal("An extended header gives another size"));
        }
        let path = match pending.path {
            Some(path) => path,
            None => header.path()?,
        };
        let kind = match kind {
            b'0' | 0 | b'7' if path.ends_with('/') => Kind::Directory,
            b'0' | 0 | b'7' => Kind::Regular,
            b'1' => Kind::Hardlink,
            b'2' => Kind::Symlink,
            b'5' => Kind::Directory,
            b'3' | b'4' => return Err(refusal("Device members are not allowed")),
            b'6' => return Err(refusal("FIFO members are not allowed")),
            b'S' => return Err(sparse()),
            _ => return Err(refusal("Unknown member type")),
        };
        let is_link = matches!(kind, Kind::Symlink | Kind::Hardlink);
        if kind != Kind::Regular && self.unread > 0 {
            return Err(refusal("A link or directory has data"));
        }
        let target = match pending.target {
            Some(target) if is_link => target,
            Some(_) => return Err(refusal("A member that is no link has a target")),
            None if is_link => text(until_nul(&header.0[157..257]))?,
            None => String::new(),
        };
        Ok(Member { path, kind, target, size: self.unread })
    }
}

fn not_a_tar() -> ArchiveError {
    ArchiveError::invalid("File is not a tarfile")
}

fn sparse() -> ArchiveError {
    refusal("Sparse members are not allowed")
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), ArchiveError> {
    if slot.replace(value).is_some() {
        return Err(refusal("Two extended headers describe one member"));
    }
    Ok(())
}

fn text(bytes: &[u8]) -> Result<String, ArchiveError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| refusal("Filename not valid UTF-8"))
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Records of the form `LENGTH KEY=VALUE\n`, where the length counts itself.
fn parse_pax(mut bytes: &[u8]) -> Result<BTreeMap<String, String>, ArchiveError> {
    let malformed = || refusal("Malformed extended header");
    let mut records = BTreeMap::new();
    while !bytes.is_empty() {
        let space = bytes.iter().take(20).position(|byte| *byte == b' ').ok_or_else(malformed)?;
        let digits = std::str::from_utf8(&bytes[..space]).map_err(|_| malformed())?;
        let length: usize = digits.parse().map_err(|_| malformed())?;
        if length <= space + 1 || length > bytes.len() || bytes[length - 1] != b'\n' {
            return Err(malformed());
        }
        let record = std::str::from_utf8(&bytes[space + 1..length - 1]).map_err(|_| refusal("Filename not valid UTF-8"))?;
        let (key, value) = record.split_once('=').ok_or_else(malformed)?;
        if key.starts_with("GNU.sparse") {
            return Err(sparse());
        }
        if records.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(refusal("Two extended headers describe one member"));
        }
        bytes = &bytes[length..];
    }
    Ok(records)
}

/// A header block.
struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    /// Checks the checksum, and that a prefix stands only where every reader takes it as one.
    fn check(&self, is_first: bool) -> Result<(), ArchiveError> {
        let wanted = self.number(148, 8);
        let sum: u64 = self.0.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
        if wanted.as_ref().is_ok_and(|wanted| *wanted == sum) {
            let is_ustar = &self.0[257..263] == b"ustar\0";
            return if is_ustar || self.0[345] == 0 { Ok(()) } else { Err(refusal("A name prefix in an old header")) };
        }
        Err(if is_first { not_a_tar() } else { refusal("A header has a wrong checksum") })
    }

    /// An octal number between optional spaces and NULs.
    fn number(&self, at: usize, length: usize) -> Result<u64, ArchiveError> {
        let malformed = || refusal("Malformed number in a header");
        let field = std::str::from_utf8(&self.0[at..at + length]).map_err(|_| malformed())?;
        let digits = field.trim_matches([' ', '\0']);
        if digits.is_empty() {
            return Ok(0);
        }
        if !digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
            return Err(malformed());
        }
        u64::from_str_radix(digits, 8).map_err(|_| malformed())
    }

    fn path(&self) -> Result<String, ArchiveError> {
        let name = text(until_nul(&self.0[..100]))?;
        let prefix = text(until_nul(&self.0[345..500]))?;
        Ok(if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
    }
}
