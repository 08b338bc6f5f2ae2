//! Learns what other processes changed: reads, four times a second, which projects got a new serial, and drops their pages.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use sea_orm::Value;
use tokio::sync::watch;

use super::listing::highest_serial;
use crate::clock::Time;
use crate::db::{Engine, Reading};
use crate::env::Env;
use crate::refused::Refused;

const EVERY: Duration = Duration::from_millis(250);
/// PostgreSQL hands out serials before their transactions commit, so a lower one may appear after a higher one: what got its
/// serial in the last minute is looked at again. SQLite has one writer, whose serials appear in their order.
const LATE: Duration = Duration::from_secs(60);
/// When more changed than this, all pages are dropped instead.
const CHANGES_MOST: usize = 20_000;
const CHANGED: &str = "SELECT normalized, serial FROM projects WHERE serial > $1 ORDER BY serial LIMIT 20001";

/// Reads the trail of serials from where it stopped.
#[derive(Debug, Default)]
pub struct Watcher {
    /// The highest serial at moments of the last minute, oldest first.
    marks: VecDeque<(Time, i64)>,
    seen: HashMap<String, i64>,
    /// Whether the oldest mark is old enough, so that nothing below it can still appear.
    caught_up: bool,
}

impl Watcher {
    /// Drops the pages of what changed since the last step. Until it knows what may still appear (on SQLite at once, on
    /// PostgreSQL after a minute) nobody believes it, and pages are asked about one by one.
    ///
    /// # Errors
    /// The database; then pages are asked about one by one.
    pub async fn step(&mut self, env: &Env) -> Result<(), Refused> {
        let now = env.now();
        let read = env.db.read(now).await?;
        let late = if env.db.engine == Engine::Postgres { LATE } else { Duration::ZERO };
        let Some(floor) = self.floor(late, now) else {
            self.marks.push_back((now, highest_serial(&read).await?));
            return Ok(());
        };
        let rows = read.rows(CHANGED, vec![Value::from(floor)]).await?;
        let mut changed = Vec::new();
        let mut highest = floor;
        for row in &rows {
            let (project, serial): (String, i64) = (row.try_get("", "normalized")?, row.try_get("", "serial")?);
            highest = highest.max(serial);
            if self.seen.insert(project.clone(), serial) != Some(serial) {
                changed.push((project, serial));
            }
        }
        self.seen.retain(|_, serial| *serial > floor);
        self.marks.push_back((now, highest));
        if rows.len() > CHANGES_MOST || !self.caught_up {
            env.prepared.drop_all();
        } else {
            env.prepared.drop_older(&changed);
        }
        self.caught_up |= self.marks.front().is_some_and(|(at, _)| now.since(*at) >= late);
        if self.caught_up {
            env.prepared.note_watched(now);
        }
        Ok(())
    }

    fn floor(&mut self, late: Duration, now: Time) -> Option<i64> {
        while self.marks.get(1).is_some_and(|(at, _)| now.since(*at) >= late) {
            self.marks.pop_front();
        }
        self.marks.front().map(|(_, serial)| *serial)
    }
}

/// Watches until told to stop.
pub async fn run(env: Env, mut stop: watch::Receiver<bool>) {
    let mut watcher = Watcher::default();
    while !*stop.borrow() {
        if let Err(e) = watcher.step(&env).await {
            tracing::warn!(error = format!("{e:#}"), "what others changed is not known: pages are asked about one by one");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}
