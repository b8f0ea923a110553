//! The `fmt ` chunk: WAVEFORMAT, WAVEFORMATEX, WAVEFORMATEXTENSIBLE, and the codecs of its tags (RFC 2361).

use alloc::vec::Vec;

use super::Order;
use crate::stream::Codec;

/// Facts of a `fmt ` chunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaveFormat {
    /// wFormatTag, or the one inside SubFormat.
    pub tag: u16,
    /// nChannels.
    pub channels: u16,
    /// nSamplesPerSec.
    pub sample_rate: u32,
    /// nAvgBytesPerSec.
    pub bytes_per_second: u32,
    /// nBlockAlign: bytes of a block.
    pub block_align: u16,
    /// wBitsPerSample, or wValidBitsPerSample.
    pub bits_per_sample: u16,
    /// dwChannelMask of WAVEFORMATEXTENSIBLE; `None` for the plain structure.
    pub channel_mask: Option<u32>,
    /// Bytes behind the structure: the codec's own configuration.
    pub extra: Vec<u8>,
}

/// wFormatTag of WAVEFORMATEXTENSIBLE.
const EXTENSIBLE: u16 = 0xfffe;

/// Bytes of WAVEFORMATEX with cbSize.
const EX_SIZE: usize = 18;

/// Bytes that WAVEFORMATEXTENSIBLE adds.
const EXTENSION: usize = 22;

/// SubFormat behind the tag: KSDATAFORMAT_SUBTYPE, and the one of ambisonic B format.
const SUBTYPES: [[u8; 12]; 2] = [
    [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71],
    [0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0x00, 0x00, 0x00],
];

impl WaveFormat {
    /// The structure in the body of a `fmt ` chunk; `None` when it is cut.
    pub fn parse(body: &[u8], order: Order) -> Option<Self> {
        let mut format = Self {
            tag: order.u16(body, 0)?,
            channels: order.u16(body, 2)?,
            sample_rate: order.u32(body, 4)?,
            bytes_per_second: order.u32(body, 8)?,
            block_align: order.u16(body, 12)?,
            bits_per_sample: order.u16(body, 14).unwrap_or(8),
            ..Self::default()
        };
        let Some(size) = order.u16(body, 16) else { return Some(format) };
        let mut extra = body.get(EX_SIZE..).unwrap_or_default();
        extra = extra.get(..usize::from(size)).unwrap_or(extra);
        if let Some((extension, rest)) = extra.split_first_chunk::<EXTENSION>().filter(|_| format.tag == EXTENSIBLE) {
            format.bits_per_sample = order.u16(extension, 0).filter(|bits| *bits > 0).unwrap_or(format.bits_per_sample);
            format.channel_mask = order.u32(extension, 2);
            let subtype = extension.get(10..).unwrap_or_default();
            let known = SUBTYPES.iter().any(|known| known == subtype);
            format.tag = order.u16(extension, 6).filter(|_| known).unwrap_or(EXTENSIBLE);
            extra = rest;
        }
        format.extra = extra.to_vec();
        Some(format)
    }

    /// The body of a `fmt ` chunk, little-endian: the shortest structure that holds everything.
    pub fn build(&self) -> Vec<u8> {
        let tag = if self.channel_mask.is_some() { EXTENSIBLE } else { self.tag };
        let container = match (self.channel_mask, self.channels) {
            (Some(_), 1..) => self.block_align / self.channels * 8,
            _ => self.bits_per_sample,
        };
        let mut body = Vec::with_capacity(EX_SIZE + EXTENSION + self.extra.len());
        body.extend_from_slice(&tag.to_le_bytes());
        body.extend_from_slice(&self.channels.to_le_bytes());
        body.extend_from_slice(&self.sample_rate.to_le_bytes());
        body.extend_from_slice(&self.bytes_per_second.to_le_bytes());
        body.extend_from_slice(&self.block_align.to_le_bytes());
        body.extend_from_slice(&container.to_le_bytes());
        if self.tag == 1 && self.channel_mask.is_none() && self.extra.is_empty() {
            return body;
        }
        let extension = if self.channel_mask.is_some() { EXTENSION } else { 0 };
        let size = u16::try_from(extension + self.extra.len()).unwrap_or(u16::MAX);
        body.extend_from_slice(&size.to_le_bytes());
        if let Some(mask) = self.channel_mask {
            body.extend_from_slice(&self.bits_per_sample.to_le_bytes());
            body.extend_from_slice(&mask.to_le_bytes());
            body.extend_from_slice(&u32::from(self.tag).to_le_bytes());
            let [subtype, _] = SUBTYPES;
            // The GUID's first field is 32 bits: tag and two zeros.
            body.extend_from_slice(subtype.get(..).unwrap_or_default());
        }
        body.extend_from_slice(&self.extra);
        body
    }

    /// Bits of a sample of G.726, which the rates say better than the structure.
    pub fn g726_bits(&self) -> u64 {
        (u64::from(self.bytes_per_second) * 8).checked_div(u64::from(self.sample_rate)).unwrap_or(0)
    }

    /// wFormatTag of a codec; `None` when it has none.
    pub fn tag_of(codec: Codec) -> Option<u16> {
        match codec {
            Codec::PcmU8 | Codec::PcmS16Le | Codec::PcmS24Le | Codec::PcmS32Le | Codec::PcmS64Le => Some(1),
            Codec::PcmF32Le | Codec::PcmF64Le => Some(3),
            codec => TAGS.iter().find(|row| row.1 == codec).map(|row| row.0),
        }
    }

    /// Bits from one sample of a channel to the next: WAVEFORMATEXTENSIBLE stores few valid bits in a larger container.
    fn stored_bits(&self) -> u16 {
        let container = self.block_align.checked_div(self.channels).unwrap_or(0).saturating_mul(8);
        match self.channel_mask {
            Some(_) if container <= 32 => self.bits_per_sample.max(container),
            _ => self.bits_per_sample,
        }
    }

    /// The codec of tag and bits; [`Codec::UnknownAudio`] when there is none here.
    pub fn codec(&self) -> Codec {
        match (self.tag, self.stored_bits()) {
            // Cool Edit's floating point, in 4 bytes each.
            (1, 24) if self.channel_mask.is_none() && Some(self.block_align) == self.channels.checked_mul(4) => {
                Codec::PcmF24Le
            }
            (1, 1..=8) => Codec::PcmU8,
            (1, 9..=16) => Codec::PcmS16Le,
            (1, 17..=24) => Codec::PcmS24Le,
            (1, 25..=32) => Codec::PcmS32Le,
            (1, 57..=64) => Codec::PcmS64Le,
            (3, 32) => Codec::PcmF32Le,
            (3, 64) => Codec::PcmF64Le,
            (tag, _) => TAGS.iter().find(|row| row.0 == tag).map_or(Codec::UnknownAudio, |row| row.1),
        }
    }
}

/// wFormatTag and codec; the first row of a codec is the one to write.
const TAGS: &[(u16, Codec)] = &[
    (0x0002, Codec::AdpcmMs),
    (0x0006, Codec::PcmALaw),
    (0x0007, Codec::PcmMuLaw),
    (0x6c75, Codec::PcmMuLaw),
    (0x0011, Codec::AdpcmImaWav),
    (0x0069, Codec::AdpcmImaWav),
    (0x0010, Codec::AdpcmImaOki),
    (0x0017, Codec::AdpcmImaOki),
    (0x0061, Codec::AdpcmImaDk4),
    (0x0062, Codec::AdpcmImaDk3),
    (0x0200, Codec::AdpcmCt),
    (0x0020, Codec::AdpcmYamaha),
    (0x5346, Codec::AdpcmSwf),
    (0x0022, Codec::TrueSpeech),
    (0x1501, Codec::TrueSpeech),
    (0x0031, Codec::GsmMs),
    (0x0032, Codec::GsmMs),
    (0x1500, Codec::GsmMs),
    (0x0038, Codec::AmrNb),
    (0x0057, Codec::AmrNb),
    (0x0058, Codec::AmrWb),
    (0x0042, Codec::G7231),
    (0x0111, Codec::G7231),
    (0xa100, Codec::G7231),
    (0x0045, Codec::G726),
    (0x0014, Codec::G726),
    (0x0040, Codec::G726),
    (0x0064, Codec::G726),
    (0x028f, Codec::G722),
    (0x0050, Codec::Mp2),
    (0x0055, Codec::Mp3),
    (0x0083, Codec::G729),
    (0x729a, Codec::G729),
    (0x00ff, Codec::Aac),
    (0x1600, Codec::Aac),
    (0x4143, Codec::Aac),
    (0x706d, Codec::Aac),
    (0x8180, Codec::Aac),
    (0xa106, Codec::Aac),
    (0x0160, Codec::WmaV1),
    (0x0161, Codec::WmaV2),
    (0x000a, Codec::WmaVoice),
    (0x0162, Codec::WmaPro),
    (0x0163, Codec::WmaLossless),
    (0x0270, Codec::Atrac3),
    (0x028e, Codec::MsnSiren),
    (0x2000, Codec::Ac3),
    (0x2001, Codec::Dts),
    (0x566f, Codec::Vorbis),
    (0x704f, Codec::Opus),
    (0xa109, Codec::Speex),
    (0xf1ac, Codec::Flac),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_read_and_write_the_same_bytes() {
        let plain = WaveFormat {
            tag: 1,
            channels: 2,
            sample_rate: 8000,
            bytes_per_second: 32_000,
            block_align: 4,
            bits_per_sample: 16,
            ..WaveFormat::default()
        };
        let adpcm = WaveFormat { tag: 0x11, bits_per_sample: 4, extra: alloc::vec![0xf9, 3], ..plain.clone() };
        let wide = WaveFormat { channel_mask: Some(3), bits_per_sample: 12, ..plain.clone() };
        let cases: [(&[u8], WaveFormat, Codec); 3] = [
            (b"\x01\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0", plain, Codec::PcmS16Le),
            (b"\x11\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x04\0\x02\0\xf9\x03", adpcm, Codec::AdpcmImaWav),
            (
                b"\xfe\xff\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0\x16\0\x0c\0\x03\0\0\0\
                \x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71",
                wide,
                Codec::PcmS16Le,
            ),
        ];
        for (body, format, codec) in cases {
            assert_eq!(WaveFormat::parse(body, Order::Little).as_ref(), Some(&format));
            assert_eq!((format.build().as_slice(), format.codec()), (body, codec));
        }
        assert_eq!(WaveFormat::parse(&[1; 13], Order::Little), None);
        assert_eq!(WaveFormat::parse(&[1; 14], Order::Big).map(|format| format.bits_per_sample), Some(8));
    }

    #[test]
    fn the_container_of_a_sample_counts_where_the_structure_tells_it_from_the_valid_bits() {
        let of = |channel_mask, block_align, bits_per_sample| WaveFormat {
            tag: 1,
            channels: 2,
            block_align,
            bits_per_sample,
            channel_mask,
            ..WaveFormat::default()
        };
        let cases = [
            (Some(3), 8, 24, Codec::PcmS32Le),
            (Some(3), 8, 20, Codec::PcmS32Le),
            (Some(3), 6, 20, Codec::PcmS24Le),
            (Some(3), 0, 24, Codec::PcmS24Le),
            (None, 6, 24, Codec::PcmS24Le),
            (None, 8, 24, Codec::PcmF24Le),
            (None, 8, 16, Codec::PcmS16Le),
            (None, 8, 20, Codec::PcmS24Le),
        ];
        for (mask, block_align, bits, codec) in cases {
            assert_eq!(of(mask, block_align, bits).codec(), codec, "{mask:?} {block_align} {bits}");
        }
    }
}
