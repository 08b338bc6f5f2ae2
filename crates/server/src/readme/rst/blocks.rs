//! Paragraphs and what stands between them.

use super::super::{escape, slug};
use super::inline::inline;
use super::{Names, picture_html};

/// Blocks nested more deeply are shown as they are written.
const MAX_DEPTH: usize = 12;

/// Writes the blocks of a text one after the other.
pub(super) struct Writer<'a> {
    names: &'a Names,
    out: String,
    /// The kinds of heading in the order they appeared: the character, and whether it stands above as well.
    headings: Vec<(char, bool)>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(names: &'a Names) -> Self {
        Self { names, out: String::new(), headings: Vec::new() }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Writes all of `lines`.
    pub(super) fn blocks(&mut self, lines: &[&str], depth: usize) {
        if depth > MAX_DEPTH {
            return self.literal(lines);
        }
        let mut at = 0;
        while at < lines.len() {
            at += if lines[at].is_empty() { 1 } else { self.block(&lines[at..], depth) };
        }
    }

    /// Writes the block that `lines` begins with and says how many lines it had.
    fn block(&mut self, lines: &[&str], depth: usize) -> usize {
        let first = lines[0];
        if first.starts_with(' ') {
            let length = indented(lines, 1);
            self.wrapped("blockquote", &lines[..length], depth);
            return length;
        }
        if first == ".." || first.starts_with(".. ") {
            return self.explicit(lines, depth);
        }
        if first.starts_with(">>> ") || is_table(first) {
            let length = lines.iter().take_while(|line| !line.is_empty()).count();
            self.literal(&lines[..length]);
            return length;
        }
        if let Some(length) = self.heading(lines) {
            return length;
        }
        if let Some(marker) = Marker::of(first) {
            return self.list(lines, marker, depth);
        }
        if let Some(length) = self.field(lines) {
            return length;
        }
        if lines.get(1).is_some_and(|second| second.starts_with(' ')) && !first.ends_with("::") {
            return self.definitions(lines, depth);
        }
        self.paragraph(lines)
    }

    fn heading(&mut self, lines: &[&str]) -> Option<usize> {
        let (title, style, length) = match (adornment(lines[0]), lines.get(1), lines.get(2)) {
            (Some(above), Some(title), Some(below)) if adornment(below) == Some(above) && !title.is_empty() => {
                (title.trim(), (above, true), 3)
            }
            (Some(_), next, _) if lines[0].len() >= 4 && next.is_none_or(|next| next.is_empty()) => {
                self.out.push_str("<hr>");
                return Some(1);
            }
            (None, Some(below), _) if below.len() >= lines[0].chars().count().min(4) => (lines[0], (adornment(below)?, false), 2),
            _ => return None,
        };
        let level = self.headings.iter().position(|seen| *seen == style).unwrap_or_else(|| {
            self.headings.push(style);
            self.headings.len() - 1
        });
        let level = (level + 1).min(6);
        let words = inline(title, self.names);
        self.out.push_str(&format!(r#"<h{level} id="{}">{words}</h{level}>"#, escape(&slug(title))));
        Some(length)
    }

    fn paragraph(&mut self, lines: &[&str]) -> usize {
        let length = lines.iter().take_while(|line| !line.is_empty()).count();
        let text = lines[..length].join("\n");
        let Some(before) = text.strip_suffix("::") else {
            self.text("p", &text);
            return length;
        };
        if !before.is_empty() {
            let colon = if before.ends_with(char::is_whitespace) { "" } else { ":" };
            self.text("p", &format!("{}{colon}", before.trim_end()));
        }
        let blank = lines[length..].iter().take_while(|line| line.is_empty()).count();
        let body = &lines[length + blank..];
        let literal = indented(body, 1);
        self.literal(&body[..literal]);
        length + blank + literal
    }

    fn list(&mut self, lines: &[&str], marker: Marker, depth: usize) -> usize {
        let element = if marker == Marker::Bullet { "ul" } else { "ol" };
        self.out.push_str(&format!("<{element}>"));
        let mut at = 0;
        while at < lines.len() && Marker::of(lines[at]) == Some(marker) {
            let width = marker.width(lines[at]);
            let length = 1 + indented(&lines[at + 1..], 2);
            let mut item = vec![&lines[at][width..]];
            item.extend(dedented(&lines[at + 1..at + length]));
            self.out.push_str("<li>");
            self.item(&item, depth);
            self.out.push_str("</li>");
            at += length;
            let blank = lines[at..].iter().take_while(|line| line.is_empty()).count();
            if lines.get(at + blank).is_some_and(|line| Marker::of(line) == Some(marker)) {
                at += blank;
            }
        }
        self.out.push_str(&format!("</{element}>"));
        at
    }

    /// The content of an item; a single paragraph stands without `<p>`.
    fn item(&mut self, lines: &[&str], depth: usize) {
        let text_length = lines.iter().take_while(|line| !line.is_empty()).count();
        let single = lines[text_length..].iter().all(|line| line.is_empty());
        let plain = lines[..text_length].iter().all(|line| !line.starts_with(' ') && Marker::of(line).is_none());
        if single && plain && !lines[0].ends_with("::") {
            let words = inline(&lines[..text_length].join("\n"), self.names);
            self.out.push_str(&words);
        } else {
            self.blocks(lines, depth + 1);
        }
    }

    /// `:name: value`.
    fn field(&mut self, lines: &[&str]) -> Option<usize> {
        let (name, value) = lines[0].strip_prefix(':')?.split_once(": ")?;
        if name.is_empty() || name.contains('`') {
            return None;
        }
        let length = 1 + indented(&lines[1..], 1);
        let mut text = value.trim().to_owned();
        for line in &lines[1..length] {
            text.push(' ');
            text.push_str(line.trim());
        }
        let words = inline(&text, self.names);
        self.out.push_str(&format!("<p><strong>{}:</strong> {words}</p>", escape(name)));
        Some(length)
    }

    fn definitions(&mut self, lines: &[&str], depth: usize) -> usize {
        let length = 1 + indented(&lines[1..], 1);
        self.out.push_str("<dl>");
        self.text("dt", lines[0]);
        self.wrapped("dd", &lines[1..length], depth);
        self.out.push_str("</dl>");
        length
    }

    /// What begins with two dots: a directive, a target, a comment.
    fn explicit(&mut self, lines: &[&str], depth: usize) -> usize {
        let length = 1 + indented(&lines[1..], 1);
        let body = &lines[1..length];
        let rest = lines[0].strip_prefix("..").unwrap_or("").trim_start();
        let Some((name, argument)) = rest.split_once("::") else { return length };
        if rest.starts_with(['_', '|', '[']) || name.contains(char::is_whitespace) {
            return length;
        }
        let content = dedented(after_options(body));
        match name {
            "code-block" | "code" | "sourcecode" | "parsed-literal" | "highlight" => self.literal(&content),
            "image" | "figure" => {
                let picture = picture_html(argument.trim(), body);
                self.out.push_str(&format!("<p>{picture}</p>"));
                if name == "figure" {
                    self.blocks(&content, depth + 1);
                }
            }
            "raw" | "include" | "contents" | "meta" | "sectnum" | "default-role" => {}
            "note" | "warning" | "tip" | "hint" | "important" | "caution" | "attention" | "danger" | "error" | "admonition" | "seealso"
            | "versionadded" | "versionchanged" | "deprecated" | "topic" | "rubric" => {
                self.admonition(name, argument.trim(), &content, depth);
            }
            _ => {
                let text = [lines[0]].into_iter().chain(body.iter().copied()).collect::<Vec<_>>();
                self.literal(&text);
            }
        }
        length
    }

    fn admonition(&mut self, name: &str, argument: &str, content: &[&str], depth: usize) {
        let word = match name {
            "admonition" | "topic" | "rubric" => String::new(),
            "seealso" => "See also".into(),
            "versionadded" => "Added in".into(),
            "versionchanged" => "Changed in".into(),
            other => other[..1].to_uppercase() + &other[1..],
        };
        let words = inline(argument, self.names);
        self.out.push_str(&format!("<blockquote><p><strong>{word}</strong> {words}</p>"));
        self.blocks(content, depth + 1);
        self.out.push_str("</blockquote>");
    }

    fn wrapped(&mut self, element: &str, lines: &[&str], depth: usize) {
        self.out.push_str(&format!("<{element}>"));
        self.blocks(&dedented(lines), depth + 1);
        self.out.push_str(&format!("</{element}>"));
    }

    fn text(&mut self, element: &str, text: &str) {
        let words = inline(text, self.names);
        self.out.push_str(&format!("<{element}>{words}</{element}>"));
    }

    fn literal(&mut self, lines: &[&str]) {
        let text = dedented(lines).join("\n");
        let text = text.trim_matches('\n');
        if !text.is_empty() {
            self.out.push_str(&format!("<pre><code>{}</code></pre>", escape(text)));
        }
    }
}

/// What an item of a list begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marker {
    Bullet,
    Number,
}

impl Marker {
    fn of(line: &str) -> Option<Self> {
        if line.starts_with("- ") || line.starts_with("* ") || line.starts_with("+ ") || line.starts_with("• ") {
            return Some(Self::Bullet);
        }
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let number = (digits > 0 && digits < 5) || line.starts_with('#');
        let after = &line[if digits > 0 { digits } else { usize::from(number) }..];
        (number && (after.starts_with(". ") || after.starts_with(") "))).then_some(Self::Number)
    }

    /// The length of the marker in bytes, the space included.
    fn width(self, line: &str) -> usize {
        line.find(' ').map_or(line.len(), |space| space + 1)
    }
}

/// The character that a line consists of, if it underlines a heading.
fn adornment(line: &str) -> Option<char> {
    let first = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() >= 2 && line.chars().all(|c| c == first)).then_some(first)
}

/// The border of a table: its rows are readable as they are written.
fn is_table(line: &str) -> bool {
    let border = line.starts_with("+-") || line.starts_with("+=") || (line.starts_with("==") && line.contains(' '));
    border && line.chars().all(|c| "+-= ".contains(c))
}

/// How many lines from the first are indented by at least `columns`, blank lines between them included.
fn indented(lines: &[&str], columns: usize) -> usize {
    let mut length = 0;
    for (at, line) in lines.iter().enumerate() {
        if line.is_empty() {
            continue;
        }
        if leading(line) < columns {
            break;
        }
        length = at + 1;
    }
    length
}

/// The lines without the indentation that all of them share.
fn dedented<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let shared = lines.iter().filter(|line| !line.is_empty()).map(|line| leading(line)).min().unwrap_or(0);
    lines.iter().map(|line| line.get(shared..).unwrap_or("")).collect()
}

fn leading(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The content of a directive, behind its `:option:` lines.
fn after_options<'a, 'b>(body: &'b [&'a str]) -> &'b [&'a str] {
    let options = body.iter().take_while(|line| line.trim_start().starts_with(':')).count();
    &body[options..]
}
