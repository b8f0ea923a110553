//! Middle/side and intensity stereo of layer III (ISO/IEC 11172-3 §2.4.3.4.9, 13818-3 §2.4.3.2).

use super::bands::Layout;
use super::lines::Lines;
use super::scale_factors::ScaleFactors;
use core::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

/// Both channels of a granule.
pub(crate) struct Pair<'a> {
    pub(crate) left: &'a mut Lines,
    pub(crate) right: &'a mut Lines,
}

/// Middle and side, both already divided by √2, to left and right.
pub(crate) fn middle_side(pair: &mut Pair) {
    for (left, right) in pair.left.iter_mut().zip(pair.right.iter_mut()) {
        (*left, *right) = (*left + *right, *left - *right);
    }
}

/// How the positions of a frame become gains.
#[derive(Clone, Copy)]
pub(crate) struct Intensity {
    /// MPEG-2: its own gains, with this step (intensity_scale).
    pub(crate) low: Option<bool>,
    /// Bands that are not coded by intensity are middle and side; all lines are already divided by √2.
    pub(crate) middle_side: bool,
}

/// The right channel as it was read.
pub(crate) struct Right<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) factors: &'a ScaleFactors,
    /// Pairs that may be other than zero.
    pub(crate) pairs: usize,
}

impl Intensity {
    /// Bands above the last line of the right channel to left and right by their positions, those below as usual.
    pub(crate) fn apply(self, pair: &mut Pair, right: &Right) {
        let layout = right.layout;
        let first = first_silent(pair.right, right);
        for band in 0..layout.bands() {
            let window = if band < layout.long { 0 } else { 1 + (band - layout.long) % 3 };
            let position = if band < first[window] { None } else { self.position(right, band, first[window]) };
            let gains = position.map(|position| self.gains(position));
            let places = &layout.places[layout.edges[band] / 2..layout.edges[band + 1] / 2];
            for place in places.as_flattened() {
                let (left, right) = (&mut pair.left[usize::from(*place)], &mut pair.right[usize::from(*place)]);
                match gains {
                    Some([to_left, to_right]) => (*left, *right) = (*left * to_left, *left * to_right),
                    None if self.middle_side => (*left, *right) = (*left + *right, *left - *right),
                    None => {}
                }
            }
        }
    }

    /// The position of a band; `None` when it is not coded by intensity. The last band of each window goes by the one
    /// before, or stands in the middle when that is below the `first` band of intensity.
    fn position(self, right: &Right, band: usize, first: usize) -> Option<u8> {
        let layout = right.layout;
        let step = if band < layout.long { 1 } else { 3 };
        let before = band - step.min(band);
        match band + step >= layout.bands() {
            true if before < first => Some(if self.low.is_some() { 0 } else { 3 }),
            last => {
                let band = if last { before } else { band };
                (right.factors.illegal >> band & 1 == 0).then_some(right.factors.values[band])
            }
        }
    }

    /// Gains of both channels.
    fn gains(self, position: u8) -> [f32; 2] {
        let [left, right] = match (position, self.low) {
            (position, None) => {
                let (sin, cos) = (f64::from(position) * PI / 12.0).sin_cos();
                [sin / (sin + cos), cos / (sin + cos)]
            }
            (0, Some(_)) => [1.0, 1.0],
            (position, Some(coarse)) => {
                let base = if coarse { FRAC_1_SQRT_2 } else { FRAC_1_SQRT_2.sqrt() };
                let gain = base.powi(i32::from(position.div_ceil(2)));
                if position % 2 == 1 { [gain, 1.0] } else { [1.0, gain] }
            }
        };
        let scale = if self.middle_side { SQRT_2 } else { 1.0 };
        [(left * scale) as f32, (right * scale) as f32]
    }
}

/// The first band of long blocks, and of each window of short ones, from which on the right channel is silent.
fn first_silent(lines: &Lines, right: &Right) -> [usize; 4] {
    let layout = right.layout;
    let mut first = [0; 4];
    for band in 0..layout.bands() {
        let (from, to) = (layout.edges[band] / 2, layout.edges[band + 1] / 2);
        let places = layout.places.get(from..to.min(right.pairs)).unwrap_or_default();
        if places.as_flattened().iter().any(|place| lines[usize::from(*place)] != 0.0) {
            if band < layout.long {
                first[0] = band + 1;
            } else {
                // Long bands of mixed blocks are below all short ones.
                first[0] = layout.long;
                first[1 + (band - layout.long) % 3] = band + 1;
            }
        }
    }
    first
}
