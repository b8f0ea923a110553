//! Video usability information: sample shape, colour, timing (ISO/IEC 23008-2 §E.2.1).

use alloc::boxed::Box;
use core::ops::Deref;

use super::Hrd;
use crate::{
    bits::Bits,
    syntax::annexb::{VideoSignal, reduced},
};

/// How pictures are to be shown and buffered.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Vui {
    /// Shape and colour of the samples; its fields read as fields of this.
    pub signal: VideoSignal,
    /// Every picture is a field.
    pub field_seq_flag: bool,
    /// Picture timing messages say how pictures are shown.
    pub frame_field_info_present_flag: bool,
    /// A part of the picture to show by default, in units of chroma samples: left, right, top, bottom.
    pub default_display_window: Option<[u32; 4]>,
    /// Picture rate, when said.
    pub timing: Option<Timing>,
    /// Buffer model.
    pub hrd: Option<Box<Hrd>>,
    /// min_spatial_segmentation_idc, when the bitstream restriction is there.
    pub min_spatial_segmentation_idc: Option<u32>,
}

/// How long a picture lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Units of `time_scale` in one clock tick.
    pub num_units_in_tick: u32,
    /// Units per second.
    pub time_scale: u32,
    /// Clock ticks for a difference of 1 in picture order count, when they are proportional.
    pub num_ticks_poc_diff_one: Option<u32>,
}

impl Timing {
    /// The fields that VPS and VUI have in common.
    pub(super) fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let mut timing =
            Self { num_units_in_tick: bits.read(32)?, time_scale: bits.read(32)?, num_ticks_poc_diff_one: None };
        if bits.flag()? {
            timing.num_ticks_poc_diff_one = bits.ue()?.checked_add(1);
        }
        Some(timing)
    }

    /// Pictures per second, reduced; `None` when a number is 0.
    pub fn frame_rate(self) -> Option<(u32, u32)> {
        reduced(u64::from(self.time_scale), u64::from(self.num_units_in_tick))
    }
}

impl Deref for Vui {
    type Target = VideoSignal;

    fn deref(&self) -> &VideoSignal {
        &self.signal
    }
}

impl Vui {
    pub(super) fn parse(bits: &mut Bits<'_>, max_sub_layers_minus1: u8) -> Option<Self> {
        let mut vui = Self { signal: VideoSignal::parse(bits)?, ..Self::default() };
        let _neutral_chroma_indication_flag = bits.flag()?;
        vui.field_seq_flag = bits.flag()?;
        vui.frame_field_info_present_flag = bits.flag()?;
        if bits.flag()? {
            vui.default_display_window = Some([bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?]);
        }
        if bits.flag()? {
            vui.timing = Some(Timing::parse(bits)?);
            if bits.flag()? {
                vui.hrd = Some(Box::new(Hrd::parse(bits, true, max_sub_layers_minus1)?));
            }
        }
        if bits.flag()? {
            // tiles_fixed_structure, motion_vectors_over_pic_boundaries, restricted_ref_pic_lists.
            bits.skip(3)?;
            vui.min_spatial_segmentation_idc = Some(bits.ue()?);
            // max_bytes_per_pic, max_bits_per_min_cu, log2_max_mv_length horizontal and vertical.
            (0..4).try_for_each(|_| bits.ue().map(|_| ()))?;
        }
        Some(vui)
    }
}
