//! Samples as bytes of PCM, rounded as FFmpeg's libswresample rounds without dither.
//!
//! ```
//! use maliu_decode::{AudioFrame, SampleFormat, Samples};
//!
//! let frame = AudioFrame::new(8000, 1, Samples::F32(vec![0.5]));
//! let mut bytes = Vec::new();
//! SampleFormat::S16Le.write(&frame, &mut bytes);
//! assert_eq!(bytes, 0x4000_i16.to_le_bytes());
//! ```

use maliu_core::stream::Codec;

use crate::frame::{AudioFrame, Samples};

/// How one sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFormat {
    /// Unsigned, 8 bits, silence at 128.
    U8,
    /// Signed, 16 bits, little-endian.
    S16Le,
    /// Signed, 24 bits, little-endian.
    S24Le,
    /// Signed, 32 bits, little-endian.
    S32Le,
    /// Floating point, 32 bits, little-endian.
    F32Le,
    /// Signed, 16 bits, big-endian.
    S16Be,
    /// Signed, 24 bits, big-endian.
    S24Be,
    /// Signed, 32 bits, big-endian.
    S32Be,
}

impl SampleFormat {
    /// Every format.
    pub const ALL: [Self; 8] =
        [Self::U8, Self::S16Le, Self::S24Le, Self::S32Le, Self::F32Le, Self::S16Be, Self::S24Be, Self::S32Be];

    /// The name, as FFmpeg calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::S16Le => "s16le",
            Self::S24Le => "s24le",
            Self::S32Le => "s32le",
            Self::F32Le => "f32le",
            Self::S16Be => "s16be",
            Self::S24Be => "s24be",
            Self::S32Be => "s32be",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The codec of samples stored so.
    pub fn codec(self) -> Codec {
        match self {
            Self::U8 => Codec::PcmU8,
            Self::S16Le => Codec::PcmS16Le,
            Self::S24Le => Codec::PcmS24Le,
            Self::S32Le => Codec::PcmS32Le,
            Self::F32Le => Codec::PcmF32Le,
            Self::S16Be => Codec::PcmS16Be,
            Self::S24Be => Codec::PcmS24Be,
            Self::S32Be => Codec::PcmS32Be,
        }
    }

    /// Bytes of one sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::S16Le | Self::S16Be => 2,
            Self::S24Le | Self::S24Be => 3,
            Self::S32Le | Self::S32Be | Self::F32Le => 4,
        }
    }

    /// The same whole numbers in big-endian order; any other format as it is.
    #[must_use]
    pub fn big_endian(self) -> Self {
        match self {
            Self::S16Le => Self::S16Be,
            Self::S24Le => Self::S24Be,
            Self::S32Le => Self::S32Be,
            other => other,
        }
    }

    /// Appends the samples of `frame` to `out`. Whole numbers lose their low bits, fractions go to the nearest whole
    /// number (halves to the even one) and stop at full scale.
    pub fn write(self, frame: &AudioFrame, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + frame.samples.len() * self.bytes(), 0);
        let place = &mut out[start..];
        match &frame.samples {
            Samples::I32(samples) => self.put_all(samples, place),
            Samples::F32(samples) => self.put_all(samples, place),
            Samples::F64(samples) => self.put_all(samples, place),
        }
    }

    fn put_all<S: Sample>(self, samples: &[S], place: &mut [u8]) {
        match self {
            Self::U8 => put(samples, place, |sample| [(sample.whole::<8>() + 0x80) as u8]),
            Self::S16Le => put(samples, place, |sample| (sample.whole::<16>() as i16).to_le_bytes()),
            // As FFmpeg does it: to 32 bits first, whose low byte then goes.
            Self::S24Le => put(samples, place, |sample| {
                let [_, low, middle, high] = sample.whole::<32>().to_le_bytes();
                [low, middle, high]
            }),
            Self::S32Le => put(samples, place, |sample| sample.whole::<32>().to_le_bytes()),
            Self::F32Le => put(samples, place, |sample| sample.float().to_le_bytes()),
            Self::S16Be => put(samples, place, |sample| (sample.whole::<16>() as i16).to_be_bytes()),
            Self::S24Be => put(samples, place, |sample| {
                let [high, middle, low, _] = sample.whole::<32>().to_be_bytes();
                [high, middle, low]
            }),
            Self::S32Be => put(samples, place, |sample| sample.whole::<32>().to_be_bytes()),
        }
    }
}

fn put<S: Sample, const N: usize>(samples: &[S], place: &mut [u8], bytes: impl Fn(S) -> [u8; N]) {
    place.as_chunks_mut().0.iter_mut().zip(samples).for_each(|(place, sample)| *place = bytes(*sample));
}

trait Sample: Copy {
    /// As a signed whole number of `BITS` bits.
    fn whole<const BITS: u32>(self) -> i32;
    fn float(self) -> f32;
}

impl Sample for i32 {
    fn whole<const BITS: u32>(self) -> i32 {
        self >> (32 - BITS)
    }

    fn float(self) -> f32 {
        self as f32 * (1.0 / 2_147_483_648.0)
    }
}

impl Sample for f32 {
    fn whole<const BITS: u32>(self) -> i32 {
        if BITS > 16 {
            return f64::from(self).whole::<BITS>();
        }
        let full = (1u32 << (BITS - 1)) as f32;
        // Plain comparisons become one instruction for many samples; what is no number becomes the lowest value.
        let value = self * full;
        let value = if value > -full { value } else { -full };
        let value = if value < full - 1.0 { value } else { full - 1.0 };
        // Around this number a float has no room for a fraction: adding it rounds, halves to even, and the low bits of
        // the sum are the whole number.
        const ROUND: f32 = 12_582_912.0;
        (value + ROUND).to_bits().wrapping_sub(ROUND.to_bits()) as i32
    }

    fn float(self) -> f32 {
        self
    }
}

impl Sample for f64 {
    fn whole<const BITS: u32>(self) -> i32 {
        let full = f64::from(1u32 << (BITS - 1));
        // As for f32, what is no number becomes the lowest value.
        (self * full).max(-full).min(full - 1.0).round_ties_even() as i32
    }

    fn float(self) -> f32 {
        self as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(format: SampleFormat, samples: Samples) -> Vec<u8> {
        let mut out = Vec::new();
        format.write(&AudioFrame::new(1, 1, samples), &mut out);
        out
    }

    #[test]
    fn fractions_round_to_even_and_stop_at_full_scale() {
        let step = 1.0 / 32768.0;
        let samples = [0.5 * step, 1.5 * step, -0.5 * step, -1.5 * step, 1.0, -1.0, 7.0, -7.0, f32::NAN];
        let whole = bytes(SampleFormat::S16Le, Samples::F32(samples.to_vec()));
        let whole: Vec<_> = whole.chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        assert_eq!(whole, [0, 2, 0, -2, 32767, -32768, 32767, -32768, -32768]);
        assert_eq!(bytes(SampleFormat::U8, Samples::F32(vec![0.0, 1.0, -1.0])), [128, 255, 0]);
        assert_eq!(bytes(SampleFormat::S32Le, Samples::F32(vec![1.0, -1.0])), [255, 255, 255, 127, 0, 0, 0, 128]);
    }

    #[test]
    fn big_endian_has_the_same_bytes_the_other_way_round() {
        let samples = || Samples::I32(vec![0x1234_5678, -5, i32::MIN]);
        for format in [SampleFormat::S16Le, SampleFormat::S24Le, SampleFormat::S32Le] {
            let mut turned = bytes(format.big_endian(), samples());
            turned.chunks_mut(format.bytes()).for_each(<[u8]>::reverse);
            assert_eq!(turned, bytes(format, samples()), "{}", format.name());
        }
    }

    #[test]
    fn whole_numbers_come_back_as_they_were() {
        for (format, shift) in [(SampleFormat::S16Le, 16), (SampleFormat::S24Le, 8), (SampleFormat::S32Le, 0)] {
            let values =
                [i32::MIN, -1 << shift, 0, 1 << shift, (i32::MAX >> shift) << shift, 0x1234_5678 >> shift << shift];
            let expected: Vec<u8> =
                values.iter().flat_map(|v| v.to_le_bytes()[4 - format.bytes()..].to_vec()).collect();
            assert_eq!(bytes(format, Samples::I32(values.to_vec())), expected, "{}", format.name());
            if shift > 0 {
                let float: Vec<f32> = values.iter().map(|v| v.float()).collect();
                assert_eq!(bytes(format, Samples::F32(float)), expected, "{} through f32", format.name());
            }
        }
    }
}
