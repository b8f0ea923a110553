//! Video usability information: sample shape, colour, timing, buffering and reordering (ISO/IEC 14496-10 Annex E).

use alloc::vec::Vec;
use core::ops::Deref;

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
    /// Field rate, when said.
    pub timing: Option<Timing>,
    /// Buffer model of the slices alone.
    pub nal_hrd: Option<Hrd>,
    /// Buffer model of the whole stream.
    pub vcl_hrd: Option<Hrd>,
    /// Picture timing SEI messages carry pic_struct.
    pub pic_struct_present_flag: bool,
    /// Limits of motion and of reordering, when said.
    pub bitstream_restriction: Option<BitstreamRestriction>,
}

/// How long a field lasts (§E.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Units of `time_scale` in one field period.
    pub num_units_in_tick: u32,
    /// Units per second.
    pub time_scale: u32,
    /// All fields last equally long.
    pub fixed_frame_rate_flag: bool,
}

impl Timing {
    /// Frames (of two field periods) per second, reduced; `None` when a number is 0.
    pub fn frame_rate(self) -> Option<(u32, u32)> {
        reduced(u64::from(self.time_scale), u64::from(self.num_units_in_tick) * 2)
    }
}

/// A hypothetical reference decoder's parameters (§E.1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hrd {
    /// Exponent of the unit of bit rates, minus 6.
    pub bit_rate_scale: u8,
    /// Exponent of the unit of buffer sizes, minus 4.
    pub cpb_size_scale: u8,
    /// bit_rate_value_minus1, cpb_size_value_minus1, cbr_flag of each schedule; up to 32.
    pub schedules: Vec<(u32, u32, bool)>,
    /// Bits of initial removal delays: 1 to 32.
    pub initial_cpb_removal_delay_length: u8,
    /// Bits of removal delays: 1 to 32.
    pub cpb_removal_delay_length: u8,
    /// Bits of output delays: 1 to 32.
    pub dpb_output_delay_length: u8,
    /// Bits of the time offset of clock stamps: 0 to 31.
    pub time_offset_length: u8,
}

/// Limits an encoder promises to keep (§E.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BitstreamRestriction {
    /// Motion may point outside the picture.
    pub motion_vectors_over_pic_boundaries_flag: bool,
    /// Bound on the bytes of a picture; 0 sets no bound.
    pub max_bytes_per_pic_denom: u32,
    /// Bound on the bits of a macroblock; 0 sets no bound.
    pub max_bits_per_mb_denom: u32,
    /// Bounds of motion vectors, as powers of two quarter samples: horizontal, vertical.
    pub log2_max_mv_length: (u32, u32),
    /// Most frames that are decoded before one that is shown earlier.
    pub max_num_reorder_frames: u8,
    /// Frames the decoded picture buffer must hold.
    pub max_dec_frame_buffering: u8,
}

impl Deref for Vui {
    type Target = VideoSignal;

    fn deref(&self) -> &VideoSignal {
        &self.signal
    }
}

impl Vui {
    pub(super) fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let mut vui = Self { signal: VideoSignal::parse(bits)?, ..Self::default() };
        if bits.flag()? {
            vui.timing = Some(Timing {
                num_units_in_tick: bits.read(32)?,
                time_scale: bits.read(32)?,
                fixed_frame_rate_flag: bits.flag()?,
            });
        }
        // A set that ends here has lost only its buffering and reordering facts.
        vui.buffering(bits);
        Some(vui)
    }

    fn buffering(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        if bits.flag()? {
            self.nal_hrd = Some(Hrd::parse(bits)?);
        }
        if bits.flag()? {
            self.vcl_hrd = Some(Hrd::parse(bits)?);
        }
        if self.nal_hrd.is_some() || self.vcl_hrd.is_some() {
            let _low_delay_hrd_flag = bits.flag()?;
        }
        self.pic_struct_present_flag = bits.flag()?;
        if bits.flag()? {
            self.bitstream_restriction = Some(BitstreamRestriction {
                motion_vectors_over_pic_boundaries_flag: bits.flag()?,
                max_bytes_per_pic_denom: bits.ue()?,
                max_bits_per_mb_denom: bits.ue()?,
                log2_max_mv_length: (bits.ue()?, bits.ue()?),
                max_num_reorder_frames: bits.ue_below("max_num_reorder_frames", 17)?,
                max_dec_frame_buffering: bits.ue_below("max_dec_frame_buffering", 17)?,
            });
        }
        Some(())
    }
}

impl Hrd {
    fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let count = bits.ue().filter(|count| *count < 32)? + 1;
        Some(Self {
            bit_rate_scale: bits.read(4)? as u8,
            cpb_size_scale: bits.read(4)? as u8,
            schedules: (0..count).map(|_| Some((bits.ue()?, bits.ue()?, bits.flag()?))).collect::<Option<_>>()?,
            initial_cpb_removal_delay_length: bits.read(5)? as u8 + 1,
            cpb_removal_delay_length: bits.read(5)? as u8 + 1,
            dpb_output_delay_length: bits.read(5)? as u8 + 1,
            time_offset_length: bits.read(5)? as u8,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_count_two_fields_a_frame() {
        let timing =
            |num_units_in_tick, time_scale| Timing { num_units_in_tick, time_scale, fixed_frame_rate_flag: true };
        assert_eq!(timing(1001, 60_000).frame_rate(), Some((30_000, 1001)));
        assert_eq!(timing(1, 50).frame_rate(), Some((25, 1)));
        assert_eq!((timing(0, 50).frame_rate(), timing(1, 0).frame_rate()), (None, None));
    }
}
