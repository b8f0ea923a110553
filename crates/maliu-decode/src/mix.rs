//! Channels mixed to another layout, by the coefficients of ITU-R BS.775 as FFmpeg applies them.
//!
//! | input without a place in the output | goes to | at |
//! |---|---|---|
//! | centre | left and right | 0.7071 |
//! | left, right | centre | 0.7071 |
//! | side or back left (right) | the other pair, else left (right), else centre | 1 (0.7071 beside a pair of its own), 0.7071, 0.5 |
//! | back centre | the back or side pair, else left and right, else centre | 0.7071, 0.5, 0.5 |
//! | left and right of centre | left and right, else centre | 1, 0.7071 |
//! | low frequencies | nowhere | 0 |

use std::f32::consts::FRAC_1_SQRT_2;

use maliu_core::{
    error::{Error, Result},
    stream::Audio,
};

/// How channels are mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mix {
    /// The coefficients of ITU-R BS.775.
    #[default]
    Itu,
    /// The same, with surround channels encoded into stereo for a Dolby Surround decoder.
    Dolby,
    /// The same, for a Dolby Pro Logic II decoder.
    ProLogic2,
    /// Channels keep their number; those beyond the output are dropped, those beyond the input are silent.
    Keep,
}

/// A weight for each input channel of each output channel.
///
/// ```
/// use maliu_decode::mix::{Matrix, Mix};
///
/// let matrix = Matrix::new((6, 0x3f), (2, 0x3), Mix::Itu, true)?;
/// let loud = matrix.apply(&[1.0; 6]);
/// assert!((loud[0] - 1.0).abs() < 1e-6, "never beyond full scale");
/// # Ok::<(), maliu_core::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    inputs: usize,
    rows: Vec<Vec<f32>>,
}

/// Most channels on either side.
const MAX_CHANNELS: u16 = 64;

impl Matrix {
    /// From `from` to `to`, each a number of channels and their WAVE channel mask (0: the usual one of that number).
    /// With `limit`, all weights are scaled so that no output can exceed full scale, as FFmpeg does for whole numbers.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where a layout is unknown, except for [`Mix::Keep`], and for more than 64 channels.
    pub fn new(from: (u16, u32), to: (u16, u32), mix: Mix, limit: bool) -> Result<Self> {
        if from.0 > MAX_CHANNELS || to.0 > MAX_CHANNELS {
            return Err(Error::unsupported(format!("mixing {} channels to {}", from.0, to.0)));
        }
        let inputs = usize::from(from.0);
        let mut rows = vec![vec![0.0; inputs]; to.0.into()];
        if mix == Mix::Keep {
            rows.iter_mut().enumerate().for_each(|(at, row)| row.iter_mut().skip(at).take(1).for_each(|w| *w = 1.0));
            return Ok(Self { inputs, rows });
        }
        let unknown =
            || Error::unsupported(format!("mixing {} channels to {}: their places are not known", from.0, to.0));
        let sides = |(channels, mask)| places(channels, mask).ok_or_else(unknown);
        let (heard, wanted) = (sides(from)?, sides(to)?);
        for (at, place) in heard.iter().enumerate() {
            for (place, weight) in spread(*place, &heard, &wanted, mix) {
                if let Some(row) = wanted.iter().position(|wanted| *wanted == place) {
                    rows[row][at] += weight;
                }
            }
        }
        let sum = |row: &Vec<f32>| row.iter().map(|weight| weight.abs()).sum::<f32>();
        let loudest = rows.iter().map(sum).fold(0.0, f32::max);
        if limit && loudest > 1.0 {
            rows.iter_mut().flatten().for_each(|weight| *weight /= loudest);
        }
        Ok(Self { inputs, rows })
    }

    /// Output channel by output channel the input channel that it copies.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where there is no such channel.
    pub fn map(inputs: u16, map: &[u16]) -> Result<Self> {
        let row = |from: &u16| {
            let mut row = vec![0.0; inputs.into()];
            let place = row.get_mut(usize::from(*from));
            *place.ok_or_else(|| Error::unsupported(format!("channel {from} of a stream with {inputs} channels")))? =
                1.0;
            Ok(row)
        };
        Ok(Self { inputs: inputs.into(), rows: map.iter().map(row).collect::<Result<_>>()? })
    }

    /// The mix of interleaved samples.
    pub fn apply(&self, samples: &[f32]) -> Vec<f32> {
        let mut out = Vec::with_capacity(samples.len() / self.inputs.max(1) * self.rows.len());
        for set in samples.chunks_exact(self.inputs.max(1)) {
            out.extend(
                self.rows.iter().map(|row| row.iter().zip(set).map(|(weight, sample)| weight * sample).sum::<f32>()),
            );
        }
        out
    }
}

const LEFT: u8 = 0;
const RIGHT: u8 = 1;
const CENTRE: u8 = 2;
const LOW: u8 = 3;
const BACK_LEFT: u8 = 4;
const BACK_RIGHT: u8 = 5;
const LEFT_OF_CENTRE: u8 = 6;
const RIGHT_OF_CENTRE: u8 = 7;
const BACK_CENTRE: u8 = 8;
const SIDE_LEFT: u8 = 9;
const SIDE_RIGHT: u8 = 10;

/// Bits of the mask, in the order of the channels.
fn places(channels: u16, mask: u32) -> Option<Vec<u8>> {
    let mask = if mask == 0 { Audio::new(48_000, channels).usual_mask() } else { mask };
    let places: Vec<u8> = (0..32).filter(|bit| mask >> bit & 1 == 1).collect();
    (places.len() == usize::from(channels)).then_some(places)
}

/// Where a channel goes and with which weight.
fn spread(place: u8, heard: &[u8], wanted: &[u8], mix: Mix) -> Vec<(u8, f32)> {
    const HALF: f32 = FRAC_1_SQRT_2;
    let (has, hears) = (|place| wanted.contains(&place), |place| heard.contains(&place));
    if has(place) {
        // The middle of a stereo signal that goes to the centre, too, stays as loud as before.
        let louder = place == CENTRE && hears(LEFT) && !has(LEFT);
        return vec![(place, if louder { 2.0 * HALF * HALF } else { 1.0 })];
    }
    let surround = |pair: [u8; 2], own: u8| {
        let side = usize::from(place == own);
        let beside = hears(pair[0]);
        match () {
            () if has(pair[0]) => vec![(pair[side], if beside { HALF } else { 1.0 })],
            () if has(BACK_CENTRE) => vec![(BACK_CENTRE, HALF)],
            () if has(LEFT) => encoded(side, mix),
            () => vec![(CENTRE, HALF * HALF)],
        }
    };
    match place {
        CENTRE => vec![(LEFT, HALF), (RIGHT, HALF)],
        LEFT | RIGHT => vec![(CENTRE, HALF)],
        BACK_LEFT | BACK_RIGHT => surround([SIDE_LEFT, SIDE_RIGHT], BACK_RIGHT),
        SIDE_LEFT | SIDE_RIGHT => surround([BACK_LEFT, BACK_RIGHT], SIDE_RIGHT),
        BACK_CENTRE if has(BACK_LEFT) => vec![(BACK_LEFT, HALF), (BACK_RIGHT, HALF)],
        BACK_CENTRE if has(SIDE_LEFT) => vec![(SIDE_LEFT, HALF), (SIDE_RIGHT, HALF)],
        BACK_CENTRE if has(LEFT) && mix == Mix::Itu => vec![(LEFT, HALF * HALF), (RIGHT, HALF * HALF)],
        BACK_CENTRE if has(LEFT) => vec![(LEFT, -HALF * HALF), (RIGHT, HALF * HALF)],
        BACK_CENTRE => vec![(CENTRE, HALF * HALF)],
        LEFT_OF_CENTRE if has(LEFT) => vec![(LEFT, 1.0)],
        RIGHT_OF_CENTRE if has(RIGHT) => vec![(RIGHT, 1.0)],
        LEFT_OF_CENTRE | RIGHT_OF_CENTRE => vec![(CENTRE, HALF)],
        LOW => Vec::new(),
        _ => Vec::new(),
    }
}

/// A surround channel, left (0) or right (1), in stereo.
fn encoded(side: usize, mix: Mix) -> Vec<(u8, f32)> {
    const FAR: f32 = FRAC_1_SQRT_2 * 0.707_106_77;
    const NEAR: f32 = FRAC_1_SQRT_2 * 1.224_744_9;
    match (mix, side) {
        (Mix::Dolby, _) => vec![(LEFT, -FAR), (RIGHT, FAR)],
        (Mix::ProLogic2, 0) => vec![(LEFT, -NEAR), (RIGHT, FAR)],
        (Mix::ProLogic2, _) => vec![(LEFT, -FAR), (RIGHT, NEAR)],
        (_, 0) => vec![(LEFT, FRAC_1_SQRT_2)],
        _ => vec![(RIGHT, FRAC_1_SQRT_2)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The weights that FFmpeg 5.1 prints for these layouts, before scaling.
    #[test]
    fn weights_are_those_of_ffmpeg() {
        let h = FRAC_1_SQRT_2;
        type Case<'a> = ((u16, u32), (u16, u32), Mix, &'a [&'a [f32]]);
        let cases: &[Case<'_>] = &[
            ((1, 0x4), (2, 0x3), Mix::Itu, &[&[h], &[h]]),
            ((2, 0x3), (1, 0x4), Mix::Itu, &[&[h, h]]),
            ((6, 0x3f), (2, 0x3), Mix::Itu, &[&[1.0, 0.0, h, 0.0, h, 0.0], &[0.0, 1.0, h, 0.0, 0.0, h]]),
            ((6, 0x60f), (1, 0x4), Mix::Itu, &[&[h, h, 1.0, 0.0, 0.5, 0.5]]),
            (
                (8, 0x63f),
                (2, 0x3),
                Mix::Itu,
                &[&[1.0, 0.0, h, 0.0, h, 0.0, h, 0.0], &[0.0, 1.0, h, 0.0, 0.0, h, 0.0, h]],
            ),
            ((6, 0x3f), (2, 0x3), Mix::Dolby, &[&[1.0, 0.0, h, 0.0, -0.5, -0.5], &[0.0, 1.0, h, 0.0, 0.5, 0.5]]),
            ((3, 0x7), (2, 0x3), Mix::Keep, &[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0]]),
        ];
        for (from, to, mix, rows) in cases {
            let matrix = Matrix::new(*from, *to, *mix, false).unwrap();
            for (row, expected) in matrix.rows.iter().zip(*rows) {
                assert!(row.iter().zip(*expected).all(|(a, b)| (a - b).abs() < 1e-6), "{from:x?} {to:x?} {row:?}");
            }
            assert_eq!(matrix.rows.len(), rows.len());
        }
    }

    #[test]
    fn a_limited_mix_never_exceeds_full_scale() {
        for channels in 1..=8u16 {
            for wanted in 1..=8u16 {
                let Ok(matrix) = Matrix::new((channels, 0), (wanted, 0), Mix::Itu, true) else { continue };
                let sums = matrix.rows.iter().map(|row| row.iter().map(|weight| weight.abs()).sum::<f32>());
                assert!(sums.fold(0.0, f32::max) < 1.000_001, "{channels} to {wanted}");
            }
        }
    }

    #[test]
    fn a_map_copies_channels() {
        assert_eq!(Matrix::map(3, &[2, 0]).unwrap().apply(&[0.1, 0.2, 0.3]), [0.3, 0.1]);
        assert!(Matrix::map(2, &[2]).is_err());
        assert!(Matrix::new((9, 0x1ff), (65, 0), Mix::Keep, true).is_err());
    }
}
