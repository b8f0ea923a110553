//! Sequence parameter set: picture size, sample depth, order counting and limits of a stream (ISO/IEC 14496-10 §7.3.2.1).

use alloc::{boxed::Box, vec::Vec};

use super::{Header, Vui, kind};
use crate::{bits::Bits, remark::Refusal, syntax::annexb};

/// A sequence parameter set. Names are the standard's.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Sps {
    /// 66 Baseline, 77 Main, 88 Extended, 100 High, 110 High 10, 122 High 4:2:2, 244 High 4:4:4 Predictive, …
    pub profile_idc: u8,
    /// constraint_set0_flag in the highest bit … constraint_set5_flag, and two reserved bits.
    pub constraint_set_flags: u8,
    /// Ten times the level; 9 or 11 with constraint_set3_flag is level 1b.
    pub level_idc: u8,
    /// 0 to 31.
    pub seq_parameter_set_id: u8,
    /// 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format_idc: u8,
    /// The three colours are coded as three grey pictures.
    pub separate_colour_plane_flag: bool,
    /// Bits of a luma sample: 8 to 14.
    pub bit_depth_luma: u8,
    /// Bits of a chroma sample: 8 to 14.
    pub bit_depth_chroma: u8,
    /// Lossless coding at quantiser 0.
    pub qpprime_y_zero_transform_bypass_flag: bool,
    /// Present when the set carries scaling matrices.
    pub scaling: Option<Box<ScalingLists>>,
    /// Bits of frame_num: 4 to 16.
    pub log2_max_frame_num: u8,
    /// How the order of pictures is coded.
    pub pic_order_cnt: PicOrderCnt,
    /// Most frames kept for prediction.
    pub max_num_ref_frames: u8,
    /// frame_num may jump on purpose.
    pub gaps_in_frame_num_value_allowed_flag: bool,
    /// Width in macroblocks of 16 samples.
    pub pic_width_in_mbs: u32,
    /// Height in macroblocks of a frame, or of a field when fields are possible.
    pub pic_height_in_map_units: u32,
    /// There are no fields.
    pub frame_mbs_only_flag: bool,
    /// Frames may mix field and frame macroblocks.
    pub mb_adaptive_frame_field_flag: bool,
    /// Motion of B blocks is inferred for 8×8 blocks.
    pub direct_8x8_inference_flag: bool,
    /// Cropped off, in crop units: left, right, top, bottom.
    pub frame_crop: [u32; 4],
    /// How pictures are to be shown; `None` when absent or unreadable.
    pub vui: Option<Box<Vui>>,
}

/// How picture order counts are coded (§8.2.1).
#[derive(Clone, Debug, PartialEq)]
pub enum PicOrderCnt {
    /// Type 0: the low bits stand in the slice header.
    Lsb {
        /// How many low bits: 4 to 16.
        log2_max_lsb: u8,
    },
    /// Type 1: a cycle of expected differences, corrected in the slice header.
    Cycle {
        /// No corrections are coded.
        delta_pic_order_always_zero_flag: bool,
        /// Added for pictures that are not used for prediction.
        offset_for_non_ref_pic: i32,
        /// Difference of the bottom field.
        offset_for_top_to_bottom_field: i32,
        /// The cycle.
        offset_for_ref_frame: Vec<i32>,
    },
    /// Type 2: pictures are shown in the order in which they are coded.
    CodingOrder,
}

impl Default for PicOrderCnt {
    fn default() -> Self {
        Self::Lsb { log2_max_lsb: 4 }
    }
}

/// Six lists of 4×4 and up to six of 8×8 weights, in the order of Table 7-2.
pub type ScalingLists = [ScalingList; 12];

/// One list of scaling weights (§7.3.2.1.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ScalingList {
    /// Not coded: the fall-back rule applies.
    #[default]
    Absent,
    /// The standard's default list.
    Standard,
    /// 16 or 64 weights in zig-zag order.
    Coded(Vec<u8>),
}

/// Largest picture side in macroblocks that is believed.
const MAX_MBS: u32 = 4096;

impl Sps {
    /// The set in `nal`, a whole NAL unit of type 7 (or 15) with its header. `None` when it is cut short or breaks a
    /// limit of the standard; an unreadable VUI alone is left out.
    pub fn parse(nal: &[u8]) -> Option<Self> {
        Self::read(nal).ok()
    }

    /// As [`Sps::parse`].
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(nal: &[u8]) -> Result<Self, Refusal> {
        let is_set = |header: &Header| matches!(header.nal_unit_type, kind::SPS | kind::SUBSET_SPS);
        Header::of(nal).filter(is_set).ok_or(Refusal::Type)?;
        let rbsp = annexb::unescape(nal.get(1..).unwrap_or_default());
        let mut bits = Bits::new(&rbsp);
        Self::fields(&mut bits).ok_or_else(|| bits.refusal())
    }

    fn fields(bits: &mut Bits<'_>) -> Option<Self> {
        let mut sps = Self {
            profile_idc: bits.field("profile_idc").read(8)? as u8,
            constraint_set_flags: bits.read(8)? as u8,
            level_idc: bits.field("level_idc").read(8)? as u8,
            seq_parameter_set_id: bits.ue_below("seq_parameter_set_id", 32)?,
            chroma_format_idc: 1,
            bit_depth_luma: 8,
            bit_depth_chroma: 8,
            ..Self::default()
        };
        if has_chroma_fields(sps.profile_idc) {
            sps.chroma_fields(bits)?;
        }
        sps.log2_max_frame_num = bits.ue_below("log2_max_frame_num_minus4", 13)? + 4;
        sps.pic_order_cnt = PicOrderCnt::parse(bits)?;
        sps.max_num_ref_frames = bits.ue_below("max_num_ref_frames", 17)?;
        sps.gaps_in_frame_num_value_allowed_flag = bits.flag()?;
        sps.pic_width_in_mbs = bits.ue_within("pic_width_in_mbs_minus1", 0, MAX_MBS - 1)? + 1;
        sps.pic_height_in_map_units = bits.ue_within("pic_height_in_map_units_minus1", 0, MAX_MBS - 1)? + 1;
        sps.frame_mbs_only_flag = bits.field("frame_mbs_only_flag").flag()?;
        if !sps.frame_mbs_only_flag {
            sps.mb_adaptive_frame_field_flag = bits.flag()?;
        }
        sps.direct_8x8_inference_flag = bits.field("direct_8x8_inference_flag").flag()?;
        if bits.field("frame_cropping_flag").flag()? {
            for side in &mut sps.frame_crop {
                *side = bits.ue()?;
            }
        }
        if bits.field("vui_parameters_present_flag").flag()? {
            sps.vui = Vui::parse(bits).map(Box::new);
        }
        Some(sps)
    }

    fn chroma_fields(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        self.chroma_format_idc = bits.ue_below("chroma_format_idc", 4)?;
        if self.chroma_format_idc == 3 {
            self.separate_colour_plane_flag = bits.flag()?;
        }
        self.bit_depth_luma = bits.ue_below("bit_depth_luma_minus8", 7)? + 8;
        self.bit_depth_chroma = bits.ue_below("bit_depth_chroma_minus8", 7)? + 8;
        self.qpprime_y_zero_transform_bypass_flag = bits.flag()?;
        if bits.flag()? {
            let count = if self.chroma_format_idc == 3 { 12 } else { 8 };
            self.scaling = Some(Box::new(scaling_lists(bits, count)?));
        }
        Some(())
    }

    /// ChromaArrayType: chroma_format_idc, or 0 when the planes are coded apart.
    pub fn chroma_array_type(&self) -> u8 {
        if self.separate_colour_plane_flag { 0 } else { self.chroma_format_idc }
    }

    /// Width and height of a whole coded frame, in samples.
    pub fn coded_size(&self) -> (u32, u32) {
        let fields = if self.frame_mbs_only_flag { 1 } else { 2 };
        (self.pic_width_in_mbs.saturating_mul(16), self.pic_height_in_map_units.saturating_mul(16 * fields))
    }

    /// Width and height of the picture to be shown. A crop that leaves nothing is not followed.
    pub fn display_size(&self) -> (u32, u32) {
        let (width, height) = self.coded_size();
        let (unit_x, unit_y) = match self.chroma_array_type() {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let unit_y = if self.frame_mbs_only_flag { unit_y } else { unit_y * 2 };
        let [left, right, top, bottom] = self.frame_crop.map(u64::from);
        let cropped = |size: u32, crop: u64| u64::from(size).checked_sub(crop).filter(|left| *left > 0);
        match (cropped(width, (left + right) * unit_x), cropped(height, (top + bottom) * unit_y)) {
            (Some(width), Some(height)) => (width as u32, height as u32),
            _ => (width, height),
        }
    }

    /// Frames per second from the VUI, as a reduced fraction.
    pub fn frame_rate(&self) -> Option<(u32, u32)> {
        let timing = self.vui.as_ref()?.timing?;
        timing.frame_rate()
    }

    /// Frames the decoded picture buffer holds at this size and level: MaxDpbFrames (§A.3.1).
    pub fn max_dpb_frames(&self) -> u8 {
        let mbs = match (self.level_idc, self.constraint_set_flags & 0x10 != 0) {
            (0..=10, _) | (11, true) => 396,
            (11, false) => 900,
            (12 | 13 | 20, _) => 2376,
            (21, _) => 4752,
            (22 | 30, _) => 8100,
            (31, _) => 18_000,
            (32, _) => 20_480,
            (40 | 41, _) => 32_768,
            (42, _) => 34_816,
            (50, _) => 110_400,
            (51 | 52, _) => 184_320,
            (60..=62, _) => 696_320,
            _ => u32::MAX,
        };
        let (width, height) = self.coded_size();
        let frame = (width / 16).saturating_mul(height / 16).max(1);
        (mbs / frame).min(16) as u8
    }

    /// Most frames that are decoded before one that is shown earlier: as the VUI says, else as the profile allows, else
    /// what the decoded picture buffer could hold (§E.2.1).
    pub fn reorder_depth(&self) -> u8 {
        let intra_only =
            self.constraint_set_flags & 0x10 != 0 && matches!(self.profile_idc, 44 | 86 | 100 | 110 | 122 | 244);
        let restriction = self.vui.as_ref().and_then(|vui| vui.bitstream_restriction);
        match restriction {
            Some(restriction) => restriction.max_num_reorder_frames,
            None if intra_only || self.pic_order_cnt == PicOrderCnt::CodingOrder => 0,
            None => self.max_dpb_frames(),
        }
    }

    /// The codec's name for MIME types, e.g. `avc1.64001F` (RFC 6381 §3.3).
    pub fn codec_string(&self) -> alloc::string::String {
        alloc::format!("avc1.{:02X}{:02X}{:02X}", self.profile_idc, self.constraint_set_flags, self.level_idc)
    }

    /// The profile's name as ffprobe prints it; `None` for an unknown one.
    pub fn profile_name(&self) -> Option<&'static str> {
        let [set1, set3] = [0x40, 0x10].map(|bit| self.constraint_set_flags & bit != 0);
        Some(match (self.profile_idc, set3) {
            (44, _) => "CAVLC 4:4:4",
            (66, _) if set1 => "Constrained Baseline",
            (66, _) => "Baseline",
            (77, _) => "Main",
            (88, _) => "Extended",
            (100, _) => "High",
            (110, true) => "High 10 Intra",
            (110, false) => "High 10",
            (118, _) => "Multiview High",
            (122, true) => "High 4:2:2 Intra",
            (122, false) => "High 4:2:2",
            (128, _) => "Stereo High",
            (144, _) => "High 4:4:4",
            (244, true) => "High 4:4:4 Intra",
            (244, false) => "High 4:4:4 Predictive",
            _ => return None,
        })
    }
}

/// Whether sets of this profile carry chroma format, depths and scaling lists (§7.3.2.1.1, PAR-11).
pub(super) fn has_chroma_fields(profile_idc: u8) -> bool {
    matches!(profile_idc, 44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 138 | 139 | 144 | 244)
}

impl PicOrderCnt {
    fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        Some(match bits.ue_below("pic_order_cnt_type", 3)? {
            0 => Self::Lsb { log2_max_lsb: bits.ue_below("log2_max_pic_order_cnt_lsb_minus4", 13)? + 4 },
            1 => Self::Cycle {
                delta_pic_order_always_zero_flag: bits.flag()?,
                offset_for_non_ref_pic: bits.se()?,
                offset_for_top_to_bottom_field: bits.se()?,
                offset_for_ref_frame: {
                    let count = bits.ue_below("num_ref_frames_in_pic_order_cnt_cycle", 256)?;
                    (0..count).map(|_| bits.se()).collect::<Option<_>>()?
                },
            },
            _ => Self::CodingOrder,
        })
    }
}

/// `count` scaling lists, the first six of 16 weights, then of 64.
pub(super) fn scaling_lists(bits: &mut Bits<'_>, count: usize) -> Option<ScalingLists> {
    let mut lists = ScalingLists::default();
    for (index, list) in lists.iter_mut().enumerate().take(count) {
        if bits.flag()? {
            *list = scaling_list(bits, if index < 6 { 16 } else { 64 })?;
        }
    }
    Some(lists)
}

fn scaling_list(bits: &mut Bits<'_>, size: usize) -> Option<ScalingList> {
    let mut weights = Vec::with_capacity(size);
    let (mut last, mut next) = (8i32, 8i32);
    while weights.len() < size {
        if next != 0 {
            let delta = bits.field("delta_scale").se()?;
            if !bits.within(delta.into(), -128, 127) {
                return None;
            }
            next = (last + delta).rem_euclid(256);
            if next == 0 && weights.is_empty() {
                return Some(ScalingList::Standard);
            }
        }
        last = if next == 0 { last } else { next };
        weights.push(last as u8);
    }
    Some(ScalingList::Coded(weights))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    /// A set as x264 writes it: High, level 1.2, 176×144, 25 frames a second.
    const HIGH: &[u8] = &[
        0x67, 0x64, 0x00, 0x0c, 0xac, 0xd9, 0x42, 0xc4, 0xe8, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40, 0x00, 0x00, 0x0c,
        0x83, 0xc5, 0x0a, 0x65, 0x80,
    ];

    #[test]
    fn an_x264_set_says_what_it_is() {
        let sps = Sps::parse(HIGH).unwrap();
        assert_eq!((sps.profile_name(), sps.level_idc, sps.codec_string().as_str()), (Some("High"), 12, "avc1.64000C"));
        assert_eq!((sps.display_size(), sps.frame_rate()), ((176, 144), Some((25, 1))));
    }

    #[test]
    fn a_refused_set_names_the_field_its_value_and_its_range() {
        // seq_parameter_set_id 32: 00000100001.
        let field = "seq_parameter_set_id";
        let refused = Sps::read(&[0x67, 66, 0, 30, 0b0000_0100, 0b0010_0000]);
        assert_eq!(refused, Err(Refusal::Range { field, value: 32, least: 0, most: 31 }));
        assert_eq!(refused.unwrap_err().to_string(), "seq_parameter_set_id is 32, expected 0 to 31");
        assert_eq!(Sps::read(&HIGH[..3]), Err(Refusal::Short { field: "level_idc" }));
        assert_eq!(Sps::read(&[0x68, 66]), Err(Refusal::Type));
    }

    #[test]
    fn a_set_cut_anywhere_does_not_parse_into_another_size() {
        for end in 0..HIGH.len() {
            assert!(Sps::parse(&HIGH[..end]).is_none_or(|sps| sps.display_size() == (176, 144)), "{end}");
        }
    }
}
