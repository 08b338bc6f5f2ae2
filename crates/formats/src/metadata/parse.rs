//! Reads METADATA and PKG-INFO. Strict where two readers could understand different things; Python's own reader and
//! the Rust ones disagree on bare carriage returns and on lines that are no header, so both are refused.

use std::collections::BTreeMap;

use super::{CoreMetadata, FIELDS, Field, MetadataError, VERSIONS, is_absent};
use crate::quoted;

impl CoreMetadata {
    /// Reads the metadata of an archive: headers, an empty line, the description.
    ///
    /// `License-File` below metadata 2.4 is left out.
    ///
    /// # Source
    /// Core metadata specification; RFC 822 headers in UTF-8, without encoded words.
    ///
    /// # Errors
    /// [`MetadataError`] naming the field: not UTF-8, NUL, a line that is no header, a field given twice that is
    /// given once, an unknown metadata version, no name, no version.
    pub fn from_headers(bytes: &[u8]) -> Result<Self, MetadataError> {
        let text = std::str::from_utf8(bytes).map_err(|_| MetadataError::invalid("metadata", "The metadata is not valid UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.contains('\0') {
            return Err(MetadataError::invalid("metadata", "The metadata contains a NUL character"));
        }
        let (headers, body) = split_body(text);
        let mut metadata = Self::default();
        for (header, values) in read_headers(headers)? {
            let Some(field) = FIELDS.iter().find(|field| field.header == header) else { continue };
            if !field.many && values.len() > 1 {
                return Err(invalid_data(field));
            }
            metadata.set(field, values.into_iter().filter(|value| !is_absent(value)).collect());
        }
        if !is_absent(body) {
            metadata.description = Some(body.to_owned());
        }
        metadata.require()?;
        metadata.drop_early_license_files();
        Ok(metadata)
    }

    /// Build backends wrote `License-File` for years before metadata 2.4 gave it a meaning, and hatch and poetry send it.
    pub(super) fn drop_early_license_files(&mut self) {
        if !self.is_at_least("2.4") {
            self.license_file.clear();
        }
    }

    /// Refuses metadata that lacks what everything else depends on.
    pub(super) fn require(&self) -> Result<(), MetadataError> {
        for field in &FIELDS[..3] {
            if self.values(field).is_empty() {
                return Err(MetadataError::invalid(field.header, format!("'{}' is a required field", field.header)));
            }
        }
        if VERSIONS.contains(&self.metadata_version.as_str()) {
            return Ok(());
        }
        let message = format!("{} is not a valid metadata version", quoted(&crate::shortened(&self.metadata_version)));
        Err(MetadataError::invalid("metadata-version", message))
    }
}

pub(super) fn invalid_data(field: &Field) -> MetadataError {
    MetadataError::invalid(field.header, format!("'{}' has invalid data", field.form))
}

/// Splits at the first empty line, which belongs to neither part.
fn split_body(text: &str) -> (&str, &str) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line == "\n" || line == "\r\n" {
            return (&text[..start], &text[start + line.len()..]);
        }
        start += line.len();
    }
    (text, "")
}

fn read_headers(headers: &str) -> Result<BTreeMap<String, Vec<String>>, MetadataError> {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current: Option<String> = None;
    for (number, line) in headers.lines().enumerate() {
        if line.contains('\r') {
            return Err(MetadataError::invalid("metadata", format!("Line {} holds a bare carriage return", number + 1)));
        }
        if line.starts_with([' ', '\t']) {
            let name = current.as_ref().and_then(|name| fields.get_mut(name));
            let value = name.and_then(|values| values.last_mut()).ok_or_else(|| no_header(number, line))?;
            value.push('\n');
            value.push_str(without_margin(line));
            continue;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| no_header(number, line))?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(no_header(number, line));
        }
        let name = name.to_ascii_lowercase();
        fields.entry(name.clone()).or_default().push(value.trim().to_owned());
        current = Some(name);
    }
    Ok(fields)
}

fn no_header(number: usize, line: &str) -> MetadataError {
    let line = quoted(&crate::shortened(line));
    MetadataError::invalid("metadata", format!("Line {} is neither a header nor its continuation: {line}", number + 1))
}

/// Takes off what the writer put before a continued line: eight spaces, or seven and a bar, or any lone margin.
fn without_margin(line: &str) -> &str {
    let eight = line.strip_prefix("        ").or_else(|| line.strip_prefix("       |"));
    eight.unwrap_or_else(|| line.trim_start_matches([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINIMAL: &str = "Metadata-Version: 2.4\nName: Demo\nVersion: 1.0\n";

    fn read(rest: &str) -> Result<CoreMetadata, MetadataError> {
        CoreMetadata::from_headers(format!("{MINIMAL}{rest}").as_bytes())
    }

    fn refused(bytes: &[u8]) -> (String, String) {
        let error = CoreMetadata::from_headers(bytes).unwrap_err();
        (error.field, error.message)
    }

    #[test]
    fn metadata_in_another_encoding_is_refused() {
        let utf16: Vec<u8> = MINIMAL.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(refused(&utf16).0, "metadata");
        assert!(refused(b"Metadata-Version: 2.1\nName: a\nVersion: 1\nAuthor: J\xf6rg\n").1.contains("not valid UTF-8"));
        assert!(refused(b"Metadata-Version: 2.1\nName: a\nVersion: 1\n\nbody\0").1.contains("NUL"));
    }

    #[test]
    fn a_field_given_twice_that_is_given_once_is_refused() {
        for (header, field) in [("Name: other", "name"), ("version: 2", "version"), ("Metadata-Version: 2.1", "metadata-version")] {
            let error = read(&format!("{header}\n")).unwrap_err();
            assert_eq!(error.field, field);
            assert!(error.message.contains("has invalid data"), "{}", error.message);
        }
        assert!(read("Summary: a\nSUMMARY: b\n").is_err());
        assert!(read("Classifier: a\nClassifier: b\n").is_ok());
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for rest in ["no header here\n", "Summary: a\rName: evil\n", "a b: c\n", ": x\n", "Näme: x\n"] {
            assert!(read(rest).is_err(), "{rest:?}");
        }
        assert!(CoreMetadata::from_headers(b" Name: a\nVersion: 1\n").is_err());
    }

    #[test]
    fn metadata_without_name_version_or_known_metadata_version_is_refused() {
        assert_eq!(refused(b"Name: a\nVersion: 1\n").0, "metadata-version");
        assert_eq!(refused(b"Metadata-Version: 2.1\nVersion: 1\n").0, "name");
        assert_eq!(refused(b"Metadata-Version: 2.1\nName: UNKNOWN\nVersion: 1\n").0, "name");
        assert_eq!(refused(b"Metadata-Version: 2.1\nName: a\n").0, "version");
        for version in ["2.0", "2.6", "3.0", "1", "2.10"] {
            let text = format!("Metadata-Version: {version}\nName: a\nVersion: 1\n");
            assert_eq!(refused(text.as_bytes()).0, "metadata-version");
        }
        assert_eq!(refused(b"").0, "metadata-version");
    }

    #[test]
    fn the_body_is_the_description_and_wins_over_the_field() {
        assert_eq!(read("\nA body\n\nwith lines\n").unwrap().description.unwrap(), "A body\n\nwith lines\n");
        assert_eq!(read("Description: field\n\nbody").unwrap().description.unwrap(), "body");
        assert_eq!(read("Description: one\n        two\n       |  three\n").unwrap().description.unwrap(), "one\ntwo\n  three");
        assert_eq!(read("\n").unwrap().description, None);
        assert_eq!(read("\r\nbody").unwrap().description.unwrap(), "body");
    }

    #[test]
    fn unknown_and_empty_values_are_absent() {
        let metadata = read("Summary: UNKNOWN\nHome-page: \nPlatform: UNKNOWN\nPlatform: any\nX-Other: y\n").unwrap();
        assert_eq!((metadata.summary, metadata.home_page), (None, None));
        assert_eq!(metadata.platform, ["any"]);
    }

    #[test]
    fn license_files_of_old_metadata_are_left_out() {
        let old = b"Metadata-Version: 2.1\nName: a\nVersion: 1\nLicense-File: LICENSE\n";
        assert!(CoreMetadata::from_headers(old).unwrap().license_file.is_empty());
        assert_eq!(read("License-File: LICENSE\n").unwrap().license_file, ["LICENSE"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = CoreMetadata::from_headers(&bytes);
        }

        #[test]
        fn no_header_text_makes_the_reader_panic(text in "((Name|Version|Summary|X)[: ]{0,2}[ -é\\n\\r\\t]{0,12}\\n){0,6}") {
            let _ = read(&text);
        }
    }
}
