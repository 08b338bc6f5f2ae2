//! Archives that fool a reader, built byte by byte, and the ordinary ones they are made from.

use std::io::Write as _;

use data_encoding::BASE64URL_NOPAD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;

const WHEEL: &str = "demo-1.0-py3-none-any.whl";
const SDIST: &str = "demo-1.0.tar.gz";
const METADATA: &str = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n";
const INFO: &str = "demo-1.0.dist-info";

/// A ZIP member as it is written.
#[derive(Clone)]
struct Part {
    name: Vec<u8>,
    local_name: Vec<u8>,
    data: Vec<u8>,
    method: u16,
    flags: u16,
    mode: u32,
    crc: u32,
    size: u32,
    descriptor: bool,
}

fn part(name: &str, data: &[u8]) -> Part {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    Part {
        name: name.into(),
        local_name: name.into(),
        data: data.to_vec(),
        method: 0,
        flags: 1 << 11,
        mode: 0o100_644,
        crc: crc.sum(),
        size: data.len() as u32,
        descriptor: false,
    }
}

fn deflated(name: &str, data: &[u8]) -> Part {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    Part { data: encoder.finish().unwrap(), method: 8, ..part(name, data) }
}

fn zip(parts: &[Part]) -> Vec<u8> {
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for part in parts {
        let offset = out.len() as u32;
        let packed = part.data.len() as u32;
        let short = |value: u16| value.to_le_bytes().to_vec();
        let long = |value: u32| value.to_le_bytes().to_vec();
        let local = if part.descriptor { [0; 3] } else { [part.crc, packed, part.size] };
        let common = |sizes: [u32; 3]| [short(20), short(part.flags), short(part.method), long(0), sizes.map(long).concat()].concat();
        out.extend([b"PK\x03\x04".to_vec(), common(local), short(part.local_name.len() as u16), short(0)].concat());
        out.extend([part.local_name.as_slice(), &part.data].concat());
        if part.descriptor {
            out.extend([b"PK\x07\x08".to_vec(), long(part.crc), long(packed), long(part.size)].concat());
        }
        let sizes = [part.crc, packed, part.size];
        central.extend([b"PK\x01\x02".to_vec(), short(20), common(sizes), short(part.name.len() as u16)].concat());
        central.extend([short(0), short(0), short(0), short(0), long(part.mode << 16), long(offset), part.name.clone()].concat());
    }
    let (count, offset, size) = (parts.len() as u16, out.len() as u32, central.len() as u32);
    out.extend(central);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend([size.to_le_bytes(), offset.to_le_bytes()].concat());
    out.extend([0, 0]);
    out
}

fn row(name: &str, data: &[u8]) -> String {
    format!("{name},sha256={},{}\n", BASE64URL_NOPAD.encode(&Sha256::digest(data)), data.len())
}

/// The parts of a wheel with these files besides METADATA and WHEEL, and a RECORD that fits.
fn wheel_of(files: &[(&str, &[u8])]) -> Vec<Part> {
    let mut all =
        vec![(format!("{INFO}/METADATA"), METADATA.as_bytes().to_vec()), (format!("{INFO}/WHEEL"), b"Wheel-Version: 1.0\n".to_vec())];
    for (name, data) in files {
        all.retain(|(known, _)| known != name);
        all.push((name.to_string(), data.to_vec()));
    }
    let record: String = all.iter().map(|(name, data)| row(name, data)).collect();
    let record = format!("{record}{INFO}/RECORD,,\n");
    let mut parts: Vec<Part> = all.iter().map(|(name, data)| part(name, data)).collect();
    parts.push(part(&format!("{INFO}/RECORD"), record.as_bytes()));
    parts
}

fn inspect_bytes(bytes: &[u8], filename: &str, kind: FileKind) -> Result<Inspected, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    inspect(file.path(), filename, kind).map_err(|error| match error {
        ArchiveError::Refused(message) => message,
        ArchiveError::Unreadable(error) => panic!("{error}"),
    })
}

fn wheel(parts: &[Part]) -> Result<Inspected, String> {
    inspect_bytes(&zip(parts), WHEEL, FileKind::Wheel)
}

#[track_caller]
fn refused(answer: Result<Inspected, String>, gist: &str) {
    let message = answer.expect_err(gist);
    assert!(message.contains(gist), "{message}");
}

#[test]
fn an_ordinary_wheel_is_accepted() {
    let found = wheel(&wheel_of(&[("demo/__init__.py", b"x = 1\n"), ("demo/empty", b"")])).unwrap();
    assert_eq!(found.metadata_bytes, METADATA.as_bytes());
    assert_eq!((found.metadata.name.as_str(), found.entries), ("demo", 5));
}

#[test]
fn compressed_and_streamed_members_are_accepted() {
    let mut parts = wheel_of(&[("demo/a.py", &[b'a'; 5000])]);
    parts[2] = Part { descriptor: true, flags: 1 << 11 | 1 << 3, ..deflated("demo/a.py", &[b'a'; 5000]) };
    assert!(wheel(&parts).is_ok());
    parts.push(Part { mode: 0o040_755, ..part("demo/", b"") });
    assert!(wheel(&parts).is_ok());
}

#[test]
fn a_wheel_path_that_leads_out_or_hides_is_refused() {
    for (name, gist) in [
        ("../../evil.py", "Parent directory"),
        ("/etc/passwd", "Absolute path"),
        ("..\\evil.py", "Backslash"),
        ("C:/evil.py", "Absolute path"),
        ("a/./b", "Empty path"),
        ("a\0b", "Invalid character"),
        ("a\u{202e}b", "Invalid character"),
    ] {
        refused(wheel(&wheel_of(&[(name, b"x")])), gist);
    }
}

#[test]
fn a_wheel_member_that_is_no_plain_file_is_refused() {
    let mut parts = wheel_of(&[("demo/a.py", b"x")]);
    let plain = parts[2].clone();
    parts[2].mode = 0o120_777;
    refused(wheel(&parts), "Symbolic link");
    parts[2].mode = 0o020_666;
    refused(wheel(&parts), "neither a file nor a directory");
    parts[2] = Part { flags: plain.flags | 1, ..plain.clone() };
    refused(wheel(&parts), "Encrypted member");
    parts[2] = Part { method: 14, ..plain };
    refused(wheel(&parts), "File does not use a supported compression type");
}

#[test]
fn a_record_that_lies_is_refused() {
    let honest = wheel_of(&[("demo/a.py", b"x")]);
    let record = |text: String| {
        let mut parts = honest.clone();
        *parts.last_mut().unwrap() = part(&format!("{INFO}/RECORD"), text.as_bytes());
        wheel(&parts)
    };
    let text = String::from_utf8(honest.last().unwrap().data.clone()).unwrap();
    let own = row("demo/a.py", b"x");
    assert!(record(text.clone()).is_ok());
    refused(record(text.replace(&own, "")), "'demo/a.py' is not listed");
    refused(record(text.replace(&own, &row("demo/a.py", b"y"))), "'demo/a.py' has another hash or size");
    refused(record(text.replace(&own, "demo/a.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,1\n")), "not sha256");
    refused(record(text.replace(&own, "demo/a.py,,\n")), "'demo/a.py' is listed without a hash");
    refused(record(format!("{text}{}", row("demo/gone.py", b""))), "'demo/gone.py' is listed but not there");
    refused(record(format!("{text}{}", row("demo/a.py", b"z"))), "'demo/a.py' is listed twice");
    refused(record("a,b\n".to_owned()), "does not contain the required RECORD file: demo-1.0.dist-info/RECORD");
    refused(wheel(&honest[..honest.len() - 1]), "does not contain the required RECORD file");
    let mut signed = honest.clone();
    signed.push(part(&format!("{INFO}/RECORD.jws"), b"{}"));
    assert!(wheel(&signed).is_ok());
}

#[test]
fn a_wheel_without_its_one_dist_info_directory_is_refused() {
    let parts = wheel_of(&[]);
    refused(inspect_bytes(&zip(&parts), "other-1.0-py3-none-any.whl", FileKind::Wheel), "WHEEL not found at other-1.0.dist-info/WHEEL");
    refused(inspect_bytes(&zip(&parts), "demo.whl", FileKind::Wheel), "Unable to parse name and version from wheel filename");
    refused(wheel(&wheel_of(&[("evil-1.0.dist-info/METADATA", b"x")])), "More than one .dist-info directory");
    refused(wheel(&wheel_of(&[("Demo-1.0.DIST-INFO/METADATA", b"x")])), "More than one .dist-info directory");
    refused(wheel(&wheel_of(&[(&format!("{INFO}/metadata"), b"x")])), "differs from another file only in case");
    refused(wheel(&wheel_of(&[(&format!("{INFO}/WHEEL"), b"Wheel-Version: 2.0\n")])), "does not declare a Wheel-Version of 1.x");
    refused(wheel(&wheel_of(&[("demo", b"x"), ("demo/a.py", b"x")])), "is both a file and a directory");
    refused(wheel(&parts[1..]), "does not contain the required METADATA file: demo-1.0.dist-info/METADATA");
}

#[test]
fn wheel_metadata_that_does_not_read_or_point_to_licences_is_refused() {
    let path = format!("{INFO}/METADATA");
    refused(wheel(&wheel_of(&[(&path, b"Name: \xff\n")])), "not valid UTF-8");
    refused(wheel(&wheel_of(&[(&path, format!("{METADATA}Name: other\n").as_bytes())])), "'name' has invalid data");
    refused(wheel(&wheel_of(&[(&path, &vec![b'a'; 5 << 20])])), "is larger than 4194304 bytes");
    let licensed = format!("{METADATA}License-File: LICENSE\n");
    refused(wheel(&wheel_of(&[(&path, licensed.as_bytes())])), "License-File LICENSE does not exist in distribution file");
    assert!(wheel(&wheel_of(&[(&path, licensed.as_bytes()), (&format!("{INFO}/licenses/LICENSE"), b"MIT")])).is_ok());
    let scripts = format!("{INFO}/entry_points.txt");
    refused(wheel(&wheel_of(&[(&scripts, b"[console_scripts]\n../x = a:b\n")])), "has invalid entry points");
}

#[test]
fn a_zip_that_two_readers_see_differently_is_refused() {
    let parts = wheel_of(&[("demo/a.py", b"x")]);
    let bytes = zip(&parts);
    let check = |bytes: Vec<u8>| inspect_bytes(&bytes, WHEEL, FileKind::Wheel);
    refused(check(b"not a zip".to_vec()), "File is not a zipfile");
    refused(check([b"prefix".to_vec(), bytes.clone()].concat()), "Mismatched central directory offset");
    refused(check([bytes.clone(), b"suffix".to_vec()].concat()), "Trailing data");
    refused(check([bytes.clone(), bytes.clone()].concat()), "Mismatched central directory offset");
    refused(check(bytes[..bytes.len() - 30].to_vec()), "File is not a zipfile");
    let mut twice = parts.clone();
    twice.push(part("demo/a.py", b"y"));
    refused(wheel(&twice), "Duplicate filename in central directory");
    let mut renamed = parts.clone();
    renamed[2].local_name = b"demo/b.py".to_vec();
    refused(wheel(&renamed), "Filename not in central directory");
    let mut sized = parts.clone();
    sized[2].size = 2;
    refused(wheel(&sized), "Mis-matched data size");
    let mut damaged = parts.clone();
    damaged[2].crc ^= 1;
    refused(wheel(&damaged), "Mis-matched checksum");
    let mut foreign = parts;
    foreign[2] = Part { flags: 0, ..part("demo/ü.py", b"x") };
    refused(wheel(&foreign), "Filename not unicode");
}

#[test]
fn deflated_data_of_another_length_is_refused() {
    let with = |change: &dyn Fn(&mut Part)| {
        let mut parts = wheel_of(&[("demo/a.py", &[b'a'; 5000])]);
        parts[2] = deflated("demo/a.py", &[b'a'; 5000]);
        change(&mut parts[2]);
        wheel(&parts)
    };
    assert!(with(&|_| {}).is_ok());
    refused(with(&|part| part.size = 4999), "Mis-matched file size");
    refused(with(&|part| part.size = 5001), "Mis-matched file size");
    refused(with(&|part| part.data.extend(b"hidden")), "Mis-matched data size");
    refused(with(&|part| part.data.truncate(10)), "Damaged data");
}

#[test]
fn a_zip_bomb_is_refused_before_it_is_unpacked() {
    let mut parts = wheel_of(&[("demo/a.py", b"x")]);
    parts[2] = Part { size: 1 << 30, ..deflated("demo/a.py", b"x") };
    refused(wheel(&parts), "File exceeds compression ratio of 50");
}

/// A tar member: name, type, link target, data.
type TarPart<'a> = (&'a str, u8, &'a str, &'a [u8]);

fn tar(parts: &[TarPart<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind, target, data) in parts {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        header[156] = *kind;
        header[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend(header);
        out.extend(*data);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const PKG_INFO: TarPart<'static> = ("demo-1.0/PKG-INFO", b'0', "", METADATA.as_bytes());

fn sdist_of(more: &[TarPart<'_>]) -> Result<Inspected, String> {
    let parts: Vec<TarPart<'_>> = [PKG_INFO].into_iter().chain(more.iter().copied()).collect();
    inspect_bytes(&gzip(&tar(&parts)), SDIST, FileKind::Sdist)
}

#[test]
fn an_ordinary_sdist_with_links_inside_is_accepted() {
    let found = sdist_of(&[
        ("demo-1.0/", b'5', "", b""),
        ("demo-1.0/a.py", b'0', "", b"x"),
        ("demo-1.0/b.py", b'1', "demo-1.0/a.py", b""),
        ("demo-1.0/doc/c", b'2', "../a.py", b""),
        ("demo-1.0/d", b'2', "doc", b""),
        ("demo-1.0/old", 0, "", b"x"),
    ])
    .unwrap();
    assert_eq!(found.metadata_bytes, METADATA.as_bytes());
    assert_eq!((found.metadata.version.as_str(), found.entries), ("1.0", 7));
}

#[test]
fn a_tar_path_that_leads_out_is_refused() {
    for (name, gist) in [
        ("/etc/passwd", "Absolute path"),
        ("demo-1.0/../../x", "Parent directory"),
        ("demo-1.0/a\\b", "Backslash"),
        ("../demo-1.0/x", "Parent directory"),
        ("demo-1.0/a\u{1}", "Invalid character"),
        ("demo-1.0//x", "Empty path"),
    ] {
        refused(sdist_of(&[(name, b'0', "", b"x")]), gist);
    }
}

#[test]
fn a_link_that_leads_out_is_refused() {
    for (kind, target) in [
        (b'2', "/etc/passwd"),
        (b'2', "../../x"),
        (b'2', "../other/x"),
        (b'2', ".."),
        (b'2', ""),
        (b'2', "a\\b"),
        (b'1', "/etc/passwd"),
        (b'1', "demo-1.0/gone"),
        (b'1', "../x"),
        (b'1', "demo-1.0/link"),
    ] {
        refused(sdist_of(&[("demo-1.0/link", kind, target, b"")]), "A link leads out of the archive");
    }
    // Each by its text stays inside; one through the other does not.
    let through = [("demo-1.0/a/b/up", b'2', "../..", &b""[..]), ("demo-1.0/a/out", b'2', "b/up/../..", b"")];
    refused(sdist_of(&through), "A link leads out of the archive");
    let below = [("demo-1.0/dir", b'2', "other", &b""[..]), ("demo-1.0/dir/x", b'0', "", b"x")];
    refused(sdist_of(&below), "A member lies below a file or a link");
}

#[test]
fn a_tar_member_that_is_no_file_directory_or_link_is_refused() {
    for (kind, gist) in [(b'3', "Device"), (b'4', "Device"), (b'6', "FIFO"), (b'S', "Sparse"), (b'Z', "Unknown member type")] {
        refused(sdist_of(&[("demo-1.0/x", kind, "", b"")]), gist);
    }
    refused(sdist_of(&[("demo-1.0/x", b'5', "", b"data")]), "A link or directory has data");
    refused(sdist_of(&[("x", b'x', "", b"22 GNU.sparse.major=1\n"), ("demo-1.0/x", b'0', "", b"")]), "Sparse members are not allowed");
}

#[test]
fn an_sdist_without_one_top_directory_and_one_pkg_info_is_refused() {
    let only = |parts: &[TarPart<'_>]| inspect_bytes(&gzip(&tar(parts)), SDIST, FileKind::Sdist);
    refused(only(&[("demo-1.0/a.py", b'0', "", b"")]), "PKG-INFO not found at demo-1.0/PKG-INFO");
    refused(only(&[]), "Incorrect number of top-level directories in sdist");
    refused(sdist_of(&[("other/x", b'0', "", b"")]), "Incorrect number of top-level directories in sdist");
    refused(sdist_of(&[("x", b'0', "", b"")]), "Incorrect number of top-level directories in sdist");
    refused(sdist_of(&[PKG_INFO]), "A member is there twice");
    refused(sdist_of(&[("demo-1.0/PKG-INFO", b'2', "x", b"")]), "A member is there twice");
    refused(only(&[("demo-1.0/PKG-INFO", b'2', "x", b""), ("demo-1.0/x", b'0', "", METADATA.as_bytes())]), "PKG-INFO not found");
}

#[test]
fn an_sdist_license_file_has_to_be_there() {
    let text = format!("{METADATA}License-File: licenses/MIT\n");
    let info: TarPart<'_> = ("demo-1.0/PKG-INFO", b'0', "", text.as_bytes());
    let only = |parts: &[TarPart<'_>]| inspect_bytes(&gzip(&tar(parts)), SDIST, FileKind::Sdist);
    refused(only(&[info]), "License-File licenses/MIT does not exist in distribution file demo-1.0.tar.gz at demo-1.0/licenses/MIT");
    assert!(only(&[info, ("demo-1.0/licenses/MIT", b'0', "", b"MIT")]).is_ok());
}

#[test]
fn extended_headers_that_contradict_are_refused() {
    let rename: TarPart<'_> = ("x", b'x', "", b"22 path=demo-1.0/n.py\n");
    assert!(sdist_of(&[rename, ("demo-1.0/x", b'0', "", b"")]).is_ok());
    refused(sdist_of(&[rename, rename, ("demo-1.0/x", b'0', "", b"")]), "Two extended headers");
    refused(sdist_of(&[("x", b'L', "", b"demo-1.0/l\0"), rename, ("demo-1.0/x", b'0', "", b"")]), "Two extended headers");
    refused(sdist_of(&[("x", b'x', "", b"10 size=7\n"), ("demo-1.0/x", b'0', "", b"")]), "gives another size");
    refused(sdist_of(&[("x", b'g', "", b"12 path=a/b\n")]), "A global header describes members");
    refused(sdist_of(&[("x", b'x', "", b"99 path=a\n"), ("demo-1.0/x", b'0', "", b"")]), "Malformed extended header");
    refused(sdist_of(&[rename]), "An extended header describes no member");
    refused(sdist_of(&[("x", b'x', "", b"16 path=../evil\n"), ("demo-1.0/x", b'0', "", b"")]), "Parent directory");
    assert!(sdist_of(&[("x", b'g', "", b"13 comment=x\n")]).is_ok());
}

#[test]
fn a_stream_that_is_cut_damaged_or_continued_is_refused_with_the_reason() {
    let plain = tar(&[PKG_INFO]);
    let whole = gzip(&plain);
    let check = |bytes: Vec<u8>| inspect_bytes(&bytes, SDIST, FileKind::Sdist);
    refused(check(b"neither".to_vec()), "File is not a tarfile");
    refused(check(gzip(&[b'x'; 600])), "File is not a tarfile");
    refused(check(Vec::new()), "File is not a tarfile");
    refused(check(whole[..whole.len() - 5].to_vec()), "The gzip stream is truncated");
    refused(check(gzip(&plain[..700])), "The archive is truncated");
    let mut damaged = whole.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 1;
    refused(check(damaged), "The gzip stream is damaged");
    refused(check([whole.clone(), whole.clone()].concat()), "Trailing data after the gzip stream");
    refused(check([whole, b"PK".to_vec()].concat()), "Trailing data after the gzip stream");
    refused(check(gzip(&[plain.clone(), b"x".to_vec()].concat())), "Trailing data after the end of the archive");
    let mut header = plain;
    header[0] ^= 1;
    refused(check(gzip(&header)), "File is not a tarfile");
}

#[test]
fn a_tar_bomb_is_refused() {
    let zeros = vec![0; 80 << 20];
    refused(sdist_of(&[("demo-1.0/zeros", b'0', "", &zeros)]), "File exceeds compression ratio of 50");
}

proptest! {
    #[test]
    fn no_damaged_wheel_makes_the_inspection_panic(at in 0_usize..600, byte in any::<u8>()) {
        let mut bytes = zip(&wheel_of(&[("demo/a.py", b"x")]));
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = inspect_bytes(&bytes, WHEEL, FileKind::Wheel);
    }

    #[test]
    fn no_damaged_tar_makes_the_inspection_panic(at in 0_usize..2048, byte in any::<u8>()) {
        let mut bytes = tar(&[PKG_INFO, ("x", b'x', "", b"22 path=demo-1.0/n.py\n")]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = inspect_bytes(&gzip(&bytes), SDIST, FileKind::Sdist);
    }
}
