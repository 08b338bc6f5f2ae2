//! The offline set in use. Each minute it is looked whether another file lies under its name; a sound one takes its place, without
//! a restart. One that is not sound does not: the old one stays in use, and health says so.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::file::{Identity, Set};
use super::{Digest, Health, Verdict};
use crate::clock::{Clock, Time};

/// How often it is looked whether another file is there.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The file that the settings name, or the usual one.
pub(super) struct Offline {
    path: PathBuf,
    /// Whether the settings name it: then it must be there.
    required: bool,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    set: Option<Arc<Set>>,
    looked_at: Option<Time>,
    wrong: Option<String>,
}

impl std::fmt::Debug for Offline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offline").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Offline {
    pub(super) fn new(path: PathBuf, required: bool, clock: Arc<dyn Clock>) -> Self {
        let offline = Self { path, required, clock, state: Mutex::default() };
        drop(offline.state());
        offline
    }

    /// Whether a digest is in the set.
    pub(super) fn check(&self, digest: &Digest) -> Verdict {
        let (set, wrong) = {
            let state = self.state();
            (state.set.clone(), state.wrong.is_some())
        };
        match set {
            Some(set) if set.contains(digest) => Verdict::Listed,
            Some(_) => Verdict::NotListed,
            None if wrong => Verdict::Unknown,
            None => Verdict::Off,
        }
    }

    /// How it is; nothing when there is none and none is wanted.
    pub(super) fn health(&self) -> Option<Health> {
        let state = self.state();
        match (&state.wrong, &state.set) {
            (Some(why), _) => Some(Health::Down(why.clone())),
            (None, Some(_)) => Some(Health::Up),
            (None, None) => None,
        }
    }

    /// Looks at the file as it is now: how many rows it has, or nothing when there is none.
    pub(super) fn verify(&self, deep: bool) -> Result<Option<u64>, String> {
        let mut state = self.lock();
        state.looked_at = None;
        self.look(&mut state);
        if let Some(why) = &state.wrong {
            return Err(why.clone());
        }
        let Some(set) = state.set.clone() else { return Ok(None) };
        drop(state);
        if deep {
            set.check_all().map_err(|why| self.said(&why))?;
        }
        Ok(Some(set.count() as u64))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of now, a minute old at most.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        self.look(&mut state);
        state
    }

    fn look(&self, state: &mut State) {
        let now = self.clock.now();
        if state.looked_at.is_some_and(|at| now.since(at) < LOOK_EVERY) {
            return;
        }
        state.looked_at = Some(now);
        let before = state.wrong.take();
        match std::fs::metadata(&self.path) {
            Ok(found) if state.set.as_ref().is_some_and(|set| set.identity == Identity::of(&found)) => {}
            Ok(_) => match Set::open(&self.path) {
                Ok(set) => {
                    tracing::info!(rows = set.count(), "a list of stolen passwords is in use");
                    state.set = Some(Arc::new(set));
                }
                Err(why) => state.wrong = Some(self.said(&why)),
            },
            Err(e) if e.kind() == ErrorKind::NotFound && !self.required => state.set = None,
            Err(e) => state.wrong = Some(self.said(&format!("it cannot be read: {e}"))),
        }
        if let Some(why) = state.wrong.as_ref().filter(|why| before.as_ref() != Some(*why)) {
            tracing::error!(why, "the list of stolen passwords cannot be used; the one before stays in use, if there was one");
        }
    }

    fn said(&self, why: &str) -> String {
        format!("{}: {why}", self.path.display())
    }
}
