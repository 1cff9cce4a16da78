//! zstd frames as this protocol uses them: without magic number, checksum and dictionary id, and always with the size
//! of their content, so that a reader knows what it is in for before it allocates.
//!
//! Contexts belong to threads: making one costs more than compressing a row.

use super::compress::UnpackError;
use bytes::Bytes;
use std::cell::RefCell;
use zstd::zstd_safe::{
    CCtx, CDict, CParameter, DCtx, DDict, DParameter, FrameFormat, SafeResult, compress_bound,
};

/// How hard values, deltas and messages are pressed: zstd's own default.
pub(super) const LEVEL: i32 = 3;
/// zstd's magic number, which is left out.
const MAGIC: usize = 4;
/// A body is tried out on this many bytes of its middle, and left as it is unless they shrink by a quarter: what was
/// packed already gains a tenth, and costs more than all the rest of a page.
const PROBE: usize = 2048;
/// A base and a value that are larger than this together lie beyond the reach that `LEVEL` has.
const FAR: usize = 1024 * 1024;
/// What decoders take by default.
const MAX_WINDOW: u32 = 27;
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
    let middle = body.len() / 2;
    if let Some(probe) = body.get(middle..middle + PROBE) {
        compress(probe).filter(|it| it.len() < PROBE * 3 / 4)?;
    }
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
    let reach = base.len() + value.len();
    compress_by(&[], value, |context, out| {
        if reach <= FAR {
            context.compress_using_dict(out, value, base, LEVEL)
        } else {
            compress_far(out, value, base, reach)
        }
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

/// With a window that spans the base and the value: a megabyte's delta is then a few bytes, not a sixth of it.
fn compress_far(out: &mut Vec<u8>, value: &[u8], base: &[u8], reach: usize) -> SafeResult {
    let mut context = CCtx::create();
    let window = reach.next_power_of_two().ilog2().min(MAX_WINDOW);
    context.set_parameter(CParameter::CompressionLevel(LEVEL))?;
    context.set_parameter(CParameter::WindowLog(window))?;
    context.set_parameter(CParameter::EnableLongDistanceMatching(true))?;
    context.ref_prefix(base)?;
    context.compress2(out, value)
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
    // zstd writes no further than the room that it is given, and refuses a frame whose content is not of the size it
    // said.
    let mut out = Vec::with_capacity(size);
    DECODER.with_borrow_mut(|decoder| {
        let context = decoder.as_mut().ok_or(UnpackError::Corrupt)?;
        run(context, &mut out).map_err(|_| UnpackError::Corrupt)
    })?;
    Ok(out)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A frame of this content size whose only block repeats one byte `run` times.
    fn bomb(size: u32, run: u32) -> Vec<u8> {
        let mut frame = vec![0xa0];
        frame.extend_from_slice(&size.to_le_bytes());
        frame.extend_from_slice(&((run << 3) | 3).to_le_bytes()[..3]);
        frame.push(b'x');
        frame
    }

    #[test]
    fn a_bomb_is_refused_by_what_it_says_and_by_what_it_does() {
        assert_eq!(decompress(&bomb(1000, 1000), 1000), Ok(vec![b'x'; 1000]));
        assert_eq!(
            decompress(&bomb(1001, 1001), 1000),
            Err(UnpackError::TooLarge(1000))
        );
        assert_eq!(
            decompress(&bomb(u32::MAX, 1000), 1000),
            Err(UnpackError::TooLarge(1000))
        );
        assert_eq!(
            decompress(&bomb(10, 100_000), 1000),
            Err(UnpackError::Corrupt)
        );
        assert_eq!(decompress(&bomb(1000, 10), 1000), Err(UnpackError::Corrupt));
    }

    #[test]
    fn a_frame_that_hides_its_size_is_refused() {
        // The same content, with a window instead of a size.
        let hidden = [&[0x00, 0x00][..], &bomb(1, 1)[5..]].concat();
        assert_eq!(decompress(&hidden, 1000), Err(UnpackError::Corrupt));
        assert_eq!(decompress(&[], 1000), Err(UnpackError::Corrupt));
    }

    #[test]
    fn frames_carry_nothing_that_can_be_left_out() {
        let frame = compress(&[b'x'; 100]).unwrap();
        // Single segment, one byte of size, no checksum, no dictionary: 100 bytes in one block.
        assert_eq!(frame[..2], [0x20, 100]);
    }

    #[test]
    fn the_header_tells_the_size() {
        for size in [0_usize, 1, 255, 256, 257, 65_791, 65_792, 200_000] {
            let value = vec![b'x'; size.max(1)];
            let frame = compress(&value).unwrap_or_default();
            let told = content_size(&frame);
            assert!(
                frame.is_empty() || told == Some(size.max(1) as u64),
                "{size}: {told:?}"
            );
        }
        assert_eq!(content_size(&bomb(7, 7)), Some(7));
    }

    proptest! {
        #[test]
        fn hostile_frames_are_refused_or_stay_within_the_limit(frame in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(value) = decompress(&frame, 500) {
                prop_assert!(value.len() <= 500);
            }
            if let Ok(value) = decompress_after(b"what was there before", &frame, 500) {
                prop_assert!(value.len() <= 500);
            }
        }
    }
}
