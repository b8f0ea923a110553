//! VP9: the picture size in a key frame's uncompressed header (VP9 specification §6.2).

use crate::bits::Bits;

/// color_space of RGB.
const RGB: u32 = 7;

/// Width and height of the keyframe in `data`; `None` for other frames.
pub fn picture_size(data: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(data);
    if bits.read(2)? != 2 {
        return None;
    }
    let profile = bits.read(1)? | bits.read(1)? << 1;
    if profile == 3 {
        bits.skip(1)?;
    }
    let (show_existing_frame, inter) = (bits.flag()?, bits.flag()?);
    bits.skip(2)?;
    if show_existing_frame || inter || bits.read(24)? != 0x49_83_42 {
        return None;
    }
    if profile >= 2 {
        bits.skip(1)?;
    }
    let subsampling_is_said = profile & 1 == 1;
    match (bits.read(3)?, subsampling_is_said) {
        (RGB, true) => bits.skip(1)?,
        (RGB, false) => {}
        (_, true) => bits.skip(1 + 3)?,
        (_, false) => bits.skip(1)?,
    }
    Some((bits.read(16)? + 1, bits.read(16)? + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_stands_in_a_key_frame() {
        // Profile 0, key frame, shown, BT.601, 176 × 144.
        let frame = [0x82, 0x49, 0x83, 0x42, 0x20, 0x0a, 0xf0, 0x08, 0xf0];
        assert_eq!(picture_size(&frame), Some((176, 144)));
        assert_eq!((picture_size(&[0x86, 0]), picture_size(&[0x82, 0x49])), (None, None));
    }
}
