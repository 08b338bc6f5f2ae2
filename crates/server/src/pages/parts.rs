//! Values that several pages show alike.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;
use url::Url;

/// A size, shown as people read it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bytes(
    /// Number of bytes.
    pub u64,
);

/// A link out of this index, as a publisher wrote it. Only `http:` and `https:` exist, so that no page can hold
/// a link that runs something.
#[derive(Clone)]
pub struct WebLink {
    label: String,
    href: String,
}

/// A page of a list beside the matter: key, address and name.
pub type SidePage = (&'static str, &'static str, &'static str);

/// A list of pages that belong together, with the one that is open.
#[derive(Template)]
#[template(path = "parts/side.html")]
pub struct Side<'a> {
    label: &'static str,
    pages: &'static [SidePage],
    here: &'a str,
}

impl HtmlSafe for Side<'_> {}

impl<'a> Side<'a> {
    /// The list, with the page whose key is `here` marked as open.
    pub const fn new(label: &'static str, pages: &'static [SidePage], here: &'a str) -> Self {
        Self { label, pages, here }
    }
}

/// A number with commas between its thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl WebLink {
    /// The link, or nothing where `address` is no `http:` or `https:` address.
    pub fn new(label: impl Into<String>, address: &str) -> Option<Self> {
        let url = Url::parse(address.trim()).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| Self { label: label.into(), href: url.into() })
    }

    /// What the publisher calls it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Where it leads.
    pub fn href(&self) -> &str {
        &self.href
    }
}

impl Bytes {
    /// The size as limits are set: `100 MiB` where it is a whole number of them.
    pub fn limit(self) -> String {
        match self.0 {
            0 => self.to_string(),
            n if n.is_multiple_of(1 << 30) => format!("{} GiB", n >> 30),
            n if n.is_multiple_of(1 << 20) => format!("{} MiB", n >> 20),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = |unit: u64| (self.0 * 10 / unit / 10, self.0 * 10 / unit % 10);
        let (unit, name) = match self.0 {
            0..1_000 => return write!(f, "{} B", self.0),
            1_000..1_000_000 => (1_000, "kB"),
            1_000_000..1_000_000_000 => (1_000_000, "MB"),
            1_000_000_000..1_000_000_000_000 => (1_000_000_000, "GB"),
            _ => return write!(f, "{} GB", self.0 / 1_000_000_000),
        };
        let (whole, tenth) = tenths(unit);
        write!(f, "{whole}.{tenth} {name}")
    }
}

impl HtmlSafe for Bytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        let cases =
            [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (12_345, "12.3 kB"), (104_857_600, "104.8 MB"), (u64::MAX, "18446744073 GB")];
        for (size, shown) in cases {
            assert_eq!(Bytes(size).to_string(), shown);
        }
    }

    #[test]
    fn a_limit_reads_as_it_is_set() {
        let cases = [(100 << 20, "100 MiB"), (10 << 30, "10 GiB"), (0, "0 B"), (1_000_000, "1.0 MB")];
        for (size, shown) in cases {
            assert_eq!(Bytes(size).limit(), shown);
        }
    }

    #[test]
    fn thousands_are_told_apart() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (10_836, "10,836"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn a_link_that_is_not_http_does_not_exist() {
        for address in ["javascript:alert(1)", " JAVASCRIPT:alert(1)", "data:text/html,x", "//x.example", "", "file:///x"] {
            assert!(WebLink::new("Home", address).is_none(), "{address}");
        }
        assert!(WebLink::new("Home", "https://example.org/x").is_some());
    }
}
