//! The headers of MPEG-4 part 2 that containers need: the video object layer and the kind of a plane (ISO/IEC 14496-2
//! §6.2).

use super::VOP;
use crate::{bits::Bits, stream::Video, syntax::annexb::StartCodes};

/// Facts of a video object layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoObjectLayer {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Ticks per second of the times in planes.
    pub time_increment_resolution: u32,
    /// Ticks of a plane, when that is constant.
    pub fixed_time_increment: Option<u32>,
    /// Shape of a pixel, when it is said.
    pub pixel_aspect: Option<(u32, u32)>,
    /// low_delay: no plane is shown later than it is decoded.
    pub low_delay: bool,
}

/// aspect_ratio_info that is followed by a width and a height.
const EXTENDED: u32 = 15;

impl VideoObjectLayer {
    /// The layer in a unit, or in a configuration; `None` without a rectangular one.
    pub fn find(unit: &[u8]) -> Option<Self> {
        let codes = StartCodes::default();
        let mut from = 0;
        loop {
            let at = codes.find(unit, from)?;
            if unit.get(at + 3).is_some_and(|code| (0x20..=0x2f).contains(code)) {
                return Self::read(unit.get(at + 4..)?);
            }
            from = at + 3;
        }
    }

    fn read(body: &[u8]) -> Option<Self> {
        let bits = &mut Bits::new(body);
        bits.skip(1 + 8)?;
        let version = if bits.flag()? { (bits.read(4)?, bits.read(3)?).0 } else { 1 };
        let pixel_aspect = match bits.read(4)? {
            1 => Some((1, 1)),
            2 => Some((12, 11)),
            3 => Some((10, 11)),
            4 => Some((16, 11)),
            5 => Some((40, 33)),
            EXTENDED => Some((bits.read(8)?, bits.read(8)?)).filter(|(x, y)| *x > 0 && *y > 0),
            _ => None,
        };
        let low_delay = if bits.flag()? { control(bits)? } else { false };
        let shape = bits.read(2)?;
        if shape == 3 && version != 1 {
            bits.skip(4)?;
        }
        bits.skip(1)?;
        let resolution = bits.read(16)?;
        bits.skip(1)?;
        let width = 32 - resolution.saturating_sub(1).leading_zeros();
        let fixed_time_increment = if bits.flag()? { Some(bits.read(width.max(1))?) } else { None };
        if shape != 0 {
            return None;
        }
        bits.skip(1)?;
        let width = bits.read(13)?;
        bits.skip(1)?;
        let height = bits.read(13)?;
        Some(Self {
            width,
            height,
            time_increment_resolution: resolution,
            fixed_time_increment,
            pixel_aspect,
            low_delay,
        })
    }

    /// The facts of a stream.
    pub fn video(&self) -> Video {
        let rate = self.fixed_time_increment.filter(|ticks| *ticks > 0);
        Video {
            reorder: u8::from(!self.low_delay),
            frame_rate: rate.map(|ticks| (self.time_increment_resolution, ticks)),
            pixel_aspect: self.pixel_aspect,
            ..Video::new(self.width, self.height)
        }
    }
}

/// vol_control_parameters; returns low_delay.
fn control(bits: &mut Bits) -> Option<bool> {
    bits.skip(2)?;
    let low_delay = bits.flag()?;
    if bits.flag()? {
        // first and latter halves of bit rate, buffer size and occupancy, with markers.
        bits.skip(15 + 1 + 15 + 1 + 15 + 1 + 3 + 11 + 1 + 15 + 1)?;
    }
    Some(low_delay)
}

/// vop_coding_type of the first plane of a unit: 0 intra, 1 predicted, 2 from both sides; `None` without a plane.
pub fn vop_coding_type(unit: &[u8]) -> Option<u8> {
    let codes = StartCodes::default();
    let mut from = 0;
    while let Some(at) = codes.find(unit, from) {
        if unit.get(at + 3) == Some(&VOP) {
            return unit.get(at + 4).map(|byte| byte >> 6);
        }
        from = at + 3;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::BitWriter;

    #[test]
    fn a_layer_says_its_size_and_rate() {
        let mut out = BitWriter::new();
        for (width, value) in [
            (24, 1),
            (8, 0x20),
            (1, 0),
            (8, 1),
            (1, 0),
            (4, 1),
            (1, 0),
            (2, 0),
            (1, 1),
            (16, 25),
            (1, 1),
            (1, 1),
            (5, 1),
            (1, 1),
            (13, 176),
            (1, 1),
            (13, 144),
            (1, 1),
        ] {
            out.write(width, value);
        }
        let video = VideoObjectLayer::find(&out.finish()).unwrap().video();
        let expected =
            Video { reorder: 1, frame_rate: Some((25, 1)), pixel_aspect: Some((1, 1)), ..Video::new(176, 144) };
        assert_eq!(video, expected);
        assert_eq!([0x10, 0x50, 0x90].map(|byte| vop_coding_type(&[0, 0, 1, 0xb6, byte])), [0, 1, 2].map(Some));
    }
}
