//! From the public list (SHA-1 in hex and a count, a line each, sorted by hash) to the offline set, in one pass and flat memory.
//!
//! The set is written under another name beside its own, synced, and renamed: whatever goes wrong, the one before stays as it is.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Digest;
use super::file::{BITS, Identity, MAGIC, ROW, VERSION, bucket, row, rows_at};

/// The longest line that is read: a hash, a colon and a number with room to spare.
const LINE_MOST: u64 = 100;
/// About how long a line of the public list is.
const LINE_USUAL: u64 = 44;
/// About how many digests a row of the table leads to.
const BUCKET: u64 = 256;
const BUFFER: usize = 1 << 20;

/// What an import made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Where the set lies.
    pub file: PathBuf,
    /// How many digests it has.
    pub rows: u64,
    /// Lines left out: the same hash once more, or a count of nothing.
    pub left_out: u64,
    /// How large it is.
    pub bytes: u64,
}

/// Reads the list at `from` and puts the set at `to`.
///
/// # Errors
/// A line that cannot be read or is out of order, with its number; a file that cannot be read or written. The set that was there
/// before is as it was.
pub fn import(from: &Path, to: &Path) -> anyhow::Result<Imported> {
    let list = File::open(from).with_context(|| format!("the list {} cannot be read", from.display()))?;
    let found = list.metadata().with_context(|| format!("the list {} cannot be read", from.display()))?;
    if found.is_dir() {
        bail!("the list {} is a folder", from.display());
    }
    let bits = if found.is_file() { bits_for(found.len()) } else { *BITS.end() };
    let beside = Beside::open(to)?;
    let unwritten = || format!("the set {} cannot be written", to.display());
    let mut set = Builder::new(&beside.file, bits).with_context(unwritten)?;
    let left_out = read_list(BufReader::with_capacity(BUFFER, list), |digest| set.push(digest).with_context(unwritten))
        .with_context(|| format!("the list {} was not imported", from.display()))?;
    let rows = set.finish().with_context(unwritten)?;
    let bytes = beside.keep(to).with_context(unwritten)?;
    Ok(Imported { file: to.to_path_buf(), rows, left_out, bytes })
}

/// How many bits of the table a list of this length deserves.
fn bits_for(length: u64) -> u32 {
    let buckets = (length / LINE_USUAL / BUCKET).max(1);
    buckets.ilog2().clamp(*BITS.start(), *BITS.end())
}

/// Hands on every digest of the list in order; says how many lines were left out.
fn read_list(mut list: impl BufRead, mut take: impl FnMut(&Digest) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let (mut line, mut number, mut left_out) = (Vec::with_capacity(128), 0_u64, 0);
    let mut before: Option<Digest> = None;
    loop {
        line.clear();
        if list.by_ref().take(LINE_MOST).read_until(b'\n', &mut line)? == 0 {
            return Ok(left_out);
        }
        number += 1;
        let Some((digest, count)) = parse(&line) else {
            bail!("line {number} is not `HASH:COUNT` with a SHA-1 of 40 hex digits");
        };
        match before {
            Some(before) if digest < before => bail!("line {number} is out of order: the list must be sorted by hash"),
            Some(before) if digest == before => left_out += 1,
            _ if count == Some(0) => left_out += 1,
            _ => take(&digest)?,
        }
        before = Some(digest);
    }
}

/// `HASH:COUNT` or `HASH`, with the line's end.
fn parse(line: &[u8]) -> Option<(Digest, Option<u64>)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (hash, rest) = line.split_at_checked(40)?;
    let mut digest = Digest::default();
    hex::decode_to_slice(hash, &mut digest).ok()?;
    match rest {
        [] => Some((digest, None)),
        [b':', count @ ..] if !count.is_empty() && count.iter().all(u8::is_ascii_digit) => {
            Some((digest, Some(std::str::from_utf8(count).ok()?.parse().ok()?)))
        }
        _ => None,
    }
}

/// Writes a set from digests in order.
struct Builder<'f> {
    out: BufWriter<&'f File>,
    hash: Sha256,
    bits: u32,
    table: Vec<u64>,
    count: u64,
}

impl<'f> Builder<'f> {
    fn new(file: &'f File, bits: u32) -> std::io::Result<Self> {
        let mut out = BufWriter::with_capacity(BUFFER, file);
        out.seek(SeekFrom::Start(rows_at(bits) as u64))?;
        Ok(Self { out, hash: Sha256::new(), bits, table: Vec::with_capacity((1 << bits) + 1), count: 0 })
    }

    fn push(&mut self, digest: &Digest) -> std::io::Result<()> {
        self.begin(bucket(digest, self.bits));
        let row: [u8; ROW] = row(digest);
        self.hash.update(row);
        self.count += 1;
        self.out.write_all(&row)
    }

    /// Every prefix up to this one has begun.
    fn begin(&mut self, bucket: usize) {
        while self.table.len() <= bucket {
            self.table.push(self.count);
        }
    }

    /// Writes header and table, and syncs; says how many digests there are.
    fn finish(mut self) -> std::io::Result<u64> {
        self.begin(1 << self.bits);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&MAGIC)?;
        self.out.write_all(&VERSION.to_le_bytes())?;
        self.out.write_all(&self.bits.to_le_bytes())?;
        self.out.write_all(&self.count.to_le_bytes())?;
        self.out.write_all(&[0; 8])?;
        self.out.write_all(&self.hash.finalize())?;
        for start in &self.table {
            self.out.write_all(&start.to_le_bytes())?;
        }
        let file = self.out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(self.count)
    }
}

/// The file on its way, under a name of its own; removed unless it is kept.
struct Beside {
    file: File,
    path: Option<PathBuf>,
}

impl Beside {
    /// Two imports at once would write the same file: the second is refused.
    fn open(to: &Path) -> anyhow::Result<Self> {
        let mut name = to.file_name().with_context(|| format!("{} names no file", to.display()))?.to_owned();
        name.push(".importing");
        let path = to.with_file_name(name);
        let shown = path.display().to_string();
        let unwritten = || format!("{shown} cannot be written");
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(unwritten)?;
        }
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(&path).with_context(unwritten)?;
        if file.try_lock().is_err() {
            bail!("another import writes {shown}: wait until it has ended");
        }
        // Another import may have given this very file its name between opening and locking: then it is the set in use.
        let same = fs::metadata(&path).is_ok_and(|found| file.metadata().is_ok_and(|own| Identity::of(&own) == Identity::of(&found)));
        if !same {
            bail!("another import ended just now: look at its result before you begin again");
        }
        file.set_len(0).with_context(unwritten)?;
        Ok(Self { file, path: Some(path) })
    }

    /// Gives it its name, durably; says how large it is.
    fn keep(mut self, to: &Path) -> std::io::Result<u64> {
        if let Some(path) = &self.path {
            fs::rename(path, to)?;
        }
        self.path = None;
        if let Some(folder) = to.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder)?.sync_all()?;
        }
        Ok(self.file.metadata()?.len())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests;
