//! Values as they are kept and sent: plain, or compressed with the stream's dictionary.

use bytes::Bytes;

/// The largest dictionary that is taken from a source, in bytes.
pub const MAX_DICTIONARY: usize = 64 * 1024;

/// Why bytes could not be turned back into a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// The bytes are not what their codec says.
    #[error("corrupt value")]
    Corrupt,
    /// The value is compressed with a dictionary that is not the one at hand.
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
pub struct Packer {}

impl Packer {
    /// Trains a dictionary on a sample of a stream's values; none if the sample is too small to be worth it.
    pub fn train(_sample: &[Bytes]) -> Self {
        Self {}
    }
    /// The packer of a dictionary that came in an answer.
    pub fn with_dictionary(_dictionary: &Bytes) -> Result<Self, UnpackError> {
        Ok(Self {})
    }
    /// The dictionary's id, 0 for none.
    pub fn id(&self) -> u32 {
        0
    }
    /// The dictionary itself.
    pub fn dictionary(&self) -> Option<Bytes> {
        None
    }
    /// Packs a value in whichever form is smallest.
    pub fn pack(&self, value: &Bytes) -> Packed {
        Packed {
            codec: Codec::Plain,
            bytes: value.clone(),
        }
    }
    /// Unpacks a value of at most `limit` bytes.
    pub fn unpack(&self, packed: &Packed, limit: usize) -> Result<Bytes, UnpackError> {
        if packed.bytes.len() > limit {
            return Err(UnpackError::TooLarge(limit));
        }
        Ok(packed.bytes.clone())
    }
    /// What turns `old` into `new`, if that is smaller than `than` bytes.
    pub fn delta(&self, _old: &[u8], _new: &[u8], _than: usize) -> Option<Bytes> {
        None
    }
    /// Applies a delta; the result may be `limit` bytes at most.
    pub fn apply(&self, _old: &[u8], _delta: &[u8], _limit: usize) -> Result<Bytes, UnpackError> {
        Err(UnpackError::Corrupt)
    }
}
