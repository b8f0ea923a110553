//! Sequence parameter set: picture size, sample depth, order counting and limits of a stream (ISO/IEC 23008-2
//! §7.3.2.2).

use alloc::{boxed::Box, vec::Vec};

use super::{Header, ProfileTierLevel, Vui, kind, ref_pic_set};
use crate::{bits::Bits, remark::Refusal, syntax::annexb};

/// A sequence parameter set. Names are the standard's.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sps {
    /// 0 to 15.
    pub sps_video_parameter_set_id: u8,
    /// Temporal sub-layers less one: 0 to 6.
    pub sps_max_sub_layers_minus1: u8,
    /// Sub-layers can be changed anywhere.
    pub sps_temporal_id_nesting_flag: bool,
    /// Abilities that a decoder must have.
    pub profile_tier_level: ProfileTierLevel,
    /// 0 to 15.
    pub sps_seq_parameter_set_id: u8,
    /// 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// The three colours are coded as three grey pictures.
    pub separate_colour_plane_flag: bool,
    /// Coded width in luma samples.
    pub pic_width_in_luma_samples: u32,
    /// Coded height in luma samples.
    pub pic_height_in_luma_samples: u32,
    /// Cropped off, in units of chroma samples: left, right, top, bottom.
    pub conf_win: [u32; 4],
    /// Bits of a luma sample: 8 to 16.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample: 8 to 16.
    pub bit_depth_chroma: u8,
    /// Low bits of the picture order count in slice headers: 4 to 16.
    pub log2_max_pic_order_cnt_lsb: u8,
    /// Buffering by sub-layer, the highest last.
    pub sub_layer_ordering: Vec<SubLayerOrdering>,
    /// Log2 of the size of coding tree blocks: 4 to 6.
    pub ctb_log2_size: u8,
    /// Scaling lists of this set, when it carries them.
    pub scaling: Option<Vec<ScalingList>>,
    /// Pictures may be kept for long.
    pub long_term_ref_pics_present_flag: bool,
    /// How pictures are to be shown; `None` when absent or unreadable.
    pub vui: Option<Box<Vui>>,
    /// Tools of the range extensions.
    pub range_extension: Option<RangeExtension>,
}

/// Buffering of one temporal sub-layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubLayerOrdering {
    /// Pictures the decoded picture buffer must hold, less one.
    pub max_dec_pic_buffering_minus1: u8,
    /// Most pictures that are decoded before one that is shown earlier.
    pub max_num_reorder_pics: u8,
    /// Bound on the latency, plus one; 0 sets no bound.
    pub max_latency_increase_plus1: u32,
}

/// One list of scaling weights (§7.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScalingList {
    /// As the list this number of matrices before; 0 is the standard's default list.
    Copied(u8),
    /// scaling_list_dc_coef (16 for lists without) and the weights in diagonal order.
    Coded(u8, Vec<u8>),
}

/// Flags of the range extensions (§7.3.2.2.2), in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RangeExtension {
    /// transform_skip_rotation, transform_skip_context, implicit_rdpcm, explicit_rdpcm, extended_precision_processing,
    /// intra_smoothing_disabled, high_precision_offsets, persistent_rice_adaptation, cabac_bypass_alignment: the first
    /// in bit 8.
    pub flags: u16,
}

/// Largest picture side that is believed, in samples.
const MAX_SIDE: u32 = 65_536;

impl Sps {
    /// The set in `nal`, a whole NAL unit of type 33 with its header. `None` when it is cut short or breaks a limit of
    /// the standard; an unreadable VUI or extension alone is left out.
    pub fn parse(nal: &[u8]) -> Option<Self> {
        Self::read(nal).ok()
    }

    /// As [`Sps::parse`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(nal: &[u8]) -> Result<Self, Refusal> {
        Header::of(nal).filter(|header| header.nal_unit_type == kind::SPS).ok_or(Refusal::Type)?;
        let rbsp = annexb::unescape(nal.get(Header::SIZE..).unwrap_or_default());
        let mut bits = Bits::new(&rbsp);
        let mut sps = Self::fields(&mut bits).ok_or_else(|| bits.refusal())?;
        // Needed fields are read: a damaged rest costs only itself.
        sps.rest(&mut bits);
        Ok(sps)
    }

    fn fields(bits: &mut Bits<'_>) -> Option<Self> {
        let sps_video_parameter_set_id = bits.field("sps_video_parameter_set_id").read(4)? as u8;
        let sps_max_sub_layers_minus1 = bits.field("sps_max_sub_layers_minus1").read(3)? as u8;
        if !bits.within(sps_max_sub_layers_minus1.into(), 0, 6) {
            return None;
        }
        let sps_temporal_id_nesting_flag = bits.flag()?;
        let profile_tier_level = ProfileTierLevel::parse(bits.field("profile_tier_level"), sps_max_sub_layers_minus1)?;
        let mut sps = Self {
            sps_video_parameter_set_id,
            sps_max_sub_layers_minus1,
            sps_temporal_id_nesting_flag,
            profile_tier_level,
            ..Self::default()
        };
        sps.picture_fields(bits)?;
        sps.coding_fields(bits)?;
        Some(sps)
    }

    fn picture_fields(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        self.sps_seq_parameter_set_id = bits.ue_below("sps_seq_parameter_set_id", 16)?;
        self.chroma_format_idc = bits.ue_below("chroma_format_idc", 4)?;
        if self.chroma_format_idc == 3 {
            self.separate_colour_plane_flag = bits.flag()?;
        }
        self.pic_width_in_luma_samples = bits.ue_within("pic_width_in_luma_samples", 1, MAX_SIDE)?;
        self.pic_height_in_luma_samples = bits.ue_within("pic_height_in_luma_samples", 1, MAX_SIDE)?;
        if bits.field("conformance_window_flag").flag()? {
            for side in &mut self.conf_win {
                *side = bits.ue()?;
            }
        }
        self.bit_depth_luma = bits.ue_below("bit_depth_luma_minus8", 9)? + 8;
        self.bit_depth_chroma = bits.ue_below("bit_depth_chroma_minus8", 9)? + 8;
        self.log2_max_pic_order_cnt_lsb = bits.ue_below("log2_max_pic_order_cnt_lsb_minus4", 13)? + 4;
        let all_layers = bits.flag()?;
        for _ in if all_layers { 0 } else { self.sps_max_sub_layers_minus1 }..=self.sps_max_sub_layers_minus1 {
            self.sub_layer_ordering.push(SubLayerOrdering::parse(bits)?);
        }
        Some(())
    }

    fn coding_fields(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let log2_min_luma_coding_block_size = bits.ue_below("log2_min_luma_coding_block_size_minus3", 4)? + 3;
        let log2_diff_max_min_luma_coding_block_size = bits.ue_below("log2_diff_max_min_luma_coding_block_size", 4)?;
        self.ctb_log2_size = log2_min_luma_coding_block_size + log2_diff_max_min_luma_coding_block_size;
        bits.field("CtbLog2SizeY").within(self.ctb_log2_size.into(), 3, 6).then_some(())
    }

    fn rest(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        // log2 sizes of transform blocks and depths of their trees.
        (0..4).try_for_each(|_| bits.ue().map(|_| ()))?;
        let scaling_list_enabled_flag = bits.flag()?;
        if scaling_list_enabled_flag && bits.flag()? {
            self.scaling = Some(scaling_lists(bits, self.chroma_format_idc)?);
        }
        let _amp_enabled_flag = bits.flag()?;
        let _sample_adaptive_offset_enabled_flag = bits.flag()?;
        let pcm_enabled_flag = bits.flag()?;
        if pcm_enabled_flag {
            bits.skip(8)?;
            bits.ue().and(bits.ue())?;
            let _pcm_loop_filter_disabled_flag = bits.flag()?;
        }
        let num_short_term_ref_pic_sets = bits.ue().filter(|count| *count <= 64)? as usize;
        let mut sets = Vec::new();
        for index in 0..num_short_term_ref_pic_sets {
            sets.push(ref_pic_set::parse(bits, index, &sets)?);
        }
        self.long_term_ref_pics_present_flag = bits.flag()?;
        if self.long_term_ref_pics_present_flag {
            let num_long_term_ref_pics_sps = bits.ue().filter(|count| *count <= 32)? as usize;
            bits.skip(num_long_term_ref_pics_sps * (usize::from(self.log2_max_pic_order_cnt_lsb) + 1))?;
        }
        let _sps_temporal_mvp_enabled_flag = bits.flag()?;
        let _strong_intra_smoothing_enabled_flag = bits.flag()?;
        if bits.flag()? {
            self.vui = Some(Box::new(Vui::parse(bits, self.sps_max_sub_layers_minus1)?));
        }
        let sps_extension_present_flag = bits.flag()?;
        if sps_extension_present_flag && bits.read(8)? & 0x80 != 0 {
            self.range_extension = Some(RangeExtension { flags: bits.read(9)? as u16 });
        }
        Some(())
    }

    /// Width and height of the picture to be shown. A crop that leaves nothing is not followed.
    pub fn display_size(&self) -> (u32, u32) {
        let (unit_x, unit_y) = match self.chroma_format_idc {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let [left, right, top, bottom] = self.conf_win.map(u64::from);
        let cropped = |size: u32, crop: u64| u64::from(size).checked_sub(crop).filter(|left| *left > 0);
        let width = cropped(self.pic_width_in_luma_samples, (left + right) * unit_x);
        let height = cropped(self.pic_height_in_luma_samples, (top + bottom) * unit_y);
        match (width, height) {
            (Some(width), Some(height)) => (width as u32, height as u32),
            _ => (self.pic_width_in_luma_samples, self.pic_height_in_luma_samples),
        }
    }

    /// Coding tree blocks of a picture.
    pub fn pic_size_in_ctbs(&self) -> u32 {
        let blocks = |side: u32| side.div_ceil(1 << self.ctb_log2_size);
        blocks(self.pic_width_in_luma_samples).saturating_mul(blocks(self.pic_height_in_luma_samples))
    }

    /// Most pictures that are decoded before one that is shown earlier.
    pub fn reorder_depth(&self) -> u8 {
        self.sub_layer_ordering.last().map_or(0, |layer| layer.max_num_reorder_pics)
    }

    /// Pictures per second from the VUI, as a reduced fraction.
    pub fn frame_rate(&self) -> Option<(u32, u32)> {
        self.vui.as_ref()?.timing?.frame_rate()
    }
}

impl SubLayerOrdering {
    pub(super) fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        Some(Self {
            max_dec_pic_buffering_minus1: bits.ue_below("sps_max_dec_pic_buffering_minus1", 16)?,
            max_num_reorder_pics: bits.ue_below("sps_max_num_reorder_pics", 17)?,
            max_latency_increase_plus1: bits.ue()?,
        })
    }
}

/// The lists of a set (§7.3.4): four sizes of six matrices, of the largest size two unless chroma is as fine as luma.
pub(super) fn scaling_lists(bits: &mut Bits<'_>, chroma_format_idc: u8) -> Option<Vec<ScalingList>> {
    let mut lists = Vec::with_capacity(24);
    for size in 0..4u32 {
        let step = if size == 3 && chroma_format_idc != 3 { 3 } else { 1 };
        for _ in (0..6).step_by(step) {
            lists.push(scaling_list(bits, size)?);
        }
    }
    Some(lists)
}

fn scaling_list(bits: &mut Bits<'_>, size: u32) -> Option<ScalingList> {
    let scaling_list_pred_mode_flag = bits.flag()?;
    if !scaling_list_pred_mode_flag {
        return Some(ScalingList::Copied(bits.ue_below("scaling_list_pred_matrix_id_delta", 6)?));
    }
    let count = 64.min(1usize << (4 + (size << 1)));
    let mut next = 8i32;
    let mut dc = 16;
    if size > 1 {
        next = bits.se().filter(|minus8| (-7..=247).contains(minus8))? + 8;
        dc = next as u8;
    }
    let mut weights = Vec::with_capacity(count);
    for _ in 0..count {
        let delta = bits.se().filter(|delta| (-128..=127).contains(delta))?;
        next = (next + delta).rem_euclid(256);
        weights.push(next as u8);
    }
    Some(ScalingList::Coded(dc, weights))
}
