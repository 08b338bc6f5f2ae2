//! The text fields of an upload request, as clients really send them. The file part and `:action` are the caller's.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::parse::invalid_data;
use super::{CoreMetadata, FIELDS, Field, MetadataError, is_absent};
use crate::filename::FileKind;
use crate::hash::ClaimedDigests;
use crate::name::ProjectName;
use crate::{quoted, shortened};

/// What an upload request says about its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadForm {
    /// The core metadata fields; not yet validated.
    pub metadata: CoreMetadata,
    /// The field `filetype`.
    pub filetype: FileKind,
    /// The field `pyversion`; `source` for every sdist.
    pub pyversion: String,
    /// The field `comment`.
    pub comment: Option<String>,
    /// The digests the file has to have: SHA-256 or BLAKE2b-256 at least.
    pub digests: ClaimedDigests,
}

/// Why an upload form is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FormError {
    /// The key of the form, where one is to blame.
    pub field: Option<String>,
    /// The whole answer to the client.
    pub message: String,
}

impl From<MetadataError> for FormError {
    fn from(error: MetadataError) -> Self {
        Self { field: Some(error.field), message: error.message }
    }
}

fn invalid(field: &str, why: &str) -> FormError {
    FormError { field: Some(field.to_owned()), message: format!("Invalid value for {field}. Error: {why}") }
}

impl UploadForm {
    /// Reads the text fields of a request, in any order; unknown ones are ignored.
    ///
    /// Values that are `UNKNOWN` or empty count as absent, and a NUL becomes the four characters `\x00`; `license_file`
    /// below metadata 2.4 is left out.
    ///
    /// # Errors
    /// [`FormError`]: protocol version, name, the other form fields by name, digests, then the structure of the
    /// metadata. What the metadata says is judged by [`super::validate`].
    pub fn from_fields(fields: Vec<(String, String)>) -> Result<Self, FormError> {
        let fields: Vec<(String, String)> = fields
            .into_iter()
            .filter(|(_, value)| !is_absent(value))
            .map(|(key, value)| (key, if value.contains('\0') { value.replace('\0', "\\x00") } else { value }))
            .collect();
        let form = Fields(&fields);
        if form.all("protocol_version").any(|version| version != "1") {
            let message = "Unknown protocol version.".to_owned();
            return Err(FormError { field: Some("protocol_version".to_owned()), message });
        }
        form.check_name()?;
        let blake2_256 = form.digest("blake2_256_digest", 64, "BLAKE2")?;
        let comment = form.one("comment")?;
        let filetype = form.one("filetype")?.ok_or_else(|| invalid("filetype", "This field is required."))?;
        let filetype = FileKind::from_packagetype(&filetype).ok_or_else(|| invalid("filetype", "Use a known file type."))?;
        let md5 = form.digest("md5_digest", 32, "MD5")?;
        let pyversion = form.one("pyversion")?;
        let sha256 = form.digest("sha256_digest", 64, "SHA256")?;
        let pyversion = judge_pyversion(filetype, pyversion)?;
        if sha256.is_none() && blake2_256.is_none() {
            return Err(FormError { field: None, message: "Error: Include at least one message digest.".to_owned() });
        }
        let metadata = form.metadata()?;
        Ok(Self { metadata, filetype, pyversion, comment, digests: ClaimedDigests { md5, sha256, blake2_256 } })
    }
}

fn judge_pyversion(filetype: FileKind, pyversion: Option<String>) -> Result<String, FormError> {
    match (filetype, pyversion) {
        (FileKind::Wheel, Some(version)) => Ok(version),
        (FileKind::Wheel, None) => Err(invalid("pyversion", "Python version is required for binary distribution uploads.")),
        (FileKind::Sdist, None) => Ok("source".to_owned()),
        (FileKind::Sdist, Some(version)) if version == "source" => Ok(version),
        (FileKind::Sdist, Some(_)) => Err(invalid("pyversion", "Use 'source' as Python version for an sdist.")),
    }
}

/// The fields that are not absent, in the order of the request.
struct Fields<'a>(&'a [(String, String)]);

impl<'a> Fields<'a> {
    fn all(&self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn one(&self, key: &'a str) -> Result<Option<String>, FormError> {
        let mut values = self.all(key);
        let first = values.next().map(str::to_owned);
        if values.next().is_some() { Err(invalid(key, "Give this field once.")) } else { Ok(first) }
    }

    fn digest(&self, key: &'a str, length: usize, kind: &str) -> Result<Option<String>, FormError> {
        let digest = self.one(key)?;
        let is_hex = |digest: &String| digest.len() == length && digest.bytes().all(|b| b.is_ascii_hexdigit());
        match digest {
            Some(digest) if !is_hex(&digest) => Err(invalid(key, &format!("Use a valid, hex-encoded, {kind} message digest."))),
            digest => Ok(digest),
        }
    }

    fn check_name(&self) -> Result<(), FormError> {
        let name = self.all("name").next().unwrap_or_default();
        let why = match ProjectName::parse(name) {
            Ok(_) => return Ok(()),
            Err(_) if name.is_empty() => "This field is required.".to_owned(),
            Err(error) => error.to_string(),
        };
        let shown = quoted(&shortened(name));
        let message = format!("{shown} is an invalid value for Name. Error: {why} {}", super::HELP);
        Err(FormError { field: Some("name".to_owned()), message })
    }

    fn metadata(&self) -> Result<CoreMetadata, MetadataError> {
        let mut metadata = CoreMetadata::default();
        let mut errors: Vec<MetadataError> = Vec::new();
        for field in FIELDS {
            let values = self.values(field);
            if !field.many && values.len() > 1 {
                errors.push(invalid_data(field));
            }
            metadata.set(field, values);
        }
        errors.sort_by(|a, b| a.rank().cmp(&b.rank()));
        errors.into_iter().next().map_or(Ok(()), Err)?;
        metadata.require()?;
        metadata.drop_early_license_files();
        Ok(metadata)
    }

    fn values(&self, field: &Field) -> Vec<String> {
        let mut values: Vec<String> = self.all(field.form).map(str::to_owned).collect();
        if field.form == "provides_extra" {
            // pdm's spelling.
            values.extend(self.all("provides_extras").map(str::to_owned));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields(changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let sha256 = "AB".repeat(32);
        let base = [
            ("name", "Demo"),
            ("version", "1.0"),
            ("metadata_version", "2.1"),
            ("filetype", "bdist_wheel"),
            ("pyversion", "py3"),
            ("protocol_version", "1"),
            ("sha256_digest", sha256.as_str()),
        ];
        let kept = base.iter().filter(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
        kept.chain(changes).map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    fn refused(changes: &[(&str, &str)]) -> String {
        UploadForm::from_fields(fields(changes)).unwrap_err().message
    }

    #[test]
    fn an_unknown_protocol_version_is_refused_first() {
        assert_eq!(refused(&[("protocol_version", "2"), ("name", "-")]), "Unknown protocol version.");
        assert!(UploadForm::from_fields(fields(&[("protocol_version", "")])).is_ok());
    }

    #[test]
    fn a_missing_or_bad_name_is_refused_in_the_words_clients_know() {
        assert!(refused(&[("name", "")]).starts_with("'' is an invalid value for Name. Error: This field is required. See"));
        assert!(refused(&[("name", "-x")]).starts_with("'-x' is an invalid value for Name. Error: Start and end with a letter"));
        let long = "x y".repeat(40);
        assert!(refused(&[("name", &long)]).starts_with("'x yx yx yx yx yx yx yx yx yx y...x y"));
    }

    #[test]
    fn a_file_type_that_is_not_accepted_is_refused() {
        assert_eq!(refused(&[("filetype", "bdist_egg")]), "Invalid value for filetype. Error: Use a known file type.");
        assert_eq!(refused(&[("filetype", "")]), "Invalid value for filetype. Error: This field is required.");
        assert!(refused(&[("filetype", "sdist"), ("filetype", "bdist_wheel")]).starts_with("Invalid value for filetype."));
    }

    #[test]
    fn pyversion_is_required_for_wheels_and_source_for_sdists() {
        assert!(refused(&[("pyversion", "")]).ends_with("Python version is required for binary distribution uploads."));
        assert!(refused(&[("filetype", "sdist")]).ends_with("Use 'source' as Python version for an sdist."));
        let form = UploadForm::from_fields(fields(&[("filetype", "sdist"), ("pyversion", "")])).unwrap();
        assert_eq!(form.pyversion, "source");
    }

    #[test]
    fn a_form_without_a_strong_digest_is_refused() {
        assert_eq!(refused(&[("sha256_digest", "")]), "Error: Include at least one message digest.");
        let only_md5 = [("sha256_digest", ""), ("md5_digest", "900150983cd24fb0d6963f7d28e17f72")];
        assert_eq!(refused(&only_md5), "Error: Include at least one message digest.");
        for (key, value) in [("sha256_digest", "abc"), ("blake2_256_digest", "x"), ("md5_digest", "=="), ("sha256_digest", &"g".repeat(64))]
        {
            assert!(refused(&[(key, value)]).contains("Use a valid, hex-encoded,"), "{key}");
        }
        let blake2 = "0f".repeat(32);
        assert!(UploadForm::from_fields(fields(&[("sha256_digest", ""), ("blake2_256_digest", &blake2)])).is_ok());
    }

    #[test]
    fn a_single_field_given_twice_is_refused() {
        assert!(refused(&[("summary", "a"), ("summary", "b")]).starts_with("'summary' has invalid data."));
        assert!(refused(&[("version", "1"), ("version", "2"), ("author", "a"), ("author", "b")]).starts_with("'version' has"));
        assert!(refused(&[("name", "Demo"), ("name", "other")]).starts_with("'name' has invalid data."));
    }

    #[test]
    fn metadata_without_version_is_refused() {
        assert!(refused(&[("version", "UNKNOWN")]).starts_with("'version' is a required field."));
        assert!(refused(&[("metadata_version", "")]).starts_with("'metadata-version' is a required field."));
        assert!(refused(&[("metadata_version", "9")]).starts_with("'9' is not a valid metadata version."));
    }

    #[test]
    fn what_real_clients_send_is_read() {
        let form = UploadForm::from_fields(fields(&[
            (":action", "file_upload"),
            ("summary", "UNKNOWN "),
            ("home_page", ""),
            ("comment", "a\0b"),
            ("provides_extras", "x"),
            ("provides_extra", "y"),
            ("platform", "linux"),
            ("platform", "win32"),
            ("classifiers", "a"),
            ("classifiers", "b"),
            ("gpg_signature", "ignored"),
        ]))
        .unwrap();
        assert_eq!((form.metadata.summary, form.metadata.home_page), (None, None));
        assert_eq!(form.comment.as_deref(), Some("a\\x00b"));
        assert_eq!(form.metadata.provides_extra, ["y", "x"]);
        assert_eq!(form.metadata.platform, ["linux", "win32"]);
        assert_eq!(form.metadata.classifiers, ["a", "b"]);
        assert_eq!(form.digests.sha256.unwrap(), "AB".repeat(32));
    }

    #[test]
    fn license_files_of_old_metadata_are_left_out() {
        let form = |version: &str| UploadForm::from_fields(fields(&[("metadata_version", version), ("license_file", "LICENSE")])).unwrap();
        assert!(form("2.1").metadata.license_file.is_empty());
        assert_eq!(form("2.4").metadata.license_file, ["LICENSE"]);
    }

    proptest! {
        #[test]
        fn no_form_makes_the_reader_panic(pairs in proptest::collection::vec(("(name|version|filetype|md5_digest|keywords|x)", "\\PC{0,12}"), 0..8)) {
            let _ = UploadForm::from_fields(pairs);
        }
    }
}
