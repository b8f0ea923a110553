//! The sequence header of MPEG-1 and MPEG-2 video (ISO/IEC 13818-2 §6.2.2.1, §6.2.2.3).

use super::{EXTENSION, SEQUENCE};
use crate::{bits::Bits, stream::Video, syntax::annexb::StartCodes};

/// Facts of a sequence header and its extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Pictures per second as a fraction.
    pub frame_rate: Option<(u32, u32)>,
    /// Shape of a pixel, when it is said.
    pub pixel_aspect: Option<(u32, u32)>,
    /// Bits per second; `None` for a variable rate.
    pub bit_rate: Option<u64>,
    /// It has an extension: MPEG-2.
    pub mpeg2: bool,
    /// profile_and_level_indication of the extension.
    pub profile_and_level: u8,
    /// low_delay: no picture is shown later than it is decoded.
    pub low_delay: bool,
}

const RATES: [(u32, u32); 8] =
    [(24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (30, 1), (50, 1), (60_000, 1001), (60, 1)];

impl Sequence {
    /// The sequence header in a unit, with the extension right behind it; `None` without one.
    pub fn find(unit: &[u8]) -> Option<Self> {
        let codes = StartCodes::default();
        let mut from = 0;
        loop {
            let at = codes.find(unit, from)?;
            let body = unit.get(at + 4..)?;
            if unit.get(at + 3) == Some(&SEQUENCE) {
                let mut sequence = Self::header(body)?;
                let behind = codes.find(unit, at + 4).and_then(|at| unit.get(at + 3..));
                if let Some([EXTENSION, extension @ ..]) = behind {
                    sequence.extend(extension);
                }
                return Some(sequence);
            }
            from = at + 3;
        }
    }

    fn header(body: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(body);
        let (width, height) = (bits.read(12)?, bits.read(12)?);
        let (aspect, rate) = (bits.read(4)?, bits.read(4)?);
        let bit_rate = bits.read(18)?;
        let frame_rate = (rate as usize).checked_sub(1).and_then(|index| RATES.get(index)).copied();
        let pixel_aspect = shape(aspect, width, height);
        let bit_rate = (bit_rate < 0x3_ffff).then_some(u64::from(bit_rate) * 400);
        Some(Self { width, height, frame_rate, pixel_aspect, bit_rate, low_delay: false, ..Self::default() })
    }

    fn extension_fields(body: &[u8]) -> Option<(u8, u32, u32, bool, u32, u32)> {
        let mut bits = Bits::new(body);
        if bits.read(4)? != 1 {
            return None;
        }
        let profile = bits.read(8)? as u8;
        bits.skip(3)?;
        let (width, height) = (bits.read(2)? << 12, bits.read(2)? << 12);
        bits.skip(12 + 1 + 8)?;
        let low_delay = bits.flag()?;
        let (num, den) = (bits.read(2)? + 1, bits.read(5)? + 1);
        Some((profile, width, height, low_delay, num, den))
    }

    fn extend(&mut self, body: &[u8]) {
        let Some((profile, width, height, low_delay, num, den)) = Self::extension_fields(body) else { return };
        self.mpeg2 = true;
        self.profile_and_level = profile;
        self.low_delay = low_delay;
        self.width |= width;
        self.height |= height;
        self.frame_rate = self.frame_rate.map(|(rate, per)| (rate * num, per * den));
    }

    /// The facts of a stream.
    pub fn video(&self) -> Video {
        Video {
            reorder: u8::from(!self.low_delay),
            frame_rate: self.frame_rate,
            pixel_aspect: self.pixel_aspect,
            level: self.mpeg2.then_some(self.profile_and_level & 15),
            ..Video::new(self.width, self.height)
        }
    }
}

/// The shape of a pixel: 1 square, 2 to 4 the shape of the picture (MPEG-2).
fn shape(code: u32, width: u32, height: u32) -> Option<(u32, u32)> {
    let (num, den) = match code {
        1 => return Some((1, 1)),
        2 => (4, 3),
        3 => (16, 9),
        4 => (221, 100),
        _ => return None,
    };
    let (num, den) = (num * height, den * width);
    let common = gcd(num, den);
    (common > 0).then(|| (num / common, den / common))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_with_its_extension_is_read() {
        let unit = [
            0, 0, 1, 0xb3, 0x0b, 0x00, 0x90, 0x13, 0xff, 0xff, 0xe0, 0x18, 0, 0, 1, 0xb5, 0x14, 0x8a, 0x00, 0x01, 0, 0,
        ];
        let sequence = Sequence::find(&unit).unwrap();
        assert_eq!((sequence.width, sequence.height, sequence.frame_rate), (176, 144, Some((25, 1))));
        assert_eq!((sequence.mpeg2, sequence.profile_and_level, sequence.pixel_aspect), (true, 0x48, Some((1, 1))));
        assert!(!Sequence::find(&unit[..12]).unwrap().mpeg2);
        assert_eq!(Sequence::find(&[0, 0, 1, 0, 1, 2]), None);
    }
}
