//! The header of an MPEG audio frame: layers I to III of MPEG-1, MPEG-2 and MPEG-2.5 (ISO/IEC 11172-3 §2.4.2.3, PAR-40).
//!
//! ```text
//!   sync(11) version(2) layer(2) no_crc(1) bitrate(4) rate(2) padding(1) private(1) mode(2) extension(2) copyright(1)
//!   original(1) emphasis(2)
//! ```

pub mod frames;
pub mod info;

pub use frames::MpegFrames;
pub use info::Info;

/// Bytes of a header.
pub const HEADER: usize = 4;

/// Most bytes of a frame that has a bit rate: layer II, 384 kbit/s at 32 kHz, padded.
pub const MAX_FRAME: usize = 1729;

/// Which standard a frame follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MPEG-2.5: 8 to 12 kHz.
    Mpeg25 = 0,
    /// MPEG-2: 16 to 24 kHz.
    Mpeg2 = 2,
    /// MPEG-1: 32 to 48 kHz.
    Mpeg1 = 3,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The standard.
    pub version: Version,
    /// 1 to 3.
    pub layer: u8,
    /// Whether 16 bits of checksum stand behind the header.
    pub crc: bool,
    /// bitrate_index, 0 (free format) to 14.
    pub bitrate_index: u8,
    /// sampling_frequency, 0 to 2.
    pub rate_index: u8,
    /// Whether the frame has one slot more.
    pub padding: bool,
    /// private_bit.
    pub private: bool,
    /// 0 stereo, 1 joint stereo, 2 dual channel, 3 mono.
    pub mode: u8,
    /// mode_extension.
    pub mode_extension: u8,
    /// copyright.
    pub copyright: bool,
    /// original/copy.
    pub original: bool,
    /// emphasis.
    pub emphasis: u8,
}

impl Header {
    /// The header at the start of `bytes`; `None` when there is none or it is cut.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0xff, b1 @ 0xe0..=0xff, b2, b3] = bytes.first_chunk::<HEADER>()? else { return None };
        let version = match b1 >> 3 & 3 {
            0 => Version::Mpeg25,
            2 => Version::Mpeg2,
            3 => Version::Mpeg1,
            _ => return None,
        };
        let header = Self {
            version,
            layer: 4 - (b1 >> 1 & 3),
            crc: b1 & 1 == 0,
            bitrate_index: b2 >> 4,
            rate_index: b2 >> 2 & 3,
            padding: b2 & 2 != 0,
            private: b2 & 1 != 0,
            mode: b3 >> 6,
            mode_extension: b3 >> 4 & 3,
            copyright: b3 & 8 != 0,
            original: b3 & 4 != 0,
            emphasis: b3 & 3,
        };
        (header.layer < 4 && header.bitrate_index < 15 && header.rate_index < 3).then_some(header)
    }

    /// The 4 bytes of the header.
    pub fn build(&self) -> [u8; HEADER] {
        let flag = |set: bool, bit: u8| u8::from(set) << bit;
        [
            0xff,
            0xe0 | (self.version as u8) << 3 | (4 - self.layer.clamp(1, 3)) << 1 | flag(!self.crc, 0),
            self.bitrate_index << 4 | (self.rate_index & 3) << 2 | flag(self.padding, 1) | flag(self.private, 0),
            self.mode << 6
                | (self.mode_extension & 3) << 4
                | flag(self.copyright, 3)
                | flag(self.original, 2)
                | (self.emphasis & 3),
        ]
    }

    /// Whether it is MPEG-2 or 2.5 (low sampling frequencies).
    pub fn is_low_rate(&self) -> bool {
        self.version != Version::Mpeg1
    }

    /// Samples per second.
    pub fn sample_rate(&self) -> u32 {
        let shift = match self.version {
            Version::Mpeg1 => 0,
            Version::Mpeg2 => 1,
            Version::Mpeg25 => 2,
        };
        [44_100u32, 48_000, 32_000].get(usize::from(self.rate_index)).copied().unwrap_or(0) >> shift
    }

    /// Number of channels.
    pub fn channels(&self) -> u16 {
        if self.mode == 3 { 1 } else { 2 }
    }

    /// Samples per channel of the frame.
    pub fn samples(&self) -> u32 {
        match (self.layer, self.is_low_rate()) {
            (1, _) => 384,
            (3, true) => 576,
            _ => 1152,
        }
    }

    /// Thousands of bits per second; `None` for free format.
    pub fn kbps(&self) -> Option<u32> {
        let row = match (self.is_low_rate(), self.layer) {
            (false, 1) => KBPS_1_I,
            (false, 2) => KBPS_1_II,
            (false, _) => KBPS_1_III,
            (true, 1) => KBPS_2_I,
            (true, _) => KBPS_2_II_III,
        };
        row.get(usize::from(self.bitrate_index).checked_sub(1)?).copied().map(u32::from)
    }

    /// Bytes of the frame, its header included; `None` for free format (PAR-41).
    pub fn frame_length(&self) -> Option<usize> {
        let (bits, rate) = (self.kbps()? * 1000, self.sample_rate().max(1));
        let slots = match (self.layer, self.is_low_rate()) {
            (1, _) => bits * 12 / rate,
            (3, true) => bits * 72 / rate,
            _ => bits * 144 / rate,
        };
        Some(slots as usize * self.slot() + self.padding_size())
    }

    /// Bytes that padding adds to this frame.
    pub fn padding_size(&self) -> usize {
        if self.padding { self.slot() } else { 0 }
    }

    fn slot(&self) -> usize {
        if self.layer == 1 { 4 } else { 1 }
    }

    /// Bytes of the side information of a layer III frame.
    pub fn side_info_size(&self) -> usize {
        match (self.is_low_rate(), self.channels()) {
            (false, 1) => 17,
            (false, _) => 32,
            (true, 1) => 9,
            (true, _) => 17,
        }
    }

    /// Whether both headers have the same version, layer and rate.
    pub fn same_kind(&self, other: &Self) -> bool {
        let kind = |h: &Self| (h.version, h.layer, h.rate_index);
        kind(self) == kind(other)
    }
}

const KBPS_1_I: [u16; 14] = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
const KBPS_1_II: [u16; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const KBPS_1_III: [u16; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBPS_2_I: [u16; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const KBPS_2_II_III: [u16; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_and_write_the_same_bytes() {
        // (bytes, layer, Hz, channels, samples, kbit/s, bytes of the frame)
        let cases = [
            ([0xff, 0xfb, 0x90, 0x64], 3, 44_100, 2, 1152, Some(128), Some(417)),
            ([0xff, 0xfb, 0x92, 0xc4], 3, 44_100, 1, 1152, Some(128), Some(418)),
            ([0xff, 0xf3, 0x48, 0xc4], 3, 16_000, 1, 576, Some(32), Some(144)),
            ([0xff, 0xe3, 0x18, 0xc4], 3, 8_000, 1, 576, Some(8), Some(72)),
            ([0xff, 0xfd, 0xe8, 0x00], 2, 32_000, 2, 1152, Some(384), Some(1728)),
            ([0xff, 0xff, 0xc2, 0x0f], 1, 44_100, 2, 384, Some(384), Some(420)),
            ([0xff, 0xfa, 0x00, 0x00], 3, 44_100, 2, 1152, None, None),
        ];
        for (bytes, layer, rate, channels, samples, kbps, length) in cases {
            let header = Header::parse(&bytes).unwrap();
            assert_eq!(header.build(), bytes);
            let got = (header.layer, header.sample_rate(), header.channels(), header.samples());
            assert_eq!(got, (layer, rate, channels, samples), "{bytes:x?}");
            assert_eq!((header.kbps(), header.frame_length()), (kbps, length), "{bytes:x?}");
        }
    }

    #[test]
    fn reserved_values_are_no_headers() {
        for (at, byte) in [(0, 0xfe), (1, 0xdb), (1, 0xeb), (1, 0xf9), (2, 0xf0), (2, 0x9c)] {
            let mut bytes = [0xff, 0xfb, 0x90, 0x64];
            bytes[at] = byte;
            assert_eq!(Header::parse(&bytes), None, "{bytes:x?}");
        }
    }
}
