//! The hybrid filter bank: the lowest QMF channels split further, and joined again (ISO/IEC 14496-3 8.6.4.3).
//!
//! ```text
//! QMF channel      0  1  2  3 … 63            0   1   2   3   4   5 … 63
//! subbands         6  2  2  1 … 1   = 71     12   8   4   4   4   1 … 1   = 91
//! ```

use super::tables::{Filters, HALF_TAPS, TABLES};
use crate::planes::{ROWS, Spectrum};

/// Room for the subbands of a slot: 71 or 91.
pub(super) const SUBBANDS: usize = 96;

/// A slot of subbands, real and imaginary parts.
pub(super) type Row = [[f32; SUBBANDS]; 2];

/// Slots before and after the one a filter is centred on.
const REACH: usize = HALF_TAPS - 1;

/// QMF channels that are ever split.
const SPLIT: usize = 5;

/// The filters of two subbands of QMF channels 1 and 2; every second tap is 0.
const G_2: [f32; 3] = [0.018_994_875, -0.072_931_39, 0.305_966_3];

/// The input that the filters cover: the last slots of the unit before, this unit, the first slots of the next.
#[derive(Clone, Debug)]
pub(super) struct Splitter {
    /// Real and imaginary parts by channel and slot.
    re: [[f32; REACH + ROWS]; SPLIT],
    im: [[f32; REACH + ROWS]; SPLIT],
}

/// The number of subbands and where the QMF channels that are not split start: (subband, channel).
pub(super) const fn shape(wide: bool) -> (usize, (usize, usize)) {
    if wide { (91, (32, 5)) } else { (71, (10, 3)) }
}

impl Splitter {
    pub(super) const NEW: Self = Self { re: [[0.0; REACH + ROWS]; SPLIT], im: [[0.0; REACH + ROWS]; SPLIT] };

    /// Splits the first `slots` rows of a spectrum, of which six more are there, into `rows`.
    pub(super) fn split<const WIDE: bool>(&mut self, spectrum: &Spectrum, slots: usize, rows: &mut [Row]) {
        for slot in 0..slots + REACH {
            let (re, im) = spectrum.row(slot);
            for channel in 0..SPLIT {
                self.re[channel][REACH + slot] = re[channel];
                self.im[channel][REACH + slot] = im[channel];
            }
        }
        let (count, (subband, channel)) = shape(WIDE);
        for (slot, row) in rows.iter_mut().enumerate().take(slots) {
            let (re, im) = spectrum.row(slot);
            row[0][subband..count].copy_from_slice(&re[channel..]);
            row[1][subband..count].copy_from_slice(&im[channel..]);
            match WIDE {
                true => self.split_34(slot, row),
                false => self.split_20(slot, row),
            }
        }
        for channel in 0..SPLIT {
            self.re[channel].copy_within(slots..slots + REACH, 0);
            self.im[channel].copy_within(slots..slots + REACH, 0);
        }
    }

    fn split_20(&self, slot: usize, row: &mut Row) {
        let parts = self.filtered(&TABLES.split_8, 0, slot);
        for (row, part) in row.iter_mut().zip(parts) {
            row[..6].copy_from_slice(&[part[6], part[7], part[0], part[1], part[2] + part[5], part[3] + part[4]]);
        }
        for (channel, [plus, minus]) in [(1, [7, 6]), (2, [8, 9])] {
            for (row, input) in row.iter_mut().zip([&self.re[channel], &self.im[channel]]) {
                let at = |tap: usize| input[slot + tap];
                let middle = 0.5 * at(6);
                let side = G_2[0] * (at(1) + at(11)) + G_2[1] * (at(3) + at(9)) + G_2[2] * (at(5) + at(7));
                (row[plus], row[minus]) = (middle + side, middle - side);
            }
        }
    }

    fn split_34(&self, slot: usize, row: &mut Row) {
        let tables = &*TABLES;
        let (a, b) = (self.filtered(&tables.split_12, 0, slot), self.filtered(&tables.split_8_wide, 1, slot));
        let fours = [2, 3, 4].map(|channel| self.filtered(&tables.split_4, channel, slot));
        for part in 0..2 {
            row[part][..12].copy_from_slice(&a[part]);
            row[part][12..20].copy_from_slice(&b[part]);
            for (target, four) in row[part][20..32].chunks_exact_mut(4).zip(&fours) {
                target.copy_from_slice(&four[part]);
            }
        }
    }

    /// A channel through each of `Q` filters, centred on a slot.
    #[inline(always)]
    fn filtered<const Q: usize>(&self, filters: &Filters<Q>, channel: usize, slot: usize) -> [[f32; Q]; 2] {
        let (re, im) = (&self.re[channel][slot..slot + 2 * REACH + 1], &self.im[channel][slot..slot + 2 * REACH + 1]);
        let mut out_re: [f32; Q] = std::array::from_fn(|q| filters.re[REACH][q] * re[REACH]);
        let mut out_im: [f32; Q] = std::array::from_fn(|q| filters.re[REACH][q] * im[REACH]);
        for tap in 0..REACH {
            let mirror = 2 * REACH - tap;
            let (sum_re, sum_im) = (re[tap] + re[mirror], im[tap] + im[mirror]);
            let (dif_re, dif_im) = (re[tap] - re[mirror], im[tap] - im[mirror]);
            for q in 0..Q {
                out_re[q] += filters.re[tap][q] * sum_re - filters.im[tap][q] * dif_im;
                out_im[q] += filters.re[tap][q] * sum_im + filters.im[tap][q] * dif_re;
            }
        }
        [out_re, out_im]
    }
}

/// Joins a slot of subbands into the row of a spectrum.
#[inline(always)]
pub(super) fn join<const WIDE: bool>(row: &Row, spectrum: &mut Spectrum, slot: usize) {
    let (count, (subband, channel)) = shape(WIDE);
    let (re, im) = spectrum.row_mut(slot);
    for (out, row) in [re, im].into_iter().zip(row) {
        let sum = |from: usize, to: usize| row[from..to].iter().sum::<f32>();
        match WIDE {
            true => {
                out[..5].copy_from_slice(&[sum(0, 12), sum(12, 20), sum(20, 24), sum(24, 28), sum(28, 32)]);
            }
            false => out[..3].copy_from_slice(&[sum(0, 6), sum(6, 8), sum(8, 10)]),
        }
        out[channel..].copy_from_slice(&row[subband..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_split_joins_to_what_it_was() {
        joins_again::<false>();
        joins_again::<true>();
    }

    fn joins_again<const WIDE: bool>() {
        let mut spectrum = Spectrum::ZERO;
        for slot in 0..ROWS {
            for k in 0..64 {
                spectrum.re[slot][k] = ((slot * 37 + k * 11) % 23) as f32 - 11.0;
                spectrum.im[slot][k] = ((slot * 17 + k * 29) % 19) as f32 - 9.0;
            }
        }
        let mut rows = [[[0.0; SUBBANDS]; 2]; 32];
        let mut splitter = Splitter::NEW;
        splitter.split::<WIDE>(&spectrum, 32, &mut rows);
        let mut joined = Spectrum::ZERO;
        for (slot, row) in rows.iter().enumerate() {
            join::<WIDE>(row, &mut joined, slot);
            let same = |a: &[f32; 64], b: &[f32; 64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
            assert!(same(&joined.re[slot], &spectrum.re[slot]) && same(&joined.im[slot], &spectrum.im[slot]));
        }
    }
}
