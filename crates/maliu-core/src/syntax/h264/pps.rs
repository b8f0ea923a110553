//! Picture parameter set: what the slice headers that name it contain (ISO/IEC 14496-10 §7.3.2.2).

use alloc::boxed::Box;

use super::{Header, ScalingLists, Sps, kind, sps::scaling_lists};
use crate::{bits::Bits, remark::Refusal, syntax::annexb};

/// A picture parameter set. Names are the standard's.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Pps {
    /// 0 to 255.
    pub pic_parameter_set_id: u8,
    /// 0 to 31.
    pub seq_parameter_set_id: u8,
    /// CABAC rather than CAVLC.
    pub entropy_coding_mode_flag: bool,
    /// Slice headers carry differences of picture order.
    pub bottom_field_pic_order_in_frame_present_flag: bool,
    /// Slice groups (flexible macroblock order): 1 means no groups.
    pub num_slice_groups: u8,
    /// References used when a slice does not say: list 0, list 1.
    pub num_ref_idx_default_active: [u8; 2],
    /// P slices weight their predictions.
    pub weighted_pred_flag: bool,
    /// How B slices weight theirs: 0 not, 1 as coded, 2 by distance.
    pub weighted_bipred_idc: u8,
    /// First quantiser: pic_init_qp_minus26.
    pub pic_init_qp_minus26: i32,
    /// Slice headers set the deblocking filter.
    pub deblocking_filter_control_present_flag: bool,
    /// Intra blocks predict from intra blocks only.
    pub constrained_intra_pred_flag: bool,
    /// Slice headers carry redundant_pic_cnt.
    pub redundant_pic_cnt_present_flag: bool,
    /// 8×8 transforms may be used.
    pub transform_8x8_mode_flag: bool,
    /// Present when the set carries scaling matrices of its own.
    pub scaling: Option<Box<ScalingLists>>,
}

impl Pps {
    /// The set in `nal`, a whole NAL unit of type 8 with its header. `sps` finds the sequence parameter set of an id;
    /// without it lists of 8×8 weights are counted as for 4:2:0. `None` when the set is cut short or breaks a limit.
    pub fn parse<'s>(nal: &[u8], sps: impl Fn(u8) -> Option<&'s Sps>) -> Option<Self> {
        Self::read(nal, sps).ok()
    }

    /// As [`Pps::parse`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read<'s>(nal: &[u8], sps: impl Fn(u8) -> Option<&'s Sps>) -> Result<Self, Refusal> {
        Header::of(nal).filter(|header| header.nal_unit_type == kind::PPS).ok_or(Refusal::Type)?;
        let rbsp = annexb::unescape(annexb::trimmed(nal).get(1..).unwrap_or_default());
        let mut bits = Bits::new(&rbsp);
        let mut pps = Self::fields(&mut bits).ok_or_else(|| bits.refusal())?;
        if more_rbsp_data(&bits, &rbsp) {
            let chroma = sps(pps.seq_parameter_set_id).map_or(1, |sps| sps.chroma_format_idc);
            // Older sets end before these fields; broken ones end inside them.
            pps.extension(&mut bits, chroma);
        }
        Ok(pps)
    }

    fn fields(bits: &mut Bits<'_>) -> Option<Self> {
        let mut pps = Self {
            pic_parameter_set_id: bits.ue_below("pic_parameter_set_id", 256)?,
            seq_parameter_set_id: bits.ue_below("seq_parameter_set_id", 32)?,
            entropy_coding_mode_flag: bits.flag()?,
            bottom_field_pic_order_in_frame_present_flag: bits.flag()?,
            num_slice_groups: bits.ue_below("num_slice_groups_minus1", 8)? + 1,
            ..Self::default()
        };
        if pps.num_slice_groups > 1 {
            slice_groups(bits, pps.num_slice_groups)?;
        }
        let l0 = bits.ue_below("num_ref_idx_l0_default_active_minus1", 32)? + 1;
        pps.num_ref_idx_default_active = [l0, bits.ue_below("num_ref_idx_l1_default_active_minus1", 32)? + 1];
        pps.weighted_pred_flag = bits.field("weighted_pred_flag").flag()?;
        pps.weighted_bipred_idc = bits.read(2)? as u8;
        pps.pic_init_qp_minus26 = bits.field("pic_init_qp_minus26").se()?;
        let _pic_init_qs_minus26 = bits.se()?;
        let _chroma_qp_index_offset = bits.se()?;
        pps.deblocking_filter_control_present_flag = bits.flag()?;
        pps.constrained_intra_pred_flag = bits.flag()?;
        pps.redundant_pic_cnt_present_flag = bits.flag()?;
        Some(pps)
    }

    fn extension(&mut self, bits: &mut Bits<'_>, chroma_format_idc: u8) -> Option<()> {
        self.transform_8x8_mode_flag = bits.flag()?;
        if bits.flag()? {
            let of_8x8 = if chroma_format_idc == 3 { 6 } else { 2 };
            let count = 6 + if self.transform_8x8_mode_flag { of_8x8 } else { 0 };
            self.scaling = Some(Box::new(scaling_lists(bits, count)?));
        }
        bits.se().map(|_second_chroma_qp_index_offset| ())
    }
}

/// Passes over the description of slice groups.
fn slice_groups(bits: &mut Bits<'_>, groups: u8) -> Option<()> {
    match bits.ue_below("slice_group_map_type", 7)? {
        0 => (0..groups).try_for_each(|_run_length| bits.ue().map(|_| ())),
        2 => (1..groups).try_for_each(|_top_left_and_bottom_right| bits.ue().and(bits.ue()).map(|_| ())),
        3..=5 => bits.skip(1).and_then(|()| bits.ue()).map(|_slice_group_change_rate| ()),
        6 => {
            let units = bits.ue()? as usize + 1;
            let width = u8::BITS - (groups - 1).leading_zeros();
            bits.skip(units.checked_mul(width as usize)?)
        }
        1 => Some(()),
        _ => None,
    }
}

/// Whether anything but the stop bit and zeros is left.
fn more_rbsp_data(bits: &Bits<'_>, rbsp: &[u8]) -> bool {
    let Some(last) = rbsp.iter().rposition(|byte| *byte != 0) else { return false };
    let stop = rbsp.get(last).map_or(0, |byte| byte.trailing_zeros() as usize);
    bits.position() < last * 8 + 7 - stop
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_x264_set_is_read() {
        let pps = Pps::parse(&[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0], |_| None).unwrap();
        assert_eq!((pps.pic_parameter_set_id, pps.seq_parameter_set_id, pps.entropy_coding_mode_flag), (0, 0, true));
        assert_eq!((pps.num_ref_idx_default_active, pps.weighted_bipred_idc), ([3, 1], 2));
        assert!(pps.transform_8x8_mode_flag && pps.deblocking_filter_control_present_flag);
    }
}
