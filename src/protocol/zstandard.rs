//! zstd frames as this protocol uses them: without magic number, checksum and dictionary id, and always with the size
//! of their content, so that a reader knows what it is in for before it allocates.
//!
//! Contexts belong to threads: making one costs more than compressing a row.

use super::compress::UnpackError;
use bytes::Bytes;
use std::cell::RefCell;
use zstd::zstd_safe::{
    CCtx, CDict, DCtx, DDict, DParameter, FrameFormat, SafeResult, compress_bound,
};

/// How hard values, deltas and messages are pressed: zstd's own default.
pub(super) const LEVEL: i32 = 3;
/// zstd's magic number, which is left out.
const MAGIC: usize = 4;
/// A thread keeps no more room than this between two uses.
const KEPT: usize = 256 * 1024;

/// A compressor of one thread and the room that it writes to.
struct Encoder {
    context: CCtx<'static>,
    out: Vec<u8>,
}

thread_local! {
    static ENCODER: RefCell<Option<Encoder>> = RefCell::new(encoder());
    static DECODER: RefCell<Option<DCtx<'static>>> = RefCell::new(decoder());
}

/// Compresses a value by itself, if that makes it smaller.
pub(super) fn compress(value: &[u8]) -> Option<Bytes> {
    compress_by(&[], value, |context, out| {
        context.compress(out, value, LEVEL)
    })
}

/// Compresses a message's body and puts `header` before it, if that makes it smaller.
pub(super) fn compress_message(header: &[u8], body: &[u8]) -> Option<Bytes> {
    compress_by(header, body, |context, out| {
        context.compress(out, body, LEVEL)
    })
}

/// Compresses a value with a dictionary, if that makes it smaller.
pub(super) fn compress_with(dictionary: &CDict<'_>, value: &[u8]) -> Option<Bytes> {
    compress_by(&[], value, |context, out| {
        context.compress_using_cdict(out, value, dictionary)
    })
}

/// Compresses a value that resembles `base`, if that makes it smaller.
pub(super) fn compress_after(base: &[u8], value: &[u8]) -> Option<Bytes> {
    compress_by(&[], value, |context, out| {
        context.compress_using_dict(out, value, base, LEVEL)
    })
}

/// Decompresses a frame of at most `limit` bytes of content.
pub(super) fn decompress(frame: &[u8], limit: usize) -> Result<Vec<u8>, UnpackError> {
    decompress_by(frame, limit, |context, out| context.decompress(out, frame))
}

/// Decompresses a frame that was made with a dictionary.
pub(super) fn decompress_with(
    dictionary: &DDict<'_>,
    frame: &[u8],
    limit: usize,
) -> Result<Vec<u8>, UnpackError> {
    decompress_by(frame, limit, |context, out| {
        context.decompress_using_ddict(out, frame, dictionary)
    })
}

/// Decompresses a frame that was made after `base`.
pub(super) fn decompress_after(
    base: &[u8],
    frame: &[u8],
    limit: usize,
) -> Result<Vec<u8>, UnpackError> {
    decompress_by(frame, limit, |context, out| {
        context.decompress_using_dict(out, frame, base)
    })
}

fn encoder() -> Option<Encoder> {
    let context = CCtx::try_create()?;
    let out = Vec::new();
    Some(Encoder { context, out })
}

fn decoder() -> Option<DCtx<'static>> {
    let mut context = DCtx::try_create()?;
    let format = DParameter::Format(FrameFormat::Magicless);
    context.set_parameter(format).ok()?;
    Some(context)
}

fn compress_by(
    header: &[u8],
    value: &[u8],
    run: impl FnOnce(&mut CCtx<'static>, &mut Vec<u8>) -> SafeResult,
) -> Option<Bytes> {
    ENCODER.with_borrow_mut(|encoder| {
        let Encoder { context, out } = encoder.as_mut()?;
        out.clear();
        out.reserve(compress_bound(value.len()));
        let written = run(context, out);
        let frame = written.ok().and_then(|_| out.get(MAGIC..));
        let smaller = frame.filter(|frame| frame.len() < value.len());
        let compressed = smaller.map(|frame| [header, frame].concat().into());
        if out.capacity() > KEPT {
            *out = Vec::new();
        }
        compressed
    })
}

fn decompress_by(
    frame: &[u8],
    limit: usize,
    run: impl FnOnce(&mut DCtx<'static>, &mut Vec<u8>) -> SafeResult,
) -> Result<Vec<u8>, UnpackError> {
    let size = content_size(frame).ok_or(UnpackError::Corrupt)?;
    let size = usize::try_from(size).map_err(|_| UnpackError::TooLarge(limit))?;
    if size > limit {
        return Err(UnpackError::TooLarge(limit));
    }
    // zstd writes no further than the room that it is given, whatever the frame goes on to say.
    let mut out = Vec::with_capacity(size);
    DECODER.with_borrow_mut(|decoder| {
        let context = decoder.as_mut().ok_or(UnpackError::Corrupt)?;
        run(context, &mut out).map_err(|_| UnpackError::Corrupt)
    })?;
    if out.len() == size {
        Ok(out)
    } else {
        Err(UnpackError::Corrupt)
    }
}

/// What a frame's header says of the size of its content (RFC 8878, section 3.1.1.1); nothing if it says nothing.
fn content_size(frame: &[u8]) -> Option<u64> {
    let (&descriptor, rest) = frame.split_first()?;
    let single_segment = descriptor & 0x20 != 0;
    let window = usize::from(!single_segment);
    let dictionary_id = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = match (descriptor >> 6, single_segment) {
        (0, false) => return None,
        (0, true) => 1,
        (1, _) => 2,
        (2, _) => 4,
        _ => 8,
    };
    let start = window + dictionary_id;
    let field = rest.get(start..start + length)?;
    let size = field
        .iter()
        .rev()
        .fold(0, |size, byte| (size << 8) | u64::from(*byte));
    Some(if length == 2 { size + 256 } else { size })
}
