//! Marks inside a paragraph.

use super::super::escape;
use super::super::tidy::link;
use super::Names;

/// How far the end of a mark is looked for, in bytes.
const REACH: usize = 4_096;

/// The text of one block as HTML.
pub(super) fn inline(text: &str, names: &Names) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    let mut at = 0;
    while at < text.len() {
        let starts_word = text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        if starts_word && let Some((html, length)) = mark(&text[at..], names) {
            out.push_str(&html);
            at += length;
            continue;
        }
        let mut rest = text[at..].chars();
        match (rest.next(), rest.next()) {
            (Some('\\'), Some(escaped)) => {
                if !escaped.is_whitespace() {
                    out.push_str(&escape(escaped.encode_utf8(&mut [0; 4])));
                }
                at += 1 + escaped.len_utf8();
            }
            (Some(c), _) => {
                out.push_str(&escape(c.encode_utf8(&mut [0; 4])));
                at += c.len_utf8();
            }
            (None, _) => break,
        }
    }
    out
}

/// The mark that `text` begins with, as HTML, and its length.
fn mark(text: &str, names: &Names) -> Option<(String, usize)> {
    match text.as_bytes().first()? {
        b'`' if text.starts_with("``") => {
            let (inner, length) = between(text, "``", "``")?;
            Some((format!("<code>{}</code>", escape(inner)), length))
        }
        b'`' => interpreted(text, names),
        b'*' if text.starts_with("**") => {
            let (inner, length) = between(text, "**", "**")?;
            Some((format!("<strong>{}</strong>", escape(inner)), length))
        }
        b'*' => {
            let (inner, length) = between(text, "*", "*")?;
            Some((format!("<em>{}</em>", escape(inner)), length))
        }
        b'|' => {
            let (name, length) = between(text, "|", "|")?;
            let html = names.picture(name)?.to_owned();
            let reference = text[length..].bytes().take_while(|b| *b == b'_').count().min(2);
            Some((html, length + reference))
        }
        b':' => role(text),
        b'h' => address(text),
        first if first.is_ascii_alphanumeric() => reference(text, names),
        _ => None,
    }
}

/// What stands between `open` and `close`; marks neither begin nor end with a space.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, usize)> {
    let mut limit = text.len().min(REACH);
    while !text.is_char_boundary(limit) {
        limit -= 1;
    }
    let inner = &text[open.len()..limit];
    let end = inner.find(close)?;
    let inner = &inner[..end];
    let tight = !inner.is_empty() && inner.trim() == inner;
    tight.then(|| (inner, open.len() + end + close.len()))
}

/// `` `words <address>`_ ``, `` `name`_ `` or `` `words` ``.
fn interpreted(text: &str, names: &Names) -> Option<(String, usize)> {
    let (inner, length) = between(text, "`", "`")?;
    let underscores = text[length..].bytes().take_while(|b| *b == b'_').count().min(2);
    let length = length + underscores;
    if underscores == 0 {
        return Some((format!("<em>{}</em>", escape(inner)), length));
    }
    let linked = inner.strip_suffix('>').and_then(|inner| inner.rsplit_once('<'));
    let html = match linked {
        Some((words, address)) => {
            let words = if words.trim().is_empty() { address } else { words.trim() };
            let address = match address.strip_suffix('_') {
                Some(name) => names.target(name).unwrap_or(""),
                None => address.trim(),
            };
            link(address, words)
        }
        None => named(inner, names),
    };
    Some((html, length))
}

/// A reference by name leads to its target, or to the heading of that name.
fn named(name: &str, names: &Names) -> String {
    match names.target(name) {
        Some(address) => link(address, name),
        None => link(&format!("#{}", super::super::slug(name)), name),
    }
}

/// `` :role:`words` ``: what every role has in common is that it is a name of something.
fn role(text: &str) -> Option<(String, usize)> {
    let length = text[1..].bytes().take_while(|b| b.is_ascii_alphanumeric() || b"-_.:+".contains(b)).count();
    let name = text.get(1..1 + length)?.strip_suffix(':')?;
    let start = 1 + length;
    let (inner, inner_length) = text[start..].starts_with('`').then(|| between(&text[start..], "`", "`"))??;
    let words = inner.split_once(" <").map_or(inner, |(words, _)| words);
    let element = match name {
        "emphasis" | "title" => "em",
        "strong" => "strong",
        "sub" | "subscript" => "sub",
        "sup" | "superscript" => "sup",
        _ => "code",
    };
    Some((format!("<{element}>{}</{element}>", escape(words)), start + inner_length))
}

/// A bare `http:` or `https:` address.
fn address(text: &str) -> Option<(String, usize)> {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return None;
    }
    let length = text.find(|c: char| c.is_whitespace() || "<>\"`*".contains(c)).unwrap_or(text.len());
    let found = text[..length].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']);
    Some((link(found, found), found.len()))
}

/// `name_`, where a target of that name exists.
fn reference(text: &str, names: &Names) -> Option<(String, usize)> {
    let length = text.bytes().take(200).take_while(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)).count();
    let word = text[..length].trim_end_matches(['.', '-']);
    let name = word.strip_suffix("__").or_else(|| word.strip_suffix('_'))?;
    let address = names.target(name)?;
    Some((link(address, name), word.len()))
}
