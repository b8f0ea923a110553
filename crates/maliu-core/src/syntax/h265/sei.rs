//! SEI messages of H.265 that say where decoding can start and how pictures are timed (ISO/IEC 23008-2 Annex D).

use super::{Header, Sps, kind};
use crate::{
    bits::Bits,
    syntax::annexb::{self, SeiMessage},
};

/// Decoding can start here; from the given picture on pictures are right (§D.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// Difference in picture order count to the first picture that is right.
    pub recovery_poc_cnt: i32,
    /// It is then exactly what a decoder that started earlier shows.
    pub exact_match_flag: bool,
    /// The stream may be cut here.
    pub broken_link_flag: bool,
}

/// How a picture is shown (§D.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureTiming {
    /// 0 frame, 1 top field, 2 bottom field, 3 to 6 both fields, 7 frame twice, 8 frame three times, 9 to 12 a field
    /// paired with another picture.
    pub pic_struct: u8,
    /// 0 interlaced, 1 progressive, 2 unknown.
    pub source_scan_type: u8,
    /// The picture repeats the one before.
    pub duplicate_flag: bool,
}

const PIC_TIMING: u32 = 1;
const RECOVERY_POINT: u32 = 6;

/// Calls `each` with every message of `nal`, an SEI unit with its header. Does nothing for another unit.
pub fn for_each_sei(nal: &[u8], mut each: impl FnMut(SeiMessage<'_>)) {
    let kind = Header::of(nal).map(|header| header.nal_unit_type);
    if matches!(kind, Some(kind::PREFIX_SEI | kind::SUFFIX_SEI)) {
        let rbsp = annexb::unescape(nal.get(Header::SIZE..).unwrap_or_default());
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
        Some(Self { recovery_poc_cnt: bits.se()?, exact_match_flag: bits.flag()?, broken_link_flag: bits.flag()? })
    }
}

impl PictureTiming {
    /// The timing in a message, if it is one and the active set says it is there.
    pub fn of(message: SeiMessage<'_>, sps: &Sps) -> Option<Self> {
        let vui = sps.vui.as_ref().filter(|_| message.kind == PIC_TIMING)?;
        let mut bits = Bits::new(message.payload);
        vui.frame_field_info_present_flag.then_some(())?;
        Some(Self {
            pic_struct: bits.read(4)? as u8,
            source_scan_type: bits.read(2)? as u8,
            duplicate_flag: bits.flag()?,
        })
    }
}
