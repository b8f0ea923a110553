//! One picture as PNG.

use maliu_decode::pictures::{Colour, Picture};

/// The file.
pub(super) fn encode(picture: &Picture, colour: Colour) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&picture.to_rgb(colour))?;
    Ok(out)
}
