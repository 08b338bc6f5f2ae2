//! The range endpoint, as Have I Been Pwned offers it: it learns the first five hex digits of a SHA-1 and answers with every suffix
//! that it knows (k-anonymity), padded so that the length of the answer tells nothing.
//!
//! It has two seconds. After three failures it is left alone for half a minute, so that its outage does not cost everybody two
//! seconds; then one question tries it again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use url::{Host, Url};

use super::{Digest, Health, Verdict};
use crate::clock::{Clock, Time};
use crate::config::Config;
use crate::egress;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(2);
/// How long an answer may be: padded ones have about 40 kB.
const ANSWER_MOST: usize = 1 << 20;
/// After how many failures in a row it is left alone.
const FAILURES_MOST: u32 = 3;
/// For how long.
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// How many hex digits it learns.
const PREFIX: usize = 5;

/// The endpoint.
pub(super) struct Range {
    client: reqwest::Client,
    base: Url,
    clock: Arc<dyn Clock>,
    circuit: Mutex<Circuit>,
}

/// How often it failed, and whether it is left alone.
#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    alone_until: Option<Time>,
    /// A question is on its way that tries it again.
    trying: bool,
    down: Option<(Time, String)>,
}

impl std::fmt::Debug for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Range").field("host", &self.base.host_str()).finish_non_exhaustive()
    }
}

impl Range {
    /// The endpoint that the settings name, if they name one.
    pub(super) fn open(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Self>> {
        if config.breach_range_url.is_empty() {
            return Ok(None);
        }
        let mut base = egress::configured(&config.breach_range_url).map_err(anyhow::Error::msg)?;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        if let Some(Host::Ipv4(_) | Host::Ipv6(_)) = base.host() {
            tracing::debug!("the range endpoint is named by its address: it is asked wherever it is");
        }
        let client = egress::client(&config.breach_range_networks, WITHIN).context("no client can be made")?;
        Ok(Some(Self { client, base, clock: Arc::clone(clock), circuit: Mutex::default() }))
    }

    /// Asks about one digest.
    pub(super) async fn ask(&self, digest: &Digest) -> Verdict {
        let Some(turn) = Turn::take(self) else { return Verdict::Unknown };
        let hex = hex::encode_upper(digest);
        let (prefix, suffix) = hex.split_at(PREFIX);
        // The client's own limit begins with the connection; this one holds for everything.
        let asked = match tokio::time::timeout(WITHIN, self.fetch(prefix)).await {
            Ok(answer) => answer.and_then(|answer| lists(&answer, suffix)),
            Err(_) => Err(anyhow::anyhow!("no answer within {} seconds", WITHIN.as_secs())),
        };
        turn.end(asked.as_ref().map(|_| ()));
        match asked {
            Ok(true) => Verdict::Listed,
            Ok(false) => Verdict::NotListed,
            Err(_) => Verdict::Unknown,
        }
    }

    async fn fetch(&self, prefix: &str) -> anyhow::Result<Vec<u8>> {
        let url = self.base.join(prefix)?;
        // The address may say which host it is, and nothing that was asked: reqwest's errors would repeat it.
        let request = self.client.get(url).header("Add-Padding", "true");
        let mut answer = request.send().await.map_err(reqwest::Error::without_url).context("no answer")?;
        ensure!(answer.status() == reqwest::StatusCode::OK, "the answer was {}", answer.status().as_u16());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url).context("the answer broke off")? {
            ensure!(body.len() + chunk.len() <= ANSWER_MOST, "the answer has more than {ANSWER_MOST} bytes");
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// How it is.
    pub(super) fn health(&self) -> Health {
        let circuit = self.lock();
        match &circuit.down {
            Some((since, why)) => Health::Down(format!("the range endpoint gives no answers since {}: {why}", since.rfc3339())),
            None => Health::Up,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one of the answer's lines is this suffix with a count; padding has a count of nothing.
fn lists(answer: &[u8], suffix: &str) -> anyhow::Result<bool> {
    let text = std::str::from_utf8(answer).ok().context("the answer is not text")?;
    let mut found = false;
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let Some((hash, count)) = line.split_once(':') else { bail!("the answer is not a list of suffixes") };
        let sound = hash.len() == 40 - PREFIX && hash.bytes().all(|b| b.is_ascii_hexdigit());
        let digits = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        ensure!(sound && digits, "the answer is not a list of suffixes");
        found |= hash.eq_ignore_ascii_case(suffix) && count.bytes().any(|b| b != b'0');
    }
    Ok(found)
}

/// A question that may be asked. Dropped without an end, when whoever asked went away, it counts for nothing.
struct Turn<'r> {
    range: &'r Range,
    /// It tries an endpoint that was left alone.
    trying: bool,
}

impl<'r> Turn<'r> {
    fn take(range: &'r Range) -> Option<Self> {
        let now = range.clock.now();
        let mut circuit = range.lock();
        let trying = circuit.alone_until.is_some();
        if circuit.alone_until.is_some_and(|until| now < until) || (trying && circuit.trying) {
            return None;
        }
        circuit.trying = trying;
        drop(circuit);
        Some(Self { range, trying })
    }

    fn end(self, asked: Result<(), &anyhow::Error>) {
        let now = self.range.clock.now();
        let mut circuit = self.range.lock();
        match asked {
            Ok(()) => {
                if circuit.down.is_some() {
                    tracing::info!("the range endpoint answers again");
                }
                *circuit = Circuit::default();
            }
            Err(e) => {
                circuit.failures = circuit.failures.saturating_add(1);
                let why = format!("{e:#}");
                if circuit.down.is_none() {
                    tracing::warn!(why, "the range endpoint gives no answer: passwords go unchecked");
                }
                let since = circuit.down.take().map_or(now, |(since, _)| since);
                circuit.down = Some((since, why));
                if circuit.failures >= FAILURES_MOST {
                    circuit.alone_until = Some(now.plus(LEFT_ALONE));
                }
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.trying {
            self.range.lock().trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

    #[test]
    fn a_suffix_with_a_count_is_listed_and_padding_is_not() {
        let other = "0018A45C4D1DEF81644B54AB7F969B88D65";
        assert!(lists(format!("{other}:1\r\n{SUFFIX}:3861493\r\n").as_bytes(), SUFFIX).unwrap());
        assert!(lists(format!("{}:1", SUFFIX.to_lowercase()).as_bytes(), SUFFIX).unwrap());
        assert!(!lists(format!("{other}:1\r\n{SUFFIX}:0\r\n").as_bytes(), SUFFIX).unwrap());
        assert!(!lists(format!("{other}:12\r\n").as_bytes(), SUFFIX).unwrap());
        assert!(!lists(b"", SUFFIX).unwrap());
    }

    #[test]
    fn what_is_no_list_is_no_answer() {
        for garbage in [
            &b"<html>sign in to this network</html>"[..],
            b"\xff\xfe",
            b"ABC:1",
            b"0018A45C4D1DEF81644B54AB7F969B88D65:x",
            b"0018A45C4D1DEF81644B54AB7F969B88D65",
        ] {
            assert!(lists(garbage, SUFFIX).is_err());
        }
    }
}
