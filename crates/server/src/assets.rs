//! Style sheet, script and icon, embedded in the program and served under names that hold their digest.
//!
//! A name with a digest may be kept for ever by browsers and proxies; the plain name is not served, so that no
//! page can ask for it by mistake.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use rust_embed::Embed;
use sha2::{Digest, Sha256};

#[derive(Embed)]
#[folder = "static/"]
struct Static;

/// A static file as it is served.
#[derive(Clone, Copy)]
pub struct Asset {
    /// Its content.
    pub bytes: &'static [u8],
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, quotes included.
    pub etag: &'static str,
}

struct Table {
    urls: BTreeMap<String, &'static str>,
    files: BTreeMap<&'static str, Asset>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { urls: BTreeMap::new(), files: BTreeMap::new() };
    for name in Static::iter() {
        let file = Static::get(&name).expect("the name comes from the embedded list");
        table.insert(&name, &file.data);
    }
    table
});

impl Table {
    /// The table lives as long as the program, so its text is leaked once rather than copied for each request.
    fn insert(&mut self, name: &str, content: &[u8]) {
        let digest = HEXLOWER.encode(&Sha256::digest(content));
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let url: &'static str = format!("/static/{stem}.{}.{extension}", &digest[..8]).leak();
        let asset = Asset { bytes: content.to_vec().leak(), content_type: content_type(extension), etag: format!("\"{digest}\"").leak() };
        self.urls.insert(name.to_owned(), url);
        self.files.insert(url, asset);
    }
}

/// The address of the static file `name`: `/static/style.1a2b3c4d.css`.
///
/// # Panics
/// If there is no such file: names are written in this program, never taken from a request.
pub fn asset_url(name: &str) -> &'static str {
    TABLE.urls.get(name).expect("names of static files are written in this program")
}

/// The static file at `path` (`/static/style.1a2b3c4d.css`), which must carry the right digest.
pub fn find(path: &str) -> Option<Asset> {
    TABLE.files.get(path).copied()
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_served_under_the_name_that_holds_its_digest() {
        let url = asset_url("style.css");
        let (stem, rest) = url.split_at("/static/style.".len());
        assert_eq!(stem, "/static/style.");
        assert_eq!(rest.len(), "01234567.css".len(), "{url}");
        let asset = find(url).expect("the address leads to the file");
        assert_eq!(asset.content_type, "text/css; charset=utf-8");
        let digest = HEXLOWER.encode(&Sha256::digest(asset.bytes));
        assert_eq!(asset.etag, format!("\"{digest}\""));
        assert!(rest.starts_with(&digest[..8]));
    }

    #[test]
    fn a_plain_or_wrong_name_is_not_served() {
        for path in ["/static/style.css", "/static/style.00000000.css", "style.css", "/static/", "/static/../Cargo.toml"] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn every_file_has_a_content_type_of_its_own() {
        for name in Static::iter() {
            let asset = find(asset_url(&name)).expect("listed");
            assert_ne!(asset.content_type, "application/octet-stream", "{name}");
        }
    }
}
