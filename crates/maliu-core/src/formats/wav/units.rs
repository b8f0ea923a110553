//! How the data of each codec is cut into packets, and how many samples a packet holds.

use crate::{
    stream::{Audio, Codec},
    syntax::{
        aac::{AdtsHeader, adts},
        mpeg_audio::Header,
        riff::WaveFormat,
    },
    timing::{self, samples::exact_bits},
};

/// Bytes of a packet of blocks, unless one block is larger.
const PACKET: usize = 4096;

/// Most bytes that a unit without a header may have.
const MAX_HEADERLESS: usize = 64 << 10;

/// How data is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Units {
    /// Packets of this many bytes; the last one may be shorter.
    Fixed(usize),
    /// MPEG audio frames.
    Mpeg,
    /// G.723.1 frames, whose first two bits say their size.
    G7231,
    /// AAC, searched for ADTS headers as the reference does: what stands before one is a packet of its own.
    Aac,
}

/// Unit at the front of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A packet of this many bytes.
    Packet(usize),
    /// This many bytes belong to no packet.
    Junk(usize),
    /// More bytes are needed.
    More,
}

impl Units {
    /// How the data of this format is cut.
    pub(super) fn of(format: &WaveFormat) -> Self {
        let block = usize::from(format.block_align);
        match format.codec() {
            Codec::Mp2 | Codec::Mp3 => Self::Mpeg,
            Codec::G7231 => Self::G7231,
            Codec::Aac => Self::Aac,
            Codec::GsmMs => Self::Fixed(block.max(65)),
            _ if block <= 1 => Self::Fixed(PACKET),
            _ => Self::Fixed(PACKET.max(block) / block * block),
        }
    }

    /// The unit at the front of `data`; `last` declares that no data follows it. `data` is not empty.
    pub(super) fn next(self, data: &[u8], last: bool) -> Unit {
        let whole = |size: usize| match data.len() {
            len if size <= len => Unit::Packet(size),
            len if last => Unit::Packet(len),
            _ => Unit::More,
        };
        match self {
            Self::Fixed(size) => whole(size),
            Self::G7231 => match data.first().map(|byte| byte & 3) {
                Some(0) => whole(24),
                Some(1) => whole(20),
                Some(2) => whole(4),
                _ => whole(1),
            },
            Self::Mpeg => match Header::parse(data).and_then(|header| header.frame_length()) {
                Some(length) => whole(length),
                None if data.len() < 4 && !last => Unit::More,
                None => {
                    let rest = data.get(1..).unwrap_or_default();
                    Unit::Junk(1 + memchr::memchr(0xff, rest).unwrap_or(rest.len()))
                }
            },
            Self::Aac => aac(data, last).map_or(Unit::More, whole),
        }
    }
}

/// Bytes of the unit at the front: an ADTS frame, or all before one.
fn aac(data: &[u8], last: bool) -> Option<usize> {
    let header = |at: usize| {
        let mut head = *data.get(at..)?.first_chunk::<7>()?;
        let [_, id, ..] = &mut head;
        // The reference's parser does not look at the layer.
        *id &= 0xf9;
        AdtsHeader::parse(&head)
    };
    if let Some(frame) = header(0) {
        return Some(frame.frame_length);
    }
    let within = data.get(..MAX_HEADERLESS).unwrap_or(data);
    let seen = last || data.len() >= MAX_HEADERLESS + adts::HEADER;
    memchr::memchr_iter(0xff, within).find(|at| header(*at).is_some()).or(seen.then_some(within.len()))
}

/// Samples of AAC in the rate of the format, which may be twice that of a frame's header; `None` of what has no header.
fn aac_samples(format: &WaveFormat, data: &[u8]) -> Option<u64> {
    let header = AdtsHeader::parse(data)?;
    let samples = 1024 * u64::from(header.blocks) * u64::from(format.sample_rate);
    samples.checked_div(u64::from(header.sample_rate()))
}

/// Samples per channel that `bytes` bytes decode to; `None` when that cannot be computed.
pub(super) fn samples(format: &WaveFormat, data: &[u8]) -> Option<u64> {
    let bytes = data.len() as u64;
    let (block, channels) = (u64::from(format.block_align), u64::from(format.channels.max(1)));
    let blocks = bytes.checked_div(block).unwrap_or(0);
    match format.codec() {
        Codec::AdpcmImaWav if !(2..=5).contains(&format.bits_per_sample) => None,
        Codec::G726 => (bytes * 8).checked_div(format.g726_bits()),
        Codec::GsmMs => Some(blocks.max(1) * 320),
        Codec::G7231 => Some(240),
        Codec::G729 => Some(bytes / 10 * 80),
        Codec::Aac => aac_samples(format, data),
        Codec::Mp2 | Codec::Mp3 => Header::parse(data).map(|header| u64::from(header.samples())),
        codec if exact_bits(codec) > 0 => Some(bytes * 8 / (exact_bits(codec).unsigned_abs() * channels)),
        codec @ (Codec::AdpcmImaWav | Codec::AdpcmMs | Codec::AdpcmImaDk3 | Codec::AdpcmImaDk4)
        | codec @ (Codec::TrueSpeech | Codec::WmaV1 | Codec::WmaV2 | Codec::Atrac3) => {
            let audio = Audio {
                block_align: u32::from(format.block_align),
                bits_per_sample: format.bits_per_sample,
                ..Audio::new(format.sample_rate, format.channels.max(1))
            };
            let bit_rate = u64::from(format.bytes_per_second) * 8;
            u64::try_from(timing::samples::samples(codec, &audio, Some(bit_rate), data.len())).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(tag: u16, channels: u16, block_align: u16, bits_per_sample: u16) -> WaveFormat {
        WaveFormat { tag, channels, block_align, bits_per_sample, sample_rate: 8000, ..WaveFormat::default() }
    }

    #[test]
    fn packets_are_whole_blocks_of_at_most_4096_bytes() {
        let cases = [
            (format(1, 2, 6, 24), 4092, 682),
            (format(1, 2, 0, 16), 4096, 1024),
            (format(0x11, 1, 1024, 4), 4096, 8164),
            (format(0x11, 2, 1024, 4), 4096, 4068),
            (format(2, 2, 1024, 4), 4096, 4048),
            (format(1, 1, 5000, 16), 5000, 2500),
            (format(0x31, 1, 65, 0), 65, 320),
            (format(0x17, 1, 1, 4), 4096, 8192),
            (format(0x0270, 2, 192, 0), 4032, 21504),
        ];
        for (format, size, count) in cases {
            let data = alloc::vec![0; 9000];
            assert_eq!(Units::of(&format).next(&data, false), Unit::Packet(size), "{format:?}");
            assert_eq!(samples(&format, &data[..size]), Some(count), "{format:?}");
        }
    }

    #[test]
    fn frames_are_cut_by_their_headers() {
        assert_eq!(Units::G7231.next(&[0; 23], false), Unit::More);
        assert_eq!(Units::G7231.next(&[1; 23], false), Unit::Packet(20));
        assert_eq!(Units::Mpeg.next(&[0, 0xff, 0], true), Unit::Junk(1));
        assert_eq!(Units::Mpeg.next(&[0xff, 0xf3, 0x48, 0xc4, 0], true), Unit::Packet(5));
        let aac = [0x21, 0xff, 0xfc, 0x50, 0x80, 0x01, 0x3f, 0xfc, 1, 2];
        assert_eq!(Units::Aac.next(&aac, false), Unit::Packet(1));
        assert_eq!(Units::Aac.next(&aac[1..], false), Unit::Packet(9));
        assert_eq!(Units::Aac.next(&aac[..4], false), Unit::More);
        assert_eq!(Units::Aac.next(&aac[..4], true), Unit::Packet(4));
    }
}
