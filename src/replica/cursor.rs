//! Where in an answer a page begins: opaque to consumers, hostile when it comes back.

use super::collection::Slot;
use crate::protocol::message::{Epoch, Term};
use bytes::{Buf, BufMut, Bytes};

/// A place in the byte string of one snapshot: so many bytes of the entry at a slot were sent already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Of the snapshot it was cut from.
    pub(super) epoch: Epoch,
    /// Likewise.
    pub(super) seq: u64,
    pub(super) slot: Slot,
    pub(super) offset: u64,
}

const FIXED: usize = 8 + 4 + 4 + 8 + 8 + 8;

impl Cursor {
    pub(super) fn encode(&self) -> Bytes {
        let (hash, key) = &self.slot;
        let mut out = Vec::with_capacity(FIXED + key.len());
        out.put_u64(self.epoch.term.number);
        out.put_u32(self.epoch.term.nonce);
        out.put_u32(self.epoch.feed);
        out.put_u64(self.seq);
        out.put_u64(self.offset);
        out.put_u64(*hash);
        out.put_slice(key);
        out.into()
    }

    /// None if these bytes are no cursor. The empty one, which means the beginning, is none either.
    pub(super) fn decode(bytes: &Bytes) -> Option<Self> {
        let mut rest = bytes.clone();
        if rest.len() < FIXED {
            return None;
        }
        let term = Term {
            number: rest.get_u64(),
            nonce: rest.get_u32(),
        };
        Some(Self {
            epoch: Epoch {
                term,
                feed: rest.get_u32(),
            },
            seq: rest.get_u64(),
            offset: rest.get_u64(),
            slot: (rest.get_u64(), rest),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(number: u64, nonce: u32, feed: u32, seq: u64, offset: u64, hash: u64, key: Vec<u8>) {
            let epoch = Epoch { term: Term { number, nonce }, feed };
            let cursor = Cursor { epoch, seq, slot: (hash, key.into()), offset };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn anything_may_come_back(bytes: Vec<u8>) {
            let is_long_enough = bytes.len() >= FIXED;
            prop_assert_eq!(Cursor::decode(&bytes.into()).is_some(), is_long_enough);
        }
    }
}
