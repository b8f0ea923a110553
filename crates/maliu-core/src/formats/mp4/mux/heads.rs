//! Boxes in the heads of all tracks: edit lists, and matrices of the picture (ISO/IEC 14496-12 §8.6.6, §8.3.2).

use crate::syntax::isobmff::write::Writer;

/// An edit list of lengths and media times, of version 1 where a number needs it.
pub(super) fn list(w: &mut Writer, edits: &[(u64, i64)]) {
    let long = edits.iter().any(|(length, media)| *length > u64::from(u32::MAX) || i32::try_from(*media).is_err());
    w.boxed(b"edts", |w| {
        w.full(b"elst", u8::from(long), 0, |w| {
            w.u32(edits.len() as u32);
            for (length, media) in edits {
                w.number(long, *length);
                if long {
                    w.u64(*media as u64)
                } else {
                    w.u32(*media as i32 as u32)
                }
                w.u32(0x1_0000);
            }
        });
    });
}

/// The unity matrix, turned clockwise.
pub(super) fn matrix(w: &mut Writer, rotation: u16) {
    let one = 0x1_0000_i32;
    let (a, b) = match rotation {
        90 => (0, one),
        180 => (-one, 0),
        270 => (0, -one),
        _ => (one, 0),
    };
    for value in [a, b, 0, -b, a, 0, 0, 0, 0x4000_0000] {
        w.u32(value as u32);
    }
}
