//! Frames of VP8 (RFC 7741) and VP9 (RFC 9628) over packets, behind a payload descriptor.
//!
//! ```text
//!   VP8  X R N S R PID(3) [I L T K …] [PictureID 7/15] [TL0PICIDX] [TID Y KEYIDX]
//!   VP9  I P L F B E V Z  [PictureID 7/15] [TID U SID D] [TL0PICIDX] [P_DIFF…] [scalability structure]
//! ```

use super::until_marker::{Content, Gathered};

/// Frames behind descriptors.
#[derive(Debug)]
pub(super) struct Frames {
    /// The bytes of a descriptor, and whether a frame begins behind it.
    descriptor: fn(&[u8]) -> Option<(usize, bool)>,
    /// Whether a frame can be decoded alone.
    is_key: fn(&[u8]) -> bool,
    begun: bool,
}

impl Frames {
    pub(super) fn vp8() -> Self {
        let is_key = |frame: &[u8]| frame.first().is_some_and(|first| first & 1 == 0);
        Self { descriptor: vp8, is_key, begun: false }
    }

    pub(super) fn vp9() -> Self {
        let is_key = |frame: &[u8]| crate::syntax::vp9::picture_size(frame).is_some();
        Self { descriptor: vp9, is_key, begun: false }
    }
}

impl Content for Frames {
    fn append(&mut self, payload: &[u8], _: bool, unit: &mut Gathered) -> Result<(), &'static str> {
        let descriptor = (self.descriptor)(payload);
        let (size, begins) = descriptor.ok_or("a payload descriptor that is cut: packet left out")?;
        // A frame whose start is lost is left out.
        self.begun = begins || self.begun && !unit.bytes.is_empty();
        if self.begun {
            unit.extend(payload.get(size..).unwrap_or_default());
        }
        Ok(())
    }

    fn complete(&mut self, unit: &mut Gathered) -> Option<bool> {
        Some((self.is_key)(&unit.bytes))
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
    use alloc::vec::Vec;

    use bytes::Bytes;

    use super::{
        super::{Out, Part, Unpack, until_marker::UntilMarker},
        *,
    };

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
        let (mut frames, mut out) = (UntilMarker::new(Frames::vp8()), Out::default());
        for (time, marker, bytes) in [(1, true, &[0x00u8, 7][..]), (2, false, &[0x10, 0, 1]), (2, true, &[0, 2])] {
            let payload = Bytes::copy_from_slice(bytes);
            frames.push(&Part { time, marker, payload: &payload }, &mut out);
        }
        let units: Vec<_> = out.units.iter().map(|unit| (unit.time, unit.key, unit.data.to_vec())).collect();
        assert_eq!(units, [(2, true, Vec::from([0, 1, 2]))]);
    }
}
