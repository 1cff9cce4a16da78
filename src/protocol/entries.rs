//! The byte strings inside pages and flushes: entries of a snapshot, changes of a step.
//!
//! A page or a live message carries a slice of such a string that may end anywhere, inside a value too; so they are
//! decoded when whole. The bytes are the protobuf encoding of `Entries` or `Changes` in `messages.proto`: a repeated
//! field, so that a string grows by appending, and two strings one after the other are the string of both. Reading
//! copies nothing: keys and values are slices of what was received.

use super::compress::{Codec, Packed};
use super::wire;
use bytes::{Buf, Bytes};
use prost::Message;
use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint,
    encoded_len_varint, skip_field,
};
use std::iter::FusedIterator;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// A key of a stream: `namespace/name`, or `name`; the empty key holds the stream's header.
pub type Key = Bytes;

/// The longest key that is read, in bytes: twice Kubernetes' longest names, and room.
pub const MAX_KEY: usize = 1024;

/// One entry of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// Its value, packed.
    pub value: Packed,
}

/// What a step does to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is gone.
    Deleted,
    /// It has this value now.
    Value(Packed),
    /// Its value is this delta applied to the one at the flush's `prev`.
    Delta(Bytes),
}

/// The digest of one entry: of its key, and of its value as it is when unpacked.
pub fn entry_digest(key: &[u8], value: &[u8]) -> u64 {
    xxh3_64_with_seed(value, xxh3_64(key))
}

/// Why a byte string is no list of entries or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed entries")]
pub struct MalformedEntries;

/// The only field of `Entries` and of `Changes`.
const ITEM: u32 = 1;
/// The key's field in `Entry` and in `Change`.
const KEY: u32 = 1;
/// The values' fields in `Entry` and in `Change`: the number is the codec.
const PLAIN: u32 = 2;
const ZSTD: u32 = 3;
const DICTIONARY: u32 = 4;
/// The other two fields of `Change`.
const DELTA: u32 = 5;
const DELETED: u32 = 6;

/// Appends one entry of a snapshot.
pub fn write_entry(out: &mut Vec<u8>, key: &[u8], value: &Packed) {
    write_item(out, key, field_of(value.codec), &value.bytes);
}

/// Appends one change of a step.
pub fn write_change(out: &mut Vec<u8>, key: &[u8], change: &Change) {
    match change {
        Change::Deleted => write_item(out, key, DELETED, &[]),
        Change::Value(value) => write_entry(out, key, value),
        Change::Delta(delta) => write_item(out, key, DELTA, delta),
    }
}

/// Reads the entries of a whole answer, in the order in which they were written. Ends after the first error.
pub fn read_entries(bytes: Bytes) -> impl FusedIterator<Item = Result<Entry, MalformedEntries>> {
    Items {
        rest: bytes,
        decode: entry,
    }
}

/// Reads the changes of a whole flush, in the order in which they were written. Ends after the first error.
pub fn read_changes(
    bytes: Bytes,
) -> impl FusedIterator<Item = Result<(Key, Change), MalformedEntries>> {
    Items {
        rest: bytes,
        decode: change,
    }
}

fn field_of(codec: Codec) -> u32 {
    match codec {
        Codec::Plain => PLAIN,
        Codec::Zstd => ZSTD,
        Codec::Dictionary => DICTIONARY,
    }
}

fn write_item(out: &mut Vec<u8>, key: &[u8], field: u32, value: &[u8]) {
    let key_length = if key.is_empty() { 0 } else { bytes_length(key) };
    encode_key(ITEM, WireType::LengthDelimited, out);
    encode_varint((key_length + bytes_length(value)) as u64, out);
    if !key.is_empty() {
        write_bytes(out, KEY, key);
    }
    write_bytes(out, field, value);
}

fn write_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// How long a bytes field is with its tag (fields below 16: one byte).
fn bytes_length(bytes: &[u8]) -> usize {
    1 + encoded_len_varint(bytes.len() as u64) + bytes.len()
}

/// The items of a string, as slices of it.
struct Items<T> {
    rest: Bytes,
    decode: fn(Bytes) -> Result<T, MalformedEntries>,
}

impl<T> Iterator for Items<T> {
    type Item = Result<T, MalformedEntries>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = next_item(&mut self.rest).transpose()?;
        let decoded = item.and_then(self.decode);
        if decoded.is_err() {
            self.rest.clear();
        }
        Some(decoded)
    }
}

impl<T> FusedIterator for Items<T> {}

/// The next item; fields that this version does not know are passed over.
fn next_item(rest: &mut Bytes) -> Result<Option<Bytes>, MalformedEntries> {
    while rest.has_remaining() {
        let (field, wire_type) = decode_key(rest).map_err(|_| MalformedEntries)?;
        if field == ITEM && wire_type == WireType::LengthDelimited {
            let length = decode_varint(rest).map_err(|_| MalformedEntries)?;
            return match usize::try_from(length) {
                Ok(length) if length <= rest.len() => Ok(Some(rest.split_to(length))),
                _ => Err(MalformedEntries),
            };
        }
        skip_field(wire_type, field, rest, DecodeContext::default())
            .map_err(|_| MalformedEntries)?;
    }
    Ok(None)
}

fn entry(item: Bytes) -> Result<Entry, MalformedEntries> {
    use wire::entry::Value;
    let entry = wire::Entry::decode(item).map_err(|_| MalformedEntries)?;
    let (codec, bytes) = match entry.value.ok_or(MalformedEntries)? {
        Value::Plain(bytes) => (Codec::Plain, bytes),
        Value::Zstd(bytes) => (Codec::Zstd, bytes),
        Value::Dictionary(bytes) => (Codec::Dictionary, bytes),
    };
    Ok(Entry {
        key: checked_key(entry.key)?,
        value: Packed { codec, bytes },
    })
}

fn change(item: Bytes) -> Result<(Key, Change), MalformedEntries> {
    use wire::change::Change as Kind;
    let packed = |codec, bytes| Change::Value(Packed { codec, bytes });
    let change = wire::Change::decode(item).map_err(|_| MalformedEntries)?;
    let what = match change.change.ok_or(MalformedEntries)? {
        Kind::Plain(bytes) => packed(Codec::Plain, bytes),
        Kind::Zstd(bytes) => packed(Codec::Zstd, bytes),
        Kind::Dictionary(bytes) => packed(Codec::Dictionary, bytes),
        Kind::Delta(bytes) => Change::Delta(bytes),
        Kind::Deleted(_) => Change::Deleted,
    };
    Ok((checked_key(change.key)?, what))
}

fn checked_key(key: Bytes) -> Result<Key, MalformedEntries> {
    if key.len() <= MAX_KEY {
        Ok(key)
    } else {
        Err(MalformedEntries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(max: usize) -> impl Strategy<Value = Bytes> {
        prop::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
    }

    fn packed() -> impl Strategy<Value = Packed> {
        let codec = prop_oneof![
            Just(Codec::Plain),
            Just(Codec::Zstd),
            Just(Codec::Dictionary)
        ];
        (codec, bytes(300)).prop_map(|(codec, bytes)| Packed { codec, bytes })
    }

    fn any_change() -> impl Strategy<Value = Change> {
        prop_oneof![
            Just(Change::Deleted),
            packed().prop_map(Change::Value),
            bytes(300).prop_map(Change::Delta),
        ]
    }

    fn as_message(key: &Bytes, change: &Change) -> wire::Change {
        use wire::change::{Change as Kind, Deleted};
        let kind = match change {
            Change::Deleted => Kind::Deleted(Deleted {}),
            Change::Delta(delta) => Kind::Delta(delta.clone()),
            Change::Value(value) => match value.codec {
                Codec::Plain => Kind::Plain(value.bytes.clone()),
                Codec::Zstd => Kind::Zstd(value.bytes.clone()),
                Codec::Dictionary => Kind::Dictionary(value.bytes.clone()),
            },
        };
        wire::Change {
            key: key.clone(),
            change: Some(kind),
        }
    }

    proptest! {
        #[test]
        fn entries_come_back_as_they_were(all in prop::collection::vec((bytes(40), packed()), 0..20)) {
            let mut out = Vec::new();
            for (key, value) in &all {
                write_entry(&mut out, key, value);
            }
            let read: Result<Vec<_>, _> = read_entries(out.into()).collect();
            let expected: Vec<_> = all.into_iter().map(|(key, value)| Entry { key, value }).collect();
            prop_assert_eq!(read, Ok(expected));
        }

        #[test]
        fn changes_are_the_protobuf_encoding_and_come_back(all in prop::collection::vec((bytes(40), any_change()), 0..20)) {
            let mut out = Vec::new();
            for (key, change) in &all {
                write_change(&mut out, key, change);
            }
            let message = wire::Changes { changes: all.iter().map(|(key, change)| as_message(key, change)).collect() };
            prop_assert_eq!(&out, &message.encode_to_vec());
            let read: Result<Vec<_>, _> = read_changes(out.into()).collect();
            prop_assert_eq!(read, Ok(all));
        }

        #[test]
        fn hostile_bytes_are_read_or_refused(hostile in bytes(400)) {
            let entries = read_entries(hostile.clone()).count();
            let changes = read_changes(hostile.clone()).count();
            prop_assert!(entries.max(changes) <= hostile.len() / 2 + 1);
        }
    }

    #[test]
    fn reading_copies_nothing() {
        let mut out = Vec::new();
        let value = Packed {
            codec: Codec::Plain,
            bytes: Bytes::from(vec![7; 100]),
        };
        write_entry(&mut out, b"web", &value);
        let all = Bytes::from(out);
        let range = all.as_ptr_range();
        let entry = read_entries(all).next().unwrap().unwrap();
        assert!(range.contains(&entry.key.as_ptr()));
        assert!(range.contains(&entry.value.bytes.as_ptr()));
    }

    #[test]
    fn fields_of_later_versions_are_ignored() {
        let mut out = vec![0x78, 0x05]; // field 15 of Entries: a number
        write_entry(&mut out, b"web", &Packed::default());
        out.extend_from_slice(&[0x7a, 0x02, b'x', b'y']); // field 15 again: bytes
        let read: Vec<_> = read_entries(out.into()).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].as_ref().unwrap().key.as_ref(), b"web");
    }

    #[test]
    fn malformed_strings_are_refused_and_end_there() {
        let mut long = Vec::new();
        write_change(&mut long, &[b'k'; MAX_KEY + 1], &Change::Deleted);
        let mut cut = Vec::new();
        write_change(&mut cut, b"web", &Change::Deleted);
        cut.pop();
        let no_value = vec![0x0a, 0x02, 0x0a, 0x00, 0x0a, 0x02, 0x32, 0x00];
        let longer_than_it_is = vec![
            0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00,
        ];
        for bytes in [long, cut, no_value, longer_than_it_is] {
            let read: Vec<_> = read_changes(bytes.into()).collect();
            assert_eq!(read, [Err(MalformedEntries)]);
        }
    }
}
