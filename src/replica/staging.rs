//! The answer to one request, page by page, until it is whole.
//!
//! - **R7 Stage.** Only pages of one snapshot meet in a stage; one of a newer snapshot starts it over. They are chained
//!   from the beginning by what each says of the next; nothing is taken for whole that has a hole. *Else two sources'
//!   pages mix, and entries that are missing read as deleted.*
//! - A page that is staged already is no news. *Else each duplicate of a window's last page asks again: 150,000
//!   requests in one second.*

use super::buffer::join;
use super::feed::Versions;
use super::mutants::mutant;
use crate::protocol::message::{Epoch, Page};
use bytes::Bytes;
use std::collections::BTreeMap;

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Staged {
    /// It is of an older snapshot, staged already, or contradicts what is staged.
    Dropped,
    /// There is more to come.
    Taken,
    /// The answer is whole.
    Whole,
}

/// What all pages of a snapshot say alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) epoch: Epoch,
    pub(super) seq: u64,
    pub(super) digest: u64,
    pub(super) differs: Bytes,
}

impl Header {
    pub(super) fn of(page: &Page) -> Self {
        Self {
            epoch: page.epoch,
            seq: page.seq,
            digest: page.digest,
            differs: page.differs.clone(),
        }
    }
}

/// What a page costs besides its entries, so that empty ones are not free.
const PAGE_OVERHEAD: usize = 256;

#[derive(Debug)]
struct Slice {
    next: Bytes,
    end: bool,
    entries: Bytes,
}

/// The pages of one snapshot, by where they begin.
#[derive(Debug, Default)]
pub(super) struct Stage {
    header: Option<Header>,
    slices: BTreeMap<Bytes, Slice>,
    dictionary: Option<Bytes>,
    /// The highest that a page told: the same state may have been taken twice.
    upstream_age_ms: u64,
    /// Where the state stands in the API server's count: the lowest that a page told.
    versions: Option<Versions>,
    bytes: usize,
    /// The first place that is missing.
    missing: Bytes,
    /// How many pages the chain has grown by since it was last asked for.
    grown: u32,
    /// Where the windows end that were seen to end.
    window_end: Option<Bytes>,
}

impl Stage {
    /// Takes a page in.
    pub(super) fn add(&mut self, page: Page) -> Staged {
        let header = Header::of(&page);
        match &self.header {
            Some(held) if *held == header => {}
            Some(held) if (header.epoch, header.seq) <= (held.epoch, held.seq) => {
                return Staged::Dropped;
            }
            Some(_) if mutant!(TwoSnapshotsInOneStage) => self.header = Some(header),
            _ => {
                *self = Self {
                    header: Some(header),
                    ..Self::default()
                }
            }
        }
        if self.slices.contains_key(&page.from) {
            return if mutant!(StagedPagesTakenAgain) {
                Staged::Taken
            } else {
                Staged::Dropped
            };
        }
        self.bytes += page.entries.len();
        self.upstream_age_ms = self.upstream_age_ms.max(page.upstream_age_ms);
        let told = Versions {
            changed: page.changed,
            up_to: page.up_to,
        };
        self.versions = Some(self.versions.map_or(told, |held| held.lower(told)));
        if page.dictionary.is_some() {
            self.dictionary = page.dictionary;
        }
        if page.last {
            self.window_end = Some(page.next.clone());
        }
        let slice = Slice {
            next: page.next,
            end: page.end,
            entries: page.entries,
        };
        self.slices.insert(page.from, slice);
        if mutant!(HolesAccepted) && page.end {
            return Staged::Whole;
        }
        self.walk()
    }

    /// Follows the chain from where it was missing something. Never longer than there are pages, whatever they say.
    fn walk(&mut self) -> Staged {
        for _ in 0..self.slices.len() {
            match self.slices.get(&self.missing) {
                Some(slice) if slice.end => return Staged::Whole,
                Some(slice) => {
                    self.missing = slice.next.clone();
                    self.grown += 1;
                }
                None => break,
            }
        }
        Staged::Taken
    }

    /// What it takes in memory, about.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.slices.len() * PAGE_OVERHEAD
    }

    /// Where the first missing page begins; empty is the beginning.
    pub(super) fn missing(&self) -> &Bytes {
        &self.missing
    }

    /// It was asked for so many pages from the first missing one on.
    pub(super) fn asked(&mut self) {
        self.grown = 0;
        self.window_end = None;
    }

    /// All pages that were asked for are there: as many as that, or all up to one that said to be the last of them.
    pub(super) fn has_window(&self, asked: u32) -> bool {
        self.grown >= asked || self.window_end.as_ref() == Some(&self.missing)
    }

    pub(super) fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    pub(super) fn dictionary(&self) -> Option<&Bytes> {
        self.dictionary.as_ref()
    }

    pub(super) fn upstream_age_ms(&self) -> u64 {
        self.upstream_age_ms
    }

    pub(super) fn versions(&self) -> Versions {
        self.versions.unwrap_or_default()
    }

    pub(super) fn pages(&self) -> usize {
        self.slices.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The byte string of the whole answer.
    pub(super) fn entries(&self) -> Bytes {
        let mut at = Some(Bytes::new());
        let chain = std::iter::from_fn(|| {
            let slice = self.slices.get(&at.take()?)?;
            at = (!slice.end).then(|| slice.next.clone());
            Some(slice.entries.clone())
        });
        join(chain, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(seq: u64, from: &'static str, next: &'static str) -> Page {
        Page {
            seq,
            from: Bytes::from_static(from.as_bytes()),
            next: Bytes::from_static(next.as_bytes()),
            end: next.is_empty(),
            entries: Bytes::from(format!("{from}>{next};")),
            ..Page::default()
        }
    }

    #[test]
    fn pages_in_any_order_make_the_answer_whole() {
        let mut stage = Stage::default();
        assert_eq!(stage.add(page(7, "b", "")), Staged::Taken);
        assert_eq!(stage.add(page(7, "", "a")), Staged::Taken);
        assert_eq!(stage.missing(), "a");
        assert_eq!(stage.add(page(7, "a", "b")), Staged::Whole);
        assert_eq!(stage.entries(), ">a;a>b;b>;");
    }

    #[test]
    fn a_duplicate_is_no_news() {
        let mut stage = Stage::default();
        stage.add(page(7, "", "a"));
        assert_eq!(stage.add(page(7, "", "a")), Staged::Dropped);
        assert_eq!(stage.bytes(), 3);
    }

    #[test]
    fn a_newer_snapshot_starts_over_and_an_older_one_is_dropped() {
        let mut stage = Stage::default();
        stage.add(page(7, "", "a"));
        assert_eq!(stage.add(page(8, "a", "")), Staged::Taken);
        assert_eq!((stage.missing(), stage.pages()), (&Bytes::new(), 1));
        assert_eq!(stage.add(page(7, "a", "")), Staged::Dropped);
    }

    #[test]
    fn a_chain_that_bites_its_tail_ends() {
        let mut stage = Stage::default();
        stage.add(page(7, "", "a"));
        assert_eq!(stage.add(page(7, "a", "b")), Staged::Taken);
        assert_eq!(stage.add(page(7, "b", "a")), Staged::Taken);
    }
}
