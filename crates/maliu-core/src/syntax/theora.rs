//! Theora: its identification header, and the positions of frames (Theora I §6.2, §A.2.3).

use crate::bits::Bits;

/// Facts of the identification header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identification {
    /// Width of the shown picture, in pixels.
    pub width: u32,
    /// Height of the shown picture, in pixels.
    pub height: u32,
    /// Pictures per second as a fraction.
    pub rate: (u32, u32),
    /// Shape of a pixel, width to height; zeros when not stated.
    pub aspect: (u32, u32),
    /// Bits of a position that count pictures behind the keyframe.
    pub shift: u32,
    /// Whether positions count from 1, as they do from version 3.2.1 on.
    pub from_one: bool,
}

impl Identification {
    /// Reads an identification header; `None` for anything else.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(header.strip_prefix(b"\x80theora")?);
        let version = bits.read(24)?;
        let (coded_width, coded_height) = (bits.read(16)? * 16, bits.read(16)? * 16);
        let (mut width, mut height) = (bits.read(24)?, bits.read(24)?);
        if width == 0 || height == 0 || width > coded_width || height > coded_height {
            (width, height) = (coded_width, coded_height);
        }
        bits.skip(16)?;
        let mut rate = (bits.read(32)?, bits.read(32)?);
        if rate.0 == 0 || rate.1 == 0 {
            rate = (25, 1);
        }
        let aspect = (bits.read(24)?, bits.read(24)?);
        bits.skip(8 + 24 + 6)?;
        let shift = bits.read(5)?;
        Some(Self { width, height, rate, aspect, shift, from_one: version >= 0x03_02_01 })
    }

    /// The number of pictures up to the one at a position, itself included.
    pub fn count(&self, granule: u64) -> i64 {
        let (key, behind) = (granule >> self.shift, granule & ((1 << self.shift) - 1));
        i64::try_from(key.saturating_add(behind)).unwrap_or(i64::MAX - 1).saturating_add(i64::from(!self.from_one))
    }

    /// The position of picture `count`, counted from 1, whose keyframe is picture `key`.
    pub fn granule(&self, count: u64, key: u64) -> u64 {
        let less = u64::from(!self.from_one);
        let behind = count.saturating_sub(key).min((1 << self.shift) - 1);
        key.saturating_sub(less) << self.shift | behind
    }
}

/// Whether a frame is a keyframe. An empty packet repeats the picture before it.
pub fn is_key(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first & 0xc0 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_pictures() {
        let mut header = b"\x80theora\x03\x02\x01\0\x02\0\x02\0\0\x1d\0\0\x13\0\0\0\0\0\x1e\0\0\0\x01".to_vec();
        header.extend_from_slice(&[0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0b0000_0001, 0b1000_0000]);
        let id = Identification::parse(&header).unwrap();
        assert_eq!((id.width, id.height, id.rate, id.aspect, id.shift), (29, 19, (30, 1), (1, 1), 12));
        assert_eq!((id.count(1 << 12), id.count(1 << 12 | 5)), (1, 6));
        assert_eq!((id.granule(1, 1), id.granule(6, 1)), (1 << 12, 1 << 12 | 5));
        let old = Identification { from_one: false, ..id };
        assert_eq!((old.count(0), old.count(5), old.granule(6, 1)), (1, 6, 5));
    }
}
