//! The hashing lane: slow hashes run on blocking threads, a bounded number at once and a bounded number waiting, so that they never starve reads.
//!
//! Known browsers and signed-in people have slots and places of their own: a flood of strangers never stands before them (R25).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::refused::Refused;

/// How many may wait for one side of the lane before it refuses.
const WAITING_MOST: usize = 64;
/// How many hashes of known people run at once, beside those of strangers.
const KNOWN_AT_ONCE: usize = 1;

/// Who has something hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Anybody.
    Strangers,
    /// A browser that the account trusts, or somebody who is signed in.
    Known,
}

/// A bounded place for work that takes a tenth of a second of one core.
#[derive(Clone, Debug)]
pub struct Lane {
    strangers: Side,
    known: Side,
}

/// Slots, and places before them.
#[derive(Clone, Debug)]
struct Side {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Side {
    fn new(at_once: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once.max(1))), waiting: Arc::new(AtomicUsize::new(0)) }
    }
}

impl Lane {
    /// A lane of this many at once for strangers; what is reserved comes on top.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self { strangers: Side::new(at_once), known: Side::new(KNOWN_AT_ONCE) }
    }

    /// Runs the work of a stranger on a blocking thread when a slot is free.
    ///
    /// # Errors
    /// `Limited` when too many wait already; `Fault` when the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
        self.run_for(For::Strangers, work).await
    }

    /// Runs the work on the side of the lane that it belongs to.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_for<T: Send + 'static>(&self, whom: For, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
        let side = match whom {
            For::Strangers => &self.strangers,
            For::Known => &self.known,
        };
        let _place = Place::take(&side.waiting)?;
        let slot = Arc::clone(&side.slots).acquire_owned().await.map_err(|e| anyhow::anyhow!("the hashing lane is closed: {e}"))?;
        let done = tokio::task::spawn_blocking(move || {
            let out = work();
            drop(slot);
            out
        });
        done.await.map_err(|e| Refused::Fault(anyhow::anyhow!("hashing did not end: {e}")))
    }
}

/// A place in the queue, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Result<Self, Refused> {
        if waiting.fetch_add(1, Ordering::SeqCst) >= WAITING_MOST {
            waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(Refused::Limited(Duration::from_secs(5)));
        }
        Ok(Self(Arc::clone(waiting)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// R25: a flood of strangers never stands before a known browser.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn r25_a_known_browser_is_hashed_for_while_strangers_fill_the_lane() {
        let lane = Lane::new(1);
        let (release, wait) = mpsc::channel::<()>();
        let (began, begins) = mpsc::channel::<()>();
        let blocking = {
            let lane = lane.clone();
            tokio::spawn(async move {
                let work = move || {
                    began.send(()).expect("the test listens");
                    wait.recv().expect("the test lets go");
                };
                lane.run(work).await
            })
        };
        tokio::task::spawn_blocking(move || begins.recv()).await.unwrap().unwrap();
        let mut flood = Vec::new();
        for _ in 1..WAITING_MOST {
            let lane = lane.clone();
            flood.push(tokio::spawn(async move { lane.run(|| ()).await }));
        }
        while lane.strangers.waiting.load(Ordering::SeqCst) < WAITING_MOST {
            tokio::task::yield_now().await;
        }
        assert!(matches!(lane.run(|| ()).await, Err(Refused::Limited(_))), "the strangers' side is full");
        assert_eq!(lane.run_for(For::Known, || 7).await.unwrap(), 7);
        release.send(()).unwrap();
        blocking.await.unwrap().unwrap();
        for stranger in flood {
            stranger.await.unwrap().unwrap();
        }
    }
}
