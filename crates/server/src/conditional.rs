//! Conditional requests, ranges and content encodings as HTTP defines them: pure functions on headers.

use axum::http::header::{ACCEPT_ENCODING, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE};
use axum::http::{HeaderMap, HeaderName};
use index::clock::Time;
use index::prepared::Encoding;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// What a request's conditions ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The representation.
    Send,
    /// 304.
    NotModified,
    /// 412.
    Failed,
}

/// What a `Range` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Everything: no range, one that does not read, or several.
    Whole,
    /// These bytes, both ends included.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// None of the bytes: 416.
    Nothing,
}

/// A moment as HTTP writes it.
#[must_use]
pub fn http_date(at: Time) -> String {
    at.calendar().format(HTTP_DATE).unwrap_or_default()
}

fn read_date(text: &str) -> Option<OffsetDateTime> {
    PrimitiveDateTime::parse(text.trim(), HTTP_DATE).ok().map(PrimitiveDateTime::assume_utc)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Judges `If-Match`, `If-Unmodified-Since`, `If-None-Match`, `If-Modified-Since`, in this order.
///
/// # Source
/// RFC 9110 section 13.2.2.
#[must_use]
pub fn judge(headers: &HeaderMap, etag: &str, modified: Option<Time>) -> Outcome {
    let since = |name| text(headers, name).as_deref().and_then(read_date);
    let modified = modified.map(|at| at.as_seconds());
    if let Some(list) = text(headers, IF_MATCH) {
        if !names(&list, etag, false) {
            return Outcome::Failed;
        }
    } else if let (Some(date), Some(modified)) = (since(IF_UNMODIFIED_SINCE), modified)
        && modified > date.unix_timestamp()
    {
        return Outcome::Failed;
    }
    if let Some(list) = text(headers, IF_NONE_MATCH) {
        return if names(&list, etag, true) { Outcome::NotModified } else { Outcome::Send };
    }
    match (since(IF_MODIFIED_SINCE), modified) {
        (Some(date), Some(modified)) if modified <= date.unix_timestamp() => Outcome::NotModified,
        _ => Outcome::Send,
    }
}

/// Whether a list of entity tags names this one; our tags hold no comma.
fn names(list: &str, etag: &str, weakly: bool) -> bool {
    list.split(',').map(str::trim).any(|one| one == "*" || one == etag || (weakly && one.strip_prefix("W/") == Some(etag)))
}

/// What of a representation of this size is wanted.
///
/// # Source
/// RFC 9110 sections 13.1.5 (If-Range) and 14.2.
#[must_use]
pub fn wanted(headers: &HeaderMap, etag: &str, modified: Time, size: u64) -> Wanted {
    let Some(range) = headers.get(RANGE).and_then(|v| v.to_str().ok()) else { return Wanted::Whole };
    if let Some(condition) = headers.get(IF_RANGE).and_then(|v| v.to_str().ok()) {
        let condition = condition.trim();
        let same = condition == etag || read_date(condition).is_some_and(|date| date.unix_timestamp() == modified.as_seconds());
        if !same {
            return Wanted::Whole;
        }
    }
    read_range(range, size).unwrap_or(Wanted::Whole)
}

/// `None` when it does not read or names several ranges: then it is as if it were not there.
fn read_range(range: &str, size: u64) -> Option<Wanted> {
    let (unit, set) = range.split_once('=')?;
    let (first, last) = set.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let length = number(last)?;
        return Some(match size.checked_sub(1) {
            Some(end) if length > 0 => Wanted::Part { first: size.saturating_sub(length), last: end },
            _ => Wanted::Nothing,
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some(if first >= size { Wanted::Nothing } else { Wanted::Part { first, last: last.min(size - 1) } })
}

/// Digits alone; a number beyond 64 bits is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// The encoding with the highest weight; between equals Brotli, Zstandard, gzip, nothing.
///
/// # Source
/// RFC 9110 section 12.5.3. Who refuses even `identity` gets it, as the section allows.
#[must_use]
pub fn encoding(headers: &HeaderMap) -> Encoding {
    let Some(accepted) = text(headers, ACCEPT_ENCODING) else { return Encoding::Identity };
    let mut weights: Vec<(String, f32)> = Vec::new();
    for item in accepted.split(',') {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        weights.push((if name == "x-gzip" { "gzip".to_owned() } else { name }, weight));
    }
    let of = |name: &str| weights.iter().find(|(n, _)| n == name).map(|(_, weight)| *weight);
    let mut best = (of("identity").unwrap_or(f32::MIN_POSITIVE), Encoding::Identity);
    for candidate in [Encoding::Gzip, Encoding::Zstd, Encoding::Brotli] {
        let weight = of(candidate.name()).or_else(|| of("*")).unwrap_or(0.0);
        if weight > 0.0 && weight >= best.0 {
            best = (weight, candidate);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    const AT: Time = Time(1_795_420_800_500_000);

    #[test]
    fn dates_are_written_and_read_as_http_does() {
        assert_eq!(http_date(AT), "Mon, 23 Nov 2026 08:00:00 GMT");
        assert_eq!(read_date("Mon, 23 Nov 2026 08:00:00 GMT").unwrap().unix_timestamp(), 1_795_420_800);
        assert_eq!(read_date("yesterday"), None);
    }

    #[test]
    fn the_encoding_is_the_one_that_the_client_likes_best() {
        for (accept, expected) in [
            ("gzip, deflate", Encoding::Gzip),
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip;q=1.0, br;q=0.5", Encoding::Gzip),
            ("zstd, gzip", Encoding::Zstd),
            ("X-GZIP", Encoding::Gzip),
            ("identity", Encoding::Identity),
            ("identity, gzip;q=0.5", Encoding::Identity),
            ("gzip;q=0", Encoding::Identity),
            ("*;q=0", Encoding::Identity),
            ("*", Encoding::Brotli),
            ("br;q=0, *", Encoding::Zstd),
            ("gzip;q=nonsense", Encoding::Identity),
            ("", Encoding::Identity),
            ("deflate, compress", Encoding::Identity),
        ] {
            assert_eq!(encoding(&headers(&[(ACCEPT_ENCODING, accept)])), expected, "{accept:?}");
        }
        assert_eq!(encoding(&HeaderMap::new()), Encoding::Identity);
    }

    #[test]
    fn a_range_is_one_stretch_of_bytes_or_not_there() {
        let part = |first, last| Wanted::Part { first, last };
        for (range, expected) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-", part(2, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("bytes=5-500", part(5, 9)),
            ("Bytes=5-99999999999999999999999", part(5, 9)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=4-3", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("items=0-1", Wanted::Whole),
        ] {
            assert_eq!(wanted(&headers(&[(RANGE, range)]), "\"x\"", AT, 10), expected, "{range:?}");
        }
        assert_eq!(wanted(&headers(&[(RANGE, "bytes=0-")]), "\"x\"", AT, 0), Wanted::Nothing);
    }

    #[test]
    fn a_range_of_something_else_gets_the_whole() {
        for (condition, expected) in [
            ("\"x\"", Wanted::Part { first: 0, last: 0 }),
            ("Mon, 23 Nov 2026 08:00:00 GMT", Wanted::Part { first: 0, last: 0 }),
            ("W/\"x\"", Wanted::Whole),
            ("\"y\"", Wanted::Whole),
            ("Mon, 23 Nov 2026 08:00:01 GMT", Wanted::Whole),
        ] {
            assert_eq!(wanted(&headers(&[(RANGE, "bytes=0-0"), (IF_RANGE, condition)]), "\"x\"", AT, 10), expected, "{condition:?}");
        }
    }

    #[test]
    fn conditions_are_judged_in_their_order() {
        let (same, later) = ("Mon, 23 Nov 2026 08:00:00 GMT", "Mon, 23 Nov 2026 07:59:59 GMT");
        for (pairs, expected) in [
            (vec![(IF_NONE_MATCH, "\"x\"")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "\"a\", W/\"x\"")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "*")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "\"y\"")], Outcome::Send),
            (vec![(IF_NONE_MATCH, "\"y\""), (IF_MODIFIED_SINCE, same)], Outcome::Send),
            (vec![(IF_MODIFIED_SINCE, same)], Outcome::NotModified),
            (vec![(IF_MODIFIED_SINCE, later)], Outcome::Send),
            (vec![(IF_MODIFIED_SINCE, "nonsense")], Outcome::Send),
            (vec![(IF_MATCH, "\"y\"")], Outcome::Failed),
            (vec![(IF_MATCH, "W/\"x\"")], Outcome::Failed),
            (vec![(IF_MATCH, "\"x\"")], Outcome::Send),
            (vec![(IF_UNMODIFIED_SINCE, later)], Outcome::Failed),
            (vec![(IF_UNMODIFIED_SINCE, same)], Outcome::Send),
            (vec![], Outcome::Send),
        ] {
            assert_eq!(judge(&headers(&pairs), "\"x\"", Some(AT)), expected, "{pairs:?}");
        }
    }
}
