//! Descriptions of projects, turned into HTML that can do no harm.
//!
//! Three steps, each with one duty: `markdown` and `rst` make HTML of a description; `tidy` makes it balanced,
//! shallow and free of pictures, so that what follows is linear in its length; the allow-list of `ammonia` comes last
//! and alone decides what is safe. A picture becomes a link: reading a page tells nobody else that it was read.

mod markdown;
mod rst;
mod tidy;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

/// HTML that has been made safe.
#[derive(Clone, Default)]
pub struct Html(String);

/// What is longer is cut here, in bytes.
const MAX_INPUT_BYTES: usize = 1 << 20;

const CUT: &str = "<p><em>The rest of this description is left out: it is too long.</em></p>";

/// The description as HTML. Markdown and reStructuredText as `content_type` says; nothing said is
/// reStructuredText; everything else is shown as it is.
pub fn render(description: &str, content_type: Option<&str>) -> Html {
    let (text, cut) = bounded(description);
    if text.trim().is_empty() {
        return Html::default();
    }
    let essence = content_type.map(|t| t.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
    let raw = match essence.as_deref() {
        Some("text/markdown") => markdown::to_html(text),
        None | Some("" | "text/x-rst") => rst::to_html(text),
        Some(_) => format!("<pre>{}</pre>", escape(text)),
    };
    let (mut tidied, overflowed) = tidy::tidy(&raw);
    if cut || overflowed {
        tidied.push_str(CUT);
    }
    Html(ALLOWED.clean(&tidied).to_string())
}

impl Html {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(tidy::NAMES.iter().copied().chain(["br", "hr"]).collect())
        .generic_attributes(HashSet::from(["id", "title"]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("td", HashSet::from(["colspan", "rowspan"])),
            ("th", HashSet::from(["colspan", "rowspan"])),
            ("ol", HashSet::from(["start"])),
            ("details", HashSet::from(["open"])),
        ]))
        .tag_attribute_values(HashMap::from([
            ("pre", HashMap::from([("tabindex", HashSet::from(["0"]))])),
            (
                "div",
                HashMap::from([
                    ("tabindex", HashSet::from(["0"])),
                    ("role", HashSet::from(["region"])),
                    ("aria-label", HashSet::from(["Table"])),
                ]),
            ),
        ]))
        .allowed_classes(HashMap::from([("div", HashSet::from(["scroll"])), ("a", HashSet::from(["picture"]))]))
        .clean_content_tags(HashSet::from(["script", "style"]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Custom(Box::new(inside_the_page)))
        .link_rel(Some("nofollow noopener"));
    builder
});

/// The only relative links that stay are those to another place of the same description.
fn inside_the_page(url: &str) -> Option<Cow<'_, str>> {
    url.starts_with("#readme-").then_some(Cow::Borrowed(url))
}

fn bounded(text: &str) -> (&str, bool) {
    if text.len() <= MAX_INPUT_BYTES {
        return (text, false);
    }
    let mut end = MAX_INPUT_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], true)
}

/// Text as HTML shows it, in and outside of attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

/// The anchor of a heading, as readers of README files know it: lower-case words joined by dashes.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests;
