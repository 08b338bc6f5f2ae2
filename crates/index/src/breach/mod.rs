//! Lists of stolen passwords: an offline set on this machine, a range endpoint that learns five hex digits of a hash, both, or none.
//!
//! Knows no accounts: who is refused or disabled is said in `signin`. An outage never stops anybody (P12's one exception); it shows
//! in health and measures.

mod file; //       the format of the offline set, and looking it up
mod import; //     from the public list to the set
mod map; //        the one place that maps a file into memory
mod offline; //    the set that is in use, and a newer one that takes its place
mod range; //      the range endpoint

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;

pub use import::{Imported, import};

use crate::clock::Clock;
use crate::config::Config;
use crate::measure;
use offline::Offline;
use range::Range;

/// The SHA-1 of a password: what public lists hold.
pub type Digest = [u8; 20];

/// What the lists say about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No list is configured.
    Off,
    /// It is in a list.
    Listed,
    /// It is in none that answered.
    NotListed,
    /// No list answered.
    Unknown,
}

/// How a list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    Up,
    /// It does not, and why.
    Down(String),
}

/// The lists that the settings name.
#[derive(Debug)]
pub struct Breach {
    offline: Arc<Offline>,
    range: Option<Range>,
}

/// Where the offline set lies: `passwords.breach_file`, or `breached-passwords.set` in the data folder.
#[must_use]
pub fn file_of(config: &Config) -> PathBuf {
    if is_default(config) { config.data_dir.join("breached-passwords.set") } else { config.breach_file.clone() }
}

fn is_default(config: &Config) -> bool {
    config.breach_file.as_os_str().is_empty()
}

impl Breach {
    /// The lists that the settings name. A set that cannot be read is told by [`Breach::health`]: it must keep no operator from
    /// freezing an account.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn open(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let offline = Offline::new(file_of(config), !is_default(config), Arc::clone(clock));
        let range = Range::open(config, clock).map_err(|e| e.context("the setting `passwords.breach_range_url` cannot be used"))?;
        Ok(Self { offline: Arc::new(offline), range })
    }

    /// Looks a password up. The file is asked first; what it does not list, the range endpoint is asked.
    pub async fn check(&self, digest: &Digest) -> Verdict {
        let file = self.check_file(*digest).await;
        if file == Verdict::Listed {
            return file;
        }
        let Some(range) = &self.range else { return file };
        let answer = range.ask(digest).await;
        note("range", answer);
        match (answer, file) {
            (Verdict::Unknown, Verdict::NotListed) => Verdict::NotListed,
            (answer, _) => answer,
        }
    }

    /// The file may have to be read from disk: that is done beside the async threads.
    async fn check_file(&self, digest: Digest) -> Verdict {
        let offline = Arc::clone(&self.offline);
        let asked = tokio::task::spawn_blocking(move || offline.check(&digest)).await;
        let answer = asked.unwrap_or(Verdict::Unknown);
        note("file", answer);
        answer
    }

    /// The same for the file alone, on the thread that asks: what the benchmark measures.
    #[must_use]
    pub fn check_file_here(&self, digest: &Digest) -> Verdict {
        self.offline.check(digest)
    }

    /// How each configured list is, by the names `file` and `range`.
    #[must_use]
    pub fn health(&self) -> Vec<(&'static str, Health)> {
        let mut all = Vec::new();
        all.extend(self.offline.health().map(|health| ("file", health)));
        all.extend(self.range.as_ref().map(|range| ("range", range.health())));
        all
    }

    /// The set must be readable when the index begins to serve.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn must_be_readable(&self) -> anyhow::Result<()> {
        match self.offline.health() {
            Some(Health::Down(why)) => Err(anyhow!("the list of stolen passwords cannot be used: {why}")),
            Some(Health::Up) | None => Ok(()),
        }
    }

    /// Reads the whole set and compares it with its own digest; says how many rows it has, or nothing when there is none.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn verify(&self, deep: bool) -> anyhow::Result<Option<u64>> {
        self.offline.verify(deep).map_err(|why| anyhow!("the list of stolen passwords: {why}"))
    }
}

fn note(source: &'static str, answer: Verdict) {
    match answer {
        Verdict::Off => {}
        Verdict::Listed => measure::breach_checked(source, "hit"),
        Verdict::NotListed => measure::breach_checked(source, "miss"),
        Verdict::Unknown => measure::breach_checked(source, "unknown"),
    }
}
