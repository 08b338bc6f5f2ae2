//! Pages kept ready in this process. A change drops what it made old; a page that was rendered across a change is not kept.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is kept: rendered by the room above, which alone knows its type.
pub type Ready = Arc<dyn Any + Send + Sync>;

/// Ready pages by key.
#[derive(Debug, Default)]
pub struct Prepared {
    shelves: Mutex<Shelves>,
}

#[derive(Debug, Default)]
struct Shelves {
    pages: HashMap<String, Ready>,
    /// Counts changes; a ticket from before a change is void.
    changes: u64,
}

/// Taken before the snapshot that a page is rendered from.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u64);

/// How many pages are kept before the shelf is cleared.
const PAGES_MOST: usize = 20_000;

impl Prepared {
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The page, when it is ready.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Ready> {
        self.shelves().pages.get(key).cloned()
    }
    /// Take one before reading what the page will be rendered from.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket(self.shelves().changes)
    }
    /// Keeps a page, unless something changed since the ticket was taken.
    pub fn put(&self, ticket: Ticket, key: String, page: Ready) {
        let mut shelves = self.shelves();
        if shelves.changes != ticket.0 {
            return;
        }
        if shelves.pages.len() >= PAGES_MOST {
            shelves.pages.clear();
        }
        shelves.pages.insert(key, page);
    }
    /// A change was committed: these pages are old.
    pub fn drop_pages(&self, keys: &[String]) {
        let mut shelves = self.shelves();
        shelves.changes += 1;
        for key in keys {
            shelves.pages.remove(key);
        }
    }
    /// Another process changed something: everything is old.
    pub fn drop_all(&self) {
        let mut shelves = self.shelves();
        shelves.changes += 1;
        shelves.pages.clear();
    }
}
