//! A point in time as people read it: exact with its zone, and how long ago.

use std::fmt;

use askama::filters::HtmlSafe;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

/// A point in time, seen from now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Microseconds since 1970, UTC.
    pub unix_us: i64,
    /// The time of the request that shows it, in the same unit.
    pub now_us: i64,
}

/// Only the day of a [`When`], for lists where the hour says nothing.
pub struct Day(When);

impl When {
    /// Only the day.
    pub fn day(self) -> Day {
        Day(self)
    }

    /// How long ago, or how soon: `3 hours ago`, `in 2 days`, `now`.
    pub fn relative(self) -> String {
        let past = self.unix_us <= self.now_us;
        let seconds = self.now_us.abs_diff(self.unix_us) / 1_000_000;
        let (count, unit) = match seconds {
            0..5 => return "now".into(),
            5..60 => (seconds, "second"),
            60..3_600 => (seconds / 60, "minute"),
            3_600..86_400 => (seconds / 3_600, "hour"),
            86_400..2_592_000 => (seconds / 86_400, "day"),
            2_592_000..31_536_000 => (seconds / 2_592_000, "month"),
            _ => (seconds / 31_536_000, "year"),
        };
        let plural = if count == 1 { "" } else { "s" };
        if past { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
    }

    /// The moment in whole seconds; a value beyond the calendar is shown as its end.
    fn moment(self) -> OffsetDateTime {
        let last = OffsetDateTime::UNIX_EPOCH + Duration::days(2_932_896);
        OffsetDateTime::from_unix_timestamp(self.unix_us.div_euclid(1_000_000)).unwrap_or(last).min(last)
    }

    fn machine(self) -> String {
        self.moment().format(&Rfc3339).unwrap_or_default()
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute]:[second] UTC");
        let exact = self.moment().format(shape).unwrap_or_default();
        write!(
            f,
            r#"<span class="when"><time datetime="{}">{exact}</time> <span class="ago">({})</span></span>"#,
            self.machine(),
            self.relative()
        )
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = format_description!("[day padding:none] [month repr:long] [year]");
        let exact = self.0.moment().format(shape).unwrap_or_default();
        write!(f, r#"<time datetime="{}">{exact}</time>"#, self.0.machine())
    }
}

impl HtmlSafe for When {}
impl HtmlSafe for Day {}

#[cfg(test)]
mod tests {
    use super::*;

    const REMOVED: i64 = 1_700_642_855_000_000;

    fn seen_after(seconds: i64) -> When {
        When { unix_us: REMOVED, now_us: REMOVED + seconds * 1_000_000 }
    }

    #[test]
    fn a_time_is_exact_with_its_zone_and_relative() {
        assert_eq!(
            seen_after(3 * 3600 + 59).to_string(),
            r#"<span class="when"><time datetime="2023-11-22T08:47:35Z">22 November 2023, 08:47:35 UTC</time> <span class="ago">(3 hours ago)</span></span>"#
        );
    }

    #[test]
    fn distances_round_down_and_know_their_plural() {
        let cases = [
            (0, "now"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (7199, "1 hour ago"),
            (86_400 * 29, "29 days ago"),
            (86_400 * 364, "12 months ago"),
            (86_400 * 365, "1 year ago"),
            (-7200, "in 2 hours"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(seen_after(seconds).relative(), expected);
        }
    }

    #[test]
    fn microseconds_before_1970_belong_to_the_second_they_lie_in() {
        let when = When { unix_us: -1, now_us: 0 };
        assert!(when.to_string().contains("31 December 1969, 23:59:59 UTC"));
    }

    #[test]
    fn a_time_beyond_the_calendar_is_shown_all_the_same() {
        for unix_us in [i64::MAX, i64::MIN] {
            let text = When { unix_us, now_us: 0 }.to_string();
            assert!(text.contains("UTC</time>"), "{text}");
            assert!(!text.contains(r#"datetime="""#), "{text}");
        }
    }
}
