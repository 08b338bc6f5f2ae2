//! What every room is handed: database, blobs, clock, chance, keys, settings, the hashing lane, the mailer and the prepared pages. One per process.

use std::sync::{Arc, Mutex};

use credentials::entropy::Entropy;
use credentials::keys::InstanceKeys;
use credentials::password::Parameters;

use crate::blobs::Blobs;
use crate::breach::Breach;
use crate::clock::{Clock, Time};
use crate::config::Config;
use crate::db::Database;
use crate::lane::Lane;
use crate::mail::Mailer;
use crate::places::Places;
use crate::prepared::Prepared;

/// The surroundings of all verbs.
#[derive(Clone)]
pub struct Env(Arc<Inner>);

/// What an `Env` is made of.
pub struct Inner {
    /// The database.
    pub db: Database,
    /// Where file bytes live.
    pub blobs: Blobs,
    /// The settings.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub entropy: Arc<dyn Entropy>,
    /// The instance's keys (R29).
    pub keys: Arc<InstanceKeys>,
    /// Password hashing, beside the async threads.
    pub lane: Lane,
    /// How costly password hashes are.
    pub hashing: Parameters,
    /// Lists of stolen passwords.
    pub breach: Breach,
    /// Where mail is handed over.
    pub mailer: Mailer,
    /// Names of the places where networks are.
    pub places: Places,
    /// Pages kept ready.
    pub prepared: Prepared,
    /// Number and digest of the newest seal of the trail that this process made: what it builds on must still be there.
    pub sealed: Mutex<Option<(i64, [u8; 32])>>,
}

impl Env {
    /// Puts the surroundings together.
    #[must_use]
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }
}

impl std::ops::Deref for Env {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}
