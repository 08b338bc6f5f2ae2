//! Where to go afterwards: `next` is taken only when it is a path of this index that shows a page (R30).

use index::policy::Action;

use crate::gate::Ctx;

/// Pages that would lead around in circles.
const NEVER: &[&str] = &["/account/login/", "/account/logout/", "/account/reauthenticate/", "/account/confirm-login/"];

/// The longest `next` that is taken.
const MOST: usize = 2000;

/// The path, when it leads to a page of this index.
#[must_use]
pub fn checked<A: Action>(ctx: &Ctx<A>, next: Option<&str>) -> Option<String> {
    among(ctx.pages(), next)
}

fn among(pages: &[&'static str], next: Option<&str>) -> Option<String> {
    let next = next?;
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '#');
    if next.len() > MOST || !next.starts_with('/') || next.starts_with("//") || !next.chars().all(plain) {
        return None;
    }
    let path = next.split('?').next().unwrap_or(next);
    let leads = |pattern: &&str| !NEVER.contains(pattern) && matches(pattern, path);
    pages.iter().any(leads).then(|| next.to_owned())
}

/// Segment by segment; a `{name}` takes any one that is not empty, not hidden, and holds no encoded slash.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(w), Some(g)) if w.starts_with('{') => {
                let lower = g.to_ascii_lowercase();
                if g.is_empty() || g == "." || g == ".." || lower.contains("%2f") || lower.contains("%5c") || lower.contains("%2e%2e") {
                    return false;
                }
            }
            (Some(w), Some(g)) if w == g => {}
            _ => return false,
        }
    }
}

/// A path with `next` in its query.
#[must_use]
pub fn carried(path: &str, next: Option<&str>) -> String {
    match next {
        Some(next) => {
            let separator = if path.contains('?') { '&' } else { '?' };
            let query = serde_urlencoded::to_string([("next", next)]).unwrap_or_default();
            format!("{path}{separator}{query}")
        }
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::pages_of;
    use crate::routes;

    fn asked(next: Option<&str>) -> Option<String> {
        among(&pages_of(&routes::table()), next)
    }

    #[test]
    fn nothing_but_a_page_of_this_index_is_taken() {
        for bad in [
            "",
            "manage/account/",
            "//evil.example",
            "//evil.example/manage/account/",
            "/\\evil.example",
            "/manage/account/\r\nX: y",
            "https://evil.example/manage/account/",
            "/nothing/",
            "/account/login/",
            "/account/logout/",
            "/account/two-factor/",
            "/account/reauthenticate/?next=/manage/account/",
            "/_health/",
            "/manage/account/emails/reverify/",
            "/manage/account/#x",
            "javascript:alert(1)",
            "/manage/account",
            "/.//manage/account/",
            "/manage/./account/",
        ] {
            assert_eq!(asked(Some(bad)), None, "{bad:?}");
        }
        assert_eq!(asked(None), None);
        assert_eq!(asked(Some(&format!("/manage/account/?{}", "a".repeat(2000)))), None);
    }

    #[test]
    fn pages_of_this_index_are_taken_with_their_query() {
        for good in ["/manage/account/", "/manage/account/security-history/?before=7", "/manage/account/totp-provision"] {
            assert_eq!(asked(Some(good)).as_deref(), Some(good));
        }
    }

    #[test]
    fn a_parameter_takes_one_plain_segment() {
        assert!(matches("/project/{name}/", "/project/spam/"));
        for bad in ["/project//", "/project/../", "/project/a%2fb/", "/project/a/b/", "/project/spam"] {
            assert!(!matches("/project/{name}/", bad), "{bad}");
        }
    }
}
