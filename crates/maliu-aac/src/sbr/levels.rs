//! Coded levels to energies, and a coupled pair to left and right (ISO/IEC 14496-3 4.6.18.3.5).

use super::bands::{Bands, MOST_NOISE_BANDS};
use super::grid::MOST_ENVELOPES;
use super::side_info::SideInfo;
use std::f64::consts::SQRT_2;

/// The energy of level 0 relative to that of one step of a 16 bit sample, as a power of two.
const ENVELOPE_OFFSET: i32 = 6;

/// The power of two of noise level 0.
const NOISE_OFFSET: i32 = 6;

/// Energies beyond this are taken for damage and replaced by 1, as FFmpeg does.
const MOST_ENERGY: f32 = 1e20;

/// One channel's energies: of envelopes by envelope and band, of noise relative to them by noise floor and band.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    pub envelope: [[f32; 48]; MOST_ENVELOPES],
    pub noise: [[f32; MOST_NOISE_BANDS]; 2],
}

impl Levels {
    pub(super) const ZERO: Self = Self { envelope: [[0.0; 48]; MOST_ENVELOPES], noise: [[0.0; MOST_NOISE_BANDS]; 2] };

    /// The levels of a channel on its own.
    pub(super) fn of(info: &SideInfo, bands: &Bands) -> Self {
        let mut levels = Self::ZERO;
        for e in 0..info.grid.envelopes {
            let count = bands.envelope(info.grid.high[e]).bands();
            for (energy, &level) in levels.envelope[e][..count].iter_mut().zip(&info.envelope[e]) {
                *energy = bounded(power(i32::from(level), info.grid.coarse, ENVELOPE_OFFSET));
            }
        }
        for (energies, coded) in levels.noise.iter_mut().zip(&info.noise) {
            for (energy, &level) in energies[..bands.noise.bands()].iter_mut().zip(coded) {
                *energy = power(NOISE_OFFSET - i32::from(level), true, 0);
            }
        }
        levels
    }

    /// The levels of a pair whose second channel tells the balance.
    pub(super) fn of_coupled(level: &SideInfo, balance: &SideInfo, bands: &Bands) -> [Self; 2] {
        let [mut left, mut right] = [Self::ZERO; 2];
        let coarse = level.grid.coarse;
        let middle = if coarse { 12 } else { 24 };
        for e in 0..level.grid.envelopes {
            for band in 0..bands.envelope(level.grid.high[e]).bands() {
                let sum = bounded(power(i32::from(level.envelope[e][band]), coarse, ENVELOPE_OFFSET + 1));
                let ratio = power(middle - i32::from(balance.envelope[e][band]), coarse, 0);
                (left.envelope[e][band], right.envelope[e][band]) = share(sum, ratio);
            }
        }
        for floor in 0..level.grid.floors {
            for band in 0..bands.noise.bands() {
                let sum = power(NOISE_OFFSET + 1 - i32::from(level.noise[floor][band]), true, 0);
                let ratio = power(12 - i32::from(balance.noise[floor][band]), true, 0);
                (left.noise[floor][band], right.noise[floor][band]) = share(sum, ratio);
            }
        }
        [left, right]
    }
}

/// Divides `sum` so that right is `ratio` times left.
fn share(sum: f32, ratio: f32) -> (f32, f32) {
    let left = sum / (1.0 + ratio);
    (left, left * ratio)
}

/// 2^(level + offset) in coarse steps, 2^(level/2 + offset) in fine ones.
fn power(level: i32, coarse: bool, offset: i32) -> f32 {
    let (exponent, half) = if coarse { (level, false) } else { (level >> 1, level & 1 != 0) };
    let whole = f64::from(exponent + offset).exp2();
    (if half { whole * SQRT_2 } else { whole }) as f32
}

fn bounded(energy: f32) -> f32 {
    if energy > MOST_ENERGY { 1.0 } else { energy }
}
