//! SPDX licence expressions in `License-Expression`.

use thiserror::Error;

/// How deep parentheses may nest.
const DEPTH_LIMIT: usize = 50;

/// Why a text is no licence expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LicenseError {
    /// It names a licence that the SPDX list does not have.
    #[error("Unknown license: '{0}'")]
    UnknownLicense(String),
    /// It names an exception that the SPDX list does not have.
    #[error("Unknown license exception: '{0}'")]
    UnknownException(String),
    /// A `LicenseRef-` with other characters than letters, digits, `.` and `-`.
    #[error("Invalid licenseref: '{0}'")]
    InvalidReference(String),
    /// The operators and parentheses do not make an expression.
    #[error("Invalid license expression: '{0}'")]
    Syntax(String),
}

/// Reads an expression and returns it with the SPDX list's own spelling (`mit or isc` becomes `MIT OR ISC`).
///
/// # Source
/// PEP 639, "License-Expression"; SPDX specification, annex on licence expressions. Deprecated identifiers are known,
/// case does not matter, and `DocumentRef-` is not allowed, as in Python's own parser.
///
/// # Errors
/// [`LicenseError`] for the first thing that does not read.
pub fn canonical_expression(text: &str) -> Result<String, LicenseError> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut reader = Reader { text, tokens: spaced.split_whitespace().collect(), position: 0, out: Vec::new() };
    reader.expression(0)?;
    if reader.position < reader.tokens.len() {
        return Err(reader.syntax());
    }
    Ok(reader.out.join(" ").replace("( ", "(").replace(" )", ")"))
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<&'a str>,
    position: usize,
    out: Vec<String>,
}

impl Reader<'_> {
    fn syntax(&self) -> LicenseError {
        LicenseError::Syntax(crate::shortened(self.text))
    }

    fn take(&mut self, keyword: &str) -> bool {
        let found = self.tokens.get(self.position).is_some_and(|token| token.eq_ignore_ascii_case(keyword));
        if found {
            self.out.push(keyword.to_owned());
            self.position += 1;
        }
        found
    }

    fn expression(&mut self, depth: usize) -> Result<(), LicenseError> {
        if depth > DEPTH_LIMIT {
            return Err(self.syntax());
        }
        loop {
            if self.take("(") {
                self.expression(depth + 1)?;
                if !self.take(")") {
                    return Err(self.syntax());
                }
            } else {
                self.license()?;
            }
            if !self.take("AND") && !self.take("OR") {
                return Ok(());
            }
        }
    }

    fn identifier(&mut self) -> Result<String, LicenseError> {
        let token = self.tokens.get(self.position).copied().ok_or_else(|| self.syntax())?;
        if ["(", ")", "AND", "OR", "WITH"].iter().any(|keyword| token.eq_ignore_ascii_case(keyword)) {
            return Err(self.syntax());
        }
        self.position += 1;
        Ok(token.to_owned())
    }

    fn license(&mut self) -> Result<(), LicenseError> {
        let token = self.identifier()?;
        let known = license_name(&token)?;
        self.out.push(known);
        if self.take("WITH") {
            let token = self.identifier()?;
            let exceptions = spdx::identifiers::EXCEPTIONS.iter();
            let known = exceptions.map(|exception| exception.name).find(|name| name.eq_ignore_ascii_case(&token));
            let known = known.ok_or_else(|| LicenseError::UnknownException(crate::shortened(&token)))?;
            self.out.push(known.to_owned());
        }
        Ok(())
    }
}

fn license_name(token: &str) -> Result<String, LicenseError> {
    const REFERENCE: &str = "LicenseRef-";
    if token.get(..REFERENCE.len()).is_some_and(|start| start.eq_ignore_ascii_case(REFERENCE)) {
        let id = &token[REFERENCE.len()..];
        let valid = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        let name = format!("{REFERENCE}{id}");
        return if valid { Ok(name) } else { Err(LicenseError::InvalidReference(crate::shortened(token))) };
    }
    let (id, suffix) = token.strip_suffix('+').map_or((token, ""), |id| (id, "+"));
    let licenses = spdx::identifiers::LICENSES.iter().map(|license| license.name);
    // The list itself holds a few deprecated identifiers that end in `+`.
    let exact = licenses.clone().find(|name| name.eq_ignore_ascii_case(token)).map(str::to_owned);
    let found = exact.or_else(|| {
        let mut plain = licenses.filter(|name| *name != "NOASSERTION");
        plain.find(|name| name.eq_ignore_ascii_case(id)).map(|name| format!("{name}{suffix}"))
    });
    found.filter(|name| name != "NOASSERTION").ok_or_else(|| LicenseError::UnknownLicense(crate::shortened(id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn licence_expressions_read_as_python_reads_them() {
        for line in include_str!("../tests/vectors/licenses.tsv").lines().filter(|line| !line.starts_with('#')) {
            let (text, expected) = line.split_once('\t').unwrap();
            assert_eq!(canonical_expression(text).unwrap_or_else(|_| "-".to_owned()), expected, "{text:?}");
        }
    }

    #[test]
    fn the_unknown_part_is_named() {
        assert_eq!(canonical_expression("MIT OR Nope-1"), Err(LicenseError::UnknownLicense("Nope-1".into())));
        assert_eq!(canonical_expression("MIT WITH Nope"), Err(LicenseError::UnknownException("Nope".into())));
        assert_eq!(canonical_expression("LicenseRef-a_b"), Err(LicenseError::InvalidReference("LicenseRef-a_b".into())));
    }

    #[test]
    fn a_deeply_nested_expression_is_refused_without_overflow() {
        assert!(canonical_expression(&"(".repeat(200_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(MIT|AND|OR|WITH|\\(|\\)| |\\+|é|LicenseRef-){0,12}") {
            let _ = canonical_expression(&text);
        }
    }
}
