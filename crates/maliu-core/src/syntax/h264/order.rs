//! Picture order counts: in which order decoded pictures are shown (ISO/IEC 14496-10 §8.2.1).

use super::{PicOrderCnt, SliceHeader, Sps};
use crate::syntax::annexb::order_msb;

/// The decoding process for picture order count, fed with the first slice of each picture.
#[derive(Clone, Debug, Default)]
pub struct PictureOrder {
    /// Type 0: high and low part of the previous reference picture.
    prev_msb: i64,
    prev_lsb: i64,
    /// Types 1 and 2: of the previous picture.
    prev_frame_num: i64,
    prev_frame_num_offset: i64,
}

impl PictureOrder {
    /// The order count of the picture (the lower one of a frame's two fields) that `slice` begins. It counts fields
    /// from the last IDR picture on. `restarts`: see [`super::restarts_order`]; the count is then 0.
    pub fn next(&mut self, slice: &SliceHeader, sps: &Sps, restarts: bool) -> i64 {
        if slice.idr {
            *self = Self::default();
        }
        let (top, bottom) = match &sps.pic_order_cnt {
            PicOrderCnt::Lsb { log2_max_lsb } => self.by_lsb(slice, 1 << log2_max_lsb, restarts),
            other => self.by_frame_num(slice, sps, other),
        };
        let count = match (slice.field_pic_flag, slice.bottom_field_flag) {
            (false, _) => top.min(bottom),
            (true, false) => top,
            (true, true) => bottom,
        };
        if restarts {
            let top_after = if slice.bottom_field_flag { 0 } else { top.saturating_sub(count) };
            *self = Self { prev_lsb: top_after, ..Self::default() };
            return 0;
        }
        count
    }

    /// §8.2.1.1
    fn by_lsb(&mut self, slice: &SliceHeader, max_lsb: i64, restarts: bool) -> (i64, i64) {
        let lsb = i64::from(slice.pic_order_cnt_lsb);
        let msb = order_msb(lsb, max_lsb, (self.prev_msb, self.prev_lsb));
        if slice.nal_ref_idc != 0 && !restarts {
            (self.prev_msb, self.prev_lsb) = (msb, lsb);
        }
        let top = msb.saturating_add(lsb);
        (top, top.saturating_add(i64::from(slice.delta_pic_order_cnt_bottom)))
    }

    /// §8.2.1.2 and §8.2.1.3
    fn by_frame_num(&mut self, slice: &SliceHeader, sps: &Sps, kind: &PicOrderCnt) -> (i64, i64) {
        let frame_num = i64::from(slice.frame_num);
        let wrapped = !slice.idr && self.prev_frame_num > frame_num;
        let step = if wrapped { 1 << sps.log2_max_frame_num } else { 0 };
        let offset = self.prev_frame_num_offset.saturating_add(step);
        (self.prev_frame_num, self.prev_frame_num_offset) = (frame_num, offset);
        let counted = offset.saturating_add(frame_num);
        let PicOrderCnt::Cycle { offset_for_non_ref_pic, offset_for_top_to_bottom_field, offset_for_ref_frame, .. } =
            kind
        else {
            let unused = i64::from(slice.nal_ref_idc == 0);
            let count = if slice.idr { 0 } else { counted.saturating_mul(2).saturating_sub(unused) };
            return (count, count);
        };
        let cycle = offset_for_ref_frame.len() as i64;
        let mut number = if cycle == 0 { 0 } else { counted };
        if slice.nal_ref_idc == 0 && number > 0 {
            number -= 1;
        }
        let sum = |count: usize| offset_for_ref_frame.iter().take(count).map(|offset| i64::from(*offset)).sum::<i64>();
        let mut expected = 0i64;
        if number > 0 {
            let (cycles, rest) = ((number - 1) / cycle, (number - 1) % cycle);
            expected = cycles.saturating_mul(sum(usize::MAX)).saturating_add(sum(rest as usize + 1));
        }
        if slice.nal_ref_idc == 0 {
            expected = expected.saturating_add(i64::from(*offset_for_non_ref_pic));
        }
        let [delta_0, delta_1] = slice.delta_pic_order_cnt.map(i64::from);
        let first = expected.saturating_add(delta_0);
        let to_bottom = i64::from(*offset_for_top_to_bottom_field);
        match slice.field_pic_flag {
            false => (first, first.saturating_add(to_bottom).saturating_add(delta_1)),
            true => (first, first.saturating_add(to_bottom)),
        }
    }
}
