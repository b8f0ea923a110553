//! sbr_header(): what stays the same over many units (ISO/IEC 14496-3 4.4.2.8, table 4.63).

use crate::bits::Bits;

/// The fields of a header, with the standard's defaults where it leaves them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// bs_amp_res: envelopes in steps of 3 dB instead of 1.5 dB.
    pub coarse: bool,
    pub spectrum: Spectrum,
    pub limiter_bands: u8,
    pub limiter_gains: u8,
    pub interpol_freq: bool,
    /// bs_smoothing_mode is 0: gains are smoothed over time.
    pub smoothing: bool,
}

/// The fields from which the frequency tables follow. A change of one of them resets the decoder (4.6.18.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spectrum {
    pub start_freq: u8,
    pub stop_freq: u8,
    pub xover_band: u8,
    pub freq_scale: u8,
    pub alter_scale: bool,
    pub noise_bands: u8,
}

impl Header {
    pub(super) fn read(bits: &mut Bits) -> Self {
        let coarse = bits.flag();
        let start_freq = bits.read(4) as u8;
        let stop_freq = bits.read(4) as u8;
        let xover_band = bits.read(3) as u8;
        bits.skip(2); // bs_reserved
        let extra_1 = bits.flag();
        let extra_2 = bits.flag();
        let (freq_scale, alter_scale, noise_bands) =
            if extra_1 { (bits.read(2) as u8, bits.flag(), bits.read(2) as u8) } else { (2, true, 2) };
        let (limiter_bands, limiter_gains, interpol_freq, smoothing) = match extra_2 {
            true => (bits.read(2) as u8, bits.read(2) as u8, bits.flag(), !bits.flag()),
            false => (2, 2, true, false),
        };
        let spectrum = Spectrum { start_freq, stop_freq, xover_band, freq_scale, alter_scale, noise_bands };
        Self { coarse, spectrum, limiter_bands, limiter_gains, interpol_freq, smoothing }
    }
}

#[cfg(test)]
#[allow(clippy::unusual_byte_groupings)] // Groups of digits are fields.
mod tests {
    use super::*;

    #[test]
    fn a_short_header_has_the_defaults_of_the_standard() {
        let mut bits = Bits::new(&[0b1_0101_100, 0b1_010_00_00]);
        let header = Header::read(&mut bits);
        let spectrum =
            Spectrum { start_freq: 5, stop_freq: 9, xover_band: 2, freq_scale: 2, alter_scale: true, noise_bands: 2 };
        let expected = Header {
            coarse: true,
            spectrum,
            limiter_bands: 2,
            limiter_gains: 2,
            interpol_freq: true,
            smoothing: false,
        };
        assert_eq!((header, bits.position()), (expected, 16));
    }
}
