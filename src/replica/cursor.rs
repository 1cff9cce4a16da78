//! Where in an answer a page begins: opaque to consumers, hostile when it comes back.

use crate::protocol::message::{Epoch, MAX_CURSOR, Term};
use bytes::{Buf, BufMut, Bytes};

/// A place in the byte string of one snapshot: so many bytes of the entries whose keys have this hash were sent
/// already. No key is in it: keys are long, and what comes back has a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Of the snapshot it was cut from.
    pub(super) epoch: Epoch,
    /// Likewise.
    pub(super) seq: u64,
    pub(super) hash: u64,
    pub(super) offset: u64,
}

const LENGTH: usize = 8 + 4 + 4 + 8 + 8 + 8;
const _: () = assert!(LENGTH <= MAX_CURSOR);

impl Cursor {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(LENGTH);
        out.put_u64(self.epoch.term.number);
        out.put_u32(self.epoch.term.nonce);
        out.put_u32(self.epoch.feed);
        out.put_u64(self.seq);
        out.put_u64(self.hash);
        out.put_u64(self.offset);
        out.into()
    }

    /// None if these bytes are no cursor. The empty one, which means the beginning, is none either.
    pub(super) fn decode(bytes: &Bytes) -> Option<Self> {
        let mut rest = bytes.clone();
        if rest.len() != LENGTH {
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
            hash: rest.get_u64(),
            offset: rest.get_u64(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(number: u64, nonce: u32, feed: u32, seq: u64, hash: u64, offset: u64) {
            let epoch = Epoch { term: Term { number, nonce }, feed };
            let cursor = Cursor { epoch, seq, hash, offset };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn anything_may_come_back(bytes: Vec<u8>) {
            let has_the_length = bytes.len() == LENGTH;
            prop_assert_eq!(Cursor::decode(&bytes.into()).is_some(), has_the_length);
        }
    }
}
