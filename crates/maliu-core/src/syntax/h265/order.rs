//! Picture order counts: in which order decoded pictures are shown (ISO/IEC 23008-2 §8.3.1).

use super::{Header, SliceHeader, Sps, kind};
use crate::syntax::annexb::order_msb;

/// The decoding process for picture order count, fed with the first slice segment of each picture.
#[derive(Clone, Debug, Default)]
pub struct PictureOrder {
    /// Of the previous picture of the lowest sub-layer that others may refer to.
    prev_msb: i64,
    prev_lsb: i64,
    started: bool,
    /// Highest order count since counts restarted.
    highest: i64,
}

/// A clean random access picture whose order count is this much above all before it begins another recording.
const MAX_GAP: i64 = 64;

impl PictureOrder {
    /// The order count of the picture that `slice` begins, and whether counts restart with it. `after_end`: it follows
    /// an end of sequence.
    pub fn next(&mut self, slice: &SliceHeader, sps: &Sps, after_end: bool) -> Option<(i64, bool)> {
        let lsb = i64::from(slice.independent?.slice_pic_order_cnt_lsb);
        let nal_unit_type = slice.nal.nal_unit_type;
        let restarts = match nal_unit_type {
            kind::BLA_W_LP..=kind::IDR_N_LP => true,
            kind::CRA => after_end || !self.started,
            _ => false,
        };
        let max_lsb = 1 << sps.log2_max_pic_order_cnt_lsb;
        let continued = order_msb(lsb, max_lsb, (self.prev_msb, self.prev_lsb));
        // Pictures before such a picture in decoding order also precede it in output order (§8.3.1): one that does not
        // continue the counts begins another recording that was joined on without an end of sequence.
        let count = continued.saturating_add(lsb);
        let joined =
            nal_unit_type == kind::CRA && (count <= self.highest || count > self.highest.saturating_add(MAX_GAP));
        let restarts = restarts || joined;
        let msb = if restarts { 0 } else { continued };
        if slice.nal.temporal_id == 0 && may_be_previous(slice.nal) {
            (self.prev_msb, self.prev_lsb) = (msb, lsb);
        }
        self.started = true;
        let count = msb.saturating_add(lsb);
        self.highest = if restarts { count } else { self.highest.max(count) };
        Some((count, restarts))
    }
}

/// Leading pictures and those that nothing of their sub-layer refers to do not count.
fn may_be_previous(nal: Header) -> bool {
    let sub_layer_non_reference = nal.nal_unit_type <= 14 && nal.nal_unit_type.is_multiple_of(2);
    !sub_layer_non_reference && !matches!(nal.nal_unit_type, kind::RADL_N..=kind::RASL_R)
}
