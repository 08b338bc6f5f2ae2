//! The hashing lane: slow hashes run on threads of their own at the lowest priority, a bounded number at once and a bounded number
//! waiting, so that they never starve reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use crate::clock::Stopwatch;
use crate::measure;
use crate::refused::Refused;

/// How many may wait for the lane before it refuses.
const WAITING_MOST: usize = 64;
/// How far the lane's threads step back before everything else that wants a processor.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

type Work = Box<dyn FnOnce() + Send>;

/// A bounded place for work that takes a tenth of a second of one core. Its threads end when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Lane {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    threads: mpsc::Sender<Work>,
}

impl Lane {
    /// A lane of this many at once.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self { slots: Arc::new(Semaphore::new(at_once)), waiting: Arc::new(AtomicUsize::new(0)), threads: threads(at_once) }
    }

    /// Runs the work on a thread of the lane when a slot is free.
    ///
    /// # Errors
    /// `Limited` when too many wait already; `Fault` when the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
        let _place = Place::take(&self.waiting)?;
        let waited = Stopwatch::start();
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|e| anyhow::anyhow!("the hashing lane is closed: {e}"))?;
        measure::hashing_waited(waited.elapsed());
        let (answer, answered) = oneshot::channel();
        let work = move || {
            let out = work();
            drop(slot);
            // Whoever asked may be gone.
            let _ = answer.send(out);
        };
        self.threads.send(Box::new(work)).map_err(|_| anyhow::anyhow!("the hashing lane has no threads"))?;
        answered.await.map_err(|_| anyhow::anyhow!("hashing did not end").into())
    }
}

/// Threads that work what is sent to them, until nobody can send any more.
fn threads(count: usize) -> mpsc::Sender<Work> {
    let (sender, receiver) = mpsc::channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    for n in 0..count {
        let receiver = Arc::clone(&receiver);
        let spawned = std::thread::Builder::new().name(format!("hashing-{n}")).spawn(move || work_until_dropped(&receiver));
        if let Err(e) = spawned {
            tracing::error!(error = %e, "a thread of the hashing lane could not be started");
        }
    }
    sender
}

fn work_until_dropped(receiver: &Mutex<mpsc::Receiver<Work>>) {
    step_back();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // A panic ends the one hash, which its caller is told, and not the thread.
        let _ = catch_unwind(AssertUnwindSafe(work));
    }
}

/// Linux keeps a priority for each thread; this one's alone is changed. Elsewhere it is the process's, which must keep its own.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(e) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(error = %e, "the hashing lane runs at the usual priority");
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

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn work_runs_at_the_lowest_priority_and_whoever_asks_keeps_the_usual_one() {
        let own = rustix::process::getpriority_process(None).unwrap();
        let lane = Lane::new(1);
        let priority = lane.run(|| rustix::process::getpriority_process(None).unwrap()).await.unwrap();
        assert_eq!(priority, NICE);
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), own);
    }

    #[tokio::test]
    async fn a_panic_is_told_to_its_caller_and_the_lane_goes_on() {
        let lane = Lane::new(1);
        assert!(matches!(lane.run(|| panic!("a drill")).await, Err::<(), _>(Refused::Fault(_))));
        assert_eq!(lane.run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused_at_once() {
        let lane = Lane::new(1);
        let (go, wait) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(move || wait.recv().unwrap()).await }
        });
        let mut others = Vec::new();
        for _ in 1..WAITING_MOST {
            let lane = lane.clone();
            others.push(tokio::spawn(async move { lane.run(|| ()).await }));
        }
        while lane.waiting.load(Ordering::SeqCst) < WAITING_MOST {
            tokio::task::yield_now().await;
        }
        assert!(matches!(lane.run(|| ()).await, Err(Refused::Limited(_))));
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        for other in others {
            other.await.unwrap().unwrap();
        }
    }
}
