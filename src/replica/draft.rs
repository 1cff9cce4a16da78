//! A list that is under way.
//!
//! Its parts are packed as they come: the API server makes the next one meanwhile, and when the last is there, little is
//! left to do. Nothing of it is told to anybody before that (F1).

use super::collection::{Collection, Held};
use crate::protocol::compress::Packer;
use bytes::Bytes;

/// So many entries show what the others look like.
const SAMPLED: usize = 1024;

/// What came of a list so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Not packed yet.
    waiting: Vec<(Bytes, Bytes)>,
    packer: Option<Packer>,
    packed: Collection,
}

impl Draft {
    /// How many entries came.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.packed.len()
    }

    /// Takes a part of a list that will be compared with what is held.
    pub(super) fn keep(&mut self, part: Vec<(Bytes, Bytes)>) {
        self.waiting.extend(part);
    }

    /// Takes a part of a list that there is nothing to compare with.
    pub(super) fn pack(&mut self, part: Vec<(Bytes, Bytes)>) {
        self.waiting.extend(part);
        if self.packer.is_none() && self.waiting.len() >= SAMPLED {
            self.packer = Some(Packer::train(&sample(&self.waiting)));
        }
        if let Some(packer) = &self.packer {
            for (key, value) in self.waiting.drain(..) {
                self.packed.put(&key, Held::new(packer, &key, &value));
            }
        }
    }

    /// The whole list, packed, and what it was packed with.
    pub(super) fn finish(mut self, last: Vec<(Bytes, Bytes)>) -> (Packer, Collection) {
        self.waiting.extend(last);
        let packer = self
            .packer
            .unwrap_or_else(|| Packer::train(&sample(&self.waiting)));
        for (key, value) in self.waiting {
            self.packed.put(&key, Held::new(&packer, &key, &value));
        }
        (packer, self.packed)
    }

    /// The whole list as it came. Only of one whose parts were kept.
    pub(super) fn into_list(mut self, last: Vec<(Bytes, Bytes)>) -> Vec<(Bytes, Bytes)> {
        self.waiting.extend(last);
        self.waiting
    }
}

/// At most 1,024 values of at most 64 KiB, spread over the list.
fn sample(list: &[(Bytes, Bytes)]) -> Vec<Bytes> {
    let stride = list.len().div_ceil(SAMPLED).max(1);
    list.iter()
        .step_by(stride)
        .filter(|(_, value)| value.len() <= 64 * 1024)
        .map(|(_, value)| value.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(range: std::ops::Range<usize>) -> Vec<(Bytes, Bytes)> {
        let entry = |number: usize| {
            let value = format!("{{\"name\":\"web-{number}\",\"status\":\"Running\"}}");
            (format!("shop/web-{number}").into(), value.into())
        };
        range.map(entry).collect()
    }

    #[test]
    fn however_it_is_cut_a_list_becomes_the_same_collection() {
        let (_, whole) = Draft::default().finish(list(0..3_000));
        for cuts in [vec![10], vec![1_000, 1_024, 2_999], vec![1_024]] {
            let mut draft = Draft::default();
            let mut begin = 0;
            for cut in cuts {
                draft.pack(list(begin..cut));
                assert_eq!(draft.len(), cut);
                begin = cut;
            }
            let (_, packed) = draft.finish(list(begin..3_000));
            assert_eq!((packed.len(), packed.digest()), (3_000, whole.digest()));
        }
    }

    #[test]
    fn a_list_that_is_kept_comes_out_as_it_came() {
        let mut draft = Draft::default();
        draft.keep(list(0..5));
        assert_eq!(draft.len(), 5);
        assert_eq!(draft.into_list(list(5..7)), list(0..7));
    }
}
