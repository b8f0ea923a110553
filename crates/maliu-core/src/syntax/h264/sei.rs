//! SEI messages of H.264 that say where decoding can start and how pictures are timed (ISO/IEC 14496-10 Annex D).

use super::{Sps, kind};
use crate::{
    bits::Bits,
    syntax::annexb::{self, SeiMessage},
};

/// Decoding can start here; from the given frame on pictures are right (§D.2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// Frames until pictures are right, counted in frame_num.
    pub recovery_frame_cnt: u32,
    /// They are then exactly what a decoder that started earlier shows.
    pub exact_match_flag: bool,
    /// The stream may be cut here.
    pub broken_link_flag: bool,
}

/// When and how a picture is shown (§D.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureTiming {
    /// Clock ticks from the last buffering period to the removal of the picture, where the stream has a buffer model.
    pub cpb_removal_delay: Option<u32>,
    /// Clock ticks from removal to output.
    pub dpb_output_delay: Option<u32>,
    /// 0 frame, 1 top field, 2 bottom field, 3 top and bottom, 4 bottom and top, 5 and 6 with the first field
    /// repeated, 7 frame twice, 8 frame three times; where the stream carries it.
    pub pic_struct: Option<u8>,
}

impl PictureTiming {
    /// Field periods the picture is shown for (Table D-1); `None` without pic_struct.
    pub fn field_periods(&self) -> Option<u8> {
        [2, 1, 1, 2, 2, 3, 3, 4, 6].get(usize::from(self.pic_struct?)).copied()
    }
}

const PIC_TIMING: u32 = 1;
const RECOVERY_POINT: u32 = 6;

/// Calls `each` with every message of `nal`, an SEI unit with its header. Does nothing for another unit.
pub fn for_each_sei(nal: &[u8], mut each: impl FnMut(SeiMessage<'_>)) {
    if nal.first().is_some_and(|head| head & 0x1f == kind::SEI) {
        let rbsp = annexb::unescape(nal.get(1..).unwrap_or_default());
        annexb::sei_messages(&rbsp).for_each(&mut each);
    }
}

impl RecoveryPoint {
    /// The recovery point in a message, if it is one.
    pub fn of(message: SeiMessage<'_>) -> Option<Self> {
        if message.kind != RECOVERY_POINT {
            return None;
        }
        let mut bits = Bits::new(message.payload);
        Some(Self {
            recovery_frame_cnt: bits.ue().filter(|count| *count < 1 << 16)?,
            exact_match_flag: bits.flag().unwrap_or(false),
            broken_link_flag: bits.flag().unwrap_or(false),
        })
    }
}

impl PictureTiming {
    /// The timing in a message, if it is one; the active set says which fields are there.
    pub fn of(message: SeiMessage<'_>, sps: &Sps) -> Option<Self> {
        let vui = sps.vui.as_ref().filter(|_| message.kind == PIC_TIMING)?;
        let mut bits = Bits::new(message.payload);
        let mut timing = Self::default();
        if let Some(hrd) = vui.nal_hrd.as_ref().or(vui.vcl_hrd.as_ref()) {
            timing.cpb_removal_delay = Some(bits.read(u32::from(hrd.cpb_removal_delay_length))?);
            timing.dpb_output_delay = Some(bits.read(u32::from(hrd.dpb_output_delay_length))?);
        }
        if vui.pic_struct_present_flag {
            timing.pic_struct = Some(bits.read(4)? as u8);
        }
        Some(timing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_point_is_found_among_messages() {
        let mut found = None;
        // User data of 2 bytes, then recovery_frame_cnt 12 (0001101), exact_match 1.
        for_each_sei(&[0x06, 5, 2, 1, 2, 6, 2, 0x1b, 0x10, 0x80], |message| {
            found = found.or(RecoveryPoint::of(message))
        });
        let expected = RecoveryPoint { recovery_frame_cnt: 12, exact_match_flag: true, broken_link_flag: false };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn pic_struct_says_how_long() {
        let shown = |pic_struct| PictureTiming { pic_struct, ..PictureTiming::default() }.field_periods();
        assert_eq!((shown(Some(5)), shown(Some(8)), shown(Some(9)), shown(None)), (Some(3), Some(6), None, None));
    }
}
