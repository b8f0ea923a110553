//! Frames of VP8 (RFC 7741) and VP9 (RFC 9628) over packets, behind a payload descriptor.
//!
//! ```text
//!   VP8  X R N S R PID(3) [I L T K …] [PictureID 7/15] [TL0PICIDX] [TID Y KEYIDX]
//!   VP9  I P L F B E V Z  [PictureID 7/15] [TID U SID D] [TL0PICIDX] [P_DIFF…] [scalability structure]
//! ```

use alloc::vec::Vec;

use super::{MAX_UNIT, Out, Part, Unit, Unpack};

/// Puts frames together.
#[derive(Debug)]
pub(super) struct Frames {
    /// The bytes of a descriptor, and whether a frame begins behind it.
    descriptor: fn(&[u8]) -> Option<(usize, bool)>,
    /// Whether a frame can be decoded alone.
    is_key: fn(&[u8]) -> bool,
    frame: Vec<u8>,
    time: Option<i64>,
    begun: bool,
    damaged: bool,
    lost: bool,
}

impl Frames {
    pub(super) fn vp8() -> Self {
        Self::of(vp8, |frame| frame.first().is_some_and(|first| first & 1 == 0))
    }

    pub(super) fn vp9() -> Self {
        Self::of(vp9, |frame| crate::syntax::vp9::picture_size(frame).is_some())
    }

    fn of(descriptor: fn(&[u8]) -> Option<(usize, bool)>, is_key: fn(&[u8]) -> bool) -> Self {
        Self { descriptor, is_key, frame: Vec::new(), time: None, begun: false, damaged: false, lost: false }
    }

    fn end(&mut self, out: &mut Out) {
        let data = core::mem::take(&mut self.frame);
        let damaged = core::mem::take(&mut self.damaged);
        if let (Some(time), true) = (self.time, self.begun && !data.is_empty()) {
            let key = (self.is_key)(&data);
            out.units.push_back(Unit { time, key, damaged, data: data.into(), ..Unit::default() });
        }
        self.begun = false;
    }
}

impl Unpack for Frames {
    fn push(&mut self, part: &Part, out: &mut Out) {
        if self.time.is_some_and(|time| time != part.time) {
            self.damaged |= self.lost;
            self.end(out);
        }
        self.time = Some(part.time);
        self.damaged |= core::mem::take(&mut self.lost);
        let Some((size, begins)) = (self.descriptor)(part.payload) else {
            out.remark("a payload descriptor that is cut: packet left out");
            self.damaged = true;
            return;
        };
        self.begun |= begins;
        let data = part.payload.get(size..).unwrap_or_default();
        if self.begun && self.frame.len().saturating_add(data.len()) <= MAX_UNIT {
            self.frame.extend_from_slice(data);
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

fn vp8(payload: &[u8]) -> Option<(usize, bool)> {
    let first = *payload.first()?;
    let mut at = 1;
    if first & 0x80 != 0 {
        let extended = *payload.get(at)?;
        at += 1;
        if extended & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(extended & 0x40 != 0) + usize::from(extended & 0x30 != 0);
    }
    (at <= payload.len()).then_some((at, first & 0x10 != 0 && first & 7 == 0))
}

fn vp9(payload: &[u8]) -> Option<(usize, bool)> {
    let first = *payload.first()?;
    let (has_id, inter, layers, flexible) =
        (first & 0x80 != 0, first & 0x40 != 0, first & 0x20 != 0, first & 0x10 != 0);
    let mut at = 1;
    if has_id {
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    if layers {
        at += if flexible { 1 } else { 2 };
    }
    if flexible && inter {
        for _ in 0..3 {
            let reference = *payload.get(at)?;
            at += 1;
            if reference & 1 == 0 {
                break;
            }
        }
    }
    if first & 2 != 0 {
        at = structure(payload, at)?;
    }
    (at <= payload.len()).then_some((at, first & 8 != 0))
}

/// Passes over a scalability structure.
fn structure(payload: &[u8], mut at: usize) -> Option<usize> {
    let head = *payload.get(at)?;
    at += 1;
    if head & 0x10 != 0 {
        at += 4 * (usize::from(head >> 5) + 1);
    }
    if head & 8 != 0 {
        let pictures = *payload.get(at)?;
        at += 1;
        for _ in 0..pictures {
            at += 1 + usize::from(payload.get(at)? >> 2 & 3);
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn descriptors_are_as_long_as_their_flags_say() {
        assert_eq!(vp8(&[0x10, 0]), Some((1, true)));
        assert_eq!(vp8(&[0x80, 0xf0, 0x81, 2, 3, 4, 0]), Some((6, false)));
        assert_eq!(vp8(&[0x90, 0x80]), None);
        assert_eq!(vp9(&[0x88, 0x81, 1, 0]), Some((3, true)));
        assert_eq!(vp9(&[0x50, 3, 2, 0]), Some((3, false)));
        assert_eq!(vp9(&[0x0a, 0x18, 0, 1, 0, 1, 1, 0x0c, 1, 2, 3, 9]), Some((11, true)));
    }

    #[test]
    fn a_frame_whose_start_is_lost_is_left_out() {
        let (mut frames, mut out) = (Frames::vp8(), Out::default());
        for (time, marker, bytes) in [(1, true, &[0x00u8, 7][..]), (2, false, &[0x10, 0, 1]), (2, true, &[0, 2])] {
            let payload = Bytes::copy_from_slice(bytes);
            frames.push(&Part { time, marker, payload: &payload }, &mut out);
        }
        let units: Vec<_> = out.units.iter().map(|unit| (unit.time, unit.key, unit.data.to_vec())).collect();
        assert_eq!(units, [(2, true, Vec::from([0, 1, 2]))]);
    }
}
