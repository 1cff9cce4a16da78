//! A thin copy's dealings with its backing: what was stored, and values that deltas wait for.

use super::{Ask, Reflector};
use crate::protocol::entries::Key;
use crate::replica::digest::entry_digest;
use crate::replica::mutants::mutant;
use crate::replica::thin::Thin;
use crate::replica::time::Moment;
use bytes::Bytes;
use std::collections::HashMap;

/// Values that the next flush waits for.
#[derive(Debug)]
pub(super) struct Fetch {
    number: u64,
    keys: Vec<Key>,
    /// When the backing was asked; not yet, if none.
    since: Option<Moment>,
}

#[cfg(test)]
impl Fetch {
    pub(super) fn is(&self, number: u64) -> bool {
        self.number == number
    }
}

impl Reflector {
    /// The backing has what this thin copy had; see [`crate::replica::Thin::stored`]. R9: values that did not change
    /// since then are away from now on.
    pub fn settled(&mut self, stored: &Thin) {
        if let Some(thin) = &mut self.copy.thin {
            let freed = thin.settle(stored);
            self.bytes = self.bytes.saturating_sub(freed);
        }
        // It may have been full.
        self.apply();
    }

    /// The backing answers [`Ask::Bases`]: the keys' values as it has them, those that it does not have left out.
    pub fn give(&mut self, number: u64, values: Vec<(Bytes, Bytes)>) {
        let Some(fetch) = self.fetch.take_if(|fetch| fetch.number == number) else {
            return;
        };
        let mut values: HashMap<Bytes, Bytes> = values.into_iter().collect();
        for key in fetch.keys {
            let value = values
                .remove(&key)
                .filter(|value| self.is_base(&key, value));
            match value {
                Some(value) => drop(self.bases.insert(key, value)),
                None => drop(self.doubted.insert(key)),
            }
        }
        if self.doubted.is_empty() {
            self.apply();
        } else {
            self.tally.bases_refused += 1;
            self.bases.clear();
        }
    }

    /// R10 Base. It is the value that the source means.
    fn is_base(&self, key: &[u8], value: &[u8]) -> bool {
        let mark = self.copy.thin.as_ref().and_then(|thin| thin.mark(key));
        let digest = entry_digest(key, value);
        mark.is_some_and(|mark| mark.digest == digest) || mutant!(BaseUnchecked)
    }

    /// Bytes of values that the backing has not said to have.
    pub fn unsettled_bytes(&self) -> usize {
        self.copy.thin.as_ref().map_or(0, Thin::held_bytes)
    }

    /// The backing is so far behind that nothing more is taken in.
    pub(super) fn is_full(&self) -> bool {
        self.unsettled_bytes() > self.settings.unsettled_bytes && !mutant!(NeverFull)
    }

    /// A flush waits for values that are away, and asks for them unless it did.
    pub(super) fn lacks_bases(&mut self, flush: u64) -> bool {
        let Some(thin) = &self.copy.thin else {
            return false;
        };
        if self.fetch.is_some() {
            return true;
        }
        let changes = self.buffer.changes(flush).unwrap_or_default();
        let keys = thin.lacks(changes, &self.bases);
        if keys.is_empty() {
            return false;
        }
        let marks = keys.iter().filter_map(|key| thin.mark(key));
        let bytes: u64 = marks.map(|mark| u64::from(mark.length)).sum();
        if bytes > self.settings.bases_bytes as u64 {
            // The source has them packed.
            self.unsure = true;
            return true;
        }
        self.fetches += 1;
        self.fetch = Some(Fetch {
            number: self.fetches,
            keys,
            since: None,
        });
        true
    }

    /// The fetch that the backing does not know of.
    pub(super) fn next_fetch(&mut self, now: Moment) -> Option<Ask> {
        let fetch = self.fetch.as_mut().filter(|fetch| fetch.since.is_none())?;
        fetch.since = Some(now);
        self.tally.fetches += 1;
        Some(Ask::Bases {
            number: fetch.number,
            keys: fetch.keys.clone(),
        })
    }

    pub(super) fn has_fetch_to_send(&self) -> bool {
        self.fetch
            .as_ref()
            .is_some_and(|fetch| fetch.since.is_none())
    }

    /// When the source is asked instead of the backing.
    pub(super) fn fetch_over_at(&self) -> Option<Moment> {
        let since = self.fetch.as_ref()?.since?;
        (!mutant!(NoFetchWatch)).then(|| since + self.settings.fetch_timeout)
    }

    /// The copy stays as it is until an answer comes: what was fetched for its next step is of no use.
    pub(super) fn forget_bases(&mut self) {
        self.fetch = None;
        self.bases.clear();
    }
}
