//! Feeds: the newest releases, the newest projects, the newest releases of one project.

use axum::http::{HeaderValue, StatusCode, header};
use index::Env;
use index::policy::ReadIndex;
use index::projects::search::Line;
use index::projects::{locks, show};
use serde::Deserialize;
use time::format_description::well_known::Rfc2822;

use crate::gate::{Ctx, SITE};
use crate::input::Input;
use crate::ready::for_other_origins;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::simple::{Spelled, moved, spelled};

/// How many releases of the index a feed holds.
const UPDATES: i64 = 100;
/// How many projects, or releases of one project, a feed holds.
const ENTRIES: i64 = 40;

/// The name in the address.
#[derive(Debug, Deserialize)]
pub struct Name {
    name: String,
}

/// The newest releases of the index.
///
/// # Errors
/// The database.
pub async fn updates(ctx: Ctx<ReadIndex>, _input: Input) -> Result<Reply, Refusal> {
    let lines = ctx.view(SITE, |read, _| Box::pin(show::newest_releases(read, UPDATES))).await?;
    let env = ctx.env();
    let about = About { title: format!("{}: newest releases", env.config.name), path: "/".to_owned(), what: "The newest releases" };
    Ok(feed(env, &about, &lines, |line| Item { title: release_title(line), path: release_path(line), guid: false }))
}

/// The newest projects.
///
/// # Errors
/// The database.
pub async fn packages(ctx: Ctx<ReadIndex>, _input: Input) -> Result<Reply, Refusal> {
    let lines = ctx.view(SITE, |read, _| Box::pin(show::newest_projects(read, ENTRIES))).await?;
    let env = ctx.env();
    let about = About { title: format!("{}: newest projects", env.config.name), path: "/".to_owned(), what: "The newest projects" };
    let title = |line: &Line| format!("{} added to {}", line.name, env.config.name);
    Ok(feed(env, &about, &lines, |line| Item { title: title(line), path: format!("/project/{}/", line.normalized), guid: true }))
}

/// The newest releases of a project.
///
/// # Errors
/// `NotFound`; the database.
pub async fn releases(ctx: Ctx<ReadIndex>, input: Input<Name>) -> Result<Reply, Refusal> {
    let name = match spelled(&input.path.name) {
        Spelled::Normalized(name) => name,
        Spelled::Otherwise(name) => return Ok(moved(&format!("/rss/project/{name}/releases.xml"))),
        Spelled::NoName => return Err(Refusal::NotFound),
    };
    let found = ctx
        .view(SITE, move |read, _| {
            Box::pin(async move {
                let Some(project) = locks::shown_by_name(read, name.as_str()).await? else { return Ok(None) };
                let lines = show::newest_releases_of(read, project.id, ENTRIES).await?;
                Ok(Some((project, lines)))
            })
        })
        .await?;
    let Some((project, lines)) = found else { return Err(Refusal::NotFound) };
    let about = About {
        title: format!("{}: releases of {}", ctx.env().config.name, project.name),
        path: format!("/project/{}/", project.normalized),
        what: "The newest releases of this project",
    };
    Ok(feed(ctx.env(), &about, &lines, |line| Item {
        title: line.version.clone().unwrap_or_default(),
        path: release_path(line),
        guid: false,
    }))
}

struct About {
    title: String,
    path: String,
    what: &'static str,
}

struct Item {
    title: String,
    path: String,
    guid: bool,
}

fn release_title(line: &Line) -> String {
    format!("{} {}", line.name, line.version.as_deref().unwrap_or_default())
}

fn release_path(line: &Line) -> String {
    format!("/project/{}/{}/", line.normalized, line.version.as_deref().unwrap_or_default())
}

fn feed(env: &Env, about: &About, lines: &[Line], item: impl Fn(&Line) -> Item) -> Reply {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\">\n<channel>\n<title>{}</title>\n<link>{}</link>\n<description>{}</description>\n<language>en</language>\n",
        escape(&about.title),
        escape(&env.config.link(&about.path)),
        escape(about.what)
    );
    for line in lines {
        let item = item(line);
        let link = escape(&env.config.link(&item.path));
        xml.push_str(&format!("<item>\n<title>{}</title>\n<link>{link}</link>\n", escape(&item.title)));
        if item.guid {
            xml.push_str(&format!("<guid>{link}</guid>\n"));
        }
        xml.push_str(&format!("<description>{}</description>\n", escape(&line.summary)));
        if let Some(date) = line.released_at.and_then(|at| at.calendar().format(&Rfc2822).ok()) {
            xml.push_str(&format!("<pubDate>{date}</pubDate>\n"));
        }
        xml.push_str("</item>\n");
    }
    xml.push_str("</channel>\n</rss>\n");
    let reply = Reply::bytes(StatusCode::OK, "text/xml; charset=UTF-8", xml);
    for_other_origins(reply.with_header(header::CACHE_CONTROL, HeaderValue::from_static("max-age=600, public")))
}

/// Text of others in XML: marks become entities, and what XML 1.0 has no character for becomes a question mark.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(c),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
