//! The list of trove classifiers, with the deprecated ones and what replaces them.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Classifiers; a deprecated one leads to its replacements.
static CLASSIFIERS: LazyLock<HashMap<&str, Option<Vec<&str>>>> = LazyLock::new(|| {
    let lines = include_str!("../../data/classifiers.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| match line.split_once('\t') {
            Some((name, "")) => (name, Some(Vec::new())),
            Some((name, replacements)) => (name, Some(replacements.split(" | ").collect())),
            None => (line, None),
        })
        .collect()
});

/// Says what is wrong with a classifier, if anything.
pub(super) fn complaint(classifier: &str) -> Option<String> {
    let shown = crate::quoted(&crate::shortened(classifier));
    match CLASSIFIERS.get(classifier) {
        None => Some(format!("{shown} is not a valid classifier.")),
        Some(None) => None,
        Some(Some(replacements)) if replacements.is_empty() => Some(format!("The classifier {shown} has been deprecated.")),
        Some(Some(replacements)) => {
            let list: Vec<String> = replacements.iter().map(|name| crate::quoted(name)).collect();
            Some(format!("The classifier {shown} has been deprecated, use one of [{}] instead.", list.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classifier_not_on_the_list_is_refused() {
        for bad in ["", "Nope", "private :: do not upload", "Private :: Do Not Upload", "License :: OSI Approved :: MIT License "] {
            assert!(complaint(bad).unwrap().contains("is not a valid classifier."), "{bad}");
        }
        assert_eq!(complaint("License :: OSI Approved :: MIT License"), None);
        assert_eq!(complaint("Programming Language :: Python :: 3.13"), None);
    }

    #[test]
    fn a_deprecated_classifier_is_refused_naming_its_replacement() {
        let message = complaint("Natural Language :: Ukranian").unwrap();
        assert!(message.ends_with("has been deprecated, use one of ['Natural Language :: Ukrainian'] instead."), "{message}");
    }

    #[test]
    fn the_whole_list_is_read() {
        assert!(CLASSIFIERS.len() > 850);
        assert!(CLASSIFIERS.keys().all(|name| name.contains(" :: ") || name.starts_with("Private")));
    }
}
