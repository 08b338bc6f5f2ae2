//! Dependency specifiers (PEP 508) and version specifiers (PEP 440), read only to judge and compare them.
//! Nothing is resolved or evaluated here, and markers stay text: a general marker engine keeps every marker it ever
//! saw in memory, which an uploader could fill.

use std::fmt;

use thiserror::Error;

use crate::name;
use crate::version::Version;

/// How deep parentheses in a marker may nest.
const DEPTH_LIMIT: usize = 50;

const OPERATORS: [&str; 8] = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"];

const VARIABLES: [&str; 19] = [
    "dependency_groups",
    "extra",
    "extras",
    "implementation_name",
    "implementation_version",
    "os.name",
    "os_name",
    "platform.machine",
    "platform.python_implementation",
    "platform.version",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_implementation",
    "python_version",
    "sys.platform",
];

/// A parsed dependency; `Display` is one spelling for all that mean the same token by token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The normalized name.
    pub name: String,
    /// Normalized extras, sorted.
    pub extras: Vec<String>,
    /// Version specifiers without spaces, sorted.
    pub specifiers: Vec<String>,
    /// The address of a direct reference (`name @ URL`).
    pub url: Option<String>,
    /// The marker's tokens joined by one space.
    pub marker: Option<String>,
}

/// Why a text is no dependency or no version specifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RequirementError(String);

fn refuse<T>(message: impl Into<String>) -> Result<T, RequirementError> {
    Err(RequirementError(message.into()))
}

/// Reads a comma-separated set of version specifiers, as in `Requires-Python`; returns them without spaces, sorted.
///
/// # Source
/// PEP 440, "Version specifiers"; `===` takes any text, as there.
///
/// # Errors
/// [`RequirementError`] naming the specifier that does not read.
pub fn parse_specifiers(text: &str) -> Result<Vec<String>, RequirementError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let mut specifiers = parts.map(parse_specifier).collect::<Result<Vec<_>, _>>()?;
    specifiers.sort();
    specifiers.dedup();
    Ok(specifiers)
}

fn parse_specifier(text: &str) -> Result<String, RequirementError> {
    let invalid = || RequirementError(format!("Invalid specifier: {}", crate::quoted(text)));
    let operator = OPERATORS.into_iter().find(|operator| text.starts_with(operator)).ok_or_else(invalid)?;
    let version = text[operator.len()..].trim();
    if operator == "===" {
        let plain = |c: char| !c.is_whitespace() && c != ';' && c != ')';
        let valid = !version.is_empty() && version.chars().all(plain);
        return if valid { Ok(format!("==={version}")) } else { Err(invalid()) };
    }
    let is_equality = operator == "==" || operator == "!=";
    if let Some(prefix) = version.strip_suffix(".*") {
        let parsed = Version::parse(prefix).map_err(|_| invalid())?;
        // A prefix match takes releases only, but a post- or pre-release segment may be part of the prefix.
        let fits = is_equality && parsed.is_final_release_only();
        return if fits { Ok(format!("{operator}{parsed}.*")) } else { Err(invalid()) };
    }
    let parsed = Version::parse(version).map_err(|_| invalid())?;
    if (parsed.is_local() && !is_equality) || (operator == "~=" && parsed.segments() < 2) {
        return Err(invalid());
    }
    Ok(format!("{operator}{parsed}"))
}

impl Requirement {
    /// Reads one dependency.
    ///
    /// # Source
    /// PEP 508, with the old dotted variable names that Python's own parser still reads.
    ///
    /// # Errors
    /// [`RequirementError`] saying what was expected.
    pub fn parse(text: &str) -> Result<Self, RequirementError> {
        let text = text.trim_matches([' ', '\t']);
        let name_end = text.find(|c: char| !is_name_character(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(name_end);
        if !name::is_identifier(name) {
            return refuse("Expected package name at the start of dependency specifier");
        }
        let (extras, rest) = take_extras(rest.trim_start())?;
        let rest = rest.trim_start();
        let (url, specifiers, marker_text) = match rest.strip_prefix('@') {
            Some(reference) => {
                let (url, marker) = take_url(reference.trim_start())?;
                (Some(url), Vec::new(), marker)
            }
            None => {
                let (specifiers, marker) = take_specifiers(rest)?;
                (None, specifiers, marker)
            }
        };
        let marker = marker_text.map(Marker::parse).transpose()?;
        Ok(Self { name: name::normalize(name), extras, specifiers, url, marker })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.extras.is_empty() {
            write!(f, "[{}]", self.extras.join(","))?;
        }
        f.write_str(&self.specifiers.join(","))?;
        if let Some(url) = &self.url {
            write!(f, " @ {url}")?;
        }
        match &self.marker {
            Some(marker) => write!(f, " ; {marker}"),
            None => Ok(()),
        }
    }
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn take_extras(rest: &str) -> Result<(Vec<String>, &str), RequirementError> {
    let Some(inner) = rest.strip_prefix('[') else {
        return Ok((Vec::new(), rest));
    };
    let Some((list, rest)) = inner.split_once(']') else {
        return refuse("Expected matching RIGHT_BRACKET for LEFT_BRACKET, after extras");
    };
    if list.trim().is_empty() {
        return Ok((Vec::new(), rest));
    }
    let mut extras = Vec::new();
    for extra in list.split(',').map(str::trim) {
        if !name::is_identifier(extra) {
            return refuse(format!("Expected an extra name, not {}", crate::quoted(&crate::shortened(extra))));
        }
        extras.push(name::normalize(extra));
    }
    extras.sort();
    extras.dedup();
    Ok((extras, rest))
}

fn take_url(rest: &str) -> Result<(String, Option<&str>), RequirementError> {
    let end = rest.find([' ', '\t']).unwrap_or(rest.len());
    let (url, rest) = rest.split_at(end);
    if url.is_empty() {
        return refuse("Expected URL after @");
    }
    let rest = rest.trim_start();
    match rest.strip_prefix(';') {
        Some(marker) => Ok((url.to_owned(), Some(marker))),
        None if rest.is_empty() => Ok((url.to_owned(), None)),
        None => refuse("Expected semicolon (after URL and whitespace) or end"),
    }
}

fn take_specifiers(rest: &str) -> Result<(Vec<String>, Option<&str>), RequirementError> {
    let (list, rest) = match rest.strip_prefix('(') {
        Some(inner) => match inner.split_once(')') {
            Some((list, rest)) => (list, rest.trim_start()),
            None => return refuse("Expected matching RIGHT_PARENTHESIS for LEFT_PARENTHESIS, after version specifier"),
        },
        None => rest.split_at(rest.find(';').unwrap_or(rest.len())),
    };
    // A lone or doubled comma is no set; one at the end is what Python's parser lets pass.
    let list = list.trim();
    if list.strip_suffix(',').unwrap_or(list).split(',').any(|part| part.trim().is_empty()) && !list.is_empty() {
        return refuse("Expected a version specifier between commas");
    }
    let specifiers = parse_specifiers(list)?;
    match rest.strip_prefix(';') {
        Some(marker) => Ok((specifiers, Some(marker))),
        None if rest.is_empty() => Ok((specifiers, None)),
        None => refuse("Expected semicolon (after version specifier) or end"),
    }
}

/// A reader of marker expressions that writes the tokens it accepts.
struct Marker<'a> {
    rest: &'a str,
    tokens: Vec<String>,
}

impl<'a> Marker<'a> {
    fn parse(text: &'a str) -> Result<String, RequirementError> {
        let mut marker = Self { rest: text, tokens: Vec::new() };
        marker.expression(0)?;
        marker.skip_space();
        if !marker.rest.is_empty() {
            return refuse("Expected end of dependency specifier");
        }
        Ok(marker.tokens.join(" "))
    }

    fn expression(&mut self, depth: usize) -> Result<(), RequirementError> {
        if depth > DEPTH_LIMIT {
            return refuse("The marker has too many nested parentheses");
        }
        loop {
            self.skip_space();
            if self.take("(") {
                self.tokens.push("(".to_owned());
                self.expression(depth + 1)?;
                self.skip_space();
                if !self.take(")") {
                    return refuse("Expected matching RIGHT_PARENTHESIS for LEFT_PARENTHESIS, after marker expression");
                }
                self.tokens.push(")".to_owned());
            } else {
                self.comparison()?;
            }
            self.skip_space();
            if !self.take_word("and") && !self.take_word("or") {
                return Ok(());
            }
        }
    }

    fn comparison(&mut self) -> Result<(), RequirementError> {
        self.operand()?;
        self.skip_space();
        if let Some(operator) = OPERATORS.into_iter().find(|operator| self.take(operator)) {
            self.tokens.push(operator.to_owned());
        } else if self.take_word("not") {
            self.skip_space();
            if !self.take_word("in") {
                return refuse("Expected 'in' after 'not'");
            }
        } else if !self.take_word("in") {
            return refuse("Expected marker operator, one of <=, <, !=, ==, >=, >, ~=, ===, in, not in");
        }
        self.operand()
    }

    fn operand(&mut self) -> Result<(), RequirementError> {
        self.skip_space();
        if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let inner = &self.rest[1..];
            let Some(end) = inner.find(quote) else {
                return refuse("Expected the end of a quoted string");
            };
            self.tokens.push(crate::quoted(&inner[..end]));
            self.rest = &inner[end + 1..];
            return Ok(());
        }
        let end = self.rest.find(|c: char| !is_word(c) && c != '.').unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        if VARIABLES.contains(&word) || word == "sys_platform" {
            self.tokens.push(word.replace('.', "_"));
            self.rest = &self.rest[end..];
            return Ok(());
        }
        refuse("Expected a marker variable or quoted string")
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        true
    }

    fn take_word(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word).filter(|rest| !rest.starts_with(is_word)) else {
            return false;
        };
        self.tokens.push(word.to_owned());
        self.rest = rest;
        true
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requirements_read_as_python_reads_them() {
        for line in include_str!("../tests/vectors/requirements.tsv").lines().filter(|line| !line.starts_with('#')) {
            let (expected, text) = line.split_once('\t').unwrap();
            assert_eq!(Requirement::parse(text).is_ok(), expected == "ok", "{text:?}");
        }
    }

    #[test]
    fn specifier_sets_read_as_python_reads_them() {
        for line in include_str!("../tests/vectors/specifiers.tsv").lines().filter(|line| !line.starts_with('#')) {
            let (expected, text) = line.split_once('\t').unwrap();
            assert_eq!(parse_specifiers(text).is_ok(), expected == "ok", "{text:?}");
        }
    }

    #[test]
    fn two_spellings_of_a_dependency_show_alike() {
        let shown = |text: &str| Requirement::parse(text).unwrap().to_string();
        assert_eq!(shown("Foo.Bar[B,a] (>=1.0, <2) ; os.name==\"nt\""), shown("foo-bar[a,b]<2,>=1.0;os_name == 'nt'"));
        assert_ne!(shown("foo>=1.0"), shown("foo>=1.1"));
        assert_ne!(shown("foo; extra == 'a'"), shown("foo; extra == 'b'"));
        assert_ne!(shown("foo; extra == 'a'"), shown("foo"));
    }

    #[test]
    fn a_direct_reference_is_recognized() {
        let requirement = Requirement::parse("foo @ https://index.example.org/x.whl ; extra == 'y'").unwrap();
        assert_eq!(requirement.url.as_deref(), Some("https://index.example.org/x.whl"));
        assert!(Requirement::parse("foo@https://index.example.org/x").unwrap().url.is_some());
        assert_eq!(Requirement::parse("foo>1").unwrap().url, None);
    }

    #[test]
    fn a_deeply_nested_marker_is_refused_without_overflow() {
        let text = format!("a; {}os_name == 'x'{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(Requirement::parse(&text).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "[a-z]{0,3}[ \\[\\](),;@<>=!~'\"a-z0-9.*é]{0,40}") {
            let _ = Requirement::parse(&text);
            let _ = parse_specifiers(&text);
        }

        #[test]
        fn what_is_shown_reads_back_the_same(text in "[a-z]{1,3}(\\[[a-z]\\])?((>=|<|~=)[0-9]\\.[0-9](,!=[0-9])?)?(; os_name (==|in) 'x')?") {
            let requirement = Requirement::parse(&text).unwrap();
            prop_assert_eq!(Requirement::parse(&requirement.to_string()).unwrap(), requirement);
        }
    }
}
