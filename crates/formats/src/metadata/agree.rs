//! Whether an upload form says what the archive says. The archive decides what is published; a form that differs
//! comes from a broken client or from somebody who wants a reviewer to see something else.

use super::{CoreMetadata, FIELDS, Field, MetadataError};
use crate::requirement::{Requirement, parse_specifiers};
use crate::version::Version;
use crate::{name, quoted, shortened};

/// Fields that real clients leave out of the form although the archive has them: flit and pdm send no licence
/// expression, poetry no import names, older twine neither licence files nor dynamic fields.
const MAY_BE_LEFT_OUT: [&str; 11] = [
    "description",
    "license_expression",
    "license_file",
    "dynamic",
    "import_name",
    "import_namespace",
    "provides_extra",
    "project_urls",
    "requires",
    "provides",
    "obsoletes",
];

/// Finds the first field in which the form differs from the archive.
///
/// The metadata version may differ. Lists are compared without order, texts without regard to white space, names
/// normalized, versions by PEP 440, dependencies token by token.
pub fn disagreement(form: &CoreMetadata, archive: &CoreMetadata) -> Option<MetadataError> {
    let fields = FIELDS.iter().filter(|field| field.form != "metadata_version");
    fields.filter(|field| !agrees(field, form, archive)).map(|field| describe(field, form, archive)).next()
}

fn agrees(field: &Field, form: &CoreMetadata, archive: &CoreMetadata) -> bool {
    let (said, held) = (form.values(field), archive.values(field));
    if said.is_empty() && MAY_BE_LEFT_OUT.contains(&field.form) {
        return true;
    }
    if held.is_empty() && field.form == "provides" {
        // flit names its module here in the form only.
        return true;
    }
    let mut said: Vec<String> = said.into_iter().flat_map(|value| comparable(field, value)).collect();
    let mut held: Vec<String> = held.into_iter().flat_map(|value| comparable(field, value)).collect();
    said.sort();
    held.sort();
    said.dedup();
    held.dedup();
    said == held
}

/// The parts of a value that have to be found on the other side too.
fn comparable(field: &Field, value: &str) -> Vec<String> {
    let one = match field.form {
        "name" | "provides_extra" => name::normalize(value.trim()),
        "version" => Version::parse(value).map_or_else(|_| value.to_owned(), |version| version.canonical()),
        "dynamic" => value.trim().to_ascii_lowercase(),
        "requires_dist" => Requirement::parse(value).map_or_else(|_| squeezed(value), |parsed| parsed.to_string()),
        "requires_python" => parse_specifiers(value).map_or_else(|_| squeezed(value), |parsed| parsed.join(",")),
        "keywords" => {
            let words = value.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
            return words.map(str::to_owned).collect();
        }
        _ => squeezed(value),
    };
    vec![one]
}

/// A text without its white space: clients fold, unfold and re-wrap.
fn squeezed(value: &str) -> String {
    value.split_whitespace().collect()
}

fn describe(field: &Field, form: &CoreMetadata, archive: &CoreMetadata) -> MetadataError {
    let (said, held) = (form.values(field), archive.values(field));
    // Of a list only what the other side lacks is worth showing.
    let other = |value: &&str, side: &[&str]| {
        let wanted = comparable(field, value);
        !side.iter().any(|candidate| comparable(field, candidate) == wanted)
    };
    let said_alone: Vec<&str> = said.iter().copied().filter(|value| other(value, &held)).collect();
    let held_alone: Vec<&str> = held.iter().copied().filter(|value| other(value, &said)).collect();
    let show = |values: &[&str]| {
        if values.is_empty() { "nothing".to_owned() } else { quoted(&shortened(&values.join(", "))) }
    };
    let message = format!(
        "The form and the file disagree about {}: the form has {}, the file's own metadata {}. Upload the file with the metadata it contains.",
        quoted(field.header),
        show(&said_alone),
        show(&held_alone)
    );
    MetadataError::new(field.header, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo(rest: &str) -> CoreMetadata {
        CoreMetadata::from_headers(format!("Metadata-Version: 2.5\nName: De.mo\nVersion: 1.0\n{rest}").as_bytes()).unwrap()
    }

    fn differs(form: &str, archive: &str) -> Option<String> {
        disagreement(&demo(form), &demo(archive)).map(|error| error.field)
    }

    #[test]
    fn another_name_or_version_is_named() {
        let archive = demo("");
        for (change, field) in [("name", "name"), ("version", "version")] {
            let mut form = archive.clone();
            let slot = if change == "name" { &mut form.name } else { &mut form.version };
            *slot = "2".to_owned();
            let error = disagreement(&form, &archive).unwrap();
            assert_eq!(error.field, field);
            let start = format!("The form and the file disagree about '{field}': the form has '2', the file's own metadata '");
            assert!(error.message.starts_with(&start), "{}", error.message);
        }
    }

    #[test]
    fn a_dependency_on_one_side_only_is_a_disagreement_and_is_shown() {
        assert_eq!(differs("", "Requires-Dist: evil\n").as_deref(), Some("requires-dist"));
        assert_eq!(differs("Requires-Dist: evil\n", "").as_deref(), Some("requires-dist"));
        assert_eq!(differs("Requires-Dist: a>=1\n", "Requires-Dist: a>=2\n").as_deref(), Some("requires-dist"));
        assert_eq!(differs("Requires-Dist: a\n", "Requires-Dist: a; extra == 'x'\n").as_deref(), Some("requires-dist"));
        assert_eq!(differs("", "Requires-Python: >=3\n").as_deref(), Some("requires-python"));
        let error = disagreement(&demo("Requires-Dist: a\nRequires-Dist: b\n"), &demo("Requires-Dist: a\nRequires-Dist: evil\n"));
        assert!(error.unwrap().message.contains("the form has 'b', the file's own metadata 'evil'"));
    }

    #[test]
    fn fields_that_clients_always_send_must_be_there() {
        for line in [
            "Summary: x",
            "Author: x",
            "Author-Email: a@example.org",
            "License: MIT",
            "Classifier: Topic :: Utilities",
            "Home-Page: https://example.org",
            "Keywords: a",
            "Description-Content-Type: text/plain",
            "Maintainer: x",
            "Platform: any",
            "Obsoletes-Dist: a",
            "Provides-Dist: a",
            "Requires-External: a",
            "Download-URL: https://e.org",
        ] {
            assert!(differs("", &format!("{line}\n")).is_some(), "{line}");
            assert!(differs(&format!("{line}\n"), "").is_some(), "{line}");
        }
    }

    #[test]
    fn fields_that_clients_drop_may_be_missing_but_not_differ() {
        for (line, other) in [
            ("License-File: LICENSE", "License-File: COPYING"),
            ("Dynamic: summary", "Dynamic: keywords"),
            ("Import-Name: a", "Import-Name: b"),
            ("Provides-Extra: a", "Provides-Extra: b"),
            ("Project-URL: A, https://a.example", "Project-URL: A, https://b.example"),
            ("License-Expression: MIT", "License-Expression: ISC"),
            ("\nbody", "\nother"),
        ] {
            assert_eq!(differs("", &format!("{line}\n")), None, "{line}");
            assert!(differs(&format!("{other}\n"), &format!("{line}\n")).is_some(), "{line}");
            assert!(differs(&format!("{line}\n"), "").is_some(), "{line}");
        }
        assert_eq!(differs("Provides: demo\n", ""), None);
    }

    #[test]
    fn spellings_that_mean_the_same_agree() {
        for (form, archive) in [
            ("Classifier: b\nClassifier: a\n", "Classifier: a\nClassifier: b\n"),
            ("Keywords: a, b,c\n", "Keywords: c b a\n"),
            ("\nA  body\r\nwith lines\r\n\r\n", "\nA body\nwith lines"),
            ("Description: A body\n        with lines\n", "\nA body\nwith lines\n"),
            ("Requires-Dist: Foo.Bar [x] (>=1, <2) ; os_name == \"nt\"\n", "Requires-Dist: foo-bar[x]<2,>=1; os_name=='nt'\n"),
            ("Requires-Python: >=3.8,<4\n", "Requires-Python: <4, >=3.8\n"),
            ("Author-Email: A <a@example.org>, B <b@example.org>\n", "Author-Email: A <a@example.org>,\n        B <b@example.org>\n"),
            ("Provides-Extra: A_b\n", "Provides-Extra: a-b\n"),
            ("Dynamic: Summary\n", "Dynamic: summary\n"),
        ] {
            assert_eq!(differs(form, archive), None, "{form:?}");
        }
        let mut form = demo("");
        form.metadata_version = "2.1".to_owned();
        form.name = "de_mo".to_owned();
        form.version = "1".to_owned();
        assert_eq!(disagreement(&form, &demo("")), None);
    }
}
