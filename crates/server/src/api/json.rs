//! The JSON API: `/pypi/{name}/json` and `/pypi/{name}/{version}/json`, with the names that PyPI gave them.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use formats::{CoreMetadata, NormalizedName, Version};
use index::Refused;
use index::clock::Time;
use index::db::Read;
use index::policy::ReadIndex;
use index::prepared::Place;
use index::projects::show::{self, File, Person, Release, ReleaseLine};
use index::projects::{files, listing, locks};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::gate::Ctx;
use crate::input::Input;
use crate::ready::{Dress, for_other_origins, send};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::simple::{Spelled, moved, spelled};

/// The name in the address.
#[derive(Debug, Deserialize)]
pub struct OfProject {
    name: String,
}

/// Name and version in the address.
#[derive(Debug, Deserialize)]
pub struct OfRelease {
    name: String,
    version: String,
}

const JSON: Dress = Dress {
    content_type: "application/json",
    cache_control: "max-age=900, public",
    vary: "Accept-Encoding",
    policy: "default-src 'none'; sandbox",
};

/// A project: its newest release, and the files of all.
///
/// # Errors
/// The database.
pub async fn project(ctx: Ctx<ReadIndex>, input: Input<OfProject>) -> Result<Reply, Refusal> {
    match spelled(&input.path.name) {
        Spelled::Normalized(name) => show_page(&ctx, name, None).await,
        Spelled::Otherwise(name) => Ok(moved(&format!("/pypi/{name}/json"))),
        Spelled::NoName => Ok(nothing()),
    }
}

/// One release, in any spelling of its version.
///
/// # Errors
/// The database.
pub async fn release(ctx: Ctx<ReadIndex>, input: Input<OfRelease>) -> Result<Reply, Refusal> {
    let Ok(version) = Version::parse(&input.path.version) else { return Ok(nothing()) };
    match spelled(&input.path.name) {
        Spelled::Normalized(name) => show_page(&ctx, name, Some(version)).await,
        Spelled::Otherwise(name) => Ok(moved(&format!("/pypi/{name}/{version}/json"))),
        Spelled::NoName => Ok(nothing()),
    }
}

fn nothing() -> Reply {
    for_other_origins(Reply::json(StatusCode::NOT_FOUND, &json!({ "message": "Not Found" })))
}

async fn show_page(ctx: &Ctx<ReadIndex>, name: NormalizedName, version: Option<Version>) -> Result<Reply, Refusal> {
    let env = ctx.env();
    let key = version.as_ref().map_or_else(|| "json".to_owned(), |version| format!("json {}", version.canonical()));
    let base = env.config.link("");
    let place = Place { shelf: name.as_str(), key: &key };
    let owned = name.clone();
    let page = listing::prepare(env, place, move |read| Box::pin(load(read, owned, version)), move |shown| shown.render(&base)).await?;
    match page {
        Some(page) => send(env, ctx.headers(), &page, JSON).await,
        None => Ok(nothing()),
    }
}

/// Everything that the document shows.
struct Shown {
    name: String,
    serial: i64,
    line: ReleaseLine,
    release: Release,
    /// Of the shown release; of all releases where the project is shown.
    files: Vec<File>,
    /// All releases, where the project is shown.
    releases: Option<Vec<ReleaseLine>>,
    people: Vec<Person>,
}

async fn load(read: &Read, name: NormalizedName, version: Option<Version>) -> Result<Option<(i64, Shown)>, Refused> {
    let Some(project) = locks::shown_by_name(read, name.as_str()).await? else { return Ok(None) };
    let releases = show::releases(read, project.id).await?;
    let line = match &version {
        Some(version) => releases.iter().find(|line| line.is_version(version)),
        None => show::newest(&releases),
    };
    let Some(line) = line.cloned() else { return Ok(None) };
    let files = match version {
        Some(_) => show::files_of_release(read, line.id).await?,
        None => show::files_of_project(read, project.id).await?,
    };
    let shown = Shown {
        name: project.name,
        serial: project.serial,
        release: show::release(read, line.id).await?,
        people: show::people(read, project.id).await?,
        releases: version.is_none().then_some(releases),
        files,
        line,
    };
    Ok(Some((shown.serial, shown)))
}

impl Shown {
    fn render(self, base: &str) -> Vec<u8> {
        let mut document = Map::new();
        document.insert("info".to_owned(), self.info(base));
        document.insert("last_serial".to_owned(), json!(self.serial));
        let roles: Vec<Value> = self.people.iter().map(|person| json!({ "role": person.role, "user": person.username })).collect();
        document.insert("ownership".to_owned(), json!({ "roles": roles, "organization": null }));
        if let Some(releases) = &self.releases {
            document.insert("releases".to_owned(), all_files(releases, &self.files, base));
        }
        let of_this = self.files.iter().filter(|file| file.release == self.line.id);
        document.insert("urls".to_owned(), of_this.map(|file| describe(file, &self.line, base)).collect());
        document.insert("vulnerabilities".to_owned(), json!([]));
        Value::Object(document).to_string().into_bytes()
    }

    fn info(&self, base: &str) -> Value {
        let metadata = &self.release.metadata;
        let page = format!("{base}/project/{}/", self.name);
        json!({
            "name": self.name,
            "version": self.line.version,
            "summary": self.release.summary,
            "description": metadata.description.as_deref().unwrap_or_default(),
            "description_content_type": metadata.description_content_type,
            "keywords": metadata.keywords,
            "license": metadata.license,
            "license_expression": metadata.license_expression,
            "license_files": list(&metadata.license_file),
            "classifiers": metadata.classifiers,
            "author": metadata.author,
            "author_email": metadata.author_email,
            "maintainer": metadata.maintainer,
            "maintainer_email": metadata.maintainer_email,
            "requires_python": self.release.requires_python,
            "platform": (!metadata.platform.is_empty()).then(|| metadata.platform.join(",")),
            "downloads": { "last_day": -1, "last_week": -1, "last_month": -1 },
            "package_url": page,
            "project_url": page,
            "project_urls": project_urls(metadata),
            "release_url": format!("{page}{}/", self.line.version),
            "requires_dist": list(&metadata.requires_dist),
            "provides_extra": list(&metadata.provides_extra),
            "docs_url": null,
            "bugtrack_url": null,
            "home_page": metadata.home_page,
            "download_url": metadata.download_url,
            "yanked": self.line.yanked.is_some(),
            "yanked_reason": reason(&self.line),
            "dynamic": list(&metadata.dynamic),
        })
    }
}

/// A list, or null where it is empty.
fn list(values: &[String]) -> Value {
    if values.is_empty() { Value::Null } else { json!(values) }
}

fn reason(line: &ReleaseLine) -> Option<&str> {
    line.yanked.as_deref().filter(|reason| !reason.is_empty())
}

/// The links by label; home page and download address where no label says the same.
///
/// # Source
/// PEP 753: labels are compared without case, punctuation and spaces.
#[must_use]
pub fn links(metadata: &CoreMetadata) -> Vec<(String, String)> {
    let plain = |label: &str| -> String { label.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let given: Vec<(&str, &str)> = metadata.labelled_urls();
    let has = |label: &str| given.iter().any(|(known, _)| plain(known) == plain(label));
    let own = [("Homepage", &metadata.home_page), ("Download", &metadata.download_url)];
    let own = own.into_iter().filter(|(label, _)| !has(label)).filter_map(|(label, url)| url.as_deref().map(|url| (label, url)));
    own.chain(given.iter().copied()).map(|(label, url)| (label.to_owned(), url.to_owned())).collect()
}

fn project_urls(metadata: &CoreMetadata) -> Value {
    let links: Map<String, Value> = links(metadata).into_iter().map(|(label, url)| (label, Value::from(url))).collect();
    if links.is_empty() { Value::Null } else { Value::Object(links) }
}

fn all_files(releases: &[ReleaseLine], files: &[File], base: &str) -> Value {
    let mut by_release: BTreeMap<_, Vec<Value>> = releases.iter().map(|line| (line.id, Vec::new())).collect();
    let lines: BTreeMap<_, _> = releases.iter().map(|line| (line.id, line)).collect();
    for file in files {
        if let (Some(line), Some(of_release)) = (lines.get(&file.release), by_release.get_mut(&file.release)) {
            of_release.push(describe(file, line, base));
        }
    }
    releases.iter().map(|line| (line.version.clone(), Value::Array(by_release.remove(&line.id).unwrap_or_default()))).collect()
}

fn describe(file: &File, line: &ReleaseLine, base: &str) -> Value {
    json!({
        "filename": file.filename,
        "packagetype": file.kind,
        "python_version": file.python_version,
        "has_sig": false,
        "comment_text": file.comment.as_deref().unwrap_or_default(),
        "md5_digest": file.md5,
        "digests": { "md5": file.md5, "sha256": file.sha256, "blake2b_256": file.blake2_256 },
        "core-metadata": file.metadata_sha256.as_ref().map_or(Value::Bool(false), |sha256| json!({ "sha256": sha256 })),
        "size": file.size_bytes,
        "downloads": -1,
        "upload_time": seconds(file.uploaded_at),
        "upload_time_iso_8601": file_time(file.uploaded_at),
        "url": format!("{base}{}", files::path(&file.blake2_256, &file.filename)),
        "requires_python": file.requires_python,
        "yanked": line.yanked.is_some(),
        "yanked_reason": reason(line),
    })
}

fn seconds(at: Time) -> String {
    let at = at.calendar();
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", at.year(), u8::from(at.month()), at.day(), at.hour(), at.minute(), at.second())
}

/// With six digits after the second, as the simple API writes it.
fn file_time(at: Time) -> String {
    format!("{}.{:06}Z", seconds(at), at.calendar().microsecond())
}
