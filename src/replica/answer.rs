//! The answer to one request: slices of one snapshot.
//!
//! **F6 Answer.** A request gets one snapshot, whose buckets are compared with the request's once, and all its pages
//! are slices of that. *Else pages of different moments meet in one copy, and big answers under churn never end.*

use super::collection::{Held, Slot};
use super::cursor::Cursor;
use super::digest::{Bitmap, Buckets};
use super::feed::Snapshot;
use crate::protocol::entries::{Key, write_entry};
use bytes::Bytes;

/// A snapshot, and what of it the asker lacks.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) rid: u64,
    pub(super) snapshot: Snapshot,
    /// The age of the source's knowledge when the snapshot was taken. It must not get younger while pages wait.
    pub(super) upstream_age_ms: u64,
    /// The dictionary, if the asker lacks it. It travels in the first page.
    pub(super) dictionary: Option<Bytes>,
    buckets: Buckets,
    pub(super) differs: Bitmap,
}

/// A part of an answer's byte string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) entries: Bytes,
    /// Where the next one begins; empty after the last.
    pub(super) next: Bytes,
    pub(super) end: bool,
}

impl Answer {
    /// The answer to a request whose copy has the digests `theirs`, one for each of `buckets`; `ours` are the
    /// snapshot's.
    pub(super) fn new(
        rid: u64,
        snapshot: Snapshot,
        buckets: Buckets,
        theirs: &[u64],
        ours: &[u64],
    ) -> Self {
        Self {
            rid,
            snapshot,
            upstream_age_ms: 0,
            dictionary: None,
            buckets,
            differs: Bitmap::new(buckets.count(), |index| {
                theirs.get(index) != ours.get(index)
            }),
        }
    }

    /// Whether a cursor was cut from this very state.
    pub(super) fn cut(&self, cursor: &Bytes) -> bool {
        Cursor::decode(cursor)
            .is_some_and(|at| (at.epoch, at.seq) == (self.snapshot.epoch, self.snapshot.seq))
    }

    /// The slice that begins at a cursor and has `bytes` bytes at most: equal for equal arguments. A cursor that was
    /// not cut from this answer means the beginning.
    pub(super) fn slice(&self, from: &Bytes, bytes: usize) -> Slice {
        let (start, offset) = match Cursor::decode(from) {
            Some(cursor) if self.cut(from) => (cursor.hash, cursor.offset),
            _ => (0, 0),
        };
        let mut out = Vec::new();
        // How many bytes of the byte string there are before this entry, counted from the first with its hash.
        let (mut hash, mut before) = (start, 0);
        let mut entries = self.differing(start).peekable();
        while let Some(((of, key), held)) = entries.next() {
            if *of != hash {
                (hash, before) = (*of, 0);
            }
            let sent = if hash == start { offset } else { 0 };
            before += append(&mut out, key, held, sent.saturating_sub(before));
            let over = out.len().saturating_sub(bytes);
            if over > 0 || (out.len() == bytes && entries.peek().is_some()) {
                out.truncate(bytes);
                return Slice {
                    entries: out.into(),
                    next: self.cursor(hash, before - over as u64),
                    end: false,
                };
            }
        }
        Slice {
            entries: out.into(),
            next: Bytes::new(),
            end: true,
        }
    }

    fn cursor(&self, hash: u64, offset: u64) -> Bytes {
        Cursor {
            epoch: self.snapshot.epoch,
            seq: self.snapshot.seq,
            hash,
            offset,
        }
        .encode()
    }

    /// The entries of all buckets that differ, from a hash on.
    fn differing(&self, start: u64) -> impl Iterator<Item = (&Slot, &Held)> {
        let first = self.buckets.index(start);
        (first..self.buckets.count())
            .filter(|index| self.differs.get(*index))
            .flat_map(move |index| {
                let begin = self.buckets.first_hash(index).unwrap_or(0).max(start);
                let end = self.buckets.first_hash(index + 1);
                self.snapshot.collection.range((begin, Key::new()), end)
            })
    }
}

/// Appends an entry without its first `sent` bytes; returns how long it is with them.
fn append(out: &mut Vec<u8>, key: &Key, held: &Held, sent: u64) -> u64 {
    let begin = out.len();
    write_entry(out, key, &held.packed);
    let written = out.len() - begin;
    let sent = usize::try_from(sent).unwrap_or(usize::MAX).min(written);
    out.drain(begin..begin + sent);
    written as u64
}
