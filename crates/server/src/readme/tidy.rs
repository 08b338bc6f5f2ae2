//! Makes HTML of unknown origin balanced and shallow before a real parser sees it.
//!
//! Not what makes it safe: the allow-list that follows does. It is here because the HTML parsing algorithm repairs
//! what is badly nested by copying elements, so that a small hostile text becomes a huge tree. What leaves
//! this module needs no repair. On the way headings move below those of the page, and pictures become links.

use super::escape;

/// How deep elements may nest; what is deeper keeps its text only.
const MAX_DEPTH: usize = 32;
/// How many of them may be inline.
const MAX_INLINE: usize = 8;
/// How many tags a description may hold; it ends there.
const MAX_TAGS: usize = 60_000;
/// A longer tag is shown as text, in bytes.
const MAX_TAG_BYTES: usize = 4_096;

/// Every element that has an end tag and may stay.
pub(super) const NAMES: [&str; 40] = [
    "p",
    "div",
    "blockquote",
    "pre",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "h3",
    "h4",
    "h5",
    "h6", // from here on inline
    "a",
    "b",
    "strong",
    "i",
    "em",
    "code",
    "kbd",
    "samp",
    "del",
    "ins",
    "s",
    "sub",
    "sup",
    "small",
    "u",
    "q",
    "abbr",
    "span",
];

/// Elements that go with everything in them.
const HIDDEN: [&str; 14] =
    ["script", "style", "iframe", "object", "svg", "math", "template", "noscript", "textarea", "title", "select", "video", "audio", "xmp"];

struct Tidier<'a> {
    html: &'a str,
    at: usize,
    out: String,
    open: Vec<&'static str>,
    /// Elements that were too deep, so that their ends are not taken for those of others.
    dropped: Vec<&'static str>,
    tags: usize,
    /// Ends that were looked for and do not come any more: each is looked for once.
    missing: Vec<&'static str>,
}

/// A tag as it was written.
struct Tag<'a> {
    name: String,
    attributes: Vec<(&'a str, &'a str)>,
    closing: bool,
    end: usize,
}

/// The same content, balanced; and whether its end was cut off.
pub(super) fn tidy(html: &str) -> (String, bool) {
    let out = String::with_capacity(html.len() + html.len() / 8);
    let mut tidier = Tidier { html, at: 0, out, open: Vec::new(), dropped: Vec::new(), tags: 0, missing: Vec::new() };
    tidier.run();
    let cut = tidier.at < html.len();
    tidier.close_to(0);
    (tidier.out, cut)
}

impl<'a> Tidier<'a> {
    fn run(&mut self) {
        while self.at < self.html.len() && self.tags < MAX_TAGS {
            let rest = &self.html[self.at..];
            let text = rest.find('<').unwrap_or(rest.len());
            self.out.push_str(&rest[..text]);
            self.at += text;
            if self.at < self.html.len() {
                self.tags += 1;
                self.markup();
            }
        }
    }

    /// Something that begins with `<`.
    fn markup(&mut self) {
        let rest = &self.html[self.at..];
        if rest.starts_with("<!--") {
            return self.skip_past("-->");
        }
        if rest.starts_with("<!") || rest.starts_with("<?") {
            return self.skip_past(">");
        }
        match read_tag(rest) {
            None => {
                self.out.push_str("&lt;");
                self.at += 1;
            }
            Some(tag) => {
                self.at += tag.end;
                if tag.closing { self.close(&tag.name) } else { self.open(&tag) }
            }
        }
    }

    /// Leaves out everything up to and with `end`; where that never comes, only the `<`.
    fn skip_past(&mut self, end: &'static str) {
        if !self.missing.contains(&end) {
            if let Some(found) = self.html[self.at..].find(end) {
                self.at += found + end.len();
                return;
            }
            self.missing.push(end);
        }
        self.out.push_str("&lt;");
        self.at += 1;
    }

    fn open(&mut self, tag: &Tag<'a>) {
        match tag.name.as_str() {
            "img" => self.picture(tag),
            "br" => self.out.push_str("<br>"),
            "hr" => {
                self.close_if_open("p", &[]);
                self.out.push_str("<hr>");
            }
            name => {
                if let Some(hidden) = HIDDEN.iter().find(|h| **h == name) {
                    self.skip_element(hidden);
                } else if let Some(name) = known(name) {
                    self.open_element(name, tag);
                }
            }
        }
    }

    /// Leaves out an element with its content; where its end never comes, only the tag.
    fn skip_element(&mut self, name: &'static str) {
        if self.missing.contains(&name) {
            return;
        }
        let rest = &self.html.as_bytes()[self.at..];
        let end =
            rest.windows(name.len() + 2).position(|window| window.starts_with(b"</") && window[2..].eq_ignore_ascii_case(name.as_bytes()));
        match end {
            Some(end) => self.at += end,
            None => self.missing.push(name),
        }
    }

    fn open_element(&mut self, name: &'static str, tag: &Tag<'a>) {
        self.make_room(name);
        let inline = self.open.iter().filter(|open| is_inline(open)).count();
        let too_deep = self.open.len() >= MAX_DEPTH || (is_inline(name) && inline >= MAX_INLINE);
        if too_deep || !self.fits(name) {
            self.dropped.push(name);
            return;
        }
        match name {
            "table" => self.out.push_str(r#"<div class="scroll" tabindex="0" role="region" aria-label="Table"><table"#),
            "pre" => self.out.push_str(r#"<pre tabindex="0""#),
            _ => {
                self.out.push('<');
                self.out.push_str(name);
            }
        }
        for (key, value) in &tag.attributes {
            self.attribute(name, key, value);
        }
        self.out.push('>');
        self.open.push(name);
    }

    /// Ends what cannot hold the element `name`.
    fn make_room(&mut self, name: &str) {
        if !is_inline(name) {
            self.close_if_open("p", &[]);
        }
        match name {
            "a" => self.close_if_open("a", &[]),
            "li" => self.close_if_open("li", &["ul", "ol"]),
            "dt" | "dd" => {
                self.close_if_open("dt", &["dl"]);
                self.close_if_open("dd", &["dl"]);
            }
            "td" | "th" => {
                self.close_if_open("td", &["tr"]);
                self.close_if_open("th", &["tr"]);
            }
            "tr" => self.close_if_open("tr", &["table"]),
            "thead" | "tbody" => {
                self.close_if_open("thead", &["table"]);
                self.close_if_open("tbody", &["table"]);
            }
            "h3" | "h4" | "h5" | "h6" => {
                for heading in ["h3", "h4", "h5", "h6"] {
                    self.close_if_open(heading, &["div", "blockquote", "li", "td", "th", "dd", "details"]);
                }
            }
            _ => {}
        }
    }

    /// Whether `name` may stand where we are: parts of lists and tables only in them.
    fn fits(&self, name: &str) -> bool {
        let top = self.open.last().copied().unwrap_or("");
        match name {
            "li" => matches!(top, "ul" | "ol"),
            "dt" | "dd" => top == "dl",
            "thead" | "tbody" => top == "table",
            "tr" => matches!(top, "table" | "thead" | "tbody"),
            "td" | "th" => top == "tr",
            "summary" => top == "details",
            _ => !matches!(top, "ul" | "ol" | "dl" | "table" | "thead" | "tbody" | "tr"),
        }
    }

    fn close_if_open(&mut self, name: &str, boundary: &[&str]) {
        for at in (0..self.open.len()).rev() {
            if self.open[at] == name {
                return self.close_to(at);
            }
            if boundary.contains(&self.open[at]) {
                return;
            }
        }
    }

    fn close(&mut self, name: &str) {
        let Some(name) = known(name) else { return };
        if self.dropped.last() == Some(&name) {
            self.dropped.pop();
        } else if let Some(at) = self.open.iter().rposition(|open| *open == name) {
            self.close_to(at);
        }
    }

    fn close_to(&mut self, depth: usize) {
        for name in self.open.drain(depth..).rev() {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push_str(if name == "table" { "></div>" } else { ">" });
        }
        self.dropped.clear();
    }

    fn attribute(&mut self, element: &str, key: &str, value: &str) {
        let value = value.trim();
        let number = || value.len() <= 3 && value.bytes().all(|b| b.is_ascii_digit()) && value != "0";
        let (key, value) = match (key.to_ascii_lowercase().as_str(), element) {
            ("id", _) | ("name", "a") => ("id", format!("readme-{}", quoted(value))),
            ("title", "a" | "abbr") => ("title", quoted(value)),
            ("href", "a") => match value.strip_prefix('#') {
                Some(anchor) => ("href", format!("#readme-{}", quoted(anchor))),
                None => ("href", quoted(value)),
            },
            ("colspan", "td" | "th") if number() => ("colspan", value.to_owned()),
            ("rowspan", "td" | "th") if number() => ("rowspan", value.to_owned()),
            ("start", "ol") if number() => ("start", value.to_owned()),
            ("open", "details") => ("open", String::new()),
            _ => return,
        };
        self.out.push_str(&format!(r#" {key}="{value}""#));
    }

    /// A picture is its description, linked to where it lies unless it is part of a link already.
    fn picture(&mut self, tag: &Tag<'_>) {
        let of = |key: &str| tag.attributes.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map_or("", |(_, v)| v.trim());
        let words = if of("alt").is_empty() { "Picture".to_owned() } else { quoted(of("alt")) };
        let scheme = of("src").get(..8).unwrap_or("").to_ascii_lowercase();
        let remote = scheme.starts_with("http://") || scheme.starts_with("https://");
        if remote && !self.open.contains(&"a") {
            self.out.push_str(&format!(r#"<a class="picture" href="{}">{words}</a>"#, quoted(of("src"))));
        } else {
            self.out.push_str(&words);
        }
    }
}

/// The value of an attribute, already free of bare ampersands, so that it can stand between quotes or as text.
fn quoted(value: &str) -> String {
    value.replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The name under which an element stays: headings two levels lower, old names as today's.
fn known(name: &str) -> Option<&'static str> {
    let name = match name {
        "h1" => "h3",
        "h2" => "h4",
        "h3" => "h5",
        "h4" | "h5" => "h6",
        "center" | "section" | "article" | "figure" | "figcaption" => "div",
        "strike" => "s",
        "tt" => "code",
        other => other,
    };
    NAMES.iter().find(|known| **known == name).copied()
}

fn is_inline(name: &str) -> bool {
    NAMES.iter().position(|known| *known == name).is_some_and(|at| at >= 22)
}

/// The tag that `text` begins with, if it is one.
fn read_tag(text: &str) -> Option<Tag<'_>> {
    let mut limit = text.len().min(MAX_TAG_BYTES);
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    let text = &text[..limit];
    let closing = text.starts_with("</");
    let start = if closing { 2 } else { 1 };
    let length = text[start..].bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = &text[start..start + length];
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut at = start + length;
    let mut attributes = Vec::new();
    loop {
        at += text[at..].bytes().take_while(|b| b.is_ascii_whitespace() || *b == b'/').count();
        match text.as_bytes().get(at)? {
            b'>' => break,
            _ => {
                let (key, value, next) = read_attribute(text, at)?;
                attributes.push((key, value));
                at = next;
            }
        }
    }
    Some(Tag { name: name.to_ascii_lowercase(), attributes, closing, end: at + 1 })
}

/// The attribute at `at`: its key, its value, and where it ends.
fn read_attribute(text: &str, at: usize) -> Option<(&str, &str, usize)> {
    let bytes = text.as_bytes();
    let length = bytes[at..].iter().skip(1).take_while(|b| !b.is_ascii_whitespace() && !b"/>=".contains(b)).count();
    let key = text.get(at..at + 1 + length)?;
    let blank = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    let equals = blank(at + 1 + length);
    if bytes.get(equals) != Some(&b'=') {
        return Some((key, "", at + 1 + length));
    }
    let start = blank(equals + 1);
    match bytes.get(start)? {
        quote @ (b'"' | b'\'') => {
            let end = start + 1 + bytes[start + 1..].iter().position(|b| b == quote)?;
            Some((key, &text[start + 1..end], end + 1))
        }
        _ => {
            let end = start + bytes[start..].iter().take_while(|b| !b.is_ascii_whitespace() && **b != b'>').count();
            Some((key, &text[start..end], end))
        }
    }
}

/// A link, for those who make HTML of other formats.
pub(super) fn link(href: &str, words: &str) -> String {
    format!(r#"<a href="{}">{}</a>"#, escape(href), escape(words))
}
