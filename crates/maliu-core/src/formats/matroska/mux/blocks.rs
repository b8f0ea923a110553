//! Blocks of packets: a SimpleBlock, or a BlockGroup where there is more to say.
//!
//! ```text
//!   SimpleBlock: id size │ track time flags │ data
//!   BlockGroup:  id size │ Block: id size │ track time flags │ data │ BlockDuration DiscardPadding BlockAdditions ReferenceBlock
//! ```

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{
    packet::Packet,
    stream::{Codec, Kind},
    syntax::ebml::{Writer, ids, size_bytes},
    time::{Rounding, Ticks, TimeBase},
};

use super::{super::BLOCK_ADDITION, flags, head_bytes, settings::Brand, track::Track};

/// Writes the head of the block of a packet behind what stands in `w`; returns the data of the frame and what stands
/// behind it.
pub(super) fn write(
    track: &mut Track,
    packet: &Packet,
    relative: i16,
    brand: Brand,
    w: &mut Writer,
) -> (Bytes, Vec<u8>) {
    let data = frame(track, packet, brand);
    let tail = group(track, packet);
    let number = size_bytes(track.number);
    let block = (number + 3 + data.len()) as u64;
    if tail.is_empty() {
        w.id(ids::SIMPLE_BLOCK);
    } else {
        w.id(ids::BLOCK_GROUP);
        let whole = head_bytes(1, block).saturating_add(block).saturating_add(tail.len() as u64);
        w.size(whole, size_bytes(whole));
        w.id(ids::BLOCK);
    }
    w.size(block, size_bytes(block));
    w.size(track.number, number);
    w.raw(&relative.to_be_bytes());
    w.raw(&[flags(packet, tail.is_empty())]);
    (data, tail)
}

/// The data as Matroska has them.
fn frame(track: &Track, packet: &Packet, brand: Brand) -> Bytes {
    let data = &packet.data;
    match track.info.codec {
        // Without its head.
        Codec::ProRes if data.get(4..8) == Some(b"icpf") => data.slice(8..),
        // Temporal delimiters have no place in a block (AV1 in Matroska §4.4).
        Codec::Av1 if data.starts_with(&[0x12, 0]) => data.slice(2..),
        // A line for the identifier and one for the settings of a cue.
        Codec::WebVtt if brand == Brand::WebM => [&b"\n\n"[..], data].concat().into(),
        _ => data.clone(),
    }
}

/// The elements behind the block in its group; nothing where a SimpleBlock is enough.
fn group(track: &mut Track, packet: &Packet) -> Vec<u8> {
    let mut w = Writer::default();
    let kind = track.info.media.kind();
    let lasts = packet.duration.map(|duration| duration.0.max(0));
    let implied = track.implied(&packet.data);
    let differs = match (lasts, implied) {
        (Some(lasts), Some(implied)) => lasts.abs_diff(implied) > 1 || (implied == 0 && lasts > 0),
        (Some(lasts), None) => lasts > 0,
        (None, _) => false,
    };
    if kind == Kind::Subtitle || (kind == Kind::Audio && differs) {
        w.unsigned(ids::BLOCK_DURATION, lasts.unwrap_or(0).unsigned_abs());
    }
    if let Some(padding) = padding(track, packet) {
        w.signed(ids::DISCARD_PADDING, padding);
    }
    let additions: Vec<_> = packet.side.opaque().iter().filter(|(kind, _)| *kind == BLOCK_ADDITION).collect();
    if !additions.is_empty() {
        w.master(ids::BLOCK_ADDITIONS, |w| {
            for (_, bytes) in additions {
                let Some((id, data)) = bytes.split_first_chunk() else { continue };
                w.master(ids::BLOCK_MORE, |w| {
                    w.unsigned(ids::BLOCK_ADD_ID, u64::from_be_bytes(*id));
                    w.binary(ids::BLOCK_ADDITIONAL, data);
                });
            }
        });
    }
    if !w.is_empty() && kind == Kind::Video && !packet.is_key() {
        // The frame in front of it in its track.
        let now = packet.pts.or(packet.dts).map_or(0, |time| time.0.saturating_add(track.delay));
        w.signed(ids::REFERENCE_BLOCK, track.last.map_or(-1, |last| last.saturating_sub(now)));
    }
    w.finish()
}

/// Nanoseconds to drop from the end, or, where they are negative, from the start: what the delay of the track does not
/// say.
fn padding(track: &mut Track, packet: &Packet) -> Option<i64> {
    let audio = track.info.as_audio()?;
    let rate = TimeBase::hz(audio.rate());
    let nanos = |samples: u32| rate.rescale(Ticks(samples.into()), TimeBase::NANOS, Rounding::Near).0;
    let trim = packet.side.trim();
    let said = trim.start.min(track.delay_left);
    track.delay_left -= said;
    if trim.end > 0 {
        return Some(nanos(trim.end));
    }
    (trim.start > said).then(|| -nanos(trim.start))
}
