//! The end records and the central directory of a ZIP file: what the file says it contains.
//! Whether the bytes before it agree is checked in `zip_framing`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::{ArchiveError, MEMBER_LIMIT, paths};

/// The largest central directory read, in bytes.
const CENTRAL_LIMIT: u64 = 32 << 20;
const SATURATED: u32 = u32::MAX;

/// A member as the central directory describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) flags: u16,
    /// 0 is stored, 8 is deflate; nothing else gets here.
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    /// Where its local header starts.
    pub(super) offset: u64,
    /// Where its data starts; known after the walk.
    pub(super) data: u64,
}

impl Member {
    pub(super) fn is_directory(&self) -> bool {
        self.name.ends_with('/')
    }
}

/// The central directory's place and its members, in its order.
#[derive(Debug)]
pub(super) struct Central {
    pub(super) offset: u64,
    pub(super) members: Vec<Member>,
}

pub(super) fn refuse<T>(why: &str) -> Result<T, ArchiveError> {
    Err(refusal(why))
}

pub(super) fn refusal(why: &str) -> ArchiveError {
    ArchiveError::invalid(format!("ZIP archive not accepted: {why}. See /help/#archives for more information"))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// Reads `length` bytes at `offset`; a file that ends before is malformed, not ours to answer for.
pub(super) fn read_at(file: &mut File, offset: u64, length: usize) -> Result<Vec<u8>, ArchiveError> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => refusal("Malformed zip file"),
        _ => ArchiveError::Unreadable(error),
    })?;
    Ok(bytes)
}

/// Reads the end records and the central directory.
///
/// # Source
/// APPNOTE 6.3.10, sections 4.3.12 to 4.3.16.
pub(super) fn read(file: &mut File, size: u64) -> Result<Central, ArchiveError> {
    let end = find_end(file, size)?;
    if end.count > u64::from(MEMBER_LIMIT) {
        return refuse("Too many members");
    }
    if end.size > CENTRAL_LIMIT {
        return refuse("Central directory too large");
    }
    let bytes = read_at(file, end.offset, usize::try_from(end.size).map_err(|_| refusal("Malformed zip file"))?)?;
    let mut members = Vec::new();
    let mut names = HashSet::new();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (member, length) = read_entry(rest)?;
        if !names.insert(member.name.trim_end_matches('/').to_owned()) {
            return refuse("Duplicate filename in central directory");
        }
        members.push(member);
        rest = &rest[length..];
    }
    if members.len() as u64 != end.count {
        return refuse("Mismatched central directory records");
    }
    Ok(Central { offset: end.offset, members })
}

/// The central directory as the end records describe it.
struct End {
    count: u64,
    size: u64,
    offset: u64,
}

fn find_end(file: &mut File, size: u64) -> Result<End, ArchiveError> {
    const LENGTH: usize = 22;
    let start = size.saturating_sub(LENGTH as u64 + u64::from(u16::MAX));
    let tail = read_at(file, start, (size - start) as usize)?;
    let found = tail.windows(4).rposition(|window| window == b"PK\x05\x06");
    let at = found.ok_or_else(|| ArchiveError::invalid("File is not a zipfile"))?;
    if tail.len() < at + LENGTH {
        return refuse("Malformed zip file");
    }
    let record = &tail[at..];
    if record.len() != LENGTH + usize::from(u16_at(record, 20)) {
        return refuse("Trailing data");
    }
    let (count_here, count) = (u16_at(record, 8), u16_at(record, 10));
    if u16_at(record, 4) != 0 || u16_at(record, 6) != 0 || count_here != count {
        return refuse("Malformed zip file");
    }
    let position = start + at as u64;
    let (size_32, offset_32) = (u32_at(record, 12), u32_at(record, 16));
    let (end, position) = match find_zip64_end(file, position)? {
        Some(end) => {
            let fits = |short: u64, saturated: u64, long: u64| short == saturated || short == long;
            if !fits(count.into(), u16::MAX.into(), end.count)
                || !fits(size_32.into(), SATURATED.into(), end.size)
                || !fits(offset_32.into(), SATURATED.into(), end.offset)
            {
                return refuse("Mismatched central directory records");
            }
            (end, position - 76)
        }
        None => (End { count: count.into(), size: size_32.into(), offset: offset_32.into() }, position),
    };
    if end.offset.checked_add(end.size) != Some(position) {
        return refuse("Mismatched central directory offset");
    }
    Ok(end)
}

/// The ZIP64 end record, which has to stand directly before its locator and the plain end record at `end`.
fn find_zip64_end(file: &mut File, end: u64) -> Result<Option<End>, ArchiveError> {
    let Some(locator_at) = end.checked_sub(20) else { return Ok(None) };
    let locator = read_at(file, locator_at, 20)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let record_at = locator_at.checked_sub(56).ok_or_else(|| refusal("Malformed zip file"))?;
    if u32_at(&locator, 4) != 0 || u32_at(&locator, 16) > 1 || u64_at(&locator, 8) != record_at {
        return refuse("Malformed zip file");
    }
    let record = read_at(file, record_at, 56)?;
    if !record.starts_with(b"PK\x06\x06") {
        return refuse("Malformed zip file");
    }
    if u64_at(&record, 4) != 44 {
        return refuse("ZIP64 extensible data not allowed");
    }
    let (count_here, count) = (u64_at(&record, 24), u64_at(&record, 32));
    if u32_at(&record, 16) != 0 || u32_at(&record, 20) != 0 || count_here != count {
        return refuse("Malformed zip file");
    }
    Ok(Some(End { count, size: u64_at(&record, 40), offset: u64_at(&record, 48) }))
}

/// Reads the first entry and says how long it is.
fn read_entry(bytes: &[u8]) -> Result<(Member, usize), ArchiveError> {
    const LENGTH: usize = 46;
    if bytes.len() < LENGTH {
        return refuse("Malformed zip file");
    }
    if !bytes.starts_with(b"PK\x01\x02") {
        return refuse("Unknown record signature");
    }
    let (name_length, extra_length) = (usize::from(u16_at(bytes, 28)), usize::from(u16_at(bytes, 30)));
    if u16_at(bytes, 32) != 0 {
        return refuse("Comment in central directory");
    }
    let length = LENGTH + name_length + extra_length;
    if bytes.len() < length {
        return refuse("Malformed zip file");
    }
    let flags = u16_at(bytes, 8);
    let name = read_name(&bytes[LENGTH..LENGTH + name_length], flags)?;
    let extra = Extra::read(&bytes[LENGTH + name_length..length], &name)?;
    let [packed, unpacked, offset] = [20, 24, 42].map(|at| u32_at(bytes, at));
    let mut long = extra.zip64.unwrap_or_default().into_iter();
    let mut widen =
        |short: u32| if short == SATURATED { long.next().ok_or_else(|| refusal("Malformed zip file")) } else { Ok(short.into()) };
    // The long values stand in this order, and only those that do not fit the short field.
    let unpacked = widen(unpacked)?;
    let packed = widen(packed)?;
    let offset = widen(offset)?;
    if u16_at(bytes, 34) != 0 || long.next().is_some() {
        return refuse("Malformed zip file");
    }
    let member = Member { name, flags, method: u16_at(bytes, 10), crc: u32_at(bytes, 16), packed, unpacked, offset, data: 0 };
    check_kind(&member, u32_at(bytes, 38) >> 16)?;
    Ok((member, length))
}

/// Refuses members that are not plain files or directories, by their Unix mode, and encrypted or patched ones.
fn check_kind(member: &Member, mode: u32) -> Result<(), ArchiveError> {
    const ENCRYPTED_OR_PATCHED: u16 = 1 | 1 << 5 | 1 << 6 | 1 << 13;
    if member.flags & ENCRYPTED_OR_PATCHED != 0 {
        return refuse("Encrypted member");
    }
    if !matches!(member.method, 0 | 8) {
        return Err(ArchiveError::invalid("File does not use a supported compression type"));
    }
    let kind_fits = match mode & 0o170_000 {
        0 => true,
        0o040_000 => member.is_directory(),
        0o100_000 => !member.is_directory(),
        0o120_000 => return refuse("Symbolic link"),
        _ => false,
    };
    if !kind_fits || (member.is_directory() && member.unpacked != 0) {
        return refuse("Member is neither a file nor a directory");
    }
    if member.method == 0 && member.packed != member.unpacked {
        return refuse("Mis-matched data size");
    }
    Ok(())
}

/// Reads a member's name, which has to be ASCII or declared to be UTF-8.
pub(super) fn read_name(bytes: &[u8], flags: u16) -> Result<String, ArchiveError> {
    const UTF_8: u16 = 1 << 11;
    if flags & UTF_8 == 0 && !bytes.is_ascii() {
        return refuse("Filename not unicode");
    }
    let name = std::str::from_utf8(bytes).map_err(|_| refusal("Filename not valid UTF-8"))?;
    match paths::complaint(name) {
        Some(why) => refuse(why),
        None => Ok(name.to_owned()),
    }
}

/// The extra fields that change what the header says.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// The long values of the ZIP64 field.
    pub(super) zip64: Option<Vec<u64>>,
}

impl Extra {
    /// Reads all extra fields and refuses a Unicode path that differs from the name.
    pub(super) fn read(mut bytes: &[u8], name: &str) -> Result<Self, ArchiveError> {
        let mut extra = Self::default();
        let mut has_unicode_path = false;
        while !bytes.is_empty() {
            if bytes.len() < 4 || bytes.len() < 4 + usize::from(u16_at(bytes, 2)) {
                return refuse("Malformed zip file");
            }
            let (id, length) = (u16_at(bytes, 0), usize::from(u16_at(bytes, 2)));
            let (value, rest) = bytes[4..].split_at(length);
            match id {
                0x0001 if extra.zip64.is_some() => return refuse("Invalid duplicate extra in local file"),
                0x0001 if length % 8 != 0 || length > 24 => return refuse("Malformed zip file"),
                0x0001 => extra.zip64 = Some(value.chunks(8).map(|chunk| u64_at(chunk, 0)).collect()),
                0x7075 if has_unicode_path => return refuse("Invalid duplicate extra in local file"),
                0x7075 => {
                    has_unicode_path = true;
                    if value.len() < 5 || &value[5..] != name.as_bytes() {
                        return refuse("Invalid Unicode path in extra field");
                    }
                }
                _ => {}
            }
            bytes = rest;
        }
        Ok(extra)
    }
}
