//! Core metadata, versions 1.0 to 2.5: the fields, how they are read from an archive and from an upload form, what
//! makes them valid, and whether form and archive say the same. The archive's own words are what is published.

mod agree;
mod classifiers;
mod form;
mod parse;
mod validate;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use agree::disagreement;
pub use form::{FormError, UploadForm};
pub use validate::validate;

/// The metadata versions accepted, oldest first.
pub const VERSIONS: [&str; 8] = ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"];

const HELP: &str = "See https://packaging.python.org/specifications/core-metadata for more information.";
const HELP_LOCAL: &str =
    "See https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers for more information.";

/// Metadata is not valid, or not what it has to agree with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct MetadataError {
    /// The field as the specification writes it, in lower case: `requires-dist`.
    pub field: String,
    /// The whole answer to the client.
    pub message: String,
}

impl MetadataError {
    fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }

    /// A rule of the specification is broken: the message ends with where to read it.
    fn invalid(field: &str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if !message.ends_with('.') {
            message.push('.');
        }
        let help = if message.starts_with("The use of local versions") { HELP_LOCAL } else { HELP };
        Self::new(field, format!("{message} {help}"))
    }

    /// The place of a field in the order in which one of several errors is chosen.
    fn rank(&self) -> (usize, &str) {
        let first = ["metadata-version", "name", "version"];
        (first.iter().position(|field| *field == self.field).unwrap_or(first.len()), &self.field)
    }
}

/// One field of the specification.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its key in the upload form: `requires_dist`.
    pub(crate) form: &'static str,
    /// Its header in METADATA, lower case: `requires-dist`.
    pub(crate) header: &'static str,
    /// The metadata version that introduced it.
    pub(crate) since: &'static str,
    /// Whether it may be given more than once.
    pub(crate) many: bool,
}

macro_rules! core_metadata {
    (
        required { $($(#[doc = $rdoc:expr])* $required:ident $rheader:literal $rsince:literal;)* }
        one { $($(#[doc = $odoc:expr])* $one:ident $oheader:literal $osince:literal;)* }
        many { $($(#[doc = $mdoc:expr])* $many:ident $mheader:literal $msince:literal;)* }
    ) => {
        /// A distribution's metadata; text as written, unfolded, absent and empty being the same.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct CoreMetadata {
            $($(#[doc = $rdoc])* pub $required: String,)*
            $($(#[doc = $odoc])* pub $one: Option<String>,)*
            $($(#[doc = $mdoc])* pub $many: Vec<String>,)*
        }

        /// All fields, in the order of the struct.
        pub(crate) static FIELDS: &[Field] = &[
            $(Field { form: stringify!($required), header: $rheader, since: $rsince, many: false },)*
            $(Field { form: stringify!($one), header: $oheader, since: $osince, many: false },)*
            $(Field { form: stringify!($many), header: $mheader, since: $msince, many: true },)*
        ];

        impl CoreMetadata {
            /// The values of a field; none when it is absent.
            pub(crate) fn values(&self, field: &Field) -> Vec<&str> {
                match field.form {
                    $(stringify!($required) => Some(self.$required.as_str()).filter(|v| !v.is_empty()).into_iter().collect(),)*
                    $(stringify!($one) => self.$one.as_deref().into_iter().collect(),)*
                    $(stringify!($many) => self.$many.iter().map(String::as_str).collect(),)*
                    _ => Vec::new(),
                }
            }

            /// Sets a field; of a field that is given once, the first value counts.
            pub(crate) fn set(&mut self, field: &Field, values: Vec<String>) {
                match field.form {
                    $(stringify!($required) => self.$required = values.into_iter().next().unwrap_or_default(),)*
                    $(stringify!($one) => self.$one = values.into_iter().next(),)*
                    $(stringify!($many) => self.$many = values,)*
                    _ => {}
                }
            }
        }
    };
}

core_metadata! {
    required {
        /// `Metadata-Version`, one of [`VERSIONS`] once validated.
        metadata_version "metadata-version" "1.0";
        /// `Name`, as written.
        name "name" "1.0";
        /// `Version`, as written.
        version "version" "1.0";
    }
    one {
        /// `Summary`: one line.
        summary "summary" "1.0";
        /// The body of METADATA, or the field `Description`.
        description "description" "1.0";
        /// `Description-Content-Type`.
        description_content_type "description-content-type" "2.1";
        /// `Keywords`, as written: with commas or spaces.
        keywords "keywords" "1.0";
        /// `Home-Page`.
        home_page "home-page" "1.0";
        /// `Download-URL`.
        download_url "download-url" "1.1";
        /// `Author`.
        author "author" "1.0";
        /// `Author-Email`.
        author_email "author-email" "1.0";
        /// `Maintainer`.
        maintainer "maintainer" "1.2";
        /// `Maintainer-Email`.
        maintainer_email "maintainer-email" "1.2";
        /// `License`: free text.
        license "license" "1.0";
        /// `License-Expression`: SPDX.
        license_expression "license-expression" "2.4";
        /// `Requires-Python`.
        requires_python "requires-python" "1.2";
    }
    many {
        /// `Platform`.
        platform "platform" "1.0";
        /// `Supported-Platform`.
        supported_platform "supported-platform" "1.1";
        /// `Classifier`.
        classifiers "classifier" "1.1";
        /// `Requires-Dist`.
        requires_dist "requires-dist" "1.2";
        /// `Requires-External`.
        requires_external "requires-external" "1.2";
        /// `Project-URL`, each `Label, URL`.
        project_urls "project-url" "1.2";
        /// `Provides-Extra`.
        provides_extra "provides-extra" "2.1";
        /// `Provides-Dist`.
        provides_dist "provides-dist" "1.2";
        /// `Obsoletes-Dist`.
        obsoletes_dist "obsoletes-dist" "1.2";
        /// `License-File`, relative to the licences' directory.
        license_file "license-file" "2.4";
        /// `Dynamic`.
        dynamic "dynamic" "2.2";
        /// `Import-Name`.
        import_name "import-name" "2.5";
        /// `Import-Namespace`.
        import_namespace "import-namespace" "2.5";
        /// `Requires`, superseded.
        requires "requires" "1.1";
        /// `Provides`, superseded.
        provides "provides" "1.1";
        /// `Obsoletes`, superseded.
        obsoletes "obsoletes" "1.1";
    }
}

impl CoreMetadata {
    /// Whether the declared metadata version is this one or a newer one; unknown versions are older than all.
    pub fn is_at_least(&self, version: &str) -> bool {
        let age = |wanted: &str| VERSIONS.iter().position(|known| *known == wanted);
        age(&self.metadata_version).is_some_and(|own| Some(own) >= age(version))
    }

    /// The labels and addresses of `Project-URL`; a value without a comma has an empty address.
    pub fn labelled_urls(&self) -> Vec<(&str, &str)> {
        let split = |line: &'_ str| -> (usize, usize) { line.find(',').map_or((line.len(), line.len()), |at| (at, at + 1)) };
        self.project_urls
            .iter()
            .map(|line| {
                let (end, start) = split(line);
                (line[..end].trim(), line[start..].trim())
            })
            .collect()
    }
}

/// `UNKNOWN` is what distutils wrote for what it did not know.
fn is_absent(value: &str) -> bool {
    let value = value.trim();
    value.is_empty() || value == "UNKNOWN"
}
