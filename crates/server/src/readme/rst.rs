//! The part of reStructuredText that descriptions use: headings, paragraphs, lists, literal blocks, admonitions,
//! inline marks, links. What it does not know it shows as it is written. Not docutils, and it reads no other file.

mod blocks;
mod inline;

use std::cell::Cell;
use std::collections::HashMap;

use super::tidy::link;

/// HTML that is not safe yet.
pub(super) fn to_html(text: &str) -> String {
    let expanded: Vec<String> = text.lines().map(|line| line.trim_end().replace('\t', "        ")).collect();
    let lines: Vec<&str> = expanded.iter().map(String::as_str).collect();
    let names = Names::collect(&lines);
    let mut writer = blocks::Writer::new(&names);
    writer.blocks(&lines, 0);
    writer.finish()
}

/// What a text refers to by name: link targets, and pictures that stand for `|name|`.
struct Names {
    targets: HashMap<String, String>,
    pictures: HashMap<String, String>,
    /// How many bytes references may still copy: a long address that is named again and again must not multiply.
    spare: Cell<usize>,
}

/// How many bytes all references of one description may copy together.
const REFERENCED_MOST: usize = 1 << 20;
/// A longer address or picture text is not a name for anything.
const ADDRESS_MOST: usize = 2_048;

impl Names {
    fn collect(lines: &[&str]) -> Self {
        let mut names = Self { targets: HashMap::new(), pictures: HashMap::new(), spare: Cell::new(REFERENCED_MOST) };
        for (at, line) in lines.iter().enumerate() {
            let Some(rest) = line.trim_start().strip_prefix(".. ") else { continue };
            if rest.len() > ADDRESS_MOST {
                continue;
            }
            if let Some((name, address)) = target(rest) {
                names.targets.insert(key(name), address.to_owned());
            } else if let Some((name, source)) = picture(rest) {
                let options = &lines[at + 1..lines.len().min(at + 12)];
                names.pictures.insert(key(name), picture_html(source, options));
            }
        }
        names
    }

    fn target(&self, name: &str) -> Option<&str> {
        self.spend(self.targets.get(&key(name))?)
    }

    fn picture(&self, name: &str) -> Option<&str> {
        self.spend(self.pictures.get(&key(name))?)
    }

    /// What a name stands for, while there is something left to spend on it.
    fn spend<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.spare.set(self.spare.get().checked_sub(text.len())?);
        Some(text)
    }
}

/// `_name: address`.
fn target(rest: &str) -> Option<(&str, &str)> {
    let rest = rest.strip_prefix('_')?;
    let (name, address) = match rest.strip_prefix('`') {
        Some(quoted) => quoted.split_once("`:")?,
        None => rest.split_once(": ")?,
    };
    let address = address.trim();
    (!address.is_empty()).then_some((name, address))
}

/// `|name| image:: source`.
fn picture(rest: &str) -> Option<(&str, &str)> {
    let (name, rest) = rest.strip_prefix('|')?.split_once('|')?;
    Some((name, rest.trim_start().strip_prefix("image::")?.trim()))
}

/// A picture as a link to its `:target:`, or to itself.
fn picture_html(source: &str, following: &[&str]) -> String {
    let option = |name: &str| {
        let given = following.iter().take_while(|line| line.starts_with(' ') || line.is_empty());
        given
            .filter_map(|line| line.trim_start().strip_prefix(name))
            .map(str::trim)
            .find(|value| !value.is_empty() && value.len() <= ADDRESS_MOST)
    };
    link(option(":target:").unwrap_or(source), option(":alt:").unwrap_or("Picture"))
}

/// Names are compared without regard to case and spacing.
fn key(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
