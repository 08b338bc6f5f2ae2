//! Pages for everybody: home, search, projects, people, help.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use formats::{CoreMetadata, NormalizedName, Version};
use index::Refused;
use index::clock::Time;
use index::db::entities::projects;
use index::ids::ReleaseId;
use index::policy::ReadIndex;
use index::prepared::Place;
use index::projects::search::{self, Line};
use index::projects::show::{self, Account, File, Person, ReleaseLine};
use index::projects::{files, listing, locks};
use serde::Deserialize;

use super::tags::runs_on;
use crate::api::json::links;
use crate::gate::{Ctx, SITE};
use crate::input::{Input, Nothing};
use crate::pages::public::{Collaborator, FileLine, Help, Home, Project, ProjectLine, Release, Search, User, VersionLine};
use crate::pages::{Bytes, WebLink, When};
use crate::readme;
use crate::refusal::Refusal;
use crate::reply::Reply;

/// How many releases the home page lists.
const LATEST: i64 = 20;
/// How many letters a query may have.
const QUERY_MOST: usize = 1000;
/// How much of a licence that is no expression is shown.
const LICENSE_MOST: usize = 100;

/// A name in the address.
#[derive(Debug, Deserialize)]
pub struct Name {
    name: String,
}

/// Name and version in the address.
#[derive(Debug, Deserialize)]
pub struct NameAndVersion {
    name: String,
    version: String,
}

/// The query of the search page.
#[derive(Debug, Deserialize)]
pub struct Query {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
}

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub struct After {
    #[serde(default)]
    after: String,
}

fn when(ctx: &Ctx<ReadIndex>, at: Time) -> When {
    When { unix_us: at.0, now_us: ctx.env().now().0 }
}

fn project_lines(ctx: &Ctx<ReadIndex>, lines: Vec<Line>) -> Vec<ProjectLine> {
    let line = |line: Line| ProjectLine {
        name: line.name,
        normalized_name: line.normalized,
        version: line.version,
        summary: line.summary,
        released: line.released_at.map(|at| when(ctx, at)),
    };
    lines.into_iter().map(line).collect()
}

/// `/`.
///
/// # Errors
/// The database.
pub async fn home(ctx: Ctx<ReadIndex>, _input: Input) -> Result<Reply, Refusal> {
    let env = ctx.env();
    let make = |counts: show::Counts| (usize::try_from(counts.projects).unwrap_or(usize::MAX), 64, counts);
    let counts = listing::whole(env, "counts", |read| Box::pin(show::counts(read)), make).await?;
    let latest = ctx.view(SITE, |read, _| Box::pin(show::newest_releases(read, LATEST))).await?;
    Ok(Reply::page(&Home {
        frame: ctx.frame(),
        public_url: env.config.link(""),
        projects: counts.projects,
        releases: counts.releases,
        files: counts.files,
        size: Bytes(counts.bytes),
        latest: project_lines(&ctx, latest),
    }))
}

/// `/search/`: all projects, or those that match.
///
/// # Errors
/// A query that is too long (413); the database.
pub async fn search(ctx: Ctx<ReadIndex>, input: Input<Nothing, Query>) -> Result<Reply, Refusal> {
    let Query { q, after } = input.query;
    if q.chars().count() > QUERY_MOST {
        return Err(Refusal::Exactly(StatusCode::PAYLOAD_TOO_LARGE, format!("A search holds at most {QUERY_MOST} letters.")));
    }
    let q = q.trim().to_owned();
    let asked = q.clone();
    let found = ctx
        .view(SITE, move |read, _| {
            Box::pin(async move {
                let after = Some(after.as_str()).filter(|key| !key.is_empty());
                if asked.is_empty() { search::all(read, after).await } else { search::search(read, &asked, after).await }
            })
        })
        .await?;
    let mut frame = ctx.frame();
    frame.search = q;
    let results = project_lines(&ctx, found.lines);
    Ok(Reply::page(&Search { frame, total: found.total, results, next_page: found.next }))
}

/// `/project/{name}/`: the newest release.
///
/// # Errors
/// `NotFound`; the database.
pub async fn project(ctx: Ctx<ReadIndex>, input: Input<Name>) -> Result<Reply, Refusal> {
    let name = normalized(&input.path.name)?;
    let Some(shown) = load(&ctx, name, None).await? else { return Err(Refusal::NotFound) };
    if !is_its_name(&shown.project, &input.path.name) {
        return Ok(Reply::redirect(StatusCode::MOVED_PERMANENTLY, &format!("/project/{}/", shown.project.name)));
    }
    project_page(&ctx, shown).await
}

/// `/project/{name}/{version}/`.
///
/// # Errors
/// `NotFound`; the database.
pub async fn release(ctx: Ctx<ReadIndex>, input: Input<NameAndVersion>) -> Result<Reply, Refusal> {
    let NameAndVersion { name, version } = input.path;
    let parsed = Version::parse(&version).map_err(|_| Refusal::NotFound)?;
    let Some(shown) = load(&ctx, normalized(&name)?, Some(parsed)).await? else { return Err(Refusal::NotFound) };
    let Some((line, ..)) = &shown.release else { return Err(Refusal::NotFound) };
    if !is_its_name(&shown.project, &name) || line.version != version {
        let to = format!("/project/{}/{}/", shown.project.name, line.version);
        return Ok(Reply::redirect(StatusCode::MOVED_PERMANENTLY, &to));
    }
    project_page(&ctx, shown).await
}

fn normalized(name: &str) -> Result<NormalizedName, Refusal> {
    formats::ProjectName::parse(name).map(|name| name.normalized()).map_err(|_| Refusal::NotFound)
}

/// The name as its owners write it, and the one that links use.
fn is_its_name(project: &projects::Model, name: &str) -> bool {
    project.name == name || project.normalized == name
}

/// Everything that the page of a project shows, from one snapshot.
struct Shown {
    project: projects::Model,
    releases: Vec<ReleaseLine>,
    counts: HashMap<ReleaseId, u64>,
    release: Option<(ReleaseLine, show::Release, Vec<File>)>,
    people: Vec<Person>,
}

async fn load(ctx: &Ctx<ReadIndex>, name: NormalizedName, version: Option<Version>) -> Result<Option<Shown>, Refused> {
    ctx.view(SITE, move |read, _| {
        Box::pin(async move {
            let Some(project) = locks::shown_by_name(read, name.as_str()).await? else { return Ok(None) };
            let releases = show::releases(read, project.id).await?;
            let line = match &version {
                Some(version) => releases.iter().find(|line| line.is_version(version)),
                None => show::newest(&releases),
            };
            let release = match line.cloned() {
                Some(line) => {
                    let (release, files) = (show::release(read, line.id).await?, show::files_of_release(read, line.id).await?);
                    Some((line, release, files))
                }
                None => None,
            };
            let counts = show::file_counts(read, project.id).await?.into_iter().collect();
            let people = show::people(read, project.id).await?;
            Ok(Some(Shown { project, releases, counts, release, people }))
        })
    })
    .await
}

async fn project_page(ctx: &Ctx<ReadIndex>, shown: Shown) -> Result<Reply, Refusal> {
    let newest = show::newest(&shown.releases).map(|line| line.version.clone());
    let version = |line: &ReleaseLine| VersionLine {
        version: line.version.clone(),
        released: when(ctx, line.created_at),
        yanked: line.yanked.is_some(),
        prerelease: line.is_prerelease,
        files: shown.counts.get(&line.id).copied().unwrap_or(0),
    };
    let release = match shown.release {
        Some((line, release, files)) => {
            let newer = newest.filter(|newest| *newest != line.version);
            let description = description(ctx, &shown.project.normalized, &line, &release.metadata).await?;
            Some(release_view(ctx, line, release, files, Around { newer, description }))
        }
        None => None,
    };
    let people = shown.people.into_iter().map(|person| Collaborator { username: person.username, role: person.role });
    Ok(Reply::page(&Project {
        frame: ctx.frame(),
        public_url: ctx.env().config.link(""),
        versions: shown.releases.iter().map(version).collect(),
        name: shown.project.name,
        normalized_name: shown.project.normalized,
        release,
        collaborators: people.collect(),
    }))
}

/// The description as HTML, rendered beside the async threads. A release's description never changes, so it is kept by release.
async fn description(ctx: &Ctx<ReadIndex>, project: &str, line: &ReleaseLine, metadata: &CoreMetadata) -> Result<readme::Html, Refusal> {
    let Some(text) = metadata.description.clone() else { return Ok(readme::Html::default()) };
    let prepared = &ctx.env().prepared;
    let key = format!("description {}", line.id);
    let place = Place { shelf: project, key: &key };
    if let Some(html) = prepared.get::<readme::Html>(place) {
        return Ok((*html).clone());
    }
    let slot = prepared.slot().await;
    let ticket = prepared.ticket();
    let (size, content_type) = (text.len(), metadata.description_content_type.clone());
    let work = tokio::task::spawn_blocking(move || {
        let html = readme::render(&text, content_type.as_deref());
        drop(slot);
        html
    });
    let html = work.await.map_err(|e| Refused::Fault(anyhow::anyhow!("rendering did not end: {e}")))?;
    prepared.put(ticket, place, Arc::new(html.clone()), 0, size * 2);
    Ok(html)
}

struct Around {
    newer: Option<String>,
    description: readme::Html,
}

fn release_view(ctx: &Ctx<ReadIndex>, line: ReleaseLine, release: show::Release, files: Vec<File>, around: Around) -> Release {
    let metadata = release.metadata;
    let mut files = files;
    files.sort_by(|a, b| (a.kind != "sdist", &a.filename).cmp(&(b.kind != "sdist", &b.filename)));
    let urls = links(&metadata).into_iter().filter_map(|(label, url)| WebLink::new(label, &url)).collect();
    Release {
        version: line.version,
        newer_version: around.newer,
        summary: release.summary,
        description: around.description,
        released: when(ctx, line.created_at),
        requires_python: release.requires_python,
        license: license(&metadata),
        dependencies: metadata.requires_dist,
        classifiers: metadata.classifiers,
        keywords: keywords(metadata.keywords.as_deref().unwrap_or_default()),
        urls,
        files: files.into_iter().map(|file| file_line(ctx, file, line.yanked.clone())).collect(),
        yanked: line.yanked,
    }
}

/// The expression, or the first words of what stands in its place: some write the whole licence there.
fn license(metadata: &CoreMetadata) -> Option<String> {
    let text = metadata.license_expression.as_deref().or(metadata.license.as_deref())?;
    let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut shown: String = first.chars().take(LICENSE_MOST).collect();
    if shown.len() < first.len() {
        shown.push('…');
    }
    Some(shown)
}

/// Keywords stand between commas, or else between spaces.
fn keywords(text: &str) -> Vec<String> {
    let words: Vec<&str> = if text.contains(',') { text.split(',').collect() } else { text.split_whitespace().collect() };
    words.into_iter().map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn file_line(ctx: &Ctx<ReadIndex>, file: File, yanked: Option<String>) -> FileLine {
    let download_url = ctx.env().config.link(&files::path(&file.blake2_256, &file.filename));
    FileLine {
        kind: match file.kind.as_str() {
            "sdist" => "Source".to_owned(),
            "bdist_wheel" => "Wheel".to_owned(),
            other => other.to_owned(),
        },
        runs_on: runs_on(&file.filename),
        filename: file.filename,
        size: Bytes(file.size_bytes),
        uploaded: when(ctx, file.uploaded_at),
        sha256: file.sha256,
        metadata_url: file.metadata_sha256.map(|_| format!("{download_url}.metadata")),
        download_url,
        requires_python: file.requires_python,
        yanked,
    }
}

/// `/user/{name}/`.
///
/// # Errors
/// `NotFound`; the database.
pub async fn user(ctx: Ctx<ReadIndex>, input: Input<Name, After>) -> Result<Reply, Refusal> {
    let (name, after) = (input.path.name.clone(), input.query.after);
    let found = ctx
        .view(SITE, move |read, _| {
            Box::pin(async move {
                let Some(account) = show::account(read, &name).await? else { return Ok(None) };
                let projects = show::projects_of(read, account.id, &after).await?;
                Ok::<Option<(Account, (Vec<Line>, bool))>, Refused>(Some((account, projects)))
            })
        })
        .await?;
    let Some((account, (lines, more))) = found else { return Err(Refusal::NotFound) };
    if account.username != input.path.name {
        return Ok(Reply::redirect(StatusCode::MOVED_PERMANENTLY, &format!("/user/{}/", account.username)));
    }
    let next_page = more.then(|| lines.last().map(|line| line.normalized.clone())).flatten();
    Ok(Reply::page(&User {
        frame: ctx.frame(),
        username: account.username,
        name: account.display_name,
        email: account.public_email,
        joined: when(&ctx, account.created_at),
        projects: project_lines(&ctx, lines),
        next_page,
    }))
}

/// `/help/`.
///
/// # Errors
/// The database.
pub async fn help(ctx: Ctx<ReadIndex>, _input: Input) -> Result<Reply, Refusal> {
    let newest = ctx.view(SITE, |read, _| Box::pin(show::newest_projects(read, 1))).await?;
    let config = &ctx.env().config;
    Ok(Reply::page(&Help {
        frame: ctx.frame(),
        public_url: config.link(""),
        host: config.token_location().to_owned(),
        example_project: newest.into_iter().next().map_or_else(|| "example-project".to_owned(), |line| line.name),
        max_file_size: Bytes(config.file_max_size.0),
    }))
}
