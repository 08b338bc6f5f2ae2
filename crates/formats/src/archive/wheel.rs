//! A wheel: a ZIP file whose dist-info directory describes it and whose RECORD lists every file with its hash.

use std::collections::{HashMap, HashSet};
use std::fs::File;

use super::record::{Record, RecordError};
use super::zip_framing::Zip;
use super::{ArchiveError, Inspected, METADATA_LIMIT, entry_points};
use crate::filename::WheelFilename;
use crate::metadata::CoreMetadata;

/// The largest RECORD read, in bytes: all members allowed, with paths as long as real ones.
const RECORD_LIMIT: u64 = 16 << 20;

/// The largest WHEEL and `entry_points.txt` read, in bytes.
const SMALL_LIMIT: u64 = 1 << 20;

/// A wheel whose members are known by name.
struct Wheel<'a> {
    filename: &'a str,
    /// The dist-info directory, ending in `/`.
    info: String,
    zip: Zip,
    places: HashMap<String, usize>,
}

/// Inspects a wheel.
pub(super) fn inspect(file: File, size: u64, filename: &str) -> Result<Inspected, ArchiveError> {
    let zip = Zip::open(file, size)?;
    let parsed =
        WheelFilename::parse(filename).map_err(|_| ArchiveError::invalid("Unable to parse name and version from wheel filename"))?;
    let places = zip.members.iter().enumerate().map(|(index, member)| (member.name.clone(), index)).collect();
    let info = format!("{}-{}.dist-info/", parsed.raw_name, parsed.raw_version);
    let mut wheel = Wheel { filename, info, zip, places };
    wheel.check_layout()?;
    let metadata_bytes = wheel.read_metadata()?;
    let metadata = CoreMetadata::from_headers(&metadata_bytes)?;
    wheel.check_licenses(&metadata)?;
    wheel.check_record()?;
    wheel.check_entry_points()?;
    let entries = u32::try_from(wheel.zip.members.len()).expect("the members were counted");
    Ok(Inspected { metadata_bytes, metadata, entries })
}

impl Wheel<'_> {
    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.info)
    }

    /// One dist-info directory, the one the file name says, with a WHEEL file of a known version.
    fn check_layout(&mut self) -> Result<(), ArchiveError> {
        let wheel_path = self.path("WHEEL");
        let Some(&index) = self.places.get(&wheel_path) else {
            return Err(ArchiveError::invalid(format!("WHEEL not found at {wheel_path}")));
        };
        let mut folded = HashSet::new();
        for member in &self.zip.members {
            let top = member.name.split('/').next().unwrap_or_default();
            if top.to_ascii_lowercase().ends_with(".dist-info") && format!("{top}/") != self.info {
                return Err(ArchiveError::invalid(format!(
                    "More than one .dist-info directory: {} beside {}",
                    crate::shortened(top),
                    self.info.trim_end_matches('/')
                )));
            }
            // On file systems that ignore case the second would replace the first.
            if member.name.starts_with(&self.info) && !folded.insert(member.name.to_lowercase()) {
                return Err(ArchiveError::invalid(format!("{} differs from another file only in case", member.name)));
            }
        }
        self.check_tree()?;
        let text = String::from_utf8(self.zip.read_small(index, SMALL_LIMIT)?).unwrap_or_default();
        let versions: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("Wheel-Version:")).map(str::trim).collect();
        if versions.len() == 1 && versions[0].split('.').next() == Some("1") {
            return Ok(());
        }
        Err(ArchiveError::invalid(format!("{wheel_path} does not declare a Wheel-Version of 1.x")))
    }

    /// No file may be the directory of another.
    fn check_tree(&self) -> Result<(), ArchiveError> {
        for member in &self.zip.members {
            let name = member.name.trim_end_matches('/');
            let mut parents = name.match_indices('/').map(|(at, _)| &name[..at]);
            if let Some(file) = parents.find(|parent| self.places.contains_key(*parent)) {
                return Err(ArchiveError::invalid(format!("{} is both a file and a directory", crate::shortened(file))));
            }
        }
        Ok(())
    }

    fn read_metadata(&mut self) -> Result<Vec<u8>, ArchiveError> {
        let path = self.path("METADATA");
        match self.places.get(&path) {
            Some(&index) => self.zip.read_small(index, METADATA_LIMIT),
            None => Err(ArchiveError::Refused(format!("Wheel '{}' does not contain the required METADATA file: {path}", self.filename))),
        }
    }

    fn check_licenses(&self, metadata: &CoreMetadata) -> Result<(), ArchiveError> {
        for license in &metadata.license_file {
            let path = self.path(&format!("licenses/{license}"));
            if !self.places.contains_key(&path) {
                return Err(ArchiveError::Refused(format!(
                    "License-File {license} does not exist in distribution file {} at {path}",
                    self.filename
                )));
            }
        }
        Ok(())
    }

    fn record(&mut self) -> Result<Record, ArchiveError> {
        let path = self.path("RECORD");
        let missing = format!("Wheel '{}' does not contain the required RECORD file: {path}", self.filename);
        let Some(&index) = self.places.get(&path) else { return Err(ArchiveError::Refused(missing)) };
        let bytes = self.zip.read_small(index, RECORD_LIMIT)?;
        Record::parse(&bytes).map_err(|error| match error {
            RecordError::Unreadable => ArchiveError::Refused(missing),
            RecordError::BadHash(file) => self.lies(&file, "has a hash that is not sha256, sha384 or sha512"),
            RecordError::Contradiction(file) => self.lies(&file, "is listed twice with different hashes or sizes"),
        })
    }

    fn lies(&self, file: &str, how: &str) -> ArchiveError {
        let file = crate::shortened(file);
        ArchiveError::invalid(format!("RECORD of wheel '{}' does not fit its files: '{file}' {how}", self.filename))
    }

    /// RECORD and its signatures are in no position to be listed with a hash.
    fn is_exempt(&self, name: &str) -> bool {
        ["RECORD", "RECORD.jws", "RECORD.p7s"].iter().any(|exempt| name == self.path(exempt))
    }

    /// Reads every file once: RECORD lists exactly the files there are, with their sizes and hashes.
    fn check_record(&mut self) -> Result<(), ArchiveError> {
        let mut record = self.record()?;
        for index in 0..self.zip.members.len() {
            let (name, size) = (self.zip.members[index].name.clone(), self.zip.members[index].unpacked);
            let listed = record.rows.get_mut(&name);
            if self.zip.members[index].is_directory() || (listed.is_none() && self.is_exempt(&name)) {
                self.zip.read(index, &mut |_| {})?;
                continue;
            }
            let Some(row) = listed else {
                let how = if record.unhashed.contains(&name) { "is listed without a hash" } else { "is not listed" };
                return Err(self.lies(&name, how));
            };
            let mut hasher = row.hasher();
            self.zip.read(index, &mut |chunk| hasher.update(chunk))?;
            row.found = row.fits(size, hasher);
            if !row.found {
                return Err(self.lies(&name, "has another hash or size"));
            }
        }
        let listed = record.rows.iter().filter(|(_, row)| !row.found).map(|(name, _)| name);
        let unhashed = record.unhashed.iter().filter(|name| !self.is_exempt(name));
        match listed.chain(unhashed).filter(|name| !self.is_exempt(name)).min() {
            Some(name) => Err(self.lies(name, "is listed but not there")),
            None => Ok(()),
        }
    }

    fn check_entry_points(&mut self) -> Result<(), ArchiveError> {
        let path = self.path("entry_points.txt");
        let Some(&index) = self.places.get(&path) else { return Ok(()) };
        if entry_points::are_valid(&self.zip.read_small(index, SMALL_LIMIT)?) {
            return Ok(());
        }
        Err(ArchiveError::Refused(format!("Wheel '{}' has invalid entry points defined in the entry_points.txt file", self.filename)))
    }
}
