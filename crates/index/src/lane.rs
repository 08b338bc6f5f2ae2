//! The hashing lane: slow hashes run on threads of their own behind everything else, a bounded number at once and a bounded number
//! waiting, so that they never starve reads.
//!
//! Known browsers and signed-in people have threads and places of their own, which come first: a flood of strangers never stands before
//! them (R25). What strangers want gets the time that nobody else wants: `SCHED_IDLE` of Linux gives way at once when a read wakes up,
//! where the lowest nice value still lets it wait for milliseconds. And it stays on as many processors as it has threads: what wanders over
//! all of them empties the caches of all (bench/flood.py measures both). Nobody else wanting any time there, for as long as [`PATIENCE`],
//! is what a machine under load may never grant; then it is begun once more on a thread that competes, wherever it likes. A thread that
//! may be interrupted for long must hold nothing that others wait for: all of these keep the memory of their hashes, which would be taken
//! from the system and given back with the memory of the whole process locked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use credentials::password::keep_memory;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
#[cfg(target_os = "linux")]
use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};

use crate::clock::Stopwatch;
use crate::measure;
use crate::refused::Refused;

/// How many may wait for one side of the lane before it refuses.
const WAITING_MOST: usize = 64;
/// How many hashes of known people run at once, beside those of strangers.
const KNOWN_AT_ONCE: usize = 1;
/// How long work waits for a processor that nobody else wants, before it competes for one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who has something hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Anybody.
    Strangers,
    /// A browser that the account trusts, or somebody who is signed in.
    Known,
}

/// How far threads step back.
#[derive(Clone, Copy, Debug)]
enum Back {
    /// Before everything, on this many processors.
    Idle(usize),
    /// As far as a usual thread can.
    Lowest,
}

type Work = Box<dyn FnOnce() + Send>;

/// A bounded place for work that takes a tenth of a second of one core. Its threads end when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Lane {
    strangers: Side,
    known: Side,
    /// Where work goes that found no idle processor.
    impatient: mpsc::Sender<Work>,
    patience: Duration,
}

/// Slots, places before them, and threads.
#[derive(Clone, Debug)]
struct Side {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    threads: mpsc::Sender<Work>,
}

impl Side {
    fn new(at_once: usize, threads: mpsc::Sender<Work>) -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once)), waiting: Arc::new(AtomicUsize::new(0)), threads }
    }
}

/// Work that somebody waits for. It may be begun on two threads: whoever ends first answers.
struct Awaited<T, F> {
    work: F,
    /// Who is answered, and the slot that is free then.
    waits: Mutex<Option<(oneshot::Sender<T>, OwnedSemaphorePermit)>>,
}

impl<T, F: Fn() -> T> Awaited<T, F> {
    fn take(&self) -> Option<(oneshot::Sender<T>, OwnedSemaphorePermit)> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether somebody is there still who waits for the answer.
    fn is_wanted(&self) -> bool {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|(answer, _)| !answer.is_closed())
    }

    fn run(&self) {
        // A panic ends the one hash, which its caller is told, and not the thread.
        let out = if self.is_wanted() { catch_unwind(AssertUnwindSafe(|| (self.work)())).ok() } else { None };
        let Some((answer, slot)) = self.take() else { return };
        drop(slot);
        if let Some(out) = out {
            // Whoever asked may be gone.
            let _ = answer.send(out);
        }
    }
}

impl Lane {
    /// A lane of this many at once for strangers; what is reserved comes on top.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self::with_patience(at_once.max(1), PATIENCE)
    }

    fn with_patience(at_once: usize, patience: Duration) -> Self {
        Self {
            strangers: Side::new(at_once, threads("hash-others", Back::Idle(at_once), at_once)),
            known: Side::new(KNOWN_AT_ONCE, threads("hash-known", Back::Lowest, KNOWN_AT_ONCE)),
            impatient: threads("hash-late", Back::Lowest, at_once),
            patience,
        }
    }

    /// Runs the work of a stranger on a thread of the lane when a slot is free.
    ///
    /// # Errors
    /// `Limited` when too many wait already; `Fault` when the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl Fn() -> T + Send + Sync + 'static) -> Result<T, Refused> {
        self.run_for(For::Strangers, work).await
    }

    /// Runs the work on the side of the lane that it belongs to. It may be begun twice, and the first to end is what is answered: where
    /// no processor is idle for [`PATIENCE`], a thread that competes for one begins it too.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_for<T: Send + 'static>(&self, whom: For, work: impl Fn() -> T + Send + Sync + 'static) -> Result<T, Refused> {
        let side = match whom {
            For::Strangers => &self.strangers,
            For::Known => &self.known,
        };
        let _place = Place::take(&side.waiting)?;
        let waited = Stopwatch::start();
        let slot = Arc::clone(&side.slots).acquire_owned().await.map_err(|e| anyhow::anyhow!("the hashing lane is closed: {e}"))?;
        measure::hashing_waited(waited.elapsed());
        let (answer, answered) = oneshot::channel();
        let awaited = Arc::new(Awaited { work, waits: Mutex::new(Some((answer, slot))) });
        give(&side.threads, &awaited)?;
        if whom == For::Strangers {
            self.hurry_later(awaited);
        }
        answered.await.map_err(|_| anyhow::anyhow!("hashing did not end").into())
    }

    /// Gives work that found no idle processor in time to a thread that competes for one. Also when nobody waits any more: that frees the
    /// slot, however long the first thread is stuck with it.
    fn hurry_later<T: Send + 'static>(&self, awaited: Arc<Awaited<T, impl Fn() -> T + Send + Sync + 'static>>) {
        let (impatient, patience) = (self.impatient.clone(), self.patience);
        tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            // What was answered meanwhile is passed over; without threads the process ends.
            let _ = give(&impatient, &awaited);
        });
    }
}

fn give<T: Send + 'static>(to: &mpsc::Sender<Work>, work: &Arc<Awaited<T, impl Fn() -> T + Send + Sync + 'static>>) -> anyhow::Result<()> {
    let work = Arc::clone(work);
    to.send(Box::new(move || work.run())).map_err(|_| anyhow::anyhow!("the hashing lane has no threads"))
}

/// Threads that work what is sent to them, until nobody can send any more.
fn threads(name: &str, back: Back, count: usize) -> mpsc::Sender<Work> {
    let (sender, receiver) = mpsc::channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    for n in 0..count {
        let receiver = Arc::clone(&receiver);
        let spawned = std::thread::Builder::new().name(format!("{name}-{n}")).spawn(move || work_until_dropped(back, &receiver));
        if let Err(e) = spawned {
            tracing::error!(error = %e, "a thread of the hashing lane could not be started");
        }
    }
    sender
}

fn work_until_dropped(back: Back, receiver: &Mutex<mpsc::Receiver<Work>>) {
    step_back(back);
    keep_memory();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        work();
    }
}

/// Linux keeps a priority for each thread; this one's alone is changed. Elsewhere it is the process's, which must keep its own.
#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "there is nothing to change"))]
fn step_back(back: Back) {
    #[cfg(target_os = "linux")]
    {
        let policy = ThreadSchedulePolicy::Normal(match back {
            Back::Idle(_) => NormalThreadSchedulePolicy::Idle,
            Back::Lowest => NormalThreadSchedulePolicy::Other,
        });
        let this = thread_priority::thread_native_id();
        if let Err(e) = thread_priority::set_thread_priority_and_policy(this, ThreadPriority::Min, policy) {
            tracing::warn!(error = ?e, "the hashing lane runs at the usual priority");
        }
        if let Back::Idle(processors) = back
            && let Err(e) = keep_to(processors)
        {
            tracing::warn!(error = %e, "the hashing lane runs on every processor");
        }
    }
}

/// Keeps this thread to the last so many of the processors that it may use: interrupts are mostly handled on the first.
#[cfg(target_os = "linux")]
fn keep_to(processors: usize) -> std::io::Result<()> {
    let may = sched_getaffinity(None)?;
    let mut kept = CpuSet::new();
    (0..CpuSet::MAX_CPU).rev().filter(|&processor| may.is_set(processor)).take(processors).for_each(|processor| kept.set(processor));
    Ok(sched_setaffinity(None, &kept)?)
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

    /// Policy and nice value of the thread that asks.
    #[cfg(target_os = "linux")]
    fn priority() -> (ThreadSchedulePolicy, String) {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        // proc_pid_stat(5): field 19, counted from behind the name in its parentheses.
        let nice = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(16)).unwrap();
        (thread_priority::thread_schedule_policy().unwrap(), nice.to_owned())
    }

    /// R25: strangers get what nobody else wants; a known browser competes, at the lowest of the usual priorities.
    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn r25_work_steps_back_and_whoever_asks_keeps_the_usual_priority() {
        let own = priority();
        let lane = Lane::new(1);
        assert_eq!(lane.run(priority).await.unwrap().0, ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle));
        let known = (ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other), "19".to_owned());
        assert_eq!(lane.run_for(For::Known, priority).await.unwrap(), known);
        assert_eq!(priority(), own);
    }

    /// R25: strangers' hashes leave processors alone where there are more than they have threads; a known browser may use all.
    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn r25_strangers_are_kept_to_as_many_processors_as_they_have_threads() {
        let count = || sched_getaffinity(None).unwrap().count() as usize;
        let all = count();
        for at_once in [1, 2, all + 1] {
            let lane = Lane::new(at_once);
            assert_eq!(lane.run(count).await.unwrap(), at_once.min(all));
            assert_eq!(lane.run_for(For::Known, count).await.unwrap(), all);
        }
        assert_eq!(count(), all, "whoever asks keeps its own");
    }

    /// R25: where no processor is ever idle, a stranger's hash is late and not lost; whoever ends first answers, and frees the place.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_finds_no_idle_processor_competes_for_one() {
        let lane = Lane::with_patience(1, Duration::from_millis(50));
        let (release, wait) = mpsc::channel::<()>();
        let (begun, wait) = (AtomicUsize::new(0), Mutex::new(wait));
        let stuck_at_first = move || {
            let nth = begun.fetch_add(1, Ordering::SeqCst);
            if nth == 0 {
                wait.lock().expect("one thread waits").recv().expect("the test lets go");
            }
            nth
        };
        assert_eq!(lane.run(stuck_at_first).await.unwrap(), 1);
        assert_eq!(lane.run(|| 7).await.unwrap(), 7, "the idle thread is stuck still");
        release.send(()).unwrap();
        assert_eq!(lane.run(|| 8).await.unwrap(), 8);
    }

    /// R25: whoever asks and goes away keeps no place, though the idle thread is stuck with the work.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn r25_whoever_goes_away_keeps_no_place() {
        let lane = Lane::with_patience(1, Duration::from_millis(50));
        let (release, wait) = mpsc::channel::<()>();
        let (began, begins) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let stuck = move || {
            began.send(()).expect("the test listens");
            wait.lock().expect("one thread waits").recv().expect("the test lets go");
        };
        let asking = {
            let lane = lane.clone();
            tokio::spawn(async move { lane.run(stuck).await })
        };
        tokio::task::spawn_blocking(move || begins.recv()).await.unwrap().unwrap();
        asking.abort();
        let next = tokio::time::timeout(Duration::from_secs(10), lane.run(|| 7)).await;
        assert_eq!(next.expect("the slot is free again").unwrap(), 7);
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_told_to_its_caller_and_the_lane_goes_on() {
        let lane = Lane::new(1);
        assert!(matches!(lane.run(|| panic!("a drill")).await, Err::<(), _>(Refused::Fault(_))));
        assert_eq!(lane.run(|| 7).await.unwrap(), 7);
    }

    /// R25: a flood of strangers never stands before a known browser.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn r25_a_known_browser_is_hashed_for_while_strangers_fill_the_lane() {
        let lane = Lane::new(1);
        let (release, wait) = mpsc::channel::<()>();
        let (began, begins) = mpsc::channel::<()>();
        let blocking = {
            let lane = lane.clone();
            tokio::spawn(async move {
                let wait = Mutex::new(wait);
                let work = move || {
                    began.send(()).expect("the test listens");
                    wait.lock().expect("one thread waits").recv().expect("the test lets go");
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
