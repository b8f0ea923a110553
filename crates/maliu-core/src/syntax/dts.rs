//! DTS frames: the core and the extension substream behind it, or alone (ETSI TS 102 114).
//!
//! ```text
//!   core:       7ffe8001 type(1) short(5) crc(1) nblks(7) fsize(14) amode(6) sfreq(4) rate(5) … lff(2)
//!   extension:  64582025 user(8) index(2) long(1) header size(8|12) frame size(16|20) …
//! ```

use super::framing::{Frames, Length};
use crate::bits::Bits;

/// Bytes that tell what a frame is and how long.
pub const HEADER: usize = 12;

const CORE: [u8; 4] = [0x7f, 0xfe, 0x80, 0x01];
const EXTENSION: [u8; 4] = [0x64, 0x58, 0x20, 0x25];

const RATES: [u32; 16] = [0, 8000, 16_000, 32_000, 0, 0, 11_025, 22_050, 44_100, 0, 0, 12_000, 24_000, 48_000, 0, 0];
const CHANNELS: [u16; 16] = [1, 2, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 6, 7, 8, 8];
const EXTENSION_RATES: [u32; 16] = [
    8000, 16_000, 32_000, 64_000, 128_000, 22_050, 44_100, 88_200, 176_400, 352_800, 12_000, 24_000, 48_000, 96_000,
    192_000, 384_000,
];
const CLOCKS: [u32; 3] = [32_000, 44_100, 48_000];

/// A frame's first header: of its core, or of an extension substream without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of what it heads.
    pub length: usize,
    /// Whether it is a core.
    pub core: bool,
    /// Samples per second; 0 when more bytes say it.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u16,
    /// Samples per channel at that rate.
    pub samples: u32,
}

impl Header {
    /// The header at the start of `bytes`; `None` when there is none or it is cut.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<HEADER>()?;
        if head.starts_with(&CORE) {
            return Self::core(head);
        }
        let length = extension_length(head)?;
        Some(Self { length, core: false, sample_rate: 0, channels: 0, samples: 0 })
    }

    fn core(head: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(head);
        bits.skip(32 + 1 + 5 + 1)?;
        let (blocks, size) = (bits.read(7)? + 1, bits.read(14)? as usize + 1);
        let (amode, sfreq) = (bits.read(6)?, bits.read(4)?);
        bits.skip(5 + 10)?;
        let lff = bits.read(2)?;
        let sample_rate = RATES.get(sfreq as usize).copied().filter(|rate| *rate > 0)?;
        let channels = CHANNELS.get(amode as usize).copied().unwrap_or(0) + u16::from(matches!(lff, 1 | 2));
        let valid = blocks >= 6 && size >= 96 && lff != 3;
        valid.then_some(Self { length: size, core: true, sample_rate, channels, samples: blocks * 32 })
    }

    /// The frame in `bytes`, which is whole: with the channels and rate of its extension substream.
    pub fn of_frame(bytes: &[u8]) -> Option<Self> {
        let header = Self::parse(bytes)?;
        let extension = if header.core { bytes.get(header.length..)? } else { bytes };
        let Some(asset) = Asset::parse(extension) else { return Some(header) };
        let samples = match header.core {
            // The core's frame lasts as long at the extension's rate.
            true => u64::from(header.samples) * u64::from(asset.sample_rate) / u64::from(header.sample_rate.max(1)),
            false => u64::from(asset.duration) * u64::from(asset.sample_rate) / u64::from(asset.clock.max(1)),
        };
        let samples = u32::try_from(samples).ok()?;
        Some(Self { sample_rate: asset.sample_rate, channels: asset.channels, samples, ..header })
    }
}

/// Bytes of the extension substream at the start of `bytes`.
fn extension_length(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(&EXTENSION) {
        return None;
    }
    let mut bits = Bits::new(bytes);
    bits.skip(32 + 8 + 2)?;
    let wide = bits.flag()?;
    let (header, size) = if wide { (12, 20) } else { (8, 16) };
    let (header, size) = (bits.read(header)? as usize + 1, bits.read(size)? as usize + 1);
    (size >= header && header >= HEADER - 2).then_some(size)
}

/// Facts of the first asset of an extension substream (§7.4, §7.5).
struct Asset {
    sample_rate: u32,
    channels: u16,
    /// Ticks of `clock` that a frame lasts.
    duration: u32,
    clock: u32,
}

impl Asset {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(&EXTENSION) {
            return None;
        }
        let mut bits = Bits::new(bytes);
        bits.skip(32 + 8)?;
        let index = bits.read(2)?;
        let size_bits = if bits.flag()? { 20 } else { 16 };
        bits.skip(if size_bits == 20 { 12 } else { 8 } + size_bits as usize)?;
        if !bits.flag()? {
            // Without static fields nothing is said of rate and channels.
            return None;
        }
        let clock = CLOCKS.get(bits.read(2)? as usize).copied()?;
        let duration = (bits.read(3)? + 1) * 512;
        if bits.flag()? {
            bits.skip(36)?;
        }
        let (presentations, assets) = (bits.read(3)? + 1, bits.read(3)? + 1);
        presentation_masks(&mut bits, presentations, index)?;
        if bits.flag()? {
            mixing(&mut bits)?;
        }
        bits.skip(size_bits as usize * assets as usize)?;
        bits.skip(9 + 3)?;
        for width in [4, 24] {
            if bits.flag()? {
                bits.skip(width)?;
            }
        }
        if bits.flag()? {
            let text = bits.read(10)? as usize + 1;
            bits.skip(text * 8)?;
        }
        bits.skip(5)?;
        let sample_rate = EXTENSION_RATES.get(bits.read(4)? as usize).copied()?;
        let channels = bits.read(8)? as u16 + 1;
        Some(Self { sample_rate, channels, duration, clock })
    }
}

fn presentation_masks(bits: &mut Bits, presentations: u32, index: u32) -> Option<()> {
    let mut active = [0; 8];
    for mask in active.iter_mut().take(presentations as usize) {
        *mask = bits.read(index + 1)?;
    }
    for mask in active.iter().take(presentations as usize) {
        bits.skip(8 * (mask & 15).count_ones() as usize)?;
    }
    Some(())
}

fn mixing(bits: &mut Bits) -> Option<()> {
    bits.skip(2)?;
    let mask = (bits.read(2)? + 1) << 2;
    let configurations = bits.read(2)? + 1;
    bits.skip((mask * configurations) as usize)
}

/// DTS frames: a core with the extension substream behind it, or such a substream alone.
#[derive(Clone, Debug, Default)]
pub struct DtsFrames {
    /// Frames are extension substreams without a core.
    coreless: bool,
}

impl Frames for DtsFrames {
    type Header = Header;
    const FIRST: u8 = CORE[0];
    const HEADER: usize = HEADER;

    fn header(&self, bytes: &[u8]) -> Option<Header> {
        Header::parse(bytes)
    }

    fn length(&self, header: &Header, bytes: &[u8], ended: bool) -> Length {
        if !header.core {
            return Length::Known(header.length);
        }
        let behind = bytes.get(header.length..).unwrap_or_default();
        if behind.len() < HEADER && !ended {
            return Length::More;
        }
        Length::Known(header.length + extension_length(behind).unwrap_or(0))
    }

    fn agree(&self, a: &Header, b: &Header) -> bool {
        (a.core, a.sample_rate) == (b.core, b.sample_rate)
    }

    fn accept(&mut self, header: &Header, _length: usize) {
        self.coreless = !header.core;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_says_its_length_rate_and_channels() {
        let head = [0x7f, 0xfe, 0x80, 0x01, 0xfc, 0x3c, 0x3e, 0xd2, 0x75, 0xe0, 0x01, 0x00];
        let core = Header::parse(&head).unwrap();
        assert_eq!((core.core, core.length, core.sample_rate, core.samples), (true, 1006, 48_000, 512));
        assert_eq!(Header::parse(&head[..11]), None);
    }
}
