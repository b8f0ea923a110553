//! High frequency generation: low channels copied up, flattened by inverse filters (ISO/IEC 14496-3 4.6.18.5).

use super::bands::{Bands, MOST_NOISE_BANDS};
use super::side_info::SideInfo;
use crate::planes::{Low, Spectrum};
use std::ops::Range;

/// Channels whose sums are kept in registers at once.
const BLOCK: usize = 8;

/// Second-order linear prediction of each low channel over time: complex coefficients of one and two slots back.
#[derive(Clone, Debug)]
pub(super) struct Predictor {
    re_1: [f32; 32],
    im_1: [f32; 32],
    re_2: [f32; 32],
    im_2: [f32; 32],
}

impl Predictor {
    pub(super) const NONE: Self = Self { re_1: [0.0; 32], im_1: [0.0; 32], re_2: [0.0; 32], im_2: [0.0; 32] };

    /// Predicts the channels below `channels` from the first `rows` rows (covariance method, 4.6.18.5.2).
    pub(super) fn new(low: &Low, rows: usize, channels: usize) -> Self {
        let mut predictor = Self::NONE;
        for first in (0..channels.min(32)).step_by(BLOCK) {
            let sums = Covariance::new(low, rows, first);
            for i in 0..BLOCK {
                let [one, two] = sums.solve(i);
                (predictor.re_1[first + i], predictor.im_1[first + i]) = one;
                (predictor.re_2[first + i], predictor.im_2[first + i]) = two;
            }
        }
        predictor
    }
}

/// Sums over time of the products of a channel with itself, 0 to 2 slots apart, for a block of channels.
struct Covariance {
    /// Energies of all slots but the last two, and of all but the first and the last.
    energy_0: [f32; BLOCK],
    energy_1: [f32; BLOCK],
    /// Neighbouring slots, starting at the first and at the second.
    lag_1_0: [[f32; BLOCK]; 2],
    lag_1_1: [[f32; BLOCK]; 2],
    lag_2: [[f32; BLOCK]; 2],
}

impl Covariance {
    #[inline]
    fn new(low: &Low, rows: usize, first: usize) -> Self {
        let rows = rows.clamp(4, crate::planes::LOW_ROWS);
        let row = |i: usize| -> ([f32; BLOCK], [f32; BLOCK]) {
            let (re, im) = low.row(i);
            (std::array::from_fn(|k| re[(first + k) & 31]), std::array::from_fn(|k| im[(first + k) & 31]))
        };
        // Terms that all sums of a kind share: slots 1 to rows - 3 and what follows them.
        let mut energy = [0.0; BLOCK];
        let [mut re_1, mut im_1, mut re_2, mut im_2] = [[0.0; BLOCK]; 4];
        let (mut a, mut b) = (row(0), row(1));
        for k in 0..BLOCK {
            let c = row(2);
            re_2[k] = a.0[k] * c.0[k] + a.1[k] * c.1[k];
            im_2[k] = a.0[k] * c.1[k] - a.1[k] * c.0[k];
        }
        for i in 3..rows {
            let c = row(i - 1);
            let d = row(i);
            (a, b) = (b, c);
            for k in 0..BLOCK {
                energy[k] += a.0[k] * a.0[k] + a.1[k] * a.1[k];
                re_1[k] += a.0[k] * b.0[k] + a.1[k] * b.1[k];
                im_1[k] += a.0[k] * b.1[k] - a.1[k] * b.0[k];
                re_2[k] += a.0[k] * d.0[k] + a.1[k] * d.1[k];
                im_2[k] += a.0[k] * d.1[k] - a.1[k] * d.0[k];
            }
        }
        let ((a, ai), (b, bi), (y, yi), (z, zi)) = (row(0), row(1), row(rows - 2), row(rows - 1));
        Self {
            energy_0: std::array::from_fn(|k| energy[k] + a[k] * a[k] + ai[k] * ai[k]),
            energy_1: std::array::from_fn(|k| energy[k] + y[k] * y[k] + yi[k] * yi[k]),
            lag_1_0: [
                std::array::from_fn(|k| re_1[k] + a[k] * b[k] + ai[k] * bi[k]),
                std::array::from_fn(|k| im_1[k] + a[k] * bi[k] - ai[k] * b[k]),
            ],
            lag_1_1: [
                std::array::from_fn(|k| re_1[k] + y[k] * z[k] + yi[k] * zi[k]),
                std::array::from_fn(|k| im_1[k] + y[k] * zi[k] - yi[k] * z[k]),
            ],
            lag_2: [re_2, im_2],
        }
    }

    /// The coefficients, of one and of two slots back, that leave the least energy; none where they would be unstable.
    fn solve(&self, k: usize) -> [(f32, f32); 2] {
        let (energy_0, energy_1) = (self.energy_0[k], self.energy_1[k]);
        let (b, bi) = (self.lag_1_0[0][k], self.lag_1_0[1][k]);
        let (c, ci) = (self.lag_1_1[0][k], self.lag_1_1[1][k]);
        let (d, di) = (self.lag_2[0][k], self.lag_2[1][k]);
        let determinant = energy_0 * energy_1 - (b * b + bi * bi) / 1.000_001;
        let (mut re_2, mut im_2) = (0.0, 0.0);
        if determinant != 0.0 {
            re_2 = (c * b - ci * bi - d * energy_1) / determinant;
            im_2 = (c * bi + ci * b - di * energy_1) / determinant;
        }
        let (mut re_1, mut im_1) = (0.0, 0.0);
        if energy_1 != 0.0 {
            re_1 = -(c + re_2 * b + im_2 * bi) / energy_1;
            im_1 = -(ci + im_2 * b - re_2 * bi) / energy_1;
        }
        let stable = re_1 * re_1 + im_1 * im_1 < 16.0 && re_2 * re_2 + im_2 * im_2 < 16.0;
        if stable { [(re_1, im_1), (re_2, im_2)] } else { [(0.0, 0.0); 2] }
    }
}

/// How strongly each noise band is flattened, followed over time (4.6.18.5.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Chirp([f32; MOST_NOISE_BANDS]);

impl Chirp {
    pub(super) const NEW: Self = Self([0.0; MOST_NOISE_BANDS]);

    /// Moves on by a unit.
    pub(super) fn update(&mut self, info: &SideInfo, bands: &Bands) {
        for (band, factor) in self.0.iter_mut().enumerate().take(bands.noise.bands()) {
            let target = match (info.inverse_filter_before[band], info.inverse_filter[band]) {
                (0, 1) | (1, 0) => 0.6,
                (_, 0) => 0.0,
                (_, 1) => 0.75,
                (_, 2) => 0.9,
                _ => 0.98,
            };
            let followed = match target < *factor {
                true => 0.75 * target + 0.25 * *factor,
                false => 0.90625 * target + 0.09375 * *factor,
            };
            *factor = if followed < 0.015_625 { 0.0 } else { followed };
        }
    }
}

/// Fills the rows `slots` of `out` from kx on, each from the low row two further and the two before that.
pub(super) fn generate(
    low: &Low,
    predictor: &Predictor,
    chirp: &Chirp,
    bands: &Bands,
    slots: Range<usize>,
    out: &mut Spectrum,
) {
    let mut filters = [[0.0; 64]; 4];
    let mut target = bands.kx;
    for patch in bands.patches() {
        for source in patch.start..(patch.start + patch.count).min(32) {
            let band = bands.noise.ranges().position(|range| range.contains(&target)).unwrap_or(0);
            let factor = chirp.0[band.min(MOST_NOISE_BANDS - 1)];
            filters[0][target] = predictor.re_2[source] * factor * factor;
            filters[1][target] = predictor.im_2[source] * factor * factor;
            filters[2][target] = predictor.re_1[source] * factor;
            filters[3][target] = predictor.im_1[source] * factor;
            target += 1;
        }
    }
    for slot in slots {
        let mut target = bands.kx;
        let (re, im) = out.row_mut(slot);
        for patch in bands.patches() {
            let from = patch.start..patch.start + patch.count;
            let to = target..target + patch.count;
            let [re_2, re_1, re_0] = [0, 1, 2].map(|back| &low.re[slot + back][from.clone()]);
            let [im_2, im_1, im_0] = [0, 1, 2].map(|back| &low.im[slot + back][from.clone()]);
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| &filters[i][to.clone()]);
            let (re, im) = (&mut re[to.clone()], &mut im[to]);
            for k in 0..patch.count {
                re[k] = re_2[k] * a[k] - im_2[k] * b[k] + re_1[k] * c[k] - im_1[k] * d[k] + re_0[k];
                im[k] = im_2[k] * a[k] + re_2[k] * b[k] + im_1[k] * c[k] + re_1[k] * d[k] + im_0[k];
            }
            target += patch.count;
        }
        re[target..].fill(0.0);
        im[target..].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decaying_spiral_is_predicted_by_itself() {
        // x[n] = z x[n-1] needs the coefficient -z.
        let z = (0.9f32 * 0.6f32.cos(), 0.9f32 * 0.6f32.sin());
        let mut low = Low::ZERO;
        let (mut re, mut im) = (1000.0, 0.0);
        for row in 0..40 {
            (low.re[row][5], low.im[row][5]) = (re, im);
            (re, im) = (re * z.0 - im * z.1 + if row % 7 == 0 { 90.0 } else { 0.0 }, re * z.1 + im * z.0);
        }
        let predictor = Predictor::new(&low, 40, 32);
        let (re, im) = (predictor.re_1[5], predictor.im_1[5]);
        assert!((re + z.0).abs() < 0.1 && (im + z.1).abs() < 0.1, "{re} {im}");
        assert_eq!((predictor.re_1[4], predictor.re_2[4]), (0.0, 0.0));
    }
}
