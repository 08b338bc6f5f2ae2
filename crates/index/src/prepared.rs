//! Pages kept ready in this process, a shelf for each project. A change drops what it made old; a page that was rendered
//! across a change is not kept. Changes of other processes are learnt by `projects::watching`; while nobody watches, whoever
//! takes a page from a shelf asks the database first.

mod page;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use page::{Encoded, Encoding, ReadyPage};

use crate::clock::Time;

/// What is kept: rendered by the room above, which alone knows its type.
pub type Ready = Arc<dyn Any + Send + Sync>;

/// The shelf of what shows the index as a whole. No project is called so.
pub const WHOLE: &str = "/";

/// For how long after a look at the trail the shelves are believed (ARCHITECTURE, "Hot reads").
const BELIEVED: Duration = Duration::from_secs(1);
/// How many bytes are kept before all shelves are cleared.
const BYTES_MOST: usize = 256 << 20;
/// How many changes are remembered one by one, for tickets from before them.
const CHANGES_MOST: usize = 50_000;

/// Ready pages by shelf and key.
pub struct Prepared {
    shelves: Mutex<Shelves>,
    watched_at: AtomicI64,
    slots: Arc<Semaphore>,
    whole: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Shelves {
    pages: HashMap<String, HashMap<String, Kept>>,
    bytes: usize,
    /// Counts changes; a ticket from before a shelf's last change is void.
    changes: u64,
    changed: HashMap<String, u64>,
    /// The change up to which `changed` has forgotten what changed.
    forgotten: u64,
}

struct Kept {
    page: Ready,
    serial: i64,
    bytes: usize,
}

/// Taken before the snapshot that a page is rendered from.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u64);

/// Where a page is kept.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// A project's normalized name, or [`WHOLE`].
    pub shelf: &'a str,
    /// Which page of it.
    pub key: &'a str,
}

impl Default for Prepared {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            shelves: Mutex::default(),
            watched_at: AtomicI64::new(i64::MIN),
            slots: Arc::new(Semaphore::new(cores.max(2))),
            whole: tokio::sync::Mutex::default(),
        }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared")
    }
}

impl Prepared {
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The page, when it is ready and of this type.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self, place: Place<'_>) -> Option<Arc<T>> {
        let page = self.shelves().pages.get(place.shelf)?.get(place.key)?.page.clone();
        page.downcast().ok()
    }
    /// Take one before reading what the page will be rendered from.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket(self.shelves().changes)
    }
    /// Whether nothing on the shelf changed since the ticket was taken, as far as this process knows.
    #[must_use]
    pub fn is_unchanged(&self, ticket: Ticket, shelf: &str) -> bool {
        self.shelves().is_unchanged(ticket, shelf)
    }
    /// Keeps a page of this serial and about this many bytes, unless its shelf changed since the ticket was taken.
    pub fn put(&self, ticket: Ticket, place: Place<'_>, page: Ready, serial: i64, bytes: usize) {
        let mut shelves = self.shelves();
        if shelves.is_unchanged(ticket, place.shelf) {
            shelves.keep(place, Kept { page, serial, bytes });
        }
    }
    /// Keeps a page whatever changed meanwhile: whoever takes it judges its age.
    pub fn put_anyway(&self, place: Place<'_>, page: Ready, bytes: usize) {
        self.shelves().keep(place, Kept { page, serial: 0, bytes });
    }
    /// A change of these projects was committed: their pages are old.
    pub fn drop_pages(&self, projects: &[String]) {
        let mut shelves = self.shelves();
        for project in projects {
            shelves.note_change(project);
            shelves.drop_shelf(project, None);
        }
    }
    /// These projects have these serials now: pages of other serials are old.
    pub fn drop_older(&self, projects: &[(String, i64)]) {
        let mut shelves = self.shelves();
        for (project, serial) in projects {
            shelves.note_change(project);
            shelves.drop_shelf(project, Some(*serial));
        }
    }
    /// Anything may have changed: everything is old.
    pub fn drop_all(&self) {
        let mut shelves = self.shelves();
        shelves.changes += 1;
        shelves.forgotten = shelves.changes;
        shelves.changed.clear();
        shelves.pages.clear();
        shelves.bytes = 0;
    }
    /// The trail was read up to this moment, and what changed was dropped.
    pub fn note_watched(&self, at: Time) {
        self.watched_at.store(at.0, Ordering::SeqCst);
    }
    /// Whether the trail was read within the last second.
    #[must_use]
    pub fn is_watched(&self, now: Time) -> bool {
        let at = Time(self.watched_at.load(Ordering::SeqCst));
        at <= now && now.since(at) < BELIEVED
    }
    /// A place among those who may render or compress now, so that rendering never takes all of the machine.
    pub async fn slot(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.slots).acquire_owned().await.expect("nobody closes this semaphore")
    }
    /// One at a time renders what shows the whole index.
    pub async fn whole_slot(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.whole.lock().await
    }
}

impl Shelves {
    fn is_unchanged(&self, ticket: Ticket, shelf: &str) -> bool {
        ticket.0 >= self.forgotten && self.changed.get(shelf).is_none_or(|change| *change <= ticket.0)
    }
    fn note_change(&mut self, project: &str) {
        self.changes += 1;
        if self.changed.len() >= CHANGES_MOST {
            self.changed.clear();
            self.forgotten = self.changes;
        }
        self.changed.insert(project.to_owned(), self.changes);
        self.changed.insert(WHOLE.to_owned(), self.changes);
    }
    fn drop_shelf(&mut self, shelf: &str, except: Option<i64>) {
        let Some(pages) = self.pages.get_mut(shelf) else { return };
        let mut gone = 0;
        pages.retain(|_, kept| {
            let stays = except == Some(kept.serial);
            gone += if stays { 0 } else { kept.bytes };
            stays
        });
        if pages.is_empty() {
            self.pages.remove(shelf);
        }
        self.bytes = self.bytes.saturating_sub(gone);
    }
    fn keep(&mut self, place: Place<'_>, kept: Kept) {
        if self.bytes + kept.bytes > BYTES_MOST {
            self.pages.clear();
            self.bytes = 0;
        }
        self.bytes += kept.bytes;
        let old = self.pages.entry(place.shelf.to_owned()).or_default().insert(place.key.to_owned(), kept);
        self.bytes = self.bytes.saturating_sub(old.map_or(0, |old| old.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { shelf: "spam", key: "simple" };

    fn put(prepared: &Prepared, ticket: Ticket, serial: i64) {
        prepared.put(ticket, PLACE, Arc::new(serial), serial, 1);
    }

    #[test]
    fn a_page_rendered_across_a_change_is_not_kept() {
        let prepared = Prepared::default();
        let before = prepared.ticket();
        prepared.drop_pages(&["spam".to_owned()]);
        put(&prepared, before, 1);
        assert!(prepared.get::<i64>(PLACE).is_none());
        put(&prepared, prepared.ticket(), 2);
        assert_eq!(prepared.get::<i64>(PLACE).as_deref(), Some(&2));
        prepared.drop_all();
        put(&prepared, before, 3);
        assert!(prepared.get::<i64>(PLACE).is_none());
    }

    #[test]
    fn a_change_of_one_project_leaves_the_others_ready() {
        let prepared = Prepared::default();
        let before = prepared.ticket();
        prepared.drop_pages(&["eggs".to_owned()]);
        put(&prepared, before, 1);
        assert!(prepared.get::<i64>(PLACE).is_some());
        assert!(!prepared.is_unchanged(before, WHOLE));
    }

    #[test]
    fn news_of_what_is_already_shown_drops_nothing() {
        let prepared = Prepared::default();
        put(&prepared, prepared.ticket(), 7);
        prepared.drop_older(&[("spam".to_owned(), 7)]);
        assert!(prepared.get::<i64>(PLACE).is_some());
        prepared.drop_older(&[("spam".to_owned(), 8)]);
        assert!(prepared.get::<i64>(PLACE).is_none());
    }

    #[test]
    fn forgotten_changes_void_every_older_ticket() {
        let prepared = Prepared::default();
        let before = prepared.ticket();
        for n in 0..=CHANGES_MOST {
            prepared.drop_pages(&[format!("p{n}")]);
        }
        put(&prepared, before, 1);
        assert!(prepared.get::<i64>(PLACE).is_none());
    }

    #[test]
    fn a_watch_is_believed_for_a_second_and_never_from_the_future() {
        let prepared = Prepared::default();
        let at = Time::from_seconds(1000);
        assert!(!prepared.is_watched(at));
        prepared.note_watched(at);
        assert!(prepared.is_watched(at));
        assert!(!prepared.is_watched(at.plus(BELIEVED)));
        assert!(!prepared.is_watched(at.minus(BELIEVED)));
    }

    #[test]
    fn what_is_kept_stays_bounded() {
        let prepared = Prepared::default();
        for n in 0..4 {
            let name = format!("p{n}");
            prepared.put(prepared.ticket(), Place { shelf: &name, key: "x" }, Arc::new(n), 1, BYTES_MOST / 3);
        }
        assert!(prepared.shelves().bytes <= BYTES_MOST);
        assert!(prepared.get::<i32>(Place { shelf: "p3", key: "x" }).is_some());
        assert!(prepared.get::<i32>(Place { shelf: "p0", key: "x" }).is_none());
    }
}
