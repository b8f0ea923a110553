//! The flags byte of audio tags and the codecs it names (FLD-19, FLV-5).

use crate::stream::Codec;

/// The flags byte of an audio tag, read as the reference reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags {
    /// The codec; [`Codec::UnknownAudio`] for numbers without one.
    pub codec: Codec,
    /// SoundFormat, the container's number of the codec.
    pub number: u8,
    /// Hz, with the rates that the codec number fixes.
    pub sample_rate: u32,
    /// 1 or 2.
    pub channels: u16,
    /// 8 or 16.
    pub bits: u16,
}

impl Flags {
    /// Splits the byte.
    pub(super) fn parse(byte: u8) -> Self {
        let number = byte >> 4;
        let bits = if byte & 2 != 0 { 16 } else { 8 };
        let rate = 44_100 << (byte >> 2 & 3) >> 3;
        let (codec, sample_rate) = match number {
            0 | 3 => (if bits == 8 { Codec::PcmU8 } else { Codec::PcmS16Le }, rate),
            1 => (Codec::AdpcmSwf, rate),
            2 => (Codec::Mp3, rate),
            4 => (Codec::Nellymoser, 16_000),
            5 => (Codec::Nellymoser, 8_000),
            6 => (Codec::Nellymoser, rate),
            7 => (Codec::PcmALaw, 8_000),
            8 => (Codec::PcmMuLaw, 8_000),
            10 => (Codec::Aac, rate),
            11 => (Codec::Speex, 16_000),
            // The reference has no codec for it; the FLV specification says MP3 at 8 kHz.
            14 => (Codec::Mp3, 8_000),
            _ => (Codec::UnknownAudio, rate),
        };
        Self { codec, number, sample_rate, channels: if byte & 1 != 0 { 2 } else { 1 }, bits }
    }

    /// The number that tells streams apart: only codecs without a name keep theirs (FLD-10).
    pub(super) fn tag(&self) -> u32 {
        if self.codec == Codec::UnknownAudio { u32::from(self.number) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_the_bits_unless_the_codec_fixes_them() {
        let rate = |byte| Flags::parse(byte).sample_rate;
        assert_eq!([0x02, 0x06, 0x0a, 0x0e].map(rate), [5_512, 11_025, 22_050, 44_100]);
        assert_eq!([0x4e, 0x5e, 0x6e, 0x7e, 0xbe, 0xee].map(rate), [16_000, 8_000, 44_100, 8_000, 16_000, 8_000]);
    }
}
