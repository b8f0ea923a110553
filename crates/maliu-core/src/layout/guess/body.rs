//! Marks by which the start of a body is known: start codes and ADTS headers.

use super::columns::Columns;
use crate::{layout::BodyKind, stream::Codec};

/// Farthest from the length that a body is looked for, in bytes.
const MAX_DISTANCE: usize = 96;

/// Where bodies begin.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// Bytes from the length to the body.
    pub(super) offset: usize,
    pub(super) kind: BodyKind,
    pub(super) codec: Codec,
    /// Whether nearly all bodies begin so; else there are others among them.
    pub(super) all: bool,
}

/// The mark of at least a fifth of the bodies behind lengths of this width.
pub(super) fn mark(columns: &Columns<'_>, width: usize) -> Option<Mark> {
    let all = columns.chain.places.len();
    let share = |hits: usize| (hits * 5 >= all).then_some(hits * 20 >= all * 19);
    (width..width + MAX_DISTANCE).find_map(|offset| {
        let bodies = || bodies(columns, offset);
        let code = |body: &[u8]| unit(body).is_some();
        if let Some(all) = share(bodies().filter(|body| code(body)).count()) {
            let hevc = bodies().filter_map(unit).filter(|unit| is_hevc(unit)).count();
            let h264 = bodies().filter_map(unit).filter(|unit| is_h264(unit)).count();
            let codec = if hevc > h264 { Codec::H265 } else { Codec::H264 };
            // A number that happens to be 1 is not a start code.
            return (hevc.max(h264) * 10 >= bodies().filter(|body| code(body)).count() * 9).then_some(Mark {
                offset,
                kind: BodyKind::AnnexB,
                codec,
                all,
            });
        }
        let adts = |body: &&[u8]| matches!(body, [0xff, second, ..] if second & 0xf6 == 0xf0);
        let all = share(bodies().filter(adts).count())?;
        Some(Mark { offset, kind: BodyKind::Adts, codec: Codec::Aac, all })
    })
}

/// The bytes from `offset` behind each length on.
pub(super) fn bodies<'a>(columns: &Columns<'a>, offset: usize) -> impl Iterator<Item = &'a [u8]> {
    let bytes = columns.bytes;
    columns.chain.places.iter().filter_map(move |place| bytes.get(place.checked_add(offset)?..))
}

/// The NAL unit behind a start code.
fn unit(body: &[u8]) -> Option<&[u8]> {
    match body {
        [0, 0, 0, 1, unit @ ..] | [0, 0, 1, unit @ ..] => Some(unit),
        _ => None,
    }
}

/// Whether a body begins as the mark says.
pub(super) fn begins(mark: &Mark, body: &[u8]) -> bool {
    match mark.kind {
        BodyKind::Adts => matches!(body, [0xff, second, ..] if second & 0xf6 == 0xf0),
        _ => unit(body).is_some(),
    }
}

/// A unit that an access unit of H.265 begins with, of the base layer.
fn is_hevc(unit: &[u8]) -> bool {
    matches!(unit, [first, second, ..] if first & 0x81 == 0 && second & 0xf8 == 0 && second & 7 != 0
        && matches!(first >> 1, 0..=9 | 16..=21 | 32..=35 | 39))
}

/// A unit that an access unit of H.264 begins with; the first slice of a picture begins with a 1.
fn is_h264(unit: &[u8]) -> bool {
    matches!(unit, [first, ..] if first & 0x80 == 0 && match first & 31 {
        1 | 5 => first & 0x60 != 0 || first & 31 == 1,
        6 | 9 => first & 0x60 == 0,
        7 | 8 => first & 0x60 != 0,
        _ => false,
    })
}
