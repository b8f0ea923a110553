//! Units that are their payloads, one behind another up to the marker: MPEG-4 video (RFC 6416), MPEG-1 and MPEG-2 video
//! (RFC 2250 §3.4), KLV (RFC 6597), and data of encodings that are not known.

use super::until_marker::{Content, Gathered};
use crate::syntax::mpeg_video::vop_coding_type;

/// Units that are what stands behind a header of their payloads.
#[derive(Debug)]
pub(super) struct Whole {
    /// Bytes in front of the content of a payload.
    header: fn(&[u8]) -> usize,
    is_key: fn(&[u8]) -> bool,
}

impl Whole {
    pub(super) fn data() -> Self {
        Self { header: |_| 0, is_key: |_| true }
    }

    pub(super) fn mpeg4() -> Self {
        Self { header: |_| 0, is_key: |unit| vop_coding_type(unit) == Some(0) }
    }

    /// A header of four bytes, and four more where its T bit is set.
    pub(super) fn mpeg_video() -> Self {
        Self {
            header: |payload| if payload.first().is_some_and(|first| first & 4 != 0) { 8 } else { 4 },
            is_key: |unit| {
                let picture = unit.windows(6).find(|bytes| bytes.starts_with(&[0, 0, 1, 0]));
                picture.and_then(|bytes| bytes.get(5)).is_some_and(|coding| coding >> 3 & 7 == 1)
            },
        }
    }
}

impl Content for Whole {
    fn append(&mut self, payload: &[u8], _: bool, unit: &mut Gathered) -> Result<(), &'static str> {
        unit.extend(payload.get((self.header)(payload)..).unwrap_or_default());
        Ok(())
    }

    fn complete(&mut self, unit: &mut Gathered) -> Option<bool> {
        Some((self.is_key)(&unit.bytes))
    }
}
