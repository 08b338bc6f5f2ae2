//! What is counted for those who watch the index: names, kinds and meanings in one table. Nothing here names a person, and nothing
//! reads it to decide anything. Without a recorder (every command but `serve` and `work`) counting does nothing.

use std::time::Duration;

use metrics::{Unit, counter, gauge, histogram};

/// How a measure behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// The name, as it is scraped.
    pub name: &'static str,
    /// How it behaves.
    pub shape: Shape,
    /// What tells its lines apart.
    pub labels: &'static [&'static str],
    /// What it says.
    pub sentence: &'static str,
}

macro_rules! measures { ($($(#[doc = $doc:literal])* $NAME:ident = $name:literal, $shape:ident, [$($label:literal),*];)*) => {
    $($(#[doc = $doc])* const $NAME: &str = $name;)*
    /// The rows of the table.
    pub const MEASURES: &[Measure] = &[$(Measure { name: $name, shape: Shape::$shape, labels: &[$($label),*], sentence: concat!($($doc),*).trim_ascii() }),*];
} }

measures! {
    /// Steps of sign-ins that were answered, by outcome.
    SIGN_INS = "strongroom_sign_ins_total", Counter, ["outcome"];
    /// How long a hash waited for its turn in the hashing lane.
    HASHING_WAIT = "strongroom_hashing_wait_seconds", Histogram, [];
    /// Questions to the lists of stolen passwords, by list (`file`, `range`) and answer (`hit`, `miss`, `unknown`).
    BREACH_CHECKS = "strongroom_breach_checks_total", Counter, ["source", "answer"];
    /// Passwords that were disabled at a login because they are in a list.
    BREACH_DISABLED = "strongroom_breach_disabled_total", Counter, [];
    /// Passwords in a list that were left alone because too many were in it at once.
    BREACH_SPARED = "strongroom_breach_spared_total", Counter, [];
    /// Whether a list of stolen passwords answers: 1 or 0. A list that is not configured has no line.
    BREACH_UP = "strongroom_breach_up", Gauge, ["source"];
    /// Mails handed to the mail server, by outcome (`sent`, `later`, `failed`).
    MAILS = "strongroom_mails_total", Counter, ["outcome"];
    /// Jobs in the queue, by state (`ready`, `running`, `failed`).
    JOBS = "strongroom_jobs", Gauge, ["state"];
    /// How long the oldest job that is due has waited.
    JOBS_LATE = "strongroom_jobs_late_seconds", Gauge, [];
}

/// Tells the recorder what each measure says.
pub fn describe() {
    for row in MEASURES {
        match row.shape {
            Shape::Counter => metrics::describe_counter!(row.name, row.sentence),
            Shape::Gauge => metrics::describe_gauge!(row.name, row.sentence),
            Shape::Histogram => metrics::describe_histogram!(row.name, Unit::Seconds, row.sentence),
        }
    }
}

/// A step of a sign-in was answered.
pub fn signed_in(outcome: &'static str) {
    counter!(SIGN_INS, "outcome" => outcome).increment(1);
}

/// A hash waited for its turn.
pub fn hashing_waited(time: Duration) {
    histogram!(HASHING_WAIT).record(time);
}

/// A list of stolen passwords was asked.
pub fn breach_checked(source: &'static str, answer: &'static str) {
    counter!(BREACH_CHECKS, "source" => source, "answer" => answer).increment(1);
}

/// A password was disabled.
pub fn breach_disabled() {
    counter!(BREACH_DISABLED).increment(1);
}

/// A password was left alone, because the list is doubted.
pub fn breach_spared() {
    counter!(BREACH_SPARED).increment(1);
}

/// Whether a list of stolen passwords answers.
pub fn breach_up(source: &'static str, up: bool) {
    gauge!(BREACH_UP, "source" => source).set(f64::from(u8::from(up)));
}

/// A mail was handed over, or was not.
pub fn mailed(outcome: &'static str) {
    counter!(MAILS, "outcome" => outcome).increment(1);
}

/// How many jobs are in a state.
pub fn jobs(state: &'static str, count: u32) {
    gauge!(JOBS, "state" => state).set(f64::from(count));
}

/// How long the oldest job that is due has waited.
pub fn jobs_late(time: Duration) {
    gauge!(JOBS_LATE).set(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_has_a_name_of_its_own_and_a_sentence() {
        let mut names: Vec<&str> = MEASURES.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MEASURES.len());
        for row in MEASURES {
            assert!(row.name.starts_with("strongroom_") && row.sentence.ends_with('.'), "{}", row.name);
            assert_eq!(row.name.ends_with("_total"), row.shape == Shape::Counter, "{}", row.name);
        }
    }
}
