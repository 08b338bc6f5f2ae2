//! Mail addresses and web addresses in metadata: form only, nothing is looked up.

use url::Url;

/// The first mail address of a field such as `Ada <ada@example.org>, Bob <bob@example.org>`; `None` when it has none.
pub(crate) fn first_address(text: &str) -> Option<&str> {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
        None => text.split(',').next().unwrap_or(text),
    };
    Some(address.trim()).filter(|address| !address.is_empty())
}

/// Whether a text has the form of a mail address on a dotted domain.
///
/// # Source
/// RFC 5321 4.1.2 (dot-string, domain) and 4.5.3.1 (lengths); letters beyond ASCII as in RFC 6531.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_foreign_letter(c);
    let local_fits = !local.is_empty() && local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.chars().all(is_atom));
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || is_foreign_letter(c))
    };
    local_fits && domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label)
}

fn is_foreign_letter(c: char) -> bool {
    !c.is_ascii() && c.is_alphanumeric()
}

/// Whether a text is an http or https address with a host, without spaces, and without a user name or password:
/// `https://known.example@evil.example/` reads as the known host and leads to the other.
///
/// # Source
/// RFC 3986; WHATWG URL for the host.
pub(crate) fn is_web_address(text: &str) -> bool {
    let lower: String = text.chars().take(8).collect::<String>().to_ascii_lowercase();
    let spelled_out = lower.starts_with("https://") || lower.starts_with("http://");
    let plain = text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"\\^`{|}".contains(c));
    let Ok(url) = Url::parse(text) else { return false };
    let authority = text.split('/').nth(2).unwrap_or_default();
    let authority = authority.split(['?', '#']).next().unwrap_or_default();
    spelled_out && plain && url.has_host() && !authority.is_empty() && !authority.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_no_mail_reaches_is_refused() {
        for bad in ["", "a", "a@", "@a.b", "a@b", "a b@c.de", "a@b..c", "a@-b.c", ".a@b.c", "a..b@c.de", "a@b.c\n", "a@b_c.de"] {
            assert!(!is_address(bad), "{bad:?}");
        }
        assert!(!is_address(&format!("{}@example.org", "a".repeat(65))));
        for good in ["ada@example.org", "a+b.c@x.example", "jörg@bücher.example", "o'neil@example.org"] {
            assert!(is_address(good), "{good:?}");
        }
    }

    #[test]
    fn the_first_address_of_a_field_is_found() {
        assert_eq!(first_address("Ada, L. <ada@example.org>, b@example.org"), Some("ada@example.org"));
        assert_eq!(first_address("ada@example.org, b@example.org"), Some("ada@example.org"));
        assert_eq!(first_address("  "), None);
        assert_eq!(first_address("Ada <>"), None);
    }

    #[test]
    fn an_address_that_hides_its_host_or_runs_code_is_refused() {
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://example.org",
            "https://known.example@evil.example/",
            "https://a:b@evil.example",
            "https:evil.example",
            "//evil.example",
            "example.org",
            "https://",
            "http:///x",
            "https://a b.example",
            "https://example.org/\nx",
            "https://example.org/\"><script>",
            "",
            " https://example.org",
            "https://@evil.example/",
            "https://known.example\\@evil.example/",
        ] {
            assert!(!is_web_address(bad), "{bad:?}");
        }
        for good in ["https://example.org", "HTTP://example.org:8080/a?b=c@d#e", "https://example.org/@user", "https://bücher.example/ü"]
        {
            assert!(is_web_address(good), "{good:?}");
        }
    }
}
