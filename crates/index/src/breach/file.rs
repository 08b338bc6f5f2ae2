//! The format of the offline set: a header, a table of where each prefix begins, and the digests in order, ten bytes each.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `STRGBRCH` |
//! | 8..12 | the version, 1 |
//! | 12..16 | how many first bits of a digest choose its row of the table: 16 to 22 |
//! | 16..24 | how many digests there are |
//! | 24..32 | nothing |
//! | 32..64 | SHA-256 of everything behind the table |
//! | 8 × (2^bits + 1) | where each prefix begins, and where the last one ends |
//! | 10 × count | the bytes 2 to 12 of each digest, in order |
//!
//! Numbers are little-endian. The table says the first two bytes, so that 96 bits of a SHA-1 are compared: with two billion rows a
//! password that is in no list is taken for one that is once in 4 × 10^19 look-ups. The file is mapped: a look-up reads one row of
//! the table and one or two pages, and memory is what the system keeps of it anyway.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use memmap2::Mmap;
use sha2::{Digest as _, Sha256};

use super::{Digest, map};

/// What every set begins with.
pub(super) const MAGIC: [u8; 8] = *b"STRGBRCH";
/// The only version there is.
pub(super) const VERSION: u32 = 1;
/// How long the header is.
pub(super) const HEADER: usize = 64;
/// How many bytes of a digest are kept.
pub(super) const ROW: usize = 10;
/// How long a row of the table is.
pub(super) const ENTRY: usize = 8;
/// The fewest and the most bits of the table.
pub(super) const BITS: std::ops::RangeInclusive<u32> = 16..=22;

/// The part of a digest that is kept.
pub(super) fn row(digest: &Digest) -> [u8; ROW] {
    let mut row = [0; ROW];
    row.copy_from_slice(&digest[2..2 + ROW]);
    row
}

/// Which row of the table a digest belongs to.
pub(super) fn bucket(digest: &Digest, bits: u32) -> usize {
    let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    (first >> (32 - bits)) as usize
}

/// Where the digests begin.
pub(super) const fn rows_at(bits: u32) -> usize {
    HEADER + ENTRY * ((1 << bits) + 1)
}

/// Which file it is: another one under the same name has another identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(found: &Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino(), length: found.len(), changed: (found.mtime(), found.mtime_nsec()) }
    }
}

/// A set that is open, with header, length and table found sound.
pub(super) struct Set {
    map: Mmap,
    bits: u32,
    count: usize,
    pub(super) identity: Identity,
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Set").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Set {
    /// Opens a set. The error is one sentence without the path.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let unread = |e: std::io::Error| format!("it cannot be read: {e}");
        let file = File::open(path).map_err(unread)?;
        let found = file.metadata().map_err(unread)?;
        if !found.is_file() || found.len() < HEADER as u64 {
            return Err(FOREIGN.to_owned());
        }
        let map = map::map(&file).map_err(unread)?;
        let (bits, count) = header(&map)?;
        let set = Self { map, bits, count, identity: Identity::of(&found) };
        set.check_table()?;
        Ok(set)
    }

    /// How many digests there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    fn rows(&self) -> &[u8] {
        self.map.get(rows_at(self.bits)..).unwrap_or_default()
    }

    /// Where a row of the table points.
    fn entry(&self, at: usize) -> usize {
        let start = HEADER + ENTRY * at;
        let bytes = self.map.get(start..start + ENTRY).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(self.count, |bytes| usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(self.count))
    }

    fn check_table(&self) -> Result<(), String> {
        let mut before = 0;
        for at in 0..=1 << self.bits {
            let here = self.entry(at);
            if here < before || here > self.count || (at == 0 && here != 0) {
                return Err(BROKEN.to_owned());
            }
            before = here;
        }
        if before == self.count { Ok(()) } else { Err(BROKEN.to_owned()) }
    }

    /// Whether a digest is in it.
    pub(super) fn contains(&self, digest: &Digest) -> bool {
        let at = bucket(digest, self.bits);
        let (wanted, rows) = (row(digest), self.rows());
        let (mut low, mut high) = (self.entry(at), self.entry(at + 1));
        while low < high {
            let middle = low.midpoint(high);
            let Some(found) = rows.get(middle * ROW..(middle + 1) * ROW) else { return false };
            match found.cmp(&wanted) {
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        false
    }

    /// Reads everything and compares it with the digest in the header.
    pub(super) fn check_all(&self) -> Result<(), String> {
        let said = self.map.get(32..HEADER).unwrap_or_default();
        if Sha256::digest(self.rows()).as_slice() == said { Ok(()) } else { Err(BROKEN.to_owned()) }
    }
}

const FOREIGN: &str = "it is not a set that `strongroom passwords import` made";
const CUT: &str = "it is shorter or longer than its header says: import the list again";
const BROKEN: &str = "its bytes were changed: import the list again";

/// Reads the header and compares the length with it.
fn header(bytes: &[u8]) -> Result<(u32, usize), String> {
    let number = |at: usize| bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    if !bytes.starts_with(&MAGIC) {
        return Err(FOREIGN.to_owned());
    }
    let (version, bits) = (number(8).unwrap_or(0), number(12).unwrap_or(0));
    if version != VERSION || !BITS.contains(&bits) {
        return Err(format!("it has version {version} of the format, and this program knows version {VERSION}: import the list again"));
    }
    let count = bytes.get(16..24).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let count = count.and_then(|count| usize::try_from(count).ok()).ok_or(CUT)?;
    let length = count.checked_mul(ROW).and_then(|rows| rows.checked_add(rows_at(bits)));
    if length == Some(bytes.len()) { Ok((bits, count)) } else { Err(CUT.to_owned()) }
}
