//! A copy as bytes, to be kept between two lives of a consumer.
//!
//! R8 Cache: whole or not at all, with its epoch, sequence number and last change, and a checksum over all of it: what is not
//! exactly what was written is no copy. *Else a reader begins with a state that no source ever had.* One that begins
//! with a copy still believes none of it: it is frozen until the source's first answer, which names the digest of the
//! whole.
//!
//! A thin copy is not for this: its backing keeps the values, and so the copy.
//!
//! The dictionary is kept too: a source sends it again to whoever does not name it.
//!
//! | bytes | what |
//! |---|---|
//! | 7, 1 | `mqicopy`, the form's version |
//! | 16 | xxh3-128 of all that follows, little-endian like every number here |
//! | 4, n | length of the label, the label: the caller's own words about the copy |
//! | 8, 4, 4, 8, 8 | term's number, term's nonce, feed, sequence number, resourceVersion of the last change |
//! | 4, n | length of the dictionary, the dictionary |
//! | 1, n | 1 if what follows is zstd, all entries as an answer carries them, plain |

use super::copy::Copy;
use super::mutants::mutant;
use crate::protocol::compress::{Codec, Packed, Packer};
use crate::protocol::entries::{read_entries, write_entry};
use crate::protocol::message::{Epoch, Term};
use bytes::{Buf, Bytes};
use xxhash_rust::xxh3::xxh3_128;

const MAGIC: &[u8; 7] = b"mqicopy";
const VERSION: u8 = 2;
/// Magic, version, checksum.
const HEAD: usize = 24;
/// The longest label that is read, in bytes.
const MAX_LABEL: usize = 64 * 1024;
/// The most that is unpacked, in bytes: as much as an answer may have.
const MAX_BYTES: usize = 1024 * 1024 * 1024;

/// A copy, and the words that were kept with it.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Whatever the caller wants to know before it reads the whole.
    pub label: Bytes,
    /// The copy.
    pub copy: Copy,
}

/// Why bytes are no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSaved {
    /// They are something else.
    #[error("it is no copy of a stream")]
    Foreign,
    /// Another version of this program wrote them.
    #[error("another version of this program wrote it, in form {0}")]
    Version(u8),
    /// They are not what was written.
    #[error("it is corrupt: its checksum does not match")]
    Corrupt,
}

impl Saved {
    /// The bytes of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Copy {
            epoch,
            seq,
            changed,
            ..
        } = self.copy;
        let mut out = Vec::from(MAGIC);
        out.push(VERSION);
        out.resize(HEAD, 0);
        put_slice(&mut out, &self.label);
        out.extend(epoch.term.number.to_le_bytes());
        out.extend(epoch.term.nonce.to_le_bytes());
        out.extend(epoch.feed.to_le_bytes());
        out.extend(seq.to_le_bytes());
        out.extend(changed.to_le_bytes());
        put_slice(&mut out, &self.copy.packer.dictionary().unwrap_or_default());
        let mut entries = Vec::new();
        for (key, value) in &self.copy.entries {
            let plain = Packed {
                codec: Codec::Plain,
                bytes: value.clone(),
            };
            write_entry(&mut entries, key, &plain);
        }
        let packed = Packer::default().pack(&entries.into());
        out.push(u8::from(packed.codec == Codec::Zstd));
        out.extend_from_slice(&packed.bytes);
        let checksum = xxh3_128(&out[HEAD..]).to_le_bytes();
        out[MAGIC.len() + 1..HEAD].copy_from_slice(&checksum);
        out
    }

    /// Reads it back. What it takes in memory is bounded.
    ///
    /// # Errors
    /// When these are not exactly the bytes that [`Saved::to_bytes`] made.
    pub fn from_bytes(mut bytes: Bytes) -> Result<Self, NotSaved> {
        let checksum = read_head(&mut bytes)?;
        if xxh3_128(&bytes) != checksum && !mutant!(CorruptCacheTrusted) {
            return Err(NotSaved::Corrupt);
        }
        read(bytes).ok_or(NotSaved::Corrupt)
    }

    /// The label of these bytes, or of their beginning, **unchecked**: to choose among many before one is read.
    ///
    /// # Errors
    /// When they do not begin as a copy does.
    pub fn label_of(mut bytes: Bytes) -> Result<Bytes, NotSaved> {
        read_head(&mut bytes)?;
        take_slice(&mut bytes, MAX_LABEL).ok_or(NotSaved::Corrupt)
    }
}

fn put_slice(out: &mut Vec<u8>, slice: &[u8]) {
    let length = u32::try_from(slice.len()).unwrap_or(u32::MAX);
    out.extend(length.to_le_bytes());
    out.extend_from_slice(slice);
}

/// Takes magic, version and checksum off; answers with the last.
fn read_head(bytes: &mut Bytes) -> Result<u128, NotSaved> {
    if !bytes.starts_with(MAGIC) || bytes.len() < HEAD {
        return Err(NotSaved::Foreign);
    }
    bytes.advance(MAGIC.len());
    match bytes.get_u8() {
        VERSION => Ok(bytes.get_u128_le()),
        other => Err(NotSaved::Version(other)),
    }
}

fn take_slice(bytes: &mut Bytes, most: usize) -> Option<Bytes> {
    let length = usize::try_from(bytes.try_get_u32_le().ok()?).ok()?;
    (length <= bytes.len().min(most)).then(|| bytes.split_to(length))
}

fn read(mut bytes: Bytes) -> Option<Saved> {
    let label = take_slice(&mut bytes, MAX_LABEL)?;
    let number = bytes.try_get_u64_le().ok()?;
    let nonce = bytes.try_get_u32_le().ok()?;
    let feed = bytes.try_get_u32_le().ok()?;
    let seq = bytes.try_get_u64_le().ok()?;
    let changed = bytes.try_get_u64_le().ok()?;
    let dictionary = take_slice(&mut bytes, usize::MAX)?;
    let packer = match dictionary.is_empty() {
        true => Packer::default(),
        false => Packer::with_dictionary(&Bytes::copy_from_slice(&dictionary)).ok()?,
    };
    let codec = match bytes.try_get_u8().ok()? {
        0 => Codec::Plain,
        1 => Codec::Zstd,
        _ => return None,
    };
    let packed = Packed { codec, bytes };
    let mut copy = Copy {
        epoch: Epoch {
            term: Term { number, nonce },
            feed,
        },
        seq,
        changed,
        packer,
        ..Copy::default()
    };
    for entry in read_entries(Packer::default().unpack(&packed, MAX_BYTES).ok()?) {
        let entry = entry.ok()?;
        // Parts of the one buffer that they came in: it is no larger than they are.
        copy.entries.insert(entry.key, entry.value.bytes);
    }
    copy.digest = copy.count_digest();
    Some(Saved {
        label: Bytes::copy_from_slice(&label),
        copy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    /// Trained once: it takes a while.
    static TRAINED: LazyLock<Packer> = LazyLock::new(|| {
        let value = |n: u32| {
            format!(
                "{{\"name\":\"web-{n}\",\"note\":\"{}\"}}",
                format!("{n:x}").repeat(40)
            )
        };
        let values: Vec<Bytes> = (0..2000).map(|n| value(n).into()).collect();
        Packer::train(&values)
    });

    fn saved(entries: &[(Vec<u8>, Vec<u8>)], dictionary: bool) -> Saved {
        let mut copy = Copy {
            epoch: Epoch {
                term: Term {
                    number: 1_790_000_000_000,
                    nonce: 7,
                },
                feed: 3,
            },
            seq: 42,
            changed: 4711,
            packer: if dictionary {
                TRAINED.clone()
            } else {
                Packer::default()
            },
            ..Copy::default()
        };
        assert_eq!(copy.packer.id() > 0, dictionary);
        for (key, value) in entries {
            copy.entries
                .insert(key.clone().into(), value.clone().into());
        }
        copy.digest = copy.count_digest();
        Saved {
            label: "who, what, when".into(),
            copy,
        }
    }

    fn read_back(bytes: Vec<u8>) -> Result<Saved, NotSaved> {
        Saved::from_bytes(bytes.into())
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(
            entries in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..20), prop::collection::vec(any::<u8>(), 0..900)), 0..30),
            dictionary: bool,
        ) {
            let before = saved(&entries, dictionary);
            let after = read_back(before.to_bytes()).unwrap();
            prop_assert_eq!(&after.label, &before.label);
            prop_assert_eq!((after.copy.epoch, after.copy.seq, after.copy.changed, after.copy.digest), (before.copy.epoch, before.copy.seq, before.copy.changed, before.copy.digest));
            prop_assert_eq!(after.copy.entries, before.copy.entries);
            prop_assert_eq!(after.copy.packer.id(), before.copy.packer.id());
        }

        #[test]
        fn a_changed_byte_or_a_lost_end_is_noticed(at: prop::sample::Index, bit in 0..8_u8, cut: bool) {
            let mut bytes = saved(&[(b"a/b".to_vec(), vec![b'x'; 5000])], true).to_bytes();
            let at = at.index(bytes.len());
            match cut {
                true => bytes.truncate(at),
                false => bytes[at] ^= 1 << bit,
            }
            prop_assert!(read_back(bytes).is_err());
        }

        #[test]
        fn hostile_bytes_with_a_right_checksum_are_refused_or_read(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = Vec::from(MAGIC);
            bytes.push(VERSION);
            bytes.extend(xxh3_128(&tail).to_le_bytes());
            bytes.extend(tail);
            let _ = Saved::label_of(bytes.clone().into());
            let _ = read_back(bytes);
        }
    }

    #[test]
    fn what_is_something_else_is_told() {
        assert_eq!(
            read_back(b"#!/bin/sh".to_vec()).unwrap_err(),
            NotSaved::Foreign
        );
        assert_eq!(read_back(Vec::new()).unwrap_err(), NotSaved::Foreign);
        let mut later = saved(&[], false).to_bytes();
        later[MAGIC.len()] = 9;
        assert_eq!(read_back(later).unwrap_err(), NotSaved::Version(9));
    }

    #[test]
    fn the_label_is_read_from_the_beginning() {
        let bytes = Bytes::from(saved(&[(b"a".to_vec(), vec![0; 90_000])], true).to_bytes());
        let label = Saved::label_of(bytes.slice(..100)).unwrap();
        assert_eq!(label, "who, what, when");
        assert_eq!(Saved::label_of(bytes.slice(..30)), Err(NotSaved::Corrupt));
    }
}
