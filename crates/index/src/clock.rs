//! Time as an argument: `Time` is microseconds since 1970 UTC, stored as BIGINT on both engines; `Clock` is the only way to learn it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// A moment, in microseconds since 1970-01-01T00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sea_orm::DeriveValueType)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// Microseconds since 1970 UTC.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }
    /// Whole seconds since 1970 UTC.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// The moment this many seconds after 1970 UTC.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * 1_000_000)
    }
    /// This moment moved into the future.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }
    /// This moment moved into the past.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(micros(by)))
    }
    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
    /// The start of the window of this length that holds the moment.
    #[must_use]
    pub fn window(self, length: Duration) -> Self {
        let length = micros(length).max(1);
        Self(self.0.div_euclid(length) * length)
    }
    /// RFC 3339 with microseconds and `Z`, as the Simple API and the audit export write it.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.calendar().format(&Rfc3339).expect("every stored time has a year below 10000")
    }
    /// Reads RFC 3339, with any offset.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1000).ok().map(Self)
    }
    /// As people read it: `22 November 2023, 08:47:35 UTC`.
    #[must_use]
    pub fn in_words(self) -> String {
        let shape = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute]:[second] UTC");
        self.calendar().format(shape).expect("every part of the shape is part of a calendar date")
    }
    /// The moment as a calendar date and time in UTC.
    #[must_use]
    pub fn calendar(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

fn micros(by: Duration) -> i64 {
    i64::try_from(by.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present moment, as this index sees it.
    fn now(&self) -> Time;
    /// Whether it runs ahead of the true time; then nothing is erased (R32).
    fn is_shifted(&self) -> bool {
        false
    }
    /// By how much it runs ahead of the true time: time that was jumped over counts as served (R32).
    fn ahead(&self) -> Duration {
        Duration::ZERO
    }
    /// The present moment by the true time: what an outage is measured by.
    fn true_now(&self) -> Time {
        self.now().minus(self.ahead())
    }
}

/// The system's clock, shifted into the future for drills (R32).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock {
    /// How far the clock runs ahead.
    pub offset: Duration,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Time(micros(since)).plus(self.offset)
    }
    fn is_shifted(&self) -> bool {
        !self.offset.is_zero()
    }
    fn ahead(&self) -> Duration {
        self.offset
    }
}

/// Measures how long something takes; it never says what time it is, and decides nothing that a test would have to wait for.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begins to measure.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for a span of time")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }
    /// How long ago that was.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
    /// Waits until this long after the start, if that is still ahead: an answer that always takes as long tells nothing.
    pub async fn until(self, after: Duration) {
        tokio::time::sleep(after.saturating_sub(self.elapsed())).await;
    }
}

/// A clock that stands still until somebody moves it.
#[derive(Debug)]
pub struct HandClock {
    now: AtomicI64,
    served: AtomicI64,
    shifted: AtomicBool,
}

impl HandClock {
    /// A clock that shows `start`.
    #[must_use]
    pub const fn new(start: Time) -> Self {
        Self { now: AtomicI64::new(start.0), served: AtomicI64::new(0), shifted: AtomicBool::new(false) }
    }
    /// From now on it says that it runs ahead of the true time.
    pub fn shift(&self) {
        self.shifted.store(true, Ordering::SeqCst);
    }
    /// Moves it forward, as `--clock-offset` does: the time counts as served.
    pub fn advance(&self, by: Duration) {
        self.served.fetch_add(micros(by), Ordering::SeqCst);
        self.now.fetch_add(micros(by), Ordering::SeqCst);
    }
    /// Time passes in which nothing is served.
    pub fn pass(&self, by: Duration) {
        self.now.fetch_add(micros(by), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time(self.now.load(Ordering::SeqCst))
    }
    fn ahead(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.served.load(Ordering::SeqCst)).unwrap_or(0))
    }
    fn is_shifted(&self) -> bool {
        self.shifted.load(Ordering::SeqCst)
    }
}
