//! What a batch does to what is there: which changes, in which order. Pure.

use super::error::Error;
use super::facts::Facts;
use super::stream::Others;
use crate::protocol::entries::entry_digest;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// What is there of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Current {
    pub(super) seq: i64,
    pub(super) uid: String,
    pub(super) digest: u64,
    pub(super) first_ms: i64,
}

/// What is to be written of one object.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Bytes,
    /// None: it is gone.
    pub(super) value: Option<Bytes>,
    /// What was read of the value already.
    pub(super) facts: Option<Facts>,
}

/// One version to write.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// What the version `prior` said is not so any more.
    Delete { seq: i64, prior: i64 },
    /// The object is this.
    Put(Box<Put>),
}

#[derive(Debug, PartialEq)]
pub(super) struct Put {
    pub(super) seq: i64,
    pub(super) key: Bytes,
    pub(super) modified: bool,
    /// The version before; 0 for none.
    pub(super) prior: i64,
    pub(super) first_ms: i64,
    pub(super) digest: u64,
    pub(super) facts: Facts,
}

/// All that a batch does.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// Which versions end, and at which number.
    pub(super) ended: Vec<(i64, i64)>,
    /// The newest number given out.
    pub(super) seq: i64,
}

/// A key as its namespace and name; an error if it is no key of an object that a database could keep.
pub(super) fn names(key: &[u8]) -> Result<(&str, &str), Error> {
    let text = std::str::from_utf8(key).ok();
    let text = text.filter(|text| !text.contains('\0') && !text.starts_with('/'));
    let names = text.map(|text| text.split_once('/').unwrap_or(("", text)));
    let malformed = || Error::Malformed("a key of the stream is no name of an object".into());
    names
        .filter(|(_, name)| !name.is_empty())
        .ok_or_else(malformed)
}

/// The key of an object.
pub(super) fn key(namespace: &str, name: &str) -> Bytes {
    if namespace.is_empty() {
        Bytes::copy_from_slice(name.as_bytes())
    } else {
        format!("{namespace}/{name}").into()
    }
}

impl Plan {
    /// Compares what is to be written with what is there. `current` has at least the entries' keys, and all of the
    /// stream if others go. `facts` reads a value.
    pub(super) fn new(
        mut current: BTreeMap<Bytes, Current>,
        entries: Vec<Entry>,
        others: &Others,
        (seq, now_ms): (i64, i64),
        facts: impl Fn(&Bytes) -> Facts,
    ) -> Self {
        let mut plan = Self {
            seq,
            ..Self::default()
        };
        for entry in entries {
            let before = current.remove(&entry.key);
            match (before, entry.value) {
                (before, Some(value)) => {
                    let digest = entry_digest(&entry.key, &value);
                    if before.as_ref().is_some_and(|it| it.digest == digest) {
                        continue;
                    }
                    let facts = entry.facts.unwrap_or_else(|| facts(&value));
                    plan.put(entry.key, digest, facts, before, now_ms);
                }
                (Some(before), None) => _ = plan.delete(&before),
                (None, None) => {}
            }
        }
        let none = BTreeSet::new();
        let kept = match others {
            Others::Stay => return plan,
            Others::Go => &none,
            Others::GoUnless(kept) => kept,
        };
        for (_, gone) in current.iter().filter(|(key, _)| !kept.contains(*key)) {
            plan.delete(gone);
        }
        plan
    }

    fn next(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }

    fn delete(&mut self, before: &Current) -> i64 {
        let seq = self.next();
        self.ended.push((before.seq, seq));
        let prior = before.seq;
        self.steps.push(Step::Delete { seq, prior });
        seq
    }

    fn put(&mut self, key: Bytes, digest: u64, facts: Facts, before: Option<Current>, now_ms: i64) {
        // Another object under the same name: whoever watches has to hear that the first one is gone.
        let replaced = before.as_ref().is_some_and(|it| it.uid != facts.uid);
        let deleted = if replaced {
            before.as_ref().map(|before| self.delete(before))
        } else {
            None
        };
        let before = before.filter(|_| !replaced);
        let seq = self.next();
        if let Some(before) = &before {
            self.ended.push((before.seq, seq));
        }
        self.steps.push(Step::Put(Box::new(Put {
            seq,
            key,
            modified: before.is_some(),
            prior: deleted.or(before.as_ref().map(|it| it.seq)).unwrap_or(0),
            first_ms: before.map_or(now_ms, |it| it.first_ms),
            digest,
            facts,
        })));
    }
}
