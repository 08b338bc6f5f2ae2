//! The hashing lane: slow hashes run on blocking threads, a bounded number at once and a bounded number waiting, so that they never starve reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::refused::Refused;

/// How many may wait for the lane before it refuses.
const WAITING_MOST: usize = 64;

/// A bounded place for work that takes a tenth of a second of one core.
#[derive(Clone, Debug)]
pub struct Lane {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Lane {
    /// A lane of this many at once.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once.max(1))), waiting: Arc::new(AtomicUsize::new(0)) }
    }

    /// Runs the work on a blocking thread when a slot is free.
    ///
    /// # Errors
    /// `Limited` when too many wait already; `Fault` when the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
        let _place = Place::take(&self.waiting)?;
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|e| anyhow::anyhow!("the hashing lane is closed: {e}"))?;
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
