//! Python packaging standards as pure functions: names, versions, file names, core metadata, archives, hashes and
//! the simple API's two forms. No clock, no network, no secrets; the only files read are the ones handed in.
//! Called by `index` (publishing) and `server` (uploads and reads).

pub mod archive;
mod contact;
pub mod filename;
pub mod hash;
pub mod license;
pub mod metadata;
pub mod name;
pub mod platform;
pub mod requirement;
pub mod simple;
pub mod version;

pub use archive::{ArchiveError, Inspected, inspect};
pub use filename::FileKind;
pub use hash::{Digests, Hasher};
pub use metadata::{CoreMetadata, FormError, MetadataError, UploadForm, disagreement, validate};
pub use name::{NormalizedName, ProjectName};
pub use version::Version;

/// Writes a value the way Python's `repr` of a string does, because clients match on those messages.
pub(crate) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() && (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// Shortens a value for a message: above 60 characters the first 30, three dots and the last 30.
pub(crate) fn shortened(text: &str) -> String {
    let length = text.chars().count();
    if length <= 60 {
        return text.to_owned();
    }
    let head: String = text.chars().take(30).collect();
    let tail: String = text.chars().skip(length - 30).collect();
    format!("{head}...{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_quoted_as_python_quotes_it() {
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("a\\b\n\u{1}"), "'a\\\\b\\n\\x01'");
        assert_eq!(quoted("both ' and \""), "'both \\' and \"'");
    }

    #[test]
    fn a_long_value_keeps_both_its_ends() {
        let text = format!("{}{}", "a".repeat(40), "é".repeat(40));
        assert_eq!(shortened(&text), format!("{}...{}", "a".repeat(30), "é".repeat(30)));
        assert_eq!(shortened(&"a".repeat(60)), "a".repeat(60));
    }
}
