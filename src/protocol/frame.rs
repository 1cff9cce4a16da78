//! One MQTT payload: a byte that says what and which version, a byte of flags, and a protobuf message, as it is or
//! zstd.
//!
//! | byte | meaning |
//! |---|---|
//! | 0 | `0xA0` + the major version, which is 1 |
//! | 1 | bit 0: the body is a zstd frame without its magic number; other bits: a later version |
//! | 2.. | the body: `Request`, `Reply`, `Live` or `Presence` of `messages.proto`, as its topic tells |
//!
//! Fields that a reader does not know are ignored; a newer major version is refused by name.

use super::compress::UnpackError;
use super::message::{Live, Presence, Reply, Request};
use super::{wire, zstandard};
use bytes::Bytes;
use prost::Message;

/// How large a message is by default at most, in bytes.
pub const DEFAULT_MAX_MESSAGE: usize = 64 * 1024;

/// The most bytes that a page has besides its entries and its dictionary, and a live message besides its changes:
/// whoever cuts an answer or a flush takes them off.
pub const MAX_OVERHEAD: usize = 1100;

/// The version of the framing that this program speaks.
pub const MAJOR_VERSION: u8 = 1;

const MAGIC: u8 = 0xa0;
const HEADER: usize = 2;
const COMPRESSED: u8 = 1;
/// Below this many bytes nothing is tried: heartbeats and renewals.
const WORTH_COMPRESSING: usize = 192;

/// Why a payload is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It does not begin as a message of this protocol does.
    #[error("not a message of mqtt-informer")]
    Foreign,
    /// It is of a later version.
    #[error(
        "a message of protocol version {0}, and this program speaks {MAJOR_VERSION}: update this program"
    )]
    NewerVersion(u8),
    /// It uses a form that came after this version.
    #[error("a message in a form that this program does not know: update this program")]
    UnknownForm,
    /// It is larger than the caller allows.
    #[error("a message larger than {0} bytes")]
    TooLarge(usize),
    /// It cannot be decompressed, or is no protobuf.
    #[error("a malformed message")]
    Malformed,
    /// A kind of message, state or view that came after this version.
    #[error("a kind of message that this program does not know")]
    UnknownKind,
    /// A field's value cannot be.
    #[error("a message with an invalid {0}")]
    Invalid(&'static str),
}

/// What a consumer sends, as a payload.
pub fn encode_request(request: &Request) -> Bytes {
    encode(&wire::Request::from(request))
}

/// What a source sends to one consumer, as a payload.
pub fn encode_reply(reply: &Reply) -> Bytes {
    encode(&wire::Reply::from(reply))
}

/// A slice of a flush, as a payload.
pub fn encode_live(live: &Live) -> Bytes {
    encode(&wire::Live::from(live))
}

/// A presence, as a payload.
pub fn encode_presence(presence: &Presence) -> Bytes {
    encode(&wire::Presence::from(presence))
}

/// Reads what a consumer sent; at most `limit` bytes, unpacked.
pub fn decode_request(payload: &Bytes, limit: usize) -> Result<Request, DecodeError> {
    decode::<wire::Request>(payload, limit)?.try_into()
}

/// Reads what a source sent to this consumer; at most `limit` bytes, unpacked.
pub fn decode_reply(payload: &Bytes, limit: usize) -> Result<Reply, DecodeError> {
    decode::<wire::Reply>(payload, limit)?.try_into()
}

/// Reads a slice of a flush; at most `limit` bytes, unpacked.
pub fn decode_live(payload: &Bytes, limit: usize) -> Result<Live, DecodeError> {
    decode::<wire::Live>(payload, limit)?.try_into()
}

/// Reads a presence; at most `limit` bytes, unpacked.
pub fn decode_presence(payload: &Bytes, limit: usize) -> Result<Presence, DecodeError> {
    decode::<wire::Presence>(payload, limit)?.try_into()
}

fn encode(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut payload = Vec::with_capacity(HEADER + length);
    payload.extend_from_slice(&[MAGIC + MAJOR_VERSION, 0]);
    message.encode_raw(&mut payload);
    let Some(body) = payload
        .get(HEADER..)
        .filter(|b| b.len() >= WORTH_COMPRESSING)
    else {
        return payload.into();
    };
    match zstandard::compress_message(&[MAGIC + MAJOR_VERSION, COMPRESSED], body) {
        Some(compressed) => compressed,
        None => payload.into(),
    }
}

fn decode<T: Message + Default>(payload: &Bytes, limit: usize) -> Result<T, DecodeError> {
    let body = body(payload, limit)?;
    T::decode(body).map_err(|_| DecodeError::Malformed)
}

fn body(payload: &Bytes, limit: usize) -> Result<Bytes, DecodeError> {
    let &[first, flags, ..] = payload.as_ref() else {
        return Err(DecodeError::Foreign);
    };
    match first.wrapping_sub(MAGIC) {
        MAJOR_VERSION => {}
        version @ 2..=15 => return Err(DecodeError::NewerVersion(version)),
        _ => return Err(DecodeError::Foreign),
    }
    let body = payload.slice(HEADER..);
    match flags {
        0 if body.len() <= limit => Ok(body),
        0 => Err(DecodeError::TooLarge(limit)),
        COMPRESSED => Ok(zstandard::decompress(&body, limit)?.into()),
        _ => Err(DecodeError::UnknownForm),
    }
}

impl From<UnpackError> for DecodeError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::TooLarge(limit) => Self::TooLarge(limit),
            UnpackError::Corrupt | UnpackError::UnknownDictionary => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests;
