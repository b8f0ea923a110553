//! The header of a frame (ISO/IEC 11172-3 §2.4.2.3, ISO/IEC 13818-3 §2.4.2.3).

/// The standard that a frame follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MPEG-1: 32 to 48 kHz.
    Mpeg1,
    /// MPEG-2: 16 to 24 kHz.
    Mpeg2,
    /// MPEG-2.5: 8 to 12 kHz.
    Mpeg25,
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The standard.
    pub version: Version,
    /// 1 to 3.
    pub layer: u8,
    /// Whether 16 bits of checksum follow the header.
    pub protected: bool,
    /// bitrate_index: 0 (free format) to 14.
    pub bitrate_index: u8,
    /// sampling_frequency: 0 to 2.
    pub rate_index: u8,
    /// Whether the frame has one slot more.
    pub padding: bool,
    /// 0 stereo, 1 joint stereo, 2 dual channel, 3 mono.
    pub mode: u8,
    /// mode_extension: the intensity bound of layers I and II; intensity (1) and middle/side stereo (2) of layer III.
    pub mode_extension: u8,
}

/// Bytes of a header.
pub(crate) const SIZE: usize = 4;

const JOINT: u8 = 1;
const MONO: u8 = 3;

impl Header {
    /// Reads the header at the start of `bytes`; `None` when there is none.
    pub fn parse(bytes: &[u8]) -> Option<Header> {
        let &[0xff, b1 @ 0xe0..=0xff, b2, b3] = bytes.first_chunk::<SIZE>()? else { return None };
        let version = match b1 >> 3 & 3 {
            0 => Version::Mpeg25,
            2 => Version::Mpeg2,
            3 => Version::Mpeg1,
            _ => return None,
        };
        let header = Header {
            version,
            layer: 4 - (b1 >> 1 & 3),
            protected: b1 & 1 == 0,
            bitrate_index: b2 >> 4,
            rate_index: b2 >> 2 & 3,
            padding: b2 & 2 != 0,
            mode: b3 >> 6,
            mode_extension: b3 >> 4 & 3,
        };
        (header.layer < 4 && header.bitrate_index < 15 && header.rate_index < 3).then_some(header)
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        if self.mode == MONO { 1 } else { 2 }
    }

    /// Samples per second.
    pub fn sample_rate(&self) -> u32 {
        [44_100, 48_000, 32_000][usize::from(self.rate_index % 3)] >> self.version as u32
    }

    /// Samples per channel.
    pub fn samples(&self) -> usize {
        32 * self.slots()
    }

    /// Bytes of the frame, its header included; `None` in free format.
    pub fn frame_length(&self) -> Option<usize> {
        let samples = self.samples() as u32;
        let slot = if self.layer == 1 { 4 } else { 1 };
        let slots = self.kbps()? * 1000 / 8 / slot * samples / self.sample_rate();
        Some((slots + u32::from(self.padding)) as usize * slot as usize)
    }

    /// Whether both frames have the same version, layer, rate and number of channels.
    pub fn same_kind(&self, other: &Header) -> bool {
        self.same_rate(other) && self.channels() == other.channels()
    }

    /// Whether both frames have the same version, layer and rate: the number of channels may change within a stream.
    pub fn same_rate(&self, other: &Header) -> bool {
        let kind = |it: &Header| (it.version, it.layer, it.rate_index);
        kind(self) == kind(other)
    }

    /// Thousands of bits per second; `None` in free format.
    pub(crate) fn kbps(&self) -> Option<u32> {
        let row = match (self.is_low(), self.layer) {
            (false, 1) => KBPS_1_I,
            (false, 2) => KBPS_1_II,
            (false, _) => KBPS_1_III,
            (true, 1) => KBPS_2_I,
            (true, _) => KBPS_2_II_III,
        };
        row.get(usize::from(self.bitrate_index).checked_sub(1)?).map(|kbps| u32::from(*kbps))
    }

    /// Whether the sampling rate is one of the low ones of MPEG-2 and MPEG-2.5.
    pub(crate) fn is_low(&self) -> bool {
        self.version != Version::Mpeg1
    }

    /// Samples of each subband.
    pub(crate) fn slots(&self) -> usize {
        match self.layer {
            1 => 12,
            2 => 36,
            _ => SLOTS * self.granules(),
        }
    }

    /// Granules of a layer III frame.
    pub(crate) fn granules(&self) -> usize {
        if self.is_low() { 1 } else { 2 }
    }

    /// Bytes of the side information of a layer III frame.
    pub(crate) fn side_info_size(&self) -> usize {
        match (self.is_low(), self.channels()) {
            (false, 1) => 17,
            (false, _) => 32,
            (true, 1) => 9,
            (true, _) => 17,
        }
    }

    /// Bytes before the side information of layer III or the bit allocation.
    pub(crate) fn body(&self) -> usize {
        if self.protected { SIZE + 2 } else { SIZE }
    }

    /// Whether the channels may be coded together.
    pub(crate) fn is_joint(&self) -> bool {
        self.mode == JOINT
    }

    /// Which of the nine sampling rates, from 44.1 kHz on in the order of versions.
    pub(crate) fn rate(&self) -> usize {
        usize::from(self.rate_index % 3) + 3 * self.version as usize
    }
}

/// Samples of each subband in a granule.
pub(crate) const SLOTS: usize = 18;

const KBPS_1_I: [u16; 14] = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
const KBPS_1_II: [u16; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const KBPS_1_III: [u16; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBPS_2_I: [u16; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
const KBPS_2_II_III: [u16; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_layer_give_their_sizes() {
        // (bytes, layer, Hz, channels, samples, bytes of the frame)
        let cases = [
            ([0xff, 0xfb, 0x90, 0x64], 3, 44_100, 2, 1152, Some(417)),
            ([0xff, 0xfb, 0x92, 0xc4], 3, 44_100, 1, 1152, Some(418)),
            ([0xff, 0xf3, 0x48, 0xc4], 3, 16_000, 1, 576, Some(144)),
            ([0xff, 0xe3, 0x18, 0xc4], 3, 8_000, 1, 576, Some(72)),
            ([0xff, 0xfd, 0xe8, 0x00], 2, 32_000, 2, 1152, Some(1728)),
            ([0xff, 0xff, 0xc2, 0x0f], 1, 44_100, 2, 384, Some(420)),
            ([0xff, 0xfa, 0x00, 0x00], 3, 44_100, 2, 1152, None),
        ];
        for (bytes, layer, rate, channels, samples, length) in cases {
            let header = Header::parse(&bytes).unwrap();
            let got = (header.layer, header.sample_rate(), header.channels(), header.samples(), header.frame_length());
            assert_eq!(got, (layer, rate, channels, samples, length), "{bytes:x?}");
        }
        for bytes in
            [[0xfe, 0xfb, 0x90, 0x64], [0xff, 0xeb, 0x90, 0x64], [0xff, 0xf9, 0x90, 0x64], [0xff, 0xfb, 0xf0, 0]]
        {
            assert_eq!(Header::parse(&bytes), None);
        }
    }
}
