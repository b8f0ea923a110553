//! Parameters of the hypothetical reference decoder: buffer sizes and rates (ISO/IEC 23008-2 §E.2.2).

use alloc::vec::Vec;

use crate::bits::Bits;

/// A buffer model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hrd {
    /// There is a model of the whole stream (NAL).
    pub nal_hrd_parameters_present_flag: bool,
    /// There is a model of the slices alone (VCL).
    pub vcl_hrd_parameters_present_flag: bool,
    /// Bits of du_cpb_removal_delay_increment, when decoding units are timed.
    pub du_cpb_removal_delay_increment_length: Option<u8>,
    /// Exponent of the unit of bit rates, minus 6.
    pub bit_rate_scale: u8,
    /// Exponent of the unit of buffer sizes, minus 4.
    pub cpb_size_scale: u8,
    /// Bits of initial removal delays: 1 to 32.
    pub initial_cpb_removal_delay_length: u8,
    /// Bits of removal delays: 1 to 32.
    pub au_cpb_removal_delay_length: u8,
    /// Bits of output delays: 1 to 32.
    pub dpb_output_delay_length: u8,
    /// By temporal sub-layer, the lowest first.
    pub sub_layers: Vec<SubLayerHrd>,
}

/// The model of one sub-layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubLayerHrd {
    /// Pictures follow each other at a fixed distance of this number of clock ticks.
    pub elemental_duration: Option<u32>,
    /// Delays may be violated for latency's sake.
    pub low_delay_hrd_flag: bool,
    /// Schedules of the NAL model.
    pub nal: Vec<Schedule>,
    /// Schedules of the VCL model.
    pub vcl: Vec<Schedule>,
}

/// One delivery schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// bit_rate_value_minus1.
    pub bit_rate_value_minus1: u32,
    /// cpb_size_value_minus1.
    pub cpb_size_value_minus1: u32,
    /// The rate is constant.
    pub cbr_flag: bool,
}

impl Hrd {
    /// `common`: the fields shared by all sub-layers are there.
    pub(super) fn parse(bits: &mut Bits<'_>, common: bool, max_sub_layers_minus1: u8) -> Option<Self> {
        let mut hrd = Self::default();
        if common {
            hrd.common(bits)?;
        }
        for _ in 0..=max_sub_layers_minus1 {
            let layer = hrd.sub_layer(bits)?;
            hrd.sub_layers.push(layer);
        }
        Some(hrd)
    }

    fn common(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        self.nal_hrd_parameters_present_flag = bits.flag()?;
        self.vcl_hrd_parameters_present_flag = bits.flag()?;
        if !self.nal_hrd_parameters_present_flag && !self.vcl_hrd_parameters_present_flag {
            return Some(());
        }
        if bits.flag()? {
            let _tick_divisor_minus2 = bits.read(8)?;
            self.du_cpb_removal_delay_increment_length = Some(bits.read(5)? as u8 + 1);
            let _sub_pic_cpb_params_in_pic_timing_sei_flag = bits.flag()?;
            let _dpb_output_delay_du_length_minus1 = bits.read(5)?;
        }
        self.bit_rate_scale = bits.read(4)? as u8;
        self.cpb_size_scale = bits.read(4)? as u8;
        if self.du_cpb_removal_delay_increment_length.is_some() {
            let _cpb_size_du_scale = bits.read(4)?;
        }
        self.initial_cpb_removal_delay_length = bits.read(5)? as u8 + 1;
        self.au_cpb_removal_delay_length = bits.read(5)? as u8 + 1;
        self.dpb_output_delay_length = bits.read(5)? as u8 + 1;
        Some(())
    }

    fn sub_layer(&self, bits: &mut Bits<'_>) -> Option<SubLayerHrd> {
        let mut layer = SubLayerHrd::default();
        let fixed_pic_rate_general_flag = bits.flag()?;
        let fixed_within_cvs = fixed_pic_rate_general_flag || bits.flag()?;
        if fixed_within_cvs {
            layer.elemental_duration = Some(bits.ue()?.checked_add(1)?);
        } else {
            layer.low_delay_hrd_flag = bits.flag()?;
        }
        let mut count = 1;
        if !layer.low_delay_hrd_flag {
            count += bits.ue().filter(|minus1| *minus1 < 32)?;
        }
        if self.nal_hrd_parameters_present_flag {
            layer.nal = self.schedules(bits, count)?;
        }
        if self.vcl_hrd_parameters_present_flag {
            layer.vcl = self.schedules(bits, count)?;
        }
        Some(layer)
    }

    fn schedules(&self, bits: &mut Bits<'_>, count: u32) -> Option<Vec<Schedule>> {
        let schedule = |_| {
            let (bit_rate_value_minus1, cpb_size_value_minus1) = (bits.ue()?, bits.ue()?);
            if self.du_cpb_removal_delay_increment_length.is_some() {
                bits.ue().and(bits.ue())?;
            }
            Some(Schedule { bit_rate_value_minus1, cpb_size_value_minus1, cbr_flag: bits.flag()? })
        };
        (0..count).map(schedule).collect()
    }
}
