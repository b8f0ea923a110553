//! Units that are their payloads, one behind another up to the marker: MPEG-4 video (RFC 6416), MPEG-1 and MPEG-2 video
//! (RFC 2250 §3.4), KLV (RFC 6597), and data of encodings that are not known.

use alloc::vec::Vec;

use super::{MAX_UNIT, Out, Part, Unit, Unpack};
use crate::syntax::mpeg_video::vop_coding_type;

/// Puts units together.
#[derive(Debug)]
pub(super) struct Whole {
    /// Bytes in front of the content of a payload.
    header: fn(&[u8]) -> usize,
    is_key: fn(&[u8]) -> bool,
    unit: Vec<u8>,
    time: Option<i64>,
    damaged: bool,
    lost: bool,
    too_large: bool,
}

impl Whole {
    pub(super) fn data() -> Self {
        Self::of(|_| 0, |_| true)
    }

    pub(super) fn mpeg4() -> Self {
        Self::of(|_| 0, |unit| vop_coding_type(unit) == Some(0))
    }

    /// A header of four bytes, and four more where its T bit is set.
    pub(super) fn mpeg_video() -> Self {
        Self::of(
            |payload| if payload.first().is_some_and(|first| first & 4 != 0) { 8 } else { 4 },
            |unit| {
                let picture = unit.windows(6).find(|bytes| bytes.starts_with(&[0, 0, 1, 0]));
                picture.and_then(|bytes| bytes.get(5)).is_some_and(|coding| coding >> 3 & 7 == 1)
            },
        )
    }

    fn of(header: fn(&[u8]) -> usize, is_key: fn(&[u8]) -> bool) -> Self {
        Self { header, is_key, unit: Vec::new(), time: None, damaged: false, lost: false, too_large: false }
    }

    fn end(&mut self, out: &mut Out) {
        let data = core::mem::take(&mut self.unit);
        let damaged = core::mem::take(&mut self.damaged);
        if core::mem::take(&mut self.too_large) {
            out.remark(alloc::format!("a unit of more than {MAX_UNIT} bytes left out"));
        } else if let (Some(time), false) = (self.time, data.is_empty()) {
            let key = (self.is_key)(&data);
            out.units.push_back(Unit { time, key, damaged, data: data.into(), ..Unit::default() });
        }
    }
}

impl Unpack for Whole {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if self.time.is_some_and(|time| time != part.time) {
            self.damaged |= self.lost;
            self.end(out);
        }
        self.time = Some(part.time);
        self.damaged |= core::mem::take(&mut self.lost);
        let data = part.payload.get((self.header)(part.payload)..).unwrap_or_default();
        self.too_large |= self.unit.len().saturating_add(data.len()) > MAX_UNIT;
        if !self.too_large {
            self.unit.extend_from_slice(data);
        }
        if part.marker {
            self.end(out);
        }
    }

    fn lost(&mut self) {
        self.lost = true;
    }

    fn finish(&mut self, out: &mut Out) {
        self.damaged |= self.lost;
        self.end(out);
    }
}
