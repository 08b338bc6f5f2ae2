//! Walks a ZIP file from its first byte and requires the local headers to say what the central directory says, with
//! no byte between them. Readers that stream and readers that seek then see the same members.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::zip_central::{self, Extra, Member, read_at, refuse, u16_at, u32_at, u64_at};
use super::{ArchiveError, bomb, is_bomb};

const DESCRIPTOR_FLAG: u16 = 1 << 3;
const SATURATED: u64 = u32::MAX as u64;

/// A ZIP file whose framing has been checked.
#[derive(Debug)]
pub(super) struct Zip {
    file: File,
    /// In the order of their data in the file.
    pub(super) members: Vec<Member>,
}

impl Zip {
    /// Checks the framing of the whole file; the members' data is checked as it is read.
    pub(super) fn open(mut file: File, size: u64) -> Result<Self, ArchiveError> {
        let central = zip_central::read(&mut file, size)?;
        let mut members = central.members;
        let unpacked = members.iter().fold(0_u64, |sum, member| sum.saturating_add(member.unpacked));
        if is_bomb(unpacked, size) {
            return Err(bomb());
        }
        members.sort_by_key(|member| member.offset);
        let mut position = 0;
        for index in 0..members.len() {
            let next = members.get(index + 1).map_or(central.offset, |member| member.offset);
            let member = &mut members[index];
            if member.offset != position {
                return refuse("Unknown record signature");
            }
            member.data = check_local(&mut file, member)?;
            check_end_of_data(&mut file, member, next)?;
            position = next;
        }
        if position != central.offset {
            return refuse("Unknown record signature");
        }
        Ok(Self { file, members })
    }

    /// Feeds a member's data to `sink` and checks its length and checksum.
    pub(super) fn read(&mut self, index: usize, sink: &mut dyn FnMut(&[u8])) -> Result<(), ArchiveError> {
        let member = &self.members[index];
        self.file.seek(SeekFrom::Start(member.data))?;
        let packed = (&mut self.file).take(member.packed);
        if member.method == 0 {
            return drain(BufReader::new(packed), member, sink).map(|_| ());
        }
        let decoder = drain(DeflateDecoder::new(packed), member, sink)?;
        if decoder.total_in() != member.packed {
            return refuse("Mis-matched data size");
        }
        Ok(())
    }

    /// The whole data of a member of at most `limit` bytes.
    pub(super) fn read_small(&mut self, index: usize, limit: u64) -> Result<Vec<u8>, ArchiveError> {
        if self.members[index].unpacked > limit {
            let name = &self.members[index].name;
            return Err(ArchiveError::invalid(format!("{} is larger than {limit} bytes", crate::shortened(name))));
        }
        let mut bytes = Vec::new();
        self.read(index, &mut |chunk| bytes.extend_from_slice(chunk))?;
        Ok(bytes)
    }
}

fn drain<R: Read>(mut reader: R, member: &Member, sink: &mut dyn FnMut(&[u8])) -> Result<R, ArchiveError> {
    let (mut crc, mut length) = (Crc::new(), 0_u64);
    let mut chunk = vec![0; 64 << 10];
    loop {
        let count = reader.read(&mut chunk).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => {
                zip_central::refusal("Damaged data")
            }
            _ => ArchiveError::Unreadable(error),
        })?;
        if count == 0 {
            break;
        }
        length += count as u64;
        if length > member.unpacked {
            return refuse("Mis-matched file size");
        }
        crc.update(&chunk[..count]);
        sink(&chunk[..count]);
    }
    if length != member.unpacked {
        return refuse("Mis-matched file size");
    }
    if crc.sum() != member.crc {
        return refuse("Mis-matched checksum");
    }
    Ok(reader)
}

/// Compares a local header with the central one and says where the data starts.
///
/// # Source
/// APPNOTE 6.3.10, section 4.3.7.
fn check_local(file: &mut File, member: &Member) -> Result<u64, ArchiveError> {
    const LENGTH: usize = 30;
    let header = read_at(file, member.offset, LENGTH)?;
    if !header.starts_with(b"PK\x03\x04") {
        return refuse("Unknown record signature");
    }
    let (name_length, extra_length) = (usize::from(u16_at(&header, 26)), usize::from(u16_at(&header, 28)));
    let rest = read_at(file, member.offset + LENGTH as u64, name_length + extra_length)?;
    let name = zip_central::read_name(&rest[..name_length], u16_at(&header, 6))?;
    if name != member.name {
        return refuse("Filename not in central directory");
    }
    if u16_at(&header, 6) != member.flags || u16_at(&header, 8) != member.method {
        return refuse("Mis-matched local header");
    }
    let extra = Extra::read(&rest[name_length..], &name)?;
    let (mut packed, mut unpacked) = (u64::from(u32_at(&header, 18)), u64::from(u32_at(&header, 22)));
    match extra.zip64.as_deref() {
        Some([long_unpacked, long_packed]) => {
            let fits = |short: u64, long: u64| short == SATURATED || short == long;
            if !fits(unpacked, *long_unpacked) || !fits(packed, *long_packed) {
                return refuse("Mis-matched data size");
            }
            (packed, unpacked) = (*long_packed, *long_unpacked);
        }
        // Only the size that does not fit its short field.
        Some([long]) if unpacked == SATURATED && packed != SATURATED => unpacked = *long,
        Some([long]) if packed == SATURATED && unpacked != SATURATED => packed = *long,
        Some(_) => return refuse("Malformed zip file"),
        None if packed == SATURATED || unpacked == SATURATED => return refuse("Malformed zip file"),
        None => {}
    }
    // Streamed members say nothing here and repeat the central directory after their data.
    let streamed = member.flags & DESCRIPTOR_FLAG != 0;
    let differs = |local: u64, central: u64| local != central && !(streamed && local == 0);
    if differs(packed, member.packed) {
        return refuse("Mis-matched data size");
    }
    if differs(unpacked, member.unpacked) {
        return refuse("Mis-matched file size");
    }
    if differs(u32_at(&header, 14).into(), member.crc.into()) {
        return refuse("Mis-matched checksum");
    }
    Ok(member.offset + (LENGTH + name_length + extra_length) as u64)
}

/// Requires the data to reach to the next record, but for a data descriptor that repeats the central directory.
///
/// # Source
/// APPNOTE 6.3.10, section 4.3.9: with or without signature, sizes of 4 or 8 bytes.
fn check_end_of_data(file: &mut File, member: &Member, next: u64) -> Result<(), ArchiveError> {
    let end = member.data.checked_add(member.packed).filter(|end| *end <= next);
    let Some(end) = end else { return refuse("Malformed zip file") };
    let gap = next - end;
    if member.flags & DESCRIPTOR_FLAG == 0 {
        return if gap == 0 { Ok(()) } else { refuse("Unknown record signature") };
    }
    if !matches!(gap, 12 | 16 | 20 | 24) {
        return refuse("Malformed zip file");
    }
    let bytes = read_at(file, end, gap as usize)?;
    let fields = match gap {
        16 | 24 if bytes.starts_with(b"PK\x07\x08") => &bytes[4..],
        12 | 20 => &bytes[..],
        _ => return refuse("Malformed zip file"),
    };
    let (packed, unpacked) = match fields.len() {
        12 => (u64::from(u32_at(fields, 4)), u64::from(u32_at(fields, 8))),
        _ => (u64_at(fields, 4), u64_at(fields, 12)),
    };
    if u32_at(fields, 0) != member.crc || packed != member.packed || unpacked != member.unpacked {
        return refuse("Mis-matched data descriptor");
    }
    Ok(())
}
