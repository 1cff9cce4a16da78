//! Values as they are kept and sent: plain, or compressed, by themselves or with the stream's dictionary; and deltas.
//!
//! A row is too small to be compressed alone, and compressing many at once would tie an entry to its neighbours. So a
//! stream's values share a dictionary, which is trained on a sample of them and travels once: an entry is packed when
//! it changes, and answers carry it as it lies in memory.
//!
//! A delta does not say which value it was made from, and applied to another one it may give bytes that look well. Rule
//! F5 sees to it that this does not happen, and the digest of the whole at `to` (rule R4) catches it if it does.

use super::zstandard;
use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, OnceLock};
use xxhash_rust::xxh3::xxh3_64;
use zstd::zstd_safe::{CDict, DDict, train_from_buffer};

/// The largest dictionary that is taken from a source, in bytes.
pub const MAX_DICTIONARY: usize = 64 * 1024;

/// The most values that a dictionary is trained on, spread evenly over those given.
const SAMPLES: usize = 1000;
/// The most bytes that it is trained on: four times as many take four times as long and gain nothing.
const SAMPLE_BYTES: usize = 128 * 1024;
/// Fewer values, or fewer bytes (one message, which is compressed as a whole) are not worth a dictionary.
const FEW: usize = 8;
const LITTLE: usize = 64 * 1024;
/// A dictionary is this part of its sample.
const PART: usize = 16;
/// Values below this stay plain without a dictionary: their message is compressed as a whole, which is far smaller.
const ALONE: usize = 4 * 1024;
/// How a zstd dictionary begins; its id, which we do not use, follows.
const DICTIONARY_MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];

/// First bytes of what is shelved.
const SHELVED_PLAIN: u8 = 0;
const SHELVED_FRAME: u8 = 1;

/// Why bytes could not be turned back into a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// The bytes are not what their codec says.
    #[error("corrupt value")]
    Corrupt,
    /// The value is compressed with a dictionary, and there is none at hand.
    #[error("unknown dictionary")]
    UnknownDictionary,
    /// The value would be larger than the caller allows.
    #[error("value larger than {0} bytes")]
    TooLarge(usize),
}

/// How a value's bytes are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// As they are.
    #[default]
    Plain,
    /// zstd.
    Zstd,
    /// zstd with the stream's dictionary.
    Dictionary,
}

/// A value in the form in which a feed keeps it and answers carry it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// How to read `bytes`.
    pub codec: Codec,
    /// The value, packed.
    pub bytes: Bytes,
}

/// Packs and unpacks the values of one stream.
///
/// Cheap to clone; without a dictionary until [`Packer::train`] made one or [`Packer::with_dictionary`] was given one.
#[derive(Clone, Debug, Default)]
pub struct Packer {
    dictionary: Option<Arc<Dictionary>>,
}

impl Packer {
    /// Trains a dictionary on a sample of a stream's values; none if the sample is too small to be worth it.
    ///
    /// Reads no more than 128 KiB of the sample, spread evenly, which takes some 20 ms; the dictionary is 8 KiB at
    /// most.
    pub fn train(sample: &[Bytes]) -> Self {
        let dictionary = train(sample).and_then(|bytes| Dictionary::new(bytes.into()));
        Self {
            dictionary: dictionary.map(Arc::new),
        }
    }

    /// The packer of a dictionary that came in an answer.
    pub fn with_dictionary(dictionary: &Bytes) -> Result<Self, UnpackError> {
        if dictionary.len() > MAX_DICTIONARY {
            return Err(UnpackError::TooLarge(MAX_DICTIONARY));
        }
        let dictionary = Dictionary::new(dictionary.clone()).ok_or(UnpackError::Corrupt)?;
        Ok(Self {
            dictionary: Some(Arc::new(dictionary)),
        })
    }

    /// The dictionary's id, a hash of it; 0 for none.
    pub fn id(&self) -> u32 {
        self.dictionary.as_ref().map_or(0, |it| it.id)
    }

    /// The dictionary itself.
    pub fn dictionary(&self) -> Option<Bytes> {
        self.dictionary.as_ref().map(|it| it.bytes.clone())
    }

    /// Packs a value in whichever form is smallest where it will be sent.
    ///
    /// Without a dictionary, values below 4 KiB stay plain: see [`super::frame`], which compresses their whole message.
    pub fn pack(&self, value: &Bytes) -> Packed {
        let encoder = self.dictionary.as_ref().and_then(|it| it.encoder());
        let (codec, smaller) = match encoder {
            Some(encoder) => (Codec::Dictionary, zstandard::compress_with(encoder, value)),
            None if value.len() >= ALONE => (Codec::Zstd, zstandard::compress(value)),
            None => (Codec::Plain, None),
        };
        match smaller {
            Some(bytes) => Packed { codec, bytes },
            None => Packed {
                codec: Codec::Plain,
                bytes: value.clone(),
            },
        }
    }

    /// Unpacks a value of at most `limit` bytes.
    ///
    /// Frames carry no dictionary id: with another dictionary than the one that packed them they are corrupt, or become
    /// other bytes, which the digest of the whole catches (rule R4).
    pub fn unpack(&self, packed: &Packed, limit: usize) -> Result<Bytes, UnpackError> {
        match packed.codec {
            Codec::Plain if packed.bytes.len() > limit => Err(UnpackError::TooLarge(limit)),
            Codec::Plain => Ok(packed.bytes.clone()),
            Codec::Zstd => Ok(zstandard::decompress(&packed.bytes, limit)?.into()),
            Codec::Dictionary => {
                let dictionary = self.dictionary.as_ref();
                let decoder = &dictionary.ok_or(UnpackError::UnknownDictionary)?.decoder;
                Ok(zstandard::decompress_with(decoder, &packed.bytes, limit)?.into())
            }
        }
    }

    /// What turns `old` into `new`, if that is smaller than `than` bytes.
    pub fn delta(&self, old: &[u8], new: &[u8], than: usize) -> Option<Bytes> {
        zstandard::compress_after(old, new).filter(|delta| delta.len() < than)
    }

    /// Applies a delta; the result may be `limit` bytes at most.
    pub fn apply(&self, old: &[u8], delta: &[u8], limit: usize) -> Result<Bytes, UnpackError> {
        Ok(zstandard::decompress_after(old, delta, limit)?.into())
    }
}

/// A value in the form in which it is kept where each is read by itself: compressed, if that is smaller. The first byte
/// says which.
pub fn shelve(value: &[u8]) -> Bytes {
    match zstandard::compress(value) {
        Some(frame) => [&[SHELVED_FRAME], &*frame].concat().into(),
        None => [&[SHELVED_PLAIN], value].concat().into(),
    }
}

/// The value that was shelved, of at most `limit` bytes.
pub fn unshelve(shelved: &[u8], limit: usize) -> Result<Bytes, UnpackError> {
    match shelved.split_first() {
        Some((&SHELVED_PLAIN, value)) if value.len() <= limit => Ok(Bytes::copy_from_slice(value)),
        Some((&SHELVED_PLAIN, _)) => Err(UnpackError::TooLarge(limit)),
        Some((&SHELVED_FRAME, frame)) => Ok(zstandard::decompress(frame, limit)?.into()),
        _ => Err(UnpackError::Corrupt),
    }
}

/// A dictionary, made ready for both ways.
struct Dictionary {
    id: u32,
    bytes: Bytes,
    decoder: DDict<'static>,
    /// Made when first asked for: a consumer never packs.
    encoder: OnceLock<Option<CDict<'static>>>,
}

impl Dictionary {
    fn new(bytes: Bytes) -> Option<Self> {
        if !bytes.starts_with(&DICTIONARY_MAGIC) {
            return None;
        }
        let decoder = DDict::try_create(&bytes)?;
        Some(Self {
            id: id_of(&bytes),
            bytes,
            decoder,
            encoder: OnceLock::new(),
        })
    }

    fn encoder(&self) -> Option<&CDict<'static>> {
        let make = || CDict::try_create(&self.bytes, zstandard::LEVEL);
        self.encoder.get_or_init(make).as_ref()
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dictionary({:08x}, {} bytes)", self.id, self.bytes.len())
    }
}

/// The lower half of the dictionary's xxh3, never 0.
fn id_of(dictionary: &[u8]) -> u32 {
    let hash = xxh3_64(dictionary).to_le_bytes();
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]).max(1)
}

fn train(values: &[Bytes]) -> Option<Vec<u8>> {
    let (sample, sizes) = choose(values);
    if sizes.len() < FEW || sample.len() < LITTLE {
        return None;
    }
    let mut dictionary = Vec::with_capacity(sample.len() / PART);
    train_from_buffer(&mut dictionary, &sample, &sizes).ok()?;
    // Without an id in the dictionary there is none in each frame.
    dictionary.get_mut(4..8)?.fill(0);
    Some(dictionary)
}

/// A part of the values, spread evenly over all of them, one after the other, with their sizes.
fn choose(values: &[Bytes]) -> (Vec<u8>, Vec<usize>) {
    let total: usize = values.iter().map(Bytes::len).sum();
    let every = values
        .len()
        .div_ceil(SAMPLES)
        .max(total.div_ceil(SAMPLE_BYTES))
        .max(1);
    let mut sample = Vec::with_capacity(SAMPLE_BYTES.min(total));
    let mut sizes = Vec::new();
    for value in values.iter().step_by(every) {
        if sample.len() + value.len() <= SAMPLE_BYTES {
            sample.extend_from_slice(value);
            sizes.push(value.len());
        }
    }
    (sample, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 1 << 20;

    /// Values that resemble each other as rows do.
    fn rows(count: usize) -> Vec<Bytes> {
        let row = |i: usize| {
            let n = i.wrapping_mul(2_654_435_761) % 1_000_000_007;
            format!(
                r#"{{"name":"web-{n:x}","namespace":"team-{}","uid":"{:032x}","labels":{{"app":"web","pod-template-hash":"{:x}"}},"ready":"1/1","status":"Running","ip":"10.0.{}.{}","node":"node-{}"}}"#,
                n % 40,
                (n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834),
                n ^ 0x5555,
                n % 256,
                n / 256 % 256,
                n % 100,
            )
            .into()
        };
        (0..count).map(row).collect()
    }

    fn any_bytes(max: usize) -> impl Strategy<Value = Bytes> {
        prop::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
    }

    fn trained() -> &'static Packer {
        static PACKER: OnceLock<Packer> = OnceLock::new();
        PACKER.get_or_init(|| Packer::train(&rows(500)))
    }

    #[test]
    fn a_dictionary_makes_rows_small_and_travels() {
        let (source, rows) = (trained(), rows(800));
        let dictionary = source.dictionary().unwrap();
        assert!(dictionary.len() <= SAMPLE_BYTES / PART);
        let consumer = Packer::with_dictionary(&dictionary).unwrap();
        assert_eq!(consumer.id(), source.id());
        assert_ne!(source.id(), 0);
        let mut size = (0, 0);
        for row in &rows {
            let packed = source.pack(row);
            size = (size.0 + row.len(), size.1 + packed.bytes.len());
            assert_eq!(packed.codec, Codec::Dictionary);
            assert_eq!(packed.bytes[0] & 3, 0, "a frame carries no dictionary id");
            assert_eq!(consumer.unpack(&packed, LIMIT).unwrap(), row);
        }
        assert!(size.1 * 3 < size.0, "{size:?}");
    }

    #[test]
    fn training_is_repeatable() {
        let again = Packer::train(&rows(500));
        assert_eq!(again.id(), trained().id());
        assert_ne!(Packer::train(&rows(501)).id(), trained().id());
    }

    #[test]
    fn little_is_not_worth_a_dictionary() {
        for sample in [
            rows(0),
            rows(7),
            rows(100),
            vec![Bytes::from(vec![0; LIMIT]); 7],
        ] {
            let packer = Packer::train(&sample);
            assert_eq!((packer.id(), packer.dictionary()), (0, None));
        }
    }

    #[test]
    fn without_a_dictionary_only_large_values_are_compressed() {
        let packer = Packer::default();
        let (small, large) = (Bytes::from(vec![b'x'; 4095]), Bytes::from(vec![b'x'; 4096]));
        assert_eq!(packer.pack(&small).codec, Codec::Plain);
        let packed = packer.pack(&large);
        assert_eq!(packed.codec, Codec::Zstd);
        assert!(packed.bytes.len() < 30);
        assert_eq!(packer.unpack(&packed, 4096).unwrap(), large);
        assert_eq!(
            packer.unpack(&packed, 4095),
            Err(UnpackError::TooLarge(4095))
        );
    }

    #[test]
    fn what_does_not_shrink_stays_plain() {
        for value in ["", "x", "7f3a"] {
            let packed = trained().pack(&value.into());
            assert_eq!((packed.codec, packed.bytes), (Codec::Plain, value.into()));
        }
    }

    #[test]
    fn a_dictionary_that_is_none_is_refused() {
        let dictionary = trained().dictionary().unwrap();
        let too_long = Bytes::from([&dictionary[..], &vec![0; MAX_DICTIONARY]].concat());
        let refused = UnpackError::TooLarge(MAX_DICTIONARY);
        assert_eq!(Packer::with_dictionary(&too_long).unwrap_err(), refused);
        for bytes in [
            Bytes::new(),
            "plain text".into(),
            dictionary.slice(..20),
            dictionary.slice(4..),
        ] {
            assert_eq!(
                Packer::with_dictionary(&bytes).unwrap_err(),
                UnpackError::Corrupt
            );
        }
        let packed = trained().pack(&rows(1)[0]);
        let none = Packer::default().unpack(&packed, LIMIT);
        assert_eq!(none, Err(UnpackError::UnknownDictionary));
    }

    #[test]
    fn another_dictionary_never_gives_the_value() {
        let other = Packer::train(&rows(2000)[1000..]);
        let row = &rows(1)[0];
        let packed = trained().pack(row);
        assert_ne!(other.unpack(&packed, LIMIT).as_ref(), Ok(row));
    }

    #[test]
    fn a_delta_is_much_smaller_than_the_value_however_large_that_is() {
        for size in [2_000, 100_000, 1_500_000] {
            let mut seed = 1_u64;
            let mut old = Vec::with_capacity(size);
            while old.len() < size {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                old.extend_from_slice(&seed.to_be_bytes()[..5]);
            }
            let mut new = old.clone();
            new.splice(size / 2..size / 2 + 3, *b"changed");
            let delta = trained().delta(&old, &new, 200 + size / 500).unwrap();
            assert_eq!(trained().apply(&old, &delta, new.len()).unwrap(), new);
            let refused = trained().apply(&old, &delta, new.len() - 1);
            assert_eq!(refused, Err(UnpackError::TooLarge(new.len() - 1)));
            assert_eq!(trained().delta(&old, &new, delta.len()), None);
        }
    }

    proptest! {
        #[test]
        fn values_come_back(value in any_bytes(6000), repeat in 1_usize..4) {
            let value = Bytes::from(value.repeat(repeat));
            for packer in [trained(), &Packer::default()] {
                let packed = packer.pack(&value);
                prop_assert!(packed.bytes.len() <= value.len());
                prop_assert_eq!(packer.unpack(&packed, value.len()), Ok(value.clone()));
                if let Some(less) = value.len().checked_sub(1) {
                    prop_assert_eq!(packer.unpack(&packed, less), Err(UnpackError::TooLarge(less)));
                }
            }
        }

        #[test]
        fn deltas_come_back(old in any_bytes(3000), new in any_bytes(300), at in 0_usize..3000) {
            let mut changed = old.to_vec();
            changed.splice(at.min(old.len())..(at + new.len()).min(old.len()).max(at.min(old.len())), new);
            if let Some(delta) = trained().delta(&old, &changed, usize::MAX) {
                prop_assert!(delta.len() < changed.len());
                prop_assert_eq!(trained().apply(&old, &delta, LIMIT).unwrap(), changed);
            }
        }

        #[test]
        fn damaged_values_are_refused_or_stay_within_the_limit(row in 0_usize..500, at: prop::sample::Index, bit in 0..8, cut: prop::sample::Index) {
            let rows = rows(501);
            let packed = trained().pack(&rows[row]);
            let delta = trained().delta(&rows[row], &rows[row + 1], usize::MAX).unwrap();
            for bytes in [packed.bytes, delta] {
                let mut flipped = bytes.to_vec();
                flipped[at.index(bytes.len())] ^= 1_u8 << bit;
                let cut = bytes.slice(..cut.index(bytes.len()));
                for bytes in [Bytes::from(flipped), cut] {
                    for codec in [Codec::Zstd, Codec::Dictionary] {
                        let packed = Packed { codec, bytes: bytes.clone() };
                        if let Ok(value) = trained().unpack(&packed, 1000) {
                            prop_assert!(value.len() <= 1000);
                        }
                    }
                    if let Ok(value) = trained().apply(&rows[row], &bytes, 1000) {
                        prop_assert!(value.len() <= 1000);
                    }
                }
            }
        }
    }
}
