//! Dynamic range control: gains an encoder sends along for quiet listening (ISO/IEC 14496-3 §4.5.2.7).

use crate::bits::Bits;

/// dynamic_range_info of a unit.
pub(crate) struct Drc {
    /// Bit `c`: channel `c` is excluded.
    excluded: u64,
    /// First line after each band.
    tops: [u16; 16],
    /// Factor of each band.
    gains: [f32; 16],
    bands: usize,
}

impl Default for Drc {
    fn default() -> Drc {
        Drc::new()
    }
}

impl Drc {
    pub(crate) fn new() -> Drc {
        Drc { excluded: 0, tops: [1024; 16], gains: [1.0; 16], bands: 0 }
    }

    /// Forgets the gains: the unit has none.
    pub(crate) fn clear(&mut self) {
        self.bands = 0;
    }

    /// Reads dynamic_range_info.
    pub(crate) fn parse(&mut self, bits: &mut Bits) {
        *self = Drc::new();
        if bits.flag() {
            bits.skip(8); // pce_instance_tag, reserved
        }
        if bits.flag() {
            let mut first = 0;
            loop {
                for channel in first..first + 7 {
                    self.excluded |= u64::from(bits.flag()) << channel;
                }
                first += 7;
                if !bits.flag() || first + 7 > 63 {
                    break;
                }
            }
        }
        self.bands = 1;
        if bits.flag() {
            self.bands += bits.read(4) as usize;
            bits.skip(4); // drc_interpolation_scheme
            for top in self.tops.iter_mut().take(self.bands) {
                *top = 4 * (bits.read(8) as u16 + 1);
            }
        }
        if bits.flag() {
            bits.skip(8); // prog_ref_level, reserved
        }
        for gain in self.gains.iter_mut().take(self.bands) {
            let cut = bits.flag();
            let steps = bits.read(7) as f32 / 24.0;
            *gain = if cut { -steps } else { steps }.exp2();
        }
        if bits.overrun() {
            self.clear();
        }
    }

    /// Applies the gains to the lines of a channel of a program. Bands count lines of long windows.
    pub(crate) fn apply(&self, channel: usize, lines: &mut [f32; 1024], short: bool) {
        if channel < 64 && self.excluded >> channel & 1 != 0 {
            return;
        }
        let scale = if short { 8 } else { 1 };
        for window in lines.chunks_exact_mut(1024 / scale) {
            let mut start = 0;
            for (&top, gain) in self.tops.iter().zip(self.gains).take(self.bands) {
                let top = usize::from(top) / scale;
                if let Some(band) = window.get_mut(start..top) {
                    band.iter_mut().for_each(|line| *line *= gain);
                    start = top;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_are_steps_of_a_quarter_decibel() {
        // no tag, no exclusions, no bands, no reference level, cut by 24 steps.
        let mut drc = Drc::new();
        drc.parse(&mut Bits::new(&[0b0000_1001, 0b1000_0000]));
        let mut lines = [1.0; 1024];
        drc.apply(0, &mut lines, true);
        assert_eq!(lines, [0.5; 1024]);
    }
}
