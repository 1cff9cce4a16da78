//! The API server: what there really is, and what there was.

use super::rng::Rng;
use crate::replica::digest::entry_digest;
use crate::replica::time::Moment;
use bytes::Bytes;
use imbl::OrdMap;

/// One collection, all its revisions, and when they were made.
#[derive(Debug, Default)]
pub(super) struct Truth {
    pub(super) entries: OrdMap<Bytes, Bytes>,
    /// Of each revision, from 0: what changed, the digest of all, and when.
    pub(super) log: Vec<Revision>,
}

#[derive(Clone, Debug)]
pub(super) struct Revision {
    pub(super) key: Bytes,
    pub(super) value: Option<Bytes>,
    pub(super) digest: u64,
    pub(super) at: Moment,
}

/// What a collection is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) keys: usize,
    pub(super) prefix: &'static str,
    pub(super) two_letters: bool,
    pub(super) value_bytes: usize,
}

impl Truth {
    /// Revision 0 is empty, then some keys are there from the start.
    pub(super) fn new(rng: &mut Rng, kind: Kind) -> Self {
        let mut truth = Self::default();
        truth.log.push(Revision {
            key: Bytes::new(),
            value: None,
            digest: 0,
            at: Moment::default(),
        });
        for _ in 0..kind.keys {
            truth.change(rng, kind, Moment::default());
        }
        truth
    }

    pub(super) fn revision(&self) -> usize {
        self.log.len() - 1
    }

    pub(super) fn digest(&self, revision: usize) -> u64 {
        self.log[revision].digest
    }

    /// The revision at a moment.
    pub(super) fn revision_at(&self, at: Moment) -> usize {
        self.log
            .partition_point(|revision| revision.at <= at)
            .max(1)
            - 1
    }

    /// Something changes: a key is put three times as often as deleted.
    pub(super) fn change(&mut self, rng: &mut Rng, kind: Kind, at: Moment) {
        let key = Bytes::from(format!("{}{}", kind.prefix, rng.below(kind.keys)));
        let value = rng.chance(0.75).then(|| {
            let letter = if kind.two_letters {
                rng.pick(b"AB")
            } else {
                rng.among(0..=255) as u8
            };
            let length = if kind.two_letters {
                kind.value_bytes
            } else {
                1 + rng.below(kind.value_bytes * 2)
            };
            Bytes::from(vec![letter; length])
        });
        let mut digest = self.digest(self.revision());
        let old = match &value {
            Some(value) => {
                digest = digest.wrapping_add(entry_digest(&key, value));
                self.entries.insert(key.clone(), value.clone())
            }
            None => self.entries.remove(&key),
        };
        if let Some(old) = &old {
            digest = digest.wrapping_sub(entry_digest(&key, old));
        }
        self.log.push(Revision {
            key,
            value,
            digest,
            at,
        });
    }

    pub(super) fn list(&self) -> Vec<(Bytes, Bytes)> {
        let entries = self.entries.iter();
        entries
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}
