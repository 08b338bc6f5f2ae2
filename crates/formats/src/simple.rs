//! The simple API in its two forms: the negotiation between them and the bytes of both pages.
//! What is on a page, and who may see it, is decided by the caller.

use serde::Serialize;
use time::OffsetDateTime;

use crate::name::NormalizedName;
use crate::version::Version;

/// The version of the API that both forms declare.
///
/// # Source
/// PEP 629, 700, 708, 792.
pub const API_VERSION: &str = "1.4";

/// A form of the simple API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// HTML as `text/html`, for clients older than PEP 691.
    Html,
    /// The same HTML under its own media type.
    HtmlV1,
    /// JSON, PEP 691.
    JsonV1,
}

impl Format {
    /// All forms, in the order that breaks ties.
    pub const ALL: [Self; 3] = [Self::Html, Self::HtmlV1, Self::JsonV1];

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=UTF-8",
            Self::HtmlV1 => "application/vnd.pypi.simple.v1+html",
            Self::JsonV1 => "application/vnd.pypi.simple.v1+json",
        }
    }

    fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Html => &["text/html"],
            Self::HtmlV1 => &["application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.latest+html"],
            Self::JsonV1 => &["application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json"],
        }
    }
}

/// Chooses the form for an `Accept` header; `None` when it accepts none of them (406).
///
/// No header, an empty or an unreadable one gets HTML. The highest weight wins; ties go to the order of
/// [`Format::ALL`].
///
/// # Source
/// PEP 691, "Version + format selection"; RFC 9110 §12.5.1.
pub fn negotiate(accept: Option<&str>) -> Option<Format> {
    let header = accept.unwrap_or_default();
    let Some(ranges) = read_ranges(header) else { return Some(Format::Html) };
    if ranges.is_empty() {
        return Some(Format::Html);
    }
    let mut best: Option<(u16, Format)> = None;
    for format in Format::ALL {
        let weight = weight_of(format, &ranges);
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, format));
        }
    }
    best.map(|(_, format)| format)
}

/// The ranges of an `Accept` header with their weight in thousandths; `None` when it does not read.
fn read_ranges(header: &str) -> Option<Vec<(String, u16)>> {
    let items = header.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let range = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.filter_map(|part| part.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case("q"));
            let weight = match weight {
                Some((_, text)) => text.trim().parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q))?,
                None => 1.0,
            };
            let (kind, sub) = range.split_once('/')?;
            // A weight has at most three decimals, so thousandths are exact.
            (!kind.is_empty() && !sub.is_empty()).then_some((range.clone(), (weight * 1000.0).round() as u16))
        })
        .collect()
}

/// The weight of the most specific range that matches; 0 is a refusal.
fn weight_of(format: Format, ranges: &[(String, u16)]) -> u16 {
    let exact = ranges.iter().filter(|(range, _)| format.media_types().contains(&range.as_str())).map(|(_, q)| *q).max();
    let family = format.media_types()[0].split('/').next().unwrap_or_default();
    let by_range = |wanted: &str| ranges.iter().find(|(range, _)| range == wanted).map(|(_, weight)| *weight);
    exact.or_else(|| by_range(&format!("{family}/*"))).or_else(|| by_range("*/*")).unwrap_or(0)
}

/// What `/simple/` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexPage {
    /// The serial of the whole index.
    pub serial: i64,
    /// The projects to list, in any order.
    pub projects: Vec<IndexEntry>,
}

/// A project on `/simple/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The name as its owner writes it.
    pub name: String,
    /// The name in addresses.
    pub normalized: NormalizedName,
    /// The project's serial.
    pub serial: i64,
}

/// What `/simple/NAME/` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectPage {
    /// The project.
    pub name: NormalizedName,
    /// The project's serial.
    pub serial: i64,
    /// Its state; a quarantined project is shown without files.
    pub status: ProjectStatus,
    /// The files to show, in any order.
    pub files: Vec<SimpleFile>,
    /// The versions to list, in any order; those that have files.
    pub versions: Vec<String>,
}

/// A project's state.
///
/// # Source
/// PEP 792.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProjectStatus {
    /// Nothing special.
    Active,
    /// No further releases are expected.
    Archived,
    /// Believed unsafe.
    Quarantined,
}

impl ProjectStatus {
    /// The word of PEP 792.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A file on `/simple/NAME/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleFile {
    /// The file's name.
    pub filename: String,
    /// Its absolute address, without a fragment.
    pub url: String,
    /// Lower-case hex.
    pub sha256: String,
    /// `Requires-Python`, as written.
    pub requires_python: Option<String>,
    /// In bytes.
    pub size: u64,
    /// Microseconds since 1970, UTC.
    pub upload_time_us: i64,
    /// The reason of the yank, empty when none was given; `None` when not yanked.
    pub yanked: Option<String>,
    /// SHA-256 of the served `.metadata` file, lower-case hex, when there is one.
    pub metadata_sha256: Option<String>,
    /// The version the file belongs to.
    pub version: String,
}

/// The bytes of `/simple/`, projects sorted by normalized name.
pub fn render_index(page: &IndexPage, format: Format) -> Vec<u8> {
    let mut projects: Vec<&IndexEntry> = page.projects.iter().collect();
    projects.sort_by(|a, b| a.normalized.cmp(&b.normalized));
    if format == Format::JsonV1 {
        let projects = projects.iter().map(|entry| JsonEntry { serial: entry.serial, name: &entry.name }).collect();
        return json(&JsonIndex { meta: JsonMeta::new(page.serial), projects });
    }
    let mut html = head(None, "Simple index");
    for entry in projects {
        html.push_str(&format!("<a href=\"/simple/{}/\">{}</a>\n", entry.normalized, escape(&entry.name)));
    }
    html.push_str("</body>\n</html>");
    html.into_bytes()
}

/// The bytes of `/simple/NAME/`: versions in PEP 440 order, files by version, then by name.
pub fn render_project(page: &ProjectPage, format: Format) -> Vec<u8> {
    let mut files: Vec<&SimpleFile> = page.files.iter().collect();
    files.sort_by_cached_key(|file| (order_of(&file.version), file.filename.clone()));
    if format == Format::JsonV1 {
        let mut versions: Vec<&str> = page.versions.iter().map(String::as_str).collect();
        versions.sort_by_cached_key(|version| order_of(version));
        versions.dedup();
        return json(&JsonProject {
            files: files.into_iter().map(JsonFile::new).collect(),
            meta: JsonMeta::new(page.serial),
            name: page.name.as_str(),
            project_status: JsonStatus { status: page.status },
            versions,
        });
    }
    let title = format!("Links for {}", page.name);
    let mut html = head(Some(page.status), &title);
    html.push_str(&format!("    <h1>{title}</h1>\n"));
    files.into_iter().for_each(|file| html.push_str(&anchor(file)));
    html.push_str(&format!("</body>\n</html>\n<!--SERIAL {}-->", page.serial));
    html.into_bytes()
}

/// Versions that do not read come first, by their text.
fn order_of(version: &str) -> (Option<Version>, String) {
    (Version::parse(version).ok(), version.to_owned())
}

/// # Source
/// PEP 833 froze the HTML form; its white space, odd as it is, is that of PyPI.
fn head(status: Option<ProjectStatus>, title: &str) -> String {
    let status = status.map_or(String::new(), |status| format!("<meta name=\"pypi:project-status\" content=\"{}\">", status.as_str()));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n  <head>\n    <meta name=\"pypi:repository-version\" content=\"{API_VERSION}\">\n{status}    <title>{}</title>\n  </head>\n  <body>\n",
        escape(title)
    )
}

fn anchor(file: &SimpleFile) -> String {
    let mut out = format!("<a href=\"{}#sha256={}\" ", escape(&file.url), escape(&file.sha256));
    if let Some(requires_python) = file.requires_python.as_deref().filter(|text| !text.is_empty()) {
        out.push_str(&format!("data-requires-python=\"{}\" ", escape(requires_python)));
    }
    if let Some(reason) = &file.yanked {
        out.push_str(&format!("data-yanked=\"{}\" ", escape(reason)));
    }
    if let Some(digest) = &file.metadata_sha256 {
        let digest = escape(digest);
        out.push_str(&format!("data-dist-info-metadata=\"sha256={digest}\" data-core-metadata=\"sha256={digest}\""));
    }
    out.push_str(&format!(">{}</a><br />\n", escape(&file.filename)));
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Compact JSON with a line end; the structs below declare their keys in sorted order.
fn json<T: Serialize>(page: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(page).expect("text keys and plain values always serialize");
    bytes.push(b'\n');
    bytes
}

#[derive(Serialize)]
struct JsonMeta {
    #[serde(rename = "_last-serial")]
    serial: i64,
    #[serde(rename = "api-version")]
    api_version: &'static str,
}

impl JsonMeta {
    fn new(serial: i64) -> Self {
        Self { serial, api_version: API_VERSION }
    }
}

#[derive(Serialize)]
struct JsonEntry<'a> {
    #[serde(rename = "_last-serial")]
    serial: i64,
    name: &'a str,
}

#[derive(Serialize)]
struct JsonIndex<'a> {
    meta: JsonMeta,
    projects: Vec<JsonEntry<'a>>,
}

#[derive(Serialize)]
struct JsonStatus {
    status: ProjectStatus,
}

#[derive(Serialize)]
struct JsonProject<'a> {
    files: Vec<JsonFile<'a>>,
    meta: JsonMeta,
    name: &'a str,
    #[serde(rename = "project-status")]
    project_status: JsonStatus,
    versions: Vec<&'a str>,
}

#[derive(Serialize, Clone, Copy)]
struct JsonHashes<'a> {
    sha256: &'a str,
}

/// A value, or `false` or `true` in its place.
#[derive(Serialize, Clone, Copy)]
#[serde(untagged)]
enum OrFlag<T> {
    Flag(bool),
    Value(T),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct JsonFile<'a> {
    core_metadata: OrFlag<JsonHashes<'a>>,
    data_dist_info_metadata: OrFlag<JsonHashes<'a>>,
    filename: &'a str,
    hashes: JsonHashes<'a>,
    provenance: Option<&'a str>,
    requires_python: Option<&'a str>,
    size: u64,
    upload_time: String,
    url: &'a str,
    yanked: OrFlag<&'a str>,
}

impl<'a> JsonFile<'a> {
    fn new(file: &'a SimpleFile) -> Self {
        let metadata = match &file.metadata_sha256 {
            Some(sha256) => OrFlag::Value(JsonHashes { sha256 }),
            None => OrFlag::Flag(false),
        };
        Self {
            core_metadata: metadata,
            data_dist_info_metadata: metadata,
            filename: &file.filename,
            hashes: JsonHashes { sha256: &file.sha256 },
            provenance: None,
            requires_python: file.requires_python.as_deref(),
            size: file.size,
            upload_time: iso_8601(file.upload_time_us),
            url: &file.url,
            yanked: match file.yanked.as_deref() {
                None => OrFlag::Flag(false),
                Some("") => OrFlag::Flag(true),
                Some(reason) => OrFlag::Value(reason),
            },
        }
    }
}

/// `2024-01-31T08:09:10.000123Z`; a time outside years 0 to 9999 shows as 1970.
fn iso_8601(microseconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.microsecond()
    )
}

#[cfg(test)]
#[path = "simple_tests.rs"]
mod tests;
