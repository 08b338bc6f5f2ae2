//! The rules of the core metadata specification and those PyPI adds. Several may be broken at once; one error is
//! answered: metadata version first, then name, version, and the rest by field.

use super::{CoreMetadata, FIELDS, MetadataError, classifiers};
use crate::name::{self, ProjectName};
use crate::requirement::{Requirement, parse_specifiers};
use crate::version::Version;
use crate::{contact, license, quoted, shortened};

const SUMMARY_LIMIT: usize = 512;
const LABEL_LIMIT: usize = 32;

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
    "while", "with", "yield",
];

type Errors = Vec<MetadataError>;

/// Checks every rule of metadata that can be checked without the archive.
///
/// # Source
/// Core metadata specification; PEP 508, 621 (labels), 639, 643, 685, 794; PyPI's own limits.
///
/// # Errors
/// [`MetadataError`], the most important one.
pub fn validate(metadata: &CoreMetadata) -> Result<(), MetadataError> {
    metadata.require()?;
    let mut errors = Errors::new();
    check_identity(metadata, &mut errors);
    check_ages(metadata, &mut errors);
    check_texts(metadata, &mut errors);
    check_dependencies(metadata, &mut errors);
    check_contacts(metadata, &mut errors);
    check_license(metadata, &mut errors);
    check_names(metadata, &mut errors);
    errors.sort_by(|a, b| a.rank().cmp(&b.rank()));
    errors.into_iter().next().map_or(Ok(()), Err)
}

fn add(errors: &mut Errors, field: &str, message: impl Into<String>) {
    errors.push(MetadataError::invalid(field, message));
}

fn shown(value: &str) -> String {
    quoted(&shortened(value))
}

fn check_identity(metadata: &CoreMetadata, errors: &mut Errors) {
    if let Err(error) = ProjectName::parse(&metadata.name) {
        add(errors, "name", format!("{} is an invalid value for Name. Error: {error}", shown(&metadata.name)));
    }
    match Version::parse(&metadata.version) {
        Err(_) => add(errors, "version", format!("{} is invalid for 'version'", shown(&metadata.version))),
        Ok(version) if version.is_local() => {
            add(errors, "version", format!("The use of local versions in '{version}' is not allowed."));
        }
        Ok(_) => {}
    }
}

/// A field may not be newer than the metadata version that is declared.
fn check_ages(metadata: &CoreMetadata, errors: &mut Errors) {
    for field in FIELDS {
        if !metadata.values(field).is_empty() && !metadata.is_at_least(field.since) {
            let message = format!("{} introduced in metadata version {}, not {}", field.header, field.since, metadata.metadata_version);
            add(errors, field.header, message);
        }
    }
}

fn check_texts(metadata: &CoreMetadata, errors: &mut Errors) {
    if let Some(summary) = &metadata.summary {
        if summary.contains('\n') {
            add(errors, "summary", "'summary' must be a single line");
        } else if summary.chars().count() > SUMMARY_LIMIT {
            add(errors, "summary", format!("'summary' field must be {SUMMARY_LIMIT} characters or less."));
        }
    }
    if let Some(complaint) = metadata.description_content_type.as_deref().and_then(content_type_complaint) {
        add(errors, "description-content-type", complaint);
    }
    let mut classifiers: Vec<&String> = metadata.classifiers.iter().collect();
    classifiers.sort();
    if let Some(complaint) = classifiers.into_iter().find_map(|classifier| classifiers::complaint(classifier)) {
        add(errors, "classifier", complaint);
    }
}

/// What is wrong with a content type: three types, UTF-8 only, two variants of Markdown.
fn content_type_complaint(text: &str) -> Option<String> {
    let invalid = || Some(format!("{} is not a valid content type for 'description-content-type'", shown(text)));
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !["text/plain", "text/x-rst", "text/markdown"].contains(&media_type.as_str()) {
        let known = "['text/plain', 'text/x-rst', 'text/markdown']";
        return Some(format!("'description-content-type' must be one of {known}, not {}", shown(text)));
    }
    let mut seen = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let Some((key, value)) = part.split_once('=') else { return invalid() };
        let key = key.trim().to_ascii_lowercase();
        let value = value.trim().trim_matches('"');
        if seen.contains(&key) || value.is_empty() || value.chars().any(|c| c.is_control()) {
            return invalid();
        }
        if key == "charset" && !value.eq_ignore_ascii_case("utf-8") {
            let complaint = format!("'description-content-type' can only specify the UTF-8 charset, not {}", shown(value));
            return Some(complaint);
        }
        if key == "variant" && media_type == "text/markdown" && !["GFM", "CommonMark"].contains(&value) {
            let known = "['GFM', 'CommonMark']";
            return Some(format!("valid Markdown variants for 'description-content-type' are {known}, not {}", shown(value)));
        }
        seen.push(key);
    }
    None
}

fn check_dependencies(metadata: &CoreMetadata, errors: &mut Errors) {
    if let Some(text) = metadata.requires_python.as_deref().filter(|text| parse_specifiers(text).is_err()) {
        add(errors, "requires-python", format!("{} is invalid for 'requires-python'", shown(text)));
    }
    for (field, values) in [
        ("requires-dist", &metadata.requires_dist),
        ("provides-dist", &metadata.provides_dist),
        ("obsoletes-dist", &metadata.obsoletes_dist),
    ] {
        for text in values {
            match Requirement::parse(text) {
                Err(error) => add(errors, field, format!("{} is invalid for '{field}': {error}", shown(text))),
                Ok(requirement) if requirement.url.is_some() => {
                    add(errors, field, format!("Can't have direct dependency: {}", shortened(text)));
                }
                Ok(_) => {}
            }
        }
    }
}

fn check_contacts(metadata: &CoreMetadata, errors: &mut Errors) {
    let mails = [("author-email", &metadata.author_email), ("maintainer-email", &metadata.maintainer_email)];
    for (field, value) in mails {
        let address = value.as_deref().and_then(contact::first_address);
        if let Some(address) = address.filter(|address| !contact::is_address(address)) {
            add(errors, field, format!("{} is not a valid email address", shown(address)));
        }
    }
    for (field, value) in [("home-page", &metadata.home_page), ("download-url", &metadata.download_url)] {
        if let Some(address) = value.as_deref().filter(|address| !contact::is_web_address(address)) {
            add(errors, field, format!("{} is not a valid url.", shown(address)));
        }
    }
    let mut labels: Vec<&str> = Vec::new();
    for (label, address) in metadata.labelled_urls() {
        if labels.contains(&label) {
            add(errors, "project-url", "'project_urls' has invalid data: a label is given twice");
        } else if label.is_empty() {
            add(errors, "project-url", "Must have a label");
        } else if label.chars().count() > LABEL_LIMIT {
            add(errors, "project-url", format!("{} must be {LABEL_LIMIT} characters or less.", shown(label)));
        } else if address.is_empty() {
            add(errors, "project-url", "Must have a URL");
        } else if !contact::is_web_address(address) {
            add(errors, "project-url", format!("{} is not a valid url", shown(address)));
        }
        labels.push(label);
    }
}

fn check_license(metadata: &CoreMetadata, errors: &mut Errors) {
    if let Some(expression) = &metadata.license_expression {
        if metadata.license.is_some() {
            let message = "License is deprecated when License-Expression is present. Only License-Expression should be present.";
            add(errors, "license", message);
        }
        if let Err(error) = license::canonical_expression(expression) {
            add(errors, "license-expression", format!("{} is invalid for 'license-expression': {error}", shown(expression)));
        }
    }
    for path in &metadata.license_file {
        if let Some(why) = license_path_complaint(path) {
            add(errors, "license-file", format!("{} is invalid for 'license-file', {why}", shown(path)));
        }
    }
}

fn license_path_complaint(path: &str) -> Option<&'static str> {
    let has_drive = path.as_bytes().get(1) == Some(&b':') && path.starts_with(|c: char| c.is_ascii_alphabetic());
    let tidy = path.split('/').all(|part| !part.is_empty() && part != ".");
    if path.contains("..") {
        Some("parent directory indicators are not allowed")
    } else if path.contains('*') {
        Some("paths must be resolved")
    } else if path.starts_with(['/', '\\']) || has_drive {
        Some("paths must be relative")
    } else if path.contains('\\') || !tidy || path.chars().any(char::is_control) {
        Some("paths must use '/' delimiter")
    } else {
        None
    }
}

fn check_names(metadata: &CoreMetadata, errors: &mut Errors) {
    for extra in metadata.provides_extra.iter().filter(|extra| !name::is_identifier(extra)) {
        add(errors, "provides-extra", format!("{} is invalid for 'provides-extra'", shown(extra)));
    }
    for entry in &metadata.dynamic {
        let lower = entry.to_ascii_lowercase();
        if FIELDS[..3].iter().any(|field| field.header == lower) {
            add(errors, "dynamic", format!("{} is not allowed as a dynamic field", shown(&lower)));
        } else if !FIELDS.iter().any(|field| field.header == lower) {
            add(errors, "dynamic", format!("{} is not a valid dynamic field", shown(&lower)));
        }
    }
    for (field, values) in [("import-name", &metadata.import_name), ("import-namespace", &metadata.import_namespace)] {
        for value in values {
            if let Some(why) = import_name_complaint(value) {
                add(errors, field, format!("{} is invalid for '{field}'; {why}", shown(value)));
            }
        }
    }
}

/// What is wrong with `package.module; private`.
///
/// # Source
/// PEP 794.
fn import_name_complaint(text: &str) -> Option<String> {
    let (path, option) = match text.split_once(';') {
        Some((path, option)) => (path.trim_end(), Some(option.trim_start())),
        None => (text, None),
    };
    for part in path.split('.') {
        let starts = part.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !starts || !part.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Some(format!("{} is not a valid identifier", shown(part)));
        }
        if KEYWORDS.contains(&part) {
            return Some(format!("{} is a keyword", shown(part)));
        }
    }
    option.filter(|option| *option != "private").map(|_| "the only valid option is 'private'".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo(rest: &str) -> CoreMetadata {
        CoreMetadata::from_headers(format!("Metadata-Version: 2.5\nName: demo\nVersion: 1.0\n{rest}\n").as_bytes()).unwrap()
    }

    /// The field and the message refused for these headers.
    fn refused(rest: &str) -> (String, String) {
        match validate(&demo(rest)) {
            Err(error) => (error.field, error.message),
            Ok(()) => panic!("{rest:?} must be refused"),
        }
    }

    #[test]
    fn every_broken_rule_is_refused_by_its_field() {
        let vectors = include_str!("../../tests/vectors/metadata-refused.txt");
        let mut count = 0;
        for line in vectors.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (header, gist) = line.split_once(" => ").unwrap();
            let header = header.replace("{600}", &"x".repeat(600)).replace("\\n", "\n        ");
            let (field, message) = refused(&header);
            assert_eq!(field, header.split(':').next().unwrap().to_lowercase(), "{header}");
            assert!(message.contains(gist), "{header}: {message}");
            assert!(message.ends_with("for more information."), "{message}");
            count += 1;
        }
        assert!(count > 60, "{count}");
    }

    #[test]
    fn every_allowed_value_is_accepted() {
        let vectors = include_str!("../../tests/vectors/metadata-accepted.txt");
        for line in vectors.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            assert_eq!(validate(&demo(line)), Ok(()), "{line}");
        }
    }

    #[test]
    fn a_field_newer_than_the_declared_version_is_refused() {
        for (version, header, gist) in [
            ("1.0", "Classifier: Topic :: Utilities", "classifier introduced in metadata version 1.1, not 1.0"),
            ("1.1", "Requires-Python: >=3", "requires-python introduced in metadata version 1.2, not 1.1"),
            ("1.2", "Provides-Extra: a", "provides-extra introduced in metadata version 2.1, not 1.2"),
            ("2.1", "Dynamic: summary", "dynamic introduced in metadata version 2.2, not 2.1"),
            ("2.3", "License-Expression: MIT", "license-expression introduced in metadata version 2.4, not 2.3"),
            ("2.4", "Import-Name: demo", "import-name introduced in metadata version 2.5, not 2.4"),
        ] {
            let text = format!("Metadata-Version: {version}\nName: demo\nVersion: 1.0\n{header}\n");
            let error = validate(&CoreMetadata::from_headers(text.as_bytes()).unwrap()).unwrap_err();
            assert!(error.message.starts_with(gist), "{}", error.message);
        }
    }

    #[test]
    fn a_bad_name_or_version_is_refused_before_anything_else() {
        let mut metadata = demo("Summary: a\n        b");
        metadata.name = "-bad".to_owned();
        metadata.version = "nope".to_owned();
        assert_eq!(validate(&metadata).unwrap_err().field, "name");
        metadata.name = "good".to_owned();
        assert_eq!(validate(&metadata).unwrap_err().field, "version");
        metadata.version = "1.0+local".to_owned();
        let message = validate(&metadata).unwrap_err().message;
        assert!(message.starts_with("The use of local versions in '1.0+local' is not allowed. See "), "{message}");
        metadata.version = "1.0".to_owned();
        assert_eq!(validate(&metadata).unwrap_err().field, "summary");
        metadata.metadata_version = "2.0".to_owned();
        assert_eq!(validate(&metadata).unwrap_err().field, "metadata-version");
    }

    #[test]
    fn both_licence_fields_at_once_are_refused() {
        let (field, message) = refused("License: MIT\nLicense-Expression: MIT");
        assert_eq!(field, "license");
        assert!(message.starts_with("License is deprecated when License-Expression is present."));
    }
}
