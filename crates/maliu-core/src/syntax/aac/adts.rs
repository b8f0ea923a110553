//! The ADTS header: the 7 bytes (and checksums) in front of AAC raw data blocks (ISO/IEC 14496-3 §1.A.2.2, PAR-30).

use super::{AudioSpecificConfig, CHANNELS, SAMPLE_RATES};

/// Bytes of a header without checksum.
pub const HEADER: usize = 7;

/// Most bytes of a frame, its header included.
pub const MAX_FRAME: usize = 0x1fff;

/// buffer fullness of streams of variable rate.
pub const VARIABLE_RATE: u16 = 0x7ff;

/// An ADTS header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdtsHeader {
    /// ID: MPEG-2 AAC, not MPEG-4.
    pub mpeg2: bool,
    /// Whether checksums stand behind the header (protection_absent = 0).
    pub crc: bool,
    /// profile_ObjectType: the audio object type less 1.
    pub profile: u8,
    /// sampling_frequency_index, 0 to 12.
    pub rate_index: u8,
    /// channel_configuration; 0 when a program config element says it.
    pub channel_config: u8,
    /// aac_frame_length: bytes of header and raw data blocks, at most [`MAX_FRAME`].
    pub frame_length: usize,
    /// adts_buffer_fullness.
    pub fullness: u16,
    /// Raw data blocks in the frame, 1 to 4.
    pub blocks: u8,
}

impl AdtsHeader {
    /// The header at the start of `bytes`; `None` when there is none or it is cut.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0xff, b1, b2, b3, b4, b5, b6] = bytes.first_chunk()? else { return None };
        let header = Self {
            mpeg2: b1 & 0x08 != 0,
            crc: b1 & 0x01 == 0,
            profile: b2 >> 6,
            rate_index: b2 >> 2 & 15,
            channel_config: (b2 & 1) << 2 | b3 >> 6,
            frame_length: usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5),
            fullness: u16::from(b5 & 31) << 6 | u16::from(b6 >> 2),
            blocks: (b6 & 3) + 1,
        };
        let valid = b1 & 0xf6 == 0xf0
            && usize::from(header.rate_index) < SAMPLE_RATES.len()
            && header.frame_length >= header.size();
        valid.then_some(header)
    }

    /// The 7 bytes of the header. Checksums, if any, are the caller's.
    pub fn build(&self) -> [u8; HEADER] {
        let length = self.frame_length.min(MAX_FRAME);
        [
            0xff,
            0xf0 | u8::from(self.mpeg2) << 3 | u8::from(!self.crc),
            self.profile << 6 | (self.rate_index & 15) << 2 | (self.channel_config >> 2 & 1),
            (self.channel_config & 3) << 6 | (length >> 11) as u8,
            (length >> 3) as u8,
            (length << 5) as u8 | (self.fullness >> 6 & 31) as u8,
            (self.fullness << 2) as u8 | (self.blocks.saturating_sub(1) & 3),
        ]
    }

    /// Where the raw data blocks of `frame` (from the header on) stand, without their checksums; `None` when nothing
    /// says it.
    pub fn blocks_of(&self, frame: &[u8]) -> Option<[(usize, usize); 4]> {
        const CHECKSUM: usize = 2;
        let (first, count) = (self.size(), usize::from(self.blocks));
        if !self.crc || count == 1 {
            return None;
        }
        let mut starts = [frame.len() - first; 5];
        if let Some(start) = starts.first_mut() {
            *start = 0;
        }
        let positions = frame.get(HEADER..first)?.chunks_exact(2);
        for (start, position) in starts.iter_mut().skip(1).zip(positions).take(count - 1) {
            *start = usize::from(u16::from_be_bytes(position.try_into().ok()?));
        }
        let mut blocks = [(0, 0); 4];
        for (block, pair) in blocks.iter_mut().zip(starts.windows(2)).take(count) {
            let [from, to] = *<&[usize; 2]>::try_from(pair).ok()?;
            *block = (first + from, (first + to).checked_sub(CHECKSUM).filter(|end| *end > first + from)?);
            if first + to > frame.len() {
                return None;
            }
        }
        Some(blocks)
    }

    /// Bytes in front of the first raw data block: the header, block positions and checksum.
    pub fn size(&self) -> usize {
        if self.crc { HEADER + 2 * usize::from(self.blocks) } else { HEADER }
    }

    /// Samples per second.
    pub fn sample_rate(&self) -> u32 {
        SAMPLE_RATES.get(usize::from(self.rate_index)).copied().unwrap_or(0)
    }

    /// Number of channels; 0 when a program config element says it.
    pub fn channels(&self) -> u16 {
        CHANNELS.get(usize::from(self.channel_config)).copied().unwrap_or(0)
    }

    /// Whether both headers describe the same stream: all that is fixed but the presence of checksums.
    pub fn same_stream(&self, other: &Self) -> bool {
        let fixed = |h: &Self| (h.mpeg2, h.profile, h.rate_index, h.channel_config);
        fixed(self) == fixed(other)
    }

    /// The configuration that the header stands for (PAR-34); a program config element must be added when
    /// `channel_config` is 0.
    pub fn config(&self) -> AudioSpecificConfig {
        AudioSpecificConfig::new(self.profile + 1, self.sample_rate(), self.channel_config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_and_write_the_same_bytes() {
        let lc = AdtsHeader {
            mpeg2: false,
            crc: false,
            profile: 1,
            rate_index: 4,
            channel_config: 2,
            frame_length: 238,
            fullness: VARIABLE_RATE,
            blocks: 1,
        };
        let crc3 = AdtsHeader { crc: true, frame_length: 610, fullness: 0xa8, blocks: 3, ..lc };
        let wide = AdtsHeader { mpeg2: true, profile: 3, channel_config: 7, frame_length: MAX_FRAME, ..lc };
        let cases = [
            ([0xff, 0xf1, 0x50, 0x80, 0x1d, 0xdf, 0xfc], lc),
            ([0xff, 0xf0, 0x50, 0x80, 0x4c, 0x42, 0xa2], crc3),
            ([0xff, 0xf9, 0xd1, 0xc3, 0xff, 0xff, 0xfc], wide),
        ];
        for (bytes, header) in cases {
            assert_eq!(AdtsHeader::parse(&bytes), Some(header));
            assert_eq!(header.build(), bytes);
        }
        assert_eq!(crc3.size(), 13);
        assert_eq!(lc.config().build(), [0x12, 0x10]);
    }

    #[test]
    fn reserved_values_and_short_lengths_are_no_headers() {
        for (at, byte) in [(0, 0xfe), (1, 0xf3), (2, 0x74), (4, 0)] {
            let mut bytes = [0xff, 0xf1, 0x50, 0x80, 0x1d, 0x1f, 0xfc];
            bytes[at] = byte;
            assert_eq!(AdtsHeader::parse(&bytes), None, "byte {at}");
        }
        assert_eq!(AdtsHeader::parse(&[0xff, 0xf1, 0x50, 0x80, 0x1d, 0xdf]), None);
    }
}
