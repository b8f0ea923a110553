//! The Video element of a track: sizes, shape of a pixel, colours, turns (RFC 9559 §5.1.4.1.28).

use alloc::boxed::Box;

use crate::{
    stream::{Color, Hdr, Mastering, Metadata, Video},
    syntax::ebml::{Elements, float, ids, unsigned},
};

/// Names of StereoMode, as the reference has them in its tags.
pub(super) const STEREO_MODES: &[&str] = &[
    "mono",
    "left_right",
    "bottom_top",
    "top_bottom",
    "checkerboard_rl",
    "checkerboard_lr",
    "row_interleaved_rl",
    "row_interleaved_lr",
    "col_interleaved_rl",
    "col_interleaved_lr",
    "anaglyph_cyan_red",
    "right_left",
    "anaglyph_green_magenta",
    "block_lr",
    "block_rl",
];

/// The facts in the body of a Video element; those without a field become tags.
pub(super) fn parse(body: &[u8], tags: &mut Metadata) -> Video {
    let elements = Elements::new(body);
    let number = |id| elements.body_of(id).map(|body| u32::try_from(unsigned(body)).unwrap_or(u32::MAX));
    let (width, height) = (number(ids::PIXEL_WIDTH).unwrap_or(0), number(ids::PIXEL_HEIGHT).unwrap_or(0));
    let mut video = Video::new(width, height);
    let unit = number(ids::DISPLAY_UNIT).unwrap_or(0);
    let shown = (number(ids::DISPLAY_WIDTH).unwrap_or(width), number(ids::DISPLAY_HEIGHT).unwrap_or(height));
    if unit < 4 {
        video.pixel_aspect = aspect(shown, (width, height));
    }
    if let Some(mode) = number(ids::STEREO_MODE).filter(|mode| *mode > 0)
        && let Some(name) = STEREO_MODES.get(mode as usize)
    {
        tags.set("stereo_mode", *name);
    }
    if number(ids::ALPHA_MODE) == Some(1) {
        tags.set("alpha_mode", "1");
    }
    if let Some(body) = elements.body_of(ids::COLOUR) {
        colour(body, &mut video);
    }
    if let Some(body) = elements.body_of(ids::PROJECTION) {
        let roll = Elements::new(body).body_of(ids::PROJECTION_POSE_ROLL).and_then(float);
        let flat = Elements::new(body).body_of(ids::PROJECTION_TYPE).map_or(0, unsigned) == 0;
        match roll.filter(|_| flat) {
            // Roll turns the picture counter-clockwise.
            Some(90.0 | -270.0) => video.rotation = 270,
            Some(180.0 | -180.0) => video.rotation = 180,
            Some(-90.0 | 270.0) => video.rotation = 90,
            _ => {}
        }
    }
    video
}

/// The shape of a pixel of a picture shown in this size.
fn aspect(shown: (u32, u32), size: (u32, u32)) -> Option<(u32, u32)> {
    let (wide, high) = (u64::from(shown.0) * u64::from(size.1), u64::from(shown.1) * u64::from(size.0));
    let divisor = super::units::gcd(wide, high);
    let (wide, high) = (wide.checked_div(divisor)?, high.checked_div(divisor)?);
    let pair = (u32::try_from(wide).ok()?, u32::try_from(high).ok()?);
    (pair.0 > 0 && pair.1 > 0).then_some(pair)
}

fn colour(body: &[u8], video: &mut Video) {
    let elements = Elements::new(body);
    let number = |id| elements.body_of(id).map(unsigned);
    let byte = |id| number(id).map_or(2, |value| u8::try_from(value).unwrap_or(2));
    let mut color =
        Color::new(byte(ids::PRIMARIES), byte(ids::TRANSFER_CHARACTERISTICS), byte(ids::MATRIX_COEFFICIENTS));
    color.full_range = match number(ids::RANGE) {
        Some(1) => Some(false),
        Some(2) => Some(true),
        _ => None,
    };
    if (color.primaries, color.transfer, color.matrix) != (2, 2, 2) || color.full_range.is_some() {
        video.color = Some(color);
    }
    let light = number(ids::MAX_CLL).zip(number(ids::MAX_FALL));
    let light = light.and_then(|(most, average)| Some((u16::try_from(most).ok()?, u16::try_from(average).ok()?)));
    let mastering = elements.body_of(ids::MASTERING_METADATA).and_then(mastering);
    if light.is_some() || mastering.is_some() {
        let mut hdr = Hdr::default();
        (hdr.light, hdr.mastering) = (light, mastering);
        video.hdr = Some(Box::new(hdr));
    }
}

/// Chromaticities from 0 to 1 and luminances in cd/m², in the units of ST 2086.
fn mastering(body: &[u8]) -> Option<Mastering> {
    let elements = Elements::new(body);
    let value = |id, unit: f64| Some((elements.body_of(id).and_then(float)? * unit + 0.5) as u32);
    let point = |x, y| Some((u16::try_from(value(x, 50_000.0)?).ok()?, u16::try_from(value(y, 50_000.0)?).ok()?));
    Some(Mastering {
        primaries: [
            point(ids::PRIMARY_G_X, ids::PRIMARY_G_Y)?,
            point(ids::PRIMARY_B_X, ids::PRIMARY_B_Y)?,
            point(ids::PRIMARY_R_X, ids::PRIMARY_R_Y)?,
        ],
        white: point(ids::WHITE_X, ids::WHITE_Y)?,
        max: value(ids::LUMINANCE_MAX, 10_000.0)?,
        min: value(ids::LUMINANCE_MIN, 10_000.0)?,
    })
}
