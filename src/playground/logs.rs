//! What the containers of a playground have written.
//!
//! A test writes lines; a simulated container has written one every few seconds since it was made, as its name says.

use jiff::Timestamp;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Namespace, pod, container.
pub(super) type Container<'a> = (&'a str, &'a str, &'a str);

/// Lines that a simulated container still has.
const KEPT: i64 = 1_000;

/// A line, and when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) text: String,
}

/// The log of one container.
#[derive(Clone, Debug, Default)]
struct Log {
    lines: Vec<Line>,
    previous: Option<Vec<Line>>,
    /// Lines that were thrown away.
    rotated: usize,
    /// How often the container was started anew.
    restarts: u64,
    endless: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Logs {
    logs: Mutex<HashMap<(String, String, String), Log>>,
    /// Counts what happens to them.
    version: watch::Sender<u64>,
    open: AtomicU64,
}

/// What a reader of a log finds.
pub(super) struct Found {
    pub(super) lines: Vec<Line>,
    /// The number of the next line.
    pub(super) next: usize,
    pub(super) restarts: u64,
    pub(super) endless: bool,
}

impl Logs {
    pub(super) fn write(&self, container: Container<'_>, text: &str) {
        let line = Line {
            at: Timestamp::now(),
            text: text.into(),
        };
        self.change(container, |log| log.lines.push(line));
    }

    pub(super) fn restart(&self, container: Container<'_>) {
        self.change(container, |log| {
            log.previous = Some(std::mem::take(&mut log.lines));
            log.rotated = 0;
            log.restarts += 1;
        });
    }

    pub(super) fn rotate(&self, container: Container<'_>) {
        self.change(container, |log| {
            log.rotated += log.lines.len();
            log.lines.clear();
        });
    }

    pub(super) fn flood(&self, container: Container<'_>) {
        self.change(container, |log| log.endless = true);
    }

    /// The lines from number `from` on, if a test has written any.
    pub(super) fn read(&self, container: Container<'_>, from: usize) -> Option<Found> {
        let logs = self.lock();
        let log = logs.get(&owned(container))?;
        let skipped = from.saturating_sub(log.rotated);
        Some(Found {
            lines: log.lines.iter().skip(skipped).cloned().collect(),
            next: log.rotated + log.lines.len(),
            restarts: log.restarts,
            endless: log.endless,
        })
    }

    /// What the instance before this one has written.
    pub(super) fn previous(&self, container: Container<'_>) -> Option<Vec<Line>> {
        self.lock().get(&owned(container))?.previous.clone()
    }

    /// Changes whenever something happens to a log.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(super) fn open(&self) -> u64 {
        self.open.load(Ordering::SeqCst)
    }

    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    fn change(&self, container: Container<'_>, change: impl FnOnce(&mut Log)) {
        change(self.lock().entry(owned(container)).or_default());
        self.version.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String, String), Log>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owned((namespace, pod, container): Container<'_>) -> (String, String, String) {
    (namespace.into(), pod.into(), container.into())
}

/// A simulated container since it was made, in seconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct Simulated {
    seed: u64,
    made: i64,
    every: i64,
}

impl Simulated {
    pub(super) fn new(container: Container<'_>, made: i64) -> Self {
        let seed = hash(container);
        let every = i64::try_from(seed % 4).unwrap_or_default() + 1;
        Self { seed, made, every }
    }

    /// The lines from number `from` until now, and the number of the next one.
    pub(super) fn lines(&self, from: usize, now: i64) -> (Vec<Line>, usize) {
        let next = ((now - self.made).max(0) / self.every) + 1;
        let first = i64::try_from(from).unwrap_or(i64::MAX).max(next - KEPT);
        let lines = (first..next).map(|number| self.line(number)).collect();
        (lines, usize::try_from(next).unwrap_or_default())
    }

    /// Seconds until the next line.
    pub(super) fn every(&self) -> u64 {
        u64::try_from(self.every).unwrap_or(1)
    }

    fn line(&self, number: i64) -> Line {
        const WORDS: [&str; 6] = [
            "level=info msg=\"request served\" path=/ status=200",
            "level=info msg=\"request served\" path=/healthz status=200",
            "level=info msg=\"request served\" path=/api/items status=200",
            "level=debug msg=\"cache hit\" key=items",
            "level=warn msg=\"slow request\" path=/api/items status=200",
            "level=error msg=\"request failed\" path=/api/items status=502",
        ];
        let hash = hash((self.seed, number));
        // Most are of the first kinds.
        let word = (hash % 36) as f64;
        let text = WORDS[((word.sqrt()) as usize).min(5)];
        let at = Timestamp::from_second(self.made + number * self.every).unwrap_or_default();
        Line {
            at,
            text: format!("{text} duration={}ms", hash % 90 + 3),
        }
    }
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_log_goes_on_where_it_was() {
        let log = Simulated::new(("shop", "web", "app"), 1_000);
        let (first, next) = log.lines(0, 1_100);
        assert_eq!(first.len(), next);
        let (more, _) = log.lines(next, 1_200);
        let (all, _) = log.lines(0, 1_200);
        assert_eq!([first, more].concat(), all);
        let (kept, _) = log.lines(0, 1_000_000);
        assert_eq!(kept.len(), 1_000);
    }
}
