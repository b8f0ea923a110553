//! Speex: its header (the Speex manual §7, RFC 5574).

use alloc::vec::Vec;

/// Facts of a header of 80 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Samples per second and channel.
    pub rate: u32,
    /// Number of channels.
    pub channels: u16,
    /// Bits per second; 0 or less when not stated.
    pub bit_rate: i32,
    /// Samples per channel of a packet.
    pub samples: u32,
    /// Further header packets behind the comments.
    pub extra: u32,
}

/// Most samples of a packet: of 64 frames of the ultra-wideband mode.
const MAX_SAMPLES: u32 = 64 * 640;

impl Header {
    /// Reads a header; `None` for anything else.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let head = header.first_chunk::<80>().filter(|head| head.starts_with(b"Speex   "))?;
        let word = |at: usize| head.get(at..)?.first_chunk().map(|word| u32::from_le_bytes(*word));
        let (rate, channels, frame, frames) = (word(36)?, word(48)?, word(56)?, word(64)?);
        let samples = frame.checked_mul(frames.max(1)).filter(|samples| (1..=MAX_SAMPLES).contains(samples))?;
        let channels = u16::try_from(channels).ok().filter(|channels| (1..=2).contains(channels))?;
        let bit_rate = word(52)? as i32;
        (rate > 0).then_some(Self { rate, channels, bit_rate, samples, extra: word(68)?.min(16) })
    }
}

/// A header for packets of one frame each, at one of the three rates of Speex; `None` at others.
pub fn head(rate: u32, channels: u8) -> Option<Vec<u8>> {
    let (mode, frame) = match rate {
        8000 => (0u32, 160u32),
        16_000 => (1, 320),
        32_000 => (2, 640),
        _ => return None,
    };
    let mut out = Vec::with_capacity(80);
    out.extend_from_slice(b"Speex   1.2");
    out.resize(28, 0);
    // Version, size, rate, mode, its bitstream, channels, no bit rate, frame, no VBR, frames per packet, extra headers.
    let fields = [1, 80, rate, mode, 4, channels.into(), u32::MAX, frame, 0, 1, 0, 0, 0];
    fields.iter().for_each(|field: &u32| out.extend_from_slice(&field.to_le_bytes()));
    (1..=2).contains(&channels).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_ours_reads_back() {
        let header = head(16_000, 1).and_then(|head| Header::parse(&head));
        let expected = Header { rate: 16_000, channels: 1, bit_rate: -1, samples: 320, extra: 0 };
        assert_eq!((header, head(44_100, 1), head(8000, 3)), (Some(expected), None, None));
    }

    #[test]
    fn a_packet_holds_frames() {
        let mut header = [0; 80];
        header[..8].copy_from_slice(b"Speex   ");
        for (at, value) in [(36, 32_000u32), (48, 2), (52, 29_600), (56, 640), (64, 3), (68, 1)] {
            header[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        let expected = Header { rate: 32_000, channels: 2, bit_rate: 29_600, samples: 1920, extra: 1 };
        assert_eq!(Header::parse(&header), Some(expected));
        header[64..68].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!((Header::parse(&header), Header::parse(&header[..79])), (None, None));
    }
}
