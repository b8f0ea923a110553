//! Luma and colour differences → red, green, blue (ITU-T H.273 §8.3).

use super::{Chroma, Colour, Picture};

/// Weights of red and blue in luma.
fn weights(matrix: Option<u8>) -> (f32, f32) {
    match matrix {
        Some(1) => BT709,
        Some(9 | 10) => (0.2627, 0.0593),
        Some(4) => (0.30, 0.11),
        Some(7) => (0.212, 0.087),
        // Also where nothing says it, as FFmpeg does for every size.
        _ => BT601,
    }
}

const BT601: (f32, f32) = (0.299, 0.114);
const BT709: (f32, f32) = (0.2126, 0.0722);

/// The pixels of `picture`, 3 bytes each. Colour is taken from the nearest sample.
pub(super) fn convert(picture: &Picture, colour: Colour) -> Vec<u8> {
    let (red, blue) = weights(colour.matrix);
    let scale = f32::from(1u16 << (picture.bit_depth - 8));
    let (black, luma_range, chroma_range) = if colour.full_range { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
    let (width, height) = (picture.width as usize, picture.height as usize);
    let chroma_width = picture.chroma_size().0 as usize;
    let rows = if picture.chroma == Chroma::Half { 2 } else { 1 };
    let sample = |plane: usize, at: usize| -> f32 {
        let bytes = &picture.planes[plane];
        let value = match picture.bit_depth {
            8 => bytes.get(at).copied().map(u16::from),
            _ => bytes.get(at * 2..at * 2 + 2).map(|pair| u16::from(pair[0]) | u16::from(pair[1]) << 8),
        };
        f32::from(value.unwrap_or_default()) / scale
    };
    let mut out = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let luma = (sample(0, y * width + x) - black) / luma_range;
            let at = y / rows * chroma_width + (x / 2).min(chroma_width.saturating_sub(1));
            let [cb, cr] = [1, 2].map(|plane| (sample(plane, at) - 128.0) / chroma_range);
            let r = luma + 2.0 * (1.0 - red) * cr;
            let b = luma + 2.0 * (1.0 - blue) * cb;
            let g = (luma - red * r - blue * b) / (1.0 - red - blue);
            out.extend([r, g, b].map(|level| (level * 255.0).round().clamp(0.0, 255.0) as u8));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_and_primary_colours_come_out_as_they_are() {
        let rgb = |luma: u8, cb: u8, cr: u8| {
            let planes = [vec![luma; 4], vec![cb], vec![cr]];
            let picture = Picture { width: 2, height: 2, chroma: Chroma::Half, bit_depth: 8, planes, time: None };
            picture.to_rgb(Colour::default())[..3].to_vec()
        };
        assert_eq!((rgb(16, 128, 128), rgb(235, 128, 128)), (vec![0, 0, 0], vec![255, 255, 255]));
        // Red of BT.601.
        assert_eq!(rgb(81, 90, 240), [254, 0, 0]);
    }
}
